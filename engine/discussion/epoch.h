// SPDX-License-Identifier: GPL-3.0-or-later
// How a roster changes (§5, 1–6), as a pure machine: one for a member, discussion and epoch. Consent (people and policies,
// slow) is separate from ordering (machines, seconds): ops are proposed and answered, any number at once; when one has the
// consents that the charter asks for, the members order it in rounds of STATUS, ORDER, VOTE and COMMIT, and q COMMITs end the
// epoch.
//
// Use: epoch_new; RESTORE for each statement that is on disk, oldest first; START; then events as they come. Carry out the
// actions of a step in their order, then epoch_actions_fini. Results may be handed back while a list is carried out (with
// another list), or later; never from inside epoch_step. Members are positions in the roster. DECIDED or LEFT comes as the
// last action of all; from then on LINK_UP is all that an event can still do.
//
// With n members f = ⌊(n−1)/3⌋ of them may lie, and q = ⌊(n+f)/2⌋ + 1 decide. What holds:
//  - Own statements are on disk before they are signed, in their order, and of each kind there is one a round, one answer an op.
//  - A statement is handed in only where its signature is its author's, with that author's discussion key; an ADMIT only where
//    its JOIN holds and says the same. What is known already is dropped before that is looked at: epoch_knows.
//  - Of each member a bounded number of statements is kept: who says too much pushes out its own.
#ifndef SOTTO_DISCUSSION_EPOCH_H
#define SOTTO_DISCUSSION_EPOCH_H

#include "discussion/roster.h"
#include "wire/statement.h"

#define EPOCH_ROUND_MS 4000      // of round 0; doubles with each
#define EPOCH_ROUND_LAST_MS 64000
#define EPOCH_PROPOSALS_MAX 4    // of one member in an epoch
// Beyond those: that have the consents of others (each may have taken other ones of somebody who makes too many), and one more
#define EPOCH_SPARE_MAX 16
#define EPOCH_ANSWERS_MAX 256    // likewise
#define EPOCH_ROUNDS_KEPT 8      // statements of each kind that belong to a round, of each member
#define EPOCH_OWN_MAX 64         // own statements that wait for the disk
#define EPOCH_RETRY_FIRST_MS 100 // after a failure of disk or gpg; doubles
#define EPOCH_RETRY_LAST_MS 30000

// Everything is copied.
struct epoch_config {
	char own[FINGERPRINT_SIZE]; // "": it only follows, says nothing and learns what was decided
	const struct roster_record *roster; // R_e
	struct hash roster_hash;            // H_e
	char charter[RECORD_CHARTER_SIZE];
	int64_t round_ms; // 0: EPOCH_ROUND_MS
};

enum epoch_event_type {
	EPOCH_EVENT_RESTORE,   // .statement, before START
	EPOCH_EVENT_START,     // once
	EPOCH_EVENT_PROPOSE,   // .propose: by this person or a policy of it; REJECTED where that may not be
	EPOCH_EVENT_ANSWER,    // .answer, to an op that was ASKed; likewise
	EPOCH_EVENT_LEAVE,     // by this person
	EPOCH_EVENT_STATEMENT, // .statement: from a link
	EPOCH_EVENT_HEADS,     // .heads: result of WANT_HEADS
	EPOCH_EVENT_SIGNED,    // .result of SIGN
	EPOCH_EVENT_DEADLINE,  // the last DEADLINE has passed
	EPOCH_EVENT_LINK_UP,   // .member
	EPOCH_EVENT_RETRY,     // a RETRY_IN has passed, or store or key was unlocked
};

// What an event points to is borrowed for the call; bytes are referenced.
struct epoch_event {
	enum epoch_event_type type;
	union {
		struct {
			struct bytes *envelope;
		} statement;
		struct {
			uint64_t ticket; // comes back in REJECTED
			struct bytes *op;
		} propose;
		struct {
			uint64_t ticket;
			struct hash op;
			bool consents, by_policy;
			const char *reason; // cut after STATEMENT_REASON_MAX bytes
		} answer;
		// One for each member, in roster order: of oneself the last payload that is on disk, of others
		// what is in the store
		struct statement_heads heads;
		struct {
			enum err code;
			struct bytes *envelope;
		} result;
		size_t member;
	};
};

// What becomes of an op.
enum epoch_op_state {
	EPOCH_OP_OPEN,
	EPOCH_OP_COMPLETE, // it has its consents
	EPOCH_OP_REFUSED,  // it cannot get them any more
};

