// SPDX-License-Identifier: GPL-3.0-or-later
// The noun "messages".
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shell/call.h"
#include "shell/conversation.h"
#include "shell/holding.h"
#include "shell/message_view.h"
#include "shell/shell.h"
#include "store/search.h"
#include "wire/payload.h"

#define LIST_STANDARD 100
#define SEARCH_ROWS_A_TURN 500
#define SENDS_MAX 1000

static enum err find(struct call *c, struct discussion **out)
{
	const char *text;
	enum err code = identity_need(&c->engine->identity, c->info);
	if (code == OK)
		code = call_need_string(c, "discussion", &text);
	return code ? code : discussions_find(&c->engine->discussions, text, out, c->info);
}

// One `text` or several `texts`, as a list; *out: the caller's reference.
static enum err take_texts(struct call *c, json_t **out, bool *single)
{
	json_t *text = call_value(c, "text"), *texts = call_value(c, "texts"), *one;
	size_t i;
	enum err code = OK;
	if ((text != NULL) == (texts != NULL))
		return err_set(c->info, ERR_BAD_PARAMS, "one of the parameters 'text' and 'texts' is needed");
	if (texts && (json_array_size(texts) == 0 || json_array_size(texts) > SENDS_MAX))
		return err_set(c->info, ERR_BAD_PARAMS, "the parameter 'texts' is a list of 1 to %d texts", SENDS_MAX);
	*single = text != NULL;
	json_t *list = text ? json_pack("[O]", text) : json_incref(texts);
	json_array_foreach(list, i, one) {
		if (!json_is_string(one))
			code = err_set(c->info, ERR_BAD_PARAMS, "text %zu is not a string", i + 1);
		else
			code = payload_text_check(span(json_string_value(one), json_string_length(one)), c->info);
		if (code)
			break;
	}
	if (code)
		json_decref(list);
	else
		*out = list;
	return code;
}

static enum err send(struct call *c)
{
	struct discussion *d;
	json_t *texts = NULL;
	bool single = false;
	enum err code = find(c, &d);
	if (code == OK)
		code = take_texts(c, &texts, &single);
	if (code)
		return code;
	code = lifecycle_allows(&d->life, LIFECYCLE_CALL_SEND, c->info);
	if (code == OK && !d->conversation)
		code = err_set(c->info, ERR_WRONG_STATE, "this discussion cannot go on: see the log");
	if (code == OK)
		code = conversation_submit(d->conversation, c, texts, single);
	json_decref(texts);
	return code;
}

static enum err list(struct call *c)
{
	struct discussion *d;
	enum err code = find(c, &d);
	if (code)
		return code;
	struct store_range range = {.after = call_string(c, "after"),
				    .before = call_string(c, "before"),
				    .limit = (size_t)call_integer(c, "limit", LIST_STANDARD)};
	json_t *messages = json_array();
	code = store_message_list(c->engine->store, d->row.id, &range, message_append, messages, c->info);
	if (code == OK)
		*c->out = json_incref(messages);
	json_decref(messages);
	return code;
}

// The newest message where the call names none; empty where there is none at all.
static enum err last_read(struct call *c, const struct discussion *d, char out[33])
{
	const char *id = call_string(c, "message");
	const struct store_range newest = {.limit = 1};
	json_t *messages = json_array();
	enum err code = OK;
	if (!id) {
		code = store_message_list(c->engine->store, d->row.id, &newest, message_append, messages, c->info);
		id = json_string_value(json_object_get(json_array_get(messages, 0), "id"));
	}
	snprintf(out, 33, "%s", id ? id : "");
	json_decref(messages);
	return code;
}

static enum err read_(struct call *c)
{
	struct discussion *d;
	char last[33];
	enum err code = find(c, &d);
	if (code == OK)
		code = last_read(c, d, last);
	if (code)
		return code;
	json_t *before = discussion_view(d);
	if (last[0])
		code = store_message_set_read(c->engine->store, d->row.id, last, c->info);
	if (code == OK) {
		*c->out = discussion_view(d);
		// the person's other front ends count as well
		if (!json_equal(json_object_get(before, "unread"), json_object_get(*c->out, "unread")))
			discussion_emit(d, "discussion.read");
	}
	json_decref(before);
	return code;
}

// --- search: a slice of the messages a turn, so that nobody waits for it ------------------------------------------------------------

struct finding {
	struct engine *engine;
	struct store_search *search;
	struct pending *pending;
	struct deferred turn;
	struct timer pause;
	json_t *messages;
	size_t limit;
};

static void finding_free(struct finding *f)
{
	timer_cancel(f->engine->loop, &f->pause);
	store_search_free(f->search);
	json_decref(f->messages);
	free(f);
}

static void finding_forgotten(void *owner)
{
	finding_free(owner);
}

static void look_on(void *arg)
{
	struct finding *f = arg;
	struct err_info info;
	bool done = false;
	enum err code = store_search_slice(f->search, SEARCH_ROWS_A_TURN, f->limit - json_array_size(f->messages),
					   message_append, f->messages, &done, &info);
	struct pending *p = f->pending;
	if (code == OK && !done && json_array_size(f->messages) < f->limit) {
		timer_start(f->engine->loop, &f->pause, 0, look_on, f);
		return;
	}
	json_t *result = json_incref(f->messages);
	finding_free(f);
	if (code)
		pending_fail(p, code, &info);
	else
		pending_reply(p, json_incref(result));
	json_decref(result);
}

static enum err search(struct call *c)
{
	struct discussion *d = NULL;
	const char *query;
	struct store_search *search;
	enum err code = identity_need(&c->engine->identity, c->info);
	if (code == OK)
		code = call_need_string(c, "query", &query);
	if (code == OK && call_string(c, "discussion"))
		code = find(c, &d);
	if (code == OK)
		code = store_search_new(&search, c->engine->store, span_string(query), d ? d->row.id : NULL, c->info);
	if (code)
		return code;
	struct finding *f = mem_alloc(sizeof *f);
	f->engine = c->engine;
	f->search = search;
	f->limit = (size_t)call_integer(c, "limit", LIST_STANDARD);
	f->messages = json_array();
	f->pending = call_defer(c, finding_forgotten, f);
	timer_start(f->engine->loop, &f->pause, 0, look_on, f);
	return OK;
}

// --- held ones (P5.3) -------------------------------------------------------------------------------------------------------------

static enum err release(struct call *c)
{
	struct discussion *d;
	enum err code = find(c, &d);
	if (code)
		return code;
	code = lifecycle_allows(&d->life, LIFECYCLE_CALL_SEND, c->info);
	if (code == OK && !d->conversation)
		code = err_set(c->info, ERR_WRONG_STATE, "this discussion cannot go on: see the log");
	return code ? code : holding_release(d->conversation, c);
}

static enum err discard(struct call *c)
{
	struct discussion *d;
	enum err code = find(c, &d);
	return code ? code : holding_discard(d, c->out, c->info);
}

const struct method methods_messages[] = {
	{"messages.send", send},     {"messages.list", list},	 {"messages.read", read_},   {"messages.search", search},
	{"messages.release", release}, {"messages.discard", discard}, {NULL, NULL},
};
