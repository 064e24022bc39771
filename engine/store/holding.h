// SPDX-License-Identifier: GPL-3.0-or-later
// What becomes of messages where an epoch ends (P5.3): own ones beyond the cut are held again, those of others are void, and what
// waits may be held as well; and what all members have signed to have (P5.8). Each function names the messages that it changes, in
// their order, before it changes them; the callback must not write to the store.
#ifndef SOTTO_STORE_HOLDING_H
#define SOTTO_STORE_HOLDING_H

#include "store/messages.h"

typedef void store_message_id_visit(void *arg, const char *id);

// What that sender has in payloads of that epoch beyond sequence `cut`, in states queued, sent, delivered and confirmed: it
// becomes held, and loses its place.
MUST_CHECK enum err store_hold_beyond(struct store *s, const char *discussion, uint32_t epoch, const char *sender,
				      uint64_t cut, store_message_id_visit *each, void *arg, struct err_info *info);
// All that is queued and has no place.
MUST_CHECK enum err store_hold_waiting(struct store *s, const char *discussion, store_message_id_visit *each, void *arg,
				       struct err_info *info);
// What that sender has in payloads of that epoch beyond sequence `cut` becomes void.
MUST_CHECK enum err store_void_beyond(struct store *s, const char *discussion, uint32_t epoch, const char *sender,
				      uint64_t cut, store_message_id_visit *each, void *arg, struct err_info *info);
// What that sender has in payloads `first` to `last` of that epoch, and is queued, sent or delivered: it becomes confirmed.
MUST_CHECK enum err store_confirm(struct store *s, const char *discussion, uint32_t epoch, const char *sender,
				  uint64_t first, uint64_t last, store_message_id_visit *each, void *arg,
				  struct err_info *info);
// A void message of that id and sender makes way: its author has released it into a later epoch. *gone: there was one.
MUST_CHECK enum err store_void_drop(struct store *s, const char *id, const char *sender, bool *gone,
				    struct err_info *info);

#endif
