// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/neighbours.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/probe.h"
#include "shell/proving.h"
#include "shell/shell.h"
#include "store/peers.h"

#define SWEEP_MS 1000
#define CERTIFICATES_SWEEPS 10 // the certificates is swept every so many sweeps

// --- the store's rows -------------------------------------------------------------------------------------------------------

// Strangers are not kept: they come again by themselves.
static void save(struct neighbours *n, const char *fingerprint)
{
	struct engine *e = n->engine;
	struct err_info info;
	const struct peer *p = peer_table_get(n->table, fingerprint);
	if (!p || !p->known || !store_unlocked(e->store))
		return;
	const struct certificate_entry *keys = certificates_get(&n->certificates, fingerprint);
	struct store_peer row = {.has_presence = p->has_key,
				 .presence_since = p->since_ms,
				 .record_sequence = p->sequence,
				 .record_expiry = p->expires_ms,
				 .proven = p->proven,
				 .pinned = p->pinned,
				 .known = p->known,
				 .last_seen = p->last_seen_ms};
	memcpy(row.fingerprint, p->fingerprint, sizeof row.fingerprint);
	memcpy(row.name, p->name, sizeof row.name);
	memcpy(row.presence_key, p->key, sizeof row.presence_key);
	strncpy(row.source, peer_source_name(p->source), sizeof row.source - 1);
	for (size_t i = 0; i < p->addresses.count && i < STORE_ADDRESSES_MAX; i++)
		addr_format(&p->addresses.at[i].endpoint, row.addresses.text[row.addresses.count++]);
	if (keys) {
		row.certificate = keys->certificate;
		row.certification = keys->certification;
		row.record = keys->record;
		memcpy(row.record_signature, keys->signature, sizeof row.record_signature);
	}
	if (store_peer_put(e->store, &row, &info))
		engine_warn(e, "the peer %.8s could not be stored: %s", fingerprint, info.text);
}

static bool load_row(void *arg, const struct store_peer *row)
{
	struct neighbours *n = arg;
	struct peer p = {.has_key = row->has_presence,
			 .since_ms = row->presence_since,
			 .sequence = row->record_sequence,
			 .expires_ms = row->record_expiry,
			 .proven = row->proven,
			 .pinned = row->pinned,
			 .known = row->known,
			 .last_seen_ms = row->last_seen};
	memcpy(p.fingerprint, row->fingerprint, sizeof p.fingerprint);
	memcpy(p.name, row->name, sizeof p.name);
	memcpy(p.key, row->presence_key, sizeof p.key);
	if (peer_source_parse(row->source, &p.source))
		p.source = PEER_MANUAL;
	for (size_t i = 0; i < row->addresses.count; i++) {
		struct addr at;
		if (addr_parse(&at, row->addresses.text[i], NULL) == OK)
			(void)endpoint_list_add(&p.addresses, &at);
	}
	if (peer_table_load(n->table, &p))
		return true;
	struct certificate_entry *keys = certificates_make(&n->certificates, row->fingerprint);
	certificates_set(&keys->certificate, bytes_span(row->certificate));
	certificates_set(&keys->certification, bytes_span(row->certification));
	certificates_set(&keys->record, bytes_span(row->record));
	memcpy(keys->signature, row->record_signature, sizeof keys->signature);
	return true;
}

// --- life ------------------------------------------------------------------------------------------------------------------------

static bool is_there(void *arg, const char *fingerprint)
{
	struct neighbours *n = arg;
	return peer_table_get(n->table, fingerprint) != NULL;
}

static void tell_lost(void *arg, const struct peer *p)
{
	struct neighbours *n = arg;
	engine_emit(n->engine, "peer.lost", "peer", neighbours_view(p));
}

static void sweep(void *arg)
{
	struct neighbours *n = arg;
	peer_table_sweep(n->table, clock_now_ms(n->engine->clock), tell_lost, n);
	if (++n->sweeps % CERTIFICATES_SWEEPS == 0)
		certificates_sweep(&n->certificates, is_there, n);
	timer_start(n->engine->loop, &n->sweep, SWEEP_MS, sweep, n);
}

