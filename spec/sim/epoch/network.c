// SPDX-License-Identifier: GPL-3.0-or-later
// Links: they delay, double, reorder and lose; what was lost comes again when a link is back.
#include <string.h>

#include "spec/sim/epoch/world.h"

void keep_name(struct world *w, struct bytes *envelope, const struct hash *name)
{
	size_t i = ((uintptr_t)envelope >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - NAMES_BITS);
	for (size_t tries = 0; tries < 64; tries++, i = (i + 1) % (1 << NAMES_BITS))
		if (!w->names[i].envelope) {
			w->names[i].envelope = bytes_ref(envelope);
			w->names[i].name = *name;
			return;
		}
}

static const struct hash *name_of(const struct world *w, const struct bytes *envelope)
{
	size_t i = ((uintptr_t)envelope >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - NAMES_BITS);
	for (size_t tries = 0; tries < 64 && w->names[i].envelope; tries++, i = (i + 1) % (1 << NAMES_BITS))
		if (w->names[i].envelope == envelope)
			return &w->names[i].name;
	return NULL;
}

bool hears(const struct world *w, unsigned a, unsigned b)
{
	return w->now >= HEAL_MS || w->part[a] == w->part[b];
}

static bool is_lost(struct world *w, unsigned a, unsigned b)
{
	return !hears(w, a, b) || (w->now < HEAL_MS && sim_chance(&w->random, w->options->loss));
}

static int64_t delay_of(struct world *w)
{
	if (w->options->calm)
		return CALM_MS;
	int64_t delay = 5 + sim_below(&w->random, 20);
	if (w->now < HEAL_MS && sim_chance(&w->random, w->options->slow))
		delay += sim_below(&w->random, 9000);
	return delay;
}

void line_down(struct world *w, unsigned node, unsigned copy, unsigned other)
{
	struct copy *c = copy_of(w, node, copy);
	if (!c->lines[other].up)
		return;
	unsigned other_copy = c->lines[other].copy;
	struct copy *peer = copy_of(w, other, other_copy);
	c->lines[other].up = false;
	talk_line_down(w, node, copy, other);
	if (!peer->lines[node].up || peer->lines[node].generation != c->lines[other].generation)
		return;
	peer->lines[node].up = false;
	talk_line_down(w, other, other_copy, node);
}

// What is on its way is lost, and both try again.
static void link_breaks(struct world *w, unsigned node, unsigned copy, unsigned to, unsigned to_copy)
{
	w->down[node][copy][to][to_copy] = w->down[to][to_copy][node][copy] = true;
	later(w, LOST_MS + sim_below(&w->random, LOST_MS),
	      (struct happening){.kind = LINKS, .node = node, .copy = copy, .other = to, .other_copy = to_copy});
	if (copy_of(w, node, copy)->lines[to].copy == to_copy)
		line_down(w, node, copy, to);
}

void line_send(struct world *w, unsigned node, unsigned copy, unsigned to, struct happening h)
{
	struct line *line = &copy_of(w, node, copy)->lines[to];
	if (!line->up || is_lost(w, node, to)) {
		if (line->up)
			link_breaks(w, node, copy, to, line->copy);
		bytes_unref(h.bytes);
		return;
	}
	int64_t at = w->now + delay_of(w);
	line->last_at = at > line->last_at ? at : line->last_at + 1;
	h.node = to;
	h.copy = line->copy;
	h.other = node;
	h.other_copy = copy;
	h.generation = line->generation;
	later(w, line->last_at - w->now, h);
}

// In some runs most COMMITs come rounds later: locks that few know of.
static int64_t delay_of_ballot(struct world *w, struct bytes *envelope)
{
	struct statement s;
	struct hash name;
	if (w->now >= HEAL_MS || !sim_chance(&w->random, w->options->late) || !read_statement(envelope, &s, &name))
		return 0;
	bool commits = s.type == STATEMENT_COMMIT;
	statement_fini(&s);
	return commits ? 3000 + sim_below(&w->random, 60000) : 0;
}

static void transmit(struct world *w, unsigned node, unsigned copy, unsigned to, struct bytes *envelope)
{
	const struct copy *c = copy_of(w, node, copy);
	for (unsigned k = 0; k < COPIES; k++) {
		if (!copy_of(w, to, k)->exists)
			continue;
		// a liar's copies each speak to some only
		if (w->nodes[node].copies[1].exists && sim_chance(&w->random, 35))
			continue;
		if (w->down[node][copy][to][k])
			continue;
		if (is_lost(w, node, to)) {
			link_breaks(w, node, copy, to, k);
			continue;
		}
		struct bytes *said = w->nodes[node].lies ? lies_alter(w, node, envelope) : bytes_ref(envelope);
		unsigned times = w->now < HEAL_MS && sim_chance(&w->random, w->options->twice) ? 2 : 1;
		while (said && times--)
			later(w, delay_of(w) + delay_of_ballot(w, said),
			      (struct happening){.kind = ARRIVES, .node = to, .copy = k, .other = node, .other_copy = copy,
						 .epoch = c->epoch, .bytes = bytes_ref(said)});
		bytes_unref(said);
	}
}

void send_to(struct world *w, unsigned node, unsigned copy, size_t member, struct bytes *envelope)
{
	struct copy *c = copy_of(w, node, copy);
	const struct roster_record *r = &c->rosters[c->epoch];
	for (size_t i = 0; i < r->count; i++) {
		unsigned to = node_of(w, r->members[i].fingerprint);
		if (to != node && (member == ROSTER_NOBODY || member == i))
			transmit(w, node, copy, to, envelope);
	}
}

