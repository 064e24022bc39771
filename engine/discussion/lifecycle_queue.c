// SPDX-License-Identifier: GPL-3.0-or-later
#include "discussion/lifecycle_queue.h"

#include <assert.h>
#include <string.h>

static bool is_link(enum lifecycle_event_type type)
{
	return type == LIFECYCLE_LINK_UP || type == LIFECYCLE_LINK_DOWN;
}

static void drop(struct lifecycle_queue *q, size_t i)
{
	if (--q->list[i].times)
		return;
	q->count--;
	memmove(&q->list[i], &q->list[i + 1], (q->count - i) * sizeof *q->list);
}

static bool is_waiting(const struct lifecycle_queue *q, enum lifecycle_event_type type)
{
	for (size_t i = 0; i < q->count; i++)
		if (q->list[i].type == type)
			return true;
	return false;
}

void lifecycle_queue_add(struct lifecycle_queue *q, enum lifecycle_event_type type,
			 enum lifecycle_reason reason)
{
	struct lifecycle_waiting *last = q->count ? &q->list[q->count - 1] : NULL;
	if (is_link(type) && last && last->type == type) {
		last->times++;
		return;
	}
	if (is_link(type) && last && is_link(last->type)) {
		drop(q, q->count - 1);
		return;
	}
	if (!is_link(type) && is_waiting(q, type))
		return;
	assert(q->count < LIFECYCLE_QUEUE_MAX);
	q->list[q->count++] = (struct lifecycle_waiting){.type = type, .reason = reason, .times = 1};
}

bool lifecycle_queue_take(struct lifecycle_queue *q, enum lifecycle_event_type *type,
			  enum lifecycle_reason *reason)
{
	if (!q->count)
		return false;
	*type = q->list[0].type;
	*reason = q->list[0].reason;
	drop(q, 0);
	return true;
}

void lifecycle_queue_put_back(struct lifecycle_queue *q, enum lifecycle_event_type type,
			      enum lifecycle_reason reason)
{
	if (q->count && is_link(type) && q->list[0].type == type) {
		q->list[0].times++;
		return;
	}
	assert(q->count < LIFECYCLE_QUEUE_MAX);
	memmove(&q->list[1], &q->list[0], q->count * sizeof *q->list);
	q->list[0] = (struct lifecycle_waiting){.type = type, .reason = reason, .times = 1};
	q->count++;
}
