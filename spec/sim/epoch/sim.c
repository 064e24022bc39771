// SPDX-License-Identifier: GPL-3.0-or-later
// One run: who there is, what is to happen, and the end.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spec/sim/epoch/world.h"

#define STEPS_MAX 400000

static void crash(struct world *w, unsigned node)
{
	struct copy *c = copy_of(w, node, 0);
	if (!c->up || w->nodes[node].gone)
		return;
	note(w, "%u crashes", node);
	c->up = false;
	c->life++;
	epoch_free(c->machine);
	c->machine = NULL;
	later(w, 50 + sim_below(&w->random, 20000), (struct happening){.kind = STARTS, .node = node});
}

static void starts(struct world *w, unsigned node)
{
	struct copy *c = copy_of(w, node, 0);
	if (c->up || w->nodes[node].gone)
		return;
	c->up = true;
	begin_epoch(w, node, 0);
	links_up(w, node, 0);
}

static struct bytes *make_op(struct world *w, unsigned node, unsigned copy)
{
	const struct copy *c = copy_of(w, node, copy);
	const struct roster_record *r = &c->rosters[c->epoch];
	struct op op = {0};
	unsigned what = sim_below(&w->random, 10);
	if (what < 7 && w->node_count > w->options->members) {
		unsigned candidate = w->options->members + sim_below(&w->random, w->node_count - w->options->members);
		op.kind = OP_ADMIT;
		snprintf(op.candidate.fingerprint, sizeof op.candidate.fingerprint, "%s", w->nodes[candidate].fingerprint);
		op.candidate.certificate = hash_of(span_string(op.candidate.fingerprint));
		snprintf(op.candidate.key, sizeof op.candidate.key, "%.16s", op.candidate.fingerprint + 20);
		op.join = bytes_new("join", 4);
	} else if (what < 9) {
		op.kind = OP_REMOVE;
		op.count = 1;
		snprintf(op.subjects[0], FINGERPRINT_SIZE, "%s", r->members[sim_below(&w->random, (unsigned)r->count)].fingerprint);
	} else {
		op.kind = OP_CHARTER;
		op.charter[0] = (char)('1' + sim_below(&w->random, r->count < 9 ? (unsigned)r->count : 9));
	}
	struct buf b;
	buf_init(&b, OP_MAX);
	struct bytes *bytes = op_encode(&op, &b, NULL) ? NULL : buf_take(&b);
	buf_fini(&b);
	op_fini(&op);
	return bytes;
}

static void proposes(struct world *w)
{
	unsigned node = sim_below(&w->random, w->node_count);
	for (unsigned k = 0; k < COPIES; k++) {
		struct copy *c = copy_of(w, node, k);
		if (!c->up || w->nodes[node].gone || !is_member(w, c, node))
			continue;
		if (k == 0 && sim_chance(&w->random, 12) && c->rosters[c->epoch].count > 3) {
			note(w, "%u leaves", node);
			step(w, node, k, (struct epoch_event){.type = EPOCH_EVENT_LEAVE});
			continue;
		}
		struct bytes *op = make_op(w, node, k);
		if (op)
			step(w, node, k, (struct epoch_event){.type = EPOCH_EVENT_PROPOSE, .propose = {.op = op}});
		bytes_unref(op);
	}
}

static void happens(struct world *w, const struct happening *h)
{
	struct copy *c = copy_of(w, h->node, h->copy);
	bool alive = c->up && c->life == h->life && c->epoch == h->epoch && !w->nodes[h->node].gone;
	switch (h->kind) {
	case ARRIVES:
		arrives(w, h);
		break;
	case WRITTEN:
		written(w, h);
		break;
	case DEADLINE:
		if (alive && c->deadline == w->now)
			step(w, h->node, h->copy, (struct epoch_event){.type = EPOCH_EVENT_DEADLINE});
		break;
	case RETRY:
		if (alive)
			step(w, h->node, h->copy, (struct epoch_event){.type = EPOCH_EVENT_RETRY});
		break;
	case LINKS:
		link_up(w, h);
		break;
	case PROPOSES:
		proposes(w);
		break;
	case ANSWERS:
		if (alive)
			step(w, h->node, h->copy, (struct epoch_event){.type = EPOCH_EVENT_ANSWER,
				.answer = {.op = h->op, .consents = h->consents, .reason = "because"}});
		break;
	case CRASHES:
		crash(w, h->node);
		break;
	case STARTS:
		starts(w, h->node);
		break;
	case VANISHES:
		note(w, "%u is gone", h->node);
		w->nodes[h->node].gone = true;
		break;
	case PARTS:
		for (unsigned i = 0; i < w->node_count; i++)
			w->part[i] = (uint8_t)(h->consents ? sim_below(&w->random, 2) : 0);
		break;
	case JOINS:
		join(w, h->node, h->other, h->other_copy);
		break;
	}
}

