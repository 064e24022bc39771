// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/heads.h"

#include <stdio.h>
#include <string.h>

#include "store/internal.h"
#include "store/payloads.h"

enum err head_read(struct store *s, int64_t discussion, uint32_t epoch, const char *sender,
		   struct store_head *out, struct err_info *info)
{
	struct store_head head = {0};
	struct query q;
	snprintf(head.sender, sizeof head.sender, "%s", sender);
	query_begin(&q, s,
		    "SELECT sequence, hash FROM heads WHERE discussion = ? AND epoch = ? AND "
		    "sender = ?");
	query_bind_int(&q, discussion);
	query_bind_int(&q, epoch);
	query_bind_text(&q, sender);
	if (query_step(&q)) {
		head.sequence = (uint64_t)query_take_int(&q);
		query_take_exact(&q, head.hash.bytes, sizeof head.hash.bytes);
	}
	enum err e = query_end(&q, info);
	if (!e)
		*out = head;
	return e;
}

enum err head_move(struct store *s, int64_t discussion, const struct store_payload *p,
		   struct err_info *info)
{
	struct query q;
	query_begin(&q, s,
		    "INSERT OR REPLACE INTO heads (discussion, epoch, sender, sequence, hash) "
		    "VALUES (?, ?, ?, ?, ?)");
	query_bind_int(&q, discussion);
	query_bind_int(&q, p->key.epoch);
	query_bind_text(&q, p->key.sender);
	query_bind_int(&q, (int64_t)p->key.sequence);
	query_bind_span(&q, hash_span(&p->hash));
	return query_run(&q, NULL, info);
}

enum err store_head_get(struct store *s, const char *discussion, uint32_t epoch, const char *sender,
			struct store_head *out, struct err_info *info)
{
	int64_t number;
	enum err e = check_fingerprint(sender, info);
	if (!e)
		e = discussion_find(s, discussion, &number, info);
	return e ? e : head_read(s, number, epoch, sender, out, info);
}

enum err store_ack_put(struct store *s, const char *discussion, uint32_t epoch, const char *member,
		       uint64_t sequence, struct err_info *info)
{
	struct query q;
	enum err e = check_fingerprint(member, info);
	if (!e)
		e = check_sequence(sequence, info);
	if (!e)
		e = query_begin_in(&q, s, discussion,
				   "INSERT INTO acks (discussion, epoch, member, sequence) VALUES (?, ?, ?, ?) "
				   "ON CONFLICT (discussion, epoch, member) DO UPDATE SET sequence = "
				   "excluded.sequence WHERE excluded.sequence > sequence",
				   info);
	if (e)
		return e;
	query_bind_int(&q, epoch);
	query_bind_text(&q, member);
	query_bind_int(&q, (int64_t)sequence);
	return query_run(&q, NULL, info);
}

enum err store_ack_get(struct store *s, const char *discussion, uint32_t epoch, const char *member,
		       uint64_t *out, struct err_info *info)
{
	struct query q;
	int64_t sequence = 0;
	enum err e = check_fingerprint(member, info);
	if (!e)
		e = query_begin_in(&q, s, discussion,
				   "SELECT sequence FROM acks WHERE discussion = ? AND epoch = ? AND member = ?",
				   info);
	if (e)
		return e;
	query_bind_int(&q, epoch);
	query_bind_text(&q, member);
	if (query_step(&q))
		sequence = query_take_int(&q);
	e = query_end(&q, info);
	if (!e)
		*out = (uint64_t)sequence;
	return e;
}
