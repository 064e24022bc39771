// SPDX-License-Identifier: GPL-3.0-or-later
// A link between two members of a discussion (P2.12, L1 to L4), as a pure machine of either side; n
// members, one machine a link. Who has closed (its discussion key is destroyed) says so on such a
// link: its sealed payloads, CLOSE last, go where its signature would go (P3.8). Where the
// discussion has ended with nothing left to tell, the answer is one step long: what is there of the
// other's, and that it is over.
//
// Use as handshake.h: member_link_new; START at the side that dials, at the side that answers the
// frame with L1 at once; then every frame, result and deadline. Actions are carried out in order,
// then member_link_actions_fini. Results may come in any order, and from inside the carrying out.
// As the last action of all either LINKED comes, and the link goes on under its keys without the
// machine; or ENDED, with CLOSE_LINK before it. From then on the deadline is void, every event is
// ignored, and the machine may be freed.
//
// Which discussion an L1 is for is not in it: who answers tries what it holds with
// member_link_match.
#ifndef SOTTO_DISCUSSION_MEMBER_LINK_H
#define SOTTO_DISCUSSION_MEMBER_LINK_H

#include "base/random.h"
#include "discussion/roster.h"
#include "wire/link.h"

#define MEMBER_LINK_IDLE_MS 30000
#define MEMBER_LINK_FAREWELL_MAX 4096 // sealed payloads of a side that has closed, on one link

enum member_link_side { MEMBER_LINK_DIALS, MEMBER_LINK_ANSWERS };

// Everything is copied.
struct member_link_config {
	enum member_link_side side;
	const struct random *random; // borrowed for the machine's life
	struct hash first;           // H_0
	const struct roster_record *roster; // R_e; need not hold both: who joined or left is in another one
	struct hash roster_hash; // H_e
	char own[41], other[41]; // general fingerprints of two members
	char other_key[41]; // primary fingerprint of other's discussion key: who must have signed
	bool closed;        // this side has closed, and has its farewell to deliver
	struct span rekeys; // the own newest certificate, where it is not the roster's (P4.2); else empty
	// Side ANSWERS: the discussion has ended here, by whoever's hand, and there is no farewell
	// to deliver (any more).
	bool ended;
	// Either of both: the last payload of the other's chain in the store, in R_e's epoch; 0:
	// none. The other's farewell is acknowledged so far.
	uint64_t held;
	int64_t idle_ms;             // 0: MEMBER_LINK_IDLE_MS
};

enum member_link_event_type {
	MEMBER_LINK_EVENT_START,      // side DIALS: the link is up
	MEMBER_LINK_EVENT_FRAME,      // .frame
	MEMBER_LINK_EVENT_UNREADABLE, // a frame that does not open under the link's keys
	MEMBER_LINK_EVENT_LINK_ENDED,
	MEMBER_LINK_EVENT_DEADLINE,
	MEMBER_LINK_EVENT_SIGNED,   // .result, bytes: the detached signature
	MEMBER_LINK_EVENT_VERIFIED, // .result
	MEMBER_LINK_EVENT_SEEN,     // .seen: own state
	// Hearing a farewell: an ack record that the usual way made for what was delivered. It goes
	// out as it is.
	MEMBER_LINK_EVENT_ACK, // .ack
	// Saying farewell: the other's acks cover everything, or there was nothing to say.
	MEMBER_LINK_EVENT_FAREWELL_DONE,
};

struct member_link_event {
	enum member_link_event_type type;
	union {
		struct {
			uint8_t kind;
			struct span payload;
			bool encrypted; // it came under the link's keys
		} frame;
		struct {
			enum err code;
			struct span bytes;
		} result;
		struct {
			// One row for each member of the roster, in its order: how far its chain is
			// in the store; of oneself, the last payload built. None where this side
			// joins. Presence: own; may be none
			const struct seen_record *record;
		} seen;
		struct {
			struct span record;
		} ack;
	};
};

