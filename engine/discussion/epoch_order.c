// SPDX-License-Identifier: GPL-3.0-or-later
// Rounds: STATUS, ORDER, VOTE, COMMIT, and the decision (§5, 4–6).
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/epoch_machine.h"

// --- STATUS and LEAVE -------------------------------------------------------------------------------------------------------

void epoch_want_status(struct epoch *e, uint32_t round)
{
	if (e->self == ROSTER_NOBODY || e->leaving || (e->gave_status && round <= e->round))
		return;
	e->begun = true;
	if (e->heads_for == HEADS_FOR_NOTHING) {
		e->heads_for = HEADS_FOR_STATUS;
		e->heads_round = round;
		epoch_act(e, EPOCH_WANT_HEADS);
	} else if (round > e->heads_round) {
		e->heads_round = round;
	}
}

static int64_t round_ms(const struct epoch *e, uint32_t round)
{
	int64_t ms = e->round_ms;
	for (uint32_t i = 0; i < round && ms < EPOCH_ROUND_LAST_MS; i++)
		ms *= 2;
	return ms < EPOCH_ROUND_LAST_MS ? ms : EPOCH_ROUND_LAST_MS;
}

void epoch_heads(struct epoch *e, const struct statement_heads *heads)
{
	enum epoch_heads_for what = e->heads_for;
	struct statement s = {.type = what == HEADS_FOR_LEAVE ? STATEMENT_LEAVE : STATEMENT_STATUS};
	if (what == HEADS_FOR_NOTHING || heads->count != e->n)
		return;
	e->heads_for = HEADS_FOR_NOTHING;
	s.state.heads = *heads;
	if (e->lock.order)
		s.state.lock = (struct statement_lock){.is = true, .round = e->lock.round, .value = e->lock.order->value};
	if (what == HEADS_FOR_STATUS) {
		s.state.round = e->heads_round;
		e->gave_status = true;
		e->round = e->heads_round;
		e->timed = false;
		epoch_act(e, EPOCH_DEADLINE)->ms = round_ms(e, e->round);
	}
	epoch_own_say(e, &s);
}

static bool may_begin(const struct epoch *e)
{
	if (e->begun)
		return true;
	for (size_t i = 0; i < e->op_count; i++)
		if (epoch_op_complete(e, &e->ops[i]))
			return true;
	return epoch_someone_leaves(e);
}

static uint32_t highest_status(const struct epoch *e, size_t member, bool *is)
{
	const struct held_list *l = epoch_held_of(e, member, STATEMENT_STATUS);
	uint32_t round = 0;
	*is = l->count > 0;
	for (size_t i = 0; i < l->count; i++)
		if (l->list[i]->s.state.round > round)
			round = l->list[i]->s.state.round;
	return round;
}

// The time of a round runs from when q are in it, or beyond. Who is alone so stays where it is: were it ahead of the others it would
// stay ahead, as nobody follows f or fewer, and rounds are equally long in the end.
static void time_round(struct epoch *e)
{
	size_t count = 0;
	if (!e->gave_status || e->timed)
		return;
	for (size_t m = 0; m < e->n; m++) {
		bool is;
		uint32_t round = highest_status(e, m, &is);
		count += (is && round >= e->round) || epoch_held_of(e, m, STATEMENT_LEAVE)->count;
	}
	if (count < e->q)
		return;
	e->timed = true;
	epoch_act(e, EPOCH_DEADLINE)->ms = round_ms(e, e->round);
}

// Fewer than q are in the round: perhaps they have not heard what made this side begin, as whoever said it is gone. Who has a link
// gets all that is said on it, and who has none gets everything at its LINK_UP: once is enough.
void epoch_deadline(struct epoch *e)
{
	if (e->timed && e->round < STATEMENT_ROUND_MAX)
		epoch_want_status(e, e->round + 1);
	else if (e->gave_status)
		epoch_own_repeat(e);
}

// Where f + 1 are, one who does not lie is.
static void catch_up(struct epoch *e)
{
	uint32_t rounds[ROSTER_MAX];
	size_t count = 0;
	for (size_t m = 0; m < e->n; m++) {
		bool is;
		uint32_t round = highest_status(e, m, &is);
		if (!is)
			continue;
		size_t i = count++;
		for (; i > 0 && rounds[i - 1] < round; i--)
			rounds[i] = rounds[i - 1];
		rounds[i] = round;
	}
	if (count > e->f && (!e->gave_status || rounds[e->f] > e->round))
		epoch_want_status(e, rounds[e->f]);
}

// --- ORDER ------------------------------------------------------------------------------------------------------------------

