// SPDX-License-Identifier: GPL-3.0-or-later
// The epoch machine's action list, and what it owns.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/epoch_machine.h"

void epoch_actions_init(struct epoch_actions *a)
{
	memset(a, 0, sizeof *a);
}

static void bytes_list_free(struct bytes **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bytes_unref(list[i]);
	free(list);
}

static void decision_fini(struct epoch_decision *d)
{
	bytes_unref(d->op);
	free(d->cut.list);
	bytes_unref(d->next);
	bytes_list_free(d->proof, d->count);
}

static void action_fini(struct epoch_action *a)
{
	switch (a->type) {
	case EPOCH_SIGN:
		bytes_unref(a->sign.body);
		bytes_list_free(a->sign.keep, a->sign.keep_count);
		break;
	case EPOCH_KEEP:
		bytes_unref(a->envelope);
		break;
	case EPOCH_SEND:
		bytes_unref(a->send.envelope);
		break;
	case EPOCH_EQUIVOCATION:
		bytes_unref(a->proof.first);
		bytes_unref(a->proof.second);
		break;
	case EPOCH_DECIDED:
		decision_fini(&a->decided);
		break;
	case EPOCH_WANT_HEADS:
	case EPOCH_DEADLINE:
	case EPOCH_RETRY_IN:
	case EPOCH_ASK:
	case EPOCH_TELL:
	case EPOCH_REJECTED:
	case EPOCH_DROP:
	case EPOCH_LEFT:
		break;
	}
}

void epoch_actions_fini(struct epoch_actions *a)
{
	for (size_t i = 0; i < a->count; i++)
		action_fini(&a->list[i]);
	free(a->list);
	epoch_actions_init(a);
}

struct epoch_action *epoch_act(struct epoch *e, enum epoch_action_type type)
{
	struct epoch_actions *a = e->out;
	if (a->count == a->room) {
		a->room = a->room ? 2 * a->room : 8;
		a->list = mem_realloc(a->list, a->room * sizeof *a->list);
	}
	struct epoch_action *x = &a->list[a->count++];
	memset(x, 0, sizeof *x);
	x->type = type;
	return x;
}

void epoch_reject(struct epoch *e, uint64_t ticket, enum err code, const char *why)
{
	struct epoch_action *a = epoch_act(e, EPOCH_REJECTED);
	a->rejected.ticket = ticket;
	(void)err_set(&a->rejected.why, code, "%s", why);
}
