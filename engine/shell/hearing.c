// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/hearing.h"

#include <string.h>

#include "base/log.h"
#include "shell/introducing.h"
#include "shell/own_presence.h"
#include "shell/probe.h"
#include "shell/proving.h"
#include "shell/shell.h"

static const char *const drop_names[HEARING_DROP_COUNT] = {
	[HEARING_ASLEEP] = "asleep",		  [HEARING_BROADCAST] = "broadcast",
	[HEARING_FORM] = "malformed",		  [HEARING_UNASKED] = "unasked",
	[HEARING_ECHO] = "echo",		  [HEARING_SOURCE] = "limit_source",
	[HEARING_HOST] = "limit_host",		  [HEARING_ALL] = "limit_all",
	[HEARING_RECORD] = "record",		  [HEARING_SIGNATURE] = "signature",
};

// --- whether to look into it --------------------------------------------------------------------------------------------------

static bool may_come(struct engine *e, const struct presence_datagram *d, const struct addr *from, enum hearing_way way,
		     bool *probed)
{
	*probed = false;
	if (way == HEARING_LAN)
		return d->kind != PRESENCE_ANSWER;
	if (d->kind != PRESENCE_ANSWER)
		return d->kind == PRESENCE_QUERY;
	*probed = probe_awaits(&e->neighbours, from);
	return *probed || lan_shell_awaits(&e->lan, from);
}

// OK, or why not. Whether somebody is known is looked up only where strangers are too many.
static enum limit_answer may_cost(struct engine *e, const struct addr *from, bool probed)
{
	struct neighbours *n = &e->neighbours;
	int64_t now = loop_now_ms(e->loop);
	enum limit_answer answer = LIMIT_ALL;
	if (!probed)
		answer = limits_take(n->limits, LIMIT_HEAR, from, false, now);
	if (answer != LIMIT_PASS && (probed || neighbours_knows_host(n, from)))
		answer = limits_take(n->limits, LIMIT_HEAR, from, true, now);
	return answer;
}

static bool examine(struct engine *e, const struct udp_arrival *a, enum hearing_way way, struct presence_datagram *d, bool *probed,
		    enum hearing_drop *why)
{
	static const enum hearing_drop limit_reasons[LIMIT_ANSWER_COUNT] = {
		[LIMIT_SOURCE] = HEARING_SOURCE, [LIMIT_HOST] = HEARING_HOST, [LIMIT_ALL] = HEARING_ALL};
	struct err_info info;
	*why = HEARING_ASLEEP;
	if (!e->awake)
		return false;
	*why = HEARING_BROADCAST;
	if (way == HEARING_DIRECT && a->to_all)
		return false;
	*why = HEARING_FORM;
	if (presence_datagram_decode(d, a->datagram, &info))
		return false;
	*why = HEARING_ECHO;
	if (own_presence_is(&e->neighbours, d))
		return false;
	*why = HEARING_UNASKED;
	if (!may_come(e, d, &a->from, way, probed))
		return false;
	enum limit_answer limit = may_cost(e, &a->from, *probed);
	*why = limit_reasons[limit];
	return limit == LIMIT_PASS;
}

// --- what it says ---------------------------------------------------------------------------------------------------------------

static void answer_probe(struct neighbours *n, const struct addr *from, bool known)
{
	struct err_info info;
	enum limit_answer limit = limits_take(n->limits, LIMIT_PROBE_ANSWER, from, known, loop_now_ms(n->engine->loop));
	if (limit != LIMIT_PASS) {
		metrics_count(&n->engine->metrics, "answers_refused", limit == LIMIT_SOURCE ? "source" : "all");
		return;
	}
	if (own_presence_send(n, PRESENCE_ANSWER, from, &info))
		log_warn("no presence answer: %s", info.text);
}

// What it has no room for may be known already, or is asked for (P1.2).
static void prove(struct neighbours *n, const struct presence_record *r, const struct presence_parts *parts,
		  struct span certificate, const struct addr *from, enum peer_source source, bool known)
{
	const struct certificate_entry *keys = certificates_get(&n->certificates, r->fingerprint);
	struct hash h = keys ? hash_of(bytes_span(keys->certificate)) : (struct hash){0};
	if (!certificate.len && keys && hash_equal(&h, &r->general))
		certificate = bytes_span(keys->certificate);
	if (certificate.len && parts->certification->len)
		proving_submit(n, r, parts, certificate, from, known);
	else
		introduction_ask(n, r, from, source, known);
}

static void take(struct engine *e, const struct udp_arrival *a, enum hearing_way way, const struct presence_datagram *d,
		 const struct presence_record *r, bool probed)
{
	struct neighbours *n = &e->neighbours;
	const struct addr *from = &a->from;
	bool manual = probed || (way == HEARING_DIRECT && d->kind == PRESENCE_QUERY);
	struct presence_parts parts = {.record = bytes_new_span(d->record), .certification = bytes_new_span(d->certification)};
	memcpy(parts.signature, d->signature, sizeof parts.signature);
	enum peer_source source = manual ? PEER_MANUAL : PEER_LAN;
	struct peer_outcome o = neighbours_take(n, r, &parts, d->certificate, source, from, true);
	neighbours_compare_clocks(n, r);
	bool known = o.known; // naming a known peer makes nobody known
	if (probed && o.verdict != PEER_SELF && o.verdict != PEER_EXPIRED && o.verdict != PEER_MALFORMED) {
		neighbours_know(n, r->fingerprint);
		known = true;
	}
	if (o.wants_proof)
		prove(n, r, &parts, d->certificate, from, source, known);
	if (d->kind == PRESENCE_QUERY && o.verdict != PEER_SELF && way == HEARING_LAN)
		lan_shell_asked(&e->lan, from, d->signature, known);
	else if (d->kind == PRESENCE_QUERY && o.verdict != PEER_SELF)
		answer_probe(n, from, known);
	else if (probed)
		probe_answered(n, from, r->fingerprint, o.verdict);
	presence_parts_fini(&parts);
}

void hearing_take(struct engine *e, const struct udp_arrival *a, enum hearing_way way)
{
	struct hearing *h = &e->hearing;
	struct presence_datagram d;
	struct presence_record r;
	struct err_info info;
	enum hearing_drop why;
	bool probed;
	if (!examine(e, a, way, &d, &probed, &why)) {
		h->dropped[way][why]++;
		return;
	}
	enum err code = presence_datagram_open(a->datagram, &d, &r, &info);
	if (code) {
		h->dropped[way][code == ERR_CRYPTO ? HEARING_SIGNATURE : HEARING_RECORD]++;
		return;
	}
	h->taken[way]++;
	take(e, a, way, &d, &r, probed);
}

void hearing_gather(const struct hearing *h, struct metrics *m)
{
	static const char *const families[HEARING_WAY_COUNT] = {"datagrams_dropped", "lan_datagrams_dropped"};
	for (int way = 0; way < HEARING_WAY_COUNT; way++)
		for (int why = 0; why < HEARING_DROP_COUNT; why++)
			if (h->dropped[way][why])
				metrics_set(m, families[way], drop_names[why], h->dropped[way][why]);
	metrics_set(m, "datagrams_taken", "direct", h->taken[HEARING_DIRECT]);
	metrics_set(m, "datagrams_taken", "lan", h->taken[HEARING_LAN]);
}
