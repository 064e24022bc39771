// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/meeting.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/conversation_parts.h"
#include "shell/joining.h"
#include "shell/linking.h"
#include "shell/shell.h"
#include "store/heads.h"
#include "wire/frame.h"

struct meeting {
	struct linking linking;
	struct conversation *conversation;
	struct meeting *next, **link_in_list;
	size_t member;
};

// --- life ------------------------------------------------------------------------------------------------------------------------

static void finish(struct meeting *m)
{
	*m->link_in_list = m->next;
	if (m->next)
		m->next->link_in_list = m->link_in_list;
	linking_end(&m->linking);
}

void meeting_cancel(struct meeting *m)
{
	link_free(linking_take(&m->linking));
	finish(m);
}

static struct member_link_config config_of(const struct discussion *d, size_t member, bool dials)
{
	const struct store_member *other = discussion_anyone(d, member);
	struct member_link_config config = linking_config(d, dials, other->fingerprint, other->certificate_fingerprint);
	config.first = d->row.h0;
	config.roster = &d->roster;
	config.roster_hash = d->roster_hash;
	return config;
}

// --- actions -------------------------------------------------------------------------------------------------------------------------

static void want_seen(struct meeting *m)
{
	struct seen_record *own = mem_alloc(sizeof *own);
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_SEEN, .seen = {.record = own}};
	conversation_fill_seen(m->conversation, own);
	linking_feed(&m->linking, &event);
	free(own);
}

static void linked(struct meeting *m, const struct member_link_action *a)
{
	struct conversation *c = m->conversation;
	struct link *link = linking_take(&m->linking);
	finish(m);
	rekeying_heard(c, m->member, a->linked.rekeys);
	conversation_take_link(c, link, discussion_anyone(conversation_discussion(c), m->member)->fingerprint,
			       m->linking.dialled, a->linked.seen);
}

static void ended(struct meeting *m, const struct member_link_action *a)
{
	struct conversation *c = m->conversation;
	enum member_link_end end = a->ended.end;
	log_info("no link with %.8s: %s", discussion_anyone(conversation_discussion(c), m->member)->fingerprint, a->ended.detail);
	finish(m);
	conversation_meeting_ended(c, m->member, m);
	if (end == MEMBER_LINK_END_TOLD || end == MEMBER_LINK_END_BOTH_CLOSED)
		conversation_farewell_told(c, m->member);
	else if (end == MEMBER_LINK_END_ROLLED_BACK)
		conversation_rolled_back(c);
}

static void act(void *arg, const struct member_link_action *a)
{
	struct meeting *m = arg;
	struct conversation *c = m->conversation;
	switch (a->type) {
	case MEMBER_LINK_WANT_SEEN:
		want_seen(m);
		break;
	case MEMBER_LINK_DELIVER:
		conversation_farewell_frame(c, m->member, m, a->frame.kind, bytes_span(a->frame.payload));
		break;
	case MEMBER_LINK_SEND_FAREWELL:
		conversation_farewell_begins(c, m->member, m);
		break;
	case MEMBER_LINK_ACKED:
		conversation_farewell_acked(c, m->member, bytes_span(a->frame.payload));
		break;
	case MEMBER_LINK_LINKED:
		linked(m, a);
		break;
	case MEMBER_LINK_ENDED:
		ended(m, a);
		break;
	default: // the others are linking.c's
		break;
	}
}

static void drained(void *arg)
{
	struct meeting *m = arg;
	conversation_drained(m->conversation, m->member);
}

static void link_ended(void *arg, enum link_end why)
{
	struct meeting *m = arg;
	if (m->linking.dialled)
		conversation_dial_failed(m->conversation, m->member, &m->linking.source, why);
}

void meeting_ack(struct meeting *m, struct span record)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_ACK, .ack = {.record = record}};
	linking_feed(&m->linking, &event);
}

void meeting_farewell_done(struct meeting *m)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_FAREWELL_DONE};
	linking_feed(&m->linking, &event);
}

