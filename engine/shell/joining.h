// SPDX-License-Identifier: GPL-3.0-or-later
// The candidate's side of an admission: an invitation shown as a discussion in the state requested, the JOIN, and the chain from the
// first epoch to the roster that names this person.
#ifndef SOTTO_SHELL_JOINING_H
#define SOTTO_SHELL_JOINING_H

#include "shell/conversation.h"

// A CHANGE frame of the chain ("founding", or a statement) on a link to a member of the discussion that this person is joining.
void joining_frame(struct discussion *d, size_t member, const char *type, struct span record);
// discussions.accept and refuse of an invitation; false from joining_is: d is none.
bool joining_is(const struct discussion *d);
MUST_CHECK enum err joining_accept(struct discussion *d, struct err_info *info);
MUST_CHECK enum err joining_refuse(struct discussion *d, const char *reason, struct err_info *info);

#endif
