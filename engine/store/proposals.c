// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/proposals.h"

#include <string.h>

#include "store/internal.h"

void store_proposal_fini(struct store_proposal *p)
{
	bytes_unref(p->op);
	bytes_unref(p->answers);
	memset(p, 0, sizeof *p);
}

// --- seals --------------------------------------------------------------------------------------

static struct seal_place place_of(const struct store_proposal *p, const char *column)
{
	return (struct seal_place){"proposals", column, {p->discussion, p->id}};
}

// An empty buffer where there is nothing.
static enum err seal(const struct data_key *key, const struct store_proposal *p, const char *column,
		     const struct bytes *plain, struct buf *out)
{
	const struct seal_place place = place_of(p, column);
	buf_init(out, bytes_span(plain).len + SEAL_OVERHEAD);
	return plain ? seal_close(key->key, &place, bytes_span(plain), out) : OK;
}

// NULL where the column is NULL.
static enum err take_sealed(struct query *q, const struct data_key *key,
			    const struct store_proposal *p, const char *column, size_t max,
			    struct bytes **out, struct err_info *info)
{
	const struct seal_place place = place_of(p, column);
	*out = NULL;
	return query_take_null(q) ? OK : keyring_take_sealed(q, key, &place, max, out, info);
}

// --- writing ------------------------------------------------------------------------------------

static enum err check(const struct store_proposal *p, struct err_info *info)
{
	enum err e = check_id("proposal", p->id, info);
	if (!e)
		e = check_fingerprint(p->proposer, info);
	if (!e && p->candidate[0])
		e = check_fingerprint(p->candidate, info);
	if (!e)
		e = check_bytes("an op", p->op, STORE_OP_MAX, info);
	if (!e)
		e = check_bytes("answers", p->answers, STORE_ANSWERS_MAX, info);
	return e;
}

static void bind_sealed(struct query *q, const struct buf *sealed)
{
	if (buf_span(sealed).len)
		query_bind_span(q, buf_span(sealed));
	else
		query_bind_bytes(q, NULL);
}

static enum err write_row(struct store *s, int64_t discussion, const struct store_proposal *p,
			  const struct buf *op, const struct buf *answers, struct err_info *info)
{
	struct query q;
	query_begin(&q, s,
		    "INSERT INTO proposals (id, discussion, epoch, kind, candidate, proposer, "
		    "state, created, ended, name, op, answers) VALUES (?,?,?,?,?,?, ?,?,?,?,?,?) "
		    "ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, kind = excluded.kind, "
		    "candidate = excluded.candidate, proposer = excluded.proposer, "
		    "state = excluded.state, ended = excluded.ended, name = excluded.name, "
		    "op = excluded.op, answers = excluded.answers");
	query_bind_text(&q, p->id);
	query_bind_int(&q, discussion);
	query_bind_int(&q, p->epoch);
	query_bind_text(&q, p->kind);
	query_bind_text(&q, p->candidate);
	query_bind_text(&q, p->proposer);
	query_bind_text(&q, p->state);
	query_bind_int(&q, p->created);
	query_bind_int(&q, p->ended);
	if (p->has_name)
		query_bind_span(&q, hash_span(&p->name));
	else
		query_bind_bytes(&q, NULL);
	bind_sealed(&q, op);
	bind_sealed(&q, answers);
	return query_run(&q, NULL, info);
}

static enum err trim(struct store *s, int64_t discussion, struct err_info *info)
{
	struct query q;
	query_begin(&q, s,
		    "DELETE FROM proposals WHERE discussion = ?1 AND state <> 'open' AND number <= "
		    "(SELECT number FROM proposals WHERE discussion = ?1 AND state <> 'open' "
		    "ORDER BY number DESC LIMIT 1 OFFSET ?2)");
	query_bind_int(&q, discussion);
	query_bind_int(&q, STORE_PROPOSALS_MAX);
	return query_run(&q, NULL, info);
}