void neighbours_init(struct neighbours *n, struct engine *e)
{
	n->engine = e;
	n->table = peer_table_new(NULL);
	n->limits = limits_new(NULL);
	n->prove = prove_new(NULL, n->limits);
}

void neighbours_wake(struct neighbours *n)
{
	struct err_info info;
	peer_table_set_self(n->table, n->engine->identity.row.fingerprint);
	if (store_peer_each(n->engine->store, load_row, n, &info))
		engine_warn(n->engine, "the stored peers could not be read: %s", info.text);
	timer_start(n->engine->loop, &n->sweep, SWEEP_MS, sweep, n);
}

void neighbours_sleep(struct neighbours *n)
{
	timer_cancel(n->engine->loop, &n->sweep);
	probes_cancel(n);
	proving_cancel(n);
	presence_parts_fini(&n->own);
	n->own = (struct presence_parts){0};
}

void neighbours_fini(struct neighbours *n)
{
	neighbours_sleep(n);
	certificates_fini(&n->certificates);
	prove_free(n->prove);
	limits_free(n->limits);
	peer_table_free(n->table);
}

// --- the own record -----------------------------------------------------------------------------------------------------------

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
	if (r->sequence <= i->row.presence_sequence)
		r->sequence = i->row.presence_sequence + 1;
	memcpy(r->fingerprint, i->row.fingerprint, sizeof r->fingerprint);
	memcpy(r->key, i->row.presence_key, sizeof r->key);
	memcpy(r->name, i->row.name, sizeof r->name);
	r->endpoint_count = network_endpoints(&e->network, r->endpoints, PRESENCE_ENDPOINTS_MAX);
}

enum err neighbours_own_presence(struct neighbours *n, const struct presence_parts **out, struct err_info *info)
{
	struct engine *e = n->engine;
	struct presence_record r;
	struct buf text;
	enum err code = identity_need(&e->identity, info);
	if (code)
		return code;
	if (n->own.record && loop_now_ms(e->loop) < n->own_renew_ms) {
		*out = &n->own;
		return OK;
	}
	fill_record(n, &r);
	buf_init(&text, PRESENCE_RECORD_MAX);
	code = presence_record_encode(&r, &text, info);
	if (code == OK)
		code = store_identity_set_sequence(e->store, r.sequence, info);
	if (code == OK) {
		e->identity.row.presence_sequence = r.sequence;
		presence_parts_fini(&n->own);
		n->own.record = bytes_new_span(buf_span(&text));
		n->own.certification = bytes_ref(e->identity.row.certification);
		presence_sign(buf_span(&text), secret_span(e->identity.presence_secret).data, n->own.signature);
		n->own_renew_ms = loop_now_ms(e->loop) + e->options.presence_lifetime_s * 500;
		*out = &n->own;
	}
	buf_fini(&text);
	return code;
}

static enum err send_own(struct neighbours *n, enum presence_kind kind, const struct addr *to, struct err_info *info)
{
	const struct presence_parts *own;
	struct buf out;
	enum err code = neighbours_own_presence(n, &own, info);
	if (code)
		return code;
	struct presence_datagram d = {.kind = kind,
				      .record = bytes_span(own->record),
				      .certification = bytes_span(own->certification),
				      .certificate = bytes_span(n->engine->identity.row.certificate)};
	memcpy(d.signature, own->signature, sizeof d.signature);
	buf_init(&out, PRESENCE_DATAGRAM_MAX);
	code = presence_datagram_encode(&d, &out);
	if (code == OK)
		network_send(&n->engine->network, to, buf_span(&out));
	buf_fini(&out);
	return code;
}

enum err neighbours_ask(struct neighbours *n, const struct addr *to, struct err_info *info)
{
	return send_own(n, PRESENCE_QUERY, to, info);
}

