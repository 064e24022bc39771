// SPDX-License-Identifier: GPL-3.0-or-later
// Carries out what the outbox asks for.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/conversation_parts.h"
#include "shell/message_view.h"
#include "shell/shell.h"
#include "store/heads.h"
#include "store/messages.h"
#include "store/payloads.h"
#include "wire/delivery.h"

// --- opening -------------------------------------------------------------------------------------------------------------------

struct waiting {
	size_t count, room;
	struct outbox_message *list;
};

static bool keep_waiting(void *arg, const struct store_message *m)
{
	struct waiting *w = arg;
	if (m->placed || m->nonce.len != PAYLOAD_NONCE_LEN)
		return true; // its payload is built already
	if (w->count == w->room) {
		w->room = w->room ? w->room * 2 : 64;
		w->list = mem_realloc(w->list, w->room * sizeof *w->list);
	}
	struct outbox_message *copy = &w->list[w->count++];
	memcpy(copy->id, m->id, sizeof copy->id);
	memcpy(copy->nonce, m->nonce.data, sizeof copy->nonce);
	copy->time_ms = m->time;
	copy->text = bytes_new_span(m->text);
	copy->text->wipe = true;
	return w->count < OUTBOX_QUEUED_MAX;
}

enum err sending_open(struct conversation *c, struct err_info *info)
{
	struct discussion *d = c->discussion;
	struct store *s = c->engine->store;
	struct store_head head;
	struct waiting w = {0};
	struct outbox_config config = {.roster = &d->roster,
				       .roster_hash = d->roster_hash,
				       .transcript = c->transcript,
				       .closing = d->row.closing,
				       .keyless = !d->row.home[0]};
	memcpy(config.own, discussion_own(d), sizeof config.own);
	enum err code = store_head_get(s, d->row.id, d->row.epoch, config.own, &head, info);
	for (size_t i = 0; code == OK && i < c->count; i++)
		if (i != c->own)
			code = store_ack_get(s, d->row.id, d->row.epoch, d->members[i].fingerprint, &config.acknowledged[i],
					     info);
	if (code == OK)
		code = store_message_each_waiting(s, d->row.id, "queued", STORE_WAITING_MAX, keep_waiting, &w, info);
	if (code == OK) {
		config.built = head.sequence;
		config.head = head.hash;
		config.queued_count = w.count;
		config.queued = w.list;
		c->outbox = outbox_new(&config);
	}
	for (size_t i = 0; i < w.count; i++)
		bytes_unref(w.list[i].text);
	free(w.list);
	return code;
}

void sending_fini(struct conversation *c)
{
	timer_cancel(c->engine->loop, &c->sending_retry);
	submissions_cancel(c);
	outbox_free(c->outbox);
}

// --- the disk ------------------------------------------------------------------------------------------------------------------

static void fill_message(const struct conversation *c, const struct outbox_row *row, struct store_message *m)
{
	const struct discussion *d = c->discussion;
	*m = (struct store_message){.state = "queued",
				    .placed = row->placed,
				    .place = {d->row.epoch, row->sequence, row->index},
				    .time = row->message.time_ms,
				    .nonce = span(row->message.nonce, sizeof row->message.nonce),
				    .text = bytes_span(row->message.text)};
	memcpy(m->id, row->message.id, sizeof m->id);
	memcpy(m->discussion, d->row.id, sizeof m->discussion);
	memcpy(m->sender, discussion_own(d), sizeof m->sender);
}

static void fill_key(const struct conversation *c, uint64_t sequence, struct store_payload_key *key)
{
	*key = (struct store_payload_key){.epoch = c->discussion->row.epoch, .sequence = sequence};
	memcpy(key->discussion, c->discussion->row.id, sizeof key->discussion);
	memcpy(key->sender, discussion_own(c->discussion), sizeof key->sender);
}

static enum err write_commit(struct conversation *c, const struct outbox_action *a, struct err_info *info)
{
	struct store *s = c->engine->store;
	struct discussion *d = c->discussion;
	enum err code = OK;
	for (size_t i = 0; code == OK && i < a->commit.row_count; i++) {
		const struct outbox_row *row = &a->commit.rows[i];
		struct store_message m;
		fill_message(c, row, &m);
		code = row->fresh ? store_message_insert(s, &m, info)
				  : store_message_place(s, m.id, row->placed ? &m.place : NULL, "queued", info);
	}
	for (size_t i = 0; code == OK && i < a->commit.payload_count; i++) {
		const struct outbox_payload *p = &a->commit.payloads[i];
		struct store_payload row = {.hash = p->hash, .time = a->commit.time_ms, .payload = p->bytes};
		fill_key(c, p->sequence, &row.key);
		code = store_payload_append(s, &row, info);
	}
	if (code == OK && a->commit.closes) {
		d->row.closing = true;
		code = store_discussion_update(s, &d->row, info);
	}
	return code;
}

