// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/discussions.h"

#include <string.h>

#include "store/internal.h"

void store_discussion_fini(struct store_discussion *d)
{
	bytes_unref(d->certificate);
	memset(d, 0, sizeof *d);
}

enum err discussion_find(struct store *s, const char *id, int64_t *number, struct err_info *info)
{
	struct query q;
	bool found = false;
	enum err e = check_id("discussion", id, info);
	if (e)
		return e;
	query_begin(&q, s, "SELECT number FROM discussions WHERE id = ?");
	query_bind_text(&q, id);
	if (query_step(&q)) {
		found = true;
		*number = query_take_int(&q);
	}
	e = query_end(&q, info);
	if (!e && !found)
		e = err_set(info, ERR_NOT_FOUND, "no such discussion: %s", id);
	return e;
}

enum err query_begin_in(struct query *q, struct store *s, const char *discussion, const char *sql, struct err_info *info)
{
	int64_t number;
	enum err e = discussion_find(s, discussion, &number, info);
	if (e)
		return e;
	query_begin(q, s, sql);
	query_bind_int(q, number);
	return OK;
}

// --- reading ------------------------------------------------------------------------------------

// The message that the marker was set to may have been deleted: then the last one before it.
#define COLUMNS                                                                                    \
	"id, state, reason, mode, role, charter, created, opened, ended, suspended_at, home, "     \
	"certificate, h0, epoch, (SELECT id FROM messages WHERE discussion = discussions.number "  \
	"AND number <= read_marker ORDER BY number DESC LIMIT 1), hints, other, closing, told"

static void take(struct query *q, struct store_discussion *d)
{
	memset(d, 0, sizeof *d);
	query_take_text(q, d->id, sizeof d->id);
	query_take_text(q, d->state, sizeof d->state);
	query_take_text(q, d->reason, sizeof d->reason);
	query_take_text(q, d->mode, sizeof d->mode);
	query_take_text(q, d->role, sizeof d->role);
	query_take_text(q, d->charter, sizeof d->charter);
	d->created = query_take_int(q);
	d->opened = query_take_int(q);
	d->ended = query_take_int(q);
	d->suspended_at = query_take_int(q);
	query_take_text(q, d->home, sizeof d->home);
	d->certificate = query_take_bytes(q);
	d->has_h0 = !query_take_null(q);
	if (d->has_h0)
		query_take_exact(q, d->h0.bytes, sizeof d->h0.bytes);
	d->epoch = (uint32_t)query_take_int(q);
	query_take_text(q, d->read_marker, sizeof d->read_marker);
	addresses_decode(query_take_span(q), &d->hints);
	query_take_text(q, d->other, sizeof d->other);
	d->closing = query_take_int(q) != 0;
	d->told = query_take_int(q) != 0;
}

enum err store_discussion_get(struct store *s, const char *id, struct store_discussion *out,
			      struct err_info *info)
{
	struct store_discussion d = {0};
	struct query q;
	bool found = false;
	enum err e = check_id("discussion", id, info);
	if (e)
		return e;
	query_begin(&q, s, "SELECT " COLUMNS " FROM discussions WHERE id = ?");
	query_bind_text(&q, id);
	if (query_step(&q)) {
		found = true;
		take(&q, &d);
	}
	e = query_end(&q, info);
	if (!e && !found)
		e = err_set(info, ERR_NOT_FOUND, "no such discussion: %s", id);
	if (e)
		store_discussion_fini(&d);
	else
		*out = d;
	return e;
}

enum err store_discussion_each(struct store *s, store_discussion_visit *each, void *arg,
			       struct err_info *info)
{
	struct query q;
	bool more = true;
	query_begin(&q, s, "SELECT " COLUMNS " FROM discussions ORDER BY number");
	while (more && query_step(&q)) {
		struct store_discussion d;
		take(&q, &d);
		more = !q.misfit && each(arg, &d);
		store_discussion_fini(&d);
	}
	return query_end(&q, info);
}

