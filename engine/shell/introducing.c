// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/introducing.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/own_presence.h"
#include "shell/proving.h"
#include "shell/shell.h"
#include "wire/frame.h"
#include "wire/handshake.h"

#define FRAME_MAX FRAME_CAP_STRANGER

// --- telling ----------------------------------------------------------------------------------------------------------------

static bool is_own(const struct engine *e, struct span wanted)
{
	struct certificate_wanted_record r;
	return certificate_wanted_decode(&r, wanted, NULL) == OK && hash_equal(&r.hash, &e->identity.certificate_hash);
}

static enum err tell(struct engine *e, struct link *link)
{
	const struct presence_parts *own;
	struct err_info info;
	struct buf text;
	enum err code = own_presence_get(&e->neighbours, &own, &info);
	if (code)
		return code;
	buf_init(&text, FRAME_MAX);
	code = introduction_encode(own, &text, &info);
	struct bytes *record = buf_take(&text);
	if (code == OK)
		code = link_send(link, FRAME_RECORD, record);
	if (code == OK)
		code = link_send(link, FRAME_CERTIFICATE, e->identity.row.certificate);
	bytes_unref(record);
	return code;
}

void introduce(struct engine *e, struct link *link, const struct addr *source, bool known, struct span wanted)
{
	struct limits *limits = e->neighbours.limits;
	const char *why = NULL;
	limits_half_open_give(limits, source, known);
	if (!is_own(e, wanted))
		why = "unknown_certificate";
	else if (limits_take(limits, LIMIT_INTRODUCE, source, known, loop_now_ms(e->loop)) != LIMIT_PASS)
		why = "limit";
	else if (tell(e, link))
		why = "no_introduction";
	metrics_count(&e->metrics, why ? "links_dropped" : "introductions_told", why);
	if (why)
		link_free(link);
	else
		network_let_go(&e->network, link);
}

// --- asking -----------------------------------------------------------------------------------------------------------------

struct introduction {
	struct neighbours *neighbours;
	struct introduction *next, **link_in_list;
	struct link *link;
	struct timer deadline;
	struct addr at;
	enum peer_source source;
	bool known;
	char fingerprint[41];
	struct hash general;
	uint8_t key[PRESENCE_KEY_LEN];
	struct presence_record record; // told
	struct presence_parts parts;   // empty until then
};

static void end(struct introduction *i, const char *outcome)
{
	struct engine *e = i->neighbours->engine;
	metrics_count(&e->metrics, "introductions_asked", outcome);
	timer_cancel(e->loop, &i->deadline);
	*i->link_in_list = i->next;
	if (i->next)
		i->next->link_in_list = i->link_in_list;
	link_free(i->link);
	presence_parts_fini(&i->parts);
	free(i);
}

static void on_connected(void *arg)
{
	struct introduction *i = arg;
	const struct certificate_wanted_record r = {.hash = i->general};
	struct buf text;
	buf_init(&text, FRAME_MAX);
	enum err code = certificate_wanted_encode(&r, &text, NULL);
	struct bytes *record = buf_take(&text);
	if (code == OK)
		code = link_send(i->link, FRAME_RECORD, record);
	bytes_unref(record);
	if (code)
		end(i, "failed");
}

// Of the same person, key and certificate as what made us ask.
static bool take_record(struct introduction *i, struct span text)
{
	const struct presence_record *r = &i->record;
	struct presence_parts parts;
	struct err_info info;
	if (i->parts.record || introduction_decode(&parts, text, &info))
		return false;
	i->parts = parts;
	return presence_parts_open(&i->parts, &i->record, &info) == OK && strcmp(r->fingerprint, i->fingerprint) == 0 &&
	       hash_equal(&r->general, &i->general) && memcmp(r->key, i->key, sizeof r->key) == 0;
}

static bool take_certificate(struct introduction *i, struct span certificate)
{
	struct neighbours *n = i->neighbours;
	struct hash h = hash_of(certificate);
	if (!i->parts.record || !hash_equal(&h, &i->general))
		return false;
	(void)neighbours_take(n, &i->record, &i->parts, certificate, i->source, &i->at, true);
	const struct peer *p = neighbours_get(n, i->fingerprint);
	bool proven = p && p->proven && memcmp(p->key, i->key, sizeof i->key) == 0;
	return proven || proving_submit(n, &i->record, &i->parts, certificate, &i->at, i->known);
}

static void on_frame(void *arg, uint8_t kind, struct span payload, bool encrypted)
{
	struct introduction *i = arg;
	(void)encrypted;
	if (kind == FRAME_RECORD && take_record(i, payload))
		return; // the certificate follows
	end(i, kind == FRAME_CERTIFICATE && take_certificate(i, payload) ? "taken" : "refused");
}

static void on_ended(void *arg, enum link_end why, const struct err_info *info)
{
	struct introduction *i = arg;
	log_debug("no introduction of %.8s: %s", i->fingerprint, info ? info->text : link_end_name(why));
	end(i, "unreachable");
}

static void on_late(void *arg)
{
	end(arg, "late");
}

// Whether one more may be asked for.
static bool has_room(const struct neighbours *n, const struct presence_record *r, const struct addr *at, bool known)
{
	size_t count = 0, strangers = 0;
	for (const struct introduction *i = n->introductions; i; i = i->next) {
		if (strcmp(i->fingerprint, r->fingerprint) == 0 && addr_equal(&i->at, at))
			return false;
		count++;
		strangers += !i->known;
	}
	return count < INTRODUCTIONS_MAX && (known || strangers < INTRODUCTIONS_STRANGERS_MAX);
}

void introduction_ask(struct neighbours *n, const struct presence_record *r, const struct addr *at, enum peer_source source,
		      bool known)
{
	static const struct link_callbacks callbacks = {.connected = on_connected, .frame = on_frame, .ended = on_ended};
	struct engine *e = n->engine;
	struct err_info info;
	if (!has_room(n, r, at, known) ||
	    limits_take(n->limits, LIMIT_FETCH, at, known, loop_now_ms(e->loop)) != LIMIT_PASS) {
		metrics_count(&e->metrics, "introductions_asked", "limit");
		return;
	}
	struct introduction *i = mem_alloc(sizeof *i);
	*i = (struct introduction){.neighbours = n, .at = *at, .source = source, .known = known, .general = r->general};
	memcpy(i->fingerprint, r->fingerprint, sizeof i->fingerprint);
	memcpy(i->key, r->key, sizeof i->key);
	if (link_connect(&i->link, e->loop, at, INTRODUCTION_TIMEOUT_MS, &callbacks, i, &info)) {
		log_debug("no introduction of %.8s: %s", r->fingerprint, info.text);
		free(i);
		return;
	}
	timer_start(e->loop, &i->deadline, INTRODUCTION_TIMEOUT_MS, on_late, i);
	i->next = n->introductions;
	i->link_in_list = &n->introductions;
	if (i->next)
		i->next->link_in_list = &i->next;
	n->introductions = i;
}

void introductions_cancel(struct neighbours *n)
{
	while (n->introductions)
		end(n->introductions, "asleep");
}
