// SPDX-License-Identifier: GPL-3.0-or-later
// What a member says and hears: the outbox and the transcript of each epoch, with their seals and their links.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spec/sim/epoch/world.h"
#include "wire/sealed.h"

#define GPG_MS 8 // a seal, or an opening
#define YEAR_2026_MS INT64_C(1767225600000)

static const char *own_of(const struct world *w, unsigned node)
{
	return w->nodes[node].fingerprint;
}

static size_t position_of(const struct world *w, const struct copy *c, uint32_t epoch, unsigned node)
{
	return roster_position(&c->rosters[epoch], own_of(w, node));
}

static struct happening of(const struct copy *c, enum kind kind, unsigned node, unsigned copy, uint32_t epoch)
{
	return (struct happening){.kind = kind, .node = node, .copy = copy, .epoch = epoch, .life = c->life};
}

static int64_t wall_clock(const struct world *w, unsigned node)
{
	return YEAR_2026_MS + w->now + w->nodes[node].clock_ms;
}

// --- the outbox ---------------------------------------------------------------------------------------------------------------

static void out_write(struct world *w, unsigned node, unsigned copy, struct outbox_action *a)
{
	struct write write = {.kind = WRITE_OUT, .epoch = copy_of(w, node, copy)->epoch, .out = outbox_action_take(a)};
	disk_write(w, node, copy, &write);
}

static void make_seal(struct world *w, unsigned node, unsigned copy, const struct outbox_action *a)
{
	struct copy *c = copy_of(w, node, copy);
	struct happening h = of(c, SEALED, node, copy, c->epoch);
	h.bytes = seal(&c->rosters[c->epoch], own_of(w, node), bytes_span(a->seal.payload));
	check_seal(w, node, copy, c->epoch, a->seal.payload, h.bytes);
	lies_seal(w, node, copy, h.bytes);
	later(w, 1 + sim_below(&w->random, GPG_MS), h);
}

static void load(struct world *w, unsigned node, unsigned copy, const struct outbox_action *a)
{
	const struct copy *c = copy_of(w, node, copy);
	const struct talk *t = c->talks[c->epoch];
	struct outbox_loaded rows[OUTBOX_LOAD_MAX];
	size_t count = 0;
	for (uint64_t i = a->load.after; i < t->own_count && count < a->load.count && count < OUTBOX_LOAD_MAX; i++)
		rows[count++] = (struct outbox_loaded){i + 1, t->own[i].payload, t->own[i].message};
	out_step(w, node, copy, (struct outbox_event){.type = OUTBOX_EVENT_LOADED, .loaded = {OK, count, rows}});
}

static void transmit(struct world *w, unsigned node, unsigned copy, const struct outbox_action *a)
{
	const struct copy *c = copy_of(w, node, copy);
	unsigned to = node_of(w, c->rosters[c->epoch].members[a->transmit.member].fingerprint);
	struct happening h = {.kind = FRAME, .bytes = bytes_ref(a->transmit.frame)};
	line_send(w, node, copy, to, h);
}

