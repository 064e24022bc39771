// SPDX-License-Identifier: GPL-3.0-or-later
// The neighbours' table: who is there, one entry per general fingerprint. It is fed with presence
// records whose Ed25519 signature was verified, and decides what they may change (P1.1, P1.7,
// P1.8). Pure: time is an argument (wall clock, ms since 1970).
//
// An entry is proven once the certification of its presence key by the general key was checked
// (prove.h). Records of a key that is not proven are kept beside, up to PEER_CANDIDATES per
// fingerprint, and never change a proven entry; where nothing is proven the entry shows the oldest
// live one of them. A known peer is one that we probed, opened, accepted, pinned or share a
// discussion with (the shell says so); all others are strangers, bound by the caps, gone when their
// record expires, and evicted first: unproven before proven, the longest unseen first. Known
// entries stay until forgotten.
#ifndef SOTTO_PEERS_TABLE_H
#define SOTTO_PEERS_TABLE_H

#include "base/hash.h"
#include "peers/endpoint.h"

#define PEER_FINGERPRINT_SIZE 41 // 40 upper-case hex digits and a NUL
#define PEER_NAME_SIZE 33        // at most 32 bytes of UTF-8 and a NUL
#define PEER_KEY_LEN 32
#define PEER_ENDPOINTS_MAX 4 // in a record
#define PEER_CANDIDATES 3    // unproven keys kept per fingerprint

enum peer_source {
	PEER_LAN,
	PEER_FILE,
	PEER_EXCHANGE,
	PEER_RENDEZVOUS,
	PEER_DHT,
	PEER_MANUAL,
	PEER_SOURCE_COUNT
};

const char *peer_source_name(enum peer_source source); // "lan" …; static
MUST_CHECK enum err peer_source_parse(const char *name, enum peer_source *out);

// What a presence record says. The caller has checked its signature by `key`, and its form.
struct peer_record {
	char fingerprint[PEER_FINGERPRINT_SIZE];
	char name[PEER_NAME_SIZE];
	uint8_t key[PEER_KEY_LEN];
	struct hash certification; // H of the certification that came with it
	int64_t since_ms;          // when the key was certified, as claimed
	uint64_t sequence;
	int64_t issued_ms, expires_ms;
	bool listed;
	size_t endpoint_count;
	struct addr endpoints[PEER_ENDPOINTS_MAX];
};

// One entry, as the API shows it and the store keeps it.
struct peer {
	char fingerprint[PEER_FINGERPRINT_SIZE];
	char name[PEER_NAME_SIZE]; // "" if never heard
	bool has_key;              // a record was seen: the fields up to `listed` are its
	uint8_t key[PEER_KEY_LEN];
	int64_t since_ms;
	uint64_t sequence;
	int64_t issued_ms, expires_ms;
	bool listed;
	bool proven; // `key` and `since_ms` are certified by the general key, checked
	bool pinned; // P2.7, `verified` in the API
	bool known;  // not a stranger (P1.8); a pinned one always is
	bool linked; // a link or handshake with it is up
	bool online; // linked, or lately heard of; as of the last call with a time
	enum peer_source source;
	int64_t last_seen_ms;           // 0: never
	struct endpoint_list addresses; // in the order of dialing
};

struct peer_table_config {
	size_t entries;    // in all (4096)
	size_t per_source; // unproven strangers per source, that is sender address and port (32)
	size_t per_host;   // unproven strangers per sender address (1024), so that no host fills it
	int64_t online_ms; // a heard peer counts as online so long (100 s: three rounds on a LAN)
	int64_t lifetime_ms; // the longest life of a record, from issue and from arrival (2 h)
};
extern const struct peer_table_config peer_table_standard;

struct peer_table;
// config: copied, NULL: peer_table_standard.
struct peer_table *peer_table_new(const struct peer_table_config *config);
void peer_table_free(struct peer_table *t); // NULL is allowed
// Our own fingerprint: records of it are PEER_SELF. Copied; NULL or "": none.
void peer_table_set_self(struct peer_table *t, const char *fingerprint);

// --- records in ----------------------------------------------------------------------------------

enum peer_verdict {
	PEER_TAKEN,    // the entry shows it now
	PEER_BESIDE,   // kept as a candidate, the entry unchanged
	PEER_REPEATED, // same key and sequence as before; at most an address was added
	PEER_OLDER,    // a lower sequence than before, or a key certified before the proven one
	PEER_EXPIRED,  // expired, or issued for longer than allowed
	PEER_FULL,     // a cap
	PEER_SELF,
	PEER_MALFORMED, // fingerprint or name not of their form
	PEER_VERDICT_COUNT
};
const char *peer_verdict_name(enum peer_verdict verdict); // for metrics; static

