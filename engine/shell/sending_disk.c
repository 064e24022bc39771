// SPDX-License-Identifier: GPL-3.0-or-later
// What the outbox asks of the store.
#include <assert.h>
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

static void fill_message(const struct conversation *c, const struct outbox_row *row, struct store_message *m)
{
	const struct discussion *d = c->discussion;
	*m = (struct store_message){.state = "queued",
				    .placed = row->placed,
				    .place = {c->epoch, row->sequence, row->index},
				    .time = row->message.time_ms,
				    .nonce = span(row->message.nonce, sizeof row->message.nonce),
				    .text = bytes_span(row->message.text)};
	memcpy(m->id, row->message.id, sizeof m->id);
	memcpy(m->discussion, d->row.id, sizeof m->discussion);
	memcpy(m->sender, discussion_own(d), sizeof m->sender);
}

static void fill_key(const struct conversation *c, uint64_t sequence, struct store_payload_key *key)
{
	*key = (struct store_payload_key){.epoch = c->epoch, .sequence = sequence};
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
		// a released one was held, and is queued from now on; the others that are there get their place
		code = row->fresh ? store_message_insert(s, &m, info)
				  : store_message_place(s, m.id, row->placed ? &m.place : NULL, "queued", info);
	}
	for (size_t i = 0; code == OK && i < a->commit.payload_count; i++) {
		const struct outbox_payload *p = &a->commit.payloads[i];
		struct store_payload row = {.hash = p->hash, .time = a->commit.time_ms, .payload = p->bytes};
		fill_key(c, p->sequence, &row.key);
		code = store_payload_append(s, &row, info);
	}
	if (code == OK && a->commit.rekey)
		code = rekeying_write(c, c->own, a->commit.payloads[0].sequence, a->commit.rekey, info);
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
		health_store_failed(c->engine, &info, "messages could not be stored");
	} else if (a->commit.rekey) {
		rekeying_told(c, a->commit.payloads[0].sequence, a->commit.rekey);
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
		health_store_failed(c->engine, &info, "a sealed message could not be stored");
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

// Of two members, what one has at all, all others have.
static bool delivers_what_it_sends(const struct outbox_action *a)
{
	return a->ack.first_sent == a->ack.first_delivered && a->ack.last_sent == a->ack.last_delivered;
}

static enum err write_ack(struct conversation *c, const struct outbox_action *a, struct err_info *info)
{
	struct store *s = c->engine->store;
	const struct discussion *d = c->discussion;
	const char *own = discussion_own(d);
	enum err code = store_ack_put(s, d->row.id, c->epoch, c->members[a->ack.member].fingerprint, a->ack.sequence,
				      info);
	if (code == OK && a->ack.last_sent && !delivers_what_it_sends(a))
		code = store_message_set_states(s, d->row.id, c->epoch, own, a->ack.first_sent, a->ack.last_sent, "sent",
						info);
	if (code == OK && a->ack.last_delivered)
		code = store_message_set_states(s, d->row.id, c->epoch, own, a->ack.first_delivered,
						a->ack.last_delivered, "delivered", info);
	return code;
}

static void tell_ack(struct conversation *c, const struct outbox_action *a)
{
	const char *own = discussion_own(c->discussion);
	bool same = delivers_what_it_sends(a);
	if (a->ack.last_sent)
		message_emit_placed(c->discussion, c->epoch, own, a->ack.first_sent, a->ack.last_sent, "message.sent",
				    same ? "message.delivered" : NULL);
	if (a->ack.last_delivered && !same)
		message_emit_placed(c->discussion, c->epoch, own, a->ack.first_delivered, a->ack.last_delivered, "message.delivered",
				    NULL);
}

static void store_ack(struct conversation *c, const struct outbox_action *a)
{
	struct store *s = c->engine->store;
	struct err_info info;
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
		health_store_failed(c->engine, &info, "an acknowledgement could not be stored");
	if (code == OK)
		tell_ack(c, a);
	event.result.code = code;
	sending_feed(c, &event);
	conversation_settle(c);
}

struct unplaced {
	size_t count;
	char ids[2 * STORE_WAITING_MAX][MESSAGE_ID_SIZE]; // queued, and held
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
	struct outbox_event event = {.type = OUTBOX_EVENT_FAILED_STORED};
	struct unplaced *u = mem_alloc(sizeof *u);
	enum err code = store_begin(s, &info);
	if (code == OK)
		code = store_message_each_waiting(s, d->row.id, "queued", STORE_WAITING_MAX, keep_id, u, &info);
	if (code == OK)
		code = store_message_each_waiting(s, d->row.id, "held", STORE_WAITING_MAX, keep_id, u, &info);
	for (size_t i = 0; code == OK && i < u->count; i++)
		code = store_message_set_state(s, u->ids[i], "failed", &info);
	if (code == OK && a->failed.last)
		code = store_message_set_states(s, d->row.id, c->epoch, discussion_own(d), a->failed.first, a->failed.last,
						"failed", &info);
	if (code == OK)
		code = store_commit(s, &info);
	else if (store_in_transaction(s))
		store_rollback(s);
	if (code)
		health_store_failed(c->engine, &info, "messages that cannot be sent any more could not be marked");
	event.result.code = code;
	for (size_t i = 0; code == OK && i < u->count; i++)
		message_emit(c->engine, u->ids[i], "message.failed");
	if (code == OK && a->failed.last)
		message_emit_placed(d, c->epoch, discussion_own(d), a->failed.first, a->failed.last, "message.failed", NULL);
	free(u);
	sending_feed(c, &event);
	conversation_settle(c);
}

// --- now or at the end of the turn ------------------------------------------------------------------------------------------------

static void carry_out(struct conversation *c, const struct outbox_action *a)
{
	switch (a->type) {
	case OUTBOX_COMMIT:
		commit(c, a);
		break;
	case OUTBOX_STORE_SEALED:
		store_sealed(c, a);
		break;
	case OUTBOX_LOAD:
		load(c, a);
		break;
	case OUTBOX_STORE_ACK:
		store_ack(c, a);
		break;
	case OUTBOX_FAILED:
		fail_messages(c, a);
		break;
	default:
		break;
	}
}

static void carry_out_postponed(void *arg)
{
	struct conversation *c = arg;
	for (size_t i = 0; i < SENDING_POSTPONED_MAX; i++) {
		struct outbox_action a = c->postponed[i];
		if (!c->is_postponed[i])
			continue;
		c->is_postponed[i] = false;
		carry_out(c, &a); // which may postpone the next
		outbox_action_fini(&a);
	}
}

static bool anything_postponed(const struct conversation *c)
{
	for (size_t i = 0; i < SENDING_POSTPONED_MAX; i++)
		if (c->is_postponed[i])
			return true;
	return false;
}

void sending_flush(struct conversation *c)
{
	while (anything_postponed(c))
		carry_out_postponed(c);
}

static void postpone(struct conversation *c, size_t slot, struct outbox_action *a)
{
	assert(!c->is_postponed[slot]); // one of each kind is under way at a time
	c->is_postponed[slot] = true;
	c->postponed[slot] = outbox_action_take(a);
	loop_defer(c->engine->loop, &c->postponed_turn, carry_out_postponed, c);
}

void sending_disk(struct conversation *c, struct outbox_action *a)
{
	// what is submitted in one turn is to share a commit; a decision is on disk when the call that made it returns
	if (a->type == OUTBOX_COMMIT && !a->commit.closes)
		postpone(c, 0, a);
	// what is sealed leaves first: should it be lost here, it is sealed anew from its payload (P3.10)
	else if (a->type == OUTBOX_STORE_SEALED)
		postpone(c, 1, a);
	else
		carry_out(c, a);
}

void sending_disk_fini(struct conversation *c)
{
	deferred_cancel(c->engine->loop, &c->postponed_turn);
	for (size_t i = 0; i < SENDING_POSTPONED_MAX; i++)
		if (c->is_postponed[i])
			outbox_action_fini(&c->postponed[i]);
	memset(c->is_postponed, 0, sizeof c->is_postponed);
}