// --- records in ---------------------------------------------------------------------------------------------------------------

static void to_table_form(const struct presence_record *r, struct span certification, struct peer_record *out)
{
	*out = (struct peer_record){.since_ms = r->since_ms,
				    .sequence = r->sequence,
				    .issued_ms = r->issued_ms,
				    .expires_ms = r->expires_ms,
				    .listed = r->listed,
				    .certification = hash_of(certification)};
	memcpy(out->fingerprint, r->fingerprint, sizeof out->fingerprint);
	memcpy(out->name, r->name, sizeof out->name);
	memcpy(out->key, r->key, sizeof out->key);
	for (size_t i = 0; i < r->endpoint_count; i++)
		if (addr_parse(&out->endpoints[out->endpoint_count], r->endpoints[i], NULL) == OK)
			out->endpoint_count++;
}

static bool is_certificate_of(struct span certificate, const char *fingerprint)
{
	struct certificate_info walked;
	return certificate_check(certificate, &walked, NULL) == OK &&
	       strcmp(walked.primary.fingerprint, fingerprint) == 0;
}

// An entry that is gone already can only be named.
static void tell_gone(struct neighbours *n, const char *fingerprint)
{
	engine_emit(n->engine, "peer.lost", "peer", json_pack("{s:s, s:b}", "fingerprint", fingerprint, "online", 0));
}

// Takes a record whose own signature holds; wants_proof says whether its certification is still to be checked.
static struct peer_outcome take(struct neighbours *n, const struct presence_record *r, const struct presence_parts *parts,
				struct span certificate, enum peer_source source, const struct addr *from, bool direct)
{
	struct engine *e = n->engine;
	struct peer_record record;
	to_table_form(r, bytes_span(parts->certification), &record);
	struct peer_outcome o = peer_table_feed(n->table, &record, source, from, direct, clock_now_ms(e->clock));
	if (o.evicted[0])
		certificates_drop(&n->certificates, o.evicted);
	if (o.evicted[0] && o.evicted_online)
		tell_gone(n, o.evicted);
	const struct peer *p = peer_table_get(n->table, r->fingerprint);
	if (p && (o.verdict == PEER_TAKEN || o.verdict == PEER_BESIDE)) {
		struct certificate_entry *keys = certificates_make(&n->certificates, r->fingerprint);
		struct hash h = hash_of(certificate);
		// a proven entry's certificate is never replaced by what an unproven record brings
		if (!keys->certificate && hash_equal(&h, &r->general) && is_certificate_of(certificate, r->fingerprint))
			certificates_set(&keys->certificate, certificate);
		if (o.verdict == PEER_TAKEN) {
			certificates_set(&keys->certification, bytes_span(parts->certification));
			certificates_set(&keys->record, bytes_span(parts->record));
			memcpy(keys->signature, parts->signature, sizeof keys->signature);
		}
	}
	if (o.seen && p)
		engine_emit(e, "peer.seen", "peer", neighbours_view(p));
	if (o.changed)
		save(n, r->fingerprint);
	metrics_count(&e->metrics, "presence_records", peer_verdict_name(o.verdict));
	return o;
}

static void answer(struct neighbours *n, const struct addr *from, bool known)
{
	struct err_info info;
	if (limits_take(n->limits, LIMIT_PROBE_ANSWER, from, known, loop_now_ms(n->engine->loop)) != LIMIT_PASS) {
		metrics_count(&n->engine->metrics, "datagrams_dropped", "limit");
		return;
	}
	if (send_own(n, PRESENCE_ANSWER, from, &info))
		log_warn("no presence answer: %s", info.text);
}

