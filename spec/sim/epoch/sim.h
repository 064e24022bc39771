// SPDX-License-Identifier: GPL-3.0-or-later
// A simulator of discussions of many: any number of members with real epoch machines, a disk of their own each, and a network
// that delays, loses, doubles, reorders and parts; some of them lie. Everything follows from the seed.
#ifndef SOTTO_SPEC_SIM_EPOCH_SIM_H
#define SOTTO_SPEC_SIM_EPOCH_SIM_H

#include "discussion/epoch.h"

#define SIM_NODES 16 // members and candidates
#define SIM_EPOCHS 24

// --- chance -----------------------------------------------------------------------------------------------------------------

struct sim_random {
	uint64_t state;
};
uint64_t sim_next(struct sim_random *r);
unsigned sim_below(struct sim_random *r, unsigned limit);
bool sim_chance(struct sim_random *r, unsigned percent);

// --- what a run is ------------------------------------------------------------------------------------------------------------

struct sim_options {
	uint64_t seed;
	unsigned members;    // of the first roster, 2 to 9
	unsigned liars;      // of them
	unsigned candidates; // who may be admitted
	unsigned ops;        // that are proposed, at moments of chance
	unsigned loss, twice, slow; // percent of messages
	unsigned crashes;    // at moments of chance, among honest members
	unsigned partitions;
	unsigned vanish;     // members that go for good in the middle, at most f together with the liars
	bool k_charter;      // else "all"
	bool trace;
};

struct sim_result {
	unsigned steps, commits, admitted, removed, departed, rounds;
	const char *violation; // NULL: none
};

// One schedule from its options.
struct sim_result sim_run(const struct sim_options *options);
// The options that a seed stands for.
struct sim_options sim_options_of(uint64_t seed, unsigned members);

#endif
