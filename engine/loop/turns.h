// SPDX-License-Identifier: GPL-3.0-or-later
// How long the turns of a loop take: from its waking up until it may sleep again. Pure; seconds everywhere, `now` of any clock that
// does not go back.
#ifndef SOTTO_LOOP_TURNS_H
#define SOTTO_LOOP_TURNS_H

#include <stddef.h>
#include <stdint.h>

#define TURNS_SLOW 0.010 // what a turn stays below: everybody else waits that long
#define TURNS_BOUNDS 6
#define TURNS_SLOTS 12
#define TURNS_SLOT 5.0   // so that "recent" is the last minute

extern const double turns_bounds[TURNS_BOUNDS]; // rising, of the histogram

struct turns {
	uint64_t count;
	double sum, longest;
	double longest_computing; // of processor time: what a turn was kept waiting by the disk or by other processes is not in it
	uint64_t within[TURNS_BOUNDS]; // turns of at most that bound; cumulative
	double recent[TURNS_SLOTS], recent_computing[TURNS_SLOTS];
	int64_t slot; // the newest, counted from the clock's zero
};

void turns_add(struct turns *t, double now, double took, double computing);
// Of the turns of the last TURNS_SLOTS * TURNS_SLOT seconds (one slot less at the least); 0 where there were none.
void turns_recent(const struct turns *t, double now, double *longest, double *longest_computing);

#endif
