// SPDX-License-Identifier: GPL-3.0-or-later
// Carries out what the epoch machine asks for (discussion/epoch.h): one for each conversation. Statements to and from the members'
// links are statements.c's, the end of an epoch is succession.c's, what people see of it proposals.c's.
//
// For two people who only talk this costs a query when the conversation begins, and nothing after that.
#ifndef SOTTO_SHELL_CHANGE_H
#define SOTTO_SHELL_CHANGE_H

#include "discussion/epoch.h"
#include "shell/conversation.h"

struct change;

// From what the store holds of this epoch. Own statements that were decided and are not signed yet are signed first: until then the
// machine takes nothing.
MUST_CHECK enum err change_open(struct conversation *c, struct err_info *info);
void change_start(struct conversation *c);
void change_fini(struct conversation *c); // nothing where there is none
void change_recover(struct conversation *c); // store or key can be used again

// A line is in this epoch on both sides: that member gets all statements that are here.
void change_line_up(struct conversation *c, size_t member);
// A frame of kind CHANGE on the line of that member, whatever it holds: a statement, or what joins and invites.
void change_frame(struct conversation *c, size_t member, struct span record);

// This person's, or a policy's. What the machine rejects is the error; OK: it is decided, and on its way to the disk. The row in
// proposals.h is the caller's.
MUST_CHECK enum err change_propose(struct conversation *c, struct bytes *op, struct err_info *info);
MUST_CHECK enum err change_answer(struct conversation *c, const struct hash *op, bool consents, bool by_policy,
				  const char *reason, struct err_info *info);
// discussions.leave, of three and more: takes the call, and answers it once the LEAVE is on disk and signed.
MUST_CHECK enum err change_leave(struct conversation *c, struct call *call);

// Whether nothing of this epoch is built any more (§5, 4): what is submitted is held.
bool change_is_frozen(const struct conversation *c);
// sending.c, after sending_freeze: every payload that was built is sealed and on disk, or there is none. Once.
void change_quiet(struct conversation *c);
struct epoch *change_machine(const struct conversation *c); // borrowed; NULL before change_open

#endif