static void out_carry(struct world *w, unsigned node, unsigned copy, struct outbox_action *a)
{
	struct copy *c = copy_of(w, node, copy);
	switch (a->type) {
	case OUTBOX_COMMIT:
	case OUTBOX_STORE_SEALED:
	case OUTBOX_STORE_ACK:
	case OUTBOX_FAILED:
		out_write(w, node, copy, a);
		break;
	case OUTBOX_SEAL:
		make_seal(w, node, copy, a);
		break;
	case OUTBOX_LOAD:
		load(w, node, copy, a);
		break;
	case OUTBOX_TRANSMIT:
		transmit(w, node, copy, a);
		break;
	case OUTBOX_DRAINED:
		c->is_drained = true;
		talk_heads(w, node, copy);
		break;
	case OUTBOX_RETRY_IN:
		later(w, a->ms, of(c, OUT_RETRY, node, copy, c->epoch));
		break;
	case OUTBOX_ROLLED_BACK:
		// P5.9: that key is dead, and goes
		note(w, "%s has lost what it said", name_of_node(w, node));
		if (!w->nodes[node].lies)
			violated(w, "P5.9: an honest member believes that its disk was rolled back");
		w->result.rolled_back++;
		step(w, node, copy, (struct epoch_event){.type = EPOCH_EVENT_LEAVE});
		break;
	case OUTBOX_ACK_IN:
		c->ack_at = w->now + a->ms;
		later(w, a->ms, of(c, OUT_ACK, node, copy, c->epoch));
		break;
	case OUTBOX_ACCEPTED:
	case OUTBOX_REJECTED:
	case OUTBOX_CLOSED:
	case OUTBOX_KEY_MAY_DIE:
	case OUTBOX_CLOSED_DELIVERED:
	case OUTBOX_UNDELIVERABLE:
		break;
	}
}

void out_step(struct world *w, unsigned node, unsigned copy, struct outbox_event event)
{
	struct copy *c = copy_of(w, node, copy);
	struct outbox_actions actions;
	struct outbox *outbox = c->outbox;
	if (!outbox)
		return;
	event.now_ms = wall_clock(w, node);
	outbox_actions_init(&actions);
	outbox_step(outbox, &event, &actions);
	for (size_t i = 0; i < actions.count && c->outbox == outbox; i++)
		out_carry(w, node, copy, &actions.list[i]);
	outbox_actions_fini(&actions);
}

// --- the transcript -----------------------------------------------------------------------------------------------------------

static void open_frame(struct world *w, unsigned node, unsigned copy, uint32_t epoch, const struct transcript_action *a)
{
	const struct copy *c = copy_of(w, node, copy);
	struct happening h = of(c, OPENED, node, copy, epoch);
	h.number = a->open.ticket;
	h.bytes = unseal(&c->rosters[epoch], own_of(w, node), a->open.sender, a->open.message, &h.code);
	later(w, 1 + sim_below(&w->random, GPG_MS), h);
}

static void answer(struct world *w, unsigned node, unsigned copy, uint32_t epoch, const struct transcript_action *a)
{
	const struct copy *c = copy_of(w, node, copy);
	unsigned to = node_of(w, c->rosters[epoch].members[a->delivery.member].fingerprint);
	struct happening h = {.kind = DELIVERY, .epoch = epoch, .sender = a->delivery.sender, .number = a->delivery.sequence};
	h.code = a->type == TRANSCRIPT_CANNOT_OPEN ? ERR_BAD_INPUT : OK;
	line_send(w, node, copy, to, h);
}

static void in_write(struct world *w, unsigned node, unsigned copy, uint32_t epoch, struct transcript_action *a)
{
	struct write write = {.kind = WRITE_IN, .epoch = epoch};
	write.in.list = mem_dup(a, sizeof *a);
	write.in.count = write.in.room = 1;
	*a = (struct transcript_action){.type = TRANSCRIPT_RETRY_IN}; // owns nothing any more
	disk_write(w, node, copy, &write);
}

