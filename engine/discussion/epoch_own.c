// SPDX-License-Identifier: GPL-3.0-or-later
// Own statements: on disk, then signed, then sent, one after the other.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/epoch_machine.h"
#include "wire/signed.h"

// --- what goes with an ORDER, or with a lock ---------------------------------------------------------------------------------

struct parts {
	size_t count;
	struct held *list[4 * ROSTER_MAX + 2];
};

static void parts_add(struct parts *p, struct held *h)
{
	for (size_t i = 0; h && i < p->count; i++)
		if (p->list[i] == h)
			return;
	if (h && p->count < sizeof p->list / sizeof *p->list)
		p->list[p->count++] = h;
}

static void parts_named(const struct epoch *e, struct parts *p, const struct statement_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		parts_add(p, epoch_held_find(e, &names->list[i]));
}

// The op and its consents.
static void parts_of_op(const struct epoch *e, struct parts *p, const struct held *order)
{
	struct epoch_op *op = epoch_op_find(e, &order->s.order.op);
	for (size_t m = 0; op && m < e->n; m++)
		parts_add(p, epoch_op_proposal(e, op, m));
	parts_named(e, p, &order->s.order.consents);
	for (size_t i = 0; op && op->op.kind == OP_DEPART && i < op->op.count; i++)
		parts_add(p, epoch_held_find(e, &op->op.leaves[i]));
}

static void parts_of_lock(const struct epoch *e, struct parts *p, const struct epoch_lock *lock)
{
	if (!lock->order)
		return;
	parts_of_op(e, p, lock->order);
	parts_add(p, lock->order);
	for (size_t i = 0; i < lock->vote_count; i++)
		parts_add(p, lock->votes[i]);
}

static void parts_of(const struct epoch *e, struct parts *p, const struct held *h)
{
	if (h->s.type == STATEMENT_ORDER) {
		parts_of_op(e, p, h);
		parts_named(e, p, &h->s.order.states);
		parts_named(e, p, &h->s.order.votes);
	} else if ((h->s.type == STATEMENT_STATUS || h->s.type == STATEMENT_LEAVE) && h->s.state.lock.is) {
		parts_of_lock(e, p, &e->lock);
	} else if (h->s.type == STATEMENT_PROPOSE) {
		struct hash name = hash_of(bytes_span(h->s.op));
		const struct epoch_op *op = epoch_op_find(e, &name);
		for (size_t i = 0; op && op->op.kind == OP_DEPART && i < op->op.count; i++)
			parts_add(p, epoch_held_find(e, &op->op.leaves[i]));
	}
}

static void send_parts(struct epoch *e, const struct parts *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct epoch_action *a = epoch_act(e, EPOCH_SEND);
		a->send.member = ROSTER_NOBODY;
		a->send.envelope = bytes_ref(p->list[i]->envelope);
	}
}

// To everyone; what it stands on goes first.
static void broadcast(struct epoch *e, struct held *h)
{
	struct parts p = {0};
	parts_of(e, &p, h);
	parts_add(&p, h);
	send_parts(e, &p);
}

void epoch_own_repeat(struct epoch *e)
{
	struct parts p = {0};
	const struct held_list *l = epoch_held_of(e, e->self, STATEMENT_STATUS);
	struct epoch_op *op = epoch_op_choose(e);
	for (size_t m = 0; op && m < e->n; m++) {
		parts_add(&p, epoch_op_proposal(e, op, m));
		parts_add(&p, epoch_op_said(e, op, m, true));
	}
	for (size_t m = 0; m < e->n; m++)
		for (size_t i = 0; i < epoch_held_of(e, m, STATEMENT_LEAVE)->count; i++)
			parts_add(&p, epoch_held_of(e, m, STATEMENT_LEAVE)->list[i]);
	send_parts(e, &p);
	if (l->count)
		broadcast(e, l->list[l->count - 1]);
}

// --- the way to the disk ----------------------------------------------------------------------------------------------------

static bool is_queued(const struct epoch *e, const struct bytes *body)
{
	for (size_t i = 0; i < e->own_count; i++)
		if (span_equal(bytes_span(e->own[i].body), bytes_span(body)))
			return true;
	return false;
}