void neighbours_hear(struct neighbours *n, struct span datagram, const struct addr *from)
{
	struct presence_datagram d;
	struct presence_record r;
	struct err_info info;
	if (presence_datagram_open(datagram, &d, &r, &info)) {
		metrics_count(&n->engine->metrics, "datagrams_dropped", "malformed");
		return;
	}
	struct presence_parts parts = {.record = bytes_new_span(d.record), .certification = bytes_new_span(d.certification)};
	memcpy(parts.signature, d.signature, sizeof parts.signature);
	bool asked = d.kind == PRESENCE_ANSWER && probe_awaits(n, from);
	struct peer_outcome o = take(n, &r, &parts, d.certificate, PEER_MANUAL, from, true);
	bool known = o.known; // naming a known peer makes nobody known
	if (asked && o.verdict != PEER_SELF && o.verdict != PEER_EXPIRED && o.verdict != PEER_MALFORMED) {
		neighbours_know(n, r.fingerprint);
		known = true;
	}
	if (o.wants_proof)
		proving_submit(n, &r, &parts, d.certificate, from, known);
	if (d.kind == PRESENCE_QUERY && o.verdict != PEER_SELF)
		answer(n, from, known);
	else if (asked)
		probe_answered(n, from, r.fingerprint, o.verdict);
	presence_parts_fini(&parts);
}

struct proof *neighbours_prove(struct neighbours *n, const char *fingerprint, const struct presence_parts *parts,
			       struct bytes *certificate, const struct addr *from, proof_done *done, void *arg)
{
	struct presence_record r;
	struct err_info info;
	const struct peer *p;
	enum err code = presence_parts_open(parts, &r, &info);
	if (code == OK && strcmp(r.fingerprint, fingerprint) != 0)
		code = ERR_CRYPTO;
	if (code == OK && r.expires_ms <= clock_now_ms(n->engine->clock))
		code = ERR_TIMEOUT;
	if (code)
		return proof_decided(n, code, NULL, done, arg);
	struct peer_outcome o = take(n, &r, parts, bytes_span(certificate), PEER_MANUAL, from, false);
	p = peer_table_get(n->table, fingerprint);
	if (p && p->proven && memcmp(p->key, r.key, sizeof r.key) == 0)
		return proof_decided(n, OK, r.key, done, arg);
	if (o.verdict == PEER_FULL || o.verdict == PEER_SELF || o.verdict == PEER_MALFORMED || o.verdict == PEER_EXPIRED)
		return proof_decided(n, ERR_REFUSED, NULL, done, arg);
	if (!proving_submit(n, &r, parts, bytes_span(certificate), from, p && p->known))
		return proof_decided(n, ERR_REFUSED, NULL, done, arg);
	return proof_wait(n, &r, done, arg);
}

void neighbours_learn(struct neighbours *n, const char *fingerprint, const struct presence_parts *parts,
		      const struct addr *from)
{
	struct presence_record r;
	struct err_info info;
	if (!parts->record || presence_parts_open(parts, &r, &info) || strcmp(r.fingerprint, fingerprint) != 0)
		return;
	const struct certificate_entry *keys = certificates_get(&n->certificates, fingerprint);
	struct span certificate = keys ? bytes_span(keys->certificate) : span(NULL, 0);
	struct peer_outcome o = take(n, &r, parts, certificate, PEER_MANUAL, from, false);
	if (o.wants_proof && certificate.len)
		proving_submit(n, &r, parts, certificate, from, true);
}

// --- reading and marking -------------------------------------------------------------------------------------------------------

enum err neighbours_find(struct neighbours *n, const char *text, const struct peer **out, struct err_info *info)
{
	return peer_table_find(n->table, text, out, info);
}

const struct peer *neighbours_get(struct neighbours *n, const char *fingerprint)
{
	return peer_table_get(n->table, fingerprint);
}

const char *neighbours_name(struct neighbours *n, const char *fingerprint)
{
	const struct identity *i = &n->engine->identity;
	const struct peer *p = peer_table_get(n->table, fingerprint);
	if (i->state != IDENTITY_NONE && strcmp(i->row.fingerprint, fingerprint) == 0)
		return i->row.name;
	return p ? p->name : "";
}

