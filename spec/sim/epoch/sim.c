// SPDX-License-Identifier: GPL-3.0-or-later
// One run: who there is, what is to happen, and the end.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spec/sim/epoch/world.h"

#define STEPS_MAX 400000

void crash(struct world *w, unsigned node)
{
	struct copy *c = copy_of(w, node, 0);
	if (!c->up || w->nodes[node].gone)
		return;
	note(w, "%s crashes", name_of_node(w, node));
	if (w->end < w->now + SETTLE_MS)
		w->end = w->now + SETTLE_MS;
	c->up = false;
	c->life++;
	disk_lose(c);
	for (unsigned i = 0; i < w->node_count; i++)
		line_down(w, node, 0, i);
	talk_stop(c);
	epoch_free(c->machine);
	c->machine = NULL;
	bool soon = w->options->crash_ballots || w->options->restarts;
	later(w, 50 + sim_below(&w->random, soon ? 500 : 20000), (struct happening){.kind = STARTS, .node = node});
}

static void starts(struct world *w, unsigned node)
{
	struct copy *c = copy_of(w, node, 0);
	if (c->up || w->nodes[node].gone)
		return;
	note(w, "%s is back", name_of_node(w, node));
	c->up = true;
	begin_epoch(w, node, 0);
	links_up(w, node, 0);
}

static struct bytes *op_bytes(const struct op *op)
{
	struct buf b;
	buf_init(&b, OP_MAX);
	struct bytes *bytes = op_encode(op, &b, NULL) ? NULL : buf_take(&b);
	buf_fini(&b);
	return bytes;
}

// Its JOIN: what the candidate signed of itself.
static struct bytes *join_of(const struct roster_record_member *m)
{
	struct bytes *join = bytes_new(NULL, sizeof m->fingerprint + HASH_LEN);
	struct hash certificate = hash_of(span_string(m->fingerprint));
	memcpy(join->data, m->fingerprint, sizeof m->fingerprint);
	memcpy(join->data + sizeof m->fingerprint, certificate.bytes, HASH_LEN);
	return join;
}

struct bytes *admission(const char *fingerprint, bool swapped)
{
	struct op op = {.kind = OP_ADMIT};
	memcpy(op.candidate.fingerprint, fingerprint, FINGERPRINT_SIZE);
	op.candidate.certificate = hash_of(span_string(swapped ? "the sponsor's" : fingerprint));
	snprintf(op.candidate.key, sizeof op.candidate.key, "%.16s", fingerprint + 20);
	op.join = join_of(&op.candidate);
	struct bytes *bytes = op_bytes(&op);
	op_fini(&op);
	return bytes;
}

bool admission_holds(const struct op *op)
{
	struct bytes *join = join_of(&op->candidate);
	bool holds = span_equal(bytes_span(join), bytes_span(op->join)) &&
		     !memcmp(join->data + FINGERPRINT_SIZE, op->candidate.certificate.bytes, HASH_LEN);
	bytes_unref(join);
	return holds;
}

static struct bytes *removal(const char *fingerprint)
{
	struct op op = {.kind = OP_REMOVE, .count = 1};
	memcpy(op.subjects[0], fingerprint, FINGERPRINT_SIZE);
	return op_bytes(&op);
}

static struct bytes *make_op(struct world *w, unsigned node, unsigned copy)
{
	const struct copy *c = copy_of(w, node, copy);
	const struct roster_record *r = &c->rosters[c->epoch];
	struct op op = {0};
	unsigned what = sim_below(&w->random, 10), others = w->node_count - w->options->members;
	if (w->options->calm || (what < 7 && others)) {
		unsigned candidate = w->options->members + (w->options->calm ? node : sim_below(&w->random, others)) % others;
		bool swapped = lies_so(w, node, LIE_SWAPS_KEY) && sim_chance(&w->random, 70);
		if (swapped)
			lies_play(w, LIE_SWAPS_KEY, node);
		return admission(w->nodes[candidate].fingerprint, swapped);
	}
	if (what < 9)
		return removal(r->members[sim_below(&w->random, (unsigned)r->count)].fingerprint);
	op.kind = OP_CHARTER;
	op.charter[0] = (char)('1' + sim_below(&w->random, r->count < 9 ? (unsigned)r->count : 9));
	return op_bytes(&op);
}

static void propose(struct world *w, unsigned node, unsigned copy, struct bytes *op)
{
	struct copy *c = copy_of(w, node, copy);
	bool wishes = op && !c->wish && !w->nodes[node].lies;
	if (wishes)
		c->wish = bytes_ref(op);
	w->proposed++;
	w->proposed_at = w->now;
	if (op)
		step(w, node, copy, (struct epoch_event){.type = EPOCH_EVENT_PROPOSE, .propose = {.ticket = wishes, .op = op}});
	bytes_unref(op);
}

