// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/conversation.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "discussion/member_link.h"
#include "shell/chain.h"
#include "shell/change_parts.h"
#include "shell/conversation_parts.h"
#include "shell/meeting.h"
#include "shell/past.h"
#include "shell/own_presence.h"
#include "shell/shell.h"
#include "wire/frame.h"

// --- jobs ----------------------------------------------------------------------------------------------------------------------

struct job *job_new(struct conversation *c, uint64_t ticket)
{
	struct job *j = mem_alloc(sizeof *j);
	j->conversation = c;
	j->ticket = ticket;
	j->next = c->jobs;
	j->link = &c->jobs;
	if (j->next)
		j->next->link = &j->next;
	c->jobs = j;
	return j;
}

struct conversation *job_end(struct job *j)
{
	struct conversation *c = j->conversation;
	if (c) {
		*j->link = j->next;
		if (j->next)
			j->next->link = j->link;
	}
	free(j);
	return c;
}

static void cancel_jobs(struct conversation *c)
{
	while (c->jobs) {
		struct job *j = c->jobs;
		c->jobs = j->next;
		j->conversation = NULL;
		if (j->op)
			gpg_op_cancel(j->op);
	}
}

void gpg_went(struct conversation *c, enum err code, const struct err_info *info, bool sealing)
{
	const char *what = sealing ? "messages could not be sealed" : "messages could not be opened";
	if (code == OK)
		health_fine(c->engine, HEALTH_GPG);
	else if (code == ERR_IO || code == ERR_TIMEOUT || code == ERR_INTERNAL)
		health_trouble(c->engine, HEALTH_GPG, "%s: %s", what, info->text);
	else if (sealing && code != ERR_CANCELED && code != ERR_LOCKED)
		health_trouble(c->engine, HEALTH_GPG, "%s: %s", what, info->text);
	else if (code != ERR_CANCELED)
		log_info("%s: %s", what, info->text);
}

// --- members -----------------------------------------------------------------------------------------------------------------

static const char *fingerprint_of(const struct conversation *c, size_t member)
{
	return c->lines[member].fingerprint;
}

size_t conversation_keys_without(const struct conversation *c, size_t member, uint64_t out[ROSTER_MAX])
{
	return rekeys_without(rekeying_keys(c), member, out);
}

struct line *conversation_line(struct conversation *c, size_t member)
{
	struct conversation *present = c->present ? c->present : c;
	size_t i = c->present ? roster_same(present->roster, &c->roster->members[member]) : member;
	return i < present->count && i != present->own ? &present->lines[i] : NULL;
}

bool conversation_is_linked(const struct conversation *c, const char *fingerprint)
{
	for (size_t i = 0; c && i < c->count; i++)
		if (strcmp(fingerprint_of(c, i), fingerprint) == 0)
			return c->lines[i].link != NULL;
	return false;
}

struct discussion *conversation_discussion(struct conversation *c)
{
	return c->discussion;
}

bool conversation_has_closed(const struct conversation *c)
{
	return c->discussion->row.closing;
}

void conversation_fill_seen(struct conversation *c, struct seen_record *out)
{
	struct err_info info;
	const struct presence_parts *own;
	*out = (struct seen_record){.count = c->count};
	for (size_t i = 0; i < c->count; i++) {
		struct seen_row *row = &out->rows[i];
		memcpy(row->fingerprint, fingerprint_of(c, i), sizeof row->fingerprint);
		row->epoch = c->discussion->row.epoch;
		if (i == c->own) {
			row->sequence = outbox_head(c->outbox, &row->hash);
		} else {
			struct transcript_head head = transcript_head(c->transcript, i);
			row->sequence = head.sequence;
			row->hash = head.hash;
		}
	}
	if (own_presence_get(&c->engine->neighbours, &own, &info) == OK)
		out->presence = *own;
}

// --- farewells (P3.8) ---------------------------------------------------------------------------------------------------------

static void begin_farewell(struct line *l, struct meeting *m)
{
	if (l->farewell == m)
		return;
	if (l->link)
		line_drop(l, "farewell");
	if (l->farewell)
		line_down(l);
	l->farewell = m;
	if (!line_is_former(l))
		line_up(l, NULL);
}

