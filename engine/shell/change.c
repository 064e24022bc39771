// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/change_parts.h"
#include "shell/conversation_parts.h"
#include "shell/invitation.h"
#include "shell/liars.h"
#include "shell/proposals.h"
#include "shell/shell.h"
#include "shell/statements.h"
#include "wire/frame.h"
#include "wire/join.h"
#include "wire/signed.h"

// --- actions ----------------------------------------------------------------------------------------------------------------

bool change_row(struct bytes *envelope, struct store_statement *out)
{
	struct envelope e;
	if (envelope_decode(&e, bytes_span(envelope), NULL))
		return false;
	*out = (struct store_statement){.name = hash_of(bytes_span(e.body)), .is_signed = true, .envelope = envelope};
	envelope_fini(&e);
	return true;
}

static void append(struct change *ch, struct bytes *envelope)
{
	const struct discussion *d = ch->conversation->discussion;
	struct err_info info;
	struct store_statement row;
	// who said it says it again
	if (change_row(envelope, &row) && store_statement_append(d->engine->store, d->row.id, d->row.epoch, &row, &info))
		health_store_failed(d->engine, &info, "what a member says could not be stored");
}

static void send(struct change *ch, size_t member, struct bytes *envelope)
{
	struct conversation *c = ch->conversation;
	for (size_t i = 0; i < c->count; i++)
		if ((member == ROSTER_NOBODY || member == i) && c->lines[i].in_epoch)
			line_change(&c->lines[i], envelope);
}

static void give_heads(struct change *ch)
{
	struct conversation *c = ch->conversation;
	struct statement_head heads[ROSTER_MAX] = {{0}};
	const struct epoch_event event = {.type = EPOCH_EVENT_HEADS, .heads = {.count = c->count, .list = heads}};
	ch->wants_heads = false;
	for (size_t i = 0; i < c->count; i++) {
		if (i == c->own) {
			heads[i].sequence = outbox_head(c->outbox, &heads[i].hash);
		} else {
			struct transcript_head head = transcript_head(c->transcript, i);
			heads[i] = (struct statement_head){head.sequence, head.hash};
		}
	}
	change_feed(ch, &event);
}

static void want_heads(struct change *ch)
{
	ch->wants_heads = true;
	if (ch->conversation->is_quiet)
		give_heads(ch);
	else
		sending_freeze(ch->conversation);
}

void change_quiet(struct conversation *c)
{
	if (c->change && c->change->wants_heads)
		give_heads(c->change);
}

static void on_deadline(void *arg)
{
	const struct epoch_event event = {.type = EPOCH_EVENT_DEADLINE};
	change_feed(arg, &event);
}

static void on_retry(void *arg)
{
	const struct epoch_event event = {.type = EPOCH_EVENT_RETRY};
	change_feed(arg, &event);
}

static void equivocation(struct change *ch, const struct epoch_action *a)
{
	struct discussion *d = ch->conversation->discussion;
	append(ch, a->proof.first); // by one member: at most two of a kind
	append(ch, a->proof.second);
	ch->lies[ch->lie_count++] = bytes_ref(a->proof.first);
	ch->lies[ch->lie_count++] = bytes_ref(a->proof.second);
	engine_warn(d->engine, "%.8s has signed two statements that exclude each other in the discussion %.8s: it is frozen",
		    d->members[a->proof.member].fingerprint, d->row.id);
	discussion_happens(d, LIFECYCLE_FREEZE, LIFECYCLE_NO_REASON);
}

static void decided(struct change *ch, struct epoch_action *a)
{
	ch->decision = a->decided; // taken
	a->decided = (struct epoch_decision){0};
	ch->decided = true;
	succession_decided(ch);
}

static void carry_out(struct change *ch, struct epoch_action *a)
{
	struct conversation *c = ch->conversation;
	struct loop *loop = c->engine->loop;
	switch (a->type) {
	case EPOCH_SIGN:
		change_sign(ch, a);
		break;
	case EPOCH_KEEP:
		append(ch, a->envelope);
		break;
	case EPOCH_SEND:
		send(ch, a->send.member, a->send.envelope);
		break;
	case EPOCH_WANT_HEADS:
		want_heads(ch);
		break;
	case EPOCH_DEADLINE:
		timer_start(loop, &ch->deadline, a->ms, on_deadline, ch);
		break;
	case EPOCH_RETRY_IN:
		timer_start(loop, &ch->retry, a->ms, on_retry, ch);
		break;
	case EPOCH_ASK:
	case EPOCH_TELL:
		proposals_told(c, &a->op.name);
		break;
	case EPOCH_REJECTED:
		ch->rejected = a->rejected.ticket == ch->ticket;
		ch->why = a->rejected.why;
		break;
	case EPOCH_EQUIVOCATION:
		equivocation(ch, a);
		break;
	case EPOCH_DROP:
		metrics_count(&c->engine->metrics, "statements_dropped", "not_kept");
		log_debug("a statement in %.8s is not kept: %s", c->discussion->row.id, a->drop.why.text);
		break;
	case EPOCH_LEFT:
		ch->left = true;
		succession_left(ch);
		break;
	case EPOCH_DECIDED:
		decided(ch, a);
		break;
	}
}

