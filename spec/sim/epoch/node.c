// SPDX-License-Identifier: GPL-3.0-or-later
// A member: a machine for each epoch, its disk, and what a person would do.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spec/sim/epoch/world.h"
#include "wire/signed.h"

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

struct copy *copy_of(struct world *w, unsigned node, unsigned copy)
{
	return &w->nodes[node].copies[copy];
}

unsigned node_of(const struct world *w, const char *fingerprint)
{
	for (unsigned i = 0; i < w->node_count; i++)
		if (!strcmp(w->nodes[i].fingerprint, fingerprint))
			return i;
	return SIM_NODES;
}

bool is_member(const struct world *w, const struct copy *c, unsigned node)
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

void begin_epoch(struct world *w, unsigned node, unsigned copy)
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

static void copy_chain(struct copy *to, const struct copy *from)
{
	to->epoch = 0;
	to->rosters[0] = from->rosters[0];
	to->hashes[0] = from->hashes[0];
	memcpy(to->charters[0], from->charters[0], sizeof to->charters[0]);
}

// A newcomer checks the chain from the first epoch, with machines that only follow.
void join(struct world *w, unsigned node, unsigned from, unsigned from_copy)
{
	struct copy *c = copy_of(w, node, 0), *source = copy_of(w, from, from_copy);
	if (c->exists)
		return;
	c->exists = c->up = true;
	copy_chain(c, source);
	begin_epoch(w, node, 0);
	for (uint32_t e = 0; e < source->epoch && !w->result.violation; e++)
		for (size_t i = 0; c->epoch == e && i < source->proof_counts[e]; i++)
			step(w, node, 0, (struct epoch_event){.type = EPOCH_EVENT_STATEMENT, .statement = {source->proofs[e][i]}});
	if (c->epoch != source->epoch)
		violated(w, "P5.4: a chain does not prove itself to a newcomer");
	links_up(w, node, 0);
}

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
		send_to(w, node, copy, a->send.member, a->send.envelope);
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

void step(struct world *w, unsigned node, unsigned copy, struct epoch_event event)
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

void written(struct world *w, const struct happening *h)
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
