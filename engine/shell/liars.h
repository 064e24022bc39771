// SPDX-License-Identifier: GPL-3.0-or-later
// Members who are proven to have lied (P5.7). While one of them is a member the discussion is frozen for sending, whoever else comes or
// goes; the proofs are on disk, so a restart changes nothing.
#ifndef SOTTO_SHELL_LIARS_H
#define SOTTO_SHELL_LIARS_H

#include "shell/discussion.h"

// Whether who was that member of some epoch is one now. Who was removed, and is admitted again, has another key: the members, who all
// said yes to that, have forgiven it.
bool liars_is_member(const struct discussion *d, const struct roster_record_member *m);
// The conversation of an epoch begins, with what the machine of this epoch has been told so far: freezes the discussion where a member
// is proven to lie, and thaws it where none is any more.
void liars_settle(struct discussion *d);

#endif