void change_feed(struct change *ch, const struct epoch_event *event)
{
	struct epoch_actions actions;
	if (!ch->machine)
		return;
	epoch_actions_init(&actions);
	epoch_step(ch->machine, event, &actions);
	for (size_t i = 0; i < actions.count; i++)
		carry_out(ch, &actions.list[i]);
	epoch_actions_fini(&actions);
}

void change_take(struct change *ch, struct bytes *envelope)
{
	const struct epoch_event event = {.type = EPOCH_EVENT_STATEMENT, .statement = {.envelope = envelope}};
	metrics_count(&ch->conversation->engine->metrics, "statements_taken", NULL);
	change_feed(ch, &event);
}

// --- from links -------------------------------------------------------------------------------------------------------------

void change_line_up(struct conversation *c, size_t member)
{
	const struct epoch_event event = {.type = EPOCH_EVENT_LINK_UP, .member = member};
	if (c->change && c->change->ready)
		change_feed(c->change, &event);
}

// Between sponsor and candidate, who have a discussion of their own.
static void invited(struct line *l, const char *type, struct span record)
{
	if (!line_is_former(l) && !invitation_frame(l->conversation, l->member, type, record))
		line_drop(l, "malformed_record");
}

void change_frame(struct conversation *c, size_t member, struct span record)
{
	struct line *l = &c->lines[member];
	char type[RECORD_TYPE_SIZE];
	enum statement_type statement;
	if (record.len > FRAME_CHANGE_MAX || record_peek_type(record, type, NULL)) {
		line_drop(l, "malformed_record");
		return;
	}
	if (statement_type_parse(type, &statement))
		statements_take(l, record);
	else if (!strcmp(type, "invite") || !strcmp(type, JOIN_TYPE) || !strcmp(type, "decline"))
		invited(l, type, record);
	else
		metrics_count(&c->engine->metrics, "statements_dropped", "unknown");
}

// --- this person ------------------------------------------------------------------------------------------------------------

static enum err say(struct change *ch, struct epoch_event *event, struct err_info *info)
{
	if (!ch || !ch->machine || !ch->ready)
		return err_set(info, ERR_BUSY, "the discussion is not ready for this yet");
	ch->rejected = false;
	change_feed(ch, event);
	if (!ch->rejected)
		return OK;
	*info = ch->why;
	return ch->why.code;
}

enum err change_propose(struct conversation *c, struct bytes *op, struct err_info *info)
{
	uint64_t ticket = c->change ? ++c->change->ticket : 0;
	struct epoch_event event = {.type = EPOCH_EVENT_PROPOSE, .propose = {.ticket = ticket, .op = op}};
	return say(c->change, &event, info);
}

enum err change_answer(struct conversation *c, const struct hash *op, bool consents, bool by_policy, const char *reason,
		       struct err_info *info)
{
	uint64_t ticket = c->change ? ++c->change->ticket : 0;
	struct epoch_event event = {.type = EPOCH_EVENT_ANSWER,
				    .answer = {.ticket = ticket,
					       .op = *op,
					       .consents = consents,
					       .by_policy = by_policy,
					       .reason = reason}};
	return say(c->change, &event, info);
}

static void leaving_forgotten(void *owner)
{
	struct change *ch = owner;
	ch->leaving = NULL;
}

enum err change_leave(struct conversation *c, struct call *call)
{
	struct change *ch = c->change;
	struct epoch_event event = {.type = EPOCH_EVENT_LEAVE};
	if (ch->leaving || ch->left)
		return err_set(call->info, ERR_WRONG_STATE, "this person leaves already");
	if (!ch->machine || !ch->ready || ch->decided)
		return err_set(call->info, ERR_BUSY, "the members of the discussion are changing; try again");
	ch->leaving = call_defer(call, leaving_forgotten, ch);
	change_feed(ch, &event);
	return OK;
}

