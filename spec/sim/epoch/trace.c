// SPDX-License-Identifier: GPL-3.0-or-later
// A run for readers: who signs what, what is decided, and what goes wrong.
#include <stdio.h>
#include <string.h>

#include "spec/sim/epoch/world.h"

static void put_op(const struct world *w, struct span bytes, char *out, size_t size)
{
	struct op op;
	if (op_decode(&op, bytes, NULL)) {
		snprintf(out, size, "what is no op");
		return;
	}
	if (op.kind == OP_ADMIT)
		snprintf(out, size, "admit %s", name_of_node(w, node_of(w, op.candidate.fingerprint)));
	else if (op.kind == OP_CHARTER)
		snprintf(out, size, "charter %s", op.charter);
	else
		snprintf(out, size, "%s %s%s", op.kind == OP_REMOVE ? "remove" : "depart",
			 name_of_node(w, node_of(w, op.subjects[0])), op.count > 1 ? " and others" : "");
	op_fini(&op);
}

// A value, or an op, by its first bytes.
static const char *brief(const struct hash *h, char out[8])
{
	snprintf(out, 8, "%02x%02x%02x", h->bytes[0], h->bytes[1], h->bytes[2]);
	return out;
}

void note_statement(struct world *w, unsigned node, const struct statement *s)
{
	char text[64], value[8];
	if (!w->options->trace)
		return;
	const char *who = name_of_node(w, node);
	switch (s->type) {
	case STATEMENT_PROPOSE:
		put_op(w, bytes_span(s->op), text, sizeof text);
		note(w, "%s proposes: %s", who, text);
		break;
	case STATEMENT_ANSWER:
		note(w, "%s %s", who, s->answer.consents ? "consents" : "refuses");
		break;
	case STATEMENT_LEAVE:
		note(w, "%s signs LEAVE", who);
		break;
	case STATEMENT_STATUS:
		if (s->state.lock.is)
			snprintf(text, sizeof text, ", locked on %s in round %u", brief(&s->state.lock.value, value), s->state.lock.round);
		note(w, "%s signs STATUS %u%s", who, s->state.round, s->state.lock.is ? text : "");
		break;
	case STATEMENT_ORDER: {
		struct hash h = statement_value(&s->order.op, &s->order.cut, bytes_span(s->order.next));
		note(w, "%s orders %s in round %u%s", who, brief(&h, value), s->order.round, s->order.lock.is ? ", as locked" : "");
		break;
	}
	case STATEMENT_VOTE:
	case STATEMENT_COMMIT:
		note(w, "%s %s %s in round %u", who, s->type == STATEMENT_VOTE ? "votes for" : "commits to",
		     brief(&s->ballot.value, value), s->ballot.round);
		break;
	case STATEMENT_TYPE_COUNT:
		break;
	}
}

void note_decision(struct world *w, unsigned node, unsigned copy, const struct epoch_decision *d, const struct roster_record *next)
{
	const struct copy *c = copy_of(w, node, copy);
	char text[64], value[8];
	if (!w->options->trace)
		return;
	put_op(w, bytes_span(d->op), text, sizeof text);
	note(w, "%s ends epoch %u: %s; %zu members, roster %s", name_of_node(w, node), c->epoch, text, next->count,
	     brief(&d->next_hash, value));
}
