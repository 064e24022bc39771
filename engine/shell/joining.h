// SPDX-License-Identifier: GPL-3.0-or-later
// The candidate's side of an admission (discussion/joining.h): an invitation is shown as a discussion in the state requested; who accepts
// it is in the state opening until a roster names it, and takes the chain from the members' links then.
#ifndef SOTTO_SHELL_JOINING_H
#define SOTTO_SHELL_JOINING_H

#include <jansson.h>

#include "net/link.h"
#include "shell/conversation.h"

#define JOINING_AT_ONCE_MAX 20 // invitations that were not brought to an end

struct candidacy;

// A record "invite" or "decline" on the link of a discussion of two with `sponsor`. ERR_BAD_INPUT: malformed.
MUST_CHECK enum err joining_invited(struct engine *e, const char *sponsor, struct span record, struct err_info *info);
MUST_CHECK enum err joining_withdrawn(struct engine *e, const char *sponsor, struct span record, struct err_info *info);
// That peer can be spoken to again.
void joining_sponsor_up(struct engine *e, const char *sponsor);

// Whether d began with an invitation, and has not come further.
bool joining_is(const struct discussion *d);
// discussions.accept, refuse and close of such a one. A key of its own comes later, if none is at hand.
MUST_CHECK enum err joining_accept(struct discussion *d, struct err_info *info);
MUST_CHECK enum err joining_refuse(struct discussion *d, const char *reason, struct err_info *info);

// An accepted link whose first frame is this "link" record: taken where it is for a discussion that this person is joining.
bool joining_answer(struct engine *e, struct link *link, const struct addr *source, bool known, struct span l1);

// From the store; nothing where d is none. And its end, without a word: the core stops or is locked.
void joining_wake(struct discussion *d);
void joining_sleep(struct discussion *d);
void joining_view(const struct discussion *d, json_t *view); // what discussions.show says more: sponsor, members, charter

#endif
