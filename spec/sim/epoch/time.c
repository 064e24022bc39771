// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "spec/sim/epoch/world.h"

uint64_t sim_next(struct sim_random *r)
{
	uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

unsigned sim_below(struct sim_random *r, unsigned limit)
{
	return (unsigned)(sim_next(r) % limit);
}

bool sim_chance(struct sim_random *r, unsigned percent)
{
	return sim_below(r, 100) < percent;
}

void note(struct world *w, const char *format, ...)
{
	if (!w->options->trace)
		return;
	va_list list;
	va_start(list, format);
	printf("%8lld  ", (long long)w->now);
	vprintf(format, list);
	printf("\n");
	va_end(list);
}

void violated(struct world *w, const char *what)
{
	if (!w->result.violation)
		w->result.violation = what;
	note(w, "VIOLATION: %s", what);
}

static bool before(const struct happening *a, const struct happening *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void later(struct world *w, int64_t in, struct happening h)
{
	h.at = w->now + in;
	h.order = ++w->order;
	if (w->heap_count == w->heap_room) {
		w->heap_room = w->heap_room ? 2 * w->heap_room : 256;
		w->heap = mem_realloc(w->heap, w->heap_room * sizeof *w->heap);
	}
	size_t i = w->heap_count++;
	for (; i > 0 && before(&h, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = h;
}

struct happening next_happening(struct world *w)
{
	struct happening first = w->heap[0], last = w->heap[--w->heap_count];
	size_t i = 0;
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= w->heap_count)
			break;
		if (child + 1 < w->heap_count && before(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!before(&w->heap[child], &last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	if (w->heap_count)
		w->heap[i] = last;
	return first;
}
