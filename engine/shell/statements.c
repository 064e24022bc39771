// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/statements.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "openpgp/gpg.h"
#include "shell/change_parts.h"
#include "shell/conversation_parts.h"
#include "shell/invitation.h"
#include "shell/shell.h"
#include "wire/delivery.h"
#include "wire/signed.h"
#include "wire/statement.h"

#define RETRY_MS 1000 // gpg or its key is not at hand
#define REST_MS 1000  // nothing that is needed has come for so long: the rest is looked at

// A statement whose signature is looked at; outlives the change by a turn when that is stopped.
struct statement_check {
	struct change *change; // NULL: stopped
	struct statement_check *next, **link;
	size_t source; // whose line it came on
	struct bytes *envelope;
	struct hash digest; // of the envelope
	struct gpg_op *op;
	struct admission_check *admission;
	struct op proposed; // PROPOSE; .kind OP_KIND_COUNT: none
	char leaver[FINGERPRINT_SIZE]; // LEAVE: its author; else ""
	bool is_order;
};

// --- what is not needed -------------------------------------------------------------------------------------------------------

// Behind all that is needed: an ORDER may name it, or there is time. More than that of one line nobody has to keep: who signed it says
// it to whoever asks for all.
static void put_aside(struct line *l, struct bytes *envelope)
{
	if (l->aside.count < STATEMENTS_PAUSE_AT)
		line_queue_add(&l->aside, envelope);
}

// All of it is looked at anew.
static void recall(struct change *ch)
{
	struct conversation *c = ch->conversation;
	for (size_t i = 0; i < c->line_count; i++) {
		struct line *l = &c->lines[i];
		struct bytes *envelope;
		while ((envelope = line_queue_take(&l->aside))) {
			line_queue_add(&l->statements, envelope);
			bytes_unref(envelope);
		}
	}
}

static bool has_rest(const struct conversation *c)
{
	for (size_t i = 0; i < c->line_count; i++)
		if (c->lines[i].aside.count)
			return true;
	return false;
}

static void on_rest(void *arg)
{
	struct change *ch = arg;
	ch->at_rest = true;
	recall(ch);
	statements_go_on(ch->conversation);
}

// --- one check --------------------------------------------------------------------------------------------------------------

static void check_free(struct statement_check *k)
{
	bytes_unref(k->envelope);
	op_fini(&k->proposed);
	free(k);
}

// Out of the list; NULL: the change was stopped meanwhile.
static struct change *check_end(struct statement_check *k)
{
	struct change *ch = k->change;
	if (!ch)
		return NULL;
	*k->link = k->next;
	if (k->next)
		k->next->link = k->link;
	ch->checking--;
	return ch;
}

static struct line *source_of(struct conversation *c, size_t number)
{
	return number < c->line_count ? &c->lines[number] : NULL;
}

static bool may_be_tried_again(enum err code)
{
	return code == ERR_IO || code == ERR_TIMEOUT || code == ERR_BUSY || code == ERR_LOCKED || code == ERR_CANCELED ||
	       code == ERR_INTERNAL;
}

static void on_retry(void *arg)
{
	struct change *ch = arg;
	statements_go_on(ch->conversation);
}

static void say_closed(struct line *l)
{
	struct delivery_record r = {.type = DELIVERY_CLOSED};
	struct buf out;
	memcpy(r.discussion, l->conversation->discussion->row.id, sizeof r.discussion);
	buf_init(&out, 256);
	if (delivery_encode(&r, &out, NULL) == OK)
		line_send_record(l, buf_span(&out));
	buf_fini(&out);
}

// Who leaves stays until somebody has its word on disk (change.c).
static void answer_leave(struct line *l, const char *author)
{
	if (strcmp(line_other(l)->fingerprint, author) == 0)
		say_closed(l);
}

