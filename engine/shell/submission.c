// SPDX-License-Identifier: GPL-3.0-or-later
// Calls of messages.send and messages.release between the API and the outbox.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shell/conversation_parts.h"
#include "shell/message_view.h"
#include "shell/shell.h"

// A call until its messages are on disk.
struct submission {
	struct submission *next, **link;
	uint64_t ticket;
	struct pending *pending; // NULL while the call itself still runs
	bool over;
	enum err code;
	json_t *result; // the messages as they are then: queued, and nobody else has one yet
};

static void submission_free(struct submission *s)
{
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	json_decref(s->result);
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
	json_t *result = json_incref(s->result);
	submission_free(s);
	if (code) {
		json_decref(result);
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

static void make_message(struct conversation *c, const json_t *text, struct store_message *view, struct outbox_message *m)
{
	const struct span bytes = span(json_string_value(text), json_string_length(text));
	random_fill(c->engine->random, m->nonce, sizeof m->nonce);
	message_id_make(c->discussion->row.id, discussion_own(c->discussion), m->nonce, m->id);
	m->time_ms = view->time;
	m->text = bytes_new_span(bytes);
	m->text->wipe = true;
	memcpy(view->id, m->id, sizeof view->id);
	view->text = bytes;
}

static json_t *make_messages(struct conversation *c, json_t *texts, struct outbox_message *messages)
{
	const struct discussion *d = c->discussion;
	struct store_message view = {.state = "queued", .time = clock_now_ms(c->engine->clock)};
	json_t *list = json_array(), *text;
	size_t i;
	memcpy(view.discussion, d->row.id, sizeof view.discussion);
	memcpy(view.sender, discussion_own(d), sizeof view.sender);
	json_array_foreach(texts, i, text) {
		make_message(c, text, &view, &messages[i]);
		json_array_append_new(list, message_view(&view));
	}
	return list;
}

static struct submission *submission_new(struct conversation *c, json_t *result)
{
	struct submission *s = mem_alloc(sizeof *s);
	s->ticket = ++c->next_ticket;
	s->result = result;
	s->next = c->submissions;
	s->link = &c->submissions;
	if (s->next)
		s->next->link = &s->next;
	c->submissions = s;
	return s;
}

enum err submission_begin(struct conversation *c, struct call *call, struct outbox_event *event, json_t *result)
{
	struct submission *s = submission_new(c, result);
	event->submit.ticket = s->ticket;
	sending_feed(c, event);
	if (!s->over) {
		s->pending = call_defer(call, forget_submission, s);
		return OK;
	}
	enum err code = s->code;
	if (code)
		explain(c, code, call->info);
	else
		*call->out = json_incref(s->result);
	submission_free(s);
	return code;
}

enum err conversation_submit(struct conversation *c, struct call *call, json_t *texts, bool single)
{
	size_t count = json_array_size(texts);
	struct outbox_message *messages = mem_alloc_array(count, sizeof *messages);
	json_t *list = make_messages(c, texts, messages);
	struct outbox_event event = {.type = OUTBOX_EVENT_SUBMIT, .submit = {.count = count, .messages = messages}};
	enum err code = submission_begin(c, call, &event, single ? json_incref(json_array_get(list, 0)) : json_incref(list));
	json_decref(list);
	for (size_t i = 0; i < count; i++)
		bytes_unref(messages[i].text);
	free(messages);
	return code;
}