// A removes B while B removes A.
static void mutual(struct world *w, unsigned node)
{
	struct copy *c = copy_of(w, node, 0);
	const struct roster_record *r = &c->rosters[c->epoch];
	unsigned other = node_of(w, r->members[sim_below(&w->random, (unsigned)r->count)].fingerprint);
	struct copy *b = copy_of(w, other, 0);
	if (other == node || r->count < 3 || !b->up || b->epoch != c->epoch)
		return;
	lies_play(w, LIE_MUTUAL, node);
	propose(w, node, 0, removal(w->nodes[other].fingerprint));
	propose(w, other, 0, removal(w->nodes[node].fingerprint));
}

static void proposes(struct world *w, const struct happening *h)
{
	// calm ones begin with the last, so that two are two
	unsigned node = w->options->calm ? w->options->members - 1 - h->node : sim_below(&w->random, w->node_count);
	bool leaves = !w->options->calm && sim_chance(&w->random, 12);
	for (unsigned k = 0; k < COPIES; k++) {
		struct copy *c = copy_of(w, node, k);
		if (!c->up || w->nodes[node].gone || !is_member(w, c, node))
			continue;
		if (k == 0 && leaves && c->rosters[c->epoch].count > 3) {
			note(w, "%s leaves", name_of_node(w, node));
			step(w, node, k, (struct epoch_event){.type = EPOCH_EVENT_LEAVE});
		} else if (k == 0 && (w->options->lies & 1u << LIE_MUTUAL) && sim_chance(&w->random, 30)) {
			mutual(w, node);
		} else {
			propose(w, node, k, make_op(w, node, k));
		}
	}
}

static void jumps(struct world *w, unsigned node)
{
	struct copy *c = copy_of(w, node, 0);
	w->nodes[node].clock_ms = ((int64_t)sim_below(&w->random, 731) - 365) * 86400000;
	lies_play(w, LIE_CLOCKS, node);
	// what was to come later comes now
	if (c->up && !w->nodes[node].gone)
		step(w, node, 0, (struct epoch_event){.type = EPOCH_EVENT_DEADLINE});
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
		if (!h->bytes)
			proposes(w, h);
		else if (c->up && is_member(w, c, h->node) && !w->nodes[h->node].gone)
			step(w, h->node, h->copy,
			     (struct epoch_event){.type = EPOCH_EVENT_PROPOSE, .propose = {.ticket = 1, .op = h->bytes}});
		break;
	case SAYS:
		talk_says(w, h->node, h->copy);
		break;
	case JUMPS:
		jumps(w, h->node);
		break;
	case FALLS:
		lies_roll_back(w, h->node);
		break;
	case SEALED:
	case OPENED:
	case FRAME:
	case DELIVERY:
	case OUT_RETRY:
	case OUT_ACK:
	case IN_RETRY:
		talk_happens(w, h);
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
		note(w, "%s is gone for good", name_of_node(w, h->node));
		w->nodes[h->node].gone = true;
		break;
	case PARTS:
		note(w, h->consents ? "the network parts" : "the network is one");
		for (unsigned i = 0; i < w->node_count; i++)
			w->part[i] = (uint8_t)(h->consents ? sim_below(&w->random, 2) : 0);
		break;
	case JOINS:
		join(w, h->node, h->other, h->other_copy);
		break;
	}
}

// Who is two-faced, or says different things, is two with one key.
static unsigned halves(const struct world *w, unsigned node)
{
	return lies_so(w, node, LIE_TWO_FACED) || lies_so(w, node, LIE_OTHER_TEXT) ? COPIES : 1;
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
	for (unsigned i = 0; i < o->liars; i++) {
		bool falls = (o->lies & 1u << LIE_ROLLBACK) && (o->lies == 1u << LIE_ROLLBACK || sim_chance(&w->random, 30));
		w->nodes[i].lies = true;
		w->nodes[i].how = falls ? 1u << LIE_ROLLBACK : o->lies & ~(1u << LIE_ROLLBACK);
	}
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
		for (unsigned k = 0; k < halves(w, i); k++) {
			struct copy *c = copy_of(w, i, k);
			c->exists = c->up = true;
			c->rosters[0] = r;
			c->hashes[0] = hash_of(buf_span(&b));
			memcpy(c->charters[0], charter, sizeof charter);
		}
	buf_fini(&b);
}

// When honest and other members speak, when disks fall back, and clocks jump.
static void plan_members(struct world *w)
{
	const struct sim_options *o = w->options;
	for (unsigned i = 0; i < o->texts; i++) {
		unsigned node = sim_below(&w->random, o->members);
		for (unsigned k = 0; k < halves(w, node); k++)
			later(w, 100 + sim_below(&w->random, 80000), (struct happening){.kind = SAYS, .node = node, .copy = k});
	}
	for (unsigned i = 0; i < o->liars; i++)
		if (lies_so(w, i, LIE_ROLLBACK))
			later(w, 1000 + sim_below(&w->random, 60000), (struct happening){.kind = FALLS, .node = i});
	for (unsigned i = 0; (o->lies & 1u << LIE_CLOCKS) && i < 3; i++)
		later(w, 100 + sim_below(&w->random, 60000), (struct happening){.kind = JUMPS, .node = sim_below(&w->random, o->members)});
}

