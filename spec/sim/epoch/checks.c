// SPDX-License-Identifier: GPL-3.0-or-later
// What must hold at every step, and at the end (protocol §5, S and L rules of the ordering).
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spec/sim/epoch/world.h"
#include "wire/signed.h"

bool read_statement(struct bytes *envelope, struct statement *s, struct hash *name)
{
	struct envelope e;
	if (envelope_decode(&e, bytes_span(envelope), NULL))
		return false;
	bool good = !statement_decode(s, bytes_span(e.body), NULL);
	*name = hash_of(bytes_span(e.body));
	envelope_fini(&e);
	return good;
}

static uint32_t round_of(const struct statement *s)
{
	switch (s->type) {
	case STATEMENT_STATUS:
		return s->state.round;
	case STATEMENT_ORDER:
		return s->order.round;
	case STATEMENT_VOTE:
	case STATEMENT_COMMIT:
		return s->ballot.round;
	default:
		return 0;
	}
}

// S8: of an honest member never two of a kind in a round, also across crashes.
void remember(struct world *w, unsigned node, struct bytes *envelope)
{
	struct statement s;
	struct said new = {.node = node};
	if (!read_statement(envelope, &s, &new.name))
		return;
	new.roster = s.roster;
	new.type = s.type;
	new.round = round_of(&s);
	if (s.type == STATEMENT_PROPOSE)
		new.op = hash_of(bytes_span(s.op));
	else if (s.type == STATEMENT_ANSWER)
		new.op = s.answer.op;
	new.consents = s.type == STATEMENT_PROPOSE || (s.type == STATEMENT_ANSWER && s.answer.consents);
	if (new.round > w->result.rounds)
		w->result.rounds = new.round;
	if (s.type == STATEMENT_ORDER)
		w->values[w->value_count++ % (sizeof w->values / sizeof *w->values)] =
			statement_value(&s.order.op, &s.order.cut, bytes_span(s.order.next));
	note_statement(w, node, &s);
	statement_fini(&s);
	for (size_t i = 0; i < w->said_count; i++) {
		const struct said *old = &w->said[i];
		if (old->node != node || old->type != new.type || memcmp(&old->roster, &new.roster, HASH_LEN))
			continue;
		if (!memcmp(&old->name, &new.name, HASH_LEN))
			return;
		bool same = new.type == STATEMENT_PROPOSE ? false
			    : new.type == STATEMENT_ANSWER ? !memcmp(&old->op, &new.op, HASH_LEN)
							   : old->round == new.round;
		if (same && w->nodes[node].lies)
			lies_said(w, node, new.type);
		else if (same)
			violated(w, "S8: an honest member has signed two statements of a kind in a round");
		if (new.type == STATEMENT_VOTE || new.type == STATEMENT_COMMIT)
			continue;
	}
	// STATUS p: no VOTE and no COMMIT below it is first sent afterwards
	for (size_t i = 0; i < w->said_count && (new.type == STATEMENT_VOTE || new.type == STATEMENT_COMMIT); i++) {
		const struct said *old = &w->said[i];
		if (old->node == node && !w->nodes[node].lies && old->type == STATEMENT_STATUS && !memcmp(&old->roster, &new.roster, HASH_LEN) &&
		    old->round > new.round)
			violated(w, "S8: an honest member votes below its STATUS");
	}
	if (w->said_count == w->said_room) {
		w->said_room = w->said_room ? 2 * w->said_room : 256;
		w->said = mem_realloc(w->said, w->said_room * sizeof *w->said);
	}
	w->said[w->said_count++] = new;
}

// S2: what the charter asks of every honest member.
static void check_consents(struct world *w, const struct copy *c, const struct op *op, const struct hash *name)
{
	const struct roster_record *r = &c->rosters[c->epoch];
	size_t honest = 0, said = 0, liars = 0;
	for (size_t i = 0; i < r->count; i++) {
		unsigned node = node_of(w, r->members[i].fingerprint);
		bool subject = false;
		for (size_t k = 0; k < op->count; k++)
			subject = subject || !strcmp(op->subjects[k], r->members[i].fingerprint);
		if (subject)
			continue;
		if (w->nodes[node].lies) {
			liars++;
			continue;
		}
		honest++;
		for (size_t k = 0; k < w->said_count; k++)
			if (w->said[k].node == node && w->said[k].consents && !memcmp(&w->said[k].op, name, HASH_LEN) &&
			    !memcmp(&w->said[k].roster, &c->hashes[c->epoch], HASH_LEN)) {
				said++;
				break;
			}
	}
	bool all = op->kind != OP_ADMIT || !strcmp(c->charters[c->epoch], "all");
	size_t needed = all ? honest : (size_t)atoi(c->charters[c->epoch]);
	if (!all && needed > honest + liars)
		needed = honest + liars; // of fewer members, all
	if (!all)
		needed = needed > liars ? needed - liars : 0;
	if (op->kind != OP_DEPART && said < needed)
		violated(w, "S2: decided without the consents that the charter asks for");
}