struct link *meeting_link(struct meeting *m)
{
	return m->linking.link;
}

// --- the link ----------------------------------------------------------------------------------------------------------------------

static struct meeting *meeting_new(struct conversation *c, size_t member, bool dials)
{
	static const struct linking_owner owner = {.act = act, .drained = drained, .link_ended = link_ended, .gone = free};
	struct discussion *d = conversation_discussion(c);
	struct member_link_config config = config_of(d, member, dials);
	config.closed = conversation_has_closed(c);
	if (member < c->count)
		config.held = transcript_head(c->transcript, member).sequence;
	config.rekeys = rekeying_says(c);
	struct meeting *m = mem_alloc(sizeof *m);
	linking_init(&m->linking, d, &config, discussion_anyone(d, member)->certificate, &owner, m);
	m->conversation = c;
	m->member = member;
	m->next = c->meetings;
	m->link_in_list = &c->meetings;
	if (m->next)
		m->next->link_in_list = &m->next;
	c->meetings = m;
	return m;
}

bool meeting_dial(struct conversation *c, size_t member, const struct addr *to)
{
	struct err_info info;
	struct meeting *m = meeting_new(c, member, true);
	if (linking_dial(&m->linking, to, &info) == OK)
		return true;
	finish(m);
	return false;
}

// Ended with nothing left to tell, and not so long ago that the other side may still be telling (P3.8). Its window is not known here.
static bool is_over(const struct discussion *d)
{
	bool told = d->row.closing ? d->row.told : !discussion_ended_here(d);
	int64_t window = d->life.window_ms > LIFECYCLE_RESUME_WINDOW_MS ? d->life.window_ms : LIFECYCLE_RESUME_WINDOW_MS;
	return discussion_has_ended(d) && told && clock_now_ms(d->engine->clock) - d->row.ended <= window;
}

// No key, no conversation: all of it is one step.
static void answer_over(struct discussion *d, size_t member, struct link *link, const struct member_link_event *l1)
{
	struct engine *e = d->engine;
	struct member_link_config config = config_of(d, member, false);
	struct member_link_actions actions;
	struct store_head head = {0};
	struct err_info info;
	if (store_head_get(e->store, d->row.id, d->row.epoch, config.other, &head, &info))
		log_warn("what has come from %.8s could not be read: %s", config.other, info.text);
	config.ended = true;
	config.held = head.sequence;
	struct member_link *machine = member_link_new(&config);
	member_link_actions_init(&actions);
	member_link_step(machine, l1, &actions);
	for (size_t i = 0; i < actions.count; i++) {
		const struct member_link_action *a = &actions.list[i];
		if (a->type == MEMBER_LINK_SET_CIPHER)
			link_set_cipher(link, a->cipher.tx, a->cipher.rx);
		else if (a->type == MEMBER_LINK_SEND && link_send(link, a->send.kind, a->send.payload))
			log_info("the end of a discussion could not be said again");
	}
	member_link_actions_fini(&actions);
	member_link_free(machine);
	network_let_go(&e->network, link);
}

void meeting_answer(struct engine *e, struct link *link, const struct addr *source, bool known, struct span l1)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_FRAME,
						.frame = {.kind = FRAME_RECORD, .payload = l1}};
	size_t member;
	if (joining_answer(e, link, source, known, l1))
		return;
	for (struct discussion *d = e->discussions.first; d; d = d->next) {
		bool over = is_over(d);
		if ((!over && !d->conversation) || !discussion_matches(d, l1, &member))
			continue;
		if (!over) {
			linking_answer(&meeting_new(d->conversation, member, false)->linking, link, source, known, l1);
			return;
		}
		limits_half_open_give(e->neighbours.limits, source, known);
		answer_over(d, member, link, &event);
		return;
	}
	metrics_count(&e->metrics, "links_dropped", "no_discussion");
	limits_half_open_give(e->neighbours.limits, source, known);
	link_free(link);
}
