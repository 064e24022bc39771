// SPDX-License-Identifier: GPL-3.0-or-later
// The machine's life, acknowledgements, its ends, and the dispatch of events.
#include "discussion/outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/outbox_machine.h"

// --- life ---------------------------------------------------------------------------------------

struct outbox *outbox_new(const struct outbox_config *config)
{
	struct outbox *o = mem_alloc(sizeof *o);
	memcpy(o->own, config->own, sizeof o->own);
	o->roster = *config->roster;
	o->roster_hash = config->roster_hash;
	o->self = roster_position(&o->roster, o->own);
	assert(o->self != ROSTER_NOBODY);
	o->acking = o->self;
	o->transcript = config->transcript;
	o->built = config->built;
	o->head = config->head;
	o->closing = config->closing;
	o->keyless = config->keyless;
	o->frozen = config->frozen;
	o->heard = config->heard;
	o->retry_ms = OUTBOX_RETRY_FIRST_MS;
	outbox_queue_init(o, config);
	outbox_window_init(o, config);
	return o;
}

void outbox_free(struct outbox *o)
{
	if (!o)
		return;
	outbox_queue_fini(o);
	outbox_window_fini(o);
	bytes_unref(o->rekey);
	free(o);
}

uint64_t outbox_head(const struct outbox *o, struct hash *hash)
{
	*hash = o->head;
	return o->built;
}

bool outbox_is_settled(const struct outbox *o)
{
	for (size_t i = 0; i < o->roster.count; i++)
		if (o->members[i].acked > o->members[i].acked_on_disk)
			return false;
	return !o->fails && (!o->abandon_wanted || o->mode == OUTBOX_ABANDONED);
}

bool outbox_is_rekeying(const struct outbox *o)
{
	return o->rekey || o->commit.rekey;
}

bool outbox_owes(const struct outbox *o, size_t member)
{
	return member != o->self && o->members[member].acked < o->built;
}

bool outbox_delivers(const struct outbox *o, size_t member)
{
	const struct outbox_member *m = &o->members[member];
	return outbox_owes(o, member) && o->mode == OUTBOX_LIVE && m->up && !m->stuck;
}

struct outbox_counters outbox_counters(const struct outbox *o)
{
	struct outbox_counters c = o->counters;
	c.queued = o->queue.count;
	c.kept = o->kept_count;
	c.kept_bytes = o->kept_bytes;
	return c;
}

// --- acknowledgements ---------------------------------------------------------------------------

static uint64_t most_acked(const struct outbox *o)
{
	uint64_t most = 0;
	for (size_t i = 0; i < o->roster.count; i++)
		if (o->members[i].acked > most)
			most = o->members[i].acked;
	return most;
}

// As the disk has it: what messages are marked by, and what need not be kept.
static uint64_t most_on_disk(const struct outbox *o)
{
	uint64_t most = 0;
	for (size_t i = 0; i < o->roster.count; i++)
		if (o->members[i].acked_on_disk > most)
			most = o->members[i].acked_on_disk;
	return most;
}

uint64_t outbox_least_acked(const struct outbox *o)
{
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < o->roster.count; i++)
		if (i != o->self && o->members[i].acked_on_disk < least)
			least = o->members[i].acked_on_disk;
	return least;
}

static void store_ack(struct outbox *o, size_t member)
{
	struct outbox_member *m = &o->members[member];
	struct outbox_action *a = outbox_act(o, OUTBOX_STORE_ACK);
	uint64_t sent = most_on_disk(o), delivered = outbox_least_acked(o);
	uint64_t before = m->acked_on_disk;
	o->acking = a->ack.member = member;
	o->acking_to = a->ack.sequence = m->acked;
	m->acked_on_disk = m->acked;
	if (most_on_disk(o) > sent) {
		a->ack.first_sent = sent + 1;
		a->ack.last_sent = most_on_disk(o);
	}
	if (outbox_least_acked(o) > delivered) {
		a->ack.first_delivered = delivered + 1;
		a->ack.last_delivered = outbox_least_acked(o);
	}
	m->acked_on_disk = before; // until ACK_STORED
}

static void store_acks(struct outbox *o)
{
	for (size_t i = 0; i < o->roster.count; i++) {
		if (o->acking != o->self || o->hold_acks)
			return;
		if (o->members[i].acked > o->members[i].acked_on_disk)
			store_ack(o, i);
	}
}

static void tell_if_delivered(struct outbox *o, size_t member)
{
	const struct outbox_member *m = &o->members[member];
	bool has_all = m->have >= o->built && m->acked_on_disk >= o->built;
	if (o->mode == OUTBOX_LIVE && o->closing && has_all)
		outbox_act(o, OUTBOX_CLOSED_DELIVERED)->member = member;
}

