// SPDX-License-Identifier: GPL-3.0-or-later
// What liars do, beyond being two with one key: each of these has a name, and is counted where it is really done.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spec/sim/epoch/world.h"
#include "wire/signed.h"

const char *const sim_lie_names[SIM_LIES] = {
	[LIE_TWO_FACED] = "two-faced-leader", [LIE_DOUBLE_VOTE] = "double-vote",
	[LIE_BOTH_ANSWERS] = "both-answers",  [LIE_STATUS] = "lying-status",
	[LIE_WITHHOLDS] = "withheld-vote",    [LIE_STALE_CONSENT] = "stale-consent",
	[LIE_OTHER_DISCUSSION] = "other-discussion", [LIE_SWAPS_KEY] = "swapped-key",
	[LIE_SPLICES] = "spliced-pkesk",      [LIE_OTHER_TEXT] = "different-text",
	[LIE_OLD_PAYLOAD] = "old-payload",    [LIE_ACKS] = "empty-acknowledgement",
	[LIE_ROLLBACK] = "rolled-back-disk",  [LIE_MUTUAL] = "mutual-removal",
	[LIE_PARTITION] = "partition-in-freeze", [LIE_FLOOD] = "flood-of-proposals",
	[LIE_TRUNCATES] = "truncated-chain",  [LIE_CLOCKS] = "clocks-a-year-off",
};

bool lies_so(const struct world *w, unsigned node, enum sim_lie lie)
{
	return w->nodes[node].lies && (w->nodes[node].how & 1u << lie);
}

static void played(struct world *w, enum sim_lie lie, unsigned node)
{
	if (!w->result.played[lie]++)
		note(w, "%s plays %s", name_of_node(w, node), sim_lie_names[lie]);
}

static struct bytes *forge(struct world *w, const struct statement *s)
{
	struct buf b;
	buf_init(&b, STATEMENT_MAX);
	if (statement_encode(s, &b, NULL)) {
		buf_fini(&b);
		return NULL;
	}
	struct bytes *envelope = sign_statement(w, statement_type_name(s->type), buf_span(&b));
	buf_fini(&b);
	return envelope;
}

// Straight to that one, as a statement of that epoch.
static void slip(struct world *w, unsigned node, unsigned copy, unsigned to, uint32_t epoch, struct bytes *envelope)
{
	for (unsigned k = 0; envelope && k < COPIES; k++)
		later(w, 5 + sim_below(&w->random, 20),
		      (struct happening){.kind = ARRIVES, .node = to, .copy = k, .other = node, .other_copy = copy, .epoch = epoch,
					 .bytes = bytes_ref(envelope)});
}

static void slip_to_all(struct world *w, unsigned node, unsigned copy, struct bytes *envelope)
{
	const struct copy *c = copy_of(w, node, copy);
	for (size_t i = 0; i < c->rosters[c->epoch].count; i++) {
		unsigned to = node_of(w, c->rosters[c->epoch].members[i].fingerprint);
		if (to != node)
			slip(w, node, copy, to, c->epoch, envelope);
	}
}

// --- statements -----------------------------------------------------------------------------------------------------------------

// Two of a kind by one liar, the work of its two halves.
void lies_said(struct world *w, unsigned node, enum statement_type type)
{
	static const enum sim_lie lies[STATEMENT_TYPE_COUNT] = {
		[STATEMENT_ANSWER] = LIE_BOTH_ANSWERS, [STATEMENT_STATUS] = LIE_STATUS, [STATEMENT_ORDER] = LIE_TWO_FACED,
		[STATEMENT_VOTE] = LIE_DOUBLE_VOTE, [STATEMENT_COMMIT] = LIE_DOUBLE_VOTE};
	if (type != STATEMENT_PROPOSE && type != STATEMENT_LEAVE)
		played(w, lies_so(w, node, LIE_ROLLBACK) ? LIE_ROLLBACK : lies[type], node);
}

static struct hash other_value(struct world *w, const struct hash *value)
{
	size_t count = w->value_count < sizeof w->values / sizeof *w->values ? w->value_count : sizeof w->values / sizeof *w->values;
	struct hash other = count ? w->values[sim_below(&w->random, (unsigned)count)] : *value;
	if (!memcmp(&other, value, HASH_LEN))
		other.bytes[0] ^= 1;
	return other;
}

static bool alter_state(struct world *w, struct statement *s)
{
	if (s->state.lock.is && sim_chance(&w->random, 60)) {
		s->state.lock = (struct statement_lock){0};
		return true;
	}
	if (w->value_count && sim_chance(&w->random, 20)) {
		struct hash nothing = {0};
		s->state.lock = (struct statement_lock){.is = true, .round = s->state.round ? s->state.round - 1 : 0,
							.value = other_value(w, &nothing)};
		return true;
	}
	struct statement_head *h = &s->state.heads.list[sim_below(&w->random, (unsigned)s->state.heads.count)];
	h->sequence = sim_chance(&w->random, 50) ? 0 : 1 + sim_below(&w->random, 1000);
	h->hash = h->sequence ? hash_of(span(&h->sequence, sizeof h->sequence)) : (struct hash){0};
	return true;
}

