// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/payloads.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "store/internal.h"
#include "store/messages.h"

void store_payload_fini(struct store_payload *p)
{
	bytes_unref(p->payload);
	bytes_unref(p->message);
	bytes_unref(p->session_key);
	memset(p, 0, sizeof *p);
}

// --- seals --------------------------------------------------------------------------------------

// A payload's row as text, which its seals' places borrow.
struct row {
	char discussion[33], epoch[12], sender[41], sequence[24];
};

static struct row row_of(const char *discussion, const struct store_payload_key *key)
{
	struct row r;
	snprintf(r.discussion, sizeof r.discussion, "%s", discussion);
	snprintf(r.epoch, sizeof r.epoch, "%u", key->epoch);
	snprintf(r.sender, sizeof r.sender, "%s", key->sender);
	snprintf(r.sequence, sizeof r.sequence, "%llu", (unsigned long long)key->sequence);
	return r;
}

static struct seal_place place_of(const struct row *r, const char *column)
{
	const char *table = strcmp(column, "payload") == 0 ? "payloads" : "envelopes";
	return (struct seal_place){table,
				   column,
				   {r->discussion, r->epoch, r->sender, r->sequence}};
}

static enum err seal(const struct data_key *key, const struct row *r, const char *column,
		     struct span plain, struct buf *out)
{
	const struct seal_place place = place_of(r, column);
	buf_init(out, plain.len + SEAL_OVERHEAD);
	return seal_close(key->key, &place, plain, out);
}

// NULL where the column is NULL.
static enum err take_sealed(struct query *q, const struct data_key *key, const struct row *r,
			    const char *column, size_t max, struct bytes **out,
			    struct err_info *info)
{
	const struct seal_place place = place_of(r, column);
	*out = NULL;
	return query_take_null(q) ? OK : keyring_take_sealed(q, key, &place, max, out, info);
}

// --- writing ------------------------------------------------------------------------------------

static enum err check_key(const struct store_payload_key *key, struct err_info *info)
{
	enum err e = check_id("discussion", key->discussion, info);
	if (!e)
		e = check_fingerprint(key->sender, info);
	return e;
}

static enum err check_payload(const struct store_payload *p, struct err_info *info)
{
	assert(p->payload);
	enum err e = check_key(&p->key, info);
	if (!e)
		e = check_sequence(p->key.sequence, info);
	if (!e)
		e = check_bytes("a payload", p->payload, STORE_PAYLOAD_MAX, info);
	if (!e)
		e = check_bytes("a sealed message", p->message, STORE_SEALED_MAX, info);
	if (!e)
		e = check_bytes("a session key", p->session_key, STORE_SESSION_KEY_MAX, info);
	return e;
}

static enum err check_next(struct store *s, int64_t discussion, const struct store_payload *p,
			   struct err_info *info)
{
	struct store_head head;
	enum err e = head_read(s, discussion, p->key.epoch, p->key.sender, &head, info);
	if (!e && p->key.sequence != head.sequence + 1)
		e = err_set(info, ERR_WRONG_STATE,
			    "payload %llu of %s does not follow on %llu, the last one stored",
			    (unsigned long long)p->key.sequence, p->key.sender,
			    (unsigned long long)head.sequence);
	return e;
}

static enum err insert_payload(struct store *s, const struct data_key *key,
			       const struct store_payload *p, struct err_info *info)
{
	const struct row r = row_of(key->discussion, &p->key);
	struct query q;
	struct buf sealed;
	enum err e = seal(key, &r, "payload", bytes_span(p->payload), &sealed);
	if (!e) {
		query_begin(&q, s,
			    "INSERT INTO payloads (discussion, epoch, sender, sequence, hash, "
			    "time, payload) VALUES (?, ?, ?, ?, ?, ?, ?)");
		query_bind_int(&q, key->number);
		query_bind_int(&q, p->key.epoch);
		query_bind_text(&q, p->key.sender);
		query_bind_int(&q, (int64_t)p->key.sequence);
		query_bind_span(&q, hash_span(&p->hash));
		query_bind_int(&q, p->time);
		query_bind_span(&q, buf_span(&sealed));
		e = query_run(&q, NULL, info);
	}
	buf_fini(&sealed);
	return e;
}

