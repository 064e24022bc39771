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

static void transmit(struct world *w, unsigned node, unsigned copy, unsigned to, struct bytes *envelope)
{
	const struct copy *c = copy_of(w, node, copy);
	bool good = w->now >= HEAL_MS;
	for (unsigned k = 0; k < COPIES; k++) {
		if (!copy_of(w, to, k)->exists)
			continue;
		// a liar's copies each speak to some only
		if (w->nodes[node].lies && sim_chance(&w->random, 35))
			continue;
		if (w->down[node][copy][to][k])
			continue;
		if (!hears(w, node, to) || (!good && sim_chance(&w->random, w->options->loss))) {
			w->down[node][copy][to][k] = w->down[to][k][node][copy] = true;
			later(w, LOST_MS + sim_below(&w->random, LOST_MS),
			      (struct happening){.kind = LINKS, .node = node, .copy = copy, .other = to, .other_copy = k});
			continue;
		}
		unsigned times = !good && sim_chance(&w->random, w->options->twice) ? 2 : 1;
		while (times--) {
			int64_t delay = 5 + sim_below(&w->random, 20);
			if (!good && sim_chance(&w->random, w->options->slow))
				delay += sim_below(&w->random, 9000);
			later(w, delay, (struct happening){.kind = ARRIVES, .node = to, .copy = k, .other = node, .other_copy = copy,
							   .epoch = c->epoch, .bytes = bytes_ref(envelope)});
		}
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

void link_up(struct world *w, const struct happening *h)
{
	struct copy *a = copy_of(w, h->node, h->copy), *b = copy_of(w, h->other, h->other_copy);
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
		step(w, h->node, h->copy, (struct epoch_event){.type = EPOCH_EVENT_STATEMENT, .statement = {h->bytes}});
}