enum err store_proposal_put(struct store *s, const struct store_proposal *proposal,
			    struct err_info *info)
{
	struct data_key *key;
	struct scope scope;
	struct buf op, answers;
	enum err e = check(proposal, info);
	if (!e)
		e = keyring_pin(s, proposal->discussion, &key, info);
	if (e)
		return e;
	e = seal(key, proposal, "op", proposal->op, &op);
	enum err e2 = seal(key, proposal, "answers", proposal->answers, &answers);
	if (!e)
		e = e2;
	if (!e)
		e = scope_enter(&scope, s, info);
	if (!e) {
		e = write_row(s, key->number, proposal, &op, &answers, info);
		if (!e && proposal->ended)
			e = trim(s, key->number, info);
		e = scope_leave(&scope, s, e, info);
	}
	buf_fini(&op);
	buf_fini(&answers);
	keyring_unpin(key);
	return e;
}

enum err store_proposal_drop(struct store *s, const char *id, struct err_info *info)
{
	struct query q;
	enum err e = check_id("proposal", id, info);
	if (e)
		return e;
	query_begin(&q, s, "DELETE FROM proposals WHERE id = ?");
	query_bind_text(&q, id);
	return query_run(&q, NULL, info);
}

// --- reading ------------------------------------------------------------------------------------

#define COLUMNS \
	"p.discussion, p.id, p.epoch, p.kind, p.candidate, p.proposer, p.state, p.created, " \
	"p.ended, p.name, p.op, p.answers"

static enum err take(struct store *s, struct query *q, struct store_proposal *p,
		     struct err_info *info)
{
	struct data_key *key;
	memset(p, 0, sizeof *p);
	enum err e = keyring_pin_number(s, query_take_int(q), &key, info);
	if (e)
		return e;
	memcpy(p->discussion, key->discussion, sizeof p->discussion);
	query_take_text(q, p->id, sizeof p->id);
	p->epoch = (uint32_t)query_take_int(q);
	query_take_text(q, p->kind, sizeof p->kind);
	query_take_text(q, p->candidate, sizeof p->candidate);
	query_take_text(q, p->proposer, sizeof p->proposer);
	query_take_text(q, p->state, sizeof p->state);
	p->created = query_take_int(q);
	p->ended = query_take_int(q);
	p->has_name = !query_take_null(q);
	if (p->has_name)
		query_take_exact(q, p->name.bytes, sizeof p->name.bytes);
	e = take_sealed(q, key, p, "op", STORE_OP_MAX, &p->op, info);
	if (!e)
		e = take_sealed(q, key, p, "answers", STORE_ANSWERS_MAX, &p->answers, info);
	keyring_unpin(key);
	if (e)
		store_proposal_fini(p);
	return e;
}

enum err store_proposal_get(struct store *s, const char *id, struct store_proposal *out,
			    struct err_info *info)
{
	struct store_proposal found = {0};
	struct query q;
	enum err e = check_id("proposal", id, info);
	if (e)
		return e;
	query_begin(&q, s, "SELECT " COLUMNS " FROM proposals p WHERE p.id = ?");
	query_bind_text(&q, id);
	bool is = query_step(&q);
	enum err taken = is ? take(s, &q, &found, info) : OK;
	e = query_end(&q, taken ? NULL : info);
	if (taken)
		e = taken;
	else if (!e && !is)
		e = err_set(info, ERR_NOT_FOUND, "no proposal %s", id);
	if (e)
		store_proposal_fini(&found);
	else
		*out = found;
	return e;
}

static enum err visit_rows(struct store *s, struct query *q, store_proposal_visit *each, void *arg,
			   struct err_info *info)
{
	enum err e = OK;
	bool more = true;
	while (more && !e && query_step(q)) {
		struct store_proposal p;
		e = take(s, q, &p, info);
		if (e)
			break;
		more = !q->misfit && each(arg, &p);
		store_proposal_fini(&p);
	}
	return e;
}

enum err store_proposal_each(struct store *s, const char *discussion, store_proposal_visit *each,
			     void *arg, struct err_info *info)
{
	struct query q;
	int64_t number = 0;
	enum err e = discussion ? discussion_find(s, discussion, &number, info) : OK;
	if (e)
		return e;
	query_begin(&q, s,
		    "SELECT " COLUMNS " FROM proposals p WHERE ?1 = 0 OR p.discussion = ?1 "
		    "ORDER BY p.number");
	query_bind_int(&q, number);
	enum err visited = visit_rows(s, &q, each, arg, info);
	e = query_end(&q, visited ? NULL : info);
	return visited ? visited : e;
}
