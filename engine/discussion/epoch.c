// SPDX-License-Identifier: GPL-3.0-or-later
// The epoch machine's life and its events.
#include "discussion/epoch.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/epoch_machine.h"

struct epoch *epoch_new(const struct epoch_config *config)
{
	struct epoch *e = mem_alloc(sizeof *e);
	e->roster = *config->roster;
	e->roster_hash = config->roster_hash;
	memcpy(e->charter, config->charter, sizeof e->charter);
	e->round_ms = config->round_ms ? config->round_ms : EPOCH_ROUND_MS;
	e->retry_ms = EPOCH_RETRY_FIRST_MS;
	e->n = e->roster.count;
	e->f = epoch_f(e->n);
	e->q = epoch_q(e->n);
	e->self = config->own[0] ? roster_position(&e->roster, config->own) : ROSTER_NOBODY;
	e->members = mem_alloc_array(e->n, sizeof *e->members);
	return e;
}

void epoch_free(struct epoch *e)
{
	if (!e)
		return;
	epoch_lock_clear(e);
	epoch_own_clear(e);
	epoch_held_clear(e);
	epoch_ops_clear(e);
	free(e->members);
	free(e);
}

// --- statements -----------------------------------------------------------------------------------------------------------

static void drop(struct epoch *e, const struct err_info *info)
{
	epoch_act(e, EPOCH_DROP)->drop.why = *info;
}

// Who proposed, or answered, is told at once; what that makes of the op, by epoch_ops_judge.
static void tell(struct epoch *e, const struct held *h)
{
	struct hash name = h->s.type == STATEMENT_PROPOSE ? hash_of(bytes_span(h->s.op)) : h->s.answer.op;
	const struct epoch_op *op = epoch_op_find(e, &name);
	if (!op || !epoch_op_counts(e, op))
		return;
	struct epoch_action *a = epoch_act(e, EPOCH_TELL);
	a->op.name = name;
	a->op.member = h->author;
	a->op.state = op->state;
}

// Whether it is new and there is room for it.
static bool take(struct epoch *e, struct held *h, struct err_info *info)
{
	if (h->s.type == STATEMENT_PROPOSE && !epoch_held_find(e, &h->name)) {
		h->spare = epoch_held_spare(e, h->author);
		if (epoch_held_of(e, h->author, STATEMENT_PROPOSE)->count >= EPOCH_PROPOSALS_MAX + EPOCH_SPARE_MAX) {
			(void)err_set(info, ERR_BUSY, "more proposals than a member may make in an epoch");
			return false;
		}
		if (!epoch_op_take(e, h->s.op, info))
			return false;
	}
	return epoch_held_add(e, h, info);
}

static void received(struct epoch *e, struct bytes *envelope)
{
	struct err_info info;
	struct held *h = epoch_held_new(e, envelope, &info);
	if (!h) {
		drop(e, &info);
		return;
	}
	// what this side says comes from this side alone
	if (h->author == e->self && !epoch_held_find(e, &h->name) && !e->leaving)
		(void)err_set(&info, ERR_BAD_INPUT, "a statement that would be an own one");
	else if (take(e, h, &info)) {
		bool lasts = h->s.type == STATEMENT_PROPOSE || h->s.type == STATEMENT_ANSWER || h->s.type == STATEMENT_LEAVE;
		if (lasts && !h->spare)
			epoch_act(e, EPOCH_KEEP)->envelope = bytes_ref(envelope);
		if (h->s.type == STATEMENT_PROPOSE || h->s.type == STATEMENT_ANSWER)
			tell(e, h);
		held_unref(h);
		return;
	}
	drop(e, &info);
	held_unref(h);
}

static void restore(struct epoch *e, struct bytes *envelope)
{
	struct err_info info;
	struct held *h = epoch_held_new(e, envelope, &info);
	if (h && take(e, h, &info) && h->author == e->self)
		epoch_own_restore(e, h);
	held_unref(h);
}

static void start(struct epoch *e)
{
	e->started = true;
	for (size_t i = 0; i < e->op_count; i++)
		e->ops[i].asked = false;
	if (e->leaving) {
		e->over = true;
		epoch_act(e, EPOCH_LEFT);
	} else if (e->begun) {
		epoch_act(e, EPOCH_DEADLINE)->ms = e->round_ms;
	}
}

