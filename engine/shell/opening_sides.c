// SPDX-License-Identifier: GPL-3.0-or-later
// The two sides of an opening before their machines run: asking, answering, and what happens when both ask (P2.9).
#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "discussion/arbitration.h"
#include "shell/opening.h"
#include "shell/opening_work.h"
#include "shell/proving.h"
#include "shell/own_presence.h"
#include "shell/shell.h"
#include "wire/frame.h"

#define PROOF_TIMEOUT_MS 10000

static void fill_config(struct opening *o, struct handshake_config *c)
{
	struct engine *e = o->engine;
	*c = (struct handshake_config){.role = o->role,
				       .random = e->random,
				       .general = bytes_span(e->identity.row.certificate),
				       .idle_ms = e->options.handshake_timeout_s * 1000,
				       .person_ms = e->options.request_timeout_s * 1000};
	memcpy(c->own, e->identity.row.fingerprint, sizeof c->own);
}

static void fill_key(struct handshake_key *out, const struct fresh_key *key)
{
	out->certificate = bytes_span(key->certificate);
	memcpy(out->fingerprint, key->info.primary.fingerprint, sizeof out->fingerprint);
	key_id_format(key->info.subkeys[key->info.encryption].id, out->key);
}

// --- asking ----------------------------------------------------------------------------------------------------------------------

// There is a certificate, and its owner is still to be proven: a moment of patience, for that is under way.
static bool awaits_proof(struct opening *o)
{
	struct neighbours *n = &o->engine->neighbours;
	const struct peer *p = neighbours_get(n, o->other);
	const struct certificate_entry *keys = certificates_get(&n->certificates, o->other);
	return p && !p->proven && keys && keys->certificate;
}

static void patience_over(void *arg)
{
	struct opening *o = arg;
	opening_refused(o, LIFECYCLE_REASON_UNPROVEN, "the presence key's certification was not proven in time");
}

static void go_and_ask(struct opening *o)
{
	if (awaits_proof(o)) {
		o->waits_for_proof = true;
		timer_start(o->engine->loop, &o->deadline, PROOF_TIMEOUT_MS, patience_over, o);
	} else {
		opening_dial(o);
	}
}

// An adopted key may have been renewed on the way.
static enum err take_own(struct opening *o, struct err_info *info)
{
	struct engine *e = o->engine;
	const struct presence_parts *own;
	enum err code = own_presence_get(&e->neighbours, &own, info);
	if (code == OK)
		handshake_renew(o->machine, bytes_span(e->identity.row.certificate), own);
	return code;
}

static void key_reached(void *arg, enum err code, const struct err_info *info, const struct key_result *result)
{
	struct opening *o = arg;
	struct err_info own = *info;
	(void)result;
	o->reach = NULL;
	o->works_used--;
	if (o->over) {
		opening_release(o);
		return;
	}
	if (code == OK)
		code = take_own(o, &own);
	if (code == OK) {
		go_and_ask(o);
		return;
	}
	engine_warn(o->engine, "your key could not be used: %s", own.text);
	opening_refused(o, LIFECYCLE_REASON_LOCKED, own.text);
}

// An adopted key's agent may have to ask its person, who takes as long as people do: before the other side waits, not while.
static enum err reach_key(struct opening *o, struct err_info *info)
{
	enum err code = identity_reach_start(&o->engine->identity, key_reached, o, &o->reach, info);
	if (code == OK)
		o->works_used++;
	return code;
}

// Where the other has asked already, both ask at once as well (P2.9), only slowly.
static void begin_asking(void *arg)
{
	struct opening *o = arg;
	struct engine *e = o->engine;
	struct err_info info;
	for (struct opening *request = e->discussions.openings; request && !o->over; request = request->next)
		if (opening_is_request(request) && strcmp(request->other, o->other) == 0)
			opening_decide(request);
	if (o->over)
		return;
	if (!identity_is_adopted(&e->identity))
		go_and_ask(o);
	else if (reach_key(o, &info))
		opening_refused(o, LIFECYCLE_REASON_LOCKED, info.text);
}

static enum err start_machine(struct opening *o, const struct opening_request *r, struct err_info *info)
{
	struct engine *e = o->engine;
	struct handshake_config config;
	const struct presence_parts *own;
	const struct certificate_entry *keys = certificates_get(&e->neighbours.certificates, o->other);
	enum err code = own_presence_get(&e->neighbours, &own, info);
	if (code)
		return code;
	fill_config(o, &config);
	memcpy(config.other, o->other, sizeof config.other);
	config.mode = r->mode;
	config.charter = r->charter;
	config.password = r->password;
	if (keys && keys->certificate)
		config.other_general = bytes_span(keys->certificate);
	fill_key(&config.key, &o->key);
	config.presence = *own;
	config.presence_key = e->identity.presence_secret;
	o->machine = handshake_new(&config);
	return OK;
}

enum err opening_ask(struct engine *e, const struct opening_request *r, struct discussion **out, struct err_info *info)
{
	struct opening *o = opening_new(e, HANDSHAKE_INITIATOR);
	const struct peer *p = neighbours_get(&e->neighbours, r->other);
	memcpy(o->other, r->other, sizeof o->other);
	o->mode = r->mode;
	o->password = secret_ref(r->password);
	o->key = *r->key;
	*r->key = (struct fresh_key){0};
	o->addresses = p->addresses;
	enum err code = start_machine(o, r, info);
	if (code == OK) {
		struct discussion_birth birth = {.id = handshake_id(o->machine),
						 .other = o->other,
						 .mode = o->mode,
						 .charter = r->charter,
						 .key = &o->key};
		code = discussion_create(e, &birth, &o->discussion, info);
	}
	if (code) {
		opening_finish(o);
		return code;
	}
	o->discussion->opening = o;
	o->key.home = NULL; // the discussion's from here on
	neighbours_know(&e->neighbours, o->other);
	*out = o->discussion;
	loop_defer(e->loop, &o->turn, begin_asking, o);
	return OK;
}

