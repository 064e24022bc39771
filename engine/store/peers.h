// SPDX-License-Identifier: GPL-3.0-or-later
// Peers that outlive a restart, one row per fingerprint.
#ifndef SOTTO_STORE_PEERS_H
#define SOTTO_STORE_PEERS_H

#include "store/store.h"

#define STORE_PEERS_MAX 10000

struct store_peer {
	char fingerprint[41];
	char name[33];
	struct bytes *certificate; // general certificate; or NULL
	bool has_presence;         // the next three hold
	uint8_t presence_key[32];
	int64_t presence_since;
	struct bytes *certification; // or NULL while unproven
	struct bytes *record; // newest presence record, exact bytes; or NULL, and the next three
			      // are nothing
	uint8_t record_signature[64];
	uint64_t record_sequence;
	int64_t record_expiry;
	struct store_addresses addresses;
	char source[16]; // lan, file, exchange, rendezvous, dht, manual
	bool proven;
	bool pinned; // verified by an own password handshake (P2.7)
	bool known;  // P1.8: probed, opened, accepted, pinned, or a fellow member
	int64_t last_seen;
};
void store_peer_fini(struct store_peer *p);
typedef bool store_peer_visit(void *arg, const struct store_peer *peer);

// Inserts or replaces. A table that is full makes room by dropping the peer seen longest ago that
// is neither known nor pinned; ERR_TOO_LARGE where there is none.
MUST_CHECK enum err store_peer_put(struct store *s, const struct store_peer *peer,
				   struct err_info *info);
// By fingerprint.
MUST_CHECK enum err store_peer_each(struct store *s, store_peer_visit *each, void *arg,
				    struct err_info *info);
// ERR_NOT_FOUND where there is none. Its guess budget stays (budgets.h).
MUST_CHECK enum err store_peer_delete(struct store *s, const char *fingerprint,
				      struct err_info *info);

#endif
