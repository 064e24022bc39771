// SPDX-License-Identifier: GPL-3.0-or-later
// The end of an epoch: one transaction, then the conversation goes on in the next with the links that it has. And the end for who
// leaves, or is no member any more.
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "shell/chain.h"
#include "shell/change_parts.h"
#include "shell/conversation_parts.h"
#include "shell/holding.h"
#include "shell/invitation.h"
#include "shell/proposals.h"
#include "shell/shell.h"
#include "wire/signed.h"

static void run(void *arg);

// --- the transaction --------------------------------------------------------------------------------------------------------

static enum err write_proof(struct discussion *d, const struct epoch_decision *e, struct err_info *info)
{
	struct store_statement *rows = mem_alloc_array(e->count, sizeof *rows);
	for (size_t i = 0; i < e->count; i++)
		(void)change_row(e->proof[i], &rows[i]); // the machine has decoded it
	enum err code = store_statement_decide(d->engine->store, d->row.id, d->row.epoch, rows, e->count, info);
	free(rows);
	return code;
}

// P5.7: kept for as long as its author may be a member, and beyond.
static enum err write_lies(struct change *ch, struct err_info *info)
{
	const struct discussion *d = ch->conversation->discussion;
	enum err code = OK;
	for (size_t i = 0; code == OK && i < ch->lie_count; i++) {
		struct store_statement row;
		if (change_row(ch->lies[i], &row))
			code = store_statement_append(d->engine->store, d->row.id, d->row.epoch, &row, info);
	}
	return code;
}

static enum err write_cut(struct discussion *d, const struct statement_heads *cut, struct err_info *info)
{
	struct buf b;
	buf_init(&b, ROSTER_MAX * (8 + HASH_LEN));
	for (size_t i = 0; i < cut->count; i++) {
		uint8_t sequence[8];
		be64_put(sequence, cut->list[i].sequence);
		buf_put(&b, sequence, sizeof sequence);
		buf_put(&b, cut->list[i].hash.bytes, HASH_LEN);
	}
	enum err code = store_epoch_end(d->engine->store, d->row.id, d->row.epoch, buf_span(&b), info);
	buf_fini(&b);
	// written before the core ended: only who is no member any more stays in that epoch
	return code == ERR_WRONG_STATE ? OK : code;
}

// Who stays is as known; who is new, as its JOIN says.
static enum err put_member(struct discussion *d, const struct roster_record *next, size_t i, const struct op *op,
			   struct err_info *info)
{
	const struct store_member *known = discussion_member(d, next->members[i].fingerprint);
	struct store_member m = {0};
	enum err code = OK;
	if (known)
		m = *known; // borrowed
	else
		code = admission_member(d->engine, op, &m, info);
	m.position = (uint32_t)i;
	if (code == OK)
		code = store_member_put(d->engine->store, d->row.id, next->epoch, &m, info);
	if (!known)
		store_member_fini(&m);
	return code;
}

static enum err write_next(struct discussion *d, const struct epoch_decision *e, const struct roster_record *next,
			   struct err_info *info)
{
	struct store *s = d->engine->store;
	const struct store_epoch epoch = {
		.epoch = next->epoch, .roster = e->next, .roster_hash = e->next_hash, .head = e->next_hash};
	struct op op;
	enum err code = op_decode(&op, bytes_span(e->op), info);
	if (code)
		return code;
	code = store_epoch_create(s, d->row.id, &epoch, info);
	for (size_t i = 0; code == OK && i < next->count; i++)
		code = put_member(d, next, i, &op, info);
	op_fini(&op);
	if (code)
		return code;
	d->row.epoch = next->epoch;
	snprintf(d->row.charter, sizeof d->row.charter, "%s", e->charter);
	return store_discussion_update(s, &d->row, info);
}

