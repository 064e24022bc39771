// SPDX-License-Identifier: GPL-3.0-or-later
// The lines of a conversation: to each other member a link, or a farewell in its place, and whom to dial while there is neither.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "discussion/member_link.h"
#include "shell/chain.h"
#include "shell/change.h"
#include "shell/conversation_parts.h"
#include "shell/meeting.h"
#include "shell/past.h"
#include "shell/shell.h"
#include "shell/statements.h"
#include "wire/frame.h"

// Below this a link counts as congested: a payload and its frame always fit above it.
#define LINK_ROOM_LEAST (2u << 20)

#define LINE_CHANGES_MAX 65536 // frames CHANGE that wait: the chain of a discussion of many epochs

#define NO_ADDRESS "no_address"

static const char *fingerprint_of(const struct conversation *c, size_t member)
{
	return c->lines[member].fingerprint;
}

const struct store_member *line_other(const struct line *l)
{
	return discussion_anyone(l->conversation->discussion, l->member);
}

bool line_is_former(const struct line *l)
{
	return l->member >= l->conversation->count;
}

// The first message is not to wait for gpg's start either.
static void expect_messages(struct conversation *c)
{
	uint64_t keys[ROSTER_MAX];
	size_t count = conversation_keys_without(c, c->own, keys);
	if (!c->discussion->home || discussion_has_ended(c->discussion))
		return;
	gpg_expect_open(c->engine->gpg, c->discussion->home, false);
	gpg_expect_seal(c->engine->gpg, c->discussion->home, keys, count, false);
}

// The machines' view of a line that carries frames, be it a link or a farewell.
void line_up(struct line *l, const struct seen_row *seen)
{
	struct conversation *c = l->conversation;
	const struct transcript_event heard = {.type = TRANSCRIPT_EVENT_LINK_UP, .member = l->member};
	struct outbox_event sends = {.type = OUTBOX_EVENT_LINK_UP, .link = {.member = l->member}};
	if (seen) {
		sends.link.known = true;
		sends.link.epoch = seen->epoch;
		sends.link.sequence = seen->sequence;
		sends.link.hash = seen->hash;
	}
	l->heard = true;
	l->congested = false;
	receiving_feed(c, &heard);
	l->waits = !l->farewell && past_line_up(c, l->member);
	l->up = sends;
	// who says farewell can open nothing any more, and takes only acknowledgements
	if (!l->waits && (!l->farewell || c->discussion->row.closing))
		sending_feed(c, &sends);
	if (!l->farewell) {
		l->in_epoch = true;
		catching_up_link(c, l->member, true);
		change_line_up(c, l->member);
		expect_messages(c);
		invitation_line_up(c, l->member);
	}
}

void line_passed(struct line *l)
{
	l->waits = false;
	sending_feed(l->conversation, &l->up);
}

void line_down(struct line *l)
{
	struct conversation *c = l->conversation;
	const struct transcript_event heard = {.type = TRANSCRIPT_EVENT_LINK_DOWN, .member = l->member};
	struct outbox_event sends = {.type = OUTBOX_EVENT_LINK_DOWN, .member = l->member};
	l->in_epoch = l->waits = false;
	if (!l->heard)
		return;
	l->heard = false;
	catching_up_link(c, l->member, false);
	past_line_down(c, l->member);
	receiving_feed(c, &heard);
	sending_feed(c, &sends);
}

static void forget_link(struct line *l)
{
	line_queue_clear(&l->changes);
	l->chain_sent = l->ahead = l->parts = false;
	l->paused = 0;
	l->link = NULL;
}

// The last link of that member is gone.
static void unlinked(struct line *l)
{
	struct conversation *c = l->conversation;
	struct discussion *d = c->discussion;
	if (line_is_former(l))
		return;
	statements_line_down(l);
	neighbours_linked(&c->engine->neighbours, fingerprint_of(c, l->member), false);
	line_down(l);
	if (!c->engine->stopping)
		discussion_happens(d, LIFECYCLE_LINK_DOWN, LIFECYCLE_NO_REASON);
	if (d->conversation == c && (d->row.closing || !discussion_has_ended(d)))
		dialer_start(&l->dialer);
}

void line_drop(struct line *l, const char *reason)
{
	struct engine *e = l->conversation->engine;
	if (!l->link)
		return;
	log_info("the link of %.8s in %.8s ends: %s", fingerprint_of(l->conversation, l->member),
		 l->conversation->discussion->row.id, reason);
	metrics_count(&e->metrics, "member_links_ended", reason);
	network_let_go(&e->network, l->link);
	forget_link(l);
	unlinked(l);
}

static void heard_record(struct line *l, struct span payload)
{
	char type[RECORD_TYPE_SIZE];
	if (record_peek_type(payload, type, NULL))
		line_drop(l, "malformed_record");
	else if (strcmp(type, "seen") == 0)
		chain_heard(l, payload);
	else if (!line_is_former(l))
		sending_heard(l->conversation, l->member, payload);
}

