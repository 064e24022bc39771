// SPDX-License-Identifier: GPL-3.0-or-later
// With less of everything, and other chances, the same rule is looked to be broken in fewer steps: first whatever is not needed goes,
// then of many seeds the one with the shortest run stays.
#include "spec/sim/epoch/shrink.h"

#include <stdio.h>
#include <string.h>

#define SEEDS 20      // that are tried with less of something
#define LAST_SEEDS 400 // of the smallest, for the shortest run

static bool breaks(const struct sim_options *o, const char *violation, unsigned *steps)
{
	struct sim_result r = sim_run(o);
	*steps = r.steps;
	return r.violation && !strncmp(r.violation, violation, 2);
}

// Whether some chances break the rule with these options: then *o has them.
static bool find(struct sim_options *o, const char *violation)
{
	struct sim_options try = *o;
	unsigned steps;
	for (unsigned i = 0; i < SEEDS; i++) {
		try.seed = o->seed + i;
		if (!breaks(&try, violation, &steps))
			continue;
		*o = try;
		return true;
	}
	return false;
}

// Half of it, or one less.
static bool lessen(struct sim_options *o, unsigned *value, unsigned least, const char *violation)
{
	unsigned before = *value;
	const unsigned tries[] = {least, before / 2, before - 1};
	for (unsigned i = 0; before > least && i < 3; i++) {
		if (tries[i] < least || tries[i] >= before)
			continue;
		*value = tries[i];
		if (find(o, violation))
			return true;
	}
	*value = before;
	return false;
}

static bool lessen_lies(struct sim_options *o, const char *violation)
{
	for (unsigned i = 0; i < SIM_LIES; i++) {
		if (!(o->lies & 1u << i))
			continue;
		o->lies &= ~(1u << i);
		if (find(o, violation))
			return true;
		o->lies |= 1u << i;
	}
	return false;
}

static bool lessen_members(struct sim_options *o, const char *violation)
{
	struct sim_options before = *o;
	if (o->members == 2)
		return false;
	o->members--;
	unsigned f = (unsigned)epoch_f(o->members);
	o->liars = o->liars > f ? f : o->liars;
	o->vanish = o->vanish + o->liars > f ? f - o->liars : o->vanish;
	if (find(o, violation))
		return true;
	*o = before;
	return false;
}

void shrink(const struct sim_options *options, const char *violation)
{
	struct sim_options o = *options;
	unsigned steps;
	o.trace = false;
	for (bool again = true; again;)
		again = lessen_members(&o, violation) || lessen(&o, &o.candidates, 1, violation) ||
			lessen(&o, &o.texts, 0, violation) || lessen(&o, &o.ops, 1, violation) ||
			lessen(&o, &o.partitions, 0, violation) || lessen(&o, &o.crashes, 0, violation) ||
			lessen(&o, &o.liars, 0, violation) || lessen(&o, &o.vanish, 0, violation) ||
			lessen(&o, &o.twice, 0, violation) || lessen(&o, &o.loss, 0, violation) ||
			lessen(&o, &o.slow, 0, violation) || lessen(&o, &o.late, 0, violation) || lessen_lies(&o, violation);
	unsigned best = 0;
	uint64_t first = o.seed, found = o.seed;
	for (unsigned i = 0; i < LAST_SEEDS; i++) {
		o.seed = first + i;
		if (breaks(&o, violation, &steps) && (!best || steps < best)) {
			best = steps;
			found = o.seed;
		}
	}
	o.seed = found;
	o.trace = true;
	printf("as short as can be: %u members, %u liars, %u steps, seed %llu\n", o.members, o.liars, best, (unsigned long long)o.seed);
	(void)sim_run(&o);
}