static void in_carry(struct world *w, unsigned node, unsigned copy, uint32_t epoch, struct transcript_action *a)
{
	struct copy *c = copy_of(w, node, copy);
	switch (a->type) {
	case TRANSCRIPT_OPEN:
		open_frame(w, node, copy, epoch, a);
		break;
	case TRANSCRIPT_COMMIT:
		in_write(w, node, copy, epoch, a);
		break;
	case TRANSCRIPT_ACK:
	case TRANSCRIPT_CANNOT_OPEN:
		answer(w, node, copy, epoch, a);
		break;
	case TRANSCRIPT_RETRY_IN:
		later(w, a->ms, of(c, IN_RETRY, node, copy, epoch));
		break;
	case TRANSCRIPT_EQUIVOCATION:
		if (!w->nodes[node_of(w, c->rosters[epoch].members[a->proof.sender].fingerprint)].lies)
			violated(w, "P5.7: a proof of two payloads against an honest member");
		w->result.forks++;
		break;
	case TRANSCRIPT_DELIVER:
		w->result.delivered += (unsigned)a->deliver.count;
		break;
	case TRANSCRIPT_COMPLAIN:
		w->result.complaints++;
		if (epoch == c->epoch)
			out_step(w, node, copy,
				 (struct outbox_event){.type = OUTBOX_EVENT_COMPLAIN,
						       .complaint = {a->complaint.sender, a->complaint.sequence, a->complaint.hash}});
		break;
	case TRANSCRIPT_DISPUTE:
		w->result.disputes++;
		break;
	case TRANSCRIPT_COMPLAINT:
	case TRANSCRIPT_REKEY: // nobody's key is replaced here: spec/sim/messages_spec.lua
	case TRANSCRIPT_CLOSED:
	case TRANSCRIPT_DROP:
	case TRANSCRIPT_PAUSE:
	case TRANSCRIPT_RESUME:
	case TRANSCRIPT_CLOSED_BY:
		break;
	}
}

void in_step(struct world *w, unsigned node, unsigned copy, uint32_t epoch, struct transcript_event event)
{
	const struct copy *c = copy_of(w, node, copy);
	struct transcript_actions actions;
	if (!c->talks[epoch] || !c->talks[epoch]->transcript)
		return;
	struct transcript *transcript = c->talks[epoch]->transcript;
	transcript_actions_init(&actions);
	transcript_step(transcript, &event, &actions);
	for (size_t i = 0; i < actions.count && c->talks[epoch]->transcript == transcript; i++)
		in_carry(w, node, copy, epoch, &actions.list[i]);
	transcript_actions_fini(&actions);
}

// --- an epoch's beginning and end -----------------------------------------------------------------------------------------------

static struct transcript *make_transcript(struct world *w, unsigned node, const struct copy *c, uint32_t epoch)
{
	struct transcript_config config = {.roster = &c->rosters[epoch], .roster_hash = c->hashes[epoch]};
	const struct talk *t = c->talks[epoch];
	struct transcript_head cut[SIM_NODES];
	memcpy(config.own, own_of(w, node), sizeof config.own);
	for (size_t i = 0; i < c->rosters[epoch].count; i++) {
		cut[i] = (struct transcript_head){t->cut[i].sequence, t->cut[i].hash};
		size_t count = t->ended && t->heard_count[i] > cut[i].sequence ? cut[i].sequence : t->heard_count[i];
		if (count)
			config.heads[i] = (struct transcript_head){count, t->heard[i][count - 1].hash};
	}
	config.cut = t->ended ? cut : NULL;
	return transcript_new(&config);
}

bool talk_lacks(const struct copy *c, uint32_t epoch)
{
	const struct talk *t = c->talks[epoch];
	for (size_t i = 0; t && t->ended && i < c->rosters[epoch].count; i++)
		if (i != t->self && t->heard_count[i] < t->cut[i].sequence)
			return true;
	return false;
}

static void make_outbox(struct world *w, unsigned node, unsigned copy)
{
	struct copy *c = copy_of(w, node, copy);
	const struct talk *t = c->talks[c->epoch];
	struct outbox_config config = {.roster = &c->rosters[c->epoch], .roster_hash = c->hashes[c->epoch],
				       .transcript = t->transcript, .built = t->own_count,
				       .frozen = epoch_is_frozen(c->machine)};
	memcpy(config.own, own_of(w, node), sizeof config.own);
	if (t->own_count)
		config.head = t->own[t->own_count - 1].hash;
	memcpy(config.acknowledged, t->acked, sizeof t->acked);
	struct outbox_message *queued = mem_alloc_array(c->text_count + 1, sizeof *queued);
	for (size_t i = 0; i < c->text_count; i++)
		if (!c->texts[i].placed)
			queued[config.queued_count++] = c->texts[i].message;
	config.queued = queued;
	c->outbox = outbox_new(&config);
	free(queued);
	out_step(w, node, copy, (struct outbox_event){.type = OUTBOX_EVENT_START});
}

