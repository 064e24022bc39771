// SPDX-License-Identifier: GPL-3.0-or-later
// What both roles share: the machine's life, its outcomes, and the dispatch of events.
#include "discussion/handshake.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/handshake_machine.h"

// --- life -------------------------------------------------------------------------------------

void handshake_set_key(struct handshake *h, const struct handshake_key *key)
{
	h->key.certificate = bytes_new_span(key->certificate);
	h->key.hash = hash_of(key->certificate);
	memcpy(h->key.fingerprint, key->fingerprint, sizeof h->key.fingerprint);
	memcpy(h->key.key, key->key, sizeof h->key.key);
}

void handshake_set_imported(struct handshake *h, const struct handshake_event *event)
{
	memcpy(h->other_key.fingerprint, event->imported.fingerprint,
	       sizeof h->other_key.fingerprint);
	memcpy(h->other_key.key, event->imported.key, sizeof h->other_key.key);
	h->imported = true;
}

static void set_initiator(struct handshake *h, const struct handshake_config *c)
{
	memcpy(h->other, c->other, sizeof h->other);
	if (c->other_general.len) {
		h->other_general = bytes_new_span(c->other_general);
		h->other_general_hash = hash_of(c->other_general);
	}
	h->mode = c->mode;
	h->charter = bytes_new_span(span_string(c->charter));
	h->charter_hash = hash_of(bytes_span(h->charter));
	h->password = secret_ref(c->password);
	h->presence_secret = secret_ref(c->presence_key);
	h->presence = c->presence;
	bytes_ref(h->presence.record);
	bytes_ref(h->presence.certification);
	handshake_set_key(h, &c->key);
}

struct handshake *handshake_new(const struct handshake_config *config)
{
	struct handshake *h = mem_alloc(sizeof *h);
	h->role = config->role;
	h->random = config->random;
	h->idle_ms = config->idle_ms ? config->idle_ms : HANDSHAKE_IDLE_MS;
	h->person_ms = config->person_ms ? config->person_ms : HANDSHAKE_PERSON_MS;
	memcpy(h->own, config->own, sizeof h->own);
	h->general = bytes_new_span(config->general);
	h->general_hash = hash_of(config->general);
	random_fill(h->random, h->nonce, sizeof h->nonce);
	cpace_init(&h->pake, h->role == HANDSHAKE_INITIATOR ? CPACE_INITIATOR : CPACE_RESPONDER);
	if (h->role == HANDSHAKE_INITIATOR) {
		set_initiator(h, config);
		discussion_id_make(h->own, &h->key.hash, h->nonce, h->id);
	}
	return h;
}

void handshake_renew(struct handshake *h, struct span general, const struct presence_parts *presence)
{
	bytes_unref(h->general);
	h->general = bytes_new_span(general);
	h->general_hash = hash_of(general);
	bytes_ref(presence->record);
	bytes_ref(presence->certification);
	bytes_unref(h->presence.record);
	bytes_unref(h->presence.certification);
	h->presence = *presence;
}

static void key_fini(struct side_key *k)
{
	bytes_unref(k->certificate);
	bytes_unref(k->binding);
}

void handshake_free(struct handshake *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < sizeof h->m / sizeof *h->m; i++)
		bytes_unref(h->m[i]);
	bytes_unref(h->charter);
	bytes_unref(h->general);
	bytes_unref(h->other_general);
	bytes_unref(h->roster_bytes);
	bytes_unref(h->ready);
	bytes_unref(h->other_ready);
	presence_parts_fini(&h->presence);
	key_fini(&h->key);
	key_fini(&h->other_key);
	secret_unref(h->password);
	secret_unref(h->presence_secret);
	cpace_fini(&h->pake);
	sodium_memzero(h, sizeof *h);
	free(h);
}

const char *handshake_id(const struct handshake *h)
{
	return h->id;
}

const char *handshake_other(const struct handshake *h)
{
	return h->other;
}

enum handshake_mode handshake_mode(const struct handshake *h)
{
	return h->mode;
}

