// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/own_presence.h"

#include <string.h>

#include "shell/shell.h"

#define RESERVED 600000 // sequences, which are milliseconds: one write in ten minutes

static void fill_record(struct neighbours *n, struct presence_record *r)
{
	struct engine *e = n->engine;
	const struct identity *i = &e->identity;
	int64_t now = clock_now_ms(e->clock);
	*r = (struct presence_record){.issued_ms = now,
				      .expires_ms = now + e->options.presence_lifetime_s * 1000,
				      .since_ms = i->row.presence_since,
				      .sequence = (uint64_t)now,
				      .general = i->certificate_hash};
	uint64_t last = n->own_sequence ? n->own_sequence : i->row.presence_sequence;
	if (r->sequence <= last)
		r->sequence = last + 1;
	memcpy(r->fingerprint, i->row.fingerprint, sizeof r->fingerprint);
	memcpy(r->key, i->row.presence_key, sizeof r->key);
	memcpy(r->name, i->row.name, sizeof r->name);
	r->endpoint_count = network_endpoints(&e->network, r->endpoints, PRESENCE_ENDPOINTS_MAX);
}

// The row's sequence is what the disk says: a bound that a restarted core begins above.
static enum err reserve(struct neighbours *n, uint64_t sequence, struct err_info *info)
{
	struct identity *i = &n->engine->identity;
	if (sequence <= n->own_reserved)
		return OK;
	uint64_t bound = sequence + RESERVED;
	if (bound > RECORD_SEQUENCE_MAX)
		bound = RECORD_SEQUENCE_MAX;
	enum err code = store_identity_set_sequence(n->engine->store, bound, info);
	if (code == OK)
		n->own_reserved = i->row.presence_sequence = bound;
	return code;
}

static enum err make(struct neighbours *n, struct err_info *info)
{
	struct engine *e = n->engine;
	struct presence_record r;
	struct buf text;
	fill_record(n, &r);
	buf_init(&text, PRESENCE_RECORD_MAX);
	enum err code = presence_record_encode(&r, &text, info);
	if (code == OK)
		code = reserve(n, r.sequence, info);
	if (code == OK) {
		presence_parts_fini(&n->own);
		n->own.record = bytes_new_span(buf_span(&text));
		n->own.certification = bytes_ref(e->identity.row.certification);
		presence_sign(buf_span(&text), secret_span(e->identity.presence_secret).data, n->own.signature);
		n->own_sequence = r.sequence;
		n->own_made_ms = loop_now_ms(e->loop);
		n->own_issued_ms = r.issued_ms;
	}
	buf_fini(&text);
	return code;
}

static bool serves(const struct neighbours *n, int64_t age_ms)
{
	const struct engine *e = n->engine;
	int64_t half_ms = e->options.presence_lifetime_s * 500;
	// a clock that was set has made another record of it
	int64_t by_clock = clock_now_ms(e->clock) - n->own_issued_ms;
	return n->own.record && loop_now_ms(e->loop) - n->own_made_ms < (age_ms < half_ms ? age_ms : half_ms) &&
	       by_clock >= 0 && by_clock < half_ms;
}

static enum err get(struct neighbours *n, int64_t age_ms, const struct presence_parts **out, struct err_info *info)
{
	enum err code = identity_need(&n->engine->identity, info);
	if (code == OK && !serves(n, age_ms))
		code = make(n, info);
	if (code == OK)
		*out = &n->own;
	return code;
}

enum err own_presence_get(struct neighbours *n, const struct presence_parts **out, struct err_info *info)
{
	return get(n, INT64_MAX, out, info);
}

void own_presence_renew(struct neighbours *n)
{
	presence_parts_fini(&n->own);
}

enum err own_presence_encode(struct neighbours *n, enum presence_kind kind, struct buf *out, struct err_info *info)
{
	const struct presence_parts *own;
	enum err code = get(n, OWN_PRESENCE_FRESH_MS, &own, info);
	if (code)
		return code;
	struct presence_datagram d = {.kind = kind,
				      .record = bytes_span(own->record),
				      .certification = bytes_span(own->certification),
				      .certificate = bytes_span(n->engine->identity.row.certificate)};
	memcpy(d.signature, own->signature, sizeof d.signature);
	code = presence_datagram_encode(&d, out);
	return code ? err_set(info, code, "the own presence record does not fit a datagram") : OK;
}

enum err own_presence_send(struct neighbours *n, enum presence_kind kind, const struct addr *to, struct err_info *info)
{
	struct buf out;
	buf_init(&out, PRESENCE_DATAGRAM_MAX);
	enum err code = own_presence_encode(n, kind, &out, info);
	if (code == OK)
		network_send(&n->engine->network, to, buf_span(&out));
	buf_fini(&out);
	return code;
}

bool own_presence_is(const struct neighbours *n, const struct presence_datagram *d)
{
	return n->own.record && memcmp(d->signature, n->own.signature, sizeof d->signature) == 0;
}