static bool alter(struct world *w, unsigned node, struct statement *s)
{
	bool may[STATEMENT_TYPE_COUNT] = {
		[STATEMENT_ANSWER] = lies_so(w, node, LIE_BOTH_ANSWERS), [STATEMENT_STATUS] = lies_so(w, node, LIE_STATUS),
		[STATEMENT_ORDER] = lies_so(w, node, LIE_TWO_FACED),
		[STATEMENT_VOTE] = lies_so(w, node, LIE_DOUBLE_VOTE), [STATEMENT_COMMIT] = lies_so(w, node, LIE_DOUBLE_VOTE)};
	if (!may[s->type] || !sim_chance(&w->random, 40))
		return false;
	switch (s->type) {
	case STATEMENT_ANSWER:
		s->answer.consents = !s->answer.consents;
		return true;
	case STATEMENT_STATUS:
		return alter_state(w, s);
	case STATEMENT_ORDER:
		s->order.cut.list[0].sequence++;
		s->order.cut.list[0].hash = s->order.op;
		return true;
	case STATEMENT_VOTE:
	case STATEMENT_COMMIT:
		s->ballot.value = other_value(w, &s->ballot.value);
		return true;
	default:
		return false;
	}
}

struct bytes *lies_alter(struct world *w, unsigned node, struct bytes *envelope)
{
	struct statement s;
	struct hash name;
	struct bytes *other = NULL;
	if (!read_statement(envelope, &s, &name))
		return bytes_ref(envelope);
	bool own = !strcmp(s.author, w->nodes[node].fingerprint), ballot = s.type == STATEMENT_VOTE || s.type == STATEMENT_COMMIT;
	if (own && ballot && lies_so(w, node, LIE_WITHHOLDS) && sim_chance(&w->random, 60)) {
		played(w, LIE_WITHHOLDS, node);
		statement_fini(&s);
		return NULL;
	}
	enum statement_type type = s.type;
	if (own && alter(w, node, &s))
		other = forge(w, &s);
	statement_fini(&s);
	if (other)
		lies_said(w, node, type);
	return other ? other : bytes_ref(envelope);
}

// --- at moments -----------------------------------------------------------------------------------------------------------------

// Whoever consented in the epoch before.
static void show_stale(struct world *w, unsigned node, unsigned copy)
{
	const struct copy *c = copy_of(w, node, copy);
	for (size_t i = 0; i < c->proof_counts[c->epoch - 1]; i++) {
		slip_to_all(w, node, copy, c->proofs[c->epoch - 1][i]);
		played(w, LIE_STALE_CONSENT, node);
	}
}

// The first that a member said in that epoch, opened, and sealed anew for this roster as what comes next of it.
static void show_payload(struct world *w, unsigned node, unsigned copy, uint32_t epoch, size_t sender, uint64_t sequence)
{
	const struct copy *c = copy_of(w, node, copy);
	struct sealed_frame f;
	enum err code;
	struct bytes *frame = c->talks[epoch]->heard[sender][0].frame;
	if (sealed_frame_decode(&f, bytes_span(frame), NULL))
		return;
	struct bytes *payload = unseal(&c->rosters[epoch], w->nodes[node].fingerprint, sender, f.message, &code);
	if (!payload)
		return;
	struct bytes *message = seal(&c->rosters[c->epoch], f.sender, bytes_span(payload));
	f.epoch = c->epoch;
	f.sequence = sequence;
	f.message = bytes_span(message);
	if (!sealed_frame_encode(&f, &frame)) {
		for (unsigned to = 0; to < w->node_count; to++)
			if (to != node && c->lines[to].up)
				line_send(w, node, copy, to, (struct happening){.kind = FRAME, .bytes = bytes_ref(frame)});
		bytes_unref(frame);
		lies_play(w, LIE_OLD_PAYLOAD, node);
	}
	bytes_unref(message);
	bytes_unref(payload);
}

static void show_old_payloads(struct world *w, unsigned node, unsigned copy)
{
	const struct copy *c = copy_of(w, node, copy);
	for (uint32_t e = c->epoch ? c->epoch - 1 : 0; e <= c->epoch; e++)
		for (size_t s = 0; c->talks[e] && s < c->rosters[e].count; s++) {
			size_t at = roster_position(&c->rosters[c->epoch], c->rosters[e].members[s].fingerprint);
			if (c->talks[e]->heard_count[s] && at != ROSTER_NOBODY)
				show_payload(w, node, copy, e, s, c->talks[c->epoch]->heard_count[at] + 1);
		}
}