static void checked(struct statement_check *k, enum err code, const struct err_info *info)
{
	struct change *ch = check_end(k);
	if (!ch) {
		check_free(k);
		return;
	}
	struct conversation *c = ch->conversation;
	struct line *l = source_of(c, k->source);
	if (code == OK) {
		change_take(ch, k->envelope);
		if (k->is_order)
			recall(ch);
		if (k->leaver[0] && l)
			answer_leave(l, k->leaver);
	} else if (may_be_tried_again(code) && l && (l->link || l->farewell)) {
		// behind what waits there: of statements the order is not needed
		line_queue_add(&l->statements, k->envelope);
		timer_start(c->engine->loop, &ch->check_retry, RETRY_MS, on_retry, ch);
		check_free(k);
		return;
	} else if (!may_be_tried_again(code)) {
		metrics_count(&c->engine->metrics, "statements_dropped", "not_signed");
		log_info("a statement in %.8s does not hold: %s", c->discussion->row.id, info->text);
		if (l)
			line_drop(l, "breach");
	}
	check_free(k);
	statements_go_on(c);
}

static void on_admission(void *arg, enum err code, const struct err_info *info)
{
	struct statement_check *k = arg;
	struct conversation *c = k->change ? k->change->conversation : NULL;
	struct line *l = c ? source_of(c, k->source) : NULL;
	k->admission = NULL;
	// before anybody is asked about it: they want to know its name
	if (code == OK && l && l->link)
		admission_introduce(c->engine, &k->proposed, link_remote(l->link));
	checked(k, code, info);
}

// Of an ADMIT the JOIN, too.
static void on_verified(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct statement_check *k = arg;
	struct err_info own;
	(void)result;
	k->op = NULL;
	if (code || !k->change || k->proposed.kind != OP_ADMIT) {
		checked(k, code, info);
		return;
	}
	code = admission_check_start(k->change->conversation->discussion, &k->proposed, on_admission, k, &k->admission, &own);
	if (code)
		checked(k, code, &own);
}

// --- what waits -------------------------------------------------------------------------------------------------------------

enum fate { CHECK, DROP, WAIT, ASIDE };

static bool is_checked(const struct change *ch, const struct hash *digest)
{
	for (const struct statement_check *k = ch->checks; k; k = k->next)
		if (hash_equal(&k->digest, digest))
			return true;
	return false;
}

static enum fate fate_of(struct change *ch, struct line *l, const struct envelope *e, const struct statement *s)
{
	const struct discussion *d = ch->conversation->discussion;
	bool leaves = s->type == STATEMENT_LEAVE;
	if (!hash_equal(&s->roster, &d->roster_hash)) {
		// of an epoch that comes, or of one that was: what is under way will tell
		if (ch->checking || ch->decided)
			return WAIT;
		if (leaves && line_is_former(l))
			answer_leave(l, s->author);
		return DROP;
	}
	struct hash name = hash_of(bytes_span(e->body));
	if (epoch_knows(ch->machine, &name)) {
		if (leaves)
			answer_leave(l, s->author);
		return DROP;
	}
	if (epoch_is_over(ch->machine))
		return ch->decided ? WAIT : DROP;
	if (!discussion_member(d, s->author) || strcmp(s->author, discussion_own(d)) == 0)
		return DROP;
	return ch->at_rest || epoch_needs(ch->machine, &name, s) ? CHECK : ASIDE;
}

static enum err start(struct change *ch, struct statement_check *k, const struct envelope *e, const struct statement *s,
		      struct err_info *info)
{
	struct discussion *d = ch->conversation->discussion;
	const struct gpg_call call = {.gpg = d->engine->gpg, .home = d->home, .done = on_verified, .arg = k};
	struct buf text;
	if (!d->home)
		return err_set(info, ERR_WRONG_STATE, "the discussion's key is gone");
	buf_init(&text, STATEMENT_MAX + RECORD_TYPE_SIZE + 16);
	enum err code = signed_input(&text, e->type, bytes_span(e->body));
	if (code)
		code = err_set(info, code, "a statement is too large");
	struct bytes *input = buf_take(&text);
	if (code == OK)
		code = gpg_verify_start(&call, input, e->signature, discussion_member(d, s->author)->certificate_fingerprint,
					&k->op, info);
	bytes_unref(input);
	buf_fini(&text);
	return code;
}