void conversation_farewell_begins(struct conversation *c, size_t member, struct meeting *m)
{
	begin_farewell(&c->lines[member], m);
}

void conversation_farewell_frame(struct conversation *c, size_t member, struct meeting *m, uint8_t kind, struct span frame)
{
	const struct transcript_event received = {.type = TRANSCRIPT_EVENT_RECEIVED,
						  .received = {.member = member, .frame = frame}};
	begin_farewell(&c->lines[member], m);
	if (kind == FRAME_CHANGE)
		change_frame(c, member, frame);
	else if (member < c->count)
		receiving_feed(c, &received);
}

void conversation_farewell_acked(struct conversation *c, size_t member, struct span record)
{
	sending_heard(c, member, record);
}

void conversation_farewell_told(struct conversation *c, size_t member)
{
	struct discussion *d = c->discussion;
	dialer_stop(&c->lines[member].dialer);
	if (!d->row.closing || d->row.told)
		return;
	// it has ended there too, or nobody was there all the time: what has not arrived never will; of many, others have it
	if (!c->change->leave && outbox_owes(c->outbox, member))
		conversation_abandon(c);
	// of two members one is to be told, and of many whoever knows tells the others
	c->told = true;
	conversation_settle(c);
}

void conversation_settle(struct conversation *c)
{
	struct discussion *d = c->discussion;
	if (c->present)
		past_moved(c->present);
	if (c->present || !discussion_has_ended(d) || !outbox_is_settled(c->outbox))
		return;
	if (c->told && !d->row.told) {
		d->row.told = true;
		discussion_keep(d);
	}
	conversation_wind_down(c);
}

void conversation_farewell_delivered(struct conversation *c, size_t member)
{
	struct line *l = &c->lines[member];
	// whoever has the LEAVE answers that it is closed
	if (l->farewell && c->change->leave) {
		if (link_send(meeting_link(l->farewell), FRAME_CHANGE, c->change->leave))
			log_info("an own LEAVE could not be told");
	} else if (l->farewell)
		meeting_farewell_done(l->farewell); // which ends it as told
	else
		conversation_farewell_told(c, member);
}

void conversation_rolled_back(struct conversation *c)
{
	discussion_happens(c->discussion, LIFECYCLE_ROLLED_BACK, LIFECYCLE_NO_REASON);
}

void conversation_close(struct conversation *c)
{
	struct outbox_event event = {.type = OUTBOX_EVENT_CLOSE};
	if (c)
		sending_feed(c, &event);
}

void conversation_abandon(struct conversation *c)
{
	struct outbox_event event = {.type = OUTBOX_EVENT_ABANDON};
	if (c)
		sending_feed(c, &event);
}

void conversation_recover(struct conversation *c)
{
	struct outbox_event sends = {.type = OUTBOX_EVENT_RETRY};
	const struct transcript_event receives = {.type = TRANSCRIPT_EVENT_RETRY};
	if (!c)
		return;
	receiving_feed(c, &receives);
	sending_feed(c, &sends);
	past_recover(c);
	change_recover(c);
}

void conversation_end_transcript(struct conversation *c)
{
	const struct transcript_event event = {.type = TRANSCRIPT_EVENT_END};
	if (!c)
		return;
	receiving_feed(c, &event);
	conversation_wind_down(c);
}

static void wind_down(void *arg)
{
	struct conversation *c = arg;
	struct discussion *d = c->discussion;
	// the own CLOSE is to be told first, as long as anybody may listen
	if (!discussion_has_ended(d) || d->home || (d->row.closing && !d->row.told) || !outbox_is_settled(c->outbox))
		return;
	conversation_stop(d);
}

void conversation_wind_down(struct conversation *c)
{
	loop_defer(c->engine->loop, &c->wind_down_turn, wind_down, c);
}

// --- life ------------------------------------------------------------------------------------------------------------------------

static enum err open_home(struct discussion *d, struct err_info *info)
{
	if (d->home || !d->row.home[0])
		return OK;
	return home_open(d->engine->homes, d->row.home, &d->home, info);
}