bool change_is_frozen(const struct conversation *c)
{
	const struct change *ch = c->change;
	if (!ch || !ch->machine)
		return false;
	if (ch->ready)
		return epoch_is_frozen(ch->machine);
	struct statement s;
	for (size_t i = 0; i < ch->row_count; i++) {
		const struct store_statement *row = &ch->rows[i].row;
		struct envelope e = {0};
		bool frozen = false, parsed = row->is_signed && envelope_decode(&e, bytes_span(row->envelope), NULL) == OK;
		if (row->own && statement_decode(&s, parsed ? bytes_span(e.body) : bytes_span(row->envelope), NULL) == OK) {
			frozen = s.type == STATEMENT_STATUS || s.type == STATEMENT_LEAVE;
			statement_fini(&s);
		}
		if (parsed)
			envelope_fini(&e);
		if (frozen)
			return true;
	}
	return false;
}

struct epoch *change_machine(const struct conversation *c)
{
	return c->change ? c->change->machine : NULL;
}

// --- life -------------------------------------------------------------------------------------------------------------------

static bool keep_row(void *arg, const struct store_statement *s)
{
	struct change *ch = arg;
	if (ch->row_count == ch->row_room) {
		ch->row_room = ch->row_room ? 2 * ch->row_room : 16;
		ch->rows = mem_realloc(ch->rows, ch->row_room * sizeof *ch->rows);
	}
	struct store_statement *copy = &ch->rows[ch->row_count++].row;
	*copy = *s;
	bytes_ref(copy->envelope);
	return true;
}

// Who has left says so to whoever does not know yet.
static void find_leave(struct change *ch)
{
	for (size_t i = 0; i < ch->row_count; i++) {
		const struct store_statement *row = &ch->rows[i].row;
		char type[RECORD_TYPE_SIZE];
		if (row->own && row->is_signed && record_peek_type(bytes_span(row->envelope), type, NULL) == OK &&
		    strcmp(type, statement_type_name(STATEMENT_LEAVE)) == 0)
			ch->leave = bytes_ref(row->envelope);
	}
	change_sign_fini(ch);
}

enum err change_open(struct conversation *c, struct err_info *info)
{
	struct discussion *d = c->discussion;
	struct change *ch = mem_alloc(sizeof *ch);
	c->change = ch;
	ch->conversation = c;
	enum err code = store_statement_each(d->engine->store, d->row.id, d->row.epoch, keep_row, ch, info);
	if (code)
		return code;
	if (discussion_has_ended(d)) {
		find_leave(ch);
		return OK;
	}
	struct epoch_config config = {
		.roster = &d->roster,
				      .roster_hash = d->roster_hash,
				      // every member checks what all others say
				      .round_ms = EPOCH_ROUND_MS * (int64_t)(1 + d->roster.count / 8)};
	memcpy(config.own, discussion_own(d), sizeof config.own);
	memcpy(config.charter, d->row.charter, sizeof config.charter);
	ch->machine = epoch_new(&config);
	return OK;
}

void change_start(struct conversation *c)
{
	if (c->change->machine)
		change_sign_rows(c->change);
}

static void restore(struct change *ch)
{
	for (size_t i = 0; i < ch->row_count; i++) {
		const struct epoch_event event = {.type = EPOCH_EVENT_RESTORE,
						  .statement = {.envelope = ch->rows[i].row.envelope}};
		change_feed(ch, &event);
	}
	change_sign_fini(ch);
}

void change_begin(struct change *ch)
{
	struct conversation *c = ch->conversation;
	const struct epoch_event start = {.type = EPOCH_EVENT_START};
	restore(ch);
	liars_settle(c->discussion);
	ch->ready = true;
	change_feed(ch, &start);
	for (size_t i = 0; i < c->count; i++)
		if (c->lines[i].in_epoch)
			change_line_up(c, i);
	statements_go_on(c);
}

void change_recover(struct conversation *c)
{
	struct change *ch = c->change;
	if (ch && timer_running(&ch->retry)) {
		timer_cancel(c->engine->loop, &ch->retry);
		on_retry(ch);
	}
	statements_go_on(c);
}

void change_fini(struct conversation *c)
{
	struct change *ch = c->change;
	if (!ch)
		return;
	statements_stop(c);
	change_sign_fini(ch);
	succession_fini(ch);
	timer_cancel(c->engine->loop, &ch->deadline);
	timer_cancel(c->engine->loop, &ch->retry);
	if (ch->leaving)
		pending_fail(ch->leaving, ERR_CANCELED, NULL);
	bytes_unref(ch->leave);
	while (ch->lie_count)
		bytes_unref(ch->lies[--ch->lie_count]);
	epoch_free(ch->machine);
	free(ch);
	c->change = NULL;
}
