// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/rekeys.h"

#include <assert.h>
#include <string.h>

#include "store/internal.h"

enum err store_rekey_append(struct store *s, const char *discussion, const struct store_rekey *rekey,
			    struct err_info *info)
{
	struct query q;
	assert(rekey->certificate);
	enum err e = check_fingerprint(rekey->member, info);
	if (!e)
		e = check_sequence(rekey->sequence, info);
	if (!e)
		e = check_bytes("a certificate", rekey->certificate, STORE_REKEY_CERTIFICATE_MAX, info);
	if (!e)
		e = query_begin_in(&q, s, discussion,
				   "INSERT INTO rekeys (discussion, epoch, member, sequence, key, time, certificate) "
				   "VALUES (?, ?, ?, ?, ?, ?, ?)",
				   info);
	if (e)
		return e;
	query_bind_int(&q, rekey->epoch);
	query_bind_text(&q, rekey->member);
	query_bind_int(&q, (int64_t)rekey->sequence);
	query_bind_text(&q, rekey->key_id);
	query_bind_int(&q, rekey->time);
	query_bind_bytes(&q, rekey->certificate);
	return query_run(&q, NULL, info);
}

static void take(struct query *q, struct store_rekey *r)
{
	memset(r, 0, sizeof *r);
	r->epoch = (uint32_t)query_take_int(q);
	query_take_text(q, r->member, sizeof r->member);
	r->sequence = (uint64_t)query_take_int(q);
	query_take_text(q, r->key_id, sizeof r->key_id);
	r->time = query_take_int(q);
	r->certificate = query_take_bytes(q);
}

enum err store_rekey_each(struct store *s, const char *discussion, store_rekey_visit *each, void *arg,
			  struct err_info *info)
{
	struct query q;
	bool more = true;
	enum err e = query_begin_in(&q, s, discussion,
				    "SELECT epoch, member, sequence, key, time, certificate FROM rekeys "
				    "WHERE discussion = ? ORDER BY number",
				    info);
	if (e)
		return e;
	while (more && query_step(&q)) {
		struct store_rekey r;
		take(&q, &r);
		more = !q.misfit && each(arg, &r);
		bytes_unref(r.certificate);
	}
	return query_end(&q, info);
}