static void begin_check(struct change *ch, struct line *l, struct bytes *envelope, const struct envelope *e,
			const struct statement *s)
{
	struct err_info info;
	struct statement_check *k = mem_alloc(sizeof *k);
	k->change = ch;
	k->source = l->member;
	k->envelope = bytes_ref(envelope);
	k->digest = hash_of(bytes_span(envelope));
	k->proposed.kind = OP_KIND_COUNT;
	if (s->type == STATEMENT_LEAVE)
		memcpy(k->leaver, s->author, sizeof k->leaver);
	k->is_order = s->type == STATEMENT_ORDER;
	k->next = ch->checks;
	k->link = &ch->checks;
	if (k->next)
		k->next->link = &k->next;
	ch->checks = k;
	ch->checking++;
	enum err code = OK;
	if (s->type == STATEMENT_PROPOSE)
		code = op_decode(&k->proposed, bytes_span(s->op), &info);
	if (code == OK)
		code = start(ch, k, e, s, &info);
	if (code)
		checked(k, code, &info);
}

// The oldest of that line: false where it has to wait, or there is none.
static bool go_on_with(struct change *ch, struct line *l)
{
	struct line_queue *q = &l->statements;
	struct envelope e;
	struct statement s;
	if (!q->count)
		return false;
	struct bytes *envelope = q->list[q->first];
	struct hash digest = hash_of(bytes_span(envelope));
	enum fate fate = DROP;
	bool parsed = envelope_decode(&e, bytes_span(envelope), NULL) == OK;
	bool whole = parsed && statement_decode(&s, bytes_span(e.body), NULL) == OK;
	if (whole && !is_checked(ch, &digest))
		fate = fate_of(ch, l, &e, &s);
	if (fate != WAIT)
		(void)line_queue_take(q);
	if (fate == CHECK)
		begin_check(ch, l, envelope, &e, &s);
	if (fate == ASIDE)
		put_aside(l, envelope);
	if (fate != WAIT)
		bytes_unref(envelope);
	if (whole)
		statement_fini(&s);
	if (parsed)
		envelope_fini(&e);
	return fate != WAIT;
}

void statements_go_on(struct conversation *c)
{
	struct change *ch = c->change;
	bool more = ch && ch->ready && !ch->going_on;
	if (!more)
		return;
	ch->going_on = true; // a check that cannot begin comes back here
	while (more) {
		more = false;
		for (size_t i = 0; i < c->line_count && ch->checking < STATEMENTS_CHECKING_MAX; i++)
			if (i != c->own && go_on_with(ch, &c->lines[i]))
				more = true;
		more = more && ch->checking < STATEMENTS_CHECKING_MAX;
	}
	ch->going_on = false;
	if (!ch->checking)
		ch->at_rest = false;
	if (ch->checking || !has_rest(c))
		timer_cancel(c->engine->loop, &ch->rest);
	else if (!timer_running(&ch->rest))
		timer_start(c->engine->loop, &ch->rest, REST_MS, on_rest, ch);
	for (size_t i = 0; i < c->line_count; i++)
		if (c->lines[i].paused & LINE_PAUSED_BY_STATEMENTS && c->lines[i].statements.count <= STATEMENTS_RESUME_AT)
			line_pause(&c->lines[i], LINE_PAUSED_BY_STATEMENTS, false);
}

void statements_take(struct line *l, struct span envelope)
{
	struct conversation *c = l->conversation;
	struct bytes *copy = bytes_new_span(envelope);
	line_queue_add(&l->statements, copy);
	bytes_unref(copy);
	if (l->statements.count >= STATEMENTS_PAUSE_AT)
		line_pause(l, LINE_PAUSED_BY_STATEMENTS, true);
	statements_go_on(c);
}

void statements_line_down(struct line *l)
{
	line_queue_clear(&l->statements);
	line_queue_clear(&l->aside);
}

void statements_stop(struct conversation *c)
{
	struct change *ch = c->change;
	timer_cancel(c->engine->loop, &ch->check_retry);
	timer_cancel(c->engine->loop, &ch->rest);
	while (ch->checks) {
		struct statement_check *k = ch->checks;
		ch->checks = k->next;
		k->change = NULL;
		if (k->admission) {
			admission_check_cancel(k->admission);
			check_free(k);
		} else {
			gpg_op_cancel(k->op); // its end frees it
		}
	}
	ch->checking = 0;
}
