// SPDX-License-Identifier: GPL-3.0-or-later
// Carries out what the transcript asks for.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/conversation_parts.h"
#include "shell/liars.h"
#include "shell/message_view.h"
#include "shell/past.h"
#include "shell/shell.h"
#include "store/heads.h"
#include "store/holding.h"
#include "store/messages.h"
#include "store/payloads.h"
#include "store/proofs.h"
#include "wire/delivery.h"

enum err receiving_open(struct conversation *c, struct err_info *info)
{
	struct discussion *d = c->discussion;
	struct transcript_config config = {
		.roster = c->roster, .roster_hash = *c->roster_hash, .keys = rekeying_keys(c), .cut = c->cut};
	memcpy(config.own, discussion_own(d), sizeof config.own);
	for (size_t i = 0; i < c->count; i++) {
		struct store_head head;
		enum err code = store_head_get(c->engine->store, d->row.id, c->epoch, c->members[i].fingerprint, &head,
					       info);
		if (code)
			return code;
		config.heads[i] = (struct transcript_head){.sequence = head.sequence, .hash = head.hash};
		if (c->cut && head.sequence > c->cut[i].sequence)
			config.heads[i] = c->cut[i];
		// of two members, one has closed the discussion or none
		config.closed[i] = i != c->own && !c->present && d->life.reason == LIFECYCLE_REASON_CLOSED_BY_MEMBER;
	}
	c->transcript = transcript_new(&config);
	if (discussion_has_ended(d)) {
		const struct transcript_event end = {.type = TRANSCRIPT_EVENT_END};
		receiving_feed(c, &end);
	}
	return OK;
}

void receiving_fini(struct conversation *c)
{
	timer_cancel(c->engine->loop, &c->receiving_retry);
	transcript_free(c->transcript);
}

// --- opening ---------------------------------------------------------------------------------------------------------------------

static void tell_opened(struct conversation *c, uint64_t ticket, enum err code, struct bytes *payload, struct secret *key,
			const uint64_t *recipients)
{
	const struct transcript_event event = {
		.type = TRANSCRIPT_EVENT_OPENED,
		.opened = {.ticket = ticket, .code = code, .payload = payload, .session_key = key, .recipients = recipients}};
	receiving_feed(c, &event);
}

static void opened(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct job *j = arg;
	uint64_t ticket = j->ticket, recipients[ROSTER_MAX];
	memcpy(recipients, j->recipients, sizeof recipients);
	struct conversation *c = job_end(j);
	if (!c)
		return;
	gpg_went(c, code, info, false);
	if (code)
		metrics_count(&c->engine->metrics, "messages_unopened", verdict_name(result->verdict));
	struct bytes *payload = code ? NULL : bytes_ref(result->output);
	struct secret *key = code ? NULL : secret_ref(result->session_key);
	tell_opened(c, ticket, code, payload, key, recipients);
	bytes_unref(payload);
	secret_unref(key);
}

static void open_message(struct conversation *c, const struct transcript_action *a)
{
	struct err_info info;
	size_t count = 0;
	if (!c->discussion->home) {
		tell_opened(c, a->open.ticket, ERR_NOT_FOUND, NULL, NULL, NULL);
		return;
	}
	struct job *j = job_new(c, a->open.ticket);
	const struct gpg_call call = {.gpg = c->engine->gpg, .home = c->discussion->home, .done = opened, .arg = j,
				      .soon_again = true};
	struct bytes *message = bytes_new_span(a->open.message);
	// which of each member's keys it names, and then exactly these
	enum err code = sealed_recipients(a->open.message, j->recipients, ROSTER_MAX, &count, &info);
	if (code == OK)
		code = rekeys_fit(rekeying_keys(c), a->open.sender, c->own, j->recipients, count, &info);
	if (code == OK)
		code = gpg_open_start(&call, message, j->recipients, count,
				      c->members[a->open.sender].certificate_fingerprint, &j->op, &info);
	bytes_unref(message);
	if (code) {
		gpg_went(c, code, &info, false);
		(void)job_end(j);
		tell_opened(c, a->open.ticket, code, NULL, NULL, NULL);
	}
}

