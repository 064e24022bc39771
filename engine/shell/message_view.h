// SPDX-License-Identifier: GPL-3.0-or-later
// Messages as the API shows them, and the events that carry them.
#ifndef SOTTO_SHELL_MESSAGE_VIEW_H
#define SOTTO_SHELL_MESSAGE_VIEW_H

#include <jansson.h>

#include "shell/discussion.h"
#include "store/messages.h"
#include "wire/payload.h"

json_t *message_view(const struct store_message *m);
// A store_message_visit: appends to the json_t array that arg is.
bool message_append(void *arg, const struct store_message *m);
// ERR_NOT_FOUND, ERR_LOCKED. *out: the caller's reference.
MUST_CHECK enum err message_view_get(struct engine *e, const char *id, json_t **out, struct err_info *info);
// The event for every message of one sender's payloads `first` to `last` of that epoch, in their order; with `then` that event follows for all of
// a payload.
void message_emit_placed(struct discussion *d, uint32_t epoch, const char *sender, uint64_t first, uint64_t last,
			 const char *type, const char *then);
void message_emit(struct engine *e, const char *id, const char *type);

// Ids of messages whose event is to follow once the transaction that has changed them is committed. Zero-initialised.
struct message_ids {
	size_t count, room;
	char (*list)[MESSAGE_ID_SIZE];
};
void message_ids_keep(void *arg, const char *id); // a store_message_id_visit: arg is a struct message_ids
void message_ids_emit(struct engine *e, const struct message_ids *ids, const char *type);
void message_ids_fini(struct message_ids *ids);

#endif
