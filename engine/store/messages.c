// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/messages.h"

#include <string.h>

#include "store/heads.h"
#include "store/internal.h"

// --- states -------------------------------------------------------------------------------------

enum placing { NEVER, ALWAYS, EITHER };

static const struct {
	const char *name;
	enum placing placed;
} states[] = {
	{"queued", EITHER},    {"held", NEVER},      {"sent", ALWAYS}, {"delivered", ALWAYS},
	{"confirmed", ALWAYS}, {"received", ALWAYS}, {"void", ALWAYS}, {"failed", EITHER},
};

static enum err find_state(const char *name, enum placing *placed, struct err_info *info)
{
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		if (strcmp(states[i].name, name) == 0) {
			*placed = states[i].placed;
			return OK;
		}
	}
	return err_set(info, ERR_BAD_PARAMS, "not a message's state: %.32s", name);
}

static enum err check_state(const char *name, bool placed, struct err_info *info)
{
	enum placing want;
	enum err e = find_state(name, &want, info);
	if (!e && want != EITHER && placed != (want == ALWAYS))
		e = err_set(info, ERR_BAD_PARAMS, "a message that is %s %s", name,
			    placed ? "has no place in a payload" : "has a place in a payload");
	return e;
}

// --- writing ------------------------------------------------------------------------------------

static struct seal_place body_place(const char *discussion, const struct store_message *m)
{
	return (struct seal_place){"messages", "body", {discussion, m->id, m->sender}};
}

static enum err check_place(const struct store_place *place, struct err_info *info)
{
	return place ? check_sequence(place->sequence, info) : OK;
}

static enum err check_message(const struct store_message *m, struct err_info *info)
{
	enum err e = check_id("message", m->id, info);
	if (!e)
		e = check_fingerprint(m->sender, info);
	if (!e)
		e = check_state(m->state, m->placed, info);
	if (!e)
		e = check_place(m->placed ? &m->place : NULL, info);
	if (!e && m->text.len == 0)
		e = err_set(info, ERR_BAD_PARAMS, "a message has a text");
	if (!e)
		e = check_span("a text", m->text, STORE_TEXT_MAX, info);
	if (!e && m->nonce.len != 0 && m->nonce.len != STORE_NONCE_LEN)
		e = err_set(info, ERR_BAD_PARAMS, "a nonce has %d bytes", STORE_NONCE_LEN);
	return e;
}

static void bind_place(struct query *q, const struct store_place *place)
{
	if (place) {
		query_bind_int(q, place->epoch);
		query_bind_int(q, (int64_t)place->sequence);
		query_bind_int(q, place->index);
	} else {
		query_bind_bytes(q, NULL);
		query_bind_bytes(q, NULL);
		query_bind_bytes(q, NULL);
	}
}

enum err store_message_insert(struct store *s, const struct store_message *message,
			      struct err_info *info)
{
	struct data_key *key;
	struct query q;
	struct buf sealed;
	enum err e = check_message(message, info);
	if (!e)
		e = keyring_pin(s, message->discussion, &key, info);
	if (e)
		return e;
	const struct seal_place place = body_place(key->discussion, message);
	buf_init(&sealed, STORE_TEXT_MAX + SEAL_OVERHEAD);
	e = seal_close(key->key, &place, message->text, &sealed);
	if (!e) {
		query_begin(&q, s,
			    "INSERT INTO messages (id, discussion, sender, state, epoch, "
			    "sequence, place, time, nonce, body, own) VALUES "
			    "(?, ?, ?3, ?, ?, ?, ?, ?, ?, ?, "
			    "?3 IS (SELECT fingerprint FROM identity))");
		query_bind_text(&q, message->id);
		query_bind_int(&q, key->number);
		query_bind_text(&q, message->sender);
		query_bind_text(&q, message->state);
		bind_place(&q, message->placed ? &message->place : NULL);
		query_bind_int(&q, message->time);
		query_bind_span(&q, message->nonce);
		query_bind_span(&q, buf_span(&sealed));
		e = query_run(&q, NULL, info);
	}
	buf_fini(&sealed);
	keyring_unpin(key);
	return e;
}

static enum err no_message(const char *id, struct err_info *info)
{
	return err_set(info, ERR_NOT_FOUND, "no such message: %s", id);
}