void openings_peer_proven(struct engine *e, const char *fingerprint)
{
	for (struct opening *o = e->discussions.openings; o; o = o->next) {
		if (o->over || !o->waits_for_proof || strcmp(o->other, fingerprint) != 0 || awaits_proof(o))
			continue;
		o->waits_for_proof = false;
		timer_cancel(e->loop, &o->deadline);
		opening_dial(o);
	}
}

// --- answering ---------------------------------------------------------------------------------------------------------------------

void opening_answer(struct engine *e, struct link *link, const struct addr *source, bool known, struct span hello)
{
	struct handshake_config config;
	struct opening *o = opening_new(e, HANDSHAKE_RESPONDER);
	o->link = link;
	o->source = *source;
	o->source_known = known;
	o->half_open = true;
	link_set_callbacks(link, &opening_link_callbacks, o);
	link_set_idle(link, 0); // the machine has its own deadlines
	fill_config(o, &config);
	o->machine = handshake_new(&config);
	const struct handshake_event start = {.type = HANDSHAKE_EVENT_START};
	const struct handshake_event event = {.type = HANDSHAKE_EVENT_FRAME,
					      .frame = {.kind = FRAME_RECORD, .payload = hello}};
	opening_feed(o, &start);
	opening_feed(o, &event);
}

static void key_came(void *arg, enum err code, const struct err_info *info, struct fresh_key *key)
{
	struct opening *o = arg;
	struct handshake_event event = {.type = HANDSHAKE_EVENT_ACCEPT};
	if (code) {
		log_warn("the request of %.8s cannot be answered: %s", o->other, info->text);
		opening_end(o, HANDSHAKE_REASON_BUSY);
		return;
	}
	o->key = *key;
	discussion_take_key(o->discussion, &o->key);
	o->key.home = NULL; // the discussion's from here on
	event.accept.password = o->password;
	fill_key(&event.accept.key, &o->key);
	opening_feed(o, &event);
}

static void accept_now(void *arg)
{
	struct opening *o = arg;
	struct fresh_key key;
	if (spare_take(&o->engine->spare, &key))
		key_came(o, OK, NULL, &key);
	else
		spare_wait(&o->engine->spare, &o->key_waiter, key_came, o);
}

enum err opening_accept(struct opening *o, struct secret *password, struct err_info *info)
{
	if (o->mode == HANDSHAKE_PASSWORD && !password)
		return err_set(info, ERR_BAD_PARAMS, "the parameter 'password' is missing: this request asks for one");
	if (o->mode == HANDSHAKE_PINNED && password)
		return err_set(info, ERR_BAD_PARAMS, "this request is in mode pinned, where no password is given");
	enum err code = discussion_step(o->discussion, LIFECYCLE_ACCEPT, LIFECYCLE_NO_REASON, info);
	if (code)
		return code;
	o->discussion->held_back = false; // also one that was never shown is there for all to see from now on
	o->password = secret_ref(password);
	o->asked_ms = loop_now_ms(o->engine->loop);
	neighbours_know(&o->engine->neighbours, o->other);
	loop_defer(o->engine->loop, &o->turn, accept_now, o);
	return OK;
}

void opening_end(struct opening *o, enum handshake_reason reason)
{
	const struct handshake_event event = {.type = HANDSHAKE_EVENT_END, .end = {.reason = reason}};
	if (o->over)
		return;
	if (o->machine && o->connected + (o->role == HANDSHAKE_RESPONDER))
		opening_feed(o, &event);
	else
		opening_refused(o, opening_reason(reason), "called back before the link was up");
}

static void announce(struct opening *o)
{
	if (discussion_is_held_back(o->discussion))
		discussion_announce_request(o->discussion);
}

// P2.9. Also called again when an own request to the same person begins or has ended.
void opening_decide(struct opening *o)
{
	struct engine *e = o->engine;
	struct opening *own = discussions_own_request(e, o->other, o);
	struct err_info info;
	if (o->discussion->life.state != LIFECYCLE_REQUESTED)
		return; // decided
	switch (arbitrate(own != NULL, e->identity.row.fingerprint, own ? own->mode : o->mode, o->other, o->mode)) {
	case ARBITRATION_ASK:
		announce(o);
		gpg_expect_open(e->gpg, e->identity.home, true); // M3 is opened once it is accepted
		break;
	case ARBITRATION_YIELD:
		assert(own);
		opening_end(own, HANDSHAKE_REASON_SUPERSEDED);
		announce(o);
		break;
	case ARBITRATION_ANSWER:
		assert(own);
		if (opening_accept(o, own->password, &info))
			log_warn("the request of %.8s could not be answered: %s", o->other, info.text);
		break;
	case ARBITRATION_HOLD:
		break;
	case ARBITRATION_REFUSE:
		opening_end(o, HANDSHAKE_REASON_SUPERSEDED);
		break;
	}
}

void openings_decide_again(struct engine *e, const char *other)
{
	for (struct opening *o = e->discussions.openings; o; o = o->next)
		if (opening_is_request(o) && strcmp(o->other, other) == 0 && discussion_is_held_back(o->discussion))
			opening_decide(o);
}
