// SPDX-License-Identifier: GPL-3.0-or-later
// Messages that wait for a payload: submitted, gathered, put into payloads, committed.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/outbox_machine.h"

// --- the list -----------------------------------------------------------------------------------

static struct outbox_message *at(const struct outbox_queue *q, size_t i)
{
	return &q->list[q->head + i];
}

static void append(struct outbox_queue *q, const struct outbox_message *m)
{
	if (q->head + q->count == q->room && q->head >= q->room / 2 && q->head > 0) {
		memmove(q->list, at(q, 0), q->count * sizeof *q->list);
		q->head = 0;
	} else if (q->head + q->count == q->room) {
		q->room = q->room ? 2 * q->room : 16;
		q->list = mem_realloc(q->list, q->room * sizeof *q->list);
	}
	*at(q, q->count++) = *m;
	bytes_ref(m->text);
	q->bytes += m->text->len;
}

static void remove_range(struct outbox_queue *q, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		q->bytes -= at(q, i)->text->len;
		bytes_unref(at(q, i)->text);
	}
	if (first == 0)
		q->head += count;
	else
		memmove(at(q, first), at(q, first + count),
			(q->count - first - count) * sizeof *q->list);
	q->count -= count;
	if (q->count == 0) {
		free(q->list);
		q->list = NULL;
		q->head = q->room = 0;
	}
}

void outbox_queue_init(struct outbox *o, const struct outbox_config *config)
{
	assert(config->queued_count <= OUTBOX_QUEUED_MAX);
	for (size_t i = 0; i < config->queued_count; i++)
		append(&o->queue, &config->queued[i]);
	o->queue.on_disk = config->queued_count;
}

static void forget_commit(struct outbox *o)
{
	bytes_unref(o->commit.first.bytes);
	bytes_unref(o->commit.rekey);
	memset(&o->commit, 0, sizeof o->commit);
}

void outbox_queue_fini(struct outbox *o)
{
	remove_range(&o->queue, 0, o->queue.count);
	o->queue.on_disk = 0;
	forget_commit(o);
}

// --- submitting ---------------------------------------------------------------------------------

static void reject(struct outbox *o, const struct outbox_submit *s, enum err code)
{
	struct outbox_action *a = outbox_act(o, OUTBOX_REJECTED);
	a->rejected.ticket = s->ticket;
	a->rejected.code = code;
	o->counters.rejected += s->count;
}

static enum err may_submit(const struct outbox *o, size_t count, bool held)
{
	const struct outbox_queue *q = &o->queue;
	if (o->mode != OUTBOX_LIVE || o->close_wanted || o->closing || o->abandon_wanted)
		return ERR_WRONG_STATE;
	if (count > (held ? OUTBOX_QUEUED_MAX : OUTBOX_SUBMIT_MAX))
		return ERR_TOO_LARGE;
	if (count == 0)
		return ERR_BAD_PARAMS;
	if (q->submit_count == OUTBOX_SUBMITS_MAX || q->count + count > OUTBOX_QUEUED_MAX ||
	    q->bytes >= OUTBOX_QUEUED_BYTES_MAX)
		return ERR_BUSY;
	return OK;
}

void outbox_queue_submit(struct outbox *o, const struct outbox_event *event)
{
	const struct outbox_submit s = {event->submit.ticket, event->submit.count,
					event->type == OUTBOX_EVENT_RELEASE};
	enum err code = may_submit(o, s.count, s.held);
	if (code) {
		reject(o, &s, code);
		return;
	}
	for (size_t i = 0; i < s.count; i++)
		append(&o->queue, &event->submit.messages[i]);
	o->queue.submits[o->queue.submit_count++] = s;
}

static void remove_submits(struct outbox_queue *q, size_t count)
{
	q->submit_count -= count;
	memmove(q->submits, q->submits + count, q->submit_count * sizeof *q->submits);
}

void outbox_queue_reject_all(struct outbox *o, enum err code)
{
	struct outbox_queue *q = &o->queue;
	for (size_t i = 0; i < q->submit_count; i++)
		reject(o, &q->submits[i], code);
	remove_submits(q, q->submit_count);
	remove_range(q, q->on_disk, q->count - q->on_disk);
}

// --- payloads -----------------------------------------------------------------------------------

// A payload in the making: messages of the queue from `first` on.
struct draft {
	struct payload payload;
	size_t first, count;
	bool closes;
};

static void add_item(struct draft *d, const struct outbox_message *m)
{
	struct payload_item *item = &d->payload.items[d->payload.item_count++];
	*item = (struct payload_item){.type = PAYLOAD_TEXT, .time_ms = m->time_ms, .text = m->text};
	memcpy(item->nonce, m->nonce, sizeof item->nonce);
}

