// SPDX-License-Identifier: GPL-3.0-or-later
// The lines of a conversation: to each other member a link, or a farewell in its place, and whom to dial while there is neither.
#include <string.h>

#include "base/log.h"
#include "discussion/member_link.h"
#include "shell/conversation_parts.h"
#include "shell/meeting.h"
#include "shell/shell.h"
#include "wire/frame.h"

// Below this a link counts as congested: a payload and its frame always fit above it.
#define LINK_ROOM_LEAST (2u << 20)

#define NO_ADDRESS "no_address"

static const char *fingerprint_of(const struct conversation *c, size_t member)
{
	return c->discussion->members[member].fingerprint;
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
	// who says farewell can open nothing any more, and takes only acknowledgements
	if (!l->farewell || c->discussion->row.closing)
		sending_feed(c, &sends);
	if (!l->farewell)
		expect_messages(c);
}

void line_down(struct line *l)
{
	struct conversation *c = l->conversation;
	const struct transcript_event heard = {.type = TRANSCRIPT_EVENT_LINK_DOWN, .member = l->member};
	struct outbox_event sends = {.type = OUTBOX_EVENT_LINK_DOWN, .member = l->member};
	if (!l->heard)
		return;
	l->heard = false;
	receiving_feed(c, &heard);
	sending_feed(c, &sends);
}

// The last link of that member is gone.
static void unlinked(struct line *l)
{
	struct conversation *c = l->conversation;
	struct discussion *d = c->discussion;
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
	l->link = NULL;
	unlinked(l);
}

static void on_frame(void *arg, uint8_t kind, struct span payload, bool encrypted)
{
	struct line *l = arg;
	const struct transcript_event received = {.type = TRANSCRIPT_EVENT_RECEIVED,
						  .received = {.member = l->member, .frame = payload}};
	(void)encrypted; // established links are
	if (kind == FRAME_SEALED)
		receiving_feed(l->conversation, &received);
	else if (kind == FRAME_RECORD)
		sending_heard(l->conversation, l->member, payload);
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
	sending_feed(c, &event);
}

static void on_drained(void *arg)
{
	struct line *l = arg;
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
		sending_feed(l->conversation, &event);
	}
}

void line_pause(struct line *l, bool pause)
{
	struct link *link = l->farewell ? meeting_link(l->farewell) : l->link;
	if (link && pause)
		link_pause(link);
	else if (link)
		link_resume(link);
}

static const struct seen_row *row_of(const struct seen_record *seen, const char *fingerprint)
{
	for (size_t i = 0; seen && i < seen->count; i++)
		if (strcmp(seen->rows[i].fingerprint, fingerprint) == 0)
			return &seen->rows[i];
	return NULL;
}

void conversation_take_link(struct conversation *c, struct link *link, const char *other, bool dialled,
			    const struct seen_record *seen)
{
	struct discussion *d = c->discussion;
	size_t member = roster_position(&d->roster, other);
	struct line *l = member < c->count ? &c->lines[member] : NULL;
	if (!l || member == c->own) {
		network_let_go(&c->engine->network, link);
		return;
	}
	if (l->link && l->dialled != dialled && !member_link_stays(discussion_own(d), other, dialled)) {
		network_let_go(&c->engine->network, link);
		return;
	}
	bool first = l->link == NULL;
	if (!first) {
		network_let_go(&c->engine->network, l->link);
		line_down(l);
	}
	dialer_stop(&l->dialer);
	l->problem = NULL;
	l->link = link;
	l->dialled = dialled;
	link_set_callbacks(link, &link_callbacks, l);
	link_set_authenticated(link);
	link_set_idle(link, 0); // the kernel's keep-alive looks for silence
	if (first) {
		neighbours_linked(&c->engine->neighbours, other, true);
		discussion_happens(d, LIFECYCLE_LINK_UP, LIFECYCLE_NO_REASON);
	}
	if (seen && seen->presence.record)
		neighbours_learn(&c->engine->neighbours, other, &seen->presence, link_remote(link));
	if (d->conversation == c && l->link == link)
		line_up(l, row_of(seen, discussion_own(d)));
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
	const struct store_member *m = &l->conversation->discussion->members[l->member];
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
	if (!l->link)
		dialer_failed(&l->dialer);
}

void line_init(struct conversation *c, size_t member)
{
	struct line *l = &c->lines[member];
	l->conversation = c;
	l->member = member;
	l->dialer = (struct dialer){.loop = c->engine->loop,
				    .random = c->engine->random,
				    .round = dial_round,
				    .dial = dial_one,
				    .arg = l};
}