static void found(struct world *w)
{
	const struct sim_options *o = w->options;
	struct roster_record_member members[SIM_NODES];
	w->node_count = o->members + o->candidates;
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];
		char seed[64];
		snprintf(seed, sizeof seed, "%llu node %u", (unsigned long long)o->seed, i);
		struct hash h = hash_of(span_string(seed));
		for (unsigned k = 0; k < 40; k++)
			n->fingerprint[k] = "0123456789ABCDEF"[(h.bytes[k / 2] >> (k % 2 * 4)) & 15];
		if (i >= o->members)
			continue;
		members[i] = (struct roster_record_member){.certificate = hash_of(span_string(n->fingerprint))};
		memcpy(members[i].fingerprint, n->fingerprint, FINGERPRINT_SIZE);
		snprintf(members[i].key, sizeof members[i].key, "%.16s", n->fingerprint + 20);
	}
	for (unsigned i = 0; i < o->liars; i++)
		w->nodes[i].lies = true;
	char charter[RECORD_CHARTER_SIZE];
	snprintf(charter, sizeof charter, o->k_charter ? "%u" : "all", 1 + o->members / 2);
	struct hash charter_hash = hash_of(span_string(charter));
	struct roster_record r;
	struct buf b;
	buf_init(&b, ROSTER_RECORD_MAX);
	if (roster_begin(&r, "d15cd15cd15cd15cd15cd15cd15cd15c", &charter_hash, members, o->members, NULL) ||
	    roster_record_encode(&r, &b, NULL))
		abort();
	for (unsigned i = 0; i < o->members; i++)
		for (unsigned k = 0; k < (w->nodes[i].lies ? COPIES : 1); k++) {
			struct copy *c = copy_of(w, i, k);
			c->exists = c->up = true;
			c->rosters[0] = r;
			c->hashes[0] = hash_of(buf_span(&b));
			memcpy(c->charters[0], charter, sizeof charter);
		}
	buf_fini(&b);
}

static void plan(struct world *w)
{
	const struct sim_options *o = w->options;
	for (unsigned i = 0; i < o->ops; i++)
		later(w, 100 + sim_below(&w->random, 60000), (struct happening){.kind = PROPOSES});
	for (unsigned i = 0; i < o->crashes; i++)
		later(w, 100 + sim_below(&w->random, 80000),
		      (struct happening){.kind = CRASHES, .node = o->liars + sim_below(&w->random, o->members - o->liars)});
	for (unsigned i = 0; i < o->partitions; i++) {
		int64_t at = 100 + sim_below(&w->random, 60000);
		later(w, at, (struct happening){.kind = PARTS, .consents = true});
		later(w, at + 1 + sim_below(&w->random, 20000), (struct happening){.kind = PARTS});
	}
	for (unsigned i = 0; i < o->vanish; i++)
		later(w, 100 + sim_below(&w->random, 60000), (struct happening){.kind = VANISHES, .node = o->liars + i});
	// after healing everybody meets everybody, again and again
	for (int64_t at = HEAL_MS, in = 10000; at < END_MS; at += in, in *= 2)
		for (unsigned i = 0; i < w->node_count; i++)
			for (unsigned k = 0; k < COPIES; k++)
				for (unsigned other = 0; other < i; other++)
					later(w, at, (struct happening){.kind = LINKS, .node = i, .copy = k, .other = other});
}

static void clear(struct world *w)
{
	for (unsigned i = 0; i < w->node_count; i++)
		for (unsigned k = 0; k < COPIES; k++) {
			struct copy *c = copy_of(w, i, k);
			epoch_free(c->machine);
			for (unsigned e = 0; e < SIM_EPOCHS; e++) {
				for (size_t j = 0; j < c->disks[e].count; j++)
					bytes_unref(c->disks[e].envelopes[j]);
				free(c->disks[e].envelopes);
				for (size_t j = 0; j < c->proof_counts[e]; j++)
					bytes_unref(c->proofs[e][j]);
				free(c->proofs[e]);
			}
		}
	while (w->heap_count) {
		struct happening h = next_happening(w);
		bytes_unref(h.bytes);
	}
	for (size_t i = 0; i < 1 << NAMES_BITS; i++)
		bytes_unref(w->names[i].envelope);
	free(w->heap);
	free(w->said);
}

struct sim_result sim_run(const struct sim_options *options)
{
	struct world *w = mem_alloc(sizeof *w);
	w->options = options;
	w->random.state = options->seed;
	found(w);
	for (unsigned i = 0; i < options->members; i++)
		for (unsigned k = 0; k < (w->nodes[i].lies ? COPIES : 1); k++)
			begin_epoch(w, i, k);
	plan(w);
	while (w->heap_count && w->now < END_MS && !w->result.violation && w->result.steps < STEPS_MAX) {
		struct happening h = next_happening(w);
		w->now = h.at;
		w->result.steps++;
		happens(w, &h);
		bytes_unref(h.bytes);
	}
	if (!w->result.violation && w->result.steps < STEPS_MAX)
		check_end(w);
	struct sim_result result = w->result;
	clear(w);
	free(w);
	return result;
}

struct sim_options sim_options_of(uint64_t seed, unsigned members)
{
	struct sim_random r = {seed ^ UINT64_C(0x5071e5)};
	struct sim_options o = {.seed = seed};
	o.members = members ? members : 2 + sim_below(&r, 8);
	unsigned f = (unsigned)epoch_f(o.members);
	o.liars = f ? sim_below(&r, f + 1) : 0;
	o.candidates = 1 + sim_below(&r, 3);
	o.ops = 1 + sim_below(&r, 4);
	bool rough = sim_chance(&r, 80);
	o.loss = rough ? sim_below(&r, 15) : 0;
	o.twice = rough ? sim_below(&r, 10) : 0;
	o.slow = rough ? sim_below(&r, 20) : 0;
	o.crashes = rough ? sim_below(&r, 4) : 0;
	o.partitions = rough ? sim_below(&r, 3) : 0;
	o.vanish = sim_below(&r, f - o.liars + 1);
	o.k_charter = sim_chance(&r, 40);
	return o;
}
