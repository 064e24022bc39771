// SPDX-License-Identifier: GPL-3.0-or-later
// Carries out what catching up asks for (discussion/catchup.h), and answers those who ask: from the store, whatever the epoch.
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "discussion/catchup.h"
#include "shell/conversation_parts.h"
#include "shell/past.h"
#include "shell/shell.h"
#include "store/payloads.h"
#include "wire/delivery.h"
#include "wire/sealed.h"

// --- asking ----------------------------------------------------------------------------------------------------------------------

static void want(struct conversation *c, const struct catchup_action *a)
{
	struct delivery_record r = {.type = DELIVERY_WANT, .epoch = c->epoch, .sequence = a->want.after};
	memcpy(r.sender, c->members[a->want.sender].fingerprint, sizeof r.sender);
	log_info("%.8s is asked for what %.8s said in epoch %u after %llu", c->members[a->want.member].fingerprint, r.sender,
		 c->epoch, (unsigned long long)r.sequence);
	receiving_say(c, a->want.member, &r);
}

static void step(struct conversation *c, const struct catchup_event *event);

static void on_timer(void *arg)
{
	const struct catchup_event event = {.type = CATCHUP_EVENT_TIMEOUT};
	step(arg, &event);
}

static void step(struct conversation *c, const struct catchup_event *event)
{
	struct catchup_actions actions = {0};
	if (!c->catchup)
		return;
	catchup_step(c->catchup, event, &actions);
	for (size_t i = 0; i < actions.count; i++) {
		if (actions.list[i].type == CATCHUP_WANT)
			want(c, &actions.list[i]);
		else
			timer_start(c->engine->loop, &c->catchup_timer, CATCHUP_PATIENCE_MS, on_timer, c);
	}
	if (c->present)
		past_moved(c->present);
}

void catching_up_open(struct conversation *c, bool waits)
{
	struct catchup_config config = {.count = c->count, .own = c->own, .waits = waits};
	uint64_t cut[ROSTER_MAX];
	// of two, one has all that the other said, or it has nobody to ask
	if (c->count < 3)
		return;
	for (size_t i = 0; i < c->count; i++) {
		config.heads[i] = transcript_head(c->transcript, i).sequence;
		cut[i] = c->cut ? c->cut[i].sequence : 0;
	}
	config.cut = c->cut ? cut : NULL;
	c->catchup = catchup_new(&config);
}

void catching_up_fini(struct conversation *c)
{
	timer_cancel(c->engine->loop, &c->catchup_timer);
	catchup_free(c->catchup);
	c->catchup = NULL;
}

void catching_up_go(struct conversation *c)
{
	const struct catchup_event event = {.type = CATCHUP_EVENT_GO};
	step(c, &event);
}

void catching_up_link(struct conversation *c, size_t member, bool up)
{
	const struct catchup_event event = {.type = up ? CATCHUP_EVENT_LINK_UP : CATCHUP_EVENT_LINK_DOWN, .chain = {.member = member}};
	step(c, &event);
}

void catching_up_has(struct conversation *c, size_t member, const char *sender, uint64_t sequence)
{
	size_t position = roster_position(c->roster, sender);
	const struct catchup_event event = {.type = CATCHUP_EVENT_HAS,
					    .chain = {.member = member, .sender = position, .sequence = sequence}};
	if (!c->catchup || position == ROSTER_NOBODY || position == c->own || position == member)
		return;
	if (sequence > transcript_head(c->transcript, position).sequence)
		step(c, &event);
}

void catching_up_seen(struct conversation *c, size_t member, const struct seen_record *seen)
{
	for (size_t i = 0; c->catchup && i < seen->count; i++)
		if (seen->rows[i].epoch == c->epoch)
			catching_up_has(c, member, seen->rows[i].fingerprint, seen->rows[i].sequence);
}

void catching_up_got(struct conversation *c, size_t sender, uint64_t sequence)
{
	const struct catchup_event event = {.type = CATCHUP_EVENT_HEAD, .chain = {.sender = sender, .sequence = sequence}};
	step(c, &event);
}

static void lacks(struct conversation *c, size_t member, const struct delivery_record *r)
{
	struct conversation *of = past_of(c, r->epoch, &member);
	size_t sender = of ? roster_position(of->roster, r->sender) : ROSTER_NOBODY;
	const struct catchup_event event = {.type = CATCHUP_EVENT_LACKS,
					    .chain = {.member = member, .sender = sender, .sequence = r->sequence}};
	if (sender != ROSTER_NOBODY)
		step(of, &event);
}

// --- answering -------------------------------------------------------------------------------------------------------------------

struct answer {
	struct line *line;
	uint64_t limit, last; // the chain's end; what was sent
	size_t count;
};

static bool send_one(void *arg, const struct store_payload *p)
{
	struct answer *a = arg;
	struct sealed_frame f = {.epoch = p->key.epoch, .sequence = p->key.sequence};
	struct bytes *frame;
	if (!p->message || p->key.sequence > a->limit || !a->line->link || a->line->congested)
		return false;
	memcpy(f.sender, p->key.sender, sizeof f.sender);
	f.message = bytes_span(p->message);
	if (sealed_frame_encode(&f, &frame))
		return false;
	line_transmit(a->line, frame);
	bytes_unref(frame);
	a->last = p->key.sequence;
	a->count++;
	return true;
}

// Whether both were members then, and where the sender's chain ends.
static bool may_have(struct conversation *c, const char *asks, const struct delivery_record *r, uint64_t *limit)
{
	struct past_epoch e;
	struct err_info info;
	*limit = UINT64_MAX;
	if (r->epoch == c->epoch)
		return roster_position(c->roster, r->sender) != ROSTER_NOBODY;
	if (past_epoch_read(c->discussion, r->epoch, &e, &info))
		return false;
	size_t sender = roster_position(&e.roster, r->sender);
	bool may = e.ended && sender != ROSTER_NOBODY && roster_position(&e.roster, asks) != ROSTER_NOBODY;
	if (may)
		*limit = e.cut[sender].sequence;
	return may;
}

static void answer(struct conversation *c, size_t member, const struct delivery_record *r)
{
	struct answer a = {.line = &c->lines[member], .last = r->sequence};
	struct store_payload_key key = {.epoch = r->epoch, .sequence = r->sequence};
	struct delivery_record no_more = *r;
	struct err_info info;
	if (!may_have(c, a.line->fingerprint, r, &a.limit)) {
		log_info("%.8s asks for what is not its own to have", a.line->fingerprint);
		return;
	}
	memcpy(key.discussion, c->discussion->row.id, sizeof key.discussion);
	memcpy(key.sender, r->sender, sizeof key.sender);
	if (store_payload_each_after(c->engine->store, &key, CATCHUP_BATCH, send_one, &a, &info)) {
		log_warn("what a member asks for could not be read: %s", info.text);
		return;
	}
	// whoever takes no more now asks again
	if (a.count == CATCHUP_BATCH || a.line->congested)
		return;
	no_more.type = DELIVERY_LACKS;
	no_more.sequence = a.last;
	receiving_say(c, member, &no_more);
}

void catching_up_heard(struct conversation *c, size_t member, const struct delivery_record *r)
{
	if (r->type == DELIVERY_WANT)
		answer(c, member, r);
	else
		lacks(c, member, r);
}