// --- the disk ------------------------------------------------------------------------------------------------------------------

static void fill_message(const struct conversation *c, const struct transcript_payload *p,
			 const struct transcript_message *from, struct store_message *m)
{
	const struct discussion *d = c->discussion;
	*m = (struct store_message){.state = "received",
				    .placed = true,
				    .place = {c->epoch, p->sequence, from->index},
				    .time = from->time_ms,
				    .text = bytes_span(from->text)};
	memcpy(m->id, from->id, sizeof m->id);
	memcpy(m->discussion, d->row.id, sizeof m->discussion);
	memcpy(m->sender, c->members[p->sender].fingerprint, sizeof m->sender);
}

static enum err write_payload(struct conversation *c, const struct transcript_payload *p, struct err_info *info)
{
	const struct discussion *d = c->discussion;
	struct store_payload row = {.hash = p->hash,
				    .time = clock_now_ms(c->engine->clock),
				    .payload = p->payload,
				    .message = bytes_new_span(p->message),
				    .session_key = p->session_key ? bytes_new_span(secret_span(p->session_key)) : NULL};
	if (row.session_key)
		row.session_key->wipe = true;
	row.key = (struct store_payload_key){.epoch = c->epoch, .sequence = p->sequence};
	memcpy(row.key.discussion, d->row.id, sizeof row.key.discussion);
	memcpy(row.key.sender, c->members[p->sender].fingerprint, sizeof row.key.sender);
	enum err code = store_payload_append(c->engine->store, &row, info);
	bytes_unref(row.message);
	bytes_unref(row.session_key);
	return code;
}

// A core that is killed right after this must not wake up in a discussion that nobody else is in.
static enum err write_closed(struct conversation *c, struct err_info *info)
{
	struct store_discussion row = c->discussion->row; // what it points to stays the discussion's
	snprintf(row.state, sizeof row.state, "%s", lifecycle_state_name(LIFECYCLE_CLOSED));
	snprintf(row.reason, sizeof row.reason, "%s", lifecycle_reason_name(LIFECYCLE_REASON_CLOSED_BY_MEMBER));
	row.ended = clock_now_ms(c->engine->clock);
	return store_discussion_update(c->engine->store, &row, info);
}

// What is there was said before: the same message where it was void, and is released now (P5.3); else its nonce is used again.
static enum err insert(struct conversation *c, const struct store_message *m, bool *skipped, struct err_info *info)
{
	struct store *s = c->engine->store;
	bool gone = false;
	enum err code = store_message_insert(s, m, info);
	if (code != ERR_WRONG_STATE)
		return code;
	code = store_void_drop(s, m->id, m->sender, &gone, info);
	*skipped = !gone;
	return code == OK && gone ? store_message_insert(s, m, info) : code;
}

static enum err write_commit(struct conversation *c, const struct transcript_action *a, bool *skipped,
			     struct err_info *info)
{
	enum err code = write_payload(c, &a->commit.payload, info);
	for (size_t i = 0; code == OK && i < a->commit.count; i++) {
		struct store_message m;
		fill_message(c, &a->commit.payload, &a->commit.messages[i], &m);
		code = insert(c, &m, &skipped[i], info);
	}
	if (code == OK && a->commit.rekey.certificate)
		code = rekeying_write(c, a->commit.payload.sender, a->commit.payload.sequence, a->commit.rekey.certificate,
				      info);
	if (code == OK && a->commit.closes && !c->present)
		code = write_closed(c, info);
	return code;
}