// --- writing ------------------------------------------------------------------------------------

static enum err check(const struct store_discussion *d, struct buf *hints, struct err_info *info)
{
	enum err e = check_id("discussion", d->id, info);
	if (!e)
		e = check_bytes("a certificate", d->certificate, STORE_BLOB_MAX, info);
	if (!e)
		e = addresses_encode(&d->hints, hints, info);
	return e;
}

static enum err check_room(struct store *s, const char *id, struct err_info *info)
{
	struct query q;
	bool there = false, full = false;
	query_begin(&q, s,
		    "SELECT EXISTS (SELECT 1 FROM discussions WHERE id = ?), "
		    "(SELECT count(*) FROM discussions) >= ?");
	query_bind_text(&q, id);
	query_bind_int(&q, STORE_DISCUSSIONS_MAX);
	if (query_step(&q)) {
		there = query_take_int(&q) != 0;
		full = query_take_int(&q) != 0;
	}
	enum err e = query_end(&q, info);
	if (!e && there)
		e = err_set(info, ERR_WRONG_STATE, "the discussion %s is there already", id);
	else if (!e && full)
		e = err_set(info, ERR_TOO_LARGE, "there are %d discussions: forget some",
			    STORE_DISCUSSIONS_MAX);
	return e;
}

static void bind_mutable(struct query *q, const struct store_discussion *d, const struct buf *hints)
{
	query_bind_text(q, d->state);
	query_bind_text(q, d->reason);
	query_bind_text(q, d->mode);
	query_bind_text(q, d->role);
	query_bind_text(q, d->charter);
	query_bind_int(q, d->opened);
	query_bind_int(q, d->ended);
	query_bind_int(q, d->suspended_at);
	query_bind_text(q, d->home);
	query_bind_bytes(q, d->certificate);
	if (d->has_h0)
		query_bind_span(q, hash_span(&d->h0));
	else
		query_bind_bytes(q, NULL);
	query_bind_int(q, d->epoch);
	query_bind_span(q, buf_span(hints));
	query_bind_text(q, d->other);
	query_bind_int(q, d->closing);
	query_bind_int(q, d->told);
}

static enum err insert(struct store *s, const struct store_discussion *d, const struct buf *hints,
		       struct err_info *info)
{
	struct query q;
	query_begin(&q, s,
		    "INSERT INTO discussions (state, reason, mode, role, charter, opened, ended, "
		    "suspended_at, home, certificate, h0, epoch, hints, other, closing, told, id, "
		    "created, read_marker) VALUES (?,?,?,?,?, ?,?,?, ?,?,?,?, ?,?,?,?, ?,?, 0)");
	bind_mutable(&q, d, hints);
	query_bind_text(&q, d->id);
	query_bind_int(&q, d->created);
	enum err e = query_run(&q, NULL, info);
	if (e)
		return e;
	return keyring_create(s, sqlite3_last_insert_rowid(s->db), d->id, info);
}

enum err store_discussion_create(struct store *s, const struct store_discussion *discussion,
				 struct err_info *info)
{
	struct scope scope;
	struct buf hints;
	const uint8_t *store_key;
	enum err e = keyring_store_key(s, &store_key, info);
	if (e)
		return e;
	buf_init(&hints, sizeof(struct store_addresses));
	e = check(discussion, &hints, info);
	if (!e)
		e = check_room(s, discussion->id, info);
	if (!e)
		e = scope_enter(&scope, s, info);
	if (!e) {
		e = insert(s, discussion, &hints, info);
		e = scope_leave(&scope, s, e, info);
	}
	buf_fini(&hints);
	return e;
}

