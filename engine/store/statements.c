// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/statements.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "store/internal.h"

// A statement's row as text, which its seal's place borrows.
struct row {
	char epoch[12], name[2 * HASH_LEN + 1];
};

static struct row row_of(uint32_t epoch, const struct hash *name)
{
	struct row r;
	snprintf(r.epoch, sizeof r.epoch, "%u", epoch);
	hex_encode_lower(hash_span(name), r.name);
	return r;
}

static struct seal_place place_of(const struct data_key *key, const struct row *r)
{
	return (struct seal_place){
		"statements", "envelope", {key->discussion, r->epoch, r->name}};
}

static enum err seal(const struct data_key *key, uint32_t epoch, const struct hash *name,
		     const struct bytes *envelope, struct buf *out)
{
	const struct row r = row_of(epoch, name);
	const struct seal_place place = place_of(key, &r);
	buf_init(out, STORE_STATEMENT_MAX + SEAL_OVERHEAD);
	return seal_close(key->key, &place, bytes_span(envelope), out);
}

static enum err insert(struct store *s, const struct data_key *key, uint32_t epoch,
		       const struct store_statement *statement, struct err_info *info)
{
	struct query q;
	struct buf sealed;
	enum err e = seal(key, epoch, &statement->name, statement->envelope, &sealed);
	if (!e) {
		query_begin(&q, s,
			    "INSERT OR IGNORE INTO statements (discussion, epoch, name, own, "
			    "signed, proof, envelope) VALUES (?, ?, ?, ?, ?, ?, ?)");
		query_bind_int(&q, key->number);
		query_bind_int(&q, epoch);
		query_bind_span(&q, hash_span(&statement->name));
		query_bind_int(&q, statement->own);
		query_bind_int(&q, statement->is_signed);
		query_bind_int(&q, statement->proof);
		query_bind_span(&q, buf_span(&sealed));
		e = query_run(&q, NULL, info);
	}
	buf_fini(&sealed);
	return e;
}

enum err store_statement_append(struct store *s, const char *discussion, uint32_t epoch,
				const struct store_statement *statement, struct err_info *info)
{
	struct data_key *key;
	assert(statement->envelope);
	enum err e = check_bytes("a statement", statement->envelope, STORE_STATEMENT_MAX, info);
	if (!e)
		e = keyring_pin(s, discussion, &key, info);
	if (e)
		return e;
	e = insert(s, key, epoch, statement, info);
	keyring_unpin(key);
	return e;
}

static enum err update(struct store *s, const struct data_key *key, uint32_t epoch,
		       const struct hash *name, const struct buf *sealed, struct err_info *info)
{
	struct query q;
	int64_t changed = 0;
	query_begin(&q, s,
		    "UPDATE statements SET signed = 1, envelope = ? "
		    "WHERE discussion = ? AND epoch = ? AND name = ?");
	query_bind_span(&q, buf_span(sealed));
	query_bind_int(&q, key->number);
	query_bind_int(&q, epoch);
	query_bind_span(&q, hash_span(name));
	enum err e = query_run(&q, &changed, info);
	return e || changed ? e : err_set(info, ERR_NOT_FOUND, "no such statement");
}

enum err store_statement_sign(struct store *s, const char *discussion, uint32_t epoch,
			      const struct hash *name, struct bytes *envelope,
			      struct err_info *info)
{
	struct data_key *key;
	struct buf sealed;
	enum err e = check_bytes("a statement", envelope, STORE_STATEMENT_MAX, info);
	if (!e)
		e = keyring_pin(s, discussion, &key, info);
	if (e)
		return e;
	e = seal(key, epoch, name, envelope, &sealed);
	if (!e)
		e = update(s, key, epoch, name, &sealed, info);
	buf_fini(&sealed);
	keyring_unpin(key);
	return e;
}

static enum err take(struct query *q, const struct data_key *key, struct store_statement *out, struct err_info *info)
{
	memset(out, 0, sizeof *out);
	out->epoch = (uint32_t)query_take_int(q);
	query_take_exact(q, out->name.bytes, sizeof out->name.bytes);
	out->own = query_take_int(q) != 0;
	out->is_signed = query_take_int(q) != 0;
	out->proof = query_take_int(q) != 0;
	const struct row r = row_of(out->epoch, &out->name);
	const struct seal_place place = place_of(key, &r);
	return keyring_take_sealed(q, key, &place, STORE_STATEMENT_MAX, &out->envelope, info);
}

static enum err visit_rows(struct store *s, struct query *q, const struct data_key *key, store_statement_visit *each, void *arg,
			   struct err_info *info)
{
	enum err e = OK;
	bool more = true;
	while (more && !e && query_step(q)) {
		struct store_statement row;
		e = take(q, key, &row, info);
		if (!e && !q->misfit)
			more = each(arg, &row);
		bytes_unref(row.envelope);
		// a callback that locks the store has wiped the key
		if (!e && more && !store_unlocked(s))
			e = err_set(info, ERR_LOCKED, "the store is locked");
	}
	return e;
}

static enum err visit(struct store *s, const char *discussion, const char *sql, uint32_t epoch, store_statement_visit *each,
		      void *arg, struct err_info *info)
{
	struct data_key *key;
	struct query q;
	enum err e = keyring_pin(s, discussion, &key, info);
	if (e)
		return e;
	query_begin(&q, s, sql);
	query_bind_int(&q, key->number);
	query_bind_int(&q, epoch);
	enum err visited = visit_rows(s, &q, key, each, arg, info);
	e = query_end(&q, visited ? NULL : info);
	keyring_unpin(key);
	return visited ? visited : e;
}

#define COLUMNS "SELECT epoch, name, own, signed, proof, envelope FROM statements "

enum err store_statement_each(struct store *s, const char *discussion, uint32_t epoch,
			      store_statement_visit *each, void *arg, struct err_info *info)
{
	return visit(s, discussion, COLUMNS "WHERE discussion = ? AND epoch = ? ORDER BY number", epoch, each, arg, info);
}

enum err store_statement_each_lie(struct store *s, const char *discussion, uint32_t before, store_statement_visit *each,
				  void *arg, struct err_info *info)
{
	return visit(s, discussion, COLUMNS "WHERE discussion = ? AND epoch < ? AND proof = 0 ORDER BY number", before, each, arg,
		     info);
}

static enum err decide(struct store *s, const struct data_key *key, uint32_t epoch,
		       const struct store_statement *proof, size_t count, struct err_info *info)
{
	struct query q;
	query_begin(&q, s, "DELETE FROM statements WHERE discussion = ? AND epoch = ?");
	query_bind_int(&q, key->number);
	query_bind_int(&q, epoch);
	enum err e = query_run(&q, NULL, info);
	for (size_t i = 0; !e && i < count; i++) {
		struct store_statement row = proof[i];
		row.proof = row.is_signed = true;
		e = insert(s, key, epoch, &row, info);
	}
	return e;
}

enum err store_statement_decide(struct store *s, const char *discussion, uint32_t epoch,
				const struct store_statement *proof, size_t count,
				struct err_info *info)
{
	struct data_key *key;
	struct scope scope;
	enum err e = OK;
	for (size_t i = 0; !e && i < count; i++)
		e = check_bytes("a statement", proof[i].envelope, STORE_STATEMENT_MAX, info);
	if (!e)
		e = keyring_pin(s, discussion, &key, info);
	if (e)
		return e;
	e = scope_enter(&scope, s, info);
	if (!e) {
		e = decide(s, key, epoch, proof, count, info);
		e = scope_leave(&scope, s, e, info);
	}
	keyring_unpin(key);
	return e;
}
