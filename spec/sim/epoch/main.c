// SPDX-License-Identifier: GPL-3.0-or-later
// sim [--members N] [--runs N] [--seed N] [--trace] [--first]: schedules, one for each seed from the
// first on; --first: to the first violation.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/sim/epoch/sim.h"

static uint64_t number(const char *text)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);
	if (!*text || *end) {
		fprintf(stderr, "sim: '%s' is no number\n", text);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0); // who waits sees what was found
	uint64_t seed = 1, runs = 1000, members = 0;
	bool trace = false, first = false;
	for (int i = 1; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : "";
		if (!strcmp(argv[i], "--seed"))
			seed = number(next), i++;
		else if (!strcmp(argv[i], "--runs"))
			runs = number(next), i++;
		else if (!strcmp(argv[i], "--members"))
			members = number(next), i++;
		else if (!strcmp(argv[i], "--trace"))
			trace = true;
		else if (!strcmp(argv[i], "--first"))
			first = true;
		else {
			fprintf(stderr, "usage: sim [--members 2…9] [--runs N] [--seed N] [--trace] [--first]\n");
			return 2;
		}
	}
	if (members && (members < 2 || members > 9)) {
		fprintf(stderr, "sim: 2 to 9 members\n");
		return 2;
	}
	uint64_t commits = 0, steps = 0, violations = 0, admitted = 0, removed = 0, departed = 0, rounds = 0;
	for (uint64_t i = 0; i < runs; i++) {
		struct sim_options o = sim_options_of(seed + i, (unsigned)members);
		o.trace = trace;
		struct sim_result r = sim_run(&o);
		commits += r.commits;
		steps += r.steps;
		admitted += r.admitted;
		removed += r.removed;
		departed += r.departed;
		rounds = r.rounds > rounds ? r.rounds : rounds;
		if (!r.violation)
			continue;
		violations++;
		printf("seed %llu, %u members: %s\n", (unsigned long long)o.seed, o.members, r.violation);
		if (first || violations == 20)
			break;
	}
	printf("%llu schedules from seed %llu: %llu steps, %llu commits (%llu admitted, %llu removed, %llu departed), highest round %llu, "
	       "%llu violations\n",
	       (unsigned long long)runs, (unsigned long long)seed, (unsigned long long)steps, (unsigned long long)commits,
	       (unsigned long long)admitted, (unsigned long long)removed, (unsigned long long)departed, (unsigned long long)rounds,
	       (unsigned long long)violations);
	return violations > 0;
}
