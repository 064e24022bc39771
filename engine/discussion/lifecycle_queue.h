// SPDX-License-Identifier: GPL-3.0-or-later
// What has happened to a discussion and could not be written down yet, because the disk is full or
// read-only: events in their order, to be stepped again once it can be. Pure.
//
// A link that came and went in the meantime, or went and came, did nothing. Every other event counts
// once. So the queue is bounded, whatever happens and however long it takes.
#ifndef SOTTO_DISCUSSION_LIFECYCLE_QUEUE_H
#define SOTTO_DISCUSSION_LIFECYCLE_QUEUE_H

#include "discussion/lifecycle.h"

#define LIFECYCLE_QUEUE_MAX (2 * LIFECYCLE_EVENT_COUNT)

// Zero-initialised.
struct lifecycle_queue {
	size_t count;
	struct lifecycle_waiting {
		enum lifecycle_event_type type;
		enum lifecycle_reason reason;
		size_t times; // of several members' links; else 1
	} list[LIFECYCLE_QUEUE_MAX];
};

void lifecycle_queue_add(struct lifecycle_queue *q, enum lifecycle_event_type type,
			 enum lifecycle_reason reason);
// The oldest, taken off; false where there is none.
bool lifecycle_queue_take(struct lifecycle_queue *q, enum lifecycle_event_type *type,
			  enum lifecycle_reason *reason);
// One that was taken and could not be stepped: it is the oldest again.
void lifecycle_queue_put_back(struct lifecycle_queue *q, enum lifecycle_event_type type,
			      enum lifecycle_reason reason);

#endif
