// SPDX-License-Identifier: GPL-3.0-or-later
#include "discussion/member_link.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/member_link_machine.h"

struct member_link *member_link_new(const struct member_link_config *config)
{
	struct member_link *m = mem_alloc(sizeof *m);
	m->side = config->side;
	m->random = config->random;
	m->idle_ms = config->idle_ms ? config->idle_ms : MEMBER_LINK_IDLE_MS;
	m->first = config->first;
	m->roster = *config->roster;
	m->roster_hash = config->roster_hash;
	memcpy(m->own, config->own, sizeof m->own);
	memcpy(m->other, config->other, sizeof m->other);
	memcpy(m->other_key, config->other_key, sizeof m->other_key);
	m->closed = config->closed;
	m->ended = config->ended;
	m->held = config->held;
	m->rekeys = bytes_new_span(config->rekeys);
	return m;
}

static void seen_free(struct seen_record *s)
{
	if (s)
		seen_fini(s);
	free(s);
}

void member_link_free(struct member_link *m)
{
	if (!m)
		return;
	bytes_unref(m->l1_bytes);
	bytes_unref(m->signature);
	bytes_unref(m->rekeys);
	link_proof_fini(&m->proof);
	seen_free(m->own_seen);
	seen_free(m->other_seen);
	sodium_memzero(m, sizeof *m);
	free(m);
}

bool member_link_is_over(const struct member_link *m)
{
	return m->stage == LINK_OVER;
}

bool member_link_match(struct span l1, const struct hash *first, const struct roster_record *roster,
		       const char *own, size_t *who)
{
	struct link_record r;
	if (link_decode(&r, l1, NULL))
		return false;
	for (size_t i = 0; i < roster->count; i++) {
		const char *other = roster->members[i].fingerprint;
		struct hash tag = member_link_tag(first, roster->discussion, &r, other, own);
		if (strcmp(other, own) && hash_equal(&tag, &r.proof)) {
			*who = i;
			return true;
		}
	}
	return false;
}

bool member_link_stays(const char *own, const char *other, bool own_dialled)
{
	return own_dialled == (strcmp(own, other) < 0);
}

// --- actions ------------------------------------------------------------------------------------

void member_link_actions_init(struct member_link_actions *a)
{
	a->count = 0;
}

static void action_fini(struct member_link_action *x)
{
	switch (x->type) {
	case MEMBER_LINK_SEND:
		bytes_unref(x->send.payload);
		break;
	case MEMBER_LINK_SET_CIPHER:
		sodium_memzero(&x->cipher, sizeof x->cipher);
		break;
	case MEMBER_LINK_SIGN:
		bytes_unref(x->sign.body);
		break;
	case MEMBER_LINK_VERIFY:
		bytes_unref(x->verify.body);
		bytes_unref(x->verify.signature);
		break;
	case MEMBER_LINK_DELIVER:
	case MEMBER_LINK_ACKED:
		bytes_unref(x->frame.payload);
		break;
	case MEMBER_LINK_LINKED:
		seen_free(x->linked.seen);
		bytes_unref(x->linked.rekeys);
		break;
	case MEMBER_LINK_DEADLINE:
	case MEMBER_LINK_CLOSE_LINK:
	case MEMBER_LINK_WANT_SEEN:
	case MEMBER_LINK_SEND_FAREWELL:
	case MEMBER_LINK_ENDED:
		break;
	}
}

void member_link_actions_fini(struct member_link_actions *a)
{
	for (size_t i = 0; i < a->count; i++)
		action_fini(&a->list[i]);
	a->count = 0;
}

struct member_link_action *member_link_act(struct member_link *m,
					   enum member_link_action_type type)
{
	assert(m->out->count < MEMBER_LINK_ACTIONS_MAX);
	struct member_link_action *x = &m->out->list[m->out->count++];
	memset(x, 0, sizeof *x);
	x->type = type;
	return x;
}

void member_link_enter(struct member_link *m, enum member_link_stage stage)
{
	m->stage = stage;
	member_link_act(m, MEMBER_LINK_DEADLINE)->deadline.ms = m->idle_ms;
}

void member_link_send(struct member_link *m, enum frame_kind kind, struct span payload)
{
	struct member_link_action *x = member_link_act(m, MEMBER_LINK_SEND);
	x->send.kind = (uint8_t)kind;
	x->send.encrypted = m->ciphered;
	x->send.payload = bytes_new_span(payload);
}

void member_link_end(struct member_link *m, enum member_link_end end, const char *detail)
{
	if (m->stage == LINK_OVER)
		return;
	m->stage = LINK_OVER;
	member_link_act(m, MEMBER_LINK_CLOSE_LINK);
	struct member_link_action *x = member_link_act(m, MEMBER_LINK_ENDED);
	x->ended.end = end;
	x->ended.detail = detail;
}

void member_link_fail(struct member_link *m, const char *detail)
{
	member_link_end(m, MEMBER_LINK_END_FAILED, detail);
}

// --- events -------------------------------------------------------------------------------------

static void dispatch(struct member_link *m, const struct member_link_event *event)
{
	switch (event->type) {
	case MEMBER_LINK_EVENT_START:
		member_link_start(m);
		break;
	case MEMBER_LINK_EVENT_FRAME:
		if (event->frame.encrypted != m->ciphered)
			member_link_fail(m, "a frame that does not open");
		else
			member_link_frame(m, event->frame.kind, event->frame.payload);
		break;
	case MEMBER_LINK_EVENT_UNREADABLE:
		member_link_fail(m, "a frame that does not open");
		break;
	case MEMBER_LINK_EVENT_LINK_ENDED:
		member_link_end(m, m->heard ? MEMBER_LINK_END_HEARD : MEMBER_LINK_END_LOST,
				"the link ended");
		break;
	case MEMBER_LINK_EVENT_DEADLINE:
		member_link_end(m, MEMBER_LINK_END_LOST, "deadline");
		break;
	case MEMBER_LINK_EVENT_SIGNED:
		member_link_signed_result(m, event->result.code, event->result.bytes);
		break;
	case MEMBER_LINK_EVENT_VERIFIED:
		member_link_verified_result(m, event->result.code);
		break;
	case MEMBER_LINK_EVENT_SEEN:
		member_link_seen_result(m, event->seen.record);
		break;
	case MEMBER_LINK_EVENT_ACK:
		member_link_acknowledge(m, event->ack.record);
		break;
	case MEMBER_LINK_EVENT_FAREWELL_DONE:
		member_link_farewell_done(m);
		break;
	}
}

void member_link_step(struct member_link *m, const struct member_link_event *event,
		      struct member_link_actions *out)
{
	if (m->stage == LINK_OVER)
		return;
	m->out = out;
	dispatch(m, event);
	m->out = NULL;
}