static void on_frame(void *arg, uint8_t kind, struct span payload, bool encrypted)
{
	struct line *l = arg;
	const struct transcript_event received = {.type = TRANSCRIPT_EVENT_RECEIVED,
						  .received = {.member = l->member, .frame = payload}};
	(void)encrypted; // established links are
	if (kind == FRAME_CHANGE)
		change_frame(l->conversation, l->member, payload);
	else if (kind == FRAME_RECORD)
		heard_record(l, payload);
	else if (kind == FRAME_SEALED && !line_is_former(l) && past_frame(l->conversation, l->member, payload))
		return;
	else if (kind == FRAME_SEALED && l->in_epoch)
		receiving_feed(l->conversation, &received);
	else if (kind == FRAME_SEALED)
		metrics_count(&l->conversation->engine->metrics, "payloads_dropped", "other_epoch");
	else
		line_drop(l, "unexpected_frame");
}

void conversation_drained(struct conversation *c, size_t member)
{
	struct line *l = &c->lines[member];
	struct outbox_event event = {.type = OUTBOX_EVENT_WRITABLE, .member = l->member};
	if (!l->congested)
		return;
	l->congested = false;
	past_congested(c, l->member, false);
	sending_feed(c, &event);
}

// --- frames CHANGE ---------------------------------------------------------------------------------------------------------------

void line_queue_add(struct line_queue *q, struct bytes *record)
{
	bool full = q->first + q->count == q->room;
	if (full && q->first > q->room / 2) {
		memmove(q->list, q->list + q->first, q->count * sizeof *q->list);
		q->first = 0;
	} else if (full) {
		q->room = q->room ? 2 * q->room : 16;
		q->list = mem_realloc(q->list, q->room * sizeof *q->list);
	}
	q->list[q->first + q->count++] = bytes_ref(record);
}

struct bytes *line_queue_take(struct line_queue *q)
{
	if (!q->count)
		return NULL;
	q->count--;
	return q->list[q->first++];
}

void line_queue_clear(struct line_queue *q)
{
	while (q->count)
		bytes_unref(line_queue_take(q));
	free(q->list);
	*q = (struct line_queue){0};
}

static void send_changes(struct line *l)
{
	while (l->link && l->changes.count && link_room(l->link) >= LINK_ROOM_LEAST) {
		struct bytes *record = line_queue_take(&l->changes);
		enum err code = link_send(l->link, FRAME_CHANGE, record);
		bytes_unref(record);
		if (code)
			line_drop(l, "congested");
	}
	if (l->link && l->parts && !l->changes.count)
		line_drop(l, "no_member");
}

void line_change(struct line *l, struct bytes *record)
{
	if (!l->link)
		return;
	if (l->changes.count == LINE_CHANGES_MAX) {
		line_drop(l, "congested");
		return;
	}
	line_queue_add(&l->changes, record);
	send_changes(l);
}

void line_part(struct line *l)
{
	l->parts = true;
	send_changes(l);
}

static void on_drained(void *arg)
{
	struct line *l = arg;
	send_changes(l);
	if (l->link && !line_is_former(l))
		conversation_drained(l->conversation, l->member);
}

static void on_ended(void *arg, enum link_end why, const struct err_info *info)
{
	(void)info;
	line_drop(arg, link_end_name(why));
}

static const struct link_callbacks link_callbacks = {.frame = on_frame, .drained = on_drained, .ended = on_ended};

void line_send_record(struct line *l, struct span record)
{
	if (l->farewell) {
		meeting_ack(l->farewell, record);
		return;
	}
	if (!l->link)
		return;
	struct bytes *bytes = bytes_new_span(record);
	if (link_send(l->link, FRAME_RECORD, bytes))
		line_drop(l, "congested");
	bytes_unref(bytes);
}

void line_transmit(struct line *l, struct bytes *frame)
{
	struct link *link = l->farewell ? meeting_link(l->farewell) : l->link;
	struct outbox_event event = {.type = OUTBOX_EVENT_CONGESTED, .member = l->member};
	if (!link)
		return;
	if (link_send(link, FRAME_SEALED, frame)) {
		if (!l->farewell)
			line_drop(l, "congested");
		return;
	}
	if (!l->congested && link_room(link) < LINK_ROOM_LEAST) {
		l->congested = true;
		past_congested(l->conversation, l->member, true);
		sending_feed(l->conversation, &event);
	}
}

void line_pause(struct line *l, unsigned by, bool pause)
{
	struct link *link = l->farewell ? meeting_link(l->farewell) : l->link;
	unsigned before = l->paused;
	l->paused = pause ? before | by : before & ~by;
	if (link && l->paused && !before)
		link_pause(link);
	else if (link && !l->paused && before)
		link_resume(link);
}

static struct line *line_of(struct conversation *c, const char *fingerprint)
{
	for (size_t i = 0; i < c->line_count; i++)
		if (i != c->own && strcmp(fingerprint_of(c, i), fingerprint) == 0)
			return &c->lines[i];
	return NULL;
}

