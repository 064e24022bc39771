// SPDX-License-Identifier: GPL-3.0-or-later
// What the store's own files share. Nobody outside engine/store includes this, the tools of its specs excepted.
#ifndef SOTTO_STORE_INTERNAL_H
#define SOTTO_STORE_INTERNAL_H

#include <sqlite3.h>

#include "store/keyring.h"
#include "store/query.h"
#include "store/store.h"

struct store {
	sqlite3 *db;
	char *path;    // as SQLite was given it
	int directory; // held open where path goes through it (longpath.h), else -1
	struct statements statements;
	struct keyring keyring;
	unsigned readers; // queries at work that only read: no write may run beside them
	bool in_transaction;
	bool failed; // the open transaction has been rolled back, because of `failure`
	struct err_info failure;
	bool truncate_due; // something was forgotten: the WAL still holds it
};

// Translates what SQLite just returned, and keeps the promise of store.h: a failed write takes the
// whole open transaction with it. Never returns OK.
enum err store_fail(struct store *s, int rc, struct err_info *info);
// Rolls a failed transaction back, once no statement is at work any more.
void store_end_failed(struct store *s);
// ERR_WRONG_STATE inside a callback, the first failure where the transaction failed already.
MUST_CHECK enum err store_may_write(const struct store *s, struct err_info *info);

// Several statements as one write: begins a transaction unless one is open. Whoever calls it checks
// everything that can be refused before the first change, so that inside a caller's transaction
// only a failing disk, which ends that transaction, can leave the write undone.
struct scope {
	bool own;
};
MUST_CHECK enum err scope_enter(struct scope *scope, struct store *s, struct err_info *info);
// Commits, or with an error rolls back and returns that error.
MUST_CHECK enum err scope_leave(struct scope *scope, struct store *s, enum err e,
				struct err_info *info);

// ERR_BAD_PARAMS unless text is a full fingerprint or id. `what` names it in the error.
MUST_CHECK enum err check_fingerprint(const char *text, struct err_info *info);
MUST_CHECK enum err check_id(const char *what, const char *text, struct err_info *info);
MUST_CHECK enum err check_sequence(uint64_t sequence, struct err_info *info); // 1 to the maximum
// ERR_TOO_LARGE over max; NULL is fine.
MUST_CHECK enum err check_bytes(const char *what, const struct bytes *b, size_t max,
				struct err_info *info);
MUST_CHECK enum err check_span(const char *what, struct span s, size_t max, struct err_info *info);

// Addresses as one column: a line each.
MUST_CHECK enum err addresses_encode(const struct store_addresses *a, struct buf *out,
				     struct err_info *info);
void addresses_decode(struct span text, struct store_addresses *out);

// The row number of a discussion. ERR_NOT_FOUND; ERR_BAD_PARAMS.
MUST_CHECK enum err discussion_find(struct store *s, const char *id, int64_t *number,
				    struct err_info *info);
// A query about a discussion, whose row number is bound to the first question mark. As discussion_find; an error: it has not begun.
struct query;
MUST_CHECK enum err query_begin_in(struct query *q, struct store *s, const char *discussion, const char *sql,
				   struct err_info *info);
// Heads by row number; the payload's key and hash are the new head.
struct store_head;
struct store_payload;
MUST_CHECK enum err head_read(struct store *s, int64_t discussion, uint32_t epoch,
			      const char *sender, struct store_head *out, struct err_info *info);
MUST_CHECK enum err head_move(struct store *s, int64_t discussion, const struct store_payload *p,
			      struct err_info *info);
// The columns that message_take reads, in its order. It fills *out from the row that q is at; the
// text is decrypted into `text`, which is cleared first.
#define MESSAGE_COLUMNS "id, sender, state, epoch, sequence, place, time, nonce, body"
struct store_message;
MUST_CHECK enum err message_take(struct query *q, const struct data_key *key, struct buf *text,
				 struct store_message *out, struct err_info *info);
// What a crash left of a forgotten discussion (store_open).
MUST_CHECK enum err discussions_finish_forgetting(struct store *s, struct err_info *info);

#endif
