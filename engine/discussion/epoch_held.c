// SPDX-License-Identifier: GPL-3.0-or-later
// The statements that an epoch machine keeps, each once, and of each member a bounded number.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/epoch_machine.h"
#include "wire/signed.h"

// What is said once counts to the end of the epoch: no more is taken. What belongs to a round makes room for later ones.
static const struct {
	size_t max;
	bool rolls;
} kept[STATEMENT_TYPE_COUNT] = {
	[STATEMENT_PROPOSE] = {EPOCH_PROPOSALS_MAX + EPOCH_SPARE_MAX, false}, [STATEMENT_ANSWER] = {EPOCH_ANSWERS_MAX, false},
	[STATEMENT_LEAVE] = {2, false},			    [STATEMENT_STATUS] = {EPOCH_ROUNDS_KEPT, true},
	[STATEMENT_ORDER] = {EPOCH_ROUNDS_KEPT, true},	    [STATEMENT_VOTE] = {EPOCH_ROUNDS_KEPT, true},
	[STATEMENT_COMMIT] = {EPOCH_ROUNDS_KEPT, true},
};

struct held *held_ref(struct held *h)
{
	h->refs++;
	return h;
}

void held_unref(struct held *h)
{
	if (!h || --h->refs)
		return;
	statement_fini(&h->s);
	bytes_unref(h->envelope);
	free(h);
}

// --- one of them ----------------------------------------------------------------------------------------------------------

static const char *misfit(const struct epoch *e, const struct statement *s, size_t author)
{
	if (!hash_equal(&s->roster, &e->roster_hash))
		return "of another roster";
	if (author == ROSTER_NOBODY)
		return "by nobody of the roster";
	if (s->type == STATEMENT_STATUS || s->type == STATEMENT_LEAVE)
		return s->state.heads.count == e->n ? NULL : "with heads of another roster";
	if (s->type == STATEMENT_ORDER)
		return s->order.cut.count == e->n ? NULL : "with a cut of another roster";
	return NULL;
}

struct held *epoch_held_new(const struct epoch *e, struct bytes *envelope, struct err_info *info)
{
	struct envelope parts;
	struct statement s;
	if (envelope_decode(&parts, bytes_span(envelope), info))
		return NULL;
	enum err code = statement_decode(&s, bytes_span(parts.body), info);
	struct hash name = hash_of(bytes_span(parts.body));
	bool other_type = !code && strcmp(parts.type, statement_type_name(s.type)) != 0;
	envelope_fini(&parts);
	if (code)
		return NULL;
	size_t author = roster_position(&e->roster, s.author);
	const char *why = other_type ? "signed as another type" : misfit(e, &s, author);
	if (why) {
		(void)err_set(info, ERR_BAD_INPUT, "a statement %s", why);
		statement_fini(&s);
		return NULL;
	}
	struct held *h = mem_alloc(sizeof *h);
	*h = (struct held){.refs = 1, .name = name, .author = author, .s = s, .envelope = bytes_ref(envelope)};
	if (s.type == STATEMENT_ORDER)
		h->value = statement_value(&s.order.op, &s.order.cut, bytes_span(s.order.next));
	return h;
}

// Whether nobody may sign both (P5.7).
static bool contradicts(const struct held *a, const struct held *b)
{
	const struct statement *x = &a->s, *y = &b->s;
	if (x->type == STATEMENT_PROPOSE && y->type == STATEMENT_ANSWER) {
		struct hash op = hash_of(bytes_span(x->op));
		return !y->answer.consents && hash_equal(&op, &y->answer.op);
	}
	if (x->type == STATEMENT_ANSWER && y->type == STATEMENT_PROPOSE)
		return contradicts(b, a);
	if (x->type != y->type)
		return false;
	switch (x->type) {
	case STATEMENT_ANSWER:
		return hash_equal(&x->answer.op, &y->answer.op);
	case STATEMENT_LEAVE:
		return true;
	case STATEMENT_STATUS:
		return x->state.round == y->state.round;
	case STATEMENT_ORDER:
		return x->order.round == y->order.round;
	case STATEMENT_VOTE:
	case STATEMENT_COMMIT:
		return x->ballot.round == y->ballot.round;
	case STATEMENT_PROPOSE:
	case STATEMENT_TYPE_COUNT:
		break;
	}
	return false;
}

static void find_contradiction(struct epoch *e, const struct held *h)
{
	struct epoch_member *m = &e->members[h->author];
	if (m->equivocates)
		return;
	for (size_t kind = 0; kind < STATEMENT_TYPE_COUNT; kind++)
		for (size_t i = 0; i < m->kinds[kind].count; i++) {
			const struct held *other = m->kinds[kind].list[i];
			if (!contradicts(other, h))
				continue;
			m->equivocates = true;
			struct epoch_action *a = epoch_act(e, EPOCH_EQUIVOCATION);
			a->proof.member = h->author;
			a->proof.first = bytes_ref(other->envelope);
			a->proof.second = bytes_ref(h->envelope);
			return;
		}
}