// --- this person ------------------------------------------------------------------------------------------------------------

static bool may_speak(struct epoch *e, uint64_t ticket)
{
	const char *why = e->self == ROSTER_NOBODY ? "this side only follows" : e->leaving ? "this member leaves" : NULL;
	if (why)
		epoch_reject(e, ticket, ERR_WRONG_STATE, why);
	else if (e->own_count > EPOCH_OWN_MAX / 2)
		epoch_reject(e, ticket, ERR_BUSY, "earlier statements wait for the disk");
	else
		return true;
	return false;
}

enum err epoch_may_propose(const struct epoch *e, struct err_info *info)
{
	if (e->self == ROSTER_NOBODY ||
	    epoch_held_of(e, e->self, STATEMENT_PROPOSE)->count + e->own_count < EPOCH_PROPOSALS_MAX)
		return OK;
	return err_set(info, ERR_BUSY, "more proposals than a member may make in an epoch");
}

static void propose(struct epoch *e, const struct epoch_event *event)
{
	struct err_info info;
	uint64_t ticket = event->propose.ticket;
	if (!may_speak(e, ticket))
		return;
	if (epoch_may_propose(e, &info)) {
		epoch_reject(e, ticket, info.code, info.text);
		return;
	}
	size_t before = e->op_count;
	struct epoch_op *op = epoch_op_take(e, event->propose.op, &info);
	bool fine = false;
	if (!op)
		epoch_reject(e, ticket, info.code == ERR_TOO_LARGE ? ERR_TOO_LARGE : ERR_BAD_PARAMS, info.text);
	else if (op->op.kind == OP_DEPART)
		epoch_reject(e, ticket, ERR_BAD_PARAMS, "nobody proposes who leaves");
	else if (op->op.kind == OP_REMOVE && !epoch_op_asks(e, op, e->self))
		epoch_reject(e, ticket, ERR_BAD_PARAMS, "nobody removes oneself: leave the discussion");
	else if (op->answered)
		epoch_reject(e, ticket, ERR_WRONG_STATE, "this member has proposed or answered that already");
	else {
		struct statement s = {.type = STATEMENT_PROPOSE, .op = event->propose.op};
		op->answered = fine = true;
		epoch_own_say(e, &s);
	}
	if (!fine && e->op_count > before)
		epoch_op_forget(e, &e->ops[e->op_count - 1]);
}

static void answer(struct epoch *e, const struct epoch_event *event)
{
	uint64_t ticket = event->answer.ticket;
	struct epoch_op *op = epoch_op_find(e, &event->answer.op);
	if (!may_speak(e, ticket))
		return;
	if (!op)
		epoch_reject(e, ticket, ERR_NOT_FOUND, "there is no such proposal in this epoch");
	else if (op->answered)
		epoch_reject(e, ticket, ERR_WRONG_STATE, "this member has proposed or answered that already");
	else if (!epoch_op_asks(e, op, e->self))
		epoch_reject(e, ticket, ERR_WRONG_STATE, "this member is not asked");
	else {
		struct statement s = {.type = STATEMENT_ANSWER};
		s.answer.op = op->name;
		s.answer.consents = event->answer.consents;
		s.answer.by_policy = event->answer.by_policy;
		size_t len = event->answer.reason ? strlen(event->answer.reason) : 0;
		if (len > STATEMENT_REASON_MAX) // not inside of a character
			for (len = STATEMENT_REASON_MAX; len && (event->answer.reason[len] & 0xc0) == 0x80;)
				len--;
		if (len)
			memcpy(s.answer.reason, event->answer.reason, len);
		op->answered = true;
		epoch_own_say(e, &s);
	}
}

static void leave(struct epoch *e)
{
	if (e->self == ROSTER_NOBODY || e->leaving)
		return;
	if (e->heads_for == HEADS_FOR_NOTHING)
		epoch_act(e, EPOCH_WANT_HEADS);
	e->heads_for = HEADS_FOR_LEAVE;
	e->begun = e->leaving = true;
}

// --- events -----------------------------------------------------------------------------------------------------------------

