// SPDX-License-Identifier: GPL-3.0-or-later
// Frames that wait to be opened and applied: in the order of arrival, bounded per link.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/transcript_machine.h"

// --- caps ---------------------------------------------------------------------------------------

static bool is_full(const struct transcript *t, const struct transcript_link *l)
{
	return l->held >= TRANSCRIPT_HELD_MAX || l->held_bytes >= TRANSCRIPT_HELD_BYTES ||
	       t->held_bytes >= TRANSCRIPT_HELD_BYTES_ALL;
}

// What a link that was paused in time has already read.
static bool is_over(const struct transcript *t, const struct transcript_link *l, size_t more)
{
	return l->held >= 2 * TRANSCRIPT_HELD_MAX ||
	       l->held_bytes + more > 2 * TRANSCRIPT_HELD_BYTES ||
	       t->held_bytes + more > 2 * TRANSCRIPT_HELD_BYTES_ALL;
}

static bool has_room(const struct transcript *t, const struct transcript_link *l)
{
	return l->held <= TRANSCRIPT_HELD_MAX / 2 && l->held_bytes <= TRANSCRIPT_HELD_BYTES / 2 &&
	       t->held_bytes <= TRANSCRIPT_HELD_BYTES_ALL / 2;
}

static void pause_if_full(struct transcript *t, size_t member)
{
	struct transcript_link *l = &t->links[member];
	if (l->paused || !is_full(t, l))
		return;
	l->paused = true;
	transcript_act(t, TRANSCRIPT_PAUSE)->member = member;
}

void transcript_held_resume(struct transcript *t)
{
	for (size_t i = 0; i < t->roster.count; i++) {
		struct transcript_link *l = &t->links[i];
		if (!l->paused || !has_room(t, l))
			continue;
		l->paused = false;
		transcript_act(t, TRANSCRIPT_RESUME)->member = i;
	}
}

void transcript_held_link_up(struct transcript *t, size_t member)
{
	t->links[member].paused = false;
	t->links[member].refused = 0;
	pause_if_full(t, member);
}

// --- in and out ---------------------------------------------------------------------------------

static void append(struct transcript *t, size_t member, size_t sender, uint64_t sequence,
		   struct span frame)
{
	if (t->held_count == t->held_room) {
		t->held_room = t->held_room ? 2 * t->held_room : 16;
		t->held = mem_realloc(t->held, t->held_room * sizeof *t->held);
	}
	t->held[t->held_count++] = (struct held){
		.member = member,
		.sender = sender,
		.sequence = sequence,
		.frame = bytes_new_span(frame),
	};
	t->links[member].held++;
	t->links[member].held_bytes += frame.len;
	t->held_bytes += frame.len;
}

static void release(struct held *h)
{
	bytes_unref(h->frame);
	bytes_unref(h->payload);
	secret_unref(h->session_key);
	free(h->recipients);
}

void transcript_held_remove(struct transcript *t, size_t i)
{
	struct held *h = &t->held[i];
	size_t len = h->frame->len;
	assert(!t->commits && !t->rekeying); // or what they are for would move
	t->links[h->member].held--;
	t->links[h->member].held_bytes -= len;
	t->held_bytes -= len;
	release(h);
	memmove(h, h + 1, (--t->held_count - i) * sizeof *h);
}

void transcript_held_clear(struct transcript *t)
{
	for (size_t i = 0; i < t->held_count; i++)
		release(&t->held[i]);
	free(t->held);
	t->held = NULL;
	t->held_count = t->held_room = t->held_bytes = 0;
	t->rekeying = 0;
	for (size_t i = 0; i < t->roster.count; i++)
		t->links[i].held = t->links[i].held_bytes = 0;
}

// What would be the sender's head if all that is held from that link were accepted.
static uint64_t last_held(const struct transcript *t, size_t member, size_t sender)
{
	uint64_t last = t->chains[sender].head.sequence;
	for (size_t i = 0; i < t->held_count; i++) {
		const struct held *h = &t->held[i];
		if (h->member == member && h->sender == sender && h->sequence > last)
			last = h->sequence;
	}
	return last;
}

void transcript_held_drop_gaps(struct transcript *t, size_t member, size_t sender)
{
	uint64_t expected = t->chains[sender].head.sequence + 1;
	for (size_t i = 0; i < t->held_count;) {
		const struct held *h = &t->held[i];
		if (h->member != member || h->sender != sender || h->sequence <= expected) {
			expected += h->member == member && h->sender == sender &&
				    h->sequence == expected;
			i++;
			continue;
		}
		transcript_held_remove(t, i);
		transcript_drop(t, member, TRANSCRIPT_GAP, false);
	}
}

// It is the proof that was asked for, and there is room for it.
static bool is_disputed(const struct transcript *t, size_t member, size_t sender, const struct sealed_frame *f, size_t len)
{
	const struct transcript_link *l = &t->links[member];
	return l->disputed && f->sequence == l->disputed && sender == l->disputed_sender && !t->ended && !is_over(t, l, len);
}

