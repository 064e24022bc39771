// SPDX-License-Identifier: GPL-3.0-or-later
// Whether an ORDER may be voted for (§5, 5), and which statements that takes.
#include <string.h>

#include "discussion/epoch_machine.h"

size_t epoch_f(size_t members)
{
	return (members - 1) / 3;
}

size_t epoch_q(size_t members)
{
	return (members + epoch_f(members)) / 2 + 1;
}

size_t epoch_leader(const struct epoch *e, uint32_t round)
{
	return round % e->n;
}

size_t epoch_ballots(const struct epoch *e, enum statement_type type, uint32_t round, const struct hash *value,
		     struct held *out[ROSTER_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < e->n; i++) {
		struct held *h = epoch_held_ballot(e, i, type, round, value);
		if (h && out)
			out[count] = h;
		count += h != NULL;
	}
	return count;
}

bool epoch_lock_proven(const struct epoch *e, const struct statement_lock *lock)
{
	if (!lock->is)
		return true;
	const struct held *order = epoch_held_order(e, &lock->value);
	if (!order)
		return false;
	const struct epoch_op *op = epoch_op_find(e, &order->s.order.op);
	bool own = e->lock.order == order && e->lock.round == lock->round;
	return op && epoch_op_complete(e, op) &&
	       (own || epoch_ballots(e, STATEMENT_VOTE, lock->round, &lock->value, NULL) >= e->q);
}

void epoch_cut(const struct epoch *e, struct held *const *states, size_t count, struct statement_head *list)
{
	for (size_t m = 0; m < e->n; m++) {
		struct statement_head best = {0};
		for (size_t i = 0; i < count; i++) {
			const struct statement_head *h = &states[i]->s.state.heads.list[m];
			// two payloads of one sequence: which of them is nobody's choice
			bool beats = h->sequence > best.sequence ||
				     (h->sequence == best.sequence && memcmp(&h->hash, &best.hash, sizeof h->hash) < 0);
			if (beats || states[i]->author == m)
				best = *h;
			if (states[i]->author == m)
				break;
		}
		list[m] = best;
	}
}

// The statements of those names, each by another author; MISSES where one is not here.
static enum order_check gather(const struct epoch *e, const struct statement_names *names, struct held *out[ROSTER_MAX])
{
	bool seen[ROSTER_MAX] = {false};
	bool misses = false;
	for (size_t i = 0; i < names->count; i++) {
		out[i] = epoch_held_find(e, &names->list[i]);
		for (size_t k = 0; !out[i] && k < e->lock.vote_count; k++)
			if (hash_equal(&e->lock.votes[k]->name, &names->list[i]))
				out[i] = e->lock.votes[k];
		if (!out[i]) {
			misses = true;
			continue;
		}
		if (seen[out[i]->author])
			return ORDER_BAD;
		seen[out[i]->author] = true;
	}
	return misses ? ORDER_MISSES : ORDER_GOOD;
}

static bool consents_to(const struct held *h, const struct epoch_op *op)
{
	if (h->s.type == STATEMENT_PROPOSE)
		return span_equal(bytes_span(h->s.op), bytes_span(op->bytes));
	return h->s.type == STATEMENT_ANSWER && h->s.answer.consents && hash_equal(&h->s.answer.op, &op->name);
}

static enum order_check check_consents(const struct epoch *e, const struct held *order, const struct epoch_op *op)
{
	struct held *consents[ROSTER_MAX];
	size_t count = 0;
	enum order_check c = gather(e, &order->s.order.consents, consents);
	if (c != ORDER_GOOD)
		return c;
	for (size_t i = 0; i < order->s.order.consents.count; i++) {
		if (!consents_to(consents[i], op))
			return ORDER_BAD;
		count += epoch_op_asks(e, op, consents[i]->author);
	}
	if (count < epoch_op_required(e, op))
		return ORDER_BAD;
	// its LEAVEs
	return op->op.kind != OP_DEPART || epoch_op_complete(e, op) ? ORDER_GOOD : ORDER_MISSES;
}

static bool same_head(const struct statement_head *a, const struct statement_head *b)
{
	return a->sequence == b->sequence && hash_equal(&a->hash, &b->hash);
}

static enum order_check check_free(const struct epoch *e, const struct held *order, struct held *const *states)
{
	struct statement_head cut[ROSTER_MAX];
	if (order->s.order.lock.is)
		return ORDER_BAD;
	epoch_cut(e, states, order->s.order.states.count, cut);
	for (size_t i = 0; i < e->n; i++)
		if (!same_head(&cut[i], &order->s.order.cut.list[i]))
			return ORDER_BAD;
	return ORDER_GOOD;
}

