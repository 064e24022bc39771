// SPDX-License-Identifier: GPL-3.0-or-later
// Held messages (P5.3): what was written while the members changed, and own ones beyond the cut, wait until their author agrees to the
// new audience.
#ifndef SOTTO_SHELL_HOLDING_H
#define SOTTO_SHELL_HOLDING_H

#include "shell/conversation.h"
#include "wire/roster.h"
#include "wire/statement.h"

// Inside the transaction that ends an epoch: own messages beyond the cut lose their place, and are held with those that wait
// ("queued"), where `next` has a member whom the roster of that epoch had not; else they stay queued.
MUST_CHECK enum err holding_cut(struct discussion *d, uint32_t epoch, const struct statement_heads *cut,
				const struct roster_record *next, struct err_info *info);
// After the commit, in the new epoch: message.held, message.void.
void holding_tell(struct discussion *d, uint32_t epoch);

#endif