void talk_begin(struct world *w, unsigned node, unsigned copy)
{
	struct copy *c = copy_of(w, node, copy);
	c->wants_heads = c->is_drained = c->told = false;
	for (uint32_t e = 0; e < c->epoch; e++)
		if (c->talks[e] && !c->talks[e]->transcript && talk_lacks(c, e))
			c->talks[e]->transcript = make_transcript(w, node, c, e);
	if (c->left || !is_member(w, c, node))
		return;
	if (!c->talks[c->epoch]) {
		c->talks[c->epoch] = mem_alloc(sizeof(struct talk));
		c->talks[c->epoch]->self = position_of(w, c, c->epoch, node);
		confirmation_init(&c->talks[c->epoch]->confirmation, c->rosters[c->epoch].count, c->talks[c->epoch]->self);
	}
	c->talks[c->epoch]->transcript = make_transcript(w, node, c, c->epoch);
	make_outbox(w, node, copy);
}

void talk_stop(struct copy *c)
{
	outbox_free(c->outbox);
	c->outbox = NULL;
	for (uint32_t e = 0; e < SIM_EPOCHS; e++)
		if (c->talks[e]) {
			transcript_free(c->talks[e]->transcript);
			c->talks[e]->transcript = NULL;
		}
	for (unsigned i = 0; i < SIM_NODES; i++)
		c->lines[i].up = false;
}

// The epoch is over: what is beyond the cut was never said, and is said to the next roster.
void talk_end(struct world *w, unsigned node, unsigned copy, const struct epoch_decision *d)
{
	struct copy *c = copy_of(w, node, copy);
	struct talk *t = c->talks[c->epoch];
	disk_flush(w, node, copy);
	talk_stop(c);
	if (!t)
		return;
	t->ended = true;
	memcpy(t->cut, d->cut.list, d->cut.count * sizeof *t->cut);
	check_cut(w, node, copy, c->epoch);
	for (size_t i = 0; i < c->text_count; i++) {
		struct said_text *text = &c->texts[i];
		if (text->placed && text->epoch == c->epoch && text->sequence > t->cut[t->self].sequence)
			text->placed = false;
	}
}

void talk_heads(struct world *w, unsigned node, unsigned copy)
{
	struct copy *c = copy_of(w, node, copy);
	const struct talk *t = c->talks[c->epoch];
	struct statement_head heads[ROSTER_MAX] = {0};
	if (!c->wants_heads || !c->is_drained || !c->outbox)
		return;
	for (size_t i = 0; i < c->rosters[c->epoch].count; i++) {
		struct transcript_head h = transcript_head(t->transcript, i);
		heads[i] = (struct statement_head){h.sequence, h.hash};
	}
	heads[t->self].sequence = outbox_head(c->outbox, &heads[t->self].hash);
	c->wants_heads = false;
	c->told = true;
	step(w, node, copy, (struct epoch_event){.type = EPOCH_EVENT_HEADS, .heads = {c->rosters[c->epoch].count, heads}});
}

void talk_freeze(struct world *w, unsigned node, unsigned copy)
{
	struct copy *c = copy_of(w, node, copy);
	c->wants_heads = true;
	if ((w->options->lies & 1u << LIE_PARTITION) && w->now < HEAL_MS - 20000 && sim_chance(&w->random, 20)) {
		later(w, sim_below(&w->random, 60), (struct happening){.kind = PARTS, .consents = true});
		later(w, 500 + sim_below(&w->random, 15000), (struct happening){.kind = PARTS});
		lies_play(w, LIE_PARTITION, node);
	}
	out_step(w, node, copy, (struct outbox_event){.type = OUTBOX_EVENT_FREEZE});
	talk_heads(w, node, copy);
}

