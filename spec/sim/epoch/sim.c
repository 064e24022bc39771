// SPDX-License-Identifier: GPL-3.0-or-later
// The world of one run: nodes, disks, network, and what must hold at every step (protocol §5, S and L rules of the ordering).
#include "spec/sim/epoch/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/signed.h"

#define NAMES_BITS 16
#define COPIES 2          // a liar is up to two members with one key, who know nothing of each other
#define WRITE_MS 3        // of a disk
#define LOST_MS 3000      // until a broken link is back
#define HEAL_MS 120000    // from here on the network is good, and everybody is back
#define END_MS (HEAL_MS + 600000)
#define STEPS_MAX 400000

uint64_t sim_next(struct sim_random *r)
{
	uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

unsigned sim_below(struct sim_random *r, unsigned limit)
{
	return (unsigned)(sim_next(r) % limit);
}

bool sim_chance(struct sim_random *r, unsigned percent)
{
	return sim_below(r, 100) < percent;
}

// --- the world ------------------------------------------------------------------------------------------------------------

enum kind { ARRIVES, WRITTEN, DEADLINE, RETRY, LINKS, PROPOSES, ANSWERS, LEAVES, CRASHES, STARTS, VANISHES, PARTS, JOINS };

struct happening {
	int64_t at;
	uint64_t order; // of equal times
	enum kind kind;
	unsigned node, copy, other, other_copy;
	uint32_t epoch, life;
	struct bytes *bytes;
	struct hash op;
	bool consents;
	bool chain; // part of an answer to who is behind
};

// What is on the disk of a node, of one epoch.
struct disk {
	size_t count, room;
	struct bytes **envelopes;
};

struct copy {
	bool exists, up, left;
	uint32_t life; // of restarts: what was under way in an earlier one is void
	uint32_t epoch;
	struct epoch *machine;
	struct disk disks[SIM_EPOCHS];
	struct roster_record rosters[SIM_EPOCHS + 1]; // R_e as this node has them
	struct hash hashes[SIM_EPOCHS + 1];
	char charters[SIM_EPOCHS + 1][RECORD_CHARTER_SIZE];
	size_t proof_counts[SIM_EPOCHS]; // of the end of each epoch
	struct bytes **proofs[SIM_EPOCHS];
	int64_t deadline, asked_chain;
};

struct node {
	char fingerprint[FINGERPRINT_SIZE];
	bool lies, gone, was_told; // gone: for good
	struct copy copies[COPIES];
};

// What honest members have signed and sent: S8.
struct said {
	unsigned node;
	struct hash roster, name, op;
	enum statement_type type;
	uint32_t round;
	bool consents;
};

struct world {
	const struct sim_options *options;
	struct sim_random random;
	int64_t now;
	uint64_t order;
	struct happening *heap;
	size_t heap_count, heap_room;
	struct node nodes[SIM_NODES];
	unsigned node_count;
	uint8_t part[SIM_NODES]; // who hears whom
	bool down[SIM_NODES][COPIES][SIM_NODES][COPIES]; // links that are lost, until LINKS
	struct said *said;
	size_t said_count, said_room;
	// The names of envelopes, by address: what a member knows is not read again.
	struct {
		struct bytes *envelope;
		struct hash name;
	} names[1 << NAMES_BITS];
	size_t decided_count; // S1
	struct {
		struct hash from, to, cut;
	} decided[4 * SIM_EPOCHS];
	struct sim_result result;
};

__attribute__((format(printf, 2, 3))) static void note(struct world *w, const char *format, ...)
{
	if (!w->options->trace)
		return;
	va_list list;
	va_start(list, format);
	printf("%8lld  ", (long long)w->now);
	vprintf(format, list);
	printf("\n");
	va_end(list);
}

static void violated(struct world *w, const char *what)
{
	if (!w->result.violation)
		w->result.violation = what;
	note(w, "VIOLATION: %s", what);
}

// --- what happens when ------------------------------------------------------------------------------------------------------

static bool before(const struct happening *a, const struct happening *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void later(struct world *w, int64_t in, struct happening h)
{
	h.at = w->now + in;
	h.order = ++w->order;
	if (w->heap_count == w->heap_room) {
		w->heap_room = w->heap_room ? 2 * w->heap_room : 256;
		w->heap = mem_realloc(w->heap, w->heap_room * sizeof *w->heap);
	}
	size_t i = w->heap_count++;
	for (; i > 0 && before(&h, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = h;
}

static struct happening pop(struct world *w)
{
	struct happening first = w->heap[0], last = w->heap[--w->heap_count];
	size_t i = 0;
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= w->heap_count)
			break;
		if (child + 1 < w->heap_count && before(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!before(&w->heap[child], &last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	if (w->heap_count)
		w->heap[i] = last;
	return first;
}

// --- statements -----------------------------------------------------------------------------------------------------------

static struct bytes *sign(const char *type, struct span body)
{
	struct envelope e = {.body = bytes_new_span(body), .signature = bytes_new("s", 1)};
	struct buf b;
	snprintf(e.type, sizeof e.type, "%s", type);
	buf_init(&b, 2 * STATEMENT_MAX);
	if (envelope_encode(&e, &b, NULL))
		abort();
	envelope_fini(&e);
	struct bytes *bytes = buf_take(&b);
	buf_fini(&b);
	return bytes;
}

static bool read_statement(struct bytes *envelope, struct statement *s, struct hash *name)
{
	struct envelope e;
	if (envelope_decode(&e, bytes_span(envelope), NULL))
		return false;
	bool good = !statement_decode(s, bytes_span(e.body), NULL);
	*name = hash_of(bytes_span(e.body));
	envelope_fini(&e);
	return good;
}

static void keep_name(struct world *w, struct bytes *envelope, const struct hash *name)
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
static void remember(struct world *w, unsigned node, struct bytes *envelope)
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
		if (same)
			violated(w, "S8: an honest member has signed two statements of a kind in a round");
		if (new.type == STATEMENT_VOTE || new.type == STATEMENT_COMMIT)
			continue;
	}
	// STATUS p: no VOTE and no COMMIT below it is first sent afterwards
	for (size_t i = 0; i < w->said_count && (new.type == STATEMENT_VOTE || new.type == STATEMENT_COMMIT); i++) {
		const struct said *old = &w->said[i];
		if (old->node == node && old->type == STATEMENT_STATUS && !memcmp(&old->roster, &new.roster, HASH_LEN) &&
		    old->round > new.round)
			violated(w, "S8: an honest member votes below its STATUS");
	}
	if (w->said_count == w->said_room) {
		w->said_room = w->said_room ? 2 * w->said_room : 256;
		w->said = mem_realloc(w->said, w->said_room * sizeof *w->said);
	}
	w->said[w->said_count++] = new;
}

// --- nodes ------------------------------------------------------------------------------------------------------------------

static void step(struct world *w, unsigned node, unsigned copy, struct epoch_event event);

static struct copy *copy_of(struct world *w, unsigned node, unsigned copy)
{
	return &w->nodes[node].copies[copy];
}

static unsigned node_of(const struct world *w, const char *fingerprint)
{
	for (unsigned i = 0; i < w->node_count; i++)
		if (!strcmp(w->nodes[i].fingerprint, fingerprint))
			return i;
	return SIM_NODES;
}

static bool is_member(const struct world *w, const struct copy *c, unsigned node)
{
	return roster_position(&c->rosters[c->epoch], w->nodes[node].fingerprint) != ROSTER_NOBODY;
}

static void disk_add(struct disk *d, struct bytes *envelope)
{
	if (d->count == d->room) {
		d->room = d->room ? 2 * d->room : 8;
		d->envelopes = mem_realloc(d->envelopes, d->room * sizeof(struct bytes *));
	}
	d->envelopes[d->count++] = bytes_ref(envelope);
}

static bool hears(const struct world *w, unsigned a, unsigned b)
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

static void send(struct world *w, unsigned node, unsigned copy, size_t member, struct bytes *envelope)
{
	struct copy *c = copy_of(w, node, copy);
	const struct roster_record *r = &c->rosters[c->epoch];
	for (size_t i = 0; i < r->count; i++) {
		unsigned to = node_of(w, r->members[i].fingerprint);
		if (to != node && (member == ROSTER_NOBODY || member == i))
			transmit(w, node, copy, to, envelope);
	}
}

static void begin_epoch(struct world *w, unsigned node, unsigned copy)
{
	struct copy *c = copy_of(w, node, copy);
	struct epoch_config config = {.roster = &c->rosters[c->epoch], .roster_hash = c->hashes[c->epoch]};
	if (is_member(w, c, node))
		memcpy(config.own, w->nodes[node].fingerprint, sizeof config.own);
	memcpy(config.charter, c->charters[c->epoch], sizeof config.charter);
	epoch_free(c->machine);
	c->machine = epoch_new(&config);
	const struct disk *d = &c->disks[c->epoch];
	for (size_t i = 0; i < d->count; i++)
		step(w, node, copy, (struct epoch_event){.type = EPOCH_EVENT_RESTORE, .statement = {d->envelopes[i]}});
	step(w, node, copy, (struct epoch_event){.type = EPOCH_EVENT_START});
}

static void links_up(struct world *w, unsigned node, unsigned copy)
{
	for (unsigned i = 0; i < w->node_count; i++)
		for (unsigned k = 0; i != node && k < COPIES; k++)
			later(w, 1 + sim_below(&w->random, 200),
			      (struct happening){.kind = LINKS, .node = node, .copy = copy, .other = i, .other_copy = k});
}

// --- the end of an epoch ------------------------------------------------------------------------------------------------------

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
	if (!all)
		needed = needed > liars ? needed - liars : 0;
	if (op->kind != OP_DEPART && said < needed)
		violated(w, "S2: decided without the consents that the charter asks for");
}

static void check_decision(struct world *w, struct copy *c, const struct epoch_decision *d)
{
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
	op_fini(&op);
}

static void take_chain(struct world *w, unsigned candidate, unsigned from, unsigned from_copy)
{
	later(w, 20, (struct happening){.kind = JOINS, .node = candidate, .other = from, .other_copy = from_copy});
}

static void decided(struct world *w, unsigned node, unsigned copy, struct epoch_decision *d)
{
	struct copy *c = copy_of(w, node, copy);
	if (!w->nodes[node].lies || is_member(w, c, node))
		check_decision(w, c, d);
	if (c->epoch + 1 >= SIM_EPOCHS)
		return;
	c->proof_counts[c->epoch] = d->count;
	c->proofs[c->epoch] = mem_alloc_array(d->count, sizeof(struct bytes *));
	for (size_t i = 0; i < d->count; i++)
		c->proofs[c->epoch][i] = bytes_ref(d->proof[i]);
	if (roster_decode(&c->rosters[c->epoch + 1], bytes_span(d->next), NULL)) {
		violated(w, "S3: a roster that is none was decided");
		return;
	}
	const struct roster_record *old = &c->rosters[c->epoch], *next = &c->rosters[c->epoch + 1];
	c->hashes[c->epoch + 1] = d->next_hash;
	memcpy(c->charters[c->epoch + 1], d->charter, sizeof d->charter);
	note(w, "%u.%u ends epoch %u; %zu members", node, copy, c->epoch, next->count);
	c->epoch++;
	for (size_t i = 0; i < next->count; i++)
		if (roster_position(old, next->members[i].fingerprint) == ROSTER_NOBODY)
			take_chain(w, node_of(w, next->members[i].fingerprint), node, copy);
	begin_epoch(w, node, copy);
	links_up(w, node, copy);
}

static void copy_chain(struct world *w, struct copy *to, const struct copy *from)
{
	(void)w;
	to->epoch = 0;
	to->rosters[0] = from->rosters[0];
	to->hashes[0] = from->hashes[0];
	memcpy(to->charters[0], from->charters[0], sizeof to->charters[0]);
}

// A newcomer checks the chain from the first epoch, with machines that only follow.
static void join(struct world *w, unsigned node, unsigned from, unsigned from_copy)
{
	struct copy *c = copy_of(w, node, 0), *source = copy_of(w, from, from_copy);
	if (c->exists)
		return;
	c->exists = c->up = true;
	copy_chain(w, c, source);
	begin_epoch(w, node, 0);
	for (uint32_t e = 0; e < source->epoch && !w->result.violation; e++)
		for (size_t i = 0; c->epoch == e && i < source->proof_counts[e]; i++)
			step(w, node, 0, (struct epoch_event){.type = EPOCH_EVENT_STATEMENT, .statement = {source->proofs[e][i]}});
	if (c->epoch != source->epoch)
		violated(w, "P5.4: a chain does not prove itself to a newcomer");
	links_up(w, node, 0);
}

// --- actions ------------------------------------------------------------------------------------------------------------------

static void answer_heads(struct world *w, unsigned node, unsigned copy)
{
	struct copy *c = copy_of(w, node, copy);
	struct statement_head heads[ROSTER_MAX] = {0};
	size_t count = c->rosters[c->epoch].count;
	for (size_t i = 0; i < count; i++) {
		// what it has sent is its own; of others it has seen some
		unsigned most = 3 + i % 2;
		bool own = roster_position(&c->rosters[c->epoch], w->nodes[node].fingerprint) == i;
		unsigned sequence = own ? most : sim_below(&w->random, most + 1);
		if (w->nodes[node].lies && sim_chance(&w->random, 30))
			sequence = 1 + sim_below(&w->random, 1000);
		heads[i].sequence = sequence;
		if (sequence) {
			char text[64];
			int len = snprintf(text, sizeof text, "%u of %zu", sequence, i);
			heads[i].hash = hash_of(span(text, (size_t)len));
		}
	}
	step(w, node, copy, (struct epoch_event){.type = EPOCH_EVENT_HEADS, .heads = {count, heads}});
}

static void asked(struct world *w, unsigned node, unsigned copy, const struct hash *op)
{
	const struct copy *c = copy_of(w, node, copy);
	// the same op is answered alike by all honest ones but for chance: most consent
	bool consents = sim_chance(&w->random, w->nodes[node].lies ? 50 : 93);
	later(w, 10 + sim_below(&w->random, 400),
	      (struct happening){.kind = ANSWERS, .node = node, .copy = copy, .epoch = c->epoch, .life = c->life, .op = *op, .consents = consents});
}

static void carry_out(struct world *w, unsigned node, unsigned copy, struct epoch_action *a)
{
	struct copy *c = copy_of(w, node, copy);
	struct bytes *envelope = NULL;
	struct hash name;
	switch (a->type) {
	case EPOCH_SIGN:
		envelope = sign(statement_type_name(a->sign.type), bytes_span(a->sign.body));
		name = hash_of(bytes_span(a->sign.body));
		keep_name(w, envelope, &name);
		// a crash before it is written loses it, and nobody has heard of it
		for (size_t i = 0; i < a->sign.keep_count; i++)
			later(w, WRITE_MS, (struct happening){.kind = WRITTEN, .node = node, .copy = copy, .other = 1, .epoch = c->epoch,
							      .life = c->life, .bytes = bytes_ref(a->sign.keep[i])});
		later(w, WRITE_MS, (struct happening){.kind = WRITTEN, .node = node, .copy = copy, .epoch = c->epoch, .life = c->life,
						      .bytes = envelope});
		break;
	case EPOCH_KEEP:
		disk_add(&c->disks[c->epoch], a->envelope);
		break;
	case EPOCH_SEND:
		send(w, node, copy, a->send.member, a->send.envelope);
		break;
	case EPOCH_WANT_HEADS:
		answer_heads(w, node, copy);
		break;
	case EPOCH_DEADLINE:
		c->deadline = w->now + a->ms;
		later(w, a->ms, (struct happening){.kind = DEADLINE, .node = node, .copy = copy, .epoch = c->epoch, .life = c->life});
		break;
	case EPOCH_RETRY_IN:
		later(w, a->ms, (struct happening){.kind = RETRY, .node = node, .copy = copy, .epoch = c->epoch, .life = c->life});
		break;
	case EPOCH_ASK:
		asked(w, node, copy, &a->op.name);
		break;
	case EPOCH_EQUIVOCATION: {
		unsigned who = node_of(w, c->rosters[c->epoch].members[a->proof.member].fingerprint);
		if (!w->nodes[who].lies)
			violated(w, "P5.7: a proof of equivocation against an honest member");
		break;
	}
	case EPOCH_LEFT:
		c->left = true;
		note(w, "%u.%u has left", node, copy);
		break;
	case EPOCH_DECIDED:
		decided(w, node, copy, &a->decided);
		break;
	case EPOCH_TELL:
	case EPOCH_REJECTED:
	case EPOCH_DROP:
		break;
	}
}

static void step(struct world *w, unsigned node, unsigned copy, struct epoch_event event)
{
	struct copy *c = copy_of(w, node, copy);
	struct epoch_actions actions;
	uint32_t epoch = c->epoch;
	epoch_actions_init(&actions);
	epoch_step(c->machine, &event, &actions);
	for (size_t i = 0; i < actions.count && c->epoch == epoch; i++)
		carry_out(w, node, copy, &actions.list[i]);
	epoch_actions_fini(&actions);
}

// --- happenings -----------------------------------------------------------------------------------------------------------------

static void send_chain(struct world *w, unsigned node, unsigned copy, unsigned to, unsigned to_copy, uint32_t epoch)
{
	const struct copy *c = copy_of(w, node, copy);
	for (size_t i = 0; epoch < c->epoch && i < c->proof_counts[epoch]; i++)
		later(w, 5 + sim_below(&w->random, 10),
		      (struct happening){.kind = ARRIVES, .node = to, .copy = to_copy, .other = node, .other_copy = copy, .epoch = epoch,
					 .chain = true, .bytes = bytes_ref(c->proofs[epoch][i])});
}

static void link_up(struct world *w, const struct happening *h)
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

static void arrives(struct world *w, const struct happening *h)
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

static void written(struct world *w, const struct happening *h)
{
	struct copy *c = copy_of(w, h->node, h->copy);
	if (!c->up || c->life != h->life)
		return;
	disk_add(&c->disks[h->epoch], h->bytes);
	if (h->other) // kept beside
		return;
	if (!w->nodes[h->node].lies)
		remember(w, h->node, h->bytes);
	if (c->epoch == h->epoch)
		step(w, h->node, h->copy, (struct epoch_event){.type = EPOCH_EVENT_SIGNED, .result = {OK, h->bytes}});
}

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
	case LEAVES:
		break;
	}
}

// --- a run ------------------------------------------------------------------------------------------------------------------------

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

// L4, L3: whoever is honest, there and a member at the end has reached the longest chain, and nobody is stuck in a round.
static void check_end(struct world *w)
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
	if (stuck && able >= epoch_q(r->count))
		violated(w, "L3: enough honest members are there, and a round that was begun does not end");
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
		struct happening h = pop(w);
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
		struct happening h = pop(w);
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
