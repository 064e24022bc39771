// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "openpgp/packets.h"
#include "shell/conversation_parts.h"
#include "shell/shell.h"
#include "store/epochs.h"
#include "store/heads.h"
#include "wire/delivery.h"
#include "wire/sealed.h"

// What is left of the last so many epochs is looked after at a time; of earlier ones once these are complete.
#define PAST_MAX 16

struct past {
	struct past *next; // of a later epoch
	struct conversation *conversation;
	struct past_epoch epoch;
	size_t member_count;
	struct store_member members[ROSTER_MAX];
	bool linked[ROSTER_MAX]; // by position in it
	bool raised[ROSTER_MAX]; // and the outbox was told
	bool paused[ROSTER_MAX];
};

// --- an epoch in the store -------------------------------------------------------------------------------------------------------

#define CUT_ROW_LEN (8 + HASH_LEN)

static enum err read_cut(struct past_epoch *e, struct span cut, struct err_info *info)
{
	if (cut.len != e->roster.count * CUT_ROW_LEN)
		return err_set(info, ERR_CRYPTO, "the cut of an epoch is not one for each member");
	for (size_t i = 0; i < e->roster.count; i++) {
		const uint8_t *row = cut.data + i * CUT_ROW_LEN;
		e->cut[i].sequence = be64_get(row);
		memcpy(e->cut[i].hash.bytes, row + 8, HASH_LEN);
	}
	e->ended = true;
	return OK;
}

enum err past_epoch_read(struct discussion *d, uint32_t epoch, struct past_epoch *out, struct err_info *info)
{
	struct store_epoch row;
	enum err code = store_epoch_get(d->engine->store, d->row.id, epoch, &row, info);
	if (code)
		return code;
	memset(out, 0, sizeof *out);
	out->roster_hash = row.roster_hash;
	code = roster_decode(&out->roster, bytes_span(row.roster), info);
	if (code == OK && row.cut)
		code = read_cut(out, bytes_span(row.cut), info);
	store_epoch_fini(&row);
	return code;
}

// --- which are not complete ------------------------------------------------------------------------------------------------------

// Who went and came again is another member: it has another key, and opens nothing of before.
static bool is_member_now(const struct conversation *of, size_t member)
{
	return roster_same(of->present->roster, &of->roster->members[member]) != ROSTER_NOBODY;
}

// Who is no member any more is owed nothing, and asked for nothing that it alone has.
static bool is_complete(const struct past *p)
{
	const struct conversation *c = p->conversation;
	for (size_t i = 0; i < c->count; i++) {
		if (i == c->own)
			continue;
		if (transcript_head(c->transcript, i).sequence < c->cut[i].sequence)
			return false;
		if (outbox_owes(c->outbox, i) && is_member_now(c, i))
			return false;
	}
	return outbox_is_settled(c->outbox);
}

static bool keep_member(void *arg, const struct store_member *m)
{
	struct past *p = arg;
	store_member_copy(&p->members[p->member_count++], m);
	return p->member_count < ROSTER_MAX;
}

static void past_free(struct past *p)
{
	if (p->conversation)
		conversation_bury(p->conversation);
	for (size_t i = 0; i < p->member_count; i++)
		store_member_fini(&p->members[i]);
	free(p);
}

static enum err open_machines(struct past *p, struct conversation *present, struct err_info *info)
{
	struct conversation *c = p->conversation = mem_alloc(sizeof *c);
	enum err code;
	c->engine = present->engine;
	c->discussion = present->discussion;
	c->present = present;
	c->past = p;
	c->epoch = p->epoch.roster.epoch;
	c->roster = &p->epoch.roster;
	c->roster_hash = &p->epoch.roster_hash;
	c->members = p->members;
	c->cut = p->epoch.cut;
	c->count = p->epoch.roster.count;
	c->own = roster_position(c->roster, discussion_own(c->discussion));
	code = rekeying_open(c, info);
	if (code == OK)
		code = receiving_open(c, info);
	if (code == OK)
		code = sending_open(c, info);
	return code;
}

// *out NULL: it is complete, or this person was no member in it.
static enum err open_epoch(struct conversation *present, uint32_t epoch, struct past **out, struct err_info *info)
{
	struct discussion *d = present->discussion;
	struct past *p = mem_alloc(sizeof *p);
	enum err code = past_epoch_read(d, epoch, &p->epoch, info);
	const struct roster_record_member *own = &present->roster->members[present->own];
	bool mine = code == OK && p->epoch.ended && roster_same(&p->epoch.roster, own) != ROSTER_NOBODY;
	if (mine)
		code = store_member_each(d->engine->store, d->row.id, epoch, keep_member, p, info);
	if (mine && code == OK && p->member_count != p->epoch.roster.count)
		code = err_set(info, ERR_CRYPTO, "epoch %u of %s has lost members on disk", epoch, d->row.id);
	if (mine && code == OK)
		code = open_machines(p, present, info);
	*out = p;
	if (code || !mine || is_complete(p)) {
		past_free(p);
		*out = NULL;
	}
	return code;
}