bool handshake_is_over(const struct handshake *h)
{
	return h->stage == STAGE_OVER;
}

// --- actions and outcomes -----------------------------------------------------------------------

struct handshake_action *handshake_act(struct handshake *h, enum handshake_action_type type)
{
	assert(h->out->count < HANDSHAKE_ACTIONS_MAX);
	struct handshake_action *x = &h->out->list[h->out->count++];
	memset(x, 0, sizeof *x);
	x->type = type;
	return x;
}

static uint32_t result_bit(enum handshake_event_type type)
{
	return UINT32_C(1) << (type - HANDSHAKE_EVENT_LOOKED_UP);
}

// Nothing is shown to the other side, and no outcome told, while one of these is on its way to
// disk: a guess counts before anything can be concluded from it (P2.2), and whether a handshake was
// refused or left opening depends on the commit.
static uint32_t on_disk(void)
{
	return result_bit(HANDSHAKE_EVENT_GUESS_SPENT) | result_bit(HANDSHAKE_EVENT_COMMITTED);
}

struct handshake_action *handshake_ask(struct handshake *h, enum handshake_action_type type,
				       enum handshake_event_type result)
{
	assert(!(h->issued & result_bit(result)));
	h->issued |= result_bit(result);
	h->awaited |= result_bit(result);
	return handshake_act(h, type);
}

bool handshake_asked(const struct handshake *h, enum handshake_event_type result)
{
	return h->issued & result_bit(result);
}

void handshake_send(struct handshake *h, enum frame_kind kind, struct bytes *payload)
{
	if (h->stage == STAGE_OVER || !payload)
		return;
	struct handshake_action *x = handshake_act(h, HANDSHAKE_SEND);
	x->send.kind = (uint8_t)kind;
	x->send.encrypted = h->ciphered;
	x->send.payload = bytes_ref(payload);
}

void handshake_enter(struct handshake *h, enum handshake_stage stage, int64_t deadline_ms)
{
	if (h->stage == STAGE_OVER)
		return;
	h->stage = stage;
	handshake_act(h, HANDSHAKE_DEADLINE)->deadline.ms = deadline_ms;
}

void handshake_end(struct handshake *h, enum handshake_reason reason, const char *detail)
{
	if (h->stage == STAGE_OVER || h->failing)
		return;
	if (h->awaited & on_disk()) {
		h->failing = true;
		h->failing_reason = reason;
		h->failing_detail = detail;
		return;
	}
	h->stage = STAGE_OVER;
	handshake_act(h, HANDSHAKE_CLOSE_LINK);
	if (h->committed) {
		handshake_act(h, HANDSHAKE_LEFT);
	} else {
		struct handshake_action *x = handshake_act(h, HANDSHAKE_REFUSED);
		x->refused.reason = reason;
		x->refused.detail = detail;
	}
}

void handshake_fail(struct handshake *h, const char *detail)
{
	handshake_end(h, HANDSHAKE_REASON_FAILED, detail);
}

void handshake_rot(struct handshake *h, const char *detail)
{
	if (!h->rot)
		h->rot = detail;
}

// --- events -------------------------------------------------------------------------------------

static void start(struct handshake *h)
{
	if (h->stage != STAGE_NEW)
		handshake_fail(h, "started twice");
	else if (h->role == HANDSHAKE_INITIATOR)
		initiator_start(h);
	else
		responder_start(h);
}

// A valid M6 says that the other side holds the discussion: it is not given up for a link.
static bool left_behind(struct handshake *h)
{
	if (h->role == HANDSHAKE_INITIATOR && h->stage == STAGE_FINISHING && !h->committed)
		h->leaving = true;
	return h->leaving;
}

static void unreadable(struct handshake *h)
{
	if (h->role == HANDSHAKE_RESPONDER)
		responder_unreadable(h);
	else if (!left_behind(h))
		handshake_fail(h, "a frame that does not open");
}