static enum err write_all(struct change *ch, const struct roster_record *next, struct err_info *info)
{
	struct discussion *d = ch->conversation->discussion;
	const struct epoch_decision *e = &ch->decision;
	bool stays = roster_position(next, discussion_own(d)) != ROSTER_NOBODY;
	enum err code = write_proof(d, e, info);
	if (code == OK)
		code = write_lies(ch, info);
	if (code == OK)
		code = write_cut(d, &e->cut, info);
	if (code == OK)
		code = proposals_end(d, e->op, info);
	if (code == OK && stays)
		code = holding_cut(d, d->row.epoch, &e->cut, next, info);
	if (code == OK && stays)
		code = write_next(d, e, next, info);
	return code;
}

static enum err commit(struct change *ch, const struct roster_record *next, struct err_info *info)
{
	struct discussion *d = ch->conversation->discussion;
	struct store *s = d->engine->store;
	struct store_discussion row = d->row;
	enum err code = store_begin(s, info);
	if (code)
		return code;
	code = store_end(s, write_all(ch, next, info), info);
	if (code) {
		d->row = row;
		holding_forget(d);
	}
	return code;
}

// --- the next epoch ---------------------------------------------------------------------------------------------------------

static void move_line(struct line *from, struct conversation *to, uint32_t before)
{
	const char *who = from->fingerprint;
	for (size_t i = 0; i < to->line_count; i++) {
		struct line *l = &to->lines[i];
		if (i == to->own || strcmp(l->fingerprint, who) != 0)
			continue;
		line_move(from, l);
		if (line_is_former(l))
			chain_part(l, before);
		return;
	}
}

// Of links: those that stay, and who is none any more is told.
static void move_lines(struct conversation *from, struct conversation *to, uint32_t before)
{
	struct discussion *d = to->discussion;
	size_t lost = 0;
	for (size_t i = 0; i < from->line_count; i++) {
		struct line *l = &from->lines[i];
		bool was = l->link && !line_is_former(l);
		if (!l->link)
			continue;
		move_line(l, to, before);
		lost += was && roster_position(&d->roster, l->fingerprint) == ROSTER_NOBODY;
	}
	for (; lost; lost--)
		discussion_happens(d, LIFECYCLE_LINK_DOWN, LIFECYCLE_NO_REASON);
}

static void say_everywhere(struct conversation *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (i == c->own || !c->lines[i].link)
			continue;
		chain_say_seen(&c->lines[i]);
		chain_moved(&c->lines[i]);
	}
}

static void go_on(struct discussion *d, uint32_t before)
{
	struct conversation *old = d->conversation;
	struct err_info info;
	enum err code = discussion_load_roster(d, &info);
	d->life.members = d->member_count;
	struct conversation *c = code == OK ? conversation_next(d, &info) : NULL;
	if (!c) {
		engine_warn(d->engine, "the discussion %.8s cannot go on: %s", d->row.id, info.text);
		conversation_stop(d);
		return;
	}
	move_lines(old, c, before);
	conversation_bury(old);
	conversation_begin(c);
	say_everywhere(c);
	conversation_dial(c);
}

static void tell(struct discussion *d, uint32_t before)
{
	metrics_count(&d->engine->metrics, "epochs_changed", NULL);
	discussion_emit(d, "epoch.changed");
	holding_tell(d);
	proposals_tell_ended(d, before);
	invitations_epoch_changed(d);
}

// This person is none any more: the others have removed it, or order its LEAVE.
static void part(struct change *ch, uint32_t before)
{
	struct discussion *d = ch->conversation->discussion;
	log_info("this person is no member of %.8s any more", d->row.id);
	discussion_happens(d, LIFECYCLE_REMOVED, LIFECYCLE_NO_REASON);
	proposals_tell_ended(d, before);
	invitations_epoch_changed(d);
}

// --- its steps --------------------------------------------------------------------------------------------------------------