static void take_event(struct epoch *e, const struct epoch_event *event)
{
	switch (event->type) {
	case EPOCH_EVENT_START:
		start(e);
		break;
	case EPOCH_EVENT_PROPOSE:
		propose(e, event);
		break;
	case EPOCH_EVENT_ANSWER:
		answer(e, event);
		break;
	case EPOCH_EVENT_LEAVE:
		leave(e);
		break;
	case EPOCH_EVENT_STATEMENT:
		received(e, event->statement.envelope);
		break;
	case EPOCH_EVENT_HEADS:
		epoch_heads(e, &event->heads);
		break;
	case EPOCH_EVENT_SIGNED:
		epoch_own_signed(e, event);
		break;
	case EPOCH_EVENT_DEADLINE:
		epoch_deadline(e);
		break;
	case EPOCH_EVENT_RETRY:
		e->retry_is_set = false;
		break;
	case EPOCH_EVENT_RESTORE:
	case EPOCH_EVENT_LINK_UP:
		break;
	}
}

void epoch_step(struct epoch *e, const struct epoch_event *event, struct epoch_actions *out)
{
	e->out = out;
	if (event->type == EPOCH_EVENT_RESTORE) {
		if (!e->started)
			restore(e, event->statement.envelope);
	} else if (event->type == EPOCH_EVENT_LINK_UP) {
		epoch_held_send(e, event->member);
	} else if (!e->over && (e->started || event->type == EPOCH_EVENT_START)) {
		take_event(e, event);
		epoch_progress(e);
	} else if (event->type == EPOCH_EVENT_PROPOSE || event->type == EPOCH_EVENT_ANSWER) {
		epoch_reject(e, event->type == EPOCH_EVENT_PROPOSE ? event->propose.ticket : event->answer.ticket,
			     ERR_WRONG_STATE, "the epoch is over");
	}
	e->out = NULL;
}

// --- what is known ------------------------------------------------------------------------------------------------------------

bool epoch_knows(const struct epoch *e, const struct hash *name)
{
	return epoch_held_find(e, name) != NULL;
}

bool epoch_is_frozen(const struct epoch *e)
{
	return e->begun;
}

bool epoch_is_over(const struct epoch *e)
{
	return e->over;
}

bool epoch_equivocates(const struct epoch *e, size_t member)
{
	return member < e->n && e->members[member].equivocates;
}

uint32_t epoch_round(const struct epoch *e)
{
	return e->round;
}

bool epoch_op_answer(const struct epoch *e, const struct hash *name, size_t member, struct epoch_answer *out)
{
	const struct epoch_op *op = epoch_op_find(e, name);
	if (!op || member >= e->n)
		return false;
	const struct held *h = epoch_op_said(e, op, member, true);
	*out = (struct epoch_answer){.asked = epoch_op_asks(e, op, member), .answered = h != NULL, .consents = h != NULL};
	if (!h)
		h = epoch_op_said(e, op, member, false);
	if (h) {
		bool answers = h->s.type == STATEMENT_ANSWER;
		out->answered = true;
		out->by_policy = answers && h->s.answer.by_policy;
		out->reason = answers ? h->s.answer.reason : "";
	}
	return true;
}

enum epoch_op_state epoch_op_state(const struct epoch *e, const struct hash *name)
{
	const struct epoch_op *op = epoch_op_find(e, name);
	return op ? op->state : EPOCH_OP_OPEN;
}

size_t epoch_op_proposer(const struct epoch *e, const struct hash *name)
{
	const struct epoch_op *op = epoch_op_find(e, name);
	for (size_t m = 0; op && m < e->n; m++) {
		const struct held_list *l = epoch_held_of(e, m, STATEMENT_PROPOSE);
		for (size_t i = 0; i < l->count; i++)
			if (span_equal(bytes_span(l->list[i]->s.op), bytes_span(op->bytes)))
				return m;
	}
	return ROSTER_NOBODY;
}

struct span epoch_op_bytes(const struct epoch *e, const struct hash *name)
{
	const struct epoch_op *op = epoch_op_find(e, name);
	return bytes_span(op ? op->bytes : NULL);
}

size_t epoch_op_needs(const struct epoch *e, const struct hash *name)
{
	const struct epoch_op *op = epoch_op_find(e, name);
	return op ? epoch_op_required(e, op) : 0;
}