static void ack_stored(struct outbox *o, enum err code)
{
	size_t member = o->acking;
	if (member == o->self)
		return;
	o->acking = o->self;
	if (code) {
		o->hold_acks = true;
		outbox_retry_later(o);
		return;
	}
	o->members[member].acked_on_disk = o->acking_to;
	outbox_went_well(o);
	if (outbox_least_acked(o) > o->stored_through)
		o->stored_through = outbox_least_acked(o);
	tell_if_delivered(o, member);
}

static void acknowledge(struct outbox *o, size_t member, uint64_t sequence)
{
	if (sequence > o->members[member].acked)
		o->members[member].acked = sequence;
}

static void take_ack(struct outbox *o, const struct outbox_event *event)
{
	struct outbox_member *m = &o->members[event->delivery.member];
	uint64_t sequence = event->delivery.sequence;
	if (event->delivery.epoch != o->roster.epoch || sequence > o->built) {
		o->counters.bad_records++;
		return;
	}
	acknowledge(o, event->delivery.member, sequence);
	if (m->up && sequence > m->have) {
		outbox_window_has(o, event->delivery.member, sequence);
		tell_if_delivered(o, event->delivery.member);
	}
}

// --- links --------------------------------------------------------------------------------------

// Two cores that agree on a sequence and not on its payload are as bad as one that has more.
static bool shows_lost_payloads(const struct outbox *o, const struct outbox_event *event)
{
	if (!event->link.known || event->link.epoch != o->roster.epoch)
		return false;
	if (event->link.sequence == o->built && o->built > 0)
		return !hash_equal(&event->link.hash, &o->head);
	return event->link.sequence > o->built;
}

static void link_up(struct outbox *o, const struct outbox_event *event)
{
	size_t member = event->link.member;
	assert(member < o->roster.count && member != o->self);
	if (shows_lost_payloads(o, event)) {
		struct outbox_action *a = outbox_act(o, OUTBOX_ROLLED_BACK);
		a->trouble.member = member;
		a->trouble.sequence = event->link.sequence;
		o->mode = OUTBOX_LOST;
		if (!o->commit.under_way)
			outbox_queue_reject_all(o, ERR_WRONG_STATE);
		return;
	}
	outbox_window_link_up(o, event);
	acknowledge(o, member, o->members[member].have);
	tell_if_delivered(o, member);
}

// --- ends ---------------------------------------------------------------------------------------

static void let_key_die(struct outbox *o)
{
	if (o->keyless)
		return;
	o->keyless = true;
	outbox_window_key_dies(o);
	outbox_act(o, OUTBOX_KEY_MAY_DIE);
}

static void store_failed(struct outbox *o)
{
	if (!o->fails || o->failing || o->hold_failed)
		return;
	struct outbox_action *a = outbox_act(o, OUTBOX_FAILED);
	a->failed.first = o->first_failed;
	a->failed.last = o->last_failed;
	o->failing = true;
}

static void failed_stored(struct outbox *o, enum err code)
{
	if (!o->failing)
		return;
	o->failing = false;
	o->fails = code != OK;
	o->hold_failed = code != OK;
	if (code)
		outbox_retry_later(o);
	else
		outbox_went_well(o);
}

static void abandon(struct outbox *o)
{
	if (o->mode == OUTBOX_ABANDONED)
		return;
	if (o->commit.under_way) {
		o->abandon_wanted = true;
		return;
	}
	outbox_queue_reject_all(o, ERR_WRONG_STATE);
	if (most_acked(o) < o->built) {
		o->first_failed = most_acked(o) + 1;
		o->last_failed = o->built;
	}
	o->fails = true;
	store_failed(o);
	o->mode = OUTBOX_ABANDONED;
	outbox_queue_fini(o);
	outbox_window_fini(o);
	let_key_die(o);
}

static void finish_close(struct outbox *o)
{
	if (o->closing && outbox_window_is_sealed(o))
		let_key_die(o);
}

// --- signed acknowledgements and complaints (P5.8) ----------------------------------------------

static void set_ack_timer(struct outbox *o)
{
	if (!o->heard || o->ack_is_set || o->ack_due || o->frozen || o->closing || o->close_wanted)
		return;
	o->ack_is_set = true;
	outbox_act(o, OUTBOX_ACK_IN)->ms = OUTBOX_ACK_MS;
}

static void complain(struct outbox *o, const struct outbox_event *event)
{
	struct payload_item *item = &o->complaints[o->complaint_count];
	if (o->complaint_count == OUTBOX_COMPLAINTS_MAX)
		return;
	*item = (struct payload_item){.type = PAYLOAD_COMPLAINT,
				      .sequence = event->complaint.sequence,
				      .hash = event->complaint.hash};
	memcpy(item->about, o->roster.members[event->complaint.sender].fingerprint, sizeof item->about);
	o->complaint_count++;
}

// --- the epoch's end ----------------------------------------------------------------------------

bool outbox_seals_all(const struct outbox *o)
{
	return (o->closing || o->frozen) && !o->keyless;
}

