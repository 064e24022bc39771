// SPDX-License-Identifier: GPL-3.0-or-later
// One SQL statement at work. Internal to engine/store.
//
//	struct query q;
//	query_begin(&q, s, "SELECT a, b FROM t WHERE c = ?");
//	query_bind_text(&q, c);                   // in the order of the question marks
//	while (query_step(&q)) {
//		a = query_take_int(&q);           // in the order of the columns
//		...
//	}
//	return query_end(&q, info);               // always, also after leaving the loop early
//
// Errors are kept until query_end, so that nothing between needs a check. A write has its effect
// only once query_end has returned OK. What takes return is borrowed until the next step.
#ifndef SOTTO_STORE_QUERY_H
#define SOTTO_STORE_QUERY_H

#include <sqlite3.h>

#include "store/store.h"

#define STATEMENTS_MAX 256 // a power of two; beyond three quarters of it nothing more is cached

// Prepared statements by the address of their text, which is a string literal.
struct statements {
	struct statement {
		const char *sql;
		sqlite3_stmt *stmt;
		bool busy;
	} slots[STATEMENTS_MAX];
	size_t count;
};
void statements_fini(struct statements *c);

struct query {
	struct store *store;
	sqlite3_stmt *stmt;
	struct statement *cached; // NULL: stmt is this query's own
	int rc;
	int bound, taken;
	bool reads;          // counted among the store's readers
	bool misfit;         // a column did not fit what it was taken as
	enum err refused;    // before SQLite was asked
	struct err_info why; // of refused
};

void query_begin(struct query *q, struct store *s, const char *sql); // sql: a literal
void query_bind_int(struct query *q, int64_t value);
void query_bind_text(struct query *q, const char *text);
void query_bind_span(struct query *q, struct span value); // kept by reference until query_end
void query_bind_bytes(struct query *q, const struct bytes *value); // NULL as SQL's NULL
bool query_step(struct query *q);                                  // true: a row is there
enum err query_end(struct query *q, struct err_info *info);
// For writes: steps, ends. *changed (may be NULL): the rows touched.
MUST_CHECK enum err query_run(struct query *q, int64_t *changed, struct err_info *info);

int64_t query_take_int(struct query *q);
bool query_take_null(struct query *q); // looks whether the next column is NULL, and skips it if so
void query_take_text(struct query *q, char *out, size_t size); // with its NUL within size
struct span query_take_span(struct query *q);
struct bytes *query_take_bytes(struct query *q); // NULL for NULL; the caller's reference
void query_take_exact(struct query *q, void *out, size_t len);

#endif