static void again(struct change *ch)
{
	ch->end_retry_ms = ch->end_retry_ms ? 2 * ch->end_retry_ms : EPOCH_RETRY_FIRST_MS;
	if (ch->end_retry_ms > EPOCH_RETRY_LAST_MS)
		ch->end_retry_ms = EPOCH_RETRY_LAST_MS;
	timer_start(ch->conversation->engine->loop, &ch->end_retry, ch->end_retry_ms, run, ch);
}

static void on_imported(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct conversation *c = job_end(arg);
	(void)result;
	if (!c)
		return;
	struct change *ch = c->change;
	ch->importing = NULL;
	ch->imported = code == OK;
	gpg_went(c, code, info, true);
	if (code)
		again(ch);
	else
		run(ch);
}

// A newcomer's certificate is in the keyring before anybody seals to it. True: that is under way.
static bool import(struct change *ch)
{
	struct conversation *c = ch->conversation;
	struct discussion *d = c->discussion;
	struct store_member m = {0};
	struct err_info info;
	struct op op;
	if (ch->imported || !d->home || op_decode(&op, bytes_span(ch->decision.op), &info))
		return false;
	enum err code = op.kind == OP_ADMIT ? admission_member(d->engine, &op, &m, &info) : ERR_NOT_FOUND;
	op_fini(&op);
	if (code) {
		ch->imported = true;
		return false;
	}
	ch->importing = job_new(c, 0);
	const struct gpg_call call = {.gpg = c->engine->gpg, .home = d->home, .done = on_imported, .arg = ch->importing};
	code = gpg_import_start(&call, m.certificate, &ch->importing->op, &info);
	store_member_fini(&m);
	if (code) {
		gpg_went(c, code, &info, true);
		(void)job_end(ch->importing);
		ch->importing = NULL;
		again(ch);
	}
	return true;
}

static void run(void *arg)
{
	struct change *ch = arg;
	struct conversation *c = ch->conversation;
	struct discussion *d = c->discussion;
	struct roster_record next;
	struct err_info info;
	uint32_t before = d->row.epoch;
	if (ch->importing || import(ch))
		return;
	sending_flush(c);
	enum err code = roster_decode(&next, bytes_span(ch->decision.next), &info);
	if (code == OK)
		code = commit(ch, &next, &info);
	if (code) {
		health_store_failed(c->engine, &info, "who is a member from now on could not be stored");
		again(ch);
		return;
	}
	if (roster_position(&next, discussion_own(d)) == ROSTER_NOBODY) {
		part(ch, before);
		return;
	}
	go_on(d, before);
	tell(d, before);
}

void succession_decided(struct change *ch)
{
	loop_defer(ch->conversation->engine->loop, &ch->end_turn, run, ch);
}

// --- who leaves -------------------------------------------------------------------------------------------------------------

static void leave(void *arg)
{
	struct change *ch = arg;
	struct discussion *d = ch->conversation->discussion;
	struct pending *call = ch->leaving;
	ch->leaving = NULL;
	sending_flush(ch->conversation);
	d->row.closing = true;
	discussion_happens(d, LIFECYCLE_LEAVE, LIFECYCLE_NO_REASON);
	if (call)
		pending_reply(call, discussion_view(d));
	// a link that this key has signed ends; what was said on it is brought out. Who has not heard is told in a farewell
	conversation_stop(d);
	conversation_start(d);
}

void succession_left(struct change *ch)
{
	loop_defer(ch->conversation->engine->loop, &ch->end_turn, leave, ch);
}

void succession_fini(struct change *ch)
{
	struct loop *loop = ch->conversation->engine->loop;
	deferred_cancel(loop, &ch->end_turn);
	timer_cancel(loop, &ch->end_retry);
	if (!ch->decided)
		return;
	bytes_unref(ch->decision.op);
	bytes_unref(ch->decision.next);
	free(ch->decision.cut.list);
	for (size_t i = 0; i < ch->decision.count; i++)
		bytes_unref(ch->decision.proof[i]);
	free(ch->decision.proof);
}
