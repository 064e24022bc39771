// SPDX-License-Identifier: GPL-3.0-or-later
// Ops that are proposed in an epoch, and who consents to them (§5, 2 and 3).
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/epoch_machine.h"

// --- what an op makes of the roster -----------------------------------------------------------------------------------------

static bool is_subject(const struct op *op, const char *fingerprint)
{
	for (size_t i = 0; i < op->count; i++)
		if (!strcmp(op->subjects[i], fingerprint))
			return true;
	return false;
}

static const char *admit(const struct epoch *e, const struct op *op, struct roster_record *next)
{
	if (roster_position(&e->roster, op->candidate.fingerprint) != ROSTER_NOBODY)
		return "who is to be admitted is a member";
	if (e->n == ROSTER_MAX)
		return "the discussion has 64 members";
	for (size_t i = 0; i < e->n; i++)
		if (!strcmp(e->roster.members[i].key, op->candidate.key) ||
		    hash_equal(&e->roster.members[i].certificate, &op->candidate.certificate))
			return "a member has the candidate's key";
	next->members[next->count++] = op->candidate;
	return NULL;
}

static const char *take_out(const struct epoch *e, const struct op *op, struct roster_record *next)
{
	for (size_t i = 0; i < op->count; i++)
		if (roster_position(&e->roster, op->subjects[i]) == ROSTER_NOBODY)
			return "who is to go is no member";
	if (e->n < 3)
		return "of two members none can be removed: close the discussion";
	if (op->count > e->n - e->q)
		return "so many cannot go at once: too few would be left to decide it";
	next->count = 0;
	for (size_t i = 0; i < e->n; i++)
		if (!is_subject(op, e->roster.members[i].fingerprint))
			next->members[next->count++] = e->roster.members[i];
	return NULL;
}

static size_t charter_count(const char *charter)
{
	return strcmp(charter, "all") ? strtoul(charter, NULL, 10) : ROSTER_MAX;
}

static const char *recharter(const struct epoch *e, const struct op *op, struct roster_record *next)
{
	if (strcmp(op->charter, "all") && charter_count(op->charter) > e->n)
		return "the charter asks for more consents than there are members";
	if (!strcmp(op->charter, e->charter))
		return "that is the charter already";
	next->charter = hash_of(span_string(op->charter));
	return NULL;
}

static const char *make_next(const struct epoch *e, const struct op *op, struct roster_record *next)
{
	*next = e->roster;
	next->previous = e->roster_hash;
	if (next->epoch++ == UINT32_MAX)
		return "there are no more epochs";
	switch (op->kind) {
	case OP_ADMIT:
		return admit(e, op, next);
	case OP_REMOVE:
	case OP_DEPART:
		return take_out(e, op, next);
	case OP_CHARTER:
		return recharter(e, op, next);
	case OP_KIND_COUNT:
		break;
	}
	return "an unknown op";
}

// --- the table ------------------------------------------------------------------------------------------------------------

struct epoch_op *epoch_op_find(const struct epoch *e, const struct hash *name)
{
	for (size_t i = 0; i < e->op_count; i++)
		if (!memcmp(&e->ops[i].name, name, sizeof *name))
			return &e->ops[i];
	return NULL;
}

struct epoch_op *epoch_op_take(struct epoch *e, struct bytes *bytes, struct err_info *info)
{
	struct epoch_op new = {.name = hash_of(bytes_span(bytes))};
	struct epoch_op *found = epoch_op_find(e, &new.name);
	if (found)
		return found;
	if (op_decode(&new.op, bytes_span(bytes), info))
		return NULL;
	const char *why = make_next(e, &new.op, &new.next);
	struct buf b;
	buf_init(&b, ROSTER_RECORD_MAX);
	enum err code = why ? err_set(info, ERR_BAD_PARAMS, "%s", why) : roster_record_encode(&new.next, &b, info);
	if (code) {
		buf_fini(&b);
		op_fini(&new.op);
		return NULL;
	}
	new.next_bytes = buf_take(&b);
	new.bytes = bytes_ref(bytes);
	if (e->op_count == e->op_room) {
		e->op_room = e->op_room ? 2 * e->op_room : 4;
		e->ops = mem_realloc(e->ops, e->op_room * sizeof *e->ops);
	}
	e->ops[e->op_count] = new;
	return &e->ops[e->op_count++];
}

void epoch_op_forget(struct epoch *e, struct epoch_op *op)
{
	op_fini(&op->op);
	bytes_unref(op->bytes);
	bytes_unref(op->next_bytes);
	memmove(op, op + 1, (size_t)(&e->ops[--e->op_count] - op) * sizeof *op);
}

void epoch_ops_clear(struct epoch *e)
{
	while (e->op_count)
		epoch_op_forget(e, &e->ops[e->op_count - 1]);
	free(e->ops);
	e->ops = NULL;
	e->op_room = 0;
}

// --- consents -------------------------------------------------------------------------------------------------------------

struct held *epoch_op_proposal(const struct epoch *e, const struct epoch_op *op, size_t member)
{
	const struct held_list *l = epoch_held_of(e, member, STATEMENT_PROPOSE);
	for (size_t i = 0; i < l->count; i++)
		if (span_equal(bytes_span(l->list[i]->s.op), bytes_span(op->bytes)))
			return l->list[i];
	return NULL;
}

bool epoch_op_counts(const struct epoch *e, const struct epoch_op *op)
{
	for (size_t m = 0; m < e->n; m++) {
		const struct held *h = epoch_op_proposal(e, op, m);
		if (h && !h->spare)
			return true;
	}
	return false;
}

