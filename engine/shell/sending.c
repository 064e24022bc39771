// SPDX-License-Identifier: GPL-3.0-or-later
// Carries out what the outbox asks for; sending_disk.c does the part of the store.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/change.h"
#include "shell/conversation_parts.h"
#include "shell/message_view.h"
#include "shell/past.h"
#include "shell/shell.h"
#include "shell/waiting.h"
#include "store/heads.h"
#include "store/messages.h"
#include "wire/delivery.h"

// --- opening -------------------------------------------------------------------------------------------------------------------

enum err sending_open(struct conversation *c, struct err_info *info)
{
	struct discussion *d = c->discussion;
	struct store *s = c->engine->store;
	struct store_head head;
	struct waiting w = {0};
	struct outbox_config config = {.roster = c->roster,
				       .roster_hash = *c->roster_hash,
				       .transcript = c->transcript,
				       .heard = confirming_open(c),
				       .frozen = c->present != NULL,
				       .closing = d->row.closing,
				       .keyless = !d->row.home[0]};
	memcpy(config.own, discussion_own(d), sizeof config.own);
	enum err code = store_head_get(s, d->row.id, c->epoch, config.own, &head, info);
	for (size_t i = 0; code == OK && i < c->count; i++)
		if (i != c->own)
			code = store_ack_get(s, d->row.id, c->epoch, c->members[i].fingerprint, &config.acknowledged[i],
					     info);
	if (code == OK && !c->present)
		code = waiting_read(&w, d, "queued", info);
	if (code == OK && c->cut && c->cut[c->own].sequence < head.sequence) {
		head.sequence = c->cut[c->own].sequence;
		head.hash = c->cut[c->own].hash;
	}
	for (size_t i = 0; i < c->count; i++)
		if (config.acknowledged[i] > head.sequence)
			config.acknowledged[i] = head.sequence; // of what is void now
	if (code == OK) {
		config.built = head.sequence;
		config.head = head.hash;
		config.queued_count = w.count;
		config.queued = w.list;
		c->outbox = outbox_new(&config);
	}
	waiting_fini(&w);
	return code;
}

void sending_fini(struct conversation *c)
{
	timer_cancel(c->engine->loop, &c->sending_retry);
	timer_cancel(c->engine->loop, &c->ack_timer);
	sending_disk_fini(c);
	if (c->seal_is_delayed)
		outbox_action_fini(&c->delayed_seal);
	c->seal_is_delayed = false;
	submissions_cancel(c);
	outbox_free(c->outbox);
}

// --- sealing ---------------------------------------------------------------------------------------------------------------------

static void tell_sealed(struct conversation *c, enum err code, struct bytes *message)
{
	struct outbox_event event = {.type = OUTBOX_EVENT_SEALED,
				     .sealed = {.code = code, .message = message}};
	sending_feed(c, &event);
}

static void sealed(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct job *j = arg;
	struct conversation *c = job_end(j);
	if (!c)
		return;
	gpg_went(c, code, info, true);
	struct bytes *message = code ? NULL : bytes_ref(result->output);
	tell_sealed(c, code, message);
	bytes_unref(message);
}

static void seal(struct conversation *c, struct outbox_action *a)
{
	struct err_info info;
	uint64_t keys[ROSTER_MAX];
	if (rekeying_delays(c)) {
		c->delayed_seal = outbox_action_take(a); // one is under way at a time
		c->seal_is_delayed = true;
		return;
	}
	if (!c->discussion->home) {
		tell_sealed(c, ERR_LOCKED, NULL);
		return;
	}
	struct job *j = job_new(c, a->seal.sequence);
	const struct gpg_call call = {.gpg = c->engine->gpg, .home = c->discussion->home, .done = sealed, .arg = j,
				      .soon_again = !c->discussion->row.closing};
	size_t count = conversation_keys_without(c, c->own, keys);
	enum err code = gpg_seal_start(&call, a->seal.payload, keys, count, &j->op, &info);
	if (code) {
		gpg_went(c, code, &info, true);
		(void)job_end(j);
		tell_sealed(c, code, NULL);
	}
}

void sending_seal_delayed(struct conversation *c)
{
	struct outbox_action a = c->delayed_seal;
	if (!c->seal_is_delayed)
		return;
	c->seal_is_delayed = false;
	seal(c, &a);
	outbox_action_fini(&a);
}