// --- all of them ----------------------------------------------------------------------------------------------------------

bool epoch_held_add(struct epoch *e, struct held *h, struct err_info *info)
{
	struct held_list *l = &e->members[h->author].kinds[h->s.type];
	if (epoch_held_find(e, &h->name)) {
		(void)err_set(info, ERR_BAD_INPUT, "a statement that is here");
		return false;
	}
	find_contradiction(e, h);
	if (l->count == kept[h->s.type].max) {
		if (!kept[h->s.type].rolls) {
			(void)err_set(info, ERR_BUSY, "more statements of kind '%s' than a member may make",
				      statement_type_name(h->s.type));
			return false;
		}
		held_unref(l->list[0]);
		memmove(l->list, l->list + 1, --l->count * sizeof *l->list);
	}
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : 2;
		l->list = mem_realloc(l->list, l->room * sizeof(struct held *));
	}
	l->list[l->count++] = held_ref(h);
	return true;
}

bool epoch_held_spare(struct epoch *e, size_t author)
{
	struct held_list *l = &e->members[author].kinds[STATEMENT_PROPOSE];
	size_t count = 0;
	for (size_t i = 0; i < l->count; i++)
		count += !l->list[i]->spare;
	if (count < EPOCH_PROPOSALS_MAX)
		return false;
	for (size_t i = 0; i < l->count; i++) {
		struct held *h = l->list[i];
		struct hash name = hash_of(bytes_span(h->s.op));
		struct epoch_op *op = epoch_op_find(e, &name);
		if (!h->spare || !op || epoch_op_complete(e, op))
			continue;
		memmove(&l->list[i], &l->list[i + 1], (--l->count - i) * sizeof(struct held *));
		held_unref(h);
		bool named = false;
		for (size_t m = 0; m < e->n; m++)
			named = named || epoch_op_proposal(e, op, m);
		if (!named)
			epoch_op_forget(e, op);
		(void)err_set(&epoch_act(e, EPOCH_DROP)->drop.why, ERR_BUSY, "more proposals than a member may make in an epoch");
		break;
	}
	return true;
}

struct held *epoch_held_find(const struct epoch *e, const struct hash *name)
{
	for (size_t m = 0; m < e->n; m++)
		for (size_t kind = 0; kind < STATEMENT_TYPE_COUNT; kind++) {
			const struct held_list *l = &e->members[m].kinds[kind];
			for (size_t i = 0; i < l->count; i++)
				if (!memcmp(&l->list[i]->name, name, sizeof *name))
					return l->list[i];
		}
	return NULL;
}

struct held *epoch_held_ballot(const struct epoch *e, size_t author, enum statement_type type, uint32_t round,
			       const struct hash *value)
{
	const struct held_list *l = epoch_held_of(e, author, type);
	for (size_t i = 0; i < l->count; i++)
		if (l->list[i]->s.ballot.round == round && hash_equal(&l->list[i]->s.ballot.value, value))
			return l->list[i];
	return NULL;
}

struct held *epoch_held_order(const struct epoch *e, const struct hash *value)
{
	if (e->lock.order && hash_equal(&e->lock.order->value, value))
		return e->lock.order;
	for (size_t m = 0; m < e->n; m++) {
		const struct held_list *l = epoch_held_of(e, m, STATEMENT_ORDER);
		for (size_t i = 0; i < l->count; i++)
			if (hash_equal(&l->list[i]->value, value))
				return l->list[i];
	}
	return NULL;
}

void epoch_held_clear(struct epoch *e)
{
	for (size_t m = 0; m < e->n; m++)
		for (size_t kind = 0; kind < STATEMENT_TYPE_COUNT; kind++) {
			struct held_list *l = &e->members[m].kinds[kind];
			for (size_t i = 0; i < l->count; i++)
				held_unref(l->list[i]);
			free(l->list);
			*l = (struct held_list){0};
		}
}

static void send_one(struct epoch *e, size_t member, const struct held *h)
{
	struct epoch_action *a = epoch_act(e, EPOCH_SEND);
	a->send.member = member;
	a->send.envelope = bytes_ref(h->envelope);
}

void epoch_held_send(struct epoch *e, size_t member)
{
	for (size_t kind = 0; kind < STATEMENT_TYPE_COUNT; kind++)
		for (size_t m = 0; m < e->n; m++) {
			const struct held_list *l = &e->members[m].kinds[kind];
			for (size_t i = 0; i < l->count; i++)
				send_one(e, member, l->list[i]);
		}
	// a lock outlives the lists
	if (e->lock.order)
		send_one(e, member, e->lock.order);
	for (size_t i = 0; i < e->lock.vote_count; i++)
		send_one(e, member, e->lock.votes[i]);
}