// S2 and S9: the next roster is this one, but for what the op says.
static void check_next(struct world *w, const struct copy *c, const struct op *op, const struct epoch_decision *d)
{
	const struct roster_record *old = &c->rosters[c->epoch];
	struct roster_record next;
	if (roster_decode(&next, bytes_span(d->next), NULL)) {
		violated(w, "S3: a roster that is none was decided");
		return;
	}
	size_t go = op->kind == OP_REMOVE || op->kind == OP_DEPART ? op->count : 0;
	for (size_t i = 0; i < go; i++)
		if (roster_position(&next, op->subjects[i]) != ROSTER_NOBODY)
			violated(w, "S9: who was removed or left is still a member");
	for (size_t i = 0; i < old->count; i++) {
		size_t at = roster_position(&next, old->members[i].fingerprint);
		if (at != ROSTER_NOBODY && memcmp(&next.members[at], &old->members[i], sizeof old->members[i]) != 0)
			violated(w, "S3: a member has another key in the next roster");
	}
	if (next.count != old->count - go + (op->kind == OP_ADMIT))
		violated(w, "S2: a roster of others than the op says");
	if (op->kind != OP_ADMIT)
		return;
	size_t at = roster_position(&next, op->candidate.fingerprint);
	struct hash certificate = hash_of(span_string(op->candidate.fingerprint));
	if (at != next.count - 1 || memcmp(&next.members[at].certificate, &certificate, HASH_LEN) != 0)
		violated(w, "S2: admitted with a key that is not the candidate's");
}

void check_decision(struct world *w, struct copy *c, const struct epoch_decision *d)
{
	// a disk takes some milliseconds, a message a second
	if (w->options->calm && !c->epoch && c->talks[0] && w->now - w->proposed_at >= 7 * CALM_MS - CALM_MS / 2)
		violated(w, "L1: all are there and consent, and it takes more than 6 message delays");
	struct op op;
	struct hash name = hash_of(bytes_span(d->op)), nothing = {0};
	struct hash cut = statement_value(&nothing, &d->cut, span(NULL, 0));
	size_t i = 0;
	while (i < w->decided_count && memcmp(&w->decided[i].from, &c->hashes[c->epoch], HASH_LEN))
		i++;
	if (i < w->decided_count) {
		if (memcmp(&w->decided[i].to, &d->next_hash, HASH_LEN))
			violated(w, "S1: two rosters are certified over one");
		if (memcmp(&w->decided[i].cut, &cut, HASH_LEN))
			violated(w, "S5: two cuts are certified for one epoch");
		return;
	}
	if (i == sizeof w->decided / sizeof *w->decided)
		return;
	w->decided[i].from = c->hashes[c->epoch];
	w->decided[i].to = d->next_hash;
	w->decided[i].cut = cut;
	w->decided_count++;
	w->result.commits++;
	if (op_decode(&op, bytes_span(d->op), NULL)) {
		violated(w, "S1: an op that is none was decided");
		return;
	}
	w->result.admitted += op.kind == OP_ADMIT;
	w->result.removed += op.kind == OP_REMOVE;
	w->result.departed += op.kind == OP_DEPART;
	check_consents(w, c, &op, &name);
	check_next(w, c, &op, d);
	op_fini(&op);
}

// L4, L3: whoever is honest, there and a member at the end has reached the longest chain, and nobody is stuck in a round.
void check_end(struct world *w)
{
	uint32_t longest = 0;
	for (unsigned i = 0; i < w->node_count; i++)
		if (!w->nodes[i].lies && !w->nodes[i].gone && copy_of(w, i, 0)->exists && copy_of(w, i, 0)->epoch > longest)
			longest = copy_of(w, i, 0)->epoch;
	const struct copy *ahead = NULL;
	for (unsigned i = 0; i < w->node_count; i++)
		if (!w->nodes[i].lies && copy_of(w, i, 0)->epoch == longest && copy_of(w, i, 0)->exists)
			ahead = copy_of(w, i, 0);
	if (!ahead || longest + 1 >= SIM_EPOCHS)
		return;
	const struct roster_record *r = &ahead->rosters[longest];
	size_t able = 0;
	bool stuck = false;
	for (size_t i = 0; i < r->count; i++) {
		unsigned node = node_of(w, r->members[i].fingerprint);
		const struct copy *c = copy_of(w, node, 0);
		if (w->nodes[node].lies || w->nodes[node].gone || !c->exists)
			continue;
		if (c->epoch != longest && !c->left)
			violated(w, "L4: an honest member has not reached the longest chain");
		if (c->left)
			continue;
		able++;
		if (c->epoch == longest && memcmp(&c->hashes[longest], &ahead->hashes[longest], HASH_LEN))
			violated(w, "S3: equal epochs, other rosters");
		stuck = stuck || epoch_is_frozen(c->machine);
	}
	for (unsigned i = 0; i < w->node_count && w->options->calm; i++)
		if (copy_of(w, i, 0)->wish || w->result.commits < w->proposed)
			violated(w, "L2: all consent to two proposals, and one is never decided");
	if (stuck && able >= epoch_q(r->count))
		violated(w, "L3: enough honest members are there, and a round that was begun does not end");
	check_talk_end(w);
}
