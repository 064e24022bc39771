// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/query.h"

#include <assert.h>
#include <string.h>

#include "store/internal.h"

static struct statement *find_slot(struct statements *c, const char *sql)
{
	size_t at = ((uintptr_t)sql >> 3) * 2654435761u;
	for (;; at++) {
		struct statement *slot = &c->slots[at % STATEMENTS_MAX];
		if (!slot->sql || slot->sql == sql)
			return slot;
	}
}

void statements_fini(struct statements *c)
{
	for (size_t i = 0; i < STATEMENTS_MAX; i++)
		sqlite3_finalize(c->slots[i].stmt);
	memset(c, 0, sizeof *c);
}

static void prepare(struct query *q, const char *sql)
{
	struct store *s = q->store;
	struct statement *slot = find_slot(&s->statements, sql);
	// a callback may run the very query that called it: the inner one gets a statement of its
	// own
	bool cache = !slot->busy && (slot->sql || s->statements.count < STATEMENTS_MAX / 4 * 3);
	if (cache && slot->stmt) {
		q->stmt = slot->stmt;
	} else {
		q->rc = sqlite3_prepare_v3(s->db, sql, -1, cache ? SQLITE_PREPARE_PERSISTENT : 0,
					   &q->stmt, NULL);
		if (q->rc)
			return;
	}
	if (!cache)
		return;
	s->statements.count += slot->sql == NULL;
	*slot = (struct statement){.sql = sql, .stmt = q->stmt, .busy = true};
	q->cached = slot;
}

void query_begin(struct query *q, struct store *s, const char *sql)
{
	*q = (struct query){.store = s};
	prepare(q, sql);
	if (q->rc)
		return;
	if (sqlite3_stmt_readonly(q->stmt)) {
		q->reads = true;
		s->readers++;
	} else {
		q->refused = store_may_write(s, &q->why);
	}
}

static void bound(struct query *q, int rc)
{
	if (rc && !q->rc)
		q->rc = rc;
}

void query_bind_int(struct query *q, int64_t value)
{
	if (!q->rc)
		bound(q, sqlite3_bind_int64(q->stmt, ++q->bound, value));
}

void query_bind_text(struct query *q, const char *text)
{
	if (!q->rc)
		bound(q, sqlite3_bind_text(q->stmt, ++q->bound, text, -1, SQLITE_TRANSIENT));
}

void query_bind_span(struct query *q, struct span value)
{
	// SQLite takes a null pointer for NULL, and an empty span may have one
	const void *data = value.data ? value.data : (const void *)"";
	if (!q->rc)
		bound(q, sqlite3_bind_blob64(q->stmt, ++q->bound, data, value.len, SQLITE_STATIC));
}

void query_bind_bytes(struct query *q, const struct bytes *value)
{
	if (value)
		query_bind_span(q, bytes_span(value));
	else if (!q->rc)
		bound(q, sqlite3_bind_null(q->stmt, ++q->bound));
}

bool query_step(struct query *q)
{
	if (q->rc || q->refused || q->misfit)
		return false;
	q->taken = 0;
	int rc = sqlite3_step(q->stmt);
	if (rc == SQLITE_ROW)
		return true;
	q->rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
	return false;
}

static enum err misfit(struct query *q, struct err_info *info)
{
	const char *column = sqlite3_column_name(q->stmt, q->taken - 1);
	return err_set(info, ERR_IO, "the store is damaged: a value does not fit its column %s",
		       column ? column : "");
}

enum err query_end(struct query *q, struct err_info *info)
{
	struct store *s = q->store;
	enum err e = OK;
	if (q->reads) {
		assert(s->readers > 0);
		s->readers--;
	}
	// the text of SQLite's error lasts until the statement is reset
	if (q->rc)
		e = store_fail(s, q->rc, info);
	else if (q->refused)
		e = err_set(info, q->refused, "%s", q->why.text);
	else if (q->misfit)
		e = misfit(q, info);
	if (q->cached) {
		sqlite3_reset(q->stmt);
		sqlite3_clear_bindings(q->stmt);
		q->cached->busy = false;
	} else {
		sqlite3_finalize(q->stmt);
	}
	store_end_failed(s);
	return e;
}

enum err query_run(struct query *q, int64_t *changed, struct err_info *info)
{
	bool row = query_step(q);
	assert(!row);
	(void)row;
	int64_t count = sqlite3_changes64(q->store->db);
	enum err e = query_end(q, info);
	if (!e && changed)
		*changed = count;
	return e;
}

int64_t query_take_int(struct query *q)
{
	return sqlite3_column_int64(q->stmt, q->taken++);
}

bool query_take_null(struct query *q)
{
	bool null = sqlite3_column_type(q->stmt, q->taken) == SQLITE_NULL;
	q->taken += null;
	return null;
}

struct span query_take_span(struct query *q)
{
	int column = q->taken++;
	const void *data = sqlite3_column_blob(q->stmt, column);
	return span(data, (size_t)sqlite3_column_bytes(q->stmt, column));
}

void query_take_text(struct query *q, char *out, size_t size)
{
	struct span text = query_take_span(q);
	out[0] = 0;
	if (text.len >= size) {
		q->misfit = true;
		return;
	}
	if (text.len)
		memcpy(out, text.data, text.len);
	out[text.len] = 0;
}

struct bytes *query_take_bytes(struct query *q)
{
	if (query_take_null(q))
		return NULL;
	return bytes_new_span(query_take_span(q));
}

void query_take_exact(struct query *q, void *out, size_t len)
{
	struct span value = query_take_span(q);
	if (value.len == len)
		memcpy(out, value.data, len);
	else
		q->misfit = true;
}