// False: there is no room.
static bool add_if_it_fits(struct draft *d, size_t *size, const struct payload_item *item)
{
	struct payload *p = &d->payload;
	if (p->item_count == PAYLOAD_ITEMS_MAX || *size + payload_size_item(item) > PAYLOAD_BUILD_MAX)
		return false;
	*size += payload_size_item(item);
	p->items[p->item_count++] = *item;
	return true;
}

// The new key first, then as many as fit, then complaints, and CLOSE after the last where that is asked for and fits, too.
static void fill(struct outbox *o, struct draft *d, struct bytes *rekey, bool close)
{
	const struct payload_item closing = {.type = PAYLOAD_CLOSE};
	const struct outbox_queue *q = &o->queue;
	struct payload *p = &d->payload;
	size_t size = payload_size_base(p->seen_count);
	p->items = mem_alloc_array(PAYLOAD_ITEMS_MAX, sizeof *p->items);
	if (rekey) {
		p->items[p->item_count++] = (struct payload_item){.type = PAYLOAD_REKEY, .certificate = rekey};
		size += payload_size_item(&p->items[0]);
	}
	while (d->first + d->count < q->count && p->item_count < PAYLOAD_ITEMS_MAX) {
		add_item(d, at(q, d->first + d->count));
		size += payload_size_item(&p->items[p->item_count - 1]);
		if (size > PAYLOAD_BUILD_MAX) {
			p->item_count--;
			return;
		}
		d->count++;
	}
	while (o->commit.complaints < o->complaint_count &&
	       add_if_it_fits(d, &size, &o->complaints[o->commit.complaints]))
		o->commit.complaints++;
	if (close && d->first + d->count == q->count)
		d->closes = add_if_it_fits(d, &size, &closing);
}

static void encode(const struct draft *d, struct outbox_payload *out)
{
	struct buf b;
	buf_init_wiped(&b, PAYLOAD_BUILD_MAX);
	enum err e = payload_encode(&d->payload, &b, NULL);
	assert(e == OK); // texts were checked, sizes counted
	(void)e;
	out->sequence = d->payload.sequence;
	out->hash = hash_of(buf_span(&b));
	out->bytes = buf_take(&b);
	buf_fini(&b);
}

// The next payload after o->commit's. Returns how many messages it takes; *closes: CLOSE is in it.
static size_t build(struct outbox *o, int64_t now_ms, size_t first, bool close,
		    struct bytes *rekey, struct outbox_payload *out, bool *closes)
{
	struct draft d = {.first = first};
	struct payload *p = &d.payload;
	memcpy(p->discussion, o->roster.discussion, sizeof p->discussion);
	memcpy(p->sender, o->own, sizeof p->sender);
	p->epoch = o->roster.epoch;
	p->roster_hash = o->roster_hash;
	p->sequence = o->commit.sequence + 1;
	p->previous = o->commit.sequence ? o->commit.hash : o->roster_hash;
	p->seen_count = transcript_seen(o->transcript, p->seen);
	p->time_ms = now_ms;
	fill(o, &d, rekey, close);
	encode(&d, out);
	free(p->items);
	o->commit.sequence = out->sequence;
	o->commit.hash = out->hash;
	*closes = d.closes;
	return d.count;
}

// --- commits ------------------------------------------------------------------------------------

static void place_rows(struct outbox_action *a, size_t first, size_t count, uint64_t sequence, size_t items_before)
{
	for (size_t i = 0; i < count; i++) {
		struct outbox_row *row = &a->commit.rows[first + i];
		row->placed = true;
		row->sequence = sequence;
		row->index = (uint32_t)(items_before + i);
	}
}

static void mark_news(const struct outbox_queue *q, struct outbox_action *a)
{
	size_t row = q->on_disk;
	for (size_t i = 0; i < q->submit_count; i++) {
		for (size_t k = 0; k < q->submits[i].count; k++, row++) {
			a->commit.rows[row].fresh = !q->submits[i].held;
			a->commit.rows[row].released = q->submits[i].held;
		}
	}
}

// Those that are on disk and stay where they are are no news.
static void drop_old_rows(struct outbox_action *a)
{
	size_t kept = 0;
	for (size_t i = 0; i < a->commit.row_count; i++) {
		const struct outbox_row row = a->commit.rows[i];
		if (row.fresh || row.released || row.placed)
			a->commit.rows[kept++] = row;
		else
			bytes_unref(row.message.text);
	}
	a->commit.row_count = kept;
}

