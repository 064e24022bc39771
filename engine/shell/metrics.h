// SPDX-License-Identifier: GPL-3.0-or-later
// Counters: what was done, and what was dropped for which reason; and how long the loop's turns took (system.metrics, Prometheus
// text format).
#ifndef SOTTO_SHELL_METRICS_H
#define SOTTO_SHELL_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "loop/turns.h"

#define METRICS_MAX 128

// Names and reasons are static strings: only this program's own words, so their number is bounded.
struct metrics {
	size_t count;
	struct {
		const char *name, *label; // label: NULL or the reason
		uint64_t value;
	} rows[METRICS_MAX];
};

void metrics_count(struct metrics *m, const char *name, const char *label);
void metrics_add(struct metrics *m, const char *name, const char *label, uint64_t amount);
void metrics_set(struct metrics *m, const char *name, const char *label, uint64_t value); // of a counter kept elsewhere
uint64_t metrics_get(const struct metrics *m, const char *name, const char *label); // 0 where never counted
// "sotto_NAME_total{reason="…"} N" lines, then the turns (`now` in their clock); freed by the caller.
char *metrics_text(const struct metrics *m, const struct turns *turns, double now);

#endif