static void commit(struct conversation *c, const struct outbox_action *a)
{
	struct store *s = c->engine->store;
	struct err_info info;
	bool closing = c->discussion->row.closing;
	struct outbox_event event = {.type = OUTBOX_EVENT_COMMITTED};
	enum err code = store_begin(s, &info);
	if (code == OK) {
		code = write_commit(c, a, &info);
		if (code == OK)
			code = store_commit(s, &info);
		else
			store_rollback(s);
	}
	if (code) {
		c->discussion->row.closing = closing;
		c->unstored = info;
		engine_warn(c->engine, "messages could not be stored: %s", info.text);
	}
	event.result.code = code;
	sending_feed(c, &event);
}

static void store_sealed(struct conversation *c, const struct outbox_action *a)
{
	struct err_info info;
	struct store_payload_key key;
	struct outbox_event event = {.type = OUTBOX_EVENT_STORED};
	fill_key(c, a->store.sequence, &key);
	event.result.code = store_payload_set_message(c->engine->store, &key, a->store.message, span(NULL, 0), &info);
	if (event.result.code)
		engine_warn(c->engine, "a sealed message could not be stored: %s", info.text);
	sending_feed(c, &event);
}

struct loading {
	size_t count;
	struct outbox_loaded rows[OUTBOX_LOAD_MAX];
};

static bool load_one(void *arg, const struct store_payload *p)
{
	struct loading *l = arg;
	l->rows[l->count++] = (struct outbox_loaded){
		.sequence = p->key.sequence, .payload = bytes_ref(p->payload), .message = bytes_ref(p->message)};
	return l->count < OUTBOX_LOAD_MAX;
}

static void load(struct conversation *c, const struct outbox_action *a)
{
	struct err_info info;
	struct store_payload_key key;
	struct loading l = {0};
	struct outbox_event event = {.type = OUTBOX_EVENT_LOADED};
	fill_key(c, a->load.after, &key);
	event.loaded.code = store_payload_each_after(c->engine->store, &key, a->load.count, load_one, &l, &info);
	if (event.loaded.code)
		log_warn("messages to send again could not be read: %s", info.text);
	event.loaded.count = l.count;
	event.loaded.rows = l.rows;
	sending_feed(c, &event);
	for (size_t i = 0; i < l.count; i++) {
		bytes_unref(l.rows[i].payload);
		bytes_unref(l.rows[i].message);
	}
}

static enum err write_ack(struct conversation *c, const struct outbox_action *a, struct err_info *info)
{
	struct store *s = c->engine->store;
	const struct discussion *d = c->discussion;
	const char *own = discussion_own(d);
	enum err code = store_ack_put(s, d->row.id, d->row.epoch, d->members[a->ack.member].fingerprint, a->ack.sequence,
				      info);
	if (code == OK && a->ack.last_sent)
		code = store_message_set_states(s, d->row.id, d->row.epoch, own, a->ack.first_sent, a->ack.last_sent, "sent",
						info);
	if (code == OK && a->ack.last_delivered)
		code = store_message_set_states(s, d->row.id, d->row.epoch, own, a->ack.first_delivered,
						a->ack.last_delivered, "delivered", info);
	return code;
}

static void store_ack(struct conversation *c, const struct outbox_action *a)
{
	struct store *s = c->engine->store;
	struct err_info info;
	const char *own = discussion_own(c->discussion);
	struct outbox_event event = {.type = OUTBOX_EVENT_ACK_STORED};
	enum err code = store_begin(s, &info);
	if (code == OK) {
		code = write_ack(c, a, &info);
		if (code == OK)
			code = store_commit(s, &info);
		else
			store_rollback(s);
	}
	if (code)
		engine_warn(c->engine, "an acknowledgement could not be stored: %s", info.text);
	if (code == OK && a->ack.last_sent)
		message_emit_placed(c->discussion, own, a->ack.first_sent, a->ack.last_sent, "message.sent");
	if (code == OK && a->ack.last_delivered)
		message_emit_placed(c->discussion, own, a->ack.first_delivered, a->ack.last_delivered, "message.delivered");
	event.result.code = code;
	sending_feed(c, &event);
}