static void take_link(struct line *l, struct link *link, bool dialled)
{
	dialer_stop(&l->dialer);
	l->problem = NULL;
	l->link = link;
	l->dialled = dialled;
	link_set_callbacks(link, &link_callbacks, l);
	link_set_authenticated(link);
	link_set_idle(link, 0); // the kernel's keep-alive looks for silence
}

void conversation_take_link(struct conversation *c, struct link *link, const char *other, bool dialled,
			    const struct seen_record *seen)
{
	struct discussion *d = c->discussion;
	struct line *l = line_of(c, other);
	bool refused = l && l->link && l->dialled != dialled && !member_link_stays(discussion_own(d), other, dialled);
	if (!l || refused) {
		network_let_go(&c->engine->network, link);
		return;
	}
	bool first = l->link == NULL;
	if (!first) {
		network_let_go(&c->engine->network, l->link);
		forget_link(l);
		line_down(l);
	}
	take_link(l, link, dialled);
	if (first && !line_is_former(l)) {
		neighbours_linked(&c->engine->neighbours, other, true);
		discussion_happens(d, LIFECYCLE_LINK_UP, LIFECYCLE_NO_REASON);
	}
	if (seen && seen->presence.record)
		neighbours_learn(&c->engine->neighbours, other, &seen->presence, link_remote(link));
	if (d->conversation == c && l->link == link)
		chain_seen(l, seen);
}

void line_move(struct line *from, struct line *to)
{
	take_link(to, from->link, from->dialled);
	to->changes = from->changes;
	to->statements = from->statements; // of the next epoch, too
	from->changes = from->statements = (struct line_queue){0};
	to->ahead = from->ahead;
	to->ahead_row = from->ahead_row;
	to->chain_sent = from->chain_sent;
	to->chain_from = from->chain_from;
	if (from->paused)
		link_resume(to->link);
	from->link = NULL;
}

// --- dialing -----------------------------------------------------------------------------------------------------------------

// Whoever has not heard a farewell within the window has closed the discussion itself (P3.8).
static bool gives_up_telling(const struct conversation *c)
{
	const struct discussion *d = c->discussion;
	return d->row.ended && clock_now_ms(c->engine->clock) - d->row.ended > d->life.window_ms;
}

static void dial_round(void *arg, struct endpoint_list *out)
{
	struct line *l = arg;
	const struct store_member *m = line_other(l);
	const struct peer *p = neighbours_get(&l->conversation->engine->neighbours, m->fingerprint);
	*out = (struct endpoint_list){0};
	if (gives_up_telling(l->conversation)) {
		conversation_farewell_told(l->conversation, l->member);
		return;
	}
	if (p)
		*out = p->addresses;
	for (size_t i = 0; i < m->addresses.count; i++) {
		struct addr at;
		if (addr_parse(&at, m->addresses.text[i], NULL) == OK)
			(void)endpoint_list_add(out, &at);
	}
	if (out->count == 0)
		l->problem = NO_ADDRESS;
}

void conversation_dial_failed(struct conversation *c, size_t member, const struct addr *at, enum link_end why)
{
	c->lines[member].problem = link_end_name(why);
	c->lines[member].tried = *at;
}

const char *conversation_problem(const struct conversation *c, const char *fingerprint, char tried[ADDR_TEXT_MAX])
{
	tried[0] = 0;
	for (size_t i = 0; c && i < c->count; i++) {
		const struct line *l = &c->lines[i];
		if (strcmp(fingerprint_of(c, i), fingerprint) != 0 || !l->problem)
			continue;
		if (strcmp(l->problem, NO_ADDRESS) != 0)
			addr_format(&l->tried, tried);
		return l->problem;
	}
	return "";
}

static void dial_one(void *arg, const struct addr *to)
{
	struct line *l = arg;
	if (!meeting_dial(l->conversation, l->member, to))
		dialer_failed(&l->dialer);
}

void conversation_dial(struct conversation *c)
{
	for (size_t i = 0; c && i < c->count; i++)
		if (i != c->own && !c->lines[i].link)
			dialer_start(&c->lines[i].dialer);
}

void conversation_meeting_ended(struct conversation *c, size_t member, struct meeting *m)
{
	struct line *l = &c->lines[member];
	if (l->farewell == m) {
		l->farewell = NULL;
		line_down(l);
	}
	if (!l->link && !line_is_former(l))
		dialer_failed(&l->dialer);
}

void line_init(struct conversation *c, size_t member)
{
	struct line *l = &c->lines[member];
	l->conversation = c;
	l->member = member;
	memcpy(l->fingerprint, discussion_anyone(c->discussion, member)->fingerprint, sizeof l->fingerprint);
	l->dialer = (struct dialer){.loop = c->engine->loop,
				    .random = c->engine->random,
				    .round = dial_round,
				    .dial = dial_one,
				    .arg = l};
}
