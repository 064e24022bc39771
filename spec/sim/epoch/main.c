// SPDX-License-Identifier: GPL-3.0-or-later
// Schedules, one for each seed from the first on; see usage().
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/sim/epoch/shrink.h"
#include "spec/sim/epoch/sim.h"

#define VIOLATIONS_MAX 20

struct request {
	uint64_t seed, runs, members, flood;
	unsigned lies; // only with these; 0: as the seed says
	bool calm, trace, first, shrink, writes, restarts;
};

static int usage(void)
{
	fprintf(stderr, "usage: sim [--members 2…9] [--runs N] [--seed N] [--lie NAME] [--flood N] [--calm] [--trace] [--first] "
			"[--shrink] [--writes] [--restarts]\n"
			"  --first   to the first violation      --shrink  the first violation, as a run that is as short as can be\n"
			"  --writes  each seed once for each write to a disk: somebody crashes at it\n"
			"  --restarts  COMMITs come rounds later, and whoever has sent one is restarted\n"
			"  --lie     one that must be played:");
	for (unsigned i = 0; i < SIM_LIES; i++)
		fprintf(stderr, " %s", sim_lie_names[i]);
	fprintf(stderr, "\n");
	return 2;
}

static bool read_number(const char *text, uint64_t *out)
{
	char *end;
	*out = strtoull(text, &end, 10);
	return *text && !*end;
}

static bool read_lie(const char *text, unsigned *out)
{
	for (unsigned i = 0; i < SIM_LIES; i++)
		if (!strcmp(text, sim_lie_names[i]))
			*out |= 1u << i;
	return *out != 0;
}

static bool read_arguments(int argc, char **argv, struct request *r)
{
	const struct {
		const char *name;
		uint64_t *number;
	} numbers[] = {{"--seed", &r->seed}, {"--runs", &r->runs}, {"--members", &r->members}, {"--flood", &r->flood}};
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {{"--calm", &r->calm}, {"--trace", &r->trace}, {"--first", &r->first}, {"--shrink", &r->shrink},
		     {"--writes", &r->writes}, {"--restarts", &r->restarts}};
	for (int i = 1; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : "";
		bool known = false;
		for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
			if (!strcmp(argv[i], flags[k].name))
				known = *flags[k].flag = true;
		for (size_t k = 0; !known && k < sizeof numbers / sizeof *numbers; k++)
			if (!strcmp(argv[i], numbers[k].name) && read_number(next, numbers[k].number))
				known = true, i++;
		if (!known && !strcmp(argv[i], "--lie") && read_lie(next, &r->lies))
			known = true, i++;
		if (!known)
			return false;
	}
	return !r->members || (r->members >= 2 && r->members <= 9);
}

// --- a run ----------------------------------------------------------------------------------------------------------------------

static bool needs_liar(unsigned lies)
{
	return (lies & ~(1u << LIE_MUTUAL | 1u << LIE_PARTITION | 1u << LIE_CLOCKS)) != 0;
}

static struct sim_options options_of(const struct request *r, uint64_t seed)
{
	unsigned members = (unsigned)r->members;
	if (r->lies && needs_liar(r->lies) && members < 4)
		members = members ? 4 : 4 + (unsigned)(seed % 6);
	struct sim_options o = sim_options_of(seed, members);
	o.trace = r->trace;
	if (r->lies) {
		struct sim_random random = {seed};
		o.calm = false;
		o.lies = r->lies;
		o.liars = needs_liar(r->lies) ? 1 + sim_below(&random, (unsigned)epoch_f(o.members)) : 0;
		o.vanish = o.liars + o.vanish > epoch_f(o.members) ? 0 : o.vanish;
		o.ops = o.ops < 2 ? 2 : o.ops;
		o.texts = o.texts < 10 ? 10 : o.texts;
	}
	if (r->flood)
		o.flood = (unsigned)r->flood;
	if (r->restarts)
		sim_options_restarts(&o);
	if (r->calm)
		o = sim_options_calm(o);
	return o;
}

static void add(struct sim_result *sum, const struct sim_result *r, uint64_t *steps)
{
	*steps += r->steps;
	sum->commits += r->commits;
	sum->admitted += r->admitted;
	sum->removed += r->removed;
	sum->departed += r->departed;
	sum->payloads += r->payloads;
	sum->accepted += r->accepted;
	sum->delivered += r->delivered;
	sum->confirmed += r->confirmed;
	sum->forks += r->forks;
	sum->complaints += r->complaints;
	sum->disputes += r->disputes;
	sum->rolled_back += r->rolled_back;
	sum->writes += r->writes;
	sum->rounds = r->rounds > sum->rounds ? r->rounds : sum->rounds;
	for (unsigned i = 0; i < SIM_LIES; i++)
		sum->played[i] += r->played[i];
}

static void print_sum(const struct sim_result *s, uint64_t runs, uint64_t seed, uint64_t steps, unsigned violations)
{
	for (unsigned i = 0; i < SIM_LIES; i++)
		if (s->played[i])
			printf("played %s: %u times\n", sim_lie_names[i], s->played[i]);
	printf("%llu schedules from seed %llu: %llu steps, %u commits (%u admitted, %u removed, %u departed), highest round %u, "
	       "%u payloads, %u accepted, %u messages delivered, %u confirmed, %u complaints, %u disputes, %u forks seen, %llu writes, "
	       "%u violations\n",
	       (unsigned long long)runs, (unsigned long long)seed, (unsigned long long)steps, s->commits, s->admitted, s->removed,
	       s->departed, s->rounds, s->payloads, s->accepted, s->delivered, s->confirmed, s->complaints,
	       s->disputes, s->forks,
	       (unsigned long long)s->writes, violations);
}

static bool is_bad(const struct sim_options *o, const struct sim_result *r)
{
	if (!r->violation)
		return false;
	printf("seed %llu, %u members%s: %s\n", (unsigned long long)o->seed, o->members,
	       o->crash_at ? ", a crash at a write" : "", r->violation);
	return true;
}

// One seed; with --writes as many runs as it has writes, twice.
static unsigned run_seed(const struct request *r, uint64_t seed, struct sim_result *sum, uint64_t *steps, uint64_t *runs)
{
	struct sim_options o = options_of(r, seed);
	if (r->writes)
		o.crash_at = 0, o.crash_ballots = false;
	struct sim_result result = sim_run(&o);
	add(sum, &result, steps);
	++*runs;
	unsigned bad = is_bad(&o, &result);
	uint64_t writes = r->writes ? result.writes : 0;
	for (uint64_t at = 2; at <= 2 * writes + 1 && !bad; at++) {
		o.crash_at = at / 2;
		o.crash_after = at % 2;
		result = sim_run(&o);
		add(sum, &result, steps);
		++*runs;
		bad = is_bad(&o, &result);
	}
	if (bad && r->shrink)
		shrink(&o, result.violation);
	return bad;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0); // who waits sees what was found
	struct request r = {.seed = 1, .runs = 1000};
	if (!read_arguments(argc, argv, &r))
		return usage();
	struct sim_result sum = {0};
	uint64_t steps = 0, runs = 0;
	unsigned violations = 0;
	for (uint64_t i = 0; i < r.runs && violations < VIOLATIONS_MAX; i++) {
		violations += run_seed(&r, r.seed + i, &sum, &steps, &runs);
		if (violations && (r.first || r.shrink))
			break;
	}
	print_sum(&sum, runs, r.seed, steps, violations);
	return violations > 0;
}
