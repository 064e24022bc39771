// SPDX-License-Identifier: GPL-3.0-or-later
// The order in which strangers have to go when the neighbours' table is short of room (P1.8): lists
// through the table's entries, which own the memory. Counted per source and per host are the
// unproven ones only: a proof costs whoever wants it, and is paced already.
#ifndef SOTTO_PEERS_STRANGERS_H
#define SOTTO_PEERS_STRANGERS_H

#include <sys/queue.h>

#include "peers/endpoint.h"

struct stranger_group;

// Embedded in an entry; zeroed by its owner, its fields are this module's.
struct stranger {
	bool present, proven;
	TAILQ_ENTRY(stranger) order, in_source, in_host;
	struct stranger_group *source, *host; // NULL: not counted
};

struct strangers;
struct strangers *strangers_new(size_t per_source, size_t per_host, size_t entries);
void strangers_free(struct strangers *s); // every stranger removed before

// `source` NULL: found where there is no sender, so no source's count.
void strangers_add(struct strangers *s, struct stranger *x, const struct addr *source);
void strangers_touch(struct strangers *s, struct stranger *x);  // seen: goes last now
void strangers_prove(struct strangers *s, struct stranger *x);  // after the unproven ones
void strangers_remove(struct strangers *s, struct stranger *x); // one that is not in is fine

// The one that must go before another unproven one of this source is added, or NULL.
struct stranger *strangers_over_cap(struct strangers *s, const struct addr *source);
// The first to go of all: the longest unseen unproven one, else the longest unseen. NULL: there is
// none.
//
// So a flood of unproven records displaces at most one proven stranger: itself from then on.
struct stranger *strangers_first(struct strangers *s);

#endif
