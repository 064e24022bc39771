// SPDX-License-Identifier: GPL-3.0-or-later
// Messages where the members change (P5.3): own ones beyond the cut, and what was written meanwhile, are held until their author
// agrees to the new audience; those of others beyond the cut are void.
#ifndef SOTTO_SHELL_HOLDING_H
#define SOTTO_SHELL_HOLDING_H

#include "shell/conversation.h"
#include "wire/roster.h"
#include "wire/statement.h"

// Inside the transaction that ends an epoch, after sending_flush, while `d` still is in that epoch: own messages beyond the cut lose
// their place and are held. What waits ("queued") is held with them where `next` has a member whom that epoch's roster had not, and
// also where anything was beyond the cut, so that nothing overtakes it; else it stays queued: nobody is there whom its author did not
// know of.
// Others' messages beyond the cut are void; their payloads stay in the store.
MUST_CHECK enum err holding_cut(struct discussion *d, uint32_t epoch, const struct statement_heads *cut,
				const struct roster_record *next, struct err_info *info);
// After the commit: message.held, message.void, and forgets which. Without a commit: the next holding_cut forgets.
void holding_tell(struct discussion *d);
void holding_forget(struct discussion *d);

// messages.release: held messages are queued, and sent in their order; answers with them once that is on disk. At most as many as
// may wait at a time: the rest stays held.
MUST_CHECK enum err holding_release(struct conversation *c, struct call *call);
// messages.discard: they have failed; *out: they.
MUST_CHECK enum err holding_discard(struct discussion *d, json_t **out, struct err_info *info);

#endif
