// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/message_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/shell.h"

json_t *message_view(const struct store_message *m)
{
	// a payload that no member has yet is none to the reader
	bool placed = m->placed && strcmp(m->state, "queued") != 0 && strcmp(m->state, "held") != 0;
	json_t *v = json_object();
	json_object_set_new_nocheck(v, "id", json_string_nocheck(m->id));
	json_object_set_new_nocheck(v, "discussion", json_string_nocheck(m->discussion));
	json_object_set_new_nocheck(v, "sender", json_string_nocheck(m->sender));
	json_object_set_new_nocheck(v, "time", json_integer((json_int_t)m->time));
	json_object_set_new_nocheck(v, "text", json_stringn((const char *)m->text.data, m->text.len));
	json_object_set_new_nocheck(v, "state", json_string_nocheck(m->state));
	json_object_set_new_nocheck(v, "epoch", placed ? json_integer(m->place.epoch) : json_null());
	json_object_set_new_nocheck(v, "seq", placed ? json_integer((json_int_t)m->place.sequence) : json_null());
	return v;
}

bool message_append(void *arg, const struct store_message *m)
{
	json_array_append_new(arg, message_view(m));
	return true;
}

static bool take_one(void *arg, const struct store_message *m)
{
	json_t **out = arg;
	*out = message_view(m);
	return false;
}

enum err message_view_get(struct engine *e, const char *id, json_t **out, struct err_info *info)
{
	return store_message_get(e->store, id, take_one, out, info);
}

static void emit_all(struct engine *e, const json_t *list, const char *type)
{
	json_t *view;
	size_t i;
	json_array_foreach(list, i, view)
		engine_emit(e, type, "message", json_incref(view));
}

void message_emit_placed(struct discussion *d, uint32_t epoch, const char *sender, uint64_t first, uint64_t last,
			 const char *type, const char *then)
{
	struct engine *e = d->engine;
	struct err_info info;
	// payload by payload: one has as many messages as a list holds
	for (uint64_t i = first; i <= last; i++) {
		json_t *list = json_array();
		// the list first: whoever is told may write to the store
		if (store_message_each_placed(e->store, d->row.id, epoch, sender, i, i, STORE_LIST_MAX, message_append,
					      list, &info))
			engine_warn(e, "messages of %.8s could not be read: %s", d->row.id, info.text);
		emit_all(e, list, type);
		if (then)
			emit_all(e, list, then);
		json_decref(list);
	}
}

void message_emit(struct engine *e, const char *id, const char *type)
{
	struct err_info info;
	json_t *view;
	if (message_view_get(e, id, &view, &info) == OK)
		engine_emit(e, type, "message", view);
	else
		log_warn("the message %.8s could not be read: %s", id, info.text);
}

void message_ids_keep(void *arg, const char *id)
{
	struct message_ids *ids = arg;
	if (ids->count == ids->room) {
		ids->room = ids->room ? 2 * ids->room : 16;
		ids->list = mem_realloc(ids->list, ids->room * sizeof *ids->list);
	}
	memcpy(ids->list[ids->count++], id, MESSAGE_ID_SIZE);
}

void message_ids_emit(struct engine *e, const struct message_ids *ids, const char *type)
{
	for (size_t i = 0; i < ids->count; i++)
		message_emit(e, ids->list[i], type);
}

void message_ids_fini(struct message_ids *ids)
{
	free(ids->list);
	*ids = (struct message_ids){0};
}