// --- the machine -----------------------------------------------------------------------------------------------------------------

static void retry(void *arg)
{
	struct outbox_event event = {.type = OUTBOX_EVENT_RETRY};
	sending_feed(arg, &event);
}

static void ack_due(void *arg)
{
	struct outbox_event event = {.type = OUTBOX_EVENT_ACK_DUE};
	sending_feed(arg, &event);
}

static void trouble(struct conversation *c, const struct outbox_action *a)
{
	engine_warn(c->engine, "%.8s cannot open message %llu of the discussion %.8s, also when it is sealed anew",
		    c->members[a->trouble.member].fingerprint, (unsigned long long)a->trouble.sequence,
		    c->discussion->row.id);
}

void sending_freeze(struct conversation *c)
{
	struct outbox_event event = {.type = OUTBOX_EVENT_FREEZE};
	sending_feed(c, &event);
}

static void carry_out(struct conversation *c, struct outbox_action *a)
{
	switch (a->type) {
	case OUTBOX_COMMIT:
	case OUTBOX_STORE_SEALED:
	case OUTBOX_LOAD:
	case OUTBOX_STORE_ACK:
	case OUTBOX_FAILED:
		sending_disk(c, a);
		break;
	case OUTBOX_ACCEPTED:
		submission_resolve(c, a->ticket, OK);
		break;
	case OUTBOX_REJECTED:
		submission_resolve(c, a->rejected.ticket, a->rejected.code);
		break;
	case OUTBOX_DRAINED:
		c->is_quiet = true;
		change_quiet(c);
		break;
	case OUTBOX_SEAL:
		seal(c, a);
		break;
	case OUTBOX_TRANSMIT:
		line_transmit(conversation_line(c, a->transmit.member), a->transmit.frame);
		break;
	case OUTBOX_ACK_IN:
		timer_start(c->engine->loop, &c->ack_timer, a->ms, ack_due, c);
		break;
	case OUTBOX_RETRY_IN:
		timer_start(c->engine->loop, &c->sending_retry, a->ms, retry, c);
		break;
	case OUTBOX_CLOSED:
		break; // the lifecycle has told it already
	case OUTBOX_KEY_MAY_DIE:
		discussion_destroy_key(c->discussion);
		conversation_wind_down(c);
		break;
	case OUTBOX_CLOSED_DELIVERED:
		conversation_farewell_delivered(c, a->member);
		break;
	case OUTBOX_ROLLED_BACK:
		conversation_rolled_back(c);
		break;
	case OUTBOX_UNDELIVERABLE:
		trouble(c, a);
		break;
	}
}

void sending_feed(struct conversation *c, struct outbox_event *event)
{
	struct outbox_actions actions;
	event->now_ms = clock_now_ms(c->engine->clock);
	outbox_actions_init(&actions);
	outbox_step(c->outbox, event, &actions);
	for (size_t i = 0; i < actions.count; i++)
		carry_out(c, &actions.list[i]);
	outbox_actions_fini(&actions);
}

void sending_heard(struct conversation *c, size_t member, struct span record)
{
	struct delivery_record r;
	struct err_info info;
	struct outbox_event event = {0};
	const struct discussion *d = c->discussion;
	if (delivery_decode(&r, record, &info) || strcmp(r.discussion, d->row.id) != 0) {
		line_drop(&c->lines[member], "malformed_record");
		return;
	}
	if (r.type == DELIVERY_CLOSED) {
		conversation_farewell_told(c, member);
		return;
	}
	if (member >= c->count)
		return;
	if (r.type == DELIVERY_WANT || r.type == DELIVERY_LACKS) {
		catching_up_heard(c, member, &r);
		return;
	}
	c = past_of(c, r.epoch, &member);
	if (!c || strcmp(r.sender, discussion_own(d)) != 0)
		return; // it is known there that all have it, or another member's payloads are that member's affair
	event.type = r.type == DELIVERY_ACK ? OUTBOX_EVENT_ACK : OUTBOX_EVENT_CANNOT_OPEN;
	event.delivery.member = member;
	event.delivery.epoch = r.epoch;
	event.delivery.sequence = r.sequence;
	sending_feed(c, &event);
}