void epoch_own_say(struct epoch *e, struct statement *s)
{
	struct buf b;
	struct err_info info;
	s->roster = e->roster_hash;
	memcpy(s->author, e->roster.members[e->self].fingerprint, FINGERPRINT_SIZE);
	buf_init(&b, STATEMENT_MAX);
	enum err code = statement_encode(s, &b, &info);
	assert(!code && e->own_count < EPOCH_OWN_MAX); // each is made of what was checked
	(void)code;
	struct bytes *body = buf_take(&b);
	buf_fini(&b);
	if (is_queued(e, body)) {
		bytes_unref(body);
		return;
	}
	struct own_statement *own = &e->own[e->own_count++];
	*own = (struct own_statement){.type = s->type, .body = body};
	struct parts p = {0};
	if (s->type == STATEMENT_COMMIT)
		parts_of_lock(e, &p, &e->lock);
	if (p.count) {
		own->keep = mem_alloc_array(p.count, sizeof *own->keep);
		for (size_t i = 0; i < p.count; i++)
			own->keep[own->keep_count++] = bytes_ref(p.list[i]->envelope);
	}
}

void epoch_own_next(struct epoch *e)
{
	if (e->signing || e->retry_is_set || !e->own_count || !e->started)
		return;
	const struct own_statement *own = &e->own[0];
	e->signing = true;
	struct epoch_action *a = epoch_act(e, EPOCH_SIGN);
	a->sign.type = own->type;
	a->sign.body = bytes_ref(own->body);
	if (own->keep_count) {
		a->sign.keep = mem_alloc_array(own->keep_count, sizeof *a->sign.keep);
		for (size_t i = 0; i < own->keep_count; i++)
			a->sign.keep[a->sign.keep_count++] = bytes_ref(own->keep[i]);
	}
}

static void own_pop(struct epoch *e)
{
	struct own_statement *own = &e->own[0];
	for (size_t i = 0; i < own->keep_count; i++)
		bytes_unref(own->keep[i]);
	free(own->keep);
	bytes_unref(own->body);
	memmove(e->own, e->own + 1, --e->own_count * sizeof *e->own);
}

void epoch_own_signed(struct epoch *e, const struct epoch_event *event)
{
	struct err_info info;
	if (!e->signing)
		return;
	e->signing = false;
	struct held *h = event->result.code ? NULL : epoch_held_new(e, event->result.envelope, &info);
	struct hash name = hash_of(bytes_span(e->own[0].body));
	if (!h || !hash_equal(&h->name, &name)) {
		held_unref(h);
		e->retry_is_set = true;
		epoch_act(e, EPOCH_RETRY_IN)->ms = e->retry_ms;
		e->retry_ms = e->retry_ms > EPOCH_RETRY_LAST_MS / 2 ? EPOCH_RETRY_LAST_MS : 2 * e->retry_ms;
		return;
	}
	e->retry_ms = EPOCH_RETRY_FIRST_MS;
	own_pop(e);
	if (h->s.type == STATEMENT_PROPOSE)
		(void)epoch_op_take(e, h->s.op, &info);
	(void)epoch_held_add(e, h, &info);
	broadcast(e, h);
	if (h->s.type == STATEMENT_LEAVE) {
		e->over = true;
		epoch_act(e, EPOCH_LEFT);
	}
	held_unref(h);
}

void epoch_own_clear(struct epoch *e)
{
	while (e->own_count)
		own_pop(e);
}

// --- after a restart ----------------------------------------------------------------------------------------------------------

static void restore_lock(struct epoch *e, const struct held *commit)
{
	struct held *order = epoch_held_order(e, &commit->s.ballot.value);
	if (order)
		epoch_lock_set(e, order, commit->s.ballot.round);
}

static void rise(bool *is, uint32_t *round, uint32_t to)
{
	if (!*is || *round < to)
		*round = to;
	*is = true;
}

void epoch_own_restore(struct epoch *e, struct held *h)
{
	struct epoch_op *op = NULL;
	struct hash name;
	switch (h->s.type) {
	case STATEMENT_PROPOSE:
		name = hash_of(bytes_span(h->s.op));
		op = epoch_op_find(e, &name);
		break;
	case STATEMENT_ANSWER:
		op = epoch_op_find(e, &h->s.answer.op);
		break;
	case STATEMENT_LEAVE:
		e->begun = e->leaving = true;
		break;
	case STATEMENT_STATUS:
		e->begun = true;
		rise(&e->gave_status, &e->round, h->s.state.round);
		break;
	case STATEMENT_ORDER:
		rise(&e->ordered, &e->ordered_round, h->s.order.round);
		break;
	case STATEMENT_VOTE:
		rise(&e->voted, &e->voted_round, h->s.ballot.round);
		break;
	case STATEMENT_COMMIT:
		if (!e->committed || e->committed_round <= h->s.ballot.round)
			restore_lock(e, h);
		rise(&e->committed, &e->committed_round, h->s.ballot.round);
		break;
	case STATEMENT_TYPE_COUNT:
		break;
	}
	if (op)
		op->answered = true;
}