static enum err open_machines(struct conversation *c, struct err_info *info)
{
	struct discussion *d = c->discussion;
	enum err code = open_home(d, info);
	c->epoch = d->row.epoch;
	c->roster = &d->roster;
	c->roster_hash = &d->roster_hash;
	c->members = d->members;
	c->count = d->member_count;
	c->own = roster_position(&d->roster, discussion_own(d));
	c->line_count = c->count + d->former_count;
	c->lines = mem_alloc_array(c->line_count, sizeof *c->lines);
	for (size_t i = 0; i < c->line_count; i++)
		line_init(c, i);
	if (code == OK && c->own >= c->count)
		code = err_set(info, ERR_CRYPTO, "this core is not in the roster");
	if (code == OK)
		code = rekeying_open(c, info);
	if (code == OK)
		code = receiving_open(c, info);
	if (code == OK)
		code = sending_open(c, info);
	if (code == OK)
		code = past_open(c, info);
	if (code == OK)
		catching_up_open(c, c->pasts != NULL);
	if (code == OK)
		code = change_open(c, info);
	return code;
}

// The core ended between the decision and its last step.
static void go_on_ending(struct conversation *c)
{
	const struct discussion *d = c->discussion;
	if (d->row.closing)
		conversation_dial(c);
	else if (discussion_ended_here(d))
		conversation_close(c);
	else
		conversation_abandon(c);
}

struct conversation *conversation_next(struct discussion *d, struct err_info *info)
{
	struct conversation *c = mem_alloc(sizeof *c);
	c->engine = d->engine;
	c->discussion = d;
	enum err code = open_machines(c, info);
	if (code == OK) {
		d->conversation = c;
		return c;
	}
	conversation_bury(c);
	return NULL;
}

void conversation_begin(struct conversation *c)
{
	struct outbox_event start = {.type = OUTBOX_EVENT_START};
	// P1.8: whoever shares a discussion is no stranger
	for (size_t i = 0; i < c->count; i++)
		if (i != c->own)
			neighbours_know(&c->engine->neighbours, c->members[i].fingerprint);
	if (change_is_frozen(c))
		sending_freeze(c);
	sending_feed(c, &start);
	confirming_start(c);
	past_start(c);
	change_start(c);
}

void conversation_start(struct discussion *d)
{
	struct err_info info;
	if (d->conversation || !d->row.has_h0)
		return;
	if (discussion_has_ended(d) && !d->row.home[0] && (!d->row.closing || d->row.told))
		return;
	struct conversation *c = conversation_next(d, &info);
	if (!c) {
		engine_warn(d->engine, "the discussion %.8s cannot go on: %s", d->row.id, info.text);
		return;
	}
	conversation_begin(c);
	if (discussion_has_ended(d))
		go_on_ending(c);
}

static void free_lines(struct conversation *c)
{
	for (size_t i = 0; c->lines && i < c->line_count; i++) {
		struct line *l = &c->lines[i];
		dialer_stop(&l->dialer);
		line_queue_clear(&l->changes);
		line_queue_clear(&l->statements);
		line_queue_clear(&l->aside);
		if (l->link && !line_is_former(l))
			neighbours_linked(&c->engine->neighbours, l->fingerprint, false);
		if (l->link)
			network_let_go(&c->engine->network, l->link);
	}
	free(c->lines);
}

void conversation_bury(struct conversation *c)
{
	deferred_cancel(c->engine->loop, &c->wind_down_turn);
	timer_cancel(c->engine->loop, &c->chain_timer);
	while (c->meetings)
		meeting_cancel(c->meetings);
	past_fini(c);
	change_fini(c);
	catching_up_fini(c);
	cancel_jobs(c);
	free_lines(c);
	sending_fini(c);
	receiving_fini(c);
	rekeying_fini(c);
	free(c);
}

void conversation_stop(struct discussion *d)
{
	struct conversation *c = d->conversation;
	if (!c)
		return;
	d->conversation = NULL;
	d->life.links = 0;
	timer_cancel(c->engine->loop, &d->deadline);
	conversation_bury(c);
}
