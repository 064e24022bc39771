// SPDX-License-Identifier: GPL-3.0-or-later
// Wall-clock time as an injected source. Durations and time-outs use the loop's monotonic time instead.
#ifndef SOTTO_BASE_CLOCK_H
#define SOTTO_BASE_CLOCK_H

#include <stdint.h>

// Milliseconds since 1970 (P0.6): display and expiry only.
struct clock {
	int64_t (*now_ms)(void *context);
	void *context;
};

extern const struct clock clock_system;
int64_t clock_now_ms(const struct clock *c);

#endif