// --- lines and persons ----------------------------------------------------------------------------------------------------------

// Of earlier epochs: the next that the other lacks of each sender, up to the cut; a liar goes beyond it.
static void supply_one(struct world *w, unsigned node, unsigned copy, unsigned other, uint32_t epoch, size_t sender, uint64_t after)
{
	const struct talk *t = copy_of(w, node, copy)->talks[epoch];
	if (!t || !t->ended || (after >= t->cut[sender].sequence && !w->nodes[node].lies))
		return;
	struct happening h = {.kind = FRAME};
	if (sender == t->self && after < t->own_count && t->own[after].message) {
		struct sealed_frame f = {.epoch = epoch, .sequence = after + 1, .message = bytes_span(t->own[after].message)};
		memcpy(f.sender, own_of(w, node), sizeof f.sender);
		if (!sealed_frame_encode(&f, &h.bytes))
			line_send(w, node, copy, other, h);
	} else if (after < t->heard_count[sender]) {
		h.bytes = bytes_ref(t->heard[sender][after].frame);
		line_send(w, node, copy, other, h);
	}
}

void talk_supply(struct world *w, unsigned node, unsigned copy, unsigned other, uint32_t epoch, size_t sender, uint64_t after)
{
	supply_one(w, node, copy, other, epoch, sender, after);
	if (w->nodes[node].lies)
		supply_one(w, node, copy, other, epoch, sender, after + 1);
}

static void ask_past(struct world *w, unsigned node, unsigned copy, unsigned other)
{
	const struct copy *c = copy_of(w, node, copy);
	for (uint32_t e = 0; e < c->epoch; e++) {
		const struct talk *t = c->talks[e];
		size_t member = position_of(w, c, e, other);
		if (!t || !t->transcript || member == ROSTER_NOBODY)
			continue;
		in_step(w, node, copy, e, (struct transcript_event){.type = TRANSCRIPT_EVENT_LINK_UP, .member = member});
		for (size_t i = 0; i < c->rosters[e].count; i++)
			if (i != t->self && t->heard_count[i] < t->cut[i].sequence)
				talk_supply(w, other, c->lines[other].copy, node, e, i, t->heard_count[i]);
	}
}

// Both are in the same epoch (their `seen` said so), and the line is up at both ends.
void talk_line_up(struct world *w, unsigned node, unsigned copy, unsigned other)
{
	struct copy *c = copy_of(w, node, copy);
	size_t member = position_of(w, c, c->epoch, other);
	const struct copy *peer = copy_of(w, other, c->lines[other].copy);
	if (member == ROSTER_NOBODY || !c->outbox)
		return;
	struct outbox_event event = {.type = OUTBOX_EVENT_LINK_UP, .link = {.member = member, .epoch = c->epoch}};
	const struct talk *theirs = peer->talks[c->epoch];
	// two who have one key know nothing of each other: each believes what it has heard itself
	bool twins = w->nodes[node].lies && w->nodes[node].copies[1].exists;
	if (theirs && !twins) {
		size_t self = c->talks[c->epoch]->self;
		event.link.known = true;
		event.link.sequence = theirs->heard_count[self];
		if (event.link.sequence)
			event.link.hash = theirs->heard[self][event.link.sequence - 1].hash;
	}
	in_step(w, node, copy, c->epoch, (struct transcript_event){.type = TRANSCRIPT_EVENT_LINK_UP, .member = member});
	out_step(w, node, copy, event);
	ask_past(w, node, copy, other);
}

void talk_line_down(struct world *w, unsigned node, unsigned copy, unsigned other)
{
	struct copy *c = copy_of(w, node, copy);
	size_t member = position_of(w, c, c->epoch, other);
	if (member == ROSTER_NOBODY || !c->outbox)
		return;
	in_step(w, node, copy, c->epoch, (struct transcript_event){.type = TRANSCRIPT_EVENT_LINK_DOWN, .member = member});
	out_step(w, node, copy, (struct outbox_event){.type = OUTBOX_EVENT_LINK_DOWN, .member = member});
}

