// SPDX-License-Identifier: GPL-3.0-or-later
// Own statements: on disk before they are signed (§5, 4–6), so that no crash makes a second one.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/change_parts.h"
#include "shell/conversation_parts.h"
#include "shell/proposals.h"
#include "shell/shell.h"
#include "wire/signed.h"
#include "wire/statement.h"

#define RETRY_MS 1000

static struct hash name_of(struct bytes *envelope)
{
	struct envelope e;
	struct hash name = {0};
	if (envelope_decode(&e, bytes_span(envelope), NULL) == OK) {
		name = hash_of(bytes_span(e.body));
		envelope_fini(&e);
	}
	return name;
}

// --- signatures -------------------------------------------------------------------------------------------------------------

static struct bytes *make_envelope(const struct change *ch, struct bytes *signature)
{
	struct buf text;
	struct err_info info;
	struct bytes *made = NULL;
	struct envelope e = {.body = ch->signing_body, .signature = signature};
	memcpy(e.type, ch->signing_type, sizeof e.type);
	buf_init(&text, STORE_STATEMENT_MAX);
	if (envelope_encode(&e, &text, &info) == OK)
		made = buf_take(&text);
	else
		log_error("a signed statement could not be written: %s", info.text);
	buf_fini(&text);
	return made;
}

// The machine tells of what others say; of the own word the row is told here.
static void tell(struct change *ch, struct bytes *body)
{
	struct statement s;
	if (statement_decode(&s, bytes_span(body), NULL))
		return;
	if (s.type == STATEMENT_PROPOSE || s.type == STATEMENT_ANSWER) {
		struct hash op = s.type == STATEMENT_PROPOSE ? hash_of(bytes_span(s.op)) : s.answer.op;
		proposals_told(ch->conversation, &op);
	}
	statement_fini(&s);
}

static void signed_(struct change *ch, enum err code, struct bytes *envelope)
{
	struct bytes *body = ch->signing_body;
	ch->signing_body = NULL;
	if (ch->ready) {
		const struct epoch_event event = {.type = EPOCH_EVENT_SIGNED, .result = {.code = code, .envelope = envelope}};
		change_feed(ch, &event);
		if (code == OK)
			tell(ch, body);
	} else if (code == OK) {
		struct store_statement *row = &ch->rows[ch->row_next].row;
		bytes_unref(row->envelope);
		row->envelope = bytes_ref(envelope);
		row->is_signed = true;
		change_sign_rows(ch);
	}
	bytes_unref(body);
}

static void on_retry(void *arg)
{
	change_sign_rows(arg);
}

static void failed(struct change *ch, enum err code)
{
	if (!ch->ready)
		timer_start(ch->conversation->engine->loop, &ch->sign_retry, RETRY_MS, on_retry, ch);
	signed_(ch, code, NULL);
}

static void on_signed(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct job *j = arg;
	struct err_info own;
	struct conversation *c = job_end(j);
	if (!c)
		return;
	struct change *ch = c->change;
	const struct discussion *d = c->discussion;
	ch->signing = NULL;
	gpg_went(c, code, info, true);
	struct bytes *envelope = code ? NULL : make_envelope(ch, result->output);
	if (code == OK && !envelope)
		code = ERR_INTERNAL;
	// should this fail, the body is there all the same, and is signed again after a restart
	if (envelope && store_statement_sign(c->engine->store, d->row.id, d->row.epoch, &ch->signing_name, envelope, &own))
		health_store_failed(c->engine, &own, "a signed statement could not be stored");
	if (code)
		failed(ch, code);
	else
		signed_(ch, OK, envelope);
	bytes_unref(envelope);
}

static void sign(struct change *ch, const char *type, struct bytes *body)
{
	struct conversation *c = ch->conversation;
	struct home *home = c->discussion->home;
	struct err_info info;
	struct buf text;
	ch->signing_name = hash_of(bytes_span(body));
	ch->signing_body = bytes_ref(body);
	snprintf(ch->signing_type, sizeof ch->signing_type, "%s", type);
	buf_init(&text, STATEMENT_MAX + RECORD_TYPE_SIZE + 16);
	enum err code = home ? signed_input(&text, type, bytes_span(body)) : ERR_LOCKED;
	struct bytes *input = buf_take(&text);
	if (code == OK) {
		ch->signing = job_new(c, 0);
		const struct gpg_call call = {.gpg = c->engine->gpg, .home = home, .done = on_signed, .arg = ch->signing};
		code = gpg_sign_start(&call, input, &ch->signing->op, &info);
		if (code) {
			gpg_went(c, code, &info, true);
			(void)job_end(ch->signing);
			ch->signing = NULL;
		}
	}
	bytes_unref(input);
	buf_fini(&text);
	if (code)
		failed(ch, code);
}

// --- the disk ---------------------------------------------------------------------------------------------------------------

static enum err write_all(struct change *ch, const struct epoch_action *a, struct err_info *info)
{
	const struct discussion *d = ch->conversation->discussion;
	struct store *s = d->engine->store;
	struct store_statement own = {.name = hash_of(bytes_span(a->sign.body)), .own = true, .envelope = a->sign.body};
	enum err code = OK;
	for (size_t i = 0; code == OK && i < a->sign.keep_count; i++) {
		const struct store_statement kept = {
			.name = name_of(a->sign.keep[i]), .is_signed = true, .envelope = a->sign.keep[i]};
		code = store_statement_append(s, d->row.id, d->row.epoch, &kept, info);
	}
	return code ? code : store_statement_append(s, d->row.id, d->row.epoch, &own, info);
}

void change_sign(struct change *ch, const struct epoch_action *a)
{
	struct store *s = ch->conversation->engine->store;
	struct err_info info;
	sending_flush(ch->conversation);
	enum err code = store_begin(s, &info);
	if (code == OK)
		code = store_end(s, write_all(ch, a, &info), &info);
	if (code) {
		health_store_failed(ch->conversation->engine, &info, "what this core says of the members could not be stored");
		signed_(ch, code, NULL);
		return;
	}
	sign(ch, statement_type_name(a->sign.type), a->sign.body);
}

// --- after a restart ----------------------------------------------------------------------------------------------------------

void change_sign_rows(struct change *ch)
{
	struct statement s;
	for (; ch->row_next < ch->row_count; ch->row_next++) {
		struct store_statement *row = &ch->rows[ch->row_next].row;
		if (row->is_signed)
			continue;
		// what is on disk was made here: nothing is wrong with it
		if (statement_decode(&s, bytes_span(row->envelope), NULL))
			continue;
		const char *type = statement_type_name(s.type);
		statement_fini(&s);
		sign(ch, type, row->envelope);
		return;
	}
	change_begin(ch);
}

void change_sign_fini(struct change *ch)
{
	timer_cancel(ch->conversation->engine->loop, &ch->sign_retry);
	bytes_unref(ch->signing_body);
	ch->signing_body = NULL;
	for (size_t i = 0; i < ch->row_count; i++)
		bytes_unref(ch->rows[i].row.envelope);
	free(ch->rows);
	ch->rows = NULL;
	ch->row_count = ch->row_next = 0;
}
