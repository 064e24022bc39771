// SPDX-License-Identifier: GPL-3.0-or-later
// One entry of the neighbours' table: what it shows, and the unproven candidates beside or behind
// it. The rules of P1.1 and P1.7 are here; room, order and look-up are the table's.
//
// Invariant: where nothing is proven, the entry shows its first candidate; without one, or where
// the peer is pinned, no key.
#ifndef SOTTO_PEERS_ENTRY_H
#define SOTTO_PEERS_ENTRY_H

#include "peers/strangers.h"
#include "peers/table.h"

// A record as it may be taken: its endpoints are those that its sender may name.
struct candidate {
	struct peer_record record;
	struct addr sender; // the peer's own address, where the record came from it directly
	bool has_sender;
	enum peer_source source;
	int64_t seen_ms;
};

struct entry {
	struct peer shown;
	struct stranger stranger; // in its lists as long as the peer is not known
	size_t candidate_count;
	struct candidate *candidates[PEER_CANDIDATES]; // the oldest first
};

struct entry *entry_new(const char *fingerprint);
void entry_free(struct entry *e);

// One more record. *wants_proof is set as in struct peer_outcome.
enum peer_verdict entry_take(struct entry *e, const struct candidate *c, bool *wants_proof);
// As peer_table_proven and peer_table_disproven.
enum peer_verdict entry_prove(struct entry *e, const uint8_t key[PEER_KEY_LEN], int64_t since_ms,
			      int64_t now_ms, bool *wants_proof);
void entry_disprove(struct entry *e, const uint8_t key[PEER_KEY_LEN],
		    const struct hash *certification);
void entry_pin(struct entry *e, bool pinned);
// Drops the candidates that have expired.
void entry_expire(struct entry *e, int64_t now_ms);
// Nothing keeps it: a stranger without a live record.
bool entry_is_dead(const struct entry *e, int64_t now_ms);

#endif
