// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/epochs.h"

#include <assert.h>
#include <string.h>

#include "store/internal.h"

// --- epochs -------------------------------------------------------------------------------------

void store_epoch_fini(struct store_epoch *e)
{
	bytes_unref(e->roster);
	bytes_unref(e->cut);
	memset(e, 0, sizeof *e);
}

static void take_epoch(struct query *q, struct store_epoch *e)
{
	memset(e, 0, sizeof *e);
	e->epoch = (uint32_t)query_take_int(q);
	e->roster = query_take_bytes(q);
	query_take_exact(q, e->roster_hash.bytes, sizeof e->roster_hash.bytes);
	query_take_exact(q, e->head.bytes, sizeof e->head.bytes);
	e->cut = query_take_bytes(q);
}

enum err store_epoch_create(struct store *s, const char *discussion,
			    const struct store_epoch *epoch, struct err_info *info)
{
	struct query q;
	assert(epoch->roster);
	enum err e = check_bytes("a roster", epoch->roster, STORE_BLOB_MAX, info);
	if (!e)
		e = query_begin_in(&q, s, discussion,
				   "INSERT INTO epochs (discussion, epoch, roster, roster_hash, head) "
				   "VALUES (?, ?, ?, ?, ?)",
				   info);
	if (e)
		return e;
	query_bind_int(&q, epoch->epoch);
	query_bind_bytes(&q, epoch->roster);
	query_bind_span(&q, hash_span(&epoch->roster_hash));
	query_bind_span(&q, hash_span(&epoch->head));
	return query_run(&q, NULL, info);
}

enum err store_epoch_end(struct store *s, const char *discussion, uint32_t epoch, struct span cut,
			 struct err_info *info)
{
	struct store_epoch found;
	struct query q;
	int64_t number;
	enum err e = check_span("a cut", cut, STORE_BLOB_MAX, info);
	if (!e)
		e = store_epoch_get(s, discussion, epoch, &found, info);
	if (e)
		return e;
	bool ended = found.cut != NULL;
	store_epoch_fini(&found);
	if (ended)
		return err_set(info, ERR_WRONG_STATE, "epoch %u of discussion %s has ended", epoch,
			       discussion);
	e = discussion_find(s, discussion, &number, info);
	if (e)
		return e;
	query_begin(&q, s, "UPDATE epochs SET cut = ? WHERE discussion = ? AND epoch = ?");
	query_bind_span(&q, cut);
	query_bind_int(&q, number);
	query_bind_int(&q, epoch);
	return query_run(&q, NULL, info);
}

enum err store_epoch_get(struct store *s, const char *discussion, uint32_t epoch,
			 struct store_epoch *out, struct err_info *info)
{
	struct store_epoch found = {0};
	struct query q;
	enum err e = query_begin_in(&q, s, discussion,
				    "SELECT epoch, roster, roster_hash, head, cut FROM epochs "
				    "WHERE discussion = ? AND epoch = ?",
				    info);
	if (e)
		return e;
	query_bind_int(&q, epoch);
	if (query_step(&q))
		take_epoch(&q, &found);
	e = query_end(&q, info);
	if (!e && !found.roster)
		e = err_set(info, ERR_NOT_FOUND, "discussion %s has no epoch %u here", discussion,
			    epoch);
	if (e)
		store_epoch_fini(&found);
	else
		*out = found;
	return e;
}

enum err store_epoch_each(struct store *s, const char *discussion, store_epoch_visit *each,
			  void *arg, struct err_info *info)
{
	struct query q;
	bool more = true;
	enum err e = query_begin_in(&q, s, discussion,
				    "SELECT epoch, roster, roster_hash, head, cut FROM epochs "
				    "WHERE discussion = ? ORDER BY epoch",
				    info);
	if (e)
		return e;
	while (more && query_step(&q)) {
		struct store_epoch epoch;
		take_epoch(&q, &epoch);
		more = !q.misfit && each(arg, &epoch);
		store_epoch_fini(&epoch);
	}
	return query_end(&q, info);
}

// --- members ------------------------------------------------------------------------------------

void store_member_copy(struct store_member *out, const struct store_member *m)
{
	*out = *m;
	bytes_ref(m->certificate);
	bytes_ref(m->binding);
	bytes_ref(m->general);
}

void store_member_fini(struct store_member *m)
{
	bytes_unref(m->certificate);
	bytes_unref(m->binding);
	bytes_unref(m->general);
	memset(m, 0, sizeof *m);
}

