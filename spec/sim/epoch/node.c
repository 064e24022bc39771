// SPDX-License-Identifier: GPL-3.0-or-later
// A member: a machine for each epoch, its disk, and what a person would do.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spec/sim/epoch/world.h"
#include "wire/signed.h"

struct bytes *sign_statement(struct world *w, const char *type, struct span body)
{
	struct envelope e = {.body = bytes_new_span(body), .signature = bytes_new("s", 1)};
	struct buf b;
	struct hash name = hash_of(body);
	snprintf(e.type, sizeof e.type, "%s", type);
	buf_init(&b, 2 * STATEMENT_MAX);
	if (envelope_encode(&e, &b, NULL))
		abort();
	envelope_fini(&e);
	struct bytes *bytes = buf_take(&b);
	buf_fini(&b);
	keep_name(w, bytes, &name);
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

const char *name_of_node(const struct world *w, unsigned node)
{
	static const char names[][2] = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P"};
	return node < w->node_count ? names[node] : "nobody";
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
	talk_begin(w, node, copy);
	step(w, node, copy, (struct epoch_event){.type = EPOCH_EVENT_START});
	if (w->nodes[node].lies)
		lies_epoch(w, node, copy);
}

void copy_free(struct copy *c)
{
	epoch_free(c->machine);
	talk_stop(c);
	disk_lose(c);
	talk_free(c);
	bytes_unref(c->wish);
	for (unsigned e = 0; e < SIM_EPOCHS; e++) {
		for (size_t j = 0; j < c->disks[e].count; j++)
			bytes_unref(c->disks[e].envelopes[j]);
		free(c->disks[e].envelopes);
		for (size_t j = 0; j < c->proof_counts[e]; j++)
			bytes_unref(c->proofs[e][j]);
		free(c->proofs[e]);
	}
}

static void take_chain(struct world *w, unsigned candidate, unsigned from, unsigned from_copy)
{
	later(w, 20, (struct happening){.kind = JOINS, .node = candidate, .other = from, .other_copy = from_copy});
}

// What was proposed and is void is asked again of the new roster.
static void ask_again(struct world *w, unsigned node, unsigned copy, const struct bytes *op)
{
	struct copy *c = copy_of(w, node, copy);
	if (c->wish && (c->left || !is_member(w, c, node) || span_equal(bytes_span(c->wish), bytes_span(op)))) {
		bytes_unref(c->wish);
		c->wish = NULL;
	}
	if (c->wish)
		later(w, 20, (struct happening){.kind = PROPOSES, .node = node, .copy = copy, .bytes = bytes_ref(c->wish)});
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
	note_decision(w, node, copy, d, next);
	talk_end(w, node, copy, d);
	c->epoch++;
	for (size_t i = 0; i < next->count; i++)
		if (roster_position(old, next->members[i].fingerprint) == ROSTER_NOBODY)
			take_chain(w, node_of(w, next->members[i].fingerprint), node, copy);
	begin_epoch(w, node, copy);
	links_up(w, node, copy);
	ask_again(w, node, copy, d->op);
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
	if (node >= w->node_count || c->exists)
		return;
	c->exists = c->up = true;
	copy_chain(c, source);
	begin_epoch(w, node, 0);
	for (uint32_t e = 0; e < source->epoch && !w->result.violation; e++) {
		size_t count = lies_chain(w, from, source->proof_counts[e]);
		for (size_t i = 0; c->epoch == e && i < count; i++)
			take_statement(w, node, 0, source->proofs[e][i]);
	}
	if (c->epoch != source->epoch && !w->nodes[from].lies)
		violated(w, "P5.4: a chain does not prove itself to a newcomer");
	if (!is_member(w, c, node)) {
		// it ends too early: another member has it whole
		if (!w->nodes[from].lies)
			violated(w, "P5.4: a newcomer is none by an honest member's chain");
		copy_free(c);
		*c = (struct copy){0};
		return;
	}
	links_up(w, node, 0);
}

// Persons know whom they know.
static bool names_nobody(const struct world *w, const struct copy *c, const struct hash *name)
{
	struct op op;
	if (op_decode(&op, epoch_op_bytes(c->machine, name), NULL))
		return true;
	bool nobody = op.kind == OP_ADMIT && node_of(w, op.candidate.fingerprint) == SIM_NODES;
	op_fini(&op);
	return nobody;
}

static void asked(struct world *w, unsigned node, unsigned copy, const struct hash *op)
{
	const struct copy *c = copy_of(w, node, copy);
	// the same op is answered alike by all honest ones but for chance: most consent
	bool consents = w->options->calm || sim_chance(&w->random, w->nodes[node].lies ? 50 : 93);
	if (names_nobody(w, c, op))
		consents = false;
	lies_asked(w, node, copy, op);
	later(w, w->options->calm ? 1 : 10 + sim_below(&w->random, 400),
	      (struct happening){.kind = ANSWERS, .node = node, .copy = copy, .epoch = c->epoch, .life = c->life, .op = *op, .consents = consents});
}

static void carry_out(struct world *w, unsigned node, unsigned copy, struct epoch_action *a)
{
	struct copy *c = copy_of(w, node, copy);
	struct write write = {.kind = WRITE_OWN, .epoch = c->epoch};
	switch (a->type) {
	case EPOCH_SIGN:
		// a crash before it is written loses it, and nobody has heard of it
		for (size_t i = 0; i < a->sign.keep_count; i++) {
			struct write kept = {.kind = WRITE_KEPT, .epoch = c->epoch, .envelope = bytes_ref(a->sign.keep[i])};
			disk_write(w, node, copy, &kept);
		}
		write.envelope = sign_statement(w, statement_type_name(a->sign.type), bytes_span(a->sign.body));
		disk_write(w, node, copy, &write);
		break;
	case EPOCH_KEEP:
		disk_add(&c->disks[c->epoch], a->envelope);
		break;
	case EPOCH_SEND:
		send_to(w, node, copy, a->send.member, a->send.envelope);
		break;
	case EPOCH_WANT_HEADS:
		talk_freeze(w, node, copy);
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
		note(w, "%s has left", name_of_node(w, node));
		disk_flush(w, node, copy);
		talk_stop(c);
		break;
	case EPOCH_DECIDED:
		decided(w, node, copy, &a->decided);
		break;
	case EPOCH_REJECTED:
		if (a->rejected.ticket != 1)
			break;
		bytes_unref(c->wish);
		c->wish = NULL;
		break;
	case EPOCH_TELL:
	case EPOCH_DROP:
		break;
	}
}

void step(struct world *w, unsigned node, unsigned copy, struct epoch_event event)
{
	struct copy *c = copy_of(w, node, copy);
	struct epoch_actions actions;
	uint32_t epoch = c->epoch;
	if (!c->machine)
		return;
	epoch_actions_init(&actions);
	epoch_step(c->machine, &event, &actions);
	for (size_t i = 0; i < actions.count && c->epoch == epoch; i++)
		carry_out(w, node, copy, &actions.list[i]);
	epoch_actions_fini(&actions);
}