struct held *epoch_usable_state(const struct epoch *e, size_t member, uint32_t round)
{
	const struct held_list *l = epoch_held_of(e, member, STATEMENT_STATUS);
	for (size_t i = 0; i < l->count; i++)
		if (l->list[i]->s.state.round == round && epoch_lock_proven(e, &l->list[i]->s.state.lock))
			return l->list[i];
	l = epoch_held_of(e, member, STATEMENT_LEAVE);
	for (size_t i = 0; i < l->count; i++)
		if (epoch_lock_proven(e, &l->list[i]->s.state.lock))
			return l->list[i];
	return NULL;
}

static struct statement_lock highest_lock(struct held *const *states, size_t count)
{
	struct statement_lock highest = {0};
	for (size_t i = 0; i < count; i++) {
		const struct statement_lock *lock = &states[i]->s.state.lock;
		if (lock->is && (!highest.is || lock->round > highest.round))
			highest = *lock;
	}
	return highest;
}

static size_t consents_of(const struct epoch *e, const struct epoch_op *op, struct hash out[ROSTER_MAX])
{
	size_t count = 0;
	for (size_t i = 0; op->op.kind != OP_DEPART && i < e->n; i++) {
		const struct held *h = epoch_op_asks(e, op, i) ? epoch_op_said(e, op, i, true) : NULL;
		if (h)
			out[count++] = h->name;
	}
	return count;
}

static void say_order(struct epoch *e, struct held *const *states, size_t count)
{
	struct hash consents[ROSTER_MAX], names[ROSTER_MAX], votes[ROSTER_MAX];
	struct statement_head cut[ROSTER_MAX];
	struct statement s = {.type = STATEMENT_ORDER};
	struct statement_lock lock = highest_lock(states, count);
	const struct held *locked = lock.is ? epoch_held_order(e, &lock.value) : NULL;
	const struct epoch_op *op = locked ? epoch_op_find(e, &locked->s.order.op) : epoch_op_choose(e);
	if (!op)
		return;
	s.order.round = e->round;
	s.order.op = op->name;
	s.order.next = op->next_bytes;
	s.order.consents = (struct statement_names){consents_of(e, op, consents), consents};
	for (size_t i = 0; i < count; i++)
		names[i] = states[i]->name;
	s.order.states = (struct statement_names){count, names};
	if (locked) {
		struct held *held[ROSTER_MAX];
		bool own = e->lock.order && e->lock.round == lock.round && hash_equal(&e->lock.order->value, &lock.value);
		size_t vote_count = own ? e->lock.vote_count : epoch_ballots(e, STATEMENT_VOTE, lock.round, &lock.value, held);
		for (size_t i = 0; i < vote_count; i++)
			votes[i] = own ? e->lock.votes[i]->name : held[i]->name;
		s.order.lock = lock;
		s.order.votes = (struct statement_names){vote_count, votes};
		s.order.cut = locked->s.order.cut;
	} else {
		epoch_cut(e, states, count, cut);
		s.order.cut = (struct statement_heads){e->n, cut};
	}
	e->ordered = true;
	e->ordered_round = e->round;
	epoch_own_say(e, &s);
}

static void lead(struct epoch *e)
{
	struct held *states[ROSTER_MAX];
	size_t count = 0;
	if (!e->gave_status || e->leaving || epoch_leader(e, e->round) != e->self ||
	    (e->ordered && e->ordered_round >= e->round))
		return;
	for (size_t i = 0; i < e->n; i++) {
		states[count] = epoch_usable_state(e, i, e->round);
		count += states[count] != NULL;
	}
	if (count < e->q)
		return;
	if (!highest_lock(states, count).is) {
		struct bytes *departs = epoch_op_departs(e);
		if (departs) {
			struct statement s = {.type = STATEMENT_PROPOSE, .op = departs};
			epoch_own_say(e, &s);
			bytes_unref(departs);
			return; // with it once it is here
		}
	}
	say_order(e, states, count);
}

// --- VOTE and COMMIT ----------------------------------------------------------------------------------------------------------

static void say_ballot(struct epoch *e, enum statement_type type, const struct hash *value)
{
	struct statement s = {.type = type, .ballot = {.round = e->round, .value = *value}};
	epoch_own_say(e, &s);
}

void epoch_lock_clear(struct epoch *e)
{
	held_unref(e->lock.order);
	for (size_t i = 0; i < e->lock.vote_count; i++)
		held_unref(e->lock.votes[i]);
	e->lock = (struct epoch_lock){0};
}

void epoch_lock_set(struct epoch *e, struct held *order, uint32_t round)
{
	struct epoch_lock new = {.order = held_ref(order), .round = round};
	new.vote_count = epoch_ballots(e, STATEMENT_VOTE, round, &order->value, new.votes);
	for (size_t i = 0; i < new.vote_count; i++)
		held_ref(new.votes[i]);
	epoch_lock_clear(e);
	e->lock = new;
}