enum err store_message_place(struct store *s, const char *id, const struct store_place *place,
			     const char *state, struct err_info *info)
{
	struct query q;
	int64_t changed;
	enum err e = check_id("message", id, info);
	if (!e)
		e = check_state(state, place != NULL, info);
	if (!e)
		e = check_place(place, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "UPDATE messages SET epoch = ?, sequence = ?, place = ?, state = ? "
		    "WHERE id = ?");
	bind_place(&q, place);
	query_bind_text(&q, state);
	query_bind_text(&q, id);
	e = query_run(&q, &changed, info);
	return !e && !changed ? no_message(id, info) : e;
}

// A state that does not go with having a place, or having none, is refused by the row itself.
static enum err why_unchanged(struct store *s, const char *id, const char *state,
			      struct err_info *info)
{
	struct query q;
	bool found = false;
	query_begin(&q, s, "SELECT 1 FROM messages WHERE id = ?");
	query_bind_text(&q, id);
	found = query_step(&q);
	enum err e = query_end(&q, info);
	if (e)
		return e;
	if (!found)
		return no_message(id, info);
	return err_set(info, ERR_WRONG_STATE, "message %s cannot become %s where it is", id, state);
}

enum err store_message_set_state(struct store *s, const char *id, const char *state,
				 struct err_info *info)
{
	struct query q;
	enum placing placed;
	int64_t changed;
	enum err e = check_id("message", id, info);
	if (!e)
		e = find_state(state, &placed, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "UPDATE messages SET state = ? WHERE id = ? AND "
		    "(sequence IS NOT NULL) IN (?, ?)");
	query_bind_text(&q, state);
	query_bind_text(&q, id);
	query_bind_int(&q, placed != NEVER);
	query_bind_int(&q, placed == ALWAYS);
	e = query_run(&q, &changed, info);
	return !e && !changed ? why_unchanged(s, id, state, info) : e;
}

static enum err check_range(const char *sender, uint64_t first, uint64_t last,
			    struct err_info *info)
{
	enum err e = check_fingerprint(sender, info);
	if (!e && (first > last || last > STORE_SEQUENCE_MAX))
		e = err_set(info, ERR_BAD_PARAMS, "not a range of sequences");
	return e;
}

enum err store_message_set_states(struct store *s, const char *discussion, uint32_t epoch,
				  const char *sender, uint64_t first, uint64_t last,
				  const char *state, struct err_info *info)
{
	struct query q;
	int64_t number;
	enum err e = check_range(sender, first, last, info);
	if (!e)
		e = check_state(state, true, info);
	if (!e)
		e = discussion_find(s, discussion, &number, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "UPDATE messages INDEXED BY messages_placed SET state = ?1 WHERE discussion = "
		    "? AND sender = ? AND "
		    "epoch = ? AND sequence BETWEEN ? AND ? AND state <> ?1");
	query_bind_text(&q, state);
	query_bind_int(&q, number);
	query_bind_text(&q, sender);
	query_bind_int(&q, epoch);
	query_bind_int(&q, (int64_t)first);
	query_bind_int(&q, (int64_t)last);
	return query_run(&q, NULL, info);
}

enum err store_message_delete(struct store *s, const char *id, struct err_info *info)
{
	struct query q;
	int64_t changed;
	enum err e = check_id("message", id, info);
	if (e)
		return e;
	query_begin(&q, s, "DELETE FROM messages WHERE id = ?");
	query_bind_text(&q, id);
	e = query_run(&q, &changed, info);
	return !e && !changed ? no_message(id, info) : e;
}

// --- reading ------------------------------------------------------------------------------------

enum err message_take(struct query *q, const struct data_key *key, struct buf *text,
		      struct store_message *out, struct err_info *info)
{
	memset(out, 0, sizeof *out);
	memcpy(out->discussion, key->discussion, sizeof out->discussion);
	query_take_text(q, out->id, sizeof out->id);
	query_take_text(q, out->sender, sizeof out->sender);
	query_take_text(q, out->state, sizeof out->state);
	out->placed = !query_take_null(q);
	if (out->placed) {
		out->place.epoch = (uint32_t)query_take_int(q);
		out->place.sequence = (uint64_t)query_take_int(q);
		out->place.index = (uint32_t)query_take_int(q);
	} else {
		query_take_null(q);
		query_take_null(q);
	}
	out->time = query_take_int(q);
	out->nonce = query_take_span(q);
	const struct seal_place place = body_place(key->discussion, out);
	buf_clear(text);
	enum err e = seal_open(key->key, &place, query_take_span(q), text, info);
	out->text = buf_span(text);
	return e;
}