enum epoch_action_type {
	// .sign: the body, and what is to be kept with it, on disk in one transaction; then the body signed with the
	// own discussion key. Result SIGNED; after a failure it comes again.
	EPOCH_SIGN,
	EPOCH_KEEP, // .envelope: another's statement to have on disk, at leisure
	EPOCH_SEND, // .send: on that member's link, or on everyone's; who has none gets all of it at its LINK_UP
	// Nothing of this epoch is sent any more: what is submitted is held. Result HEADS.
	EPOCH_WANT_HEADS,
	// .ms: event DEADLINE after that time; replaces the last one. Where fewer than q are in the round by then it says again
	// what made it begin, and waits; its time runs from when they are.
	EPOCH_DEADLINE,
	EPOCH_RETRY_IN, // .ms: event RETRY after that time; replaces the last one
	EPOCH_ASK,      // .op: what others propose: the person, or policies, are to answer
	EPOCH_TELL,     // .op: an answer came, or its state is another
	EPOCH_REJECTED, // .rejected
	EPOCH_EQUIVOCATION, // .proof: two statements of one member that exclude each other (P5.7)
	EPOCH_DROP,         // .drop: it came from a link, and is not kept
	EPOCH_LEFT,         // LEAVE is on disk and signed: the discussion's secret key is to be destroyed
	EPOCH_DECIDED,      // .decided
};

// The end of the epoch.
struct epoch_decision {
	struct bytes *op;           // bytes of the op record
	struct statement_heads cut; // payloads beyond it are void (P5.3)
	struct bytes *next;         // R_{e+1}
	struct hash next_hash;      // H_{e+1}
	char charter[RECORD_CHARTER_SIZE]; // from now on
	// Envelopes that prove it to whoever knows R_e: PROPOSE, consents and LEAVEs, an ORDER, q COMMITs. Handed to another
	// machine of this epoch one by one, they decide it.
	size_t count;
	struct bytes **proof;
};

struct epoch_action {
	enum epoch_action_type type;
	union {
		struct {
			enum statement_type type;
			struct bytes *body;
			size_t keep_count;
			struct bytes **keep; // envelopes
		} sign;
		struct bytes *envelope;
		struct {
			size_t member; // ROSTER_NOBODY: everyone
			struct bytes *envelope;
		} send;
		int64_t ms;
		struct {
			struct hash name;    // H of its bytes
			size_t member;       // who proposed or answered; ROSTER_NOBODY: its state is another
			enum epoch_op_state state;
		} op;
		struct {
			uint64_t ticket;
			struct err_info why; // BAD_PARAMS, WRONG_STATE, BUSY, NOT_FOUND
		} rejected;
		struct {
			size_t member;
			struct bytes *first, *second; // envelopes
		} proof;
		struct {
			struct err_info why;
		} drop;
		struct epoch_decision decided;
	};
};

// Owns what its actions point to; whoever wants to keep bytes takes a reference.
struct epoch_actions {
	size_t count, room;
	struct epoch_action *list;
};
void epoch_actions_init(struct epoch_actions *a);
void epoch_actions_fini(struct epoch_actions *a); // also empties it for the next step

struct epoch;

struct epoch *epoch_new(const struct epoch_config *config);
void epoch_free(struct epoch *e); // NULL is allowed
// Appends to an empty list.
void epoch_step(struct epoch *e, const struct epoch_event *event, struct epoch_actions *out);

// Whether a statement of that name (H of its body) is kept.
bool epoch_knows(const struct epoch *e, const struct hash *name);
// Whether one that is not kept could help the epoch to its end. A ballot could not where q of its kind say the same, nor a STATUS where
// q of the round are here and no ORDER names it: more than a quarter of all that is said among many. It may still prove a lie
// (P5.7): it is worth a look when there is time.
bool epoch_needs(const struct epoch *e, const struct hash *name, const struct statement *s);
// Whether a PROPOSE by this person could be one more; ERR_BUSY. What else may be wrong with it, the event tells.
MUST_CHECK enum err epoch_may_propose(const struct epoch *e, struct err_info *info);
bool epoch_is_frozen(const struct epoch *e); // nothing of this epoch may be sent
bool epoch_is_over(const struct epoch *e);
bool epoch_equivocates(const struct epoch *e, size_t member); // that was told
uint32_t epoch_round(const struct epoch *e); // of the last own STATUS; 0 before

// How many lie at most without harm, and how many decide.
size_t epoch_f(size_t members);
size_t epoch_q(size_t members);

// Who is asked of an op: `asked`, and `answered` of them with consent or refusal; false: no such op.
struct epoch_answer {
	bool asked, answered, consents, by_policy;
	const char *reason; // borrowed until the next step
};
bool epoch_op_answer(const struct epoch *e, const struct hash *op, size_t member, struct epoch_answer *out);
enum epoch_op_state epoch_op_state(const struct epoch *e, const struct hash *op); // OPEN where there is none
size_t epoch_op_proposer(const struct epoch *e, const struct hash *op); // one who has; ROSTER_NOBODY
struct span epoch_op_bytes(const struct epoch *e, const struct hash *op); // borrowed; empty: no such op
size_t epoch_op_needs(const struct epoch *e, const struct hash *op);      // consents in all

#endif
