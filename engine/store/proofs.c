// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/proofs.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "store/internal.h"

void store_proof_fini(struct store_proof *p)
{
	bytes_unref(p->message);
	bytes_unref(p->session_key);
	memset(p, 0, sizeof *p);
}

// What its seals' places borrow.
struct row {
	const char *discussion, *sender;
	char epoch[12], sequence[24];
};

static struct row row_of(const struct data_key *key, const struct store_payload_key *of)
{
	struct row r = {.discussion = key->discussion, .sender = of->sender};
	snprintf(r.epoch, sizeof r.epoch, "%u", of->epoch);
	snprintf(r.sequence, sizeof r.sequence, "%llu", (unsigned long long)of->sequence);
	return r;
}

static struct seal_place place_of(const struct row *r, const char *column)
{
	return (struct seal_place){"proofs", column, {r->discussion, r->epoch, r->sender, r->sequence}};
}

static enum err insert(struct store *s, const struct data_key *key, const struct store_proof *p, struct err_info *info)
{
	struct query q;
	struct buf message, session_key;
	const struct row r = row_of(key, &p->key);
	const struct seal_place first = place_of(&r, "message"), second = place_of(&r, "session_key");
	buf_init(&message, STORE_SEALED_MAX + SEAL_OVERHEAD);
	buf_init(&session_key, STORE_SESSION_KEY_MAX + SEAL_OVERHEAD);
	enum err e = seal_close(key->key, &first, bytes_span(p->message), &message);
	if (!e)
		e = seal_close(key->key, &second, bytes_span(p->session_key), &session_key);
	if (!e) {
		query_begin(&q, s,
			    "INSERT OR IGNORE INTO proofs (discussion, epoch, sender, sequence, time, message, session_key) "
			    "VALUES (?, ?, ?, ?, ?, ?, ?)");
		query_bind_int(&q, key->number);
		query_bind_int(&q, p->key.epoch);
		query_bind_text(&q, p->key.sender);
		query_bind_int(&q, (int64_t)p->key.sequence);
		query_bind_int(&q, p->time);
		query_bind_span(&q, buf_span(&message));
		query_bind_span(&q, buf_span(&session_key));
		e = query_run(&q, NULL, info);
	}
	buf_fini(&message);
	buf_fini(&session_key);
	return e;
}

enum err store_proof_put(struct store *s, const struct store_proof *proof, struct err_info *info)
{
	struct data_key *key;
	assert(proof->message && proof->session_key);
	enum err e = check_fingerprint(proof->key.sender, info);
	if (!e)
		e = check_sequence(proof->key.sequence, info);
	if (!e)
		e = check_bytes("a sealed message", proof->message, STORE_SEALED_MAX, info);
	if (!e)
		e = check_bytes("a session key", proof->session_key, STORE_SESSION_KEY_MAX, info);
	if (!e)
		e = keyring_pin(s, proof->key.discussion, &key, info);
	if (e)
		return e;
	e = insert(s, key, proof, info);
	keyring_unpin(key);
	return e;
}

static enum err open_column(struct query *q, const struct data_key *key, const struct row *r, const char *column, size_t max,
			    struct bytes **out, struct err_info *info)
{
	const struct seal_place place = place_of(r, column);
	return keyring_take_sealed(q, key, &place, max, out, info);
}

static enum err take(struct query *q, const struct data_key *key, struct store_proof *out, struct err_info *info)
{
	out->key.sequence = (uint64_t)query_take_int(q);
	out->time = query_take_int(q);
	const struct row r = row_of(key, &out->key);
	enum err e = open_column(q, key, &r, "message", STORE_SEALED_MAX, &out->message, info);
	return e ? e : open_column(q, key, &r, "session_key", STORE_SESSION_KEY_MAX, &out->session_key, info);
}

enum err store_proof_get(struct store *s, const struct store_payload_key *key, struct store_proof *out,
			 struct err_info *info)
{
	struct data_key *pinned;
	struct query q;
	struct store_proof found = {.key = *key};
	enum err e = keyring_pin(s, key->discussion, &pinned, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "SELECT sequence, time, message, session_key FROM proofs WHERE discussion = ? AND epoch = ? AND sender = ?");
	query_bind_int(&q, pinned->number);
	query_bind_int(&q, key->epoch);
	query_bind_text(&q, key->sender);
	bool there = query_step(&q);
	enum err opened = there ? take(&q, pinned, &found, info) : OK;
	e = query_end(&q, opened ? NULL : info);
	keyring_unpin(pinned);
	if (opened || e) {
		store_proof_fini(&found);
		return opened ? opened : e;
	}
	if (!there)
		return err_set(info, ERR_NOT_FOUND, "%.8s is not proven to have signed two payloads of one number", key->sender);
	*out = found;
	return OK;
}

enum err store_proof_each(struct store *s, const char *discussion, store_proof_visit *each, void *arg, struct err_info *info)
{
	struct store_payload_key key = {0};
	struct query q;
	bool more = true;
	enum err e = query_begin_in(&q, s, discussion,
				    "SELECT epoch, sender, sequence FROM proofs WHERE discussion = ? ORDER BY number",
				    info);
	if (e)
		return e;
	snprintf(key.discussion, sizeof key.discussion, "%s", discussion);
	while (more && query_step(&q)) {
		key.epoch = (uint32_t)query_take_int(&q);
		query_take_text(&q, key.sender, sizeof key.sender);
		key.sequence = (uint64_t)query_take_int(&q);
		more = !q.misfit && each(arg, &key);
	}
	return query_end(&q, info);
}
