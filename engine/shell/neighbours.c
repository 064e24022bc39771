// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/neighbours.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "peers/lru.h"
#include "shell/introducing.h"
#include "shell/own_presence.h"
#include "shell/probe.h"
#include "shell/proving.h"
#include "shell/shell.h"
#include "store/peers.h"

#define SWEEP_MS 1000
#define KNOWN_HOSTS_MAX 4096
#define CERTIFICATES_SWEEPS 10 // the certificates is swept every so many sweeps

static void known_hosts_changed(struct neighbours *n)
{
	lru_free(n->known_hosts);
	n->known_hosts = NULL;
}

// --- the store's rows -------------------------------------------------------------------------------------------------------

// Strangers are not kept: they come again by themselves.
static void save(struct neighbours *n, const char *fingerprint)
{
	struct engine *e = n->engine;
	struct err_info info;
	const struct peer *p = peer_table_get(n->table, fingerprint);
	if (!p || !p->known || !store_unlocked(e->store))
		return;
	known_hosts_changed(n);
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
	if (store_peer_put(e->store, &row, &info)) {
		n->rows_wait = true;
		health_store_failed(e, &info, "a peer could not be stored");
	}
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

// What proves nothing may come in any number; front ends are told of a few a second, and of the rest once they are proven.
static void tell_seen(struct neighbours *n, const struct peer *p)
{
	struct certificate_entry *keys = certificates_get(&n->certificates, p->fingerprint);
	const struct addr nowhere = {0}; // no cap of a source's own
	bool stranger = keys && !p->proven && !p->known && !p->linked;
	if (stranger && limits_take(n->limits, LIMIT_TELL, &nowhere, false, loop_now_ms(n->engine->loop)) != LIMIT_PASS) {
		keys->untold = true;
		metrics_count(&n->engine->metrics, "events_withheld", "peer.seen");
		return;
	}
	if (keys)
		keys->untold = false;
	engine_emit(n->engine, "peer.seen", "peer", neighbours_view(p));
}

static bool was_told(struct neighbours *n, const char *fingerprint)
{
	const struct certificate_entry *keys = certificates_get(&n->certificates, fingerprint);
	return !keys || !keys->untold;
}

static void tell_lost(void *arg, const struct peer *p)
{
	struct neighbours *n = arg;
	if (was_told(n, p->fingerprint))
		engine_emit(n->engine, "peer.lost", "peer", neighbours_view(p));
}

// An entry that is gone already can only be named.
static void tell_gone(struct neighbours *n, const char *fingerprint, bool was_online)
{
	if (was_online && was_told(n, fingerprint))
		engine_emit(n->engine, "peer.lost", "peer", json_pack("{s:s, s:b}", "fingerprint", fingerprint, "online", 0));
	certificates_drop(&n->certificates, fingerprint);
}

static void sweep(void *arg)
{
	struct neighbours *n = arg;
	peer_table_sweep(n->table, clock_now_ms(n->engine->clock), tell_lost, n);
	if (++n->sweeps % CERTIFICATES_SWEEPS == 0)
		certificates_sweep(&n->certificates, is_there, n);
	timer_start(n->engine->loop, &n->sweep, SWEEP_MS, sweep, n);
}

static struct peer_table *make_table(const struct options *o)
{
	struct peer_table_config c = peer_table_standard;
	c.entries = (size_t)o->peers_max;
	c.per_source = (size_t)o->peers_per_source;
	c.per_host = (size_t)o->peers_per_host;
	return peer_table_new(&c);
}

static void set_pace(struct limit_rate *rate, int64_t per_second)
{
	rate->period_ms = (1000 + per_second - 1) / per_second; // at most so many
}

static struct limits *make_limits(const struct options *o)
{
	struct limits_config c = limits_standard;
	set_pace(&c.all[LIMIT_HEAR], o->datagrams_per_second);
	set_pace(&c.hear_known, o->datagrams_per_second);
	set_pace(&c.hear_host, o->datagrams_per_host);
	set_pace(&c.per_source[LIMIT_HEAR], o->datagrams_per_source);
	set_pace(&c.all[LIMIT_GPG], o->checks_per_second);
	c.per_source[LIMIT_GPG].period_ms = o->check_pause_s * 1000;
	c.per_source[LIMIT_LAN_ANSWER].period_ms = o->answer_pause_s * 1000;
	c.answers_all.most = (size_t)o->answers_per_second;
	return limits_new(&c);
}

void neighbours_init(struct neighbours *n, struct engine *e)
{
	n->engine = e;
	n->table = make_table(&e->options);
	n->limits = make_limits(&e->options);
	n->prove = prove_new(NULL, n->limits);
}

void neighbours_wake(struct neighbours *n)
{
	struct err_info info;
	peer_table_set_self(n->table, n->engine->identity.row.fingerprint);
	known_hosts_changed(n);
	if (store_peer_each(n->engine->store, load_row, n, &info))
		engine_warn(n->engine, "the stored peers could not be read: %s", info.text);
	timer_start(n->engine->loop, &n->sweep, SWEEP_MS, sweep, n);
}

void neighbours_recover(struct neighbours *n)
{
	if (!n->rows_wait)
		return;
	n->rows_wait = false;
	for (size_t i = 0; i < peer_table_count(n->table); i++)
		save(n, peer_table_at(n->table, i)->fingerprint);
}

void neighbours_sleep(struct neighbours *n)
{
	timer_cancel(n->engine->loop, &n->sweep);
	probes_cancel(n);
	introductions_cancel(n);
	proving_cancel(n);
	own_presence_renew(n);
}

void neighbours_fini(struct neighbours *n)
{
	neighbours_sleep(n);
	certificates_fini(&n->certificates);
	known_hosts_changed(n);
	prove_free(n->prove);
	limits_free(n->limits);
	peer_table_free(n->table);
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

struct peer_outcome neighbours_take(struct neighbours *n, const struct presence_record *r, const struct presence_parts *parts,
				    struct span certificate, enum peer_source source, const struct addr *from, bool direct)
{
	struct engine *e = n->engine;
	struct peer_record record;
	to_table_form(r, bytes_span(parts->certification), &record);
	struct peer_outcome o = peer_table_feed(n->table, &record, source, from, direct, clock_now_ms(e->clock));
	if (o.evicted[0])
		tell_gone(n, o.evicted, o.evicted_online);
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
		tell_seen(n, p);
	if (o.changed)
		save(n, r->fingerprint);
	metrics_count(&e->metrics, "presence_records", peer_verdict_name(o.verdict));
	return o;
}

void neighbours_compare_clocks(struct neighbours *n, const struct presence_record *r)
{
	const struct engine *e = n->engine;
	const struct peer *p = peer_table_get(n->table, r->fingerprint);
	if (p && p->proven && memcmp(p->key, r->key, sizeof r->key) == 0)
		skew_note(&n->skew, r->fingerprint, r->issued_ms, r->expires_ms, clock_now_ms(e->clock),
			  loop_now_ms(e->loop));
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
	struct peer_outcome o = neighbours_take(n, &r, parts, bytes_span(certificate), PEER_MANUAL, from, false);
	p = peer_table_get(n->table, fingerprint);
	if (p && p->proven && memcmp(p->key, r.key, sizeof r.key) == 0)
		return proof_decided(n, OK, r.key, done, arg);
	if (o.verdict == PEER_FULL || o.verdict == PEER_SELF || o.verdict == PEER_MALFORMED || o.verdict == PEER_EXPIRED)
		return proof_decided(n, ERR_REFUSED, NULL, done, arg);
	if (!proving_submit(n, &r, parts, bytes_span(certificate), from, p && p->known))
		return proof_decided(n, ERR_REFUSED, NULL, done, arg);
	return proof_wait(n, &r, done, arg);
}

void neighbours_introduce(struct neighbours *n, const char *fingerprint, const struct presence_parts *parts,
			  struct span certificate, const struct addr *from)
{
	struct presence_record r;
	struct err_info info;
	if (!parts->record || presence_parts_open(parts, &r, &info) || strcmp(r.fingerprint, fingerprint) != 0)
		return;
	struct peer_outcome o = neighbours_take(n, &r, parts, certificate, PEER_MANUAL, from, false);
	neighbours_compare_clocks(n, &r);
	if (o.wants_proof && certificate.len)
		proving_submit(n, &r, parts, certificate, from, true);
}

void neighbours_learn(struct neighbours *n, const char *fingerprint, const struct presence_parts *parts,
		      const struct addr *from)
{
	const struct certificate_entry *keys = certificates_get(&n->certificates, fingerprint);
	struct bytes *certificate = keys ? bytes_ref(keys->certificate) : NULL;
	neighbours_introduce(n, fingerprint, parts, certificate ? bytes_span(certificate) : span(NULL, 0), from);
	bytes_unref(certificate);
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

static void gather_known_hosts(struct neighbours *n)
{
	lru_free(n->known_hosts);
	n->known_hosts = lru_new(sizeof((struct addr *)NULL)->ip, 1, KNOWN_HOSTS_MAX);
	for (size_t i = 0; i < peer_table_count(n->table); i++) {
		const struct peer *p = peer_table_at(n->table, i);
		for (size_t k = 0; p->known && k < p->addresses.count; k++)
			if (p->addresses.at[k].confirmed_ms) // not what somebody only named
				lru_put(n->known_hosts, p->addresses.at[k].endpoint.ip);
	}
}

// Asked for every datagram of a flood, so the table is not gone through each time.
bool neighbours_knows_host(struct neighbours *n, const struct addr *from)
{
	if (!n->known_hosts)
		gather_known_hosts(n);
	return lru_get(n->known_hosts, from->ip) != NULL;
}

void neighbours_know(struct neighbours *n, const char *fingerprint)
{
	const struct peer *p = peer_table_get(n->table, fingerprint);
	if (p && p->known)
		return;
	if (peer_table_know(n->table, fingerprint, PEER_MANUAL))
		engine_warn(n->engine, "the table of peers is full: forget some");
	p = peer_table_get(n->table, fingerprint);
	if (p && p->online && !was_told(n, fingerprint))
		tell_seen(n, p);
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
	if (p->online)
		tell_seen(n, p);
	else
		tell_lost(n, p);
}

void neighbours_confirm(struct neighbours *n, const char *fingerprint, const struct addr *at)
{
	if (peer_table_confirm(n->table, fingerprint, at, clock_now_ms(n->engine->clock)))
		save(n, fingerprint);
}

void neighbours_failed(struct neighbours *n, const char *fingerprint, const struct addr *at)
{
	if (peer_table_fail(n->table, fingerprint, at))
		known_hosts_changed(n);
}

void neighbours_disproven(struct neighbours *n, const struct prove_check *check)
{
	struct hash h = hash_of(bytes_span(check->certification));
	bool was_online = false;
	if (!peer_table_disproven(n->table, check->fingerprint, check->key, &h, &was_online))
		return;
	tell_gone(n, check->fingerprint, was_online);
}

void neighbours_proven(struct neighbours *n, const char *fingerprint, const struct peer_outcome *o)
{
	const struct peer *p = peer_table_get(n->table, fingerprint);
	if (p && (o->seen || (p->online && !was_told(n, fingerprint))))
		tell_seen(n, p);
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
	known_hosts_changed(n);
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