// Ends q.
static enum err visit_rows(struct store *s, struct query *q, const struct data_key *key,
			   store_message_visit *each, void *arg, struct err_info *info)
{
	enum err taken = OK;
	bool more = true;
	struct buf text;
	buf_init_wiped(&text, STORE_TEXT_MAX);
	while (more && !taken && query_step(q)) {
		struct store_message m;
		taken = message_take(q, key, &text, &m, info);
		if (!taken && !q->misfit)
			more = each(arg, &m);
		// a callback that locks the store has wiped the key
		if (!taken && more && !store_unlocked(s))
			taken = err_set(info, ERR_LOCKED, "the store is locked");
	}
	buf_fini(&text);
	enum err e = query_end(q, taken ? NULL : info);
	return taken ? taken : e;
}

enum err store_message_get(struct store *s, const char *id, store_message_visit *each, void *arg,
			   struct err_info *info)
{
	struct data_key *key;
	struct query q;
	int64_t number = 0;
	enum err e = check_id("message", id, info);
	if (!e && !store_unlocked(s))
		e = err_set(info, ERR_LOCKED, "the store is locked");
	if (e)
		return e;
	query_begin(&q, s, "SELECT discussion FROM messages WHERE id = ?");
	query_bind_text(&q, id);
	if (query_step(&q))
		number = query_take_int(&q);
	e = query_end(&q, info);
	if (!e && !number)
		e = no_message(id, info);
	if (!e)
		e = keyring_pin_number(s, number, &key, info);
	if (e)
		return e;
	query_begin(&q, s, "SELECT " MESSAGE_COLUMNS " FROM messages WHERE id = ?");
	query_bind_text(&q, id);
	e = visit_rows(s, &q, key, each, arg, info);
	keyring_unpin(key);
	return e;
}

static enum err find_message(struct store *s, int64_t discussion, const char *id, int64_t *number,
			     struct err_info *info)
{
	struct query q;
	bool found = false;
	enum err e = check_id("message", id, info);
	if (e)
		return e;
	query_begin(&q, s, "SELECT number FROM messages WHERE id = ? AND discussion = ?");
	query_bind_text(&q, id);
	query_bind_int(&q, discussion);
	if (query_step(&q)) {
		found = true;
		*number = query_take_int(&q);
	}
	e = query_end(&q, info);
	return !e && !found ? no_message(id, info) : e;
}

// The number before the newest `limit` messages below `before`: from the index alone, so that no
// body is read for the sake of its order.
static enum err find_newest(struct store *s, int64_t discussion, int64_t before, size_t limit,
			    int64_t *after, struct err_info *info)
{
	struct query q;
	query_begin(&q, s,
		    "SELECT min(number) - 1 FROM (SELECT number FROM messages INDEXED BY "
		    "messages_in_order WHERE discussion = ? AND number < ? ORDER BY number DESC "
		    "LIMIT ?)");
	query_bind_int(&q, discussion);
	query_bind_int(&q, before);
	query_bind_int(&q, (int64_t)limit);
	if (query_step(&q))
		*after = query_take_int(&q); // 0 where there is none
	return query_end(&q, info);
}

static enum err check_limit(size_t limit, size_t max, struct err_info *info)
{
	if (limit == 0 || limit > max)
		return err_set(info, ERR_BAD_PARAMS, "a limit is 1 to %zu", max);
	return OK;
}

static enum err list(struct store *s, const struct data_key *key, const struct store_range *range,
		     store_message_visit *each, void *arg, struct err_info *info)
{
	struct query q;
	int64_t after = 0, before = INT64_MAX;
	enum err e = OK;
	if (range->before)
		e = find_message(s, key->number, range->before, &before, info);
	if (!e && range->after)
		e = find_message(s, key->number, range->after, &after, info);
	else if (!e && !range->oldest)
		e = find_newest(s, key->number, before, range->limit, &after, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "SELECT " MESSAGE_COLUMNS " FROM messages INDEXED BY messages_in_order WHERE "
		    "discussion = ? AND number > ? AND number < ? ORDER BY number LIMIT ?");
	query_bind_int(&q, key->number);
	query_bind_int(&q, after);
	query_bind_int(&q, before);
	query_bind_int(&q, (int64_t)range->limit);
	return visit_rows(s, &q, key, each, arg, info);
}

