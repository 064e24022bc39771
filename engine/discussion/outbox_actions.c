// SPDX-License-Identifier: GPL-3.0-or-later
// The outbox's action list, and what it owns.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/outbox_machine.h"

void outbox_actions_init(struct outbox_actions *a)
{
	memset(a, 0, sizeof *a);
}

static void commit_fini(struct outbox_action *x)
{
	for (size_t i = 0; i < x->commit.row_count; i++)
		bytes_unref(x->commit.rows[i].message.text);
	free(x->commit.rows);
	for (size_t i = 0; i < x->commit.payload_count; i++)
		bytes_unref(x->commit.payloads[i].bytes);
	free(x->commit.payloads);
	bytes_unref(x->commit.rekey);
}

void outbox_action_fini(struct outbox_action *x)
{
	switch (x->type) {
	case OUTBOX_COMMIT:
		commit_fini(x);
		break;
	case OUTBOX_SEAL:
		bytes_unref(x->seal.payload);
		break;
	case OUTBOX_STORE_SEALED:
		bytes_unref(x->store.frame);
		break;
	case OUTBOX_TRANSMIT:
		bytes_unref(x->transmit.frame);
		break;
	case OUTBOX_ACCEPTED:
	case OUTBOX_REJECTED:
	case OUTBOX_DRAINED:
	case OUTBOX_LOAD:
	case OUTBOX_STORE_ACK:
	case OUTBOX_ACK_IN:
	case OUTBOX_RETRY_IN:
	case OUTBOX_CLOSED:
	case OUTBOX_FAILED:
	case OUTBOX_KEY_MAY_DIE:
	case OUTBOX_CLOSED_DELIVERED:
	case OUTBOX_ROLLED_BACK:
	case OUTBOX_UNDELIVERABLE:
		break;
	}
}

struct outbox_action outbox_action_take(struct outbox_action *a)
{
	const struct outbox_action taken = *a;
	memset(a, 0, sizeof *a);
	a->type = taken.type;
	return taken;
}

void outbox_actions_fini(struct outbox_actions *a)
{
	for (size_t i = 0; i < a->count; i++)
		outbox_action_fini(&a->list[i]);
	free(a->list);
	outbox_actions_init(a);
}

struct outbox_action *outbox_act(struct outbox *o, enum outbox_action_type type)
{
	struct outbox_actions *a = o->out;
	assert(a->count < OUTBOX_ACTIONS_MAX);
	if (a->count == a->room) {
		a->room = a->room ? 2 * a->room : 8;
		a->list = mem_realloc(a->list, a->room * sizeof *a->list);
	}
	struct outbox_action *x = &a->list[a->count++];
	memset(x, 0, sizeof *x);
	x->type = type;
	return x;
}

void outbox_retry_later(struct outbox *o)
{
	o->counters.failures++;
	if (o->retry_is_set)
		return;
	o->retry_is_set = true;
	outbox_act(o, OUTBOX_RETRY_IN)->ms = o->retry_ms;
	o->retry_ms *= 2;
	if (o->retry_ms > OUTBOX_RETRY_LAST_MS)
		o->retry_ms = OUTBOX_RETRY_LAST_MS;
}

// Not while something else fails: that has its own pace.
void outbox_went_well(struct outbox *o)
{
	if (!o->retry_is_set)
		o->retry_ms = OUTBOX_RETRY_FIRST_MS;
}
