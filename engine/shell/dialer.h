// SPDX-License-Identifier: GPL-3.0-or-later
// When and where to dial a member (P2.13): at once, then after 0.5 s doubling to 30 s, with jitter; every address once a round.
#ifndef SOTTO_SHELL_DIALER_H
#define SOTTO_SHELL_DIALER_H

#include "base/random.h"
#include "loop/loop.h"
#include "peers/endpoint.h"

#define DIALER_FIRST_MS 500
#define DIALER_LONGEST_MS 30000

struct dialer {
	struct loop *loop;
	const struct random *random;
	struct timer timer;
	int64_t wait_ms; // of the next round; 0: the first one
	size_t next;     // address of this round
	struct endpoint_list addresses;
	bool on;
	// A new round begins: where the member may be reached now.
	void (*round)(void *arg, struct endpoint_list *out);
	// Dial there; dialer_failed follows, or dialer_stop.
	void (*dial)(void *arg, const struct addr *to);
	void *arg;
};

void dialer_start(struct dialer *d); // dials on a later turn; nothing where it is on
void dialer_failed(struct dialer *d); // the next address, or the next round
void dialer_stop(struct dialer *d);

#endif