static enum err write_envelope(struct store *s, const struct data_key *key, int64_t payload,
			       const struct row *r, struct span message, struct span session_key,
			       struct err_info *info)
{
	struct query q;
	struct buf sealed, sealed_key;
	enum err e = seal(key, r, "message", message, &sealed);
	enum err e2 = seal(key, r, "session_key", session_key, &sealed_key);
	if (!e)
		e = e2;
	if (!e) {
		query_begin(&q, s,
			    "INSERT OR REPLACE INTO envelopes (payload, message, session_key) "
			    "VALUES (?, ?, ?)");
		query_bind_int(&q, payload);
		query_bind_span(&q, buf_span(&sealed));
		if (session_key.len)
			query_bind_span(&q, buf_span(&sealed_key));
		else
			query_bind_bytes(&q, NULL);
		e = query_run(&q, NULL, info);
	}
	buf_fini(&sealed);
	buf_fini(&sealed_key);
	return e;
}

static enum err append(struct store *s, const struct data_key *key, const struct store_payload *p,
		       struct err_info *info)
{
	enum err e = check_next(s, key->number, p, info);
	if (!e)
		e = insert_payload(s, key, p, info);
	if (!e && p->message) {
		const struct row r = row_of(key->discussion, &p->key);
		e = write_envelope(s, key, sqlite3_last_insert_rowid(s->db), &r,
				   bytes_span(p->message), bytes_span(p->session_key), info);
	}
	if (!e)
		e = head_move(s, key->number, p, info);
	return e;
}

enum err store_payload_append(struct store *s, const struct store_payload *payload,
			      struct err_info *info)
{
	struct data_key *key;
	struct scope scope;
	enum err e = check_payload(payload, info);
	if (!e)
		e = keyring_pin(s, payload->key.discussion, &key, info);
	if (e)
		return e;
	e = scope_enter(&scope, s, info);
	if (!e) {
		e = append(s, key, payload, info);
		e = scope_leave(&scope, s, e, info);
	}
	keyring_unpin(key);
	return e;
}

static enum err no_payload(const struct store_payload_key *key, struct err_info *info)
{
	return err_set(info, ERR_NOT_FOUND, "no payload %llu of %s in epoch %u", (unsigned long long)key->sequence, key->sender,
		       key->epoch);
}

static enum err find_payload(struct store *s, int64_t discussion,
			     const struct store_payload_key *key, int64_t *number,
			     struct err_info *info)
{
	struct query q;
	bool found = false;
	query_begin(&q, s,
		    "SELECT number FROM payloads WHERE discussion = ? AND epoch = ? AND sender = "
		    "? AND sequence = ?");
	query_bind_int(&q, discussion);
	query_bind_int(&q, key->epoch);
	query_bind_text(&q, key->sender);
	query_bind_int(&q, (int64_t)key->sequence);
	if (query_step(&q)) {
		found = true;
		*number = query_take_int(&q);
	}
	enum err e = query_end(&q, info);
	return !e && !found ? no_payload(key, info) : e;
}

enum err store_payload_set_message(struct store *s, const struct store_payload_key *key,
				   struct span message, struct span session_key,
				   struct err_info *info)
{
	struct data_key *data_key;
	int64_t number = 0;
	enum err e = check_key(key, info);
	if (!e)
		e = check_sequence(key->sequence, info);
	if (!e)
		e = check_span("a sealed message", message, STORE_SEALED_MAX, info);
	if (!e)
		e = check_span("a session key", session_key, STORE_SESSION_KEY_MAX, info);
	if (!e)
		e = keyring_pin(s, key->discussion, &data_key, info);
	if (e)
		return e;
	e = find_payload(s, data_key->number, key, &number, info);
	if (!e) {
		const struct row r = row_of(data_key->discussion, key);
		e = write_envelope(s, data_key, number, &r, message, session_key, info);
	}
	keyring_unpin(data_key);
	return e;
}

// --- reading ------------------------------------------------------------------------------------

#define COLUMNS "p.sequence, p.hash, p.time, p.payload, e.message, e.session_key"

