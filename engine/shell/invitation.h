// SPDX-License-Identifier: GPL-3.0-or-later
// A sponsor brings a candidate into a discussion (§5, 1): INVITE, JOIN and DECLINE are plain CHANGE frames on the link of a
// two-person discussion of both, which proves who says them. INVITE is said again whenever such a link comes up, until it is answered.
#ifndef SOTTO_SHELL_INVITATION_H
#define SOTTO_SHELL_INVITATION_H

#include "shell/conversation.h"
#include "store/epochs.h"
#include "wire/op.h"

struct certificate_info;
struct join_record;
struct invitation;

// Those of this sponsor that go on: each is a row of proposals.h that is open, and has a candidate.
struct invitations {
	struct invitation *first;
	bool loaded;
};

// proposals.create{admit} into d: makes the row (proposals_invite) and says INVITE where there is a link. ERR_WRONG_STATE: no open
// discussion of two with that peer; BAD_PARAMS: a member already, or this person, or invited already.
MUST_CHECK enum err invitation_begin(struct discussion *d, const char *candidate, char proposal[33], struct err_info *info);
// d is in another epoch: what is under way is said anew, or has come to its end.
void invitations_epoch_changed(struct discussion *d);
// The proposal with that id has ended otherwise than by an epoch that names the candidate, who is told so. Nothing for other ones.
void invitation_ended(struct engine *e, const char *proposal);
// A CHANGE frame "invite", "join" or "decline" from that member, on c's line. False: malformed, the line is to be dropped.
bool invitation_frame(struct conversation *c, size_t member, const char *type, struct span record);
// A line of a discussion of two has come up.
void invitation_line_up(struct conversation *c, size_t member);
// To that peer, on the link of whatever discussion of two there is. False: there is none.
bool invitation_say(struct engine *e, const char *peer, struct bytes *record);

void invitations_load(struct engine *e); // once the store can be read: nothing where that was done
void invitations_fini(struct engine *e); // also when it is locked: the checks under way are cancelled

// admission_check.c --------------------------------------------------------------------------------------------------------

// What an ADMIT's JOIN says of the newcomer, as every member keeps it: position is left alone, verified is ours. ERR_BAD_INPUT where
// it does not fit the op; nothing is verified here.
MUST_CHECK enum err admission_member(struct engine *e, const struct op *op, struct store_member *out, struct err_info *info);
// Of an op that holds: the candidate is a peer from now on, with a name and where to dial it. `from`: who has told of it.
void admission_introduce(struct engine *e, const struct op *op, const struct addr *from);
// The JOIN's certificates are those that the op names. *discussion is what was found.
MUST_CHECK enum err admission_certificates(const struct op *op, const struct join_record *join,
					   struct certificate_info *discussion, struct err_info *info);
// And whether it holds: discussion, H_e and H(charter) are d's, the envelope is signed by the discussion certificate in it, the binding by
// the general certificate. `done` comes once, never before this returns.
struct admission_check;
typedef void admission_done(void *arg, enum err code, const struct err_info *info);
MUST_CHECK enum err admission_check_start(struct discussion *d, const struct op *op, admission_done *done, void *arg,
					  struct admission_check **out, struct err_info *info);
void admission_check_cancel(struct admission_check *a); // done does not come

#endif
