// SPDX-License-Identifier: GPL-3.0-or-later
// What a member signs about a change of the roster (§5, 2–6). A statement travels as an envelope of its type (wire/signed.h);
// this is the envelope's body, and the statement's name is H of these bytes. Others are referred to by name, so each
// travels, and is checked, once.
#ifndef SOTTO_WIRE_STATEMENT_H
#define SOTTO_WIRE_STATEMENT_H

#include "wire/op.h"

#define STATEMENT_MAX (128 * 1024) // bytes of a body
#define STATEMENT_REASON_MAX 256  // bytes of UTF-8
#define STATEMENT_ROUND_MAX UINT32_MAX

enum statement_type {
	STATEMENT_PROPOSE, // .op; and its author's consent to it
	STATEMENT_ANSWER,  // .answer
	STATEMENT_LEAVE,   // .state: a STATUS for every round, and never a vote
	STATEMENT_STATUS,  // .state
	STATEMENT_ORDER,   // .order
	STATEMENT_VOTE,    // .ballot
	STATEMENT_COMMIT,  // .ballot
	STATEMENT_TYPE_COUNT
};
const char *statement_type_name(enum statement_type type); // on the wire
bool statement_type_parse(const char *name, enum statement_type *out);

// How far a member's chain of payloads reaches.
struct statement_head {
	uint64_t sequence; // 0: none in this epoch, and the hash is zero
	struct hash hash;
};

// The value of the highest round in which its author sent COMMIT.
struct statement_lock {
	bool is;
	uint32_t round;
	struct hash value;
};

// Names of other statements: 0 to RECORD_MEMBERS_MAX.
struct statement_names {
	size_t count;
	struct hash *list;
};

// One for each member of the roster, in its order.
struct statement_heads {
	size_t count;
	struct statement_head *list;
};

// For encoding everything is borrowed; a decoded one owns what it points to (statement_fini).
struct statement {
	enum statement_type type;
	struct hash roster;            // H_e
	char author[FINGERPRINT_SIZE]; // who signs it
	union {
		struct bytes *op; // bytes of an op record
		struct {
			struct hash op; // H of its bytes
			bool consents;
			bool by_policy;
			char reason[STATEMENT_REASON_MAX + 1];
		} answer;
		struct {
			uint32_t round; // LEAVE: 0
			struct statement_heads heads; // of oneself the last one committed, of others seen
			struct statement_lock lock;
		} state;
		struct {
			uint32_t round;
			struct hash op;
			struct statement_names consents; // PROPOSE, ANSWER
			struct statement_names states;   // STATUS, LEAVE; at least one
			struct statement_lock lock;      // the highest of those
			struct statement_names votes;    // its VOTEs
			struct statement_heads cut;
			struct bytes *next; // R_{e+1}, 1 to ROSTER_RECORD_MAX bytes
		} order;
		struct {
			uint32_t round;
			struct hash value; // statement_value
		} ballot;
	};
};

// Appends to out.
MUST_CHECK enum err statement_encode(const struct statement *s, struct buf *out, struct err_info *info);
MUST_CHECK enum err statement_decode(struct statement *s, struct span text, struct err_info *info);
void statement_fini(struct statement *s);

// What VOTE and COMMIT are about: H(lv_cat("sotto/1 value", H(op), cut, R_{e+1})), where the cut is sequence (8 bytes, big-endian) ‖
// hash for each member in roster order.
struct hash statement_value(const struct hash *op, const struct statement_heads *cut, struct span next);

#endif
