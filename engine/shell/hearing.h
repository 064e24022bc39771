// SPDX-License-Identifier: GPL-3.0-or-later
// Datagrams in: what nobody asked for and what is too much is dropped and counted, the rest opened, taken into the neighbours'
// table, checked, and answered where it asks (P1.2, P1.3, P1.7, P1.8).
//
// In order of cost: the form, then the limits, and only then JSON and a signature; so a flood costs little, whatever it holds.
#ifndef SOTTO_SHELL_HEARING_H
#define SOTTO_SHELL_HEARING_H

#include "net/udp.h"

struct engine;
struct metrics;

enum hearing_way {
	HEARING_DIRECT, // sent to this core's own address
	HEARING_LAN,    // to everybody on a LAN
	HEARING_WAY_COUNT
};

enum hearing_drop {
	HEARING_ASLEEP,    // there is no identity, or it is locked
	HEARING_BROADCAST, // to everybody, at this core's own address: the ears are for that
	HEARING_FORM,      // no datagram of ours
	HEARING_ECHO,      // this core's own, come back
	HEARING_UNASKED,   // an answer to no question, or a kind that does not go that way
	HEARING_SOURCE,    // limits.h: this source has said enough
	HEARING_HOST,
	HEARING_ALL,
	HEARING_RECORD,    // a record that is malformed
	HEARING_SIGNATURE, // one whose signature does not hold
	HEARING_DROP_COUNT
};

struct hearing {
	uint64_t dropped[HEARING_WAY_COUNT][HEARING_DROP_COUNT];
	uint64_t taken[HEARING_WAY_COUNT];
};

void hearing_take(struct engine *e, const struct udp_arrival *a, enum hearing_way way);
// "datagrams_dropped" and "lan_datagrams_dropped", by reason; and what was taken.
void hearing_gather(const struct hearing *h, struct metrics *m);

#endif