struct unplaced {
	size_t count;
	char ids[STORE_WAITING_MAX][MESSAGE_ID_SIZE];
};

static bool keep_id(void *arg, const struct store_message *m)
{
	struct unplaced *u = arg;
	if (!m->placed)
		memcpy(u->ids[u->count++], m->id, MESSAGE_ID_SIZE);
	return true;
}

static void fail_messages(struct conversation *c, const struct outbox_action *a)
{
	struct store *s = c->engine->store;
	struct discussion *d = c->discussion;
	struct err_info info;
	struct unplaced *u = mem_alloc(sizeof *u);
	enum err code = store_begin(s, &info);
	if (code == OK)
		code = store_message_each_waiting(s, d->row.id, "queued", STORE_WAITING_MAX, keep_id, u, &info);
	for (size_t i = 0; code == OK && i < u->count; i++)
		code = store_message_set_state(s, u->ids[i], "failed", &info);
	if (code == OK && a->failed.last)
		code = store_message_set_states(s, d->row.id, d->row.epoch, discussion_own(d), a->failed.first, a->failed.last,
						"failed", &info);
	if (code == OK)
		code = store_commit(s, &info);
	else if (store_in_transaction(s))
		store_rollback(s);
	if (code)
		engine_warn(c->engine, "unsent messages of %.8s: %s", d->row.id, info.text);
	for (size_t i = 0; code == OK && i < u->count; i++)
		message_emit(c->engine, u->ids[i], "message.failed");
	if (code == OK && a->failed.last)
		message_emit_placed(d, discussion_own(d), a->failed.first, a->failed.last, "message.failed");
	free(u);
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
	if (code)
		log_warn("a message could not be sealed: %s", info->text);
	struct bytes *message = code ? NULL : bytes_ref(result->output);
	tell_sealed(c, code, message);
	bytes_unref(message);
}

static void seal(struct conversation *c, const struct outbox_action *a)
{
	struct err_info info;
	uint64_t keys[ROSTER_MAX];
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
		log_warn("a message could not be sealed: %s", info.text);
		(void)job_end(j);
		tell_sealed(c, code, NULL);
	}
}

// --- the machine -----------------------------------------------------------------------------------------------------------------

static void retry(void *arg)
{
	struct outbox_event event = {.type = OUTBOX_EVENT_RETRY};
	sending_feed(arg, &event);
}

static void trouble(struct conversation *c, const struct outbox_action *a)
{
	engine_warn(c->engine, "%.8s cannot open message %llu of the discussion %.8s, also when it is sealed anew",
		    c->discussion->members[a->trouble.member].fingerprint, (unsigned long long)a->trouble.sequence,
		    c->discussion->row.id);
}

static void carry_out(struct conversation *c, const struct outbox_action *a)
{
	switch (a->type) {
	case OUTBOX_COMMIT:
		commit(c, a);
		break;
	case OUTBOX_ACCEPTED:
		submission_resolve(c, a->ticket, OK);
		break;
	case OUTBOX_REJECTED:
		submission_resolve(c, a->rejected.ticket, a->rejected.code);
		break;
	case OUTBOX_SEAL:
		seal(c, a);
		break;
	case OUTBOX_STORE_SEALED:
		store_sealed(c, a);
		break;
	case OUTBOX_LOAD:
		load(c, a);
		break;
	case OUTBOX_TRANSMIT:
		line_transmit(&c->lines[a->transmit.member], a->transmit.frame);
		break;
	case OUTBOX_STORE_ACK:
		store_ack(c, a);
		break;
	case OUTBOX_RETRY_IN:
		timer_start(c->engine->loop, &c->sending_retry, a->ms, retry, c);
		break;
	case OUTBOX_CLOSED:
		break; // the lifecycle has told it already
	case OUTBOX_FAILED:
		fail_messages(c, a);
		break;
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
	if (strcmp(r.sender, discussion_own(d)) != 0)
		return; // another member's payloads are that member's affair
	event.type = r.type == DELIVERY_ACK ? OUTBOX_EVENT_ACK : OUTBOX_EVENT_CANNOT_OPEN;
	event.delivery.member = member;
	event.delivery.epoch = r.epoch;
	event.delivery.sequence = r.sequence;
	sending_feed(c, &event);
}