static void flood(struct world *w, unsigned node, unsigned copy)
{
	const struct copy *c = copy_of(w, node, copy);
	for (unsigned i = 0; i < w->options->flood; i++) {
		struct statement s = {.type = STATEMENT_PROPOSE, .roster = c->hashes[c->epoch]};
		char fingerprint[FINGERPRINT_SIZE];
		memcpy(s.author, w->nodes[node].fingerprint, sizeof s.author);
		snprintf(fingerprint, sizeof fingerprint, "%040X", 0xF100D000u + i);
		s.op = admission(fingerprint, false);
		struct bytes *envelope = forge(w, &s);
		slip_to_all(w, node, copy, envelope);
		bytes_unref(envelope);
		bytes_unref(s.op);
		played(w, LIE_FLOOD, node);
	}
}

void lies_epoch(struct world *w, unsigned node, unsigned copy)
{
	const struct copy *c = copy_of(w, node, copy);
	if (!is_member(w, c, node))
		return;
	if (c->epoch && lies_so(w, node, LIE_STALE_CONSENT))
		show_stale(w, node, copy);
	if (!c->epoch && !copy && lies_so(w, node, LIE_FLOOD))
		flood(w, node, copy);
}

void lies_line_up(struct world *w, unsigned node, unsigned copy)
{
	if (lies_so(w, node, LIE_OLD_PAYLOAD))
		show_old_payloads(w, node, copy);
}

// It shows here what the others signed elsewhere: they do consent, in another discussion.
void lies_asked(struct world *w, unsigned node, unsigned copy, const struct hash *op)
{
	const struct copy *c = copy_of(w, node, copy);
	const struct roster_record *r = &c->rosters[c->epoch];
	for (size_t i = 0; lies_so(w, node, LIE_OTHER_DISCUSSION) && i < r->count; i++) {
		struct statement s = {.type = STATEMENT_ANSWER, .roster = hash_of(span_string("another discussion"))};
		memcpy(s.author, r->members[i].fingerprint, sizeof s.author);
		s.answer.op = *op;
		s.answer.consents = true;
		struct bytes *envelope = forge(w, &s);
		slip_to_all(w, node, copy, envelope);
		bytes_unref(envelope);
		played(w, LIE_OTHER_DISCUSSION, node);
	}
}

// --- messages -------------------------------------------------------------------------------------------------------------------

void lies_seal(struct world *w, unsigned node, unsigned copy, struct bytes *message)
{
	const struct copy *c = copy_of(w, node, copy);
	const struct roster_record *r = &c->rosters[c->epoch];
	if (!lies_so(w, node, LIE_SPLICES) || !sim_chance(&w->random, 50))
		return;
	seal_spoil(message, r->members[sim_below(&w->random, (unsigned)r->count)].key);
	played(w, LIE_SPLICES, node);
}

bool lies_receive(struct world *w, unsigned node, unsigned copy, unsigned other, const struct sealed_frame *f)
{
	const struct copy *c = copy_of(w, node, copy);
	size_t sender = roster_position(&c->rosters[f->epoch], f->sender);
	if (!lies_so(w, node, LIE_ACKS) || !sim_chance(&w->random, 50))
		return false;
	line_send(w, node, copy, other,
		  (struct happening){.kind = DELIVERY, .epoch = f->epoch, .sender = sender, .number = f->sequence});
	played(w, LIE_ACKS, node);
	return true;
}

// --- disks ------------------------------------------------------------------------------------------------------------------------

// As much of its disk is left as there was at some earlier moment.
void lies_roll_back(struct world *w, unsigned node)
{
	struct copy *c = copy_of(w, node, 0);
	struct disk *d = &c->disks[c->epoch];
	struct talk *t = c->talks[c->epoch];
	if (!c->up || w->nodes[node].gone || !d->count)
		return;
	crash(w, node);
	size_t left = sim_below(&w->random, (unsigned)d->count);
	while (d->count > left)
		bytes_unref(d->envelopes[--d->count]);
	while (t && t->own_count && sim_chance(&w->random, 60)) {
		bytes_unref(t->own[--t->own_count].payload);
		bytes_unref(t->own[t->own_count].message);
	}
	for (size_t s = 0; t && s < SIM_NODES; s++) {
		if (t->acked[s] > t->own_count)
			t->acked[s] = t->own_count;
		while (t->heard_count[s] && sim_chance(&w->random, 40))
			bytes_unref(t->heard[s][--t->heard_count[s]].frame);
	}
	for (size_t i = 0; t && i < c->text_count; i++)
		if (c->texts[i].placed && c->texts[i].epoch == c->epoch && c->texts[i].sequence > t->own_count)
			c->texts[i].placed = false;
	played(w, LIE_ROLLBACK, node);
}

// How many of the proofs of that epoch a joiner is given.
size_t lies_chain(struct world *w, unsigned node, size_t count)
{
	if (!lies_so(w, node, LIE_TRUNCATES) || !sim_chance(&w->random, 60))
		return count;
	played(w, LIE_TRUNCATES, node);
	return sim_below(&w->random, (unsigned)count);
}

void lies_play(struct world *w, enum sim_lie lie, unsigned node)
{
	played(w, lie, node);
}