static void plan(struct world *w)
{
	const struct sim_options *o = w->options;
	for (unsigned i = 0; i < o->ops; i++)
		later(w, o->calm ? 1000 : 100 + sim_below(&w->random, 60000), (struct happening){.kind = PROPOSES, .node = i});
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
	plan_members(w);
	// all meet in the beginning; and after healing, again and again
	for (unsigned i = 0; i < o->members; i++)
		for (unsigned k = 0; k < halves(w, i); k++)
			for (unsigned other = 0; other < i; other++)
				later(w, 1, (struct happening){.kind = LINKS, .node = i, .copy = k, .other = other});
	for (int64_t at = HEAL_MS, in = 10000; at < END_MS; at += in, in *= 2)
		for (unsigned i = 0; i < w->node_count; i++)
			for (unsigned k = 0; k < COPIES; k++)
				for (unsigned other = 0; other < i; other++)
					later(w, at, (struct happening){.kind = LINKS, .node = i, .copy = k, .other = other});
}

static void clear(struct world *w)
{
	for (unsigned i = 0; i <= SIM_NODES; i++)
		for (unsigned k = 0; k < COPIES; k++)
			copy_free(copy_of(w, i, k));
	while (w->heap_count) {
		struct happening h = next_happening(w);
		bytes_unref(h.bytes);
	}
	for (size_t i = 0; i < 1 << NAMES_BITS; i++)
		bytes_unref(w->names[i].envelope);
	free(w->heap);
	free(w->said);
	free(w->built);
	memo_clear();
}

struct sim_result sim_run(const struct sim_options *options)
{
	struct world *w = mem_alloc(sizeof *w);
	w->options = options;
	w->random.state = options->seed;
	w->end = END_MS;
	found(w);
	for (unsigned i = 0; i < options->members; i++)
		for (unsigned k = 0; k < halves(w, i); k++)
			begin_epoch(w, i, k);
	plan(w);
	while (w->heap_count && w->now < w->end && !w->result.violation && w->result.steps < STEPS_MAX) {
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

struct sim_options sim_options_calm(struct sim_options o)
{
	struct sim_random r = {o.seed};
	return (struct sim_options){.seed = o.seed, .members = o.members, .calm = true, .candidates = 2, .trace = o.trace,
				    .ops = 1 + sim_below(&r, 2), .texts = sim_below(&r, 4)};
}

void sim_options_restarts(struct sim_options *o)
{
	o->calm = false;
	o->restarts = true;
	o->late = 100;
	o->ops = o->ops < 3 ? 3 : o->ops;
	o->texts = o->texts < 10 ? 10 : o->texts;
}

struct sim_options sim_options_of(uint64_t seed, unsigned members)
{
	struct sim_random r = {seed ^ UINT64_C(0x5071e5)};
	struct sim_options o = {.seed = seed};
	o.members = members ? members : 2 + sim_below(&r, 8);
	unsigned f = (unsigned)epoch_f(o.members);
	if (sim_chance(&r, 4))
		return sim_options_calm(o);
	o.liars = f ? sim_below(&r, f + 1) : 0;
	o.lies = sim_chance(&r, 50) ? 1u << LIE_TWO_FACED : 0;
	for (unsigned i = 0; i < SIM_LIES; i++)
		o.lies |= sim_chance(&r, 25) ? 1u << i : 0;
	o.flood = 1 + sim_below(&r, sim_chance(&r, 70) ? 6 : 40);
	o.candidates = 1 + sim_below(&r, 3);
	o.ops = 1 + sim_below(&r, 4);
	o.texts = sim_below(&r, 20);
	bool rough = sim_chance(&r, 80);
	o.loss = rough ? sim_below(&r, 15) : 0;
	o.twice = rough ? sim_below(&r, 10) : 0;
	o.slow = rough ? sim_below(&r, 20) : 0;
	o.late = rough && sim_chance(&r, 40) ? 50 + sim_below(&r, 51) : 0;
	o.crashes = rough ? sim_below(&r, 4) : 0;
	o.partitions = rough ? sim_below(&r, 3) : 0;
	o.vanish = sim_below(&r, f - o.liars + 1);
	o.k_charter = sim_chance(&r, 40);
	if (rough && sim_chance(&r, 40)) {
		o.crash_ballots = sim_chance(&r, 50);
		o.crash_at = 1 + sim_below(&r, o.crash_ballots ? 24 : 200);
		o.crash_after = sim_chance(&r, o.crash_ballots ? 80 : 50);
	}
	return o;
}