enum member_link_end {
	MEMBER_LINK_END_LOST,        // the link ended or was idle: dial again later
	MEMBER_LINK_END_FAILED,      // a check did not hold
	MEMBER_LINK_END_ROLLED_BACK, // the other holds later payloads of mine than I do (P5.9)
	MEMBER_LINK_END_TOLD,        // own farewell is acknowledged
	MEMBER_LINK_END_HEARD,       // the other's farewell was delivered and the link ended
	MEMBER_LINK_END_BOTH_CLOSED, // ended on both sides: neither can open a farewell, or need to
};

enum member_link_action_type {
	MEMBER_LINK_SEND,       // .send
	MEMBER_LINK_SET_CIPHER, // .cipher
	MEMBER_LINK_DEADLINE,   // .deadline
	MEMBER_LINK_CLOSE_LINK, // what was sent before is still written out
	MEMBER_LINK_SIGN,       // .sign: detached, with the discussion key. Result SIGNED
	// .verify: detached, by exactly that primary key. Result VERIFIED. Also where this side has
	// closed: it keeps the members' certificates until its farewell is told
	MEMBER_LINK_VERIFY,
	MEMBER_LINK_WANT_SEEN, // result SEEN, from what is committed now
	// .frame: the other side has closed or left; take this payload of a frame SEALED or CHANGE as
	// on a link with it. What the usual way acknowledges comes back as ACK
	MEMBER_LINK_DELIVER,
	// This side has closed or left: send each sealed payload that waits for the other, oldest
	// first, as frames SEALED under the link's keys, and the own LEAVE as a frame CHANGE
	MEMBER_LINK_SEND_FAREWELL,
	MEMBER_LINK_ACKED,  // .frame: an ack record for the own farewell
	MEMBER_LINK_LINKED, // .linked
	MEMBER_LINK_ENDED,  // .ended
};

struct member_link_action {
	enum member_link_action_type type;
	union {
		struct {
			uint8_t kind;
			bool encrypted;
			struct bytes *payload;
		} send;
		struct {
			uint8_t tx[32], rx[32];
		} cipher;
		struct {
			int64_t ms;
		} deadline;
		struct {
			struct bytes *body; // complete signature input (P0.2)
		} sign;
		struct {
			char signer[41]; // primary fingerprint of the discussion key
			struct bytes *body, *signature;
		} verify;
		struct {
			uint8_t kind; // DELIVER
			struct bytes *payload;
		} frame;
		struct {
			// What the other has: one row for each member, in roster order, where it
			// is in R_e's epoch too; of its own roster where it is in another one; no
			// row where it joins. Its presence record, if any, is of .other and signed
			// by its presence key. Owned
			struct seen_record *seen;
			uint32_t epoch; // the other's
			// What the other says of its newest key: not looked into, and signed as its proof
			// is. NULL: nothing
			struct bytes *rekeys;
		} linked;
		struct {
			enum member_link_end end;
			const char *detail;   // static, for counters and specs
			uint64_t sequence;    // ROLLED_BACK: what the other has of mine
		} ended;
	};
};

#define MEMBER_LINK_ACTIONS_MAX 16
struct member_link_actions {
	size_t count;
	struct member_link_action list[MEMBER_LINK_ACTIONS_MAX];
};
void member_link_actions_init(struct member_link_actions *a);
void member_link_actions_fini(struct member_link_actions *a); // also empties it for the next step

struct member_link;

struct member_link *member_link_new(const struct member_link_config *config);
void member_link_free(struct member_link *m); // NULL is allowed; wipes
// Appends to an empty list.
void member_link_step(struct member_link *m, const struct member_link_event *event,
		      struct member_link_actions *out);
bool member_link_is_over(const struct member_link *m);

// Whether an L1 payload is for the discussion with this H_0 and addressed to `own`; *who is then
// the position in the roster of the member it says it comes from. Costs one keyed hash a member.
bool member_link_match(struct span l1, const struct hash *first, const struct roster_record *roster,
		       const char *own, size_t *who);

// Of two links between the same two members the one dialled by the lower fingerprint stays: whether
// the link that `own` dialled (or else the one that `other` did) is it.
bool member_link_stays(const char *own, const char *other, bool own_dialled);

#endif