struct peer_outcome {
	enum peer_verdict verdict;
	bool seen;    // the entry came online: event peer.seen
	bool changed; // the entry differs by more than times and sequence: store it if known
	bool known;   // a new record of a known peer by its proven key: P1.8's caps do not bind it
	bool wants_proof; // key and since of this record are not proven: hand them to prove.h
	// The stranger that made room, "" if none; event peer.lost if it was online.
	char evicted[PEER_FINGERPRINT_SIZE];
	bool evicted_online;
};

// `from`: the sender of the datagram, or the introducer; NULL where there is none (P1.8's source).
// Where `direct`, the datagram came from the peer itself: `from` is then taken as its address too
// (TCP and UDP use one number) and `now` as last seen; otherwise last seen is the record's issue.
struct peer_outcome peer_table_feed(struct peer_table *t, const struct peer_record *record,
				    enum peer_source source, const struct addr *from, bool direct,
				    int64_t now_ms);
// The certification of (key, since) by the fingerprint's general key holds: the candidate becomes
// the entry, unless a key certified later is proven already (PEER_OLDER). PEER_REPEATED if it is
// the entry already, PEER_EXPIRED if the candidate is gone.
struct peer_outcome peer_table_proven(struct peer_table *t, const char *fingerprint,
				      const uint8_t key[PEER_KEY_LEN], int64_t since_ms,
				      int64_t now_ms);
// It does not hold: the candidate with this key and certification goes; a proven entry is never
// touched. True if the entry is gone with it; *was_online (may be NULL) then says whether peer.lost
// is due.
bool peer_table_disproven(struct peer_table *t, const char *fingerprint,
			  const uint8_t key[PEER_KEY_LEN], const struct hash *certification,
			  bool *was_online);

// Drops what has expired, and brings `online` up to date. `lost` (may be NULL) comes for each entry
// that went offline, with the entry borrowed for the call; it must not call the table. Call it
// about once a second.
void peer_table_sweep(struct peer_table *t, int64_t now_ms,
		      void (*lost)(void *arg, const struct peer *p), void *arg);

// --- what the shell knows ------------------------------------------------------------------------

// Marks the peer as known (making an empty entry if there is none). ERR_TOO_LARGE: the table is
// full of known ones; ERR_BAD_PARAMS: not a fingerprint. A stranger may be evicted for it without a
// word.
MUST_CHECK enum err peer_table_know(struct peer_table *t, const char *fingerprint,
				    enum peer_source source);
// P2.7; pinning makes known, and hides what is not proven. Errors as above.
MUST_CHECK enum err peer_table_pin(struct peer_table *t, const char *fingerprint, bool pinned);
// A link is up, or the last one is gone. Unknown fingerprints are ignored. Returns true if online
// changed.
bool peer_table_linked(struct peer_table *t, const char *fingerprint, bool linked, int64_t now_ms);
// An address worked (a link, an answer to our probe), or a dial failed. True if the addresses
// changed.
bool peer_table_confirm(struct peer_table *t, const char *fingerprint, const struct addr *e,
			int64_t now_ms);
bool peer_table_fail(struct peer_table *t, const char *fingerprint, const struct addr *e);
// Removes the entry with all candidates, known or not. ERR_NOT_FOUND.
MUST_CHECK enum err peer_table_forget(struct peer_table *t, const char *fingerprint);

// --- reading -------------------------------------------------------------------------------------

// Entries in order of fingerprint. Borrowed until the table's next change.
size_t peer_table_count(const struct peer_table *t);
const struct peer *peer_table_at(const struct peer_table *t, size_t i);
// Full and upper case; NULL: not there.
const struct peer *peer_table_get(const struct peer_table *t, const char *fingerprint);
// P1.9, see find.h: ERR_NOT_FOUND, ERR_AMBIGUOUS with the candidates listed, ERR_BAD_PARAMS.
MUST_CHECK enum err peer_table_find(const struct peer_table *t, const char *text,
				    const struct peer **out, struct err_info *info);
// Unproven candidates beside or behind the entry (0 to PEER_CANDIDATES).
size_t peer_table_candidates(const struct peer_table *t, const char *fingerprint);

// Puts a stored row back as it was (copied; `linked` and `online` are taken as false). Replaces an
// entry of that fingerprint. Only rows that are known or proven are worth keeping: ERR_BAD_PARAMS
// for others, and for malformed ones; ERR_TOO_LARGE as above.
MUST_CHECK enum err peer_table_load(struct peer_table *t, const struct peer *row);

#endif