static void frame(struct handshake *h, const struct handshake_event *event)
{
	if (event->frame.encrypted != h->ciphered)
		unreadable(h);
	else if (h->role == HANDSHAKE_INITIATOR)
		initiator_frame(h, event->frame.kind, event->frame.payload);
	else
		responder_frame(h, event->frame.kind, event->frame.payload);
}

// Once M5 is out the end of the link may be the answer to it.
static enum handshake_reason silence(const struct handshake *h)
{
	return h->stage == STAGE_I_CONFIRMING || h->stage == STAGE_R_CONFIRMING ||
			       h->stage == STAGE_FINISHING
		       ? HANDSHAKE_REASON_FAILED
		       : HANDSHAKE_REASON_LOST;
}

static void link_ended(struct handshake *h)
{
	if (!left_behind(h))
		handshake_end(h, silence(h), "the link ended");
}

static void deadline(struct handshake *h)
{
	if (h->stage == STAGE_R_REQUESTED || h->stage == STAGE_I_ASKED) {
		handshake_send_refuse(h, HANDSHAKE_REASON_EXPIRED);
		handshake_end(h, HANDSHAKE_REASON_EXPIRED, "deadline");
	} else {
		handshake_end(h, silence(h), "deadline");
	}
}

static void end(struct handshake *h, enum handshake_reason reason)
{
	if (h->stage != STAGE_NEW && !h->ciphered)
		handshake_send_refuse(h, reason);
	handshake_end(h, reason, "ended here");
}

// What held back the end of a failing handshake may be known now.
static void settle(struct handshake *h, const struct handshake_event *event)
{
	if (event->type == HANDSHAKE_EVENT_COMMITTED && event->result.code == OK)
		handshake_committed(h);
	if (h->awaited & on_disk())
		return;
	h->failing = false;
	handshake_end(h, h->failing_reason, h->failing_detail);
}

static void result(struct handshake *h, const struct handshake_event *event)
{
	if (!(h->awaited & result_bit(event->type)))
		return handshake_fail(h, "a result out of turn");
	h->awaited &= ~result_bit(event->type);
	if (h->failing)
		return settle(h, event);
	if (h->role == HANDSHAKE_INITIATOR)
		initiator_result(h, event);
	else
		responder_result(h, event);
}

static void dispatch(struct handshake *h, const struct handshake_event *event)
{
	switch (event->type) {
	case HANDSHAKE_EVENT_START:
		start(h);
		break;
	case HANDSHAKE_EVENT_FRAME:
		frame(h, event);
		break;
	case HANDSHAKE_EVENT_UNREADABLE:
		unreadable(h);
		break;
	case HANDSHAKE_EVENT_LINK_ENDED:
		link_ended(h);
		break;
	case HANDSHAKE_EVENT_DEADLINE:
		deadline(h);
		break;
	case HANDSHAKE_EVENT_ACCEPT:
		if (h->role == HANDSHAKE_RESPONDER)
			responder_accept(h, event->accept.password, &event->accept.key);
		else
			handshake_fail(h, "accepted out of turn");
		break;
	case HANDSHAKE_EVENT_END:
		end(h, event->end.reason);
		break;
	default:
		result(h, event);
		break;
	}
}

static bool of_the_link(enum handshake_event_type type)
{
	return type == HANDSHAKE_EVENT_FRAME || type == HANDSHAKE_EVENT_UNREADABLE ||
	       type == HANDSHAKE_EVENT_LINK_ENDED;
}

void handshake_step(struct handshake *h, const struct handshake_event *event,
		    struct handshake_actions *out)
{
	if (h->stage == STAGE_OVER)
		return;
	if (h->failing && event->type < HANDSHAKE_EVENT_LOOKED_UP)
		return;
	if (h->leaving && of_the_link(event->type))
		return;
	h->out = out;
	dispatch(h, event);
	if (h->stage != STAGE_OVER && !h->failing) {
		if (h->role == HANDSHAKE_INITIATOR)
			initiator_advance(h);
		else
			responder_advance(h);
	}
	h->out = NULL;
}
