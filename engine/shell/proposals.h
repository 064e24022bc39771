// SPDX-License-Identifier: GPL-3.0-or-later
// Proposals as people and policies see them: rows in the store, kept in step with the epoch machine, events proposal.*, and the
// methods of the noun.
#ifndef SOTTO_SHELL_PROPOSALS_H
#define SOTTO_SHELL_PROPOSALS_H

#include <jansson.h>

#include "discussion/epoch.h"
#include "shell/conversation.h"
#include "store/proposals.h"
#include "wire/op.h"

// The machine tells of an op, or asks about one: its row is made where there is none, and written; then events, proposal.opened
// first, for whoever answers for this person.
void proposals_told(struct conversation *c, const struct hash *op);

// Inside the transaction that ends the current epoch: the row of the op that was decided is committed; other open ones are void, but for
// admissions of this sponsor, which go on with the next JOIN (invitation.h). Events come with proposals_tell_ended, once the discussion
// is in the next epoch; own ones that were void are proposed again.
MUST_CHECK enum err proposals_end(struct discussion *d, struct bytes *op, struct err_info *info);
void proposals_tell_ended(struct discussion *d, uint32_t epoch);

// By this person, now: the op's row is in *out, the caller's. ERR_WRONG_STATE: it is proposed already; what the machine rejects.
MUST_CHECK enum err proposals_make(struct discussion *d, const struct op *op, struct store_proposal *out, struct err_info *info);

// Of a sponsor's invitation: a row of kind "admit" without an op. `id` is made here, and stays through all epochs.
MUST_CHECK enum err proposals_invite(struct discussion *d, const char *candidate, char id[33], struct err_info *info);
// The candidate has joined: the op is proposed in the current epoch, under that id.
MUST_CHECK enum err proposals_admit(struct discussion *d, const char *id, struct bytes *op, struct err_info *info);
// It comes to nothing: "refused" (declined) or "void"; what is said goes to the person as the candidate's answer.
void proposals_close(struct discussion *d, const char *id, const char *state, const char *reason);

struct proposal_list {
	size_t count, room;
	struct store_proposal *rows; // oldest first
};
// discussion NULL: of all. *out is to be ended after a failure, too.
MUST_CHECK enum err proposals_read(struct engine *e, const char *discussion, struct proposal_list *out, struct err_info *info);
void proposal_list_fini(struct proposal_list *l);
json_t *proposal_view(struct engine *e, const struct store_proposal *p);

#endif