static enum err check_member(const struct store_member *m, struct err_info *info)
{
	assert(m->certificate && m->binding && m->general);
	enum err e = check_fingerprint(m->fingerprint, info);
	if (!e)
		e = check_fingerprint(m->certificate_fingerprint, info);
	if (!e && m->position >= STORE_MEMBERS_MAX)
		e = err_set(info, ERR_TOO_LARGE, "a discussion has at most %d members",
			    STORE_MEMBERS_MAX);
	if (!e && (strlen(m->key_id) != 16 || strspn(m->key_id, "0123456789ABCDEF") != 16))
		e = err_set(info, ERR_BAD_PARAMS, "not a key id: %.17s", m->key_id);
	if (!e)
		e = check_bytes("a certificate", m->certificate, STORE_BLOB_MAX, info);
	if (!e)
		e = check_bytes("a binding", m->binding, STORE_BLOB_MAX, info);
	if (!e)
		e = check_bytes("a certificate", m->general, STORE_BLOB_MAX, info);
	return e;
}

static enum err write_member(struct store *s, int64_t discussion, uint32_t epoch,
			     const struct store_member *m, const struct buf *addresses,
			     struct err_info *info)
{
	struct query q;
	query_begin(&q, s,
		    "INSERT OR REPLACE INTO members (discussion, epoch, fingerprint, position, "
		    "certificate, certificate_fingerprint, key_id, binding, general, addresses, "
		    "verified) VALUES (?,?,?,?, ?,?,?, ?,?,?, ?)");
	query_bind_int(&q, discussion);
	query_bind_int(&q, epoch);
	query_bind_text(&q, m->fingerprint);
	query_bind_int(&q, m->position);
	query_bind_bytes(&q, m->certificate);
	query_bind_text(&q, m->certificate_fingerprint);
	query_bind_text(&q, m->key_id);
	query_bind_bytes(&q, m->binding);
	query_bind_bytes(&q, m->general);
	query_bind_span(&q, buf_span(addresses));
	query_bind_int(&q, m->verified);
	return query_run(&q, NULL, info);
}

enum err store_member_put(struct store *s, const char *discussion, uint32_t epoch,
			  const struct store_member *member, struct err_info *info)
{
	struct buf addresses;
	int64_t number;
	buf_init(&addresses, sizeof(struct store_addresses));
	enum err e = check_member(member, info);
	if (!e)
		e = addresses_encode(&member->addresses, &addresses, info);
	if (!e)
		e = discussion_find(s, discussion, &number, info);
	if (!e)
		e = write_member(s, number, epoch, member, &addresses, info);
	buf_fini(&addresses);
	return e;
}

static void take_member(struct query *q, struct store_member *m)
{
	memset(m, 0, sizeof *m);
	query_take_text(q, m->fingerprint, sizeof m->fingerprint);
	m->position = (uint32_t)query_take_int(q);
	m->certificate = query_take_bytes(q);
	query_take_text(q, m->certificate_fingerprint, sizeof m->certificate_fingerprint);
	query_take_text(q, m->key_id, sizeof m->key_id);
	m->binding = query_take_bytes(q);
	m->general = query_take_bytes(q);
	addresses_decode(query_take_span(q), &m->addresses);
	m->verified = query_take_int(q) != 0;
}

#define MEMBER_COLUMNS \
	"fingerprint, position, certificate, certificate_fingerprint, key_id, binding, general, " \
	"addresses, verified"

static enum err each_member(struct store *s, const char *discussion, uint32_t epoch, const char *sql,
			    store_member_visit *each, void *arg, struct err_info *info)
{
	struct query q;
	bool more = true;
	enum err e = query_begin_in(&q, s, discussion, sql, info);
	if (e)
		return e;
	query_bind_int(&q, epoch);
	while (more && query_step(&q)) {
		struct store_member m;
		take_member(&q, &m);
		more = !q.misfit && each(arg, &m);
		store_member_fini(&m);
	}
	return query_end(&q, info);
}

enum err store_member_each(struct store *s, const char *discussion, uint32_t epoch,
			   store_member_visit *each, void *arg, struct err_info *info)
{
	return each_member(s, discussion, epoch,
			   "SELECT " MEMBER_COLUMNS " FROM members WHERE discussion = ? AND epoch = ? "
			   "ORDER BY position",
			   each, arg, info);
}

enum err store_member_each_former(struct store *s, const char *discussion, uint32_t epoch,
				  store_member_visit *each, void *arg, struct err_info *info)
{
	return each_member(s, discussion, epoch,
			   "SELECT " MEMBER_COLUMNS " FROM members m WHERE discussion = ?1 AND epoch = "
			   "(SELECT max(epoch) FROM members WHERE discussion = ?1 AND fingerprint = "
			   "m.fingerprint AND epoch <= ?2) AND epoch < ?2 ORDER BY epoch, position",
			   each, arg, info);
}