bool neighbours_is_pinned(struct neighbours *n, const char *fingerprint)
{
	const struct peer *p = peer_table_get(n->table, fingerprint);
	return p && p->pinned;
}

bool neighbours_knows_host(struct neighbours *n, const struct addr *from)
{
	for (size_t i = 0; i < peer_table_count(n->table); i++) {
		const struct peer *p = peer_table_at(n->table, i);
		for (size_t k = 0; p->known && k < p->addresses.count; k++)
			if (p->addresses.at[k].confirmed_ms && // not what somebody only named
			    memcmp(p->addresses.at[k].endpoint.ip, from->ip, sizeof from->ip) == 0)
				return true;
	}
	return false;
}

void neighbours_know(struct neighbours *n, const char *fingerprint)
{
	const struct peer *p = peer_table_get(n->table, fingerprint);
	if (p && p->known)
		return;
	if (peer_table_know(n->table, fingerprint, PEER_MANUAL))
		engine_warn(n->engine, "the table of peers is full: forget some");
	save(n, fingerprint);
}

void neighbours_pin(struct neighbours *n, const char *fingerprint)
{
	if (peer_table_pin(n->table, fingerprint, true))
		engine_warn(n->engine, "the table of peers is full: forget some");
	save(n, fingerprint);
}

void neighbours_linked(struct neighbours *n, const char *fingerprint, bool linked)
{
	if (!peer_table_linked(n->table, fingerprint, linked, clock_now_ms(n->engine->clock)))
		return;
	const struct peer *p = peer_table_get(n->table, fingerprint);
	engine_emit(n->engine, p->online ? "peer.seen" : "peer.lost", "peer", neighbours_view(p));
}

void neighbours_confirm(struct neighbours *n, const char *fingerprint, const struct addr *at)
{
	if (peer_table_confirm(n->table, fingerprint, at, clock_now_ms(n->engine->clock)))
		save(n, fingerprint);
}

void neighbours_failed(struct neighbours *n, const char *fingerprint, const struct addr *at)
{
	(void)peer_table_fail(n->table, fingerprint, at);
}

void neighbours_disproven(struct neighbours *n, const struct prove_check *check)
{
	struct hash h = hash_of(bytes_span(check->certification));
	bool was_online = false;
	if (!peer_table_disproven(n->table, check->fingerprint, check->key, &h, &was_online))
		return;
	certificates_drop(&n->certificates, check->fingerprint);
	if (was_online)
		tell_gone(n, check->fingerprint);
}

void neighbours_proven(struct neighbours *n, const char *fingerprint, const struct peer_outcome *o)
{
	const struct peer *p = peer_table_get(n->table, fingerprint);
	if (p && o->seen)
		engine_emit(n->engine, "peer.seen", "peer", neighbours_view(p));
	save(n, fingerprint);
}

enum err neighbours_forget(struct neighbours *n, const struct peer *p, struct err_info *info)
{
	char fingerprint[41];
	memcpy(fingerprint, p->fingerprint, sizeof fingerprint);
	enum err code = store_peer_delete(n->engine->store, fingerprint, info);
	if (code && code != ERR_NOT_FOUND)
		return code;
	certificates_drop(&n->certificates, fingerprint);
	return peer_table_forget(n->table, fingerprint);
}

json_t *neighbours_view(const struct peer *p)
{
	json_t *addresses = json_array();
	for (size_t i = 0; i < p->addresses.count; i++) {
		char text[ADDR_TEXT_MAX];
		json_array_append_new(addresses, json_string(addr_format(&p->addresses.at[i].endpoint, text)));
	}
	return json_pack("{s:s, s:s, s:o, s:s, s:I, s:b, s:b, s:b}", "fingerprint", p->fingerprint, "name", p->name,
			 "addresses", addresses, "source", peer_source_name(p->source), "last_seen",
			 (json_int_t)p->last_seen_ms, "proven", p->proven, "verified", p->pinned, "online", p->online);
}
