// SPDX-License-Identifier: GPL-3.0-or-later
// Proposals as people see them, those that have ended too: rows beside what the members sign (statements.h). What was said is sealed
// with the discussion's data key.
#ifndef SOTTO_STORE_PROPOSALS_H
#define SOTTO_STORE_PROPOSALS_H

#include "store/store.h"

#define STORE_OP_MAX (64 * 1024)
#define STORE_ANSWERS_MAX (256 * 1024)
#define STORE_PROPOSALS_MAX 1000 // that have ended, of a discussion; older ones go

struct store_proposal {
	char id[33];
	char discussion[33];
	uint32_t epoch;     // in which it was last proposed
	char kind[12];      // as op_kind_name
	char candidate[41]; // of an admission, before there is an op too; else ""
	char proposer[41];
	char state[12]; // "open", "committed", "refused", "void"
	int64_t created;
	int64_t ended; // 0: open
	bool has_name;
	struct hash name;      // H(op), once there is one
	struct bytes *op;      // its bytes; NULL: the candidate has not joined yet
	struct bytes *answers; // JSON array of the API; NULL: none
};
void store_proposal_fini(struct store_proposal *p);
typedef bool store_proposal_visit(void *arg, const struct store_proposal *proposal);

// Inserts it, or writes every field of the one with that id but discussion and created. ERR_LOCKED.
MUST_CHECK enum err store_proposal_put(struct store *s, const struct store_proposal *proposal,
				       struct err_info *info);
// It was none: nobody has been told of it.
MUST_CHECK enum err store_proposal_drop(struct store *s, const char *id, struct err_info *info);
MUST_CHECK enum err store_proposal_get(struct store *s, const char *id, struct store_proposal *out,
				       struct err_info *info);
// Oldest first. discussion NULL: of all of them. ERR_LOCKED.
MUST_CHECK enum err store_proposal_each(struct store *s, const char *discussion,
					store_proposal_visit *each, void *arg,
					struct err_info *info);

#endif