static void commit(struct conversation *c, const struct transcript_action *a)
{
	struct store *s = c->engine->store;
	struct discussion *d = c->discussion;
	struct conversation *present = d->conversation;
	struct err_info info;
	bool *skipped = mem_alloc_array(a->commit.count, sizeof *skipped);
	enum err code = store_begin(s, &info);
	if (code == OK) {
		code = write_commit(c, a, skipped, &info);
		if (code == OK)
			code = store_commit(s, &info);
		else
			store_rollback(s);
	}
	if (code)
		health_store_failed(c->engine, &info, "received messages could not be stored");
	else if (a->commit.rekey.certificate)
		rekeying_learned(c, a->commit.payload.sender, a->commit.payload.sequence, a->commit.rekey.key);
	const struct transcript_event event = {.type = TRANSCRIPT_EVENT_COMMITTED,
					       .committed = {.code = code, .skipped = skipped}};
	receiving_feed(c, &event);
	free(skipped);
	if (code || d->conversation != present)
		return; // a CLOSE in it was the last that there was to do
	rekeying_accepted(c);
	catching_up_got(c, a->commit.payload.sender, a->commit.payload.sequence);
	confirming_heard(c, a);
	if (c->present)
		past_moved(c->present);
}

static void deliver(struct conversation *c, const struct transcript_action *a)
{
	const struct transcript_payload p = {.sender = a->deliver.sender, .sequence = a->deliver.sequence};
	for (size_t i = 0; i < a->deliver.count; i++) {
		struct store_message m;
		fill_message(c, &p, &a->deliver.messages[i], &m);
		engine_emit(c->engine, "message.received", "message", message_view(&m));
	}
}

// --- answers -----------------------------------------------------------------------------------------------------------------------

void receiving_say(struct conversation *c, size_t member, struct delivery_record *r)
{
	struct err_info info;
	struct buf out;
	memcpy(r->discussion, c->discussion->row.id, sizeof r->discussion);
	buf_init(&out, 1024);
	if (delivery_encode(r, &out, &info) == OK)
		line_send_record(conversation_line(c, member), buf_span(&out));
	else
		log_error("an acknowledgement could not be written: %s", info.text);
	buf_fini(&out);
}

static void answer(struct conversation *c, enum delivery_type type, const struct transcript_action *a)
{
	struct delivery_record r = {.type = type, .epoch = c->epoch, .sequence = a->delivery.sequence};
	memcpy(r.sender, c->members[a->delivery.sender].fingerprint, sizeof r.sender);
	receiving_say(c, a->delivery.member, &r);
}

static void say_closed(struct conversation *c, size_t member)
{
	struct delivery_record r = {.type = DELIVERY_CLOSED};
	receiving_say(c, member, &r);
}

static void drop(struct conversation *c, const struct transcript_action *a)
{
	metrics_count(&c->engine->metrics, "payloads_dropped", transcript_reason_name(a->drop.reason));
	if (a->drop.reason != TRANSCRIPT_DUPLICATE)
		log_info("a payload of %.8s was dropped: %s", c->members[a->drop.member].fingerprint,
			 transcript_reason_name(a->drop.reason));
	if (a->drop.close_link)
		line_drop(conversation_line(c, a->drop.member), "breach");
}

// Both are opened with their session keys, by whoever is shown them.
static void keep_proof(struct conversation *c, const struct transcript_payload *second)
{
	struct err_info info;
	struct store_proof p = {.key = {.epoch = c->epoch, .sequence = second->sequence},
				.time = clock_now_ms(c->engine->clock)};
	if (!second->session_key)
		return;
	p.message = bytes_new_span(second->message);
	p.session_key = bytes_new_span(secret_span(second->session_key));
	p.session_key->wipe = true;
	memcpy(p.key.discussion, c->discussion->row.id, sizeof p.key.discussion);
	memcpy(p.key.sender, c->members[second->sender].fingerprint, sizeof p.key.sender);
	if (store_proof_put(c->engine->store, &p, &info))
		health_store_failed(c->engine, &info, "what proves that a member has lied could not be stored");
	store_proof_fini(&p);
}

