// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/holding.h"

#include "store/heads.h"
#include "store/internal.h"

static enum err check(const char *sender, uint64_t cut, struct err_info *info)
{
	enum err e = check_fingerprint(sender, info);
	if (!e && cut > STORE_SEQUENCE_MAX)
		e = err_set(info, ERR_BAD_PARAMS, "a sequence is at most 2^53");
	return e;
}

// Ends q.
static enum err name_each(struct query *q, store_message_id_visit *each, void *arg, struct err_info *info)
{
	while (query_step(q)) {
		char id[33];
		query_take_text(q, id, sizeof id);
		if (!q->misfit)
			each(arg, id);
	}
	return query_end(q, info);
}

static void bind_beyond(struct query *q, int64_t discussion, uint32_t epoch, const char *sender, uint64_t cut)
{
	query_bind_int(q, discussion);
	query_bind_text(q, sender);
	query_bind_int(q, epoch);
	query_bind_int(q, (int64_t)cut);
}

enum err store_hold_beyond(struct store *s, const char *discussion, uint32_t epoch, const char *sender, uint64_t cut,
			   store_message_id_visit *each, void *arg, struct err_info *info)
{
	struct query q;
	int64_t number;
	enum err e = check(sender, cut, info);
	if (!e)
		e = discussion_find(s, discussion, &number, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "SELECT id FROM messages INDEXED BY messages_placed WHERE discussion = ? AND sender = ? AND epoch = ? "
		    "AND sequence > ? AND state IN ('queued', 'sent', 'delivered', 'confirmed') ORDER BY number");
	bind_beyond(&q, number, epoch, sender, cut);
	e = name_each(&q, each, arg, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "UPDATE messages INDEXED BY messages_placed SET state = 'held', epoch = NULL, sequence = NULL, "
		    "place = NULL WHERE discussion = ? AND sender = ? AND epoch = ? AND sequence > ? AND state IN "
		    "('queued', 'sent', 'delivered', 'confirmed')");
	bind_beyond(&q, number, epoch, sender, cut);
	return query_run(&q, NULL, info);
}

enum err store_hold_waiting(struct store *s, const char *discussion, store_message_id_visit *each, void *arg,
			    struct err_info *info)
{
	struct query q;
	int64_t number;
	enum err e = discussion_find(s, discussion, &number, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "SELECT id FROM messages INDEXED BY messages_waiting WHERE discussion = ? AND state = 'queued' AND "
		    "sequence IS NULL ORDER BY number");
	query_bind_int(&q, number);
	e = name_each(&q, each, arg, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "UPDATE messages SET state = 'held' WHERE discussion = ? AND state = 'queued' AND sequence IS NULL");
	query_bind_int(&q, number);
	return query_run(&q, NULL, info);
}

enum err store_void_beyond(struct store *s, const char *discussion, uint32_t epoch, const char *sender, uint64_t cut,
			   store_message_id_visit *each, void *arg, struct err_info *info)
{
	struct query q;
	int64_t number;
	enum err e = check(sender, cut, info);
	if (!e)
		e = discussion_find(s, discussion, &number, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "SELECT id FROM messages INDEXED BY messages_placed WHERE discussion = ? AND sender = ? AND epoch = ? "
		    "AND sequence > ? AND state <> 'void' ORDER BY number");
	bind_beyond(&q, number, epoch, sender, cut);
	e = name_each(&q, each, arg, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "UPDATE messages INDEXED BY messages_placed SET state = 'void' WHERE discussion = ? AND sender = ? AND "
		    "epoch = ? AND sequence > ?");
	bind_beyond(&q, number, epoch, sender, cut);
	return query_run(&q, NULL, info);
}

enum err store_confirm(struct store *s, const char *discussion, uint32_t epoch, const char *sender, uint64_t first,
		       uint64_t last, store_message_id_visit *each, void *arg, struct err_info *info)
{
	struct query q;
	int64_t number;
	enum err e = check(sender, last, info);
	if (!e)
		e = discussion_find(s, discussion, &number, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "SELECT id FROM messages INDEXED BY messages_placed WHERE discussion = ? AND sender = ? AND epoch = ? "
		    "AND sequence >= ? AND sequence <= ? AND state IN ('queued', 'sent', 'delivered') ORDER BY number");
	bind_beyond(&q, number, epoch, sender, first);
	query_bind_int(&q, (int64_t)last);
	e = name_each(&q, each, arg, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "UPDATE messages INDEXED BY messages_placed SET state = 'confirmed' WHERE discussion = ? AND sender = ? "
		    "AND epoch = ? AND sequence >= ? AND sequence <= ? AND state IN ('queued', 'sent', 'delivered')");
	bind_beyond(&q, number, epoch, sender, first);
	query_bind_int(&q, (int64_t)last);
	return query_run(&q, NULL, info);
}

enum err store_void_drop(struct store *s, const char *id, const char *sender, bool *gone, struct err_info *info)
{
	struct query q;
	int64_t changed;
	enum err e = check_id("message", id, info);
	if (!e)
		e = check_fingerprint(sender, info);
	if (e)
		return e;
	query_begin(&q, s, "DELETE FROM messages WHERE id = ? AND sender = ? AND state = 'void'");
	query_bind_text(&q, id);
	query_bind_text(&q, sender);
	e = query_run(&q, &changed, info);
	if (!e)
		*gone = changed > 0;
	return e;
}
