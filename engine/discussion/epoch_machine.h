// SPDX-License-Identifier: GPL-3.0-or-later
// The inside of the epoch machine, shared by its files.
#ifndef SOTTO_DISCUSSION_EPOCH_MACHINE_H
#define SOTTO_DISCUSSION_EPOCH_MACHINE_H

#include "discussion/epoch.h"

// A statement with its signature. Shared: an ORDER's lock outlives what pushes it out.
struct held {
	unsigned refs;
	struct hash name;
	size_t author;
	struct statement s;
	struct bytes *envelope;
	struct hash value; // ORDER: statement_value of it
	bool spare;        // PROPOSE: beyond what its author may make
};

struct held_list {
	size_t count, room;
	struct held **list; // in order of arrival
};

// What is kept of one member.
struct epoch_member {
	struct held_list kinds[STATEMENT_TYPE_COUNT];
	bool equivocates; // and that was told
};

struct epoch_op {
	struct hash name;
	struct op op;
	struct bytes *bytes;
	struct roster_record next; // R_{e+1} by it
	struct bytes *next_bytes;
	enum epoch_op_state state; // as told
	bool asked;
	bool answered; // by this side, also where that is not on disk yet
};

// An own statement on its way to the disk.
struct own_statement {
	enum statement_type type;
	struct bytes *body;
	size_t keep_count;
	struct bytes **keep; // envelopes
};

struct epoch_lock {
	struct held *order; // NULL: none
	uint32_t round;
	size_t vote_count;
	struct held *votes[ROSTER_MAX];
};

enum epoch_heads_for { HEADS_FOR_NOTHING, HEADS_FOR_STATUS, HEADS_FOR_LEAVE };

struct epoch {
	size_t self; // own position; ROSTER_NOBODY: only follows
	struct roster_record roster;
	struct hash roster_hash;
	char charter[RECORD_CHARTER_SIZE];
	int64_t round_ms;
	size_t n, f, q;
	struct epoch_member *members;
	struct epoch_op *ops;
	size_t op_count, op_room;

	bool started, over;
	bool begun;       // the first STATUS, or LEAVE, was asked for: frozen
	bool leaving;     // LEAVE is decided
	bool gave_status; // then:
	uint32_t round;   // p of the last own STATUS
	bool timed;       // its time runs: q are in it
	bool voted, committed, ordered; // then: the round of the last one
	uint32_t voted_round, committed_round, ordered_round;
	struct epoch_lock lock;
	enum epoch_heads_for heads_for;
	uint32_t heads_round; // the round that STATUS is wanted for

	// Own statements on their way to the disk, the first of them under way
	size_t own_count;
	struct own_statement own[EPOCH_OWN_MAX];
	bool signing, retry_is_set;
	int64_t retry_ms;
	struct epoch_actions *out; // during a step
};

// --- epoch_actions.c --------------------------------------------------------------------------------------------------------

struct epoch_action *epoch_act(struct epoch *e, enum epoch_action_type type);
void epoch_reject(struct epoch *e, uint64_t ticket, enum err code, const char *why);

// --- epoch_held.c: what is kept ---------------------------------------------------------------------------------------------

struct held *held_ref(struct held *h);
void held_unref(struct held *h);
// From an envelope; NULL, and *info, where it is none of this epoch.
struct held *epoch_held_new(const struct epoch *e, struct bytes *envelope, struct err_info *info);
// Takes it in (its own reference): false where there is no room, or it is there. What contradicts it is told.
bool epoch_held_add(struct epoch *e, struct held *h, struct err_info *info);
struct held *epoch_held_find(const struct epoch *e, const struct hash *name); // borrowed; NULL
// Those of one author and kind.
static inline const struct held_list *epoch_held_of(const struct epoch *e, size_t author, enum statement_type type)
{
	return &e->members[author].kinds[type];
}
// The ballot of that author, kind, round and value; NULL.
struct held *epoch_held_ballot(const struct epoch *e, size_t author, enum statement_type type, uint32_t round,
			       const struct hash *value);