enum err store_discussion_update(struct store *s, const struct store_discussion *discussion,
				 struct err_info *info)
{
	struct query q;
	struct buf hints;
	int64_t changed;
	buf_init(&hints, sizeof(struct store_addresses));
	enum err e = check(discussion, &hints, info);
	if (!e) {
		query_begin(&q, s,
			    "UPDATE discussions SET state = ?, reason = ?, mode = ?, role = ?, "
			    "charter = ?, opened = ?, ended = ?, suspended_at = ?, home = ?, "
			    "certificate = ?, h0 = ?, epoch = ?, hints = ?, other = ?, closing = ?, "
			    "told = ? WHERE id = ?");
		bind_mutable(&q, discussion, &hints);
		query_bind_text(&q, discussion->id);
		e = query_run(&q, &changed, info);
	}
	if (!e && !changed)
		e = err_set(info, ERR_NOT_FOUND, "no such discussion: %s", discussion->id);
	buf_fini(&hints);
	return e;
}

// --- forgetting ---------------------------------------------------------------------------------

static enum err destroy_keys(struct store *s, const int64_t *numbers, size_t count,
			     struct err_info *info)
{
	struct scope scope;
	enum err e = scope_enter(&scope, s, info);
	if (e)
		return e;
	e = keyring_destroy(s, numbers, count, info);
	if (!e)
		s->truncate_due = true;
	return scope_leave(&scope, s, e, info);
}

static enum err delete_rows(struct store *s, const int64_t *numbers, size_t count,
			    struct err_info *info)
{
	struct scope scope;
	enum err e = scope_enter(&scope, s, info);
	if (e)
		return e;
	for (size_t i = 0; i < count && !e; i++) {
		struct query q;
		query_begin(&q, s, "DELETE FROM discussions WHERE number = ?");
		query_bind_int(&q, numbers[i]);
		e = query_run(&q, NULL, info);
	}
	if (!e)
		s->truncate_due = true;
	return scope_leave(&scope, s, e, info);
}

static enum err forget(struct store *s, const int64_t *numbers, size_t count, struct err_info *info)
{
	// the key goes first, and by itself: it is small enough to go even where the disk is full
	enum err e = destroy_keys(s, numbers, count, info);
	return e ? e : delete_rows(s, numbers, count, info);
}

enum err store_discussion_forget(struct store *s, const char *id, struct err_info *info)
{
	int64_t number;
	enum err e = discussion_find(s, id, &number, info);
	return e ? e : forget(s, &number, 1, info);
}

enum err store_discussion_prune(struct store *s, size_t keep, struct err_info *info)
{
	struct query q;
	struct buf numbers;
	buf_init(&numbers, STORE_DISCUSSIONS_MAX * sizeof(int64_t));
	query_begin(&q, s,
		    "SELECT number FROM discussions WHERE ended <> 0 AND opened = 0 "
		    "ORDER BY ended DESC, number DESC LIMIT -1 OFFSET ?");
	query_bind_int(&q, keep < STORE_DISCUSSIONS_MAX ? (int64_t)keep : STORE_DISCUSSIONS_MAX);
	while (query_step(&q)) {
		int64_t number = query_take_int(&q);
		buf_put(&numbers, &number, sizeof number);
	}
	enum err e = query_end(&q, info);
	if (!e && numbers.len)
		e = forget(s, (const int64_t *)(void *)numbers.data, numbers.len / sizeof(int64_t),
			   info);
	buf_fini(&numbers);
	return e;
}

enum err discussions_finish_forgetting(struct store *s, struct err_info *info)
{
	struct scope scope;
	struct query q;
	int64_t changed = 0;
	bool left = false;
	query_begin(&q, s,
		    "SELECT EXISTS (SELECT 1 FROM discussions WHERE number NOT IN "
		    "(SELECT discussion FROM data_keys))");
	if (query_step(&q))
		left = query_take_int(&q) != 0;
	enum err e = query_end(&q, info);
	if (e || !left)
		return e;
	e = scope_enter(&scope, s, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "DELETE FROM discussions WHERE number NOT IN "
		    "(SELECT discussion FROM data_keys)");
	e = query_run(&q, &changed, info);
	s->truncate_due = true;
	return scope_leave(&scope, s, e, info);
}
