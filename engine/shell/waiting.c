// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shell/message_view.h"
#include "shell/shell.h"

static bool keep(void *arg, const struct store_message *m)
{
	struct waiting *w = arg;
	if (m->placed || m->nonce.len != PAYLOAD_NONCE_LEN)
		return true; // its payload is built already
	if (w->count == w->room) {
		w->room = w->room ? w->room * 2 : 64;
		w->list = mem_realloc(w->list, w->room * sizeof *w->list);
	}
	struct outbox_message *copy = &w->list[w->count++];
	memcpy(copy->id, m->id, sizeof copy->id);
	memcpy(copy->nonce, m->nonce.data, sizeof copy->nonce);
	copy->time_ms = m->time;
	copy->text = bytes_new_span(m->text);
	copy->text->wipe = true;
	w->bytes += m->text.len;
	if (w->views)
		json_array_append_new(w->views, message_view(m));
	return w->count < OUTBOX_QUEUED_MAX && (!w->bytes_max || w->bytes < w->bytes_max);
}

enum err waiting_read(struct waiting *w, const struct discussion *d, const char *state, struct err_info *info)
{
	return store_message_each_waiting(d->engine->store, d->row.id, state, STORE_WAITING_MAX, keep, w, info);
}

void waiting_fini(struct waiting *w)
{
	for (size_t i = 0; i < w->count; i++)
		bytes_unref(w->list[i].text);
	free(w->list);
	json_decref(w->views);
	memset(w, 0, sizeof *w);
}