enum err past_open(struct conversation *c, struct err_info *info)
{
	size_t count = 0;
	enum err code = OK;
	if (discussion_has_ended(c->discussion))
		return OK;
	for (uint32_t epoch = c->epoch; code == OK && epoch-- > 0 && count < PAST_MAX;) {
		struct past *p;
		code = open_epoch(c, epoch, &p, info);
		if (code == ERR_NOT_FOUND) // before this person came
			return OK;
		if (code || !p)
			continue;
		p->next = c->pasts;
		c->pasts = p;
		count++;
	}
	for (struct past *p = c->pasts; p; p = p->next)
		catching_up_open(p->conversation, p != c->pasts);
	return code;
}

// --- life ------------------------------------------------------------------------------------------------------------------------

// What they do not have they never will: it holds up nothing.
static void forget_gone(struct conversation *c)
{
	struct hash head;
	struct outbox_event event = {.type = OUTBOX_EVENT_ACK, .delivery = {.epoch = c->epoch}};
	event.delivery.sequence = outbox_head(c->outbox, &head);
	for (size_t i = 0; event.delivery.sequence && i < c->count; i++) {
		event.delivery.member = i;
		if (i != c->own && !is_member_now(c, i)) {
			sending_feed(c, &event);
			confirming_forget(c, i);
		}
	}
}

void past_start(struct conversation *c)
{
	for (struct past *p = c->pasts; p; p = p->next) {
		struct outbox_event start = {.type = OUTBOX_EVENT_START};
		log_info("epoch %u of %.8s is not complete here, or at somebody", p->conversation->epoch, c->discussion->row.id);
		sending_feed(p->conversation, &start);
		confirming_start(p->conversation);
		forget_gone(p->conversation);
	}
}

void past_fini(struct conversation *c)
{
	deferred_cancel(c->engine->loop, &c->past_turn);
	while (c->pasts) {
		struct past *p = c->pasts;
		c->pasts = p->next;
		past_free(p);
	}
}

void past_recover(struct conversation *c)
{
	struct outbox_event sends = {.type = OUTBOX_EVENT_RETRY};
	const struct transcript_event receives = {.type = TRANSCRIPT_EVENT_RETRY};
	for (struct past *p = c->pasts; p; p = p->next) {
		receiving_feed(p->conversation, &receives);
		sending_feed(p->conversation, &sends);
	}
}

// --- lines -----------------------------------------------------------------------------------------------------------------------

static size_t position_in(const struct past *p, const struct conversation *present, size_t member)
{
	return roster_same(&p->epoch.roster, &present->roster->members[member]);
}

// The outboxes are told of it in the order of their epochs, each once the one before has nothing on its way there.
static bool tell_outboxes(struct conversation *c, size_t member)
{
	for (struct past *p = c->pasts; p; p = p->next) {
		size_t at = position_in(p, c, member);
		if (at == ROSTER_NOBODY || !p->linked[at])
			continue;
		if (!p->raised[at]) {
			struct outbox_event sends = {.type = OUTBOX_EVENT_LINK_UP, .link = {.member = at}};
			p->raised[at] = true;
			sending_feed(p->conversation, &sends);
		}
		if (outbox_delivers(p->conversation->outbox, at))
			return true;
	}
	return false;
}

bool past_line_up(struct conversation *c, size_t member)
{
	for (struct past *p = c->pasts; p; p = p->next) {
		size_t at = position_in(p, c, member);
		const struct transcript_event heard = {.type = TRANSCRIPT_EVENT_LINK_UP, .member = at};
		if (at == ROSTER_NOBODY)
			continue;
		p->linked[at] = true;
		p->raised[at] = p->paused[at] = false;
		receiving_feed(p->conversation, &heard);
		catching_up_link(p->conversation, at, true);
	}
	return tell_outboxes(c, member);
}

void past_line_down(struct conversation *c, size_t member)
{
	for (struct past *p = c->pasts; p; p = p->next) {
		size_t at = position_in(p, c, member);
		const struct transcript_event heard = {.type = TRANSCRIPT_EVENT_LINK_DOWN, .member = at};
		struct outbox_event sends = {.type = OUTBOX_EVENT_LINK_DOWN, .member = at};
		if (at == ROSTER_NOBODY || !p->linked[at])
			continue;
		p->linked[at] = p->raised[at] = p->paused[at] = false;
		receiving_feed(p->conversation, &heard);
		sending_feed(p->conversation, &sends);
		catching_up_link(p->conversation, at, false);
	}
}

void past_congested(struct conversation *c, size_t member, bool congested)
{
	struct outbox_event event = {.type = congested ? OUTBOX_EVENT_CONGESTED : OUTBOX_EVENT_WRITABLE};
	for (struct past *p = c->pasts; p; p = p->next) {
		event.member = position_in(p, c, member);
		if (event.member != ROSTER_NOBODY && p->raised[event.member])
			sending_feed(p->conversation, &event);
	}
}

