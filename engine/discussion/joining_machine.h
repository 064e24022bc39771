// SPDX-License-Identifier: GPL-3.0-or-later
// The inside of the joining machine, shared by its files.
#ifndef SOTTO_DISCUSSION_JOINING_MACHINE_H
#define SOTTO_DISCUSSION_JOINING_MACHINE_H

#include "discussion/joining.h"

#define JOINING_HEADS_MAX 8 // invitations that were accepted, the newest
#define JOINING_LIARS_MAX ROSTER_MAX

enum joining_import { JOINING_NOT_IMPORTED, JOINING_IMPORTING, JOINING_IMPORTED };

struct person {
	struct joining_person is;
	enum joining_import import;
};

enum work_kind {
	WORK_IMPORT,    // .index: of a person
	WORK_BINDING,   // the own one
	WORK_JOIN,      // likewise
	WORK_FOUNDER,   // a founder's binding; .index: founding_serial
	WORK_STATEMENT, // .index: serial of a piece
};
struct work {
	uint64_t ticket, index;
	enum work_kind kind;
};

// A statement of the guide's.
struct piece {
	uint64_t serial;
	struct bytes *envelope;
	struct hash name, roster;
	bool checking;
	unsigned left; // checks under way
};

struct joining_head {
	uint32_t epoch;
	struct hash hash;
};

struct joining {
	struct joining_config config;
	enum joining_phase phase;
	const struct presence_parts *presence; // of this step
	struct joining_actions *out;

	// the invitation
	struct invite_record invite;
	struct bytes *invite_bytes;
	struct roster_record roster;
	struct hash roster_hash;

	// the own side: the key of this discussion, and what was made with it
	struct bytes *certificate, *general;
	struct hash certificate_hash;
	struct bytes *binding, *join; // NULL: not yet; join: the envelope
	struct bytes *join_body;      // what is being signed
	uint64_t binding_ticket, join_ticket; // 0: not under way
	size_t head_count;
	struct joining_head heads[JOINING_HEADS_MAX];

	size_t people_count, people_room;
	struct person *people;
	size_t work_count, work_room;
	struct work *works;
	uint64_t last_ticket;

	// the chain
	char guide[FINGERPRINT_SIZE]; // "": none
	size_t liar_count;
	char liars[JOINING_LIARS_MAX][FINGERPRINT_SIZE];
	bool founding_is; // then:
	struct founding_record founding;
	struct roster_record founders;
	uint64_t founding_serial;
	size_t founders_left; // bindings that are being checked
	size_t queue_count, queue_bytes;
	struct piece *queue; // JOINING_QUEUE_MAX
	uint64_t last_serial;
	size_t epoch_count, epoch_room;
	struct joining_epoch *epochs;
	struct roster_record now; // of the last of them
	struct epoch *observer;
	size_t said;      // statements that were looked at in this epoch
	bool passed;      // the chain contains an invitation's roster
	bool named;       // and ends in one that names this core: imports may be under way
};

// --- joining_parts.c --------------------------------------------------------------------------------------------------------

struct joining_action *joining_act(struct joining *j, enum joining_action_type type);
uint64_t joining_work(struct joining *j, enum work_kind kind, uint64_t index); // its ticket
void joining_fail(struct joining *j, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Who has that certificate, made where it is new; NULL: there are too many. Borrowed until the next one is made.
struct person *joining_meet(struct joining *j, const char *fingerprint, struct bytes *certificate);
struct person *joining_find(const struct joining *j, const struct hash *certificate); // NULL
void joining_import(struct joining *j, struct person *p); // where it was not asked for yet

// --- joining_chain.c: the guide, R_0, epochs -----------------------------------------------------------------------------------

bool joining_is_liar(const struct joining *j, const char *member);
void joining_lose_guide(struct joining *j, const char *why, bool lies); // where there is none, nothing
void joining_lies(struct joining *j, const char *why);                  // likewise: the guide sent what does not hold
void joining_patience(struct joining *j);
void joining_take_founding(struct joining *j, struct bytes *record);
void joining_founder_checked(struct joining *j, uint64_t serial, enum err code);
void joining_begin_chain(struct joining *j); // once R_0's members are checked
void joining_decided(struct joining *j, const struct epoch_decision *d);
void joining_finish(struct joining *j); // if this core is named, and all others' certificates are there
void joining_chain_clear(struct joining *j);

// --- joining_statements.c -----------------------------------------------------------------------------------------------------

void joining_chain(struct joining *j, const char *member, struct bytes *record);
void joining_statement_checked(struct joining *j, uint64_t serial, enum err code);
void joining_go_on(struct joining *j); // something is done that the chain may have waited for

#endif