enum err store_message_list(struct store *s, const char *discussion,
			    const struct store_range *range, store_message_visit *each, void *arg,
			    struct err_info *info)
{
	struct data_key *key;
	enum err e = check_limit(range->limit, STORE_LIST_MAX, info);
	if (!e)
		e = keyring_pin(s, discussion, &key, info);
	if (e)
		return e;
	e = list(s, key, range, each, arg, info);
	keyring_unpin(key);
	return e;
}

enum err store_message_each_waiting(struct store *s, const char *discussion, const char *state,
				    size_t limit, store_message_visit *each, void *arg,
				    struct err_info *info)
{
	struct data_key *key;
	struct query q;
	enum err e = check_limit(limit, STORE_WAITING_MAX, info);
	if (!e && strcmp(state, "queued") != 0 && strcmp(state, "held") != 0)
		e = err_set(info, ERR_BAD_PARAMS, "a message that is %s does not wait", state);
	if (!e)
		e = keyring_pin(s, discussion, &key, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "SELECT " MESSAGE_COLUMNS " FROM messages INDEXED BY messages_waiting WHERE "
		    "discussion = ? AND state = ? AND sequence IS NULL ORDER BY number LIMIT ?");
	query_bind_int(&q, key->number);
	query_bind_text(&q, state);
	query_bind_int(&q, (int64_t)limit);
	e = visit_rows(s, &q, key, each, arg, info);
	keyring_unpin(key);
	return e;
}

enum err store_message_each_placed(struct store *s, const char *discussion, uint32_t epoch,
				   const char *sender, uint64_t first, uint64_t last, size_t limit,
				   store_message_visit *each, void *arg, struct err_info *info)
{
	struct data_key *key;
	struct query q;
	enum err e = check_range(sender, first, last, info);
	if (!e)
		e = check_limit(limit, STORE_LIST_MAX, info);
	if (!e)
		e = keyring_pin(s, discussion, &key, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "SELECT " MESSAGE_COLUMNS " FROM messages INDEXED BY messages_placed WHERE "
		    "discussion = ? AND sender = ? AND epoch = ? AND sequence BETWEEN ? AND ? "
		    "ORDER BY sequence, place LIMIT ?");
	query_bind_int(&q, key->number);
	query_bind_text(&q, sender);
	query_bind_int(&q, epoch);
	query_bind_int(&q, (int64_t)first);
	query_bind_int(&q, (int64_t)last);
	query_bind_int(&q, (int64_t)limit);
	e = visit_rows(s, &q, key, each, arg, info);
	keyring_unpin(key);
	return e;
}

// --- read and unread ----------------------------------------------------------------------------

enum err store_message_set_read(struct store *s, const char *discussion, const char *id,
				struct err_info *info)
{
	struct query q;
	int64_t number, message;
	enum err e = discussion_find(s, discussion, &number, info);
	if (!e)
		e = find_message(s, number, id, &message, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "UPDATE discussions SET read_marker = ?1 WHERE number = ? AND read_marker < "
		    "?1");
	query_bind_int(&q, message);
	query_bind_int(&q, number);
	return query_run(&q, NULL, info);
}

enum err store_message_unread(struct store *s, const char *discussion, uint32_t *out,
			      struct err_info *info)
{
	struct query q;
	int64_t count = 0;
	enum err e = query_begin_in(&q, s, discussion,
				    "SELECT count(*) FROM (SELECT 1 FROM messages INDEXED BY messages_of_others "
				    "WHERE discussion = ?1 AND own = 0 AND number > (SELECT read_marker FROM "
				    "discussions WHERE number = ?1) LIMIT ?)",
				    info);
	if (e)
		return e;
	query_bind_int(&q, STORE_UNREAD_MAX);
	if (query_step(&q))
		count = query_take_int(&q);
	e = query_end(&q, info);
	if (!e)
		*out = (uint32_t)count;
	return e;
}