struct held *epoch_op_said(const struct epoch *e, const struct epoch_op *op, size_t member, bool consents)
{
	struct held *proposal = consents ? epoch_op_proposal(e, op, member) : NULL;
	if (proposal)
		return proposal;
	const struct held_list *l = epoch_held_of(e, member, STATEMENT_ANSWER);
	for (size_t i = 0; i < l->count; i++) {
		const struct statement *s = &l->list[i]->s;
		if (s->answer.consents == consents && hash_equal(&s->answer.op, &op->name))
			return l->list[i];
	}
	return NULL;
}

bool epoch_op_asks(const struct epoch *e, const struct epoch_op *op, size_t member)
{
	if (op->op.kind == OP_DEPART)
		return false;
	return op->op.kind != OP_REMOVE || !is_subject(&op->op, e->roster.members[member].fingerprint);
}

size_t epoch_op_required(const struct epoch *e, const struct epoch_op *op)
{
	size_t k = e->n;
	switch (op->op.kind) {
	case OP_ADMIT:
		k = charter_count(e->charter);
		return k < e->n ? k : e->n;
	case OP_REMOVE:
		return e->n - op->op.count;
	case OP_DEPART:
		return 0;
	case OP_CHARTER:
	case OP_KIND_COUNT:
		break;
	}
	return k;
}

static bool leaves_are_here(const struct epoch *e, const struct op *op)
{
	for (size_t i = 0; i < op->count; i++) {
		const struct held *h = epoch_held_find(e, &op->leaves[i]);
		if (!h || h->s.type != STATEMENT_LEAVE || strcmp(h->s.author, op->subjects[i]))
			return false;
	}
	return true;
}

static size_t count_said(const struct epoch *e, const struct epoch_op *op, bool consents)
{
	size_t count = 0;
	for (size_t i = 0; i < e->n; i++)
		if (epoch_op_asks(e, op, i) && epoch_op_said(e, op, i, consents))
			count++;
	return count;
}

bool epoch_op_complete(const struct epoch *e, const struct epoch_op *op)
{
	if (op->op.kind == OP_DEPART)
		return leaves_are_here(e, &op->op);
	return count_said(e, op, true) >= epoch_op_required(e, op);
}

static enum epoch_op_state judge(const struct epoch *e, const struct epoch_op *op)
{
	if (epoch_op_complete(e, op))
		return EPOCH_OP_COMPLETE;
	size_t asked = op->op.kind == OP_REMOVE ? e->n - op->op.count : e->n;
	return count_said(e, op, false) > asked - epoch_op_required(e, op) ? EPOCH_OP_REFUSED : EPOCH_OP_OPEN;
}

void epoch_ops_judge(struct epoch *e)
{
	for (size_t i = 0; i < e->op_count; i++) {
		struct epoch_op *op = &e->ops[i];
		enum epoch_op_state state = judge(e, op);
		if (state != op->state) {
			op->state = state;
			struct epoch_action *a = epoch_act(e, EPOCH_TELL);
			a->op.name = op->name;
			a->op.member = ROSTER_NOBODY;
			a->op.state = state;
		}
		bool ask = e->self != ROSTER_NOBODY && !op->answered && state == EPOCH_OP_OPEN && epoch_op_asks(e, op, e->self);
		if (!ask || op->asked || !epoch_op_counts(e, op))
			continue;
		op->asked = true;
		struct epoch_action *a = epoch_act(e, EPOCH_ASK);
		a->op.name = op->name;
		a->op.member = ROSTER_NOBODY;
		a->op.state = state;
	}
}

// --- what a leader takes ----------------------------------------------------------------------------------------------------

bool epoch_someone_leaves(const struct epoch *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (epoch_held_of(e, i, STATEMENT_LEAVE)->count)
			return true;
	return false;
}

// Who goes waits for nobody; and of those that go, as many as possible.
struct epoch_op *epoch_op_choose(struct epoch *e)
{
	struct epoch_op *best = NULL;
	for (size_t i = 0; i < e->op_count; i++) {
		struct epoch_op *op = &e->ops[i];
		if (!epoch_op_complete(e, op))
			continue;
		size_t departs = op->op.kind == OP_DEPART ? op->op.count : 0;
		size_t most = best && best->op.kind == OP_DEPART ? best->op.count : 0;
		if (!best || departs > most || (departs == most && memcmp(&op->name, &best->name, HASH_LEN) < 0))
			best = op;
	}
	return best;
}

struct bytes *epoch_op_departs(const struct epoch *e)
{
	struct op op = {.kind = OP_DEPART};
	size_t leavers[ROSTER_MAX], count = 0;
	for (size_t i = 0; i < e->n; i++)
		if (epoch_held_of(e, i, STATEMENT_LEAVE)->count)
			leavers[count++] = i;
	// by fingerprint, which is not the roster's order
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++) {
			size_t a = leavers[i], b = leavers[j];
			if (strcmp(e->roster.members[a].fingerprint, e->roster.members[b].fingerprint) > 0) {
				leavers[i] = b;
				leavers[j] = a;
			}
		}
	for (size_t i = 0; i < count && op.count < e->n - e->q; i++) {
		memcpy(op.subjects[op.count], e->roster.members[leavers[i]].fingerprint, FINGERPRINT_SIZE);
		op.leaves[op.count++] = epoch_held_of(e, leavers[i], STATEMENT_LEAVE)->list[0]->name;
	}
	struct buf b;
	buf_init(&b, OP_MAX);
	struct bytes *bytes = NULL;
	if (op.count && !op_encode(&op, &b, NULL)) {
		bytes = buf_take(&b);
		struct hash name = hash_of(bytes_span(bytes));
		if (epoch_op_find(e, &name)) {
			bytes_unref(bytes);
			bytes = NULL;
		}
	}
	buf_fini(&b);
	return bytes;
}