void links_up(struct world *w, unsigned node, unsigned copy)
{
	for (unsigned i = 0; i < w->node_count; i++)
		for (unsigned k = 0; i != node && k < COPIES; k++)
			later(w, 1 + sim_below(&w->random, 200),
			      (struct happening){.kind = LINKS, .node = node, .copy = copy, .other = i, .other_copy = k});
}

void send_chain(struct world *w, unsigned node, unsigned copy, unsigned to, unsigned to_copy, uint32_t epoch)
{
	const struct copy *c = copy_of(w, node, copy);
	for (size_t i = 0; epoch < c->epoch && i < c->proof_counts[epoch]; i++)
		later(w, 5 + sim_below(&w->random, 10),
		      (struct happening){.kind = ARRIVES, .node = to, .copy = to_copy, .other = node, .other_copy = copy, .epoch = epoch,
					 .chain = true, .bytes = bytes_ref(c->proofs[epoch][i])});
}

// Both are in one epoch, and members of it: what they say goes over this link from now on, and no other.
static void join_line(struct world *w, const struct happening *h)
{
	struct copy *a = copy_of(w, h->node, h->copy), *b = copy_of(w, h->other, h->other_copy);
	if (!a->outbox || !b->outbox || a->epoch != b->epoch || !is_member(w, a, h->other) || !is_member(w, b, h->node))
		return;
	line_down(w, h->node, h->copy, h->other);
	line_down(w, h->other, h->other_copy, h->node);
	a->lines[h->other] = (struct line){true, h->other_copy, ++w->generations, 0};
	b->lines[h->node] = (struct line){true, h->copy, w->generations, 0};
	talk_line_up(w, h->node, h->copy, h->other);
	talk_line_up(w, h->other, h->other_copy, h->node);
	if (w->nodes[h->node].lies)
		lies_line_up(w, h->node, h->copy);
	if (w->nodes[h->other].lies)
		lies_line_up(w, h->other, h->other_copy);
}

// A link that is up stays up: nothing is said twice on it.
static bool is_up(const struct copy *a, const struct copy *b, const struct happening *h)
{
	const struct line *there = &a->lines[h->other], *back = &b->lines[h->node];
	return there->up && back->up && there->generation == back->generation && a->epoch == b->epoch;
}

void link_up(struct world *w, const struct happening *h)
{
	struct copy *a = copy_of(w, h->node, h->copy), *b = copy_of(w, h->other, h->other_copy);
	if (is_up(a, b, h))
		return;
	if (!a->up || !b->up || w->nodes[h->node].gone || w->nodes[h->other].gone)
		return;
	if (!hears(w, h->node, h->other)) {
		later(w, LOST_MS + sim_below(&w->random, LOST_MS), *h);
		return;
	}
	w->down[h->node][h->copy][h->other][h->other_copy] = w->down[h->other][h->other_copy][h->node][h->copy] = false;
	struct copy *pair[2] = {a, b};
	unsigned nodes[2] = {h->node, h->other}, copies[2] = {h->copy, h->other_copy};
	for (unsigned i = 0; i < 2; i++) {
		struct copy *me = pair[i], *other = pair[1 - i];
		if (me->epoch > other->epoch)
			send_chain(w, nodes[i], copies[i], nodes[1 - i], copies[1 - i], other->epoch);
		size_t position = roster_position(&me->rosters[me->epoch], w->nodes[nodes[1 - i]].fingerprint);
		if (me->epoch == other->epoch && position != ROSTER_NOBODY)
			step(w, nodes[i], copies[i], (struct epoch_event){.type = EPOCH_EVENT_LINK_UP, .member = position});
	}
	if (!w->down[h->node][h->copy][h->other][h->other_copy]) // again
		join_line(w, h);
}

// The shell looks at an ADMIT before the machine does.
void take_statement(struct world *w, unsigned node, unsigned copy, struct bytes *envelope)
{
	struct statement s;
	struct hash name;
	struct op op;
	if (!read_statement(envelope, &s, &name))
		return;
	bool holds = true;
	if (s.type == STATEMENT_PROPOSE && !op_decode(&op, bytes_span(s.op), NULL)) {
		holds = op.kind != OP_ADMIT || admission_holds(&op);
		op_fini(&op);
	}
	statement_fini(&s);
	if (holds)
		step(w, node, copy, (struct epoch_event){.type = EPOCH_EVENT_STATEMENT, .statement = {envelope}});
}

void arrives(struct world *w, const struct happening *h)
{
	struct copy *c = copy_of(w, h->node, h->copy);
	if (!c->up || w->nodes[h->node].gone)
		return;
	if (h->epoch < c->epoch) {
		// who is behind is given the chain at its next link
		if (!h->chain && sim_chance(&w->random, 20))
			send_chain(w, h->node, h->copy, h->other, h->other_copy, h->epoch);
		return;
	}
	if (h->epoch > c->epoch) {
		if (c->left || w->now < c->asked_chain + 500)
			return;
		c->asked_chain = w->now;
		later(w, 50, (struct happening){.kind = LINKS, .node = h->node, .copy = h->copy, .other = h->other, .other_copy = h->other_copy});
		return;
	}
	const struct hash *name = name_of(w, h->bytes);
	if (!name || !epoch_knows(c->machine, name))
		take_statement(w, h->node, h->copy, h->bytes);
}