void talk_says(struct world *w, unsigned node, unsigned copy)
{
	struct copy *c = copy_of(w, node, copy);
	char text[32];
	struct outbox_message m = {.time_ms = wall_clock(w, node)};
	uint64_t number = ++w->texts;
	if (!c->up || c->left || !c->outbox || w->nodes[node].gone)
		return;
	memcpy(m.nonce, &number, sizeof number);
	message_id_make(c->rosters[0].discussion, own_of(w, node), m.nonce, m.id);
	int len = snprintf(text, sizeof text, "text %llu", (unsigned long long)number);
	m.text = bytes_new(text, (size_t)len);
	out_step(w, node, copy, (struct outbox_event){.type = OUTBOX_EVENT_SUBMIT, .submit = {number, 1, &m}});
	bytes_unref(m.text);
}

static void frame_came(struct world *w, const struct happening *h)
{
	struct copy *c = copy_of(w, h->node, h->copy);
	struct sealed_frame f;
	if (sealed_frame_decode(&f, bytes_span(h->bytes), NULL) || f.epoch > c->epoch)
		return;
	size_t member = position_of(w, c, f.epoch, h->other), sender = roster_position(&c->rosters[f.epoch], f.sender);
	const struct talk *t = c->talks[f.epoch];
	if (!t || member == ROSTER_NOBODY || sender == ROSTER_NOBODY || lies_receive(w, h->node, h->copy, h->other, &f))
		return;
	in_step(w, h->node, h->copy, f.epoch,
		(struct transcript_event){.type = TRANSCRIPT_EVENT_RECEIVED, .received = {member, bytes_span(h->bytes)}});
}

static void delivery_came(struct world *w, const struct happening *h)
{
	struct copy *c = copy_of(w, h->node, h->copy);
	size_t member = position_of(w, c, c->epoch, h->other);
	if (h->epoch != c->epoch || member == ROSTER_NOBODY || !c->outbox || h->sender != c->talks[c->epoch]->self)
		return;
	out_step(w, h->node, h->copy,
		 (struct outbox_event){.type = h->code ? OUTBOX_EVENT_CANNOT_OPEN : OUTBOX_EVENT_ACK,
				       .delivery = {member, h->epoch, h->number}});
}

void talk_happens(struct world *w, const struct happening *h)
{
	struct copy *c = copy_of(w, h->node, h->copy);
	bool travels = h->kind == FRAME || h->kind == DELIVERY;
	if (!c->up || w->nodes[h->node].gone || (!travels && c->life != h->life))
		return;
	if (travels && (!c->lines[h->other].up || c->lines[h->other].generation != h->generation))
		return;
	bool current = h->epoch == c->epoch;
	if (h->kind == FRAME)
		frame_came(w, h);
	else if (h->kind == DELIVERY)
		delivery_came(w, h);
	else if (h->kind == OPENED)
		in_step(w, h->node, h->copy, h->epoch,
			(struct transcript_event){.type = TRANSCRIPT_EVENT_OPENED, .opened = {h->number, h->code, h->bytes, NULL}});
	else if (h->kind == IN_RETRY)
		in_step(w, h->node, h->copy, h->epoch, (struct transcript_event){.type = TRANSCRIPT_EVENT_RETRY});
	else if (h->kind == SEALED && current)
		out_step(w, h->node, h->copy, (struct outbox_event){.type = OUTBOX_EVENT_SEALED, .sealed = {OK, h->bytes}});
	else if (h->kind == OUT_ACK && current && c->ack_at == w->now)
		out_step(w, h->node, h->copy, (struct outbox_event){.type = OUTBOX_EVENT_ACK_DUE});
	else if (h->kind == OUT_RETRY && current)
		out_step(w, h->node, h->copy, (struct outbox_event){.type = OUTBOX_EVENT_RETRY});
}
