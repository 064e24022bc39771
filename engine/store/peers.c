// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/peers.h"

#include <string.h>

#include "store/internal.h"

#define COLUMNS                                                                                    \
	"fingerprint, name, certificate, presence_key, presence_since, certification, record, "    \
	"record_signature, record_sequence, record_expiry, addresses, source, proven, pinned, "    \
	"known, last_seen"

void store_peer_fini(struct store_peer *p)
{
	bytes_unref(p->certificate);
	bytes_unref(p->certification);
	bytes_unref(p->record);
	memset(p, 0, sizeof *p);
}

static void take(struct query *q, struct store_peer *p)
{
	memset(p, 0, sizeof *p);
	query_take_text(q, p->fingerprint, sizeof p->fingerprint);
	query_take_text(q, p->name, sizeof p->name);
	p->certificate = query_take_bytes(q);
	p->has_presence = !query_take_null(q);
	if (p->has_presence)
		query_take_exact(q, p->presence_key, sizeof p->presence_key);
	p->presence_since = query_take_int(q);
	p->certification = query_take_bytes(q);
	p->record = query_take_bytes(q);
	query_take_exact(q, p->record_signature, sizeof p->record_signature);
	p->record_sequence = (uint64_t)query_take_int(q);
	p->record_expiry = query_take_int(q);
	addresses_decode(query_take_span(q), &p->addresses);
	query_take_text(q, p->source, sizeof p->source);
	p->proven = query_take_int(q) != 0;
	p->pinned = query_take_int(q) != 0;
	p->known = query_take_int(q) != 0;
	p->last_seen = query_take_int(q);
}

enum err store_peer_each(struct store *s, store_peer_visit *each, void *arg, struct err_info *info)
{
	struct query q;
	bool more = true;
	query_begin(&q, s, "SELECT " COLUMNS " FROM peers ORDER BY fingerprint");
	while (more && query_step(&q)) {
		struct store_peer p;
		take(&q, &p);
		more = !q.misfit && each(arg, &p);
		store_peer_fini(&p);
	}
	return query_end(&q, info);
}

static enum err check(const struct store_peer *p, struct err_info *info)
{
	enum err e = check_fingerprint(p->fingerprint, info);
	if (!e)
		e = check_bytes("a certificate", p->certificate, STORE_BLOB_MAX, info);
	if (!e)
		e = check_bytes("a certification", p->certification, STORE_BLOB_MAX, info);
	if (!e)
		e = check_bytes("a presence record", p->record, STORE_BLOB_MAX, info);
	if (!e && p->record_sequence > INT64_MAX)
		e = err_set(info, ERR_BAD_PARAMS, "a presence sequence is at most 2^63-1");
	return e;
}

// Inside the scope of the insertion.
static enum err make_room(struct store *s, const char *fingerprint, struct err_info *info)
{
	struct query q;
	bool full = false;
	int64_t dropped = 0;
	query_begin(&q, s,
		    "SELECT NOT EXISTS (SELECT 1 FROM peers WHERE fingerprint = ?) AND "
		    "(SELECT count(*) FROM peers) >= ?");
	query_bind_text(&q, fingerprint);
	query_bind_int(&q, STORE_PEERS_MAX);
	if (query_step(&q))
		full = query_take_int(&q) != 0;
	enum err e = query_end(&q, info);
	if (e || !full)
		return e;
	query_begin(
		&q, s,
		"DELETE FROM peers WHERE fingerprint = (SELECT fingerprint FROM peers WHERE NOT "
		"known AND NOT pinned ORDER BY last_seen LIMIT 1)");
	e = query_run(&q, &dropped, info);
	if (!e && !dropped)
		e = err_set(info, ERR_TOO_LARGE, "%d peers are known already", STORE_PEERS_MAX);
	return e;
}

static enum err write_row(struct store *s, const struct store_peer *p, const struct buf *addresses,
			  struct err_info *info)
{
	struct query q;
	query_begin(&q, s,
		    "INSERT OR REPLACE INTO peers (" COLUMNS
		    ") VALUES (?,?,?,?, ?,?,?,?, ?,?,?,?, ?,?,?,?)");
	query_bind_text(&q, p->fingerprint);
	query_bind_text(&q, p->name);
	query_bind_bytes(&q, p->certificate);
	if (p->has_presence)
		query_bind_span(&q, span(p->presence_key, sizeof p->presence_key));
	else
		query_bind_bytes(&q, NULL);
	query_bind_int(&q, p->presence_since);
	query_bind_bytes(&q, p->certification);
	query_bind_bytes(&q, p->record);
	query_bind_span(&q, span(p->record_signature, sizeof p->record_signature));
	query_bind_int(&q, (int64_t)p->record_sequence);
	query_bind_int(&q, p->record_expiry);
	query_bind_span(&q, buf_span(addresses));
	query_bind_text(&q, p->source);
	query_bind_int(&q, p->proven);
	query_bind_int(&q, p->pinned);
	query_bind_int(&q, p->known);
	query_bind_int(&q, p->last_seen);
	return query_run(&q, NULL, info);
}

enum err store_peer_put(struct store *s, const struct store_peer *peer, struct err_info *info)
{
	struct scope scope;
	struct buf addresses;
	buf_init(&addresses, sizeof(struct store_addresses));
	enum err e = check(peer, info);
	if (!e)
		e = addresses_encode(&peer->addresses, &addresses, info);
	if (!e)
		e = scope_enter(&scope, s, info);
	if (!e) {
		e = make_room(s, peer->fingerprint, info);
		if (!e)
			e = write_row(s, peer, &addresses, info);
		e = scope_leave(&scope, s, e, info);
	}
	buf_fini(&addresses);
	return e;
}

enum err store_peer_delete(struct store *s, const char *fingerprint, struct err_info *info)
{
	struct query q;
	int64_t changed;
	enum err e = check_fingerprint(fingerprint, info);
	if (e)
		return e;
	query_begin(&q, s, "DELETE FROM peers WHERE fingerprint = ?");
	query_bind_text(&q, fingerprint);
	e = query_run(&q, &changed, info);
	if (!e && !changed)
		e = err_set(info, ERR_NOT_FOUND, "no such peer: %s", fingerprint);
	return e;
}