// Every payload but the last takes at least one message, and a CLOSE alone fits.
static void add_payloads(struct outbox *o, struct outbox_action *a, int64_t now_ms, bool close)
{
	struct outbox_commit *c = &o->commit;
	bool closes = false;
	do {
		struct outbox_payload p;
		struct bytes *rekey = c->payload_count ? NULL : c->rekey;
		size_t count = build(o, now_ms, c->placed, close, rekey, &p, &closes);
		place_rows(a, c->placed, count, p.sequence, rekey ? 1 : 0);
		c->placed += count;
		a->commit.payloads = mem_realloc(a->commit.payloads,
						 (c->payload_count + 1) * sizeof p);
		a->commit.payloads[c->payload_count++] = p;
	} while (close && !closes);
	a->commit.payload_count = c->payload_count;
	c->first = a->commit.payloads[0];
	bytes_ref(c->first.bytes);
}

static void commit(struct outbox *o, int64_t now_ms, bool payloads, bool close)
{
	struct outbox_queue *q = &o->queue;
	struct outbox_action *a = outbox_act(o, OUTBOX_COMMIT);
	o->commit = (struct outbox_commit){
		.under_way = true,
		.closes = close,
		.messages = q->count,
		.submits = q->submit_count,
		.sequence = o->built,
		.hash = o->head,
		.heard = o->heard,
		.ack_due = o->ack_due,
	};
	a->commit.time_ms = now_ms;
	a->commit.closes = close;
	a->commit.rows = mem_alloc_array(q->count + 1, sizeof *a->commit.rows);
	a->commit.row_count = q->count;
	for (size_t i = 0; i < q->count; i++) {
		a->commit.rows[i].message = *at(q, i);
		bytes_ref(at(q, i)->text);
	}
	mark_news(q, a);
	if (payloads && !close) {
		o->commit.rekey = o->rekey;
		o->rekey = NULL;
		a->commit.rekey = bytes_ref(o->commit.rekey);
	}
	if (payloads || close) {
		add_payloads(o, a, now_ms, close);
		o->heard = o->ack_due = o->ack_is_set = false; // it says what was seen until now
	}
	drop_old_rows(a);
}

void outbox_queue_commit(struct outbox *o, int64_t now_ms)
{
	const struct outbox_queue *q = &o->queue;
	bool fresh = q->count > q->on_disk;
	if (o->commit.under_way || o->mode != OUTBOX_LIVE)
		return;
	bool may_begin = fresh || !o->hold_commits;
	if (o->close_wanted && may_begin) {
		commit(o, now_ms, true, true);
		return;
	}
	bool something = q->count > 0 || o->rekey || o->ack_due || o->complaint_count > 0;
	bool payloads = something && !o->close_wanted && !o->closing && !o->frozen && !outbox_window_awaits_seal(o);
	if (fresh || (payloads && may_begin))
		commit(o, now_ms, payloads, false);
}

static void commit_failed(struct outbox *o, enum err code)
{
	struct outbox_queue *q = &o->queue;
	size_t submits = o->commit.submits;
	if (o->commit.rekey && !o->rekey)
		o->rekey = bytes_ref(o->commit.rekey);
	for (size_t i = 0; i < submits; i++)
		reject(o, &q->submits[i], code);
	remove_submits(q, submits);
	remove_range(q, q->on_disk, o->commit.messages - q->on_disk);
	o->heard |= o->commit.heard;
	o->ack_due |= o->commit.ack_due;
	bool waits = o->rekey || o->ack_due || o->complaint_count > 0;
	forget_commit(o);
	if (submits && !waits) {
		o->counters.failures++; // whoever submitted knows, and may try again
		return;
	}
	o->hold_commits = true;
	outbox_retry_later(o);
}

void outbox_queue_committed(struct outbox *o, enum err code)
{
	struct outbox_queue *q = &o->queue;
	if (!o->commit.under_way)
		return;
	if (code) {
		commit_failed(o, code);
		return;
	}
	for (size_t i = 0; i < o->commit.submits; i++) {
		outbox_act(o, OUTBOX_ACCEPTED)->ticket = q->submits[i].ticket;
		o->counters.accepted += q->submits[i].count;
	}
	remove_submits(q, o->commit.submits);
	q->on_disk = o->commit.messages - o->commit.placed;
	remove_range(q, 0, o->commit.placed);
	o->counters.built += o->commit.payload_count;
	o->complaint_count -= o->commit.complaints;
	memmove(o->complaints, o->complaints + o->commit.complaints, o->complaint_count * sizeof *o->complaints);
	if (o->commit.payload_count) {
		o->built = o->commit.sequence;
		o->head = o->commit.hash;
		outbox_window_add_built(o, &o->commit.first);
	}
	if (o->commit.closes) {
		o->closing = true;
		o->close_wanted = false;
		outbox_act(o, OUTBOX_CLOSED);
	}
	outbox_went_well(o);
	forget_commit(o);
}