static enum err take(struct query *q, const struct data_key *key,
		     const struct store_payload_key *of, struct store_payload *p,
		     struct err_info *info)
{
	memset(p, 0, sizeof *p);
	p->key = *of;
	p->key.sequence = (uint64_t)query_take_int(q);
	query_take_exact(q, p->hash.bytes, sizeof p->hash.bytes);
	p->time = query_take_int(q);
	const struct row r = row_of(key->discussion, &p->key);
	enum err e = take_sealed(q, key, &r, "payload", STORE_PAYLOAD_MAX, &p->payload, info);
	const struct hash hash = hash_of(bytes_span(p->payload));
	if (!e && !hash_equal(&hash, &p->hash))
		e = err_set(info, ERR_CRYPTO,
			    "payloads.hash is not that of the payload, row %s %s %s %s",
			    r.discussion, r.epoch, r.sender, r.sequence);
	if (!e)
		e = take_sealed(q, key, &r, "message", STORE_SEALED_MAX, &p->message, info);
	if (!e)
		e = take_sealed(q, key, &r, "session_key", STORE_SESSION_KEY_MAX, &p->session_key,
				info);
	return e;
}

static enum err visit_rows(struct store *s, struct query *q, const struct data_key *key,
			   const struct store_payload_key *of, store_payload_visit *each, void *arg,
			   struct err_info *info)
{
	enum err e = OK;
	bool more = true;
	while (more && !e && query_step(q)) {
		struct store_payload p;
		e = take(q, key, of, &p, info);
		if (!e && !q->misfit)
			more = each(arg, &p);
		store_payload_fini(&p);
		// a callback that locks the store has wiped the key
		if (!e && more && !store_unlocked(s))
			e = err_set(info, ERR_LOCKED, "the store is locked");
	}
	return e;
}

enum err store_payload_hash(struct store *s, const struct store_payload_key *key, struct hash *out, struct err_info *info)
{
	struct query q;
	int64_t number;
	bool found = false;
	enum err e = check_key(key, info);
	if (!e)
		e = check_sequence(key->sequence, info);
	if (!e)
		e = discussion_find(s, key->discussion, &number, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "SELECT hash FROM payloads WHERE discussion = ? AND epoch = ? AND sender = ? AND sequence = ?");
	query_bind_int(&q, number);
	query_bind_int(&q, key->epoch);
	query_bind_text(&q, key->sender);
	query_bind_int(&q, (int64_t)key->sequence);
	found = query_step(&q);
	if (found)
		query_take_exact(&q, out->bytes, sizeof out->bytes);
	e = query_end(&q, info);
	return !e && !found ? no_payload(key, info) : e;
}

enum err store_payload_each_after(struct store *s, const struct store_payload_key *key,
				  size_t limit, store_payload_visit *each, void *arg,
				  struct err_info *info)
{
	struct data_key *data_key;
	struct query q;
	enum err e = check_key(key, info);
	if (!e && (limit == 0 || limit > STORE_LIST_MAX))
		e = err_set(info, ERR_BAD_PARAMS, "a limit is 1 to %d", STORE_LIST_MAX);
	if (!e && key->sequence > STORE_SEQUENCE_MAX)
		e = err_set(info, ERR_BAD_PARAMS, "a sequence is at most 2^53");
	if (!e)
		e = keyring_pin(s, key->discussion, &data_key, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "SELECT " COLUMNS " FROM payloads p LEFT JOIN envelopes e ON e.payload = "
		    "p.number WHERE p.discussion = ? AND p.epoch = ? AND p.sender = ? AND "
		    "p.sequence > ? ORDER BY p.sequence LIMIT ?");
	query_bind_int(&q, data_key->number);
	query_bind_int(&q, key->epoch);
	query_bind_text(&q, key->sender);
	query_bind_int(&q, (int64_t)key->sequence);
	query_bind_int(&q, (int64_t)limit);
	enum err visited = visit_rows(s, &q, data_key, key, each, arg, info);
	e = query_end(&q, visited ? NULL : info);
	keyring_unpin(data_key);
	return visited ? visited : e;
}
