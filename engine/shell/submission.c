// SPDX-License-Identifier: GPL-3.0-or-later
// Calls of messages.send between the API and the outbox.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shell/conversation_parts.h"
#include "shell/message_view.h"
#include "shell/shell.h"

// A call of messages.send until its messages are on disk.
struct submission {
	struct submission *next, **link;
	uint64_t ticket;
	struct pending *pending; // NULL while the call itself still runs
	bool single, over;
	enum err code;
	size_t count;
	char (*ids)[MESSAGE_ID_SIZE];
};

static void submission_free(struct submission *s)
{
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	free(s->ids);
	free(s);
}

void submissions_cancel(struct conversation *c)
{
	while (c->submissions) {
		struct submission *s = c->submissions;
		struct pending *p = s->pending;
		submission_free(s);
		if (p)
			pending_fail(p, ERR_CANCELED, NULL);
	}
}

static enum err submission_result(struct engine *e, const struct submission *s, json_t **out, struct err_info *info)
{
	json_t *list = json_array();
	for (size_t i = 0; i < s->count; i++) {
		json_t *view;
		enum err code = message_view_get(e, s->ids[i], &view, info);
		if (code) {
			json_decref(list);
			return code;
		}
		json_array_append_new(list, view);
	}
	*out = s->single ? json_incref(json_array_get(list, 0)) : json_incref(list);
	json_decref(list);
	return OK;
}

static void explain(const struct conversation *c, enum err code, struct err_info *info)
{
	if (code == ERR_BUSY)
		err_set(info, code, "too many messages wait to be sent in this discussion");
	else if (code == c->unstored.code)
		err_set(info, code, "the message could not be stored: %s", c->unstored.text);
	else
		err_set(info, code, "the message could not be taken: %s", err_name(code));
}

void submission_resolve(struct conversation *c, uint64_t ticket, enum err code)
{
	struct submission *s = c->submissions;
	struct err_info info;
	json_t *result;
	while (s && s->ticket != ticket)
		s = s->next;
	if (!s)
		return;
	s->over = true;
	s->code = code;
	struct pending *p = s->pending;
	if (!p)
		return; // the call itself still runs, and looks
	if (code)
		explain(c, code, &info);
	else
		code = submission_result(c->engine, s, &result, &info);
	submission_free(s);
	if (code)
		pending_fail(p, code, &info);
	else
		pending_reply(p, result);
}

static void forget_submission(void *owner)
{
	struct submission *s = owner;
	s->pending = NULL;
}

static struct submission *submission_new(struct conversation *c, json_t *texts, bool single,
					 struct outbox_message *messages)
{
	struct submission *s = mem_alloc(sizeof *s);
	s->ticket = ++c->next_ticket;
	s->single = single;
	s->count = json_array_size(texts);
	s->ids = mem_alloc_array(s->count, sizeof *s->ids);
	for (size_t i = 0; i < s->count; i++) {
		const json_t *text = json_array_get(texts, i);
		struct outbox_message *m = &messages[i];
		random_fill(c->engine->random, m->nonce, sizeof m->nonce);
		message_id_make(c->discussion->row.id, discussion_own(c->discussion), m->nonce, m->id);
		memcpy(s->ids[i], m->id, MESSAGE_ID_SIZE);
		m->time_ms = clock_now_ms(c->engine->clock);
		m->text = bytes_new(json_string_value(text), json_string_length(text));
		m->text->wipe = true;
	}
	s->next = c->submissions;
	s->link = &c->submissions;
	if (s->next)
		s->next->link = &s->next;
	c->submissions = s;
	return s;
}

enum err conversation_submit(struct conversation *c, struct call *call, json_t *texts, bool single)
{
	size_t count = json_array_size(texts);
	struct outbox_message *messages = mem_alloc_array(count, sizeof *messages);
	struct submission *s = submission_new(c, texts, single, messages);
	struct outbox_event event = {.type = OUTBOX_EVENT_SUBMIT,
				     .submit = {.ticket = s->ticket, .count = count, .messages = messages}};
	sending_feed(c, &event);
	for (size_t i = 0; i < count; i++)
		bytes_unref(messages[i].text);
	free(messages);
	if (!s->over) {
		s->pending = call_defer(call, forget_submission, s);
		return OK;
	}
	enum err code = s->code;
	if (code)
		explain(c, code, call->info);
	else
		code = submission_result(c->engine, s, call->out, call->info);
	submission_free(s);
	return code;
}