// An ORDER for that value; NULL. Of any round.
struct held *epoch_held_order(const struct epoch *e, const struct hash *value);
void epoch_held_clear(struct epoch *e);
// Before another PROPOSE of that author: whether it would be a spare one. Then the last of them goes, unless it is complete.
bool epoch_held_spare(struct epoch *e, size_t author);
// Sends all that is kept.
void epoch_held_send(struct epoch *e, size_t member);

// --- epoch_ops.c: ops and their consents ------------------------------------------------------------------------------------

// The op of a PROPOSE, made where it is new; NULL, and *info, where it cannot be in this epoch.
struct epoch_op *epoch_op_take(struct epoch *e, struct bytes *bytes, struct err_info *info);
struct epoch_op *epoch_op_find(const struct epoch *e, const struct hash *name); // NULL
void epoch_op_forget(struct epoch *e, struct epoch_op *op);
// Whether a member proposes it within its bounds; only then somebody is asked.
bool epoch_op_counts(const struct epoch *e, const struct epoch_op *op);
void epoch_ops_clear(struct epoch *e);
struct held *epoch_op_proposal(const struct epoch *e, const struct epoch_op *op, size_t member); // by that member; NULL
// A consent, or a refusal, by that member; NULL.
struct held *epoch_op_said(const struct epoch *e, const struct epoch_op *op, size_t member, bool consents);
bool epoch_op_asks(const struct epoch *e, const struct epoch_op *op, size_t member);
size_t epoch_op_required(const struct epoch *e, const struct epoch_op *op);
bool epoch_op_complete(const struct epoch *e, const struct epoch_op *op);
// Looks at all of them, and tells what is new.
void epoch_ops_judge(struct epoch *e);
// What a leader that is free puts in order: NULL where there is nothing.
struct epoch_op *epoch_op_choose(struct epoch *e);
// DEPART of everybody whose LEAVE is here, for a leader to propose; NULL where there is none, or it is an op already.
struct bytes *epoch_op_departs(const struct epoch *e);
bool epoch_someone_leaves(const struct epoch *e);

// --- epoch_own.c: own statements --------------------------------------------------------------------------------------------

// Puts it behind the others; what it says is decided from here on. s is complete but for roster and author.
void epoch_own_say(struct epoch *e, struct statement *s);
void epoch_own_next(struct epoch *e);
// The last STATUS once more, to everyone, with what made this side begin.
void epoch_own_repeat(struct epoch *e);
void epoch_own_signed(struct epoch *e, const struct epoch_event *event);
void epoch_own_restore(struct epoch *e, struct held *h);
void epoch_own_clear(struct epoch *e);

// --- epoch_check.c: an ORDER ------------------------------------------------------------------------------------------------

enum order_check { ORDER_GOOD, ORDER_MISSES, ORDER_BAD };
// Whether it may be voted for. MISSES: something that it names is not here yet.
enum order_check epoch_order_check(const struct epoch *e, const struct held *order);
size_t epoch_leader(const struct epoch *e, uint32_t round);
// The cut of these: of each member its own state, else the highest seen (§5, 5). `list` has room for all.
void epoch_cut(const struct epoch *e, struct held *const *states, size_t count, struct statement_head *list);
// Whether an ORDER and q VOTEs for that lock are here.
bool epoch_lock_proven(const struct epoch *e, const struct statement_lock *lock);
size_t epoch_ballots(const struct epoch *e, enum statement_type type, uint32_t round, const struct hash *value,
		     struct held *out[ROSTER_MAX]);

// --- epoch_order.c: rounds --------------------------------------------------------------------------------------------------

// Whatever can be done now.
void epoch_progress(struct epoch *e);
void epoch_want_status(struct epoch *e, uint32_t round);
// A state of that member which a leader of that round can use; NULL.
struct held *epoch_usable_state(const struct epoch *e, size_t member, uint32_t round);
void epoch_heads(struct epoch *e, const struct statement_heads *heads);
void epoch_deadline(struct epoch *e);
void epoch_lock_set(struct epoch *e, struct held *order, uint32_t round); // by the votes of that round that are here
void epoch_lock_clear(struct epoch *e);

#endif
