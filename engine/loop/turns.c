// SPDX-License-Identifier: GPL-3.0-or-later
#include "loop/turns.h"

const double turns_bounds[TURNS_BOUNDS] = {0.0005, 0.001, 0.002, 0.005, TURNS_SLOW, 0.050};

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static size_t place(int64_t slot)
{
	return (size_t)(slot % TURNS_SLOTS);
}

// Slots that have passed without a turn are emptied.
static void advance(struct turns *t, int64_t slot)
{
	if (slot - t->slot > TURNS_SLOTS)
		t->slot = slot - TURNS_SLOTS;
	while (t->slot < slot) {
		t->slot++;
		t->recent[place(t->slot)] = t->recent_computing[place(t->slot)] = 0;
	}
}

void turns_add(struct turns *t, double now, double took, double computing)
{
	advance(t, (int64_t)(now / TURNS_SLOT));
	size_t at = place(t->slot);
	t->count++;
	t->sum += took;
	for (size_t i = 0; i < TURNS_BOUNDS; i++)
		t->within[i] += took <= turns_bounds[i];
	t->longest = larger(t->longest, took);
	t->longest_computing = larger(t->longest_computing, computing);
	t->recent[at] = larger(t->recent[at], took);
	t->recent_computing[at] = larger(t->recent_computing[at], computing);
}

void turns_recent(const struct turns *t, double now, double *longest, double *longest_computing)
{
	int64_t oldest = (int64_t)(now / TURNS_SLOT) - TURNS_SLOTS + 1;
	*longest = *longest_computing = 0;
	for (int64_t slot = t->slot; slot >= oldest && slot > t->slot - TURNS_SLOTS && slot >= 0; slot--) {
		*longest = larger(*longest, t->recent[place(slot)]);
		*longest_computing = larger(*longest_computing, t->recent_computing[place(slot)]);
	}
}