void transcript_held_receive(struct transcript *t, size_t member, struct span frame)
{
	struct sealed_frame f;
	if (sealed_frame_decode(&f, frame, NULL)) {
		transcript_drop(t, member, TRANSCRIPT_MALFORMED_FRAME, true);
		return;
	}
	size_t sender = roster_position(&t->roster, f.sender);
	if (f.epoch != t->roster.epoch) {
		transcript_drop(t, member, TRANSCRIPT_OTHER_EPOCH, false);
	} else if (sender == ROSTER_NOBODY) {
		transcript_drop(t, member, TRANSCRIPT_NO_MEMBER, false);
	} else if (sender == t->self) {
		transcript_drop(t, member, TRANSCRIPT_REFLECTED, false);
	} else if (is_disputed(t, member, sender, &f, frame.len)) {
		append(t, member, sender, f.sequence, frame);
		t->links[member].disputed = 0;
	} else if (f.sequence <= t->chains[sender].head.sequence) {
		transcript_drop(t, member, TRANSCRIPT_DUPLICATE, false);
		transcript_acknowledge(t, member, sender);
	} else if (t->ended || t->chains[sender].closed) {
		transcript_drop(t, member, TRANSCRIPT_AFTER_CLOSE, false);
		if (t->ended)
			transcript_refuse(t, member);
	} else if (t->chains[sender].cut && f.sequence > t->chains[sender].last.sequence) {
		transcript_drop(t, member, TRANSCRIPT_BEYOND_CUT, false);
	} else if (f.sequence <= last_held(t, member, sender)) {
		transcript_drop(t, member, TRANSCRIPT_DUPLICATE, false);
	} else if (f.sequence > last_held(t, member, sender) + 1) {
		transcript_drop(t, member, TRANSCRIPT_GAP, false);
	} else if (is_over(t, &t->links[member], frame.len)) {
		transcript_drop(t, member, TRANSCRIPT_OVERFLOW, false);
	} else {
		append(t, member, sender, f.sequence, frame);
		pause_if_full(t, member);
	}
}

// --- opening ------------------------------------------------------------------------------------

static uint64_t *find_opening(struct transcript *t, uint64_t ticket)
{
	for (size_t i = 0; i < TRANSCRIPT_OPENING_MAX; i++)
		if (t->opening[i] == ticket)
			return &t->opening[i];
	return NULL;
}

static void open_one(struct transcript *t, struct held *h, uint64_t *slot)
{
	struct transcript_action *a = transcript_act(t, TRANSCRIPT_OPEN);
	h->stage = HELD_OPENING;
	h->ticket = *slot = ++t->last_ticket;
	a->open.ticket = h->ticket;
	a->open.sender = h->sender;
	a->open.frame = bytes_ref(h->frame);
	a->open.message = span(h->frame->data + SEALED_FRAME_HEADER_LEN,
			       h->frame->len - SEALED_FRAME_HEADER_LEN);
}

void transcript_held_open_more(struct transcript *t)
{
	for (size_t i = 0; i < t->held_count && !t->hold_opens; i++) {
		uint64_t *slot = find_opening(t, 0);
		if (!slot)
			return;
		if (t->held[i].stage == HELD_WAITING)
			open_one(t, &t->held[i], slot);
	}
}

bool transcript_is_nobodys_fault(enum err code)
{
	return code == ERR_LOCKED || code == ERR_TIMEOUT || code == ERR_BUSY || code == ERR_IO ||
	       code == ERR_CANCELED || code == ERR_INTERNAL;
}

static void keep_recipients(const struct transcript *t, struct held *h, const uint64_t *recipients)
{
	size_t count = t->roster.count - 1;
	if (!recipients || !t->keys)
		return;
	h->recipients = mem_alloc_array(count, sizeof *h->recipients);
	memcpy(h->recipients, recipients, count * sizeof *recipients);
}

void transcript_held_opened(struct transcript *t, const struct transcript_event *event)
{
	uint64_t *slot = event->opened.ticket ? find_opening(t, event->opened.ticket) : NULL;
	if (!slot)
		return;
	*slot = 0;
	size_t i = 0;
	while (i < t->held_count && t->held[i].ticket != event->opened.ticket)
		i++;
	if (i == t->held_count)
		return; // let go of meanwhile
	struct held *h = &t->held[i];
	h->ticket = 0;
	if (transcript_is_nobodys_fault(event->opened.code)) {
		h->stage = HELD_WAITING;
		t->hold_opens = true;
		transcript_retry_later(t);
		return;
	}
	h->stage = HELD_OPENED;
	h->code = event->opened.code;
	if (h->code == OK) {
		h->payload = bytes_ref(event->opened.payload);
		h->session_key = secret_ref(event->opened.session_key);
		keep_recipients(t, h, event->opened.recipients);
	}
}

bool transcript_held_next(const struct transcript *t, size_t *i)
{
	bool seen[ROSTER_MAX] = {false};
	for (size_t k = 0; k < t->held_count; k++) {
		const struct held *h = &t->held[k];
		if (h->stage == HELD_OPENED && !seen[h->member]) {
			*i = k;
			return true;
		}
		seen[h->member] = true;
	}
	return false;
}
