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
	json_t *texts; // array
	int64_t time_ms;
};

static void submission_free(struct submission *s)
{
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	free(s->ids);
	json_decref(s->texts);
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

// As the store has them now: nobody else has one yet.
static json_t *submission_result(const struct conversation *c, const struct submission *s)
{
	const struct discussion *d = c->discussion;
	struct store_message m = {.state = "queued", .time = s->time_ms};
	json_t *list = json_array();
	memcpy(m.discussion, d->row.id, sizeof m.discussion);
	memcpy(m.sender, discussion_own(d), sizeof m.sender);
	for (size_t i = 0; i < s->count; i++) {
		const json_t *text = json_array_get(s->texts, i);
		memcpy(m.id, s->ids[i], sizeof m.id);
		m.text = span(json_string_value(text), json_string_length(text));
		json_array_append_new(list, message_view(&m));
	}
	json_t *result = json_incref(s->single ? json_array_get(list, 0) : list);
	json_decref(list);
	return result;
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
	while (s && s->ticket != ticket)
		s = s->next;
	if (!s)
		return;
	s->over = true;
	s->code = code;
	struct pending *p = s->pending;
	if (!p)
		return; // the call itself still runs, and looks
	json_t *result = code ? NULL : submission_result(c, s);
	submission_free(s);
	if (code) {
		explain(c, code, &info);
		pending_fail(p, code, &info);
	} else {
		pending_reply(p, result);
	}
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
	s->texts = json_incref(texts);
	s->time_ms = clock_now_ms(c->engine->clock);
	s->ids = mem_alloc_array(s->count, sizeof *s->ids);
	for (size_t i = 0; i < s->count; i++) {
		const json_t *text = json_array_get(texts, i);
		struct outbox_message *m = &messages[i];
		random_fill(c->engine->random, m->nonce, sizeof m->nonce);
		message_id_make(c->discussion->row.id, discussion_own(c->discussion), m->nonce, m->id);
		memcpy(s->ids[i], m->id, MESSAGE_ID_SIZE);
		m->time_ms = s->time_ms;
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
		*call->out = submission_result(c, s);
	submission_free(s);
	return code;
}