static void vote_and_commit(struct epoch *e)
{
	if (!e->gave_status || e->leaving)
		return;
	const struct held_list *l = epoch_held_of(e, epoch_leader(e, e->round), STATEMENT_ORDER);
	for (size_t i = 0; i < l->count; i++) {
		struct held *order = l->list[i];
		bool done = e->committed && e->committed_round >= e->round;
		if (order->s.order.round != e->round || done || epoch_order_check(e, order) != ORDER_GOOD)
			continue;
		if (!e->voted || e->voted_round < e->round) {
			e->voted = true;
			e->voted_round = e->round;
			say_ballot(e, STATEMENT_VOTE, &order->value);
		}
		if (epoch_ballots(e, STATEMENT_VOTE, e->round, &order->value, NULL) < e->q)
			continue;
		epoch_lock_set(e, order, e->round);
		e->committed = true;
		e->committed_round = e->round;
		say_ballot(e, STATEMENT_COMMIT, &order->value);
	}
}

// --- the decision -------------------------------------------------------------------------------------------------------------

static void add_proof(struct epoch_decision *d, const struct held *h)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->proof[i] == h->envelope)
			return;
	d->proof = mem_realloc(d->proof, (d->count + 1) * sizeof *d->proof);
	d->proof[d->count++] = bytes_ref(h->envelope);
}

// A PROPOSE of the op, whoever made it, its consents and its LEAVEs. False: something is not here.
static bool add_op_proof(const struct epoch *e, struct epoch_decision *d, const struct epoch_op *op, const struct held *order)
{
	const struct held *propose = NULL;
	for (size_t m = 0; m < e->n && !propose; m++)
		propose = epoch_op_proposal(e, op, m);
	if (!propose)
		return false;
	add_proof(d, propose);
	for (size_t i = 0; i < order->s.order.consents.count; i++) {
		const struct held *h = epoch_held_find(e, &order->s.order.consents.list[i]);
		if (!h)
			return false;
		add_proof(d, h);
	}
	for (size_t i = 0; op->op.kind == OP_DEPART && i < op->op.count; i++) {
		const struct held *h = epoch_held_find(e, &op->op.leaves[i]);
		if (!h)
			return false;
		add_proof(d, h);
	}
	return true;
}

static bool decide(struct epoch *e, const struct held *order, struct held *const *commits, size_t count)
{
	struct epoch_decision d = {0};
	const struct epoch_op *op = epoch_op_find(e, &order->s.order.op);
	if (!op || !epoch_op_complete(e, op) ||
	    !span_equal(bytes_span(order->s.order.next), bytes_span(op->next_bytes)) ||
	    !add_op_proof(e, &d, op, order)) {
		for (size_t i = 0; i < d.count; i++)
			bytes_unref(d.proof[i]);
		free(d.proof);
		return false;
	}
	add_proof(&d, order);
	for (size_t i = 0; i < count; i++)
		add_proof(&d, commits[i]);
	d.op = bytes_ref(op->bytes);
	d.cut.count = e->n;
	d.cut.list = mem_dup(order->s.order.cut.list, e->n * sizeof *d.cut.list);
	d.next = bytes_ref(op->next_bytes);
	d.next_hash = hash_of(bytes_span(d.next));
	memcpy(d.charter, op->op.kind == OP_CHARTER ? op->op.charter : e->charter, sizeof d.charter);
	e->over = true;
	epoch_act(e, EPOCH_DECIDED)->decided = d;
	return true;
}

static bool try_decide(struct epoch *e)
{
	struct held *commits[ROSTER_MAX];
	for (size_t m = 0; m < e->n; m++) {
		const struct held_list *l = epoch_held_of(e, m, STATEMENT_COMMIT);
		for (size_t i = 0; i < l->count; i++) {
			const struct held *c = l->list[i];
			size_t count = epoch_ballots(e, STATEMENT_COMMIT, c->s.ballot.round, &c->s.ballot.value, commits);
			const struct held *order = count >= e->q ? epoch_held_order(e, &c->s.ballot.value) : NULL;
			if (order && decide(e, order, commits, count))
				return true;
		}
	}
	return false;
}

void epoch_progress(struct epoch *e)
{
	if (!e->started || e->over)
		return;
	epoch_ops_judge(e);
	if (try_decide(e))
		return;
	if (e->self != ROSTER_NOBODY && !e->leaving && may_begin(e)) {
		if (!e->gave_status)
			epoch_want_status(e, 0);
		catch_up(e);
		time_round(e);
		lead(e);
		vote_and_commit(e);
	}
	epoch_own_next(e);
}
