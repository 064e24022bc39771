// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/holding.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shell/conversation_parts.h"
#include "shell/message_view.h"
#include "shell/shell.h"
#include "shell/waiting.h"
#include "store/holding.h"

// --- where an epoch ends -------------------------------------------------------------------------------------------------------

struct holding {
	struct message_ids held, voided;
};

void holding_forget(struct discussion *d)
{
	if (!d->holding)
		return;
	message_ids_fini(&d->holding->held);
	message_ids_fini(&d->holding->voided);
	free(d->holding);
	d->holding = NULL;
}

static bool has_somebody_new(const struct roster_record *now, const struct roster_record *next)
{
	for (size_t i = 0; i < next->count; i++)
		if (roster_position(now, next->members[i].fingerprint) == ROSTER_NOBODY)
			return true;
	return false;
}

enum err holding_cut(struct discussion *d, uint32_t epoch, const struct statement_heads *cut, const struct roster_record *next,
		     struct err_info *info)
{
	struct store *s = d->engine->store;
	enum err code = OK;
	assert(d->roster.epoch == epoch && cut->count == d->roster.count);
	holding_forget(d);
	d->holding = mem_alloc(sizeof *d->holding);
	struct message_ids *held = &d->holding->held, *voided = &d->holding->voided;
	for (size_t i = 0; code == OK && i < cut->count; i++) {
		const char *member = d->roster.members[i].fingerprint;
		uint64_t last = cut->list[i].sequence;
		if (strcmp(member, discussion_own(d)) == 0)
			code = store_hold_beyond(s, d->row.id, epoch, member, last, message_ids_keep, held, info);
		else
			code = store_void_beyond(s, d->row.id, epoch, member, last, message_ids_keep, voided, info);
	}
	if (code == OK && (held->count || has_somebody_new(&d->roster, next)))
		code = store_hold_waiting(s, d->row.id, message_ids_keep, held, info);
	return code;
}

void holding_tell(struct discussion *d)
{
	if (!d->holding)
		return;
	message_ids_emit(d->engine, &d->holding->held, "message.held");
	message_ids_emit(d->engine, &d->holding->voided, "message.void");
	holding_forget(d);
}

// --- what people decide --------------------------------------------------------------------------------------------------------

static void set_state(json_t *views, const char *state)
{
	json_t *view;
	size_t i;
	json_array_foreach(views, i, view)
		json_object_set_new(view, "state", json_string(state));
}

enum err holding_release(struct conversation *c, struct call *call)
{
	struct waiting w = {.bytes_max = OUTBOX_QUEUED_BYTES_MAX, .views = json_array()};
	enum err code = waiting_read(&w, c->discussion, "held", call->info);
	struct outbox_event event = {.type = OUTBOX_EVENT_RELEASE, .submit = {.count = w.count, .messages = w.list}};
	set_state(w.views, "queued");
	if (code == OK && w.count == 0)
		*call->out = json_incref(w.views);
	else if (code == OK)
		code = submission_begin(c, call, &event, json_incref(w.views));
	waiting_fini(&w);
	return code;
}

static enum err fail_all(struct discussion *d, const struct waiting *w, struct err_info *info)
{
	struct store *s = d->engine->store;
	enum err code = store_begin(s, info);
	if (code)
		return code;
	for (size_t i = 0; code == OK && i < w->count; i++)
		code = store_message_set_state(s, w->list[i].id, "failed", info);
	if (code == OK)
		return store_commit(s, info);
	store_rollback(s);
	return code;
}

enum err holding_discard(struct discussion *d, json_t **out, struct err_info *info)
{
	struct waiting w = {.views = json_array()};
	enum err code = waiting_read(&w, d, "held", info);
	if (code == OK && w.count)
		code = fail_all(d, &w, info);
	set_state(w.views, "failed");
	if (code == OK)
		*out = json_incref(w.views);
	for (size_t i = 0; code == OK && i < w.count; i++)
		engine_emit(d->engine, "message.failed", "message", json_incref(json_array_get(w.views, i)));
	waiting_fini(&w);
	return code;
}