// The value is that of the lock, with its cut as it was, and q have voted for it.
static enum order_check check_locked(const struct epoch *e, const struct held *order, const struct statement_lock *highest)
{
	struct held *votes[ROSTER_MAX];
	const struct statement_lock *lock = &order->s.order.lock;
	if (!lock->is || lock->round != highest->round || !hash_equal(&lock->value, &highest->value) ||
	    !hash_equal(&order->value, &lock->value) || order->s.order.votes.count < e->q)
		return ORDER_BAD;
	enum order_check c = gather(e, &order->s.order.votes, votes);
	for (size_t i = 0; c == ORDER_GOOD && i < order->s.order.votes.count; i++) {
		const struct statement *s = &votes[i]->s;
		if (s->type != STATEMENT_VOTE || s->ballot.round != lock->round ||
		    !hash_equal(&s->ballot.value, &lock->value))
			return ORDER_BAD;
	}
	return c;
}

static enum order_check check_states(const struct epoch *e, const struct held *order)
{
	struct held *states[ROSTER_MAX];
	struct statement_lock highest = {0};
	enum order_check c = gather(e, &order->s.order.states, states);
	if (c != ORDER_GOOD)
		return c;
	if (order->s.order.states.count < e->q)
		return ORDER_BAD;
	for (size_t i = 0; i < order->s.order.states.count; i++) {
		const struct statement *s = &states[i]->s;
		bool fits = s->type == STATEMENT_LEAVE ||
			    (s->type == STATEMENT_STATUS && s->state.round == order->s.order.round);
		if (!fits)
			return ORDER_BAD;
		const struct statement_lock *lock = &s->state.lock;
		if (lock->is && highest.is && lock->round == highest.round && !hash_equal(&lock->value, &highest.value))
			return ORDER_BAD;
		if (lock->is && (!highest.is || lock->round > highest.round))
			highest = *lock;
	}
	return highest.is ? check_locked(e, order, &highest) : check_free(e, order, states);
}

enum order_check epoch_order_check(const struct epoch *e, const struct held *order)
{
	if (order->author != epoch_leader(e, order->s.order.round))
		return ORDER_BAD;
	const struct epoch_op *op = epoch_op_find(e, &order->s.order.op);
	if (!op)
		return ORDER_MISSES;
	if (!span_equal(bytes_span(order->s.order.next), bytes_span(op->next_bytes)))
		return ORDER_BAD;
	enum order_check c = check_consents(e, order, op);
	return c == ORDER_GOOD ? check_states(e, order) : c;
}

// --- what is needed ---------------------------------------------------------------------------------------------------------

static uint32_t round_of(const struct statement *s)
{
	return s->type == STATEMENT_STATUS ? s->state.round : s->ballot.round;
}

// Of the same author, kind and round: two of them are a lie.
static bool would_be_second(const struct epoch *e, size_t author, const struct statement *s)
{
	const struct held_list *l = epoch_held_of(e, author, s->type);
	for (size_t i = 0; i < l->count; i++)
		if (round_of(&l->list[i]->s) == round_of(s))
			return true;
	return false;
}

static bool is_ordered(const struct epoch *e, const struct hash *name)
{
	const struct held_list *l = epoch_held_of(e, epoch_leader(e, e->round), STATEMENT_ORDER);
	for (size_t i = 0; i < l->count; i++) {
		const struct statement_names *states = &l->list[i]->s.order.states;
		for (size_t k = 0; l->list[i]->s.order.round == e->round && k < states->count; k++)
			if (hash_equal(&states->list[k], name))
				return true;
	}
	return false;
}

static bool needs_status(const struct epoch *e, const struct hash *name, const struct statement *s)
{
	size_t count = 0;
	if (!e->gave_status || s->state.round != e->round || s->state.lock.is || is_ordered(e, name))
		return true;
	for (size_t m = 0; m < e->n; m++)
		count += epoch_usable_state(e, m, e->round) != NULL;
	return count < e->q;
}

bool epoch_needs(const struct epoch *e, const struct hash *name, const struct statement *s)
{
	size_t author = roster_position(&e->roster, s->author);
	if (author == ROSTER_NOBODY)
		return false;
	switch (s->type) {
	case STATEMENT_STATUS:
		return would_be_second(e, author, s) || needs_status(e, name, s);
	case STATEMENT_VOTE:
	case STATEMENT_COMMIT:
		return would_be_second(e, author, s) ||
		       epoch_ballots(e, s->type, s->ballot.round, &s->ballot.value, NULL) < e->q;
	default:
		return true;
	}
}