void past_pause(struct conversation *of, size_t member, bool pause)
{
	struct conversation *c = of->present;
	struct line *l = conversation_line(of, member);
	bool any = false;
	of->past->paused[member] = pause;
	if (!l)
		return;
	for (struct past *p = c->pasts; p; p = p->next) {
		size_t at = position_in(p, c, l->member);
		any |= at != ROSTER_NOBODY && p->paused[at];
	}
	line_pause(l, LINE_PAUSED_BY_PAST, any);
}

struct conversation *past_of(struct conversation *c, uint32_t epoch, size_t *member)
{
	struct past *p = c->pasts;
	if (epoch == c->epoch)
		return c;
	while (p && p->conversation->epoch != epoch)
		p = p->next;
	size_t at = p ? position_in(p, c, *member) : ROSTER_NOBODY;
	if (at == ROSTER_NOBODY)
		return NULL;
	*member = at;
	return p->conversation;
}

struct conversation *past_after(const struct conversation *c)
{
	const struct past *p = c->present ? c->past->next : c->pasts;
	return p ? p->conversation : NULL;
}

// --- frames ----------------------------------------------------------------------------------------------------------------------

// It is complete here: its sender is told so again.
static void acknowledge_again(struct conversation *c, size_t member, const struct sealed_frame *f)
{
	struct discussion *d = c->discussion;
	struct past_epoch e;
	struct store_head head;
	struct err_info info;
	struct delivery_record r = {.type = DELIVERY_ACK, .epoch = f->epoch};
	metrics_count(&c->engine->metrics, "payloads_dropped", "other_epoch");
	if (past_epoch_read(d, f->epoch, &e, &info) || !e.ended ||
	    store_head_get(d->engine->store, d->row.id, f->epoch, f->sender, &head, &info))
		return;
	size_t sender = roster_position(&e.roster, f->sender);
	if (sender == ROSTER_NOBODY || roster_position(&e.roster, discussion_own(d)) == ROSTER_NOBODY)
		return;
	r.sequence = head.sequence < e.cut[sender].sequence ? head.sequence : e.cut[sender].sequence;
	memcpy(r.sender, f->sender, sizeof r.sender);
	if (r.sequence && f->sequence <= r.sequence)
		receiving_say(c, member, &r);
}

bool past_frame(struct conversation *c, size_t member, struct span frame)
{
	struct sealed_frame f;
	if (c->epoch == 0 || sealed_frame_decode(&f, frame, NULL) || f.epoch >= c->epoch)
		return false;
	size_t at = member;
	struct conversation *of = past_of(c, f.epoch, &at);
	const struct transcript_event received = {.type = TRANSCRIPT_EVENT_RECEIVED, .received = {.member = at, .frame = frame}};
	if (of)
		receiving_feed(of, &received);
	else
		acknowledge_again(c, member, &f);
	return true;
}

// --- on to the next --------------------------------------------------------------------------------------------------------------

static void drop_complete(struct conversation *c)
{
	struct past **at = &c->pasts;
	while (*at) {
		struct past *p = *at;
		if (!is_complete(p)) {
			at = &p->next;
			continue;
		}
		log_info("epoch %u of %.8s is complete", p->conversation->epoch, c->discussion->row.id);
		*at = p->next;
		past_free(p);
	}
}

static void ask_on(struct conversation *c)
{
	for (struct past *p = c->pasts; p; p = p->next) {
		catching_up_go(p->conversation);
		if (p->conversation->catchup && catchup_is_busy(p->conversation->catchup))
			return;
	}
	catching_up_go(c);
}

static void move_on(void *arg)
{
	struct conversation *c = arg;
	drop_complete(c);
	for (size_t i = 0; i < c->count; i++)
		if (i != c->own && c->lines[i].waits && !tell_outboxes(c, i))
			line_passed(&c->lines[i]);
	ask_on(c);
}

void past_moved(struct conversation *c)
{
	loop_defer(c->engine->loop, &c->past_turn, move_on, c);
}

json_t *past_missing(const struct conversation *c)
{
	json_t *list = json_array();
	for (const struct past *p = c ? c->pasts : NULL; p; p = p->next) {
		const struct conversation *of = p->conversation;
		for (size_t i = 0; i < of->count; i++) {
			uint64_t here = transcript_head(of->transcript, i).sequence;
			if (i != of->own && here < of->cut[i].sequence)
				json_array_append_new(list, json_pack("{s:s, s:i, s:I}", "fingerprint",
								      of->members[i].fingerprint, "epoch", (int)of->epoch,
								      "payloads", (json_int_t)(of->cut[i].sequence - here)));
		}
	}
	if (json_array_size(list))
		return list;
	json_decref(list);
	return NULL;
}
