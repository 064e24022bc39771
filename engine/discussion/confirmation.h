// SPDX-License-Identifier: GPL-3.0-or-later
// How far own payloads are confirmed (P5.8): all other members have signed that they have them. A plain value, for three and more
// members; of two an acknowledgement says as much.
#ifndef SOTTO_DISCUSSION_CONFIRMATION_H
#define SOTTO_DISCUSSION_CONFIRMATION_H

#include "discussion/roster.h"

struct confirmation {
	size_t count, own;
	uint64_t covered[ROSTER_MAX]; // per position: the highest own sequence that a payload of that member has in its `seen`
};

void confirmation_init(struct confirmation *c, size_t count, size_t own);
// That member signs to have all up to that sequence. True: payloads *first to *last are confirmed by that.
bool confirmation_take(struct confirmation *c, size_t member, uint64_t sequence, uint64_t *first, uint64_t *last);
uint64_t confirmation_through(const struct confirmation *c); // 0: nothing

#endif
