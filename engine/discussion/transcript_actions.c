// SPDX-License-Identifier: GPL-3.0-or-later
// The transcript's action list, and what it owns.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/transcript_machine.h"

const char *transcript_reason_name(enum transcript_reason reason)
{
	static const char *const names[TRANSCRIPT_REASON_COUNT] = {
		"malformed_frame", "other_epoch",  "no_member",    "reflected",
		"duplicate",       "gap",          "overflow",     "not_opened",
		"malformed",       "old_key",      "other_discussion", "other_roster", "other_sender",
		"broken_chain",    "equivocated",  "after_close",  "beyond_cut",   "repeated_item",
	};
	return names[reason];
}

void transcript_messages_free(struct transcript_message *messages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bytes_unref(messages[i].text);
	free(messages);
}

void transcript_payload_set(struct transcript_payload *out, const struct held *h,
			const struct payload *p, const struct hash *hash)
{
	out->sender = h->sender;
	out->sequence = p->sequence;
	out->hash = *hash;
	out->payload = bytes_ref(h->payload);
	out->frame = bytes_ref(h->frame);
	out->message = span(h->frame->data + SEALED_FRAME_HEADER_LEN,
			    h->frame->len - SEALED_FRAME_HEADER_LEN);
	out->session_key = secret_ref(h->session_key);
}

void transcript_payload_fini(struct transcript_payload *p)
{
	bytes_unref(p->payload);
	bytes_unref(p->frame);
	secret_unref(p->session_key);
}

void transcript_actions_init(struct transcript_actions *a)
{
	memset(a, 0, sizeof *a);
}

static void action_fini(struct transcript_action *x)
{
	switch (x->type) {
	case TRANSCRIPT_OPEN:
		bytes_unref(x->open.frame);
		break;
	case TRANSCRIPT_COMMIT:
		transcript_payload_fini(&x->commit.payload);
		transcript_messages_free(x->commit.messages, x->commit.count);
		free(x->commit.seen);
		bytes_unref(x->commit.rekey.certificate);
		break;
	case TRANSCRIPT_REKEY:
		bytes_unref(x->rekey.certificate);
		break;
	case TRANSCRIPT_DELIVER:
		transcript_messages_free(x->deliver.messages, x->deliver.count);
		break;
	case TRANSCRIPT_EQUIVOCATION:
		transcript_payload_fini(&x->proof);
		break;
	case TRANSCRIPT_ACK:
	case TRANSCRIPT_CANNOT_OPEN:
	case TRANSCRIPT_COMPLAIN:
	case TRANSCRIPT_COMPLAINT:
	case TRANSCRIPT_DISPUTE:
	case TRANSCRIPT_DROP:
	case TRANSCRIPT_PAUSE:
	case TRANSCRIPT_RESUME:
	case TRANSCRIPT_CLOSED:
	case TRANSCRIPT_CLOSED_BY:
	case TRANSCRIPT_RETRY_IN:
		break;
	}
}

void transcript_actions_fini(struct transcript_actions *a)
{
	for (size_t i = 0; i < a->count; i++)
		action_fini(&a->list[i]);
	free(a->list);
	transcript_actions_init(a);
}

struct transcript_action *transcript_act(struct transcript *t, enum transcript_action_type type)
{
	struct transcript_actions *a = t->out;
	assert(a->count < TRANSCRIPT_ACTIONS_MAX);
	if (a->count == a->room) {
		a->room = a->room ? 2 * a->room : 8;
		a->list = mem_realloc(a->list, a->room * sizeof *a->list);
	}
	struct transcript_action *x = &a->list[a->count++];
	memset(x, 0, sizeof *x);
	x->type = type;
	return x;
}

void transcript_drop(struct transcript *t, size_t member, enum transcript_reason reason,
		     bool close_link)
{
	struct transcript_action *a = transcript_act(t, TRANSCRIPT_DROP);
	a->drop.member = member;
	a->drop.reason = reason;
	a->drop.close_link = close_link;
	t->counters.dropped[reason]++;
}

void transcript_acknowledge(struct transcript *t, size_t member, size_t sender)
{
	struct transcript_action *a = transcript_act(t, TRANSCRIPT_ACK);
	a->delivery.member = member;
	a->delivery.sender = sender;
	a->delivery.sequence = t->chains[sender].head.sequence;
}

void transcript_refuse(struct transcript *t, size_t member)
{
	if (t->chains[member].head.sequence)
		transcript_acknowledge(t, member, member);
	transcript_act(t, TRANSCRIPT_CLOSED)->member = member;
}

void transcript_retry_later(struct transcript *t)
{
	t->counters.failures++;
	if (t->retry_is_set)
		return;
	t->retry_is_set = true;
	transcript_act(t, TRANSCRIPT_RETRY_IN)->ms = t->retry_ms;
	t->retry_ms *= 2;
	if (t->retry_ms > TRANSCRIPT_RETRY_LAST_MS)
		t->retry_ms = TRANSCRIPT_RETRY_LAST_MS;
}