// A commit under way may hold a payload.
static void finish_freeze(struct outbox *o)
{
	if (!o->frozen || o->drained || o->commit.payload_count || !outbox_window_is_sealed(o))
		return;
	o->drained = true;
	outbox_act(o, OUTBOX_DRAINED);
}

// --- events -------------------------------------------------------------------------------------

static void retry(struct outbox *o)
{
	o->hold_commits = o->hold_seals = o->hold_stores = false;
	o->hold_acks = o->hold_loads = o->hold_failed = false;
	o->retry_is_set = false;
}

static void committed(struct outbox *o, enum err code)
{
	outbox_queue_committed(o, code);
	if (o->mode == OUTBOX_LOST)
		outbox_queue_reject_all(o, ERR_WRONG_STATE);
	if (o->abandon_wanted)
		abandon(o);
}

static void result(struct outbox *o, const struct outbox_event *event)
{
	switch (event->type) {
	case OUTBOX_EVENT_SEALED:
		outbox_window_sealed(o, event);
		break;
	case OUTBOX_EVENT_STORED:
		outbox_window_stored(o, event->result.code);
		break;
	case OUTBOX_EVENT_ACK_STORED:
		ack_stored(o, event->result.code);
		break;
	case OUTBOX_EVENT_LOADED:
		outbox_window_loaded(o, event);
		break;
	default:
		break;
	}
}

static void dispatch(struct outbox *o, const struct outbox_event *event)
{
	switch (event->type) {
	case OUTBOX_EVENT_SUBMIT:
	case OUTBOX_EVENT_RELEASE:
		outbox_queue_submit(o, event);
		break;
	case OUTBOX_EVENT_COMMITTED:
		committed(o, event->result.code);
		break;
	case OUTBOX_EVENT_LINK_UP:
		link_up(o, event);
		break;
	case OUTBOX_EVENT_LINK_DOWN:
		o->members[event->member].up = false;
		break;
	case OUTBOX_EVENT_ACK:
		take_ack(o, event);
		break;
	case OUTBOX_EVENT_CANNOT_OPEN:
		outbox_window_cannot_open(o, event);
		break;
	case OUTBOX_EVENT_CONGESTED:
	case OUTBOX_EVENT_WRITABLE:
		o->members[event->member].congested = event->type == OUTBOX_EVENT_CONGESTED;
		break;
	case OUTBOX_EVENT_RETRY:
		retry(o);
		break;
	case OUTBOX_EVENT_HEARD:
		o->heard = true;
		break;
	case OUTBOX_EVENT_ACK_DUE:
		o->ack_is_set = false;
		o->ack_due = o->heard;
		break;
	case OUTBOX_EVENT_COMPLAIN:
		complain(o, event);
		break;
	case OUTBOX_EVENT_REKEY:
		bytes_unref(o->rekey);
		o->rekey = bytes_ref(event->rekey.certificate);
		break;
	case OUTBOX_EVENT_KEY_LEARNED:
		o->members[event->member].refusals = 0;
		o->members[event->member].stuck = false;
		break;
	case OUTBOX_EVENT_FREEZE:
		o->frozen = true;
		break;
	case OUTBOX_EVENT_CLOSE:
		o->close_wanted = !o->closing;
		break;
	default:
		result(o, event);
		break;
	}
}

// Nothing is sent any more; what is known of what was sent still gets to the disk.
static void dispatch_after_end(struct outbox *o, const struct outbox_event *event)
{
	switch (event->type) {
	case OUTBOX_EVENT_SUBMIT:
	case OUTBOX_EVENT_RELEASE:
		outbox_queue_submit(o, event);
		break;
	case OUTBOX_EVENT_COMMITTED:
		committed(o, event->result.code);
		break;
	case OUTBOX_EVENT_ACK_STORED:
		ack_stored(o, event->result.code);
		break;
	case OUTBOX_EVENT_FAILED_STORED:
		failed_stored(o, event->result.code);
		break;
	case OUTBOX_EVENT_RETRY:
		retry(o);
		break;
	default:
		break;
	}
}

// What is to be done now. TRANSMIT first: whatever comes back while the rest is carried out comes
// after it.
static void go_on(struct outbox *o, int64_t now_ms)
{
	outbox_window_transmit(o);
	outbox_window_trim(o);
	store_acks(o);
	outbox_window_store(o);
	outbox_queue_commit(o, now_ms);
	outbox_window_seal(o);
	outbox_window_load(o);
	set_ack_timer(o);
	finish_close(o);
	finish_freeze(o);
}

void outbox_step(struct outbox *o, const struct outbox_event *event, struct outbox_actions *out)
{
	assert(out->count == 0);
	o->out = out;
	if (event->type == OUTBOX_EVENT_ABANDON)
		abandon(o);
	else if (o->mode == OUTBOX_LIVE)
		dispatch(o, event);
	else
		dispatch_after_end(o, event);
	if (o->mode == OUTBOX_LIVE) {
		go_on(o, event->now_ms);
	} else {
		store_acks(o);
		store_failed(o);
	}
	o->out = NULL;
}