static void equivocation(struct conversation *c, const struct transcript_action *a)
{
	struct discussion *d = c->discussion;
	bool stays = liars_is_member(d, &c->roster->members[a->proof.sender]);
	keep_proof(c, &a->proof);
	engine_warn(c->engine, "%.8s has signed two different messages %llu in the discussion %.8s: %s",
		    c->members[a->proof.sender].fingerprint, (unsigned long long)a->proof.sequence, d->row.id,
		    stays ? "it is frozen" : "of an epoch that has ended, and is no member any more");
	if (stays)
		discussion_happens(d, LIFECYCLE_FREEZE, LIFECYCLE_NO_REASON);
}

// One has another payload of somebody's than this core: with both, that somebody is proven to have signed two.
static void dispute(struct conversation *c, const struct transcript_action *a)
{
	struct delivery_record r = {.type = DELIVERY_WANT, .epoch = c->epoch, .sequence = a->delivery.sequence - 1};
	memcpy(r.sender, c->members[a->delivery.sender].fingerprint, sizeof r.sender);
	log_info("%.8s has another message %llu of %.8s than this core", c->members[a->delivery.member].fingerprint,
		 (unsigned long long)a->delivery.sequence, r.sender);
	receiving_say(c, a->delivery.member, &r);
}

static void pause_line(struct conversation *c, size_t member, bool pause)
{
	if (c->present)
		past_pause(c, member, pause);
	else
		line_pause(&c->lines[member], LINE_PAUSED_BY_MESSAGES, pause);
}

static void retry(void *arg)
{
	const struct transcript_event event = {.type = TRANSCRIPT_EVENT_RETRY};
	receiving_feed(arg, &event);
}

static void carry_out(struct conversation *c, const struct transcript_action *a)
{
	switch (a->type) {
	case TRANSCRIPT_OPEN:
		open_message(c, a);
		break;
	case TRANSCRIPT_REKEY:
		rekeying_take(c, a->rekey.sender, a->rekey.ticket, a->rekey.certificate);
		break;
	case TRANSCRIPT_COMMIT:
		commit(c, a);
		break;
	case TRANSCRIPT_DELIVER:
		deliver(c, a);
		break;
	case TRANSCRIPT_ACK:
		answer(c, DELIVERY_ACK, a);
		break;
	case TRANSCRIPT_CANNOT_OPEN:
		answer(c, DELIVERY_CANNOT_OPEN, a);
		break;
	case TRANSCRIPT_COMPLAIN:
		confirming_complain(c, a);
		break;
	case TRANSCRIPT_COMPLAINT:
		confirming_complaint(c, a);
		break;
	case TRANSCRIPT_DISPUTE:
		dispute(c, a);
		break;
	case TRANSCRIPT_CLOSED:
		say_closed(c, a->member);
		break;
	case TRANSCRIPT_DROP:
		drop(c, a);
		break;
	case TRANSCRIPT_PAUSE:
		pause_line(c, a->member, true);
		break;
	case TRANSCRIPT_RESUME:
		pause_line(c, a->member, false);
		break;
	case TRANSCRIPT_CLOSED_BY:
		if (!c->present)
			discussion_happens(c->discussion, LIFECYCLE_CLOSED_BY, LIFECYCLE_NO_REASON);
		break;
	case TRANSCRIPT_EQUIVOCATION:
		equivocation(c, a);
		break;
	case TRANSCRIPT_RETRY_IN:
		timer_start(c->engine->loop, &c->receiving_retry, a->ms, retry, c);
		break;
	}
}

void receiving_feed(struct conversation *c, const struct transcript_event *event)
{
	struct transcript_actions actions;
	transcript_actions_init(&actions);
	transcript_step(c->transcript, event, &actions);
	for (size_t i = 0; i < actions.count; i++)
		carry_out(c, &actions.list[i]);
	transcript_actions_fini(&actions);
}
