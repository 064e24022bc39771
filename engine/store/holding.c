// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/holding.h"

#include "store/heads.h"
#include "store/internal.h"

static enum err check_end(uint64_t sequence, struct err_info *info)
{
	return sequence > STORE_SEQUENCE_MAX ? err_set(info, ERR_BAD_PARAMS, "a sequence is at most 2^53") : OK;
}

// A part of what a sender has in payloads of one epoch.
struct stretch {
	uint32_t epoch;
	const char *sender;
	uint64_t first, last;
};

static void bind_stretch(struct query *q, int64_t discussion, const struct stretch *t)
{
	query_bind_int(q, discussion);
	if (!t)
		return;
	query_bind_text(q, t->sender);
	query_bind_int(q, t->epoch);
	query_bind_int(q, (int64_t)t->first);
	query_bind_int(q, (int64_t)t->last);
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

// Names what `select` finds, then runs `update` on the same: both are about messages of the discussion, and of the stretch unless
// that is NULL.
static enum err change(struct store *s, const char *discussion, const struct stretch *t, const char *select, const char *update,
		       store_message_id_visit *each, void *arg, struct err_info *info)
{
	struct query q;
	int64_t number;
	enum err e = t ? check_fingerprint(t->sender, info) : OK;
	if (!e && t)
		e = check_end(t->last, info);
	if (!e)
		e = discussion_find(s, discussion, &number, info);
	if (e)
		return e;
	query_begin(&q, s, select);
	bind_stretch(&q, number, t);
	e = name_each(&q, each, arg, info);
	if (e)
		return e;
	query_begin(&q, s, update);
	bind_stretch(&q, number, t);
	return query_run(&q, NULL, info);
}

static enum err change_beyond(struct store *s, const char *discussion, uint32_t epoch, const char *sender, uint64_t cut,
			      const char *select, const char *update, store_message_id_visit *each, void *arg,
			      struct err_info *info)
{
	const struct stretch t = {.epoch = epoch, .sender = sender, .first = cut + 1, .last = STORE_SEQUENCE_MAX};
	enum err e = check_end(cut, info);
	return e ? e : change(s, discussion, &t, select, update, each, arg, info);
}

// Which messages: both statements of a change say it, with what bind_stretch binds.
#define PLACED "messages INDEXED BY messages_placed "
#define IN_STRETCH "WHERE discussion = ? AND sender = ? AND epoch = ? AND sequence BETWEEN ? AND ? "
#define SAID IN_STRETCH "AND state IN ('queued', 'sent', 'delivered', 'confirmed') "
#define NOT_VOID IN_STRETCH "AND state <> 'void' "
#define UNCONFIRMED IN_STRETCH "AND state IN ('queued', 'sent', 'delivered') "
#define WAITING "WHERE discussion = ? AND state = 'queued' AND sequence IS NULL "

enum err store_hold_beyond(struct store *s, const char *discussion, uint32_t epoch, const char *sender, uint64_t cut,
			   store_message_id_visit *each, void *arg, struct err_info *info)
{
	return change_beyond(s, discussion, epoch, sender, cut, "SELECT id FROM " PLACED SAID "ORDER BY number",
			     "UPDATE " PLACED "SET state = 'held', epoch = NULL, sequence = NULL, place = NULL " SAID, each, arg,
			     info);
}

enum err store_hold_waiting(struct store *s, const char *discussion, store_message_id_visit *each, void *arg,
			    struct err_info *info)
{
	return change(s, discussion, NULL, "SELECT id FROM messages INDEXED BY messages_waiting " WAITING "ORDER BY number",
		      "UPDATE messages SET state = 'held' " WAITING, each, arg, info);
}

enum err store_void_beyond(struct store *s, const char *discussion, uint32_t epoch, const char *sender, uint64_t cut,
			   store_message_id_visit *each, void *arg, struct err_info *info)
{
	return change_beyond(s, discussion, epoch, sender, cut, "SELECT id FROM " PLACED NOT_VOID "ORDER BY number",
			     "UPDATE " PLACED "SET state = 'void' " NOT_VOID, each, arg, info);
}

enum err store_confirm(struct store *s, const char *discussion, uint32_t epoch, const char *sender, uint64_t first,
		       uint64_t last, store_message_id_visit *each, void *arg, struct err_info *info)
{
	const struct stretch t = {.epoch = epoch, .sender = sender, .first = first, .last = last};
	return change(s, discussion, &t, "SELECT id FROM " PLACED UNCONFIRMED "ORDER BY number",
		      "UPDATE " PLACED "SET state = 'confirmed' " UNCONFIRMED, each, arg, info);
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
