// SPDX-License-Identifier: GPL-3.0-or-later
// A simulator of discussions of many: any number of members with real machines for roster and messages, a disk of their own each,
// and a network that delays, loses, doubles, reorders and parts; some of them lie. Everything follows from the seed.
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

// What goes wrong on purpose (protocol §5, the last list). Most is done by liars; MUTUAL, PARTITION and CLOCKS need none.
enum sim_lie {
	LIE_TWO_FACED,        // a leader orders one thing here and another there
	LIE_DOUBLE_VOTE,      // votes or commits for two values of a round
	LIE_BOTH_ANSWERS,     // consents and refuses
	LIE_STATUS,           // a STATUS without its lock, or with other heads
	LIE_WITHHOLDS,        // keeps votes back, the last one too
	LIE_STALE_CONSENT,    // shows consents of an earlier epoch
	LIE_OTHER_DISCUSSION, // shows what was said in another discussion
	LIE_SWAPS_KEY,        // a sponsor who writes another key into the op
	LIE_SPLICES,          // a PKESK that does not open
	LIE_OTHER_TEXT,       // different text to different members
	LIE_OLD_PAYLOAD,      // seals what another said in an earlier epoch for this one
	LIE_ACKS,             // acknowledges what it does not take
	LIE_ROLLBACK,         // votes, then its disk is rolled back
	LIE_MUTUAL,           // A removes B while B removes A
	LIE_PARTITION,        // while they freeze
	LIE_FLOOD,            // proposals by the hundred, or by the ten thousand
	LIE_TRUNCATES,        // a chain for a joiner that ends too early
	LIE_CLOCKS,           // a year off, and they jump
	SIM_LIES
};
extern const char *const sim_lie_names[SIM_LIES];

struct sim_options {
	uint64_t seed;
	unsigned members;    // of the first roster, 2 to 9
	unsigned liars;      // of them
	unsigned lies;       // bits of enum sim_lie
	unsigned flood;      // proposals of LIE_FLOOD
	unsigned candidates; // who may be admitted
	unsigned ops;        // that are proposed, at moments of chance
	unsigned texts;      // that are said, likewise
	unsigned loss, twice, slow; // percent of messages
	unsigned late;              // likewise, of COMMITs: rounds later
	unsigned crashes;    // at moments of chance, among honest members
	unsigned partitions;
	unsigned vanish;     // members that go for good in the middle, at most f together with the liars
	uint64_t crash_at;   // the honest member whose write to its disk is that one of the run crashes at it; 0: none
	bool crash_after;    // it is written, and nobody knows
	bool crash_ballots;  // only STATUS, ORDER, VOTE and COMMIT are counted; and it is back at once
	bool restarts;       // whoever has sent a COMMIT is restarted soon after
	bool k_charter;      // else "all"
	bool calm;           // L1, L2: no chance in the network, nobody lies, all consent, all at once
	bool trace;
};

struct sim_result {
	unsigned steps, commits, admitted, removed, departed, rounds;
	unsigned payloads, accepted, delivered, confirmed; // of honest members
	unsigned complaints, disputes;
	unsigned forks, rolled_back;                       // equivocations in text; disks that were found out
	uint64_t writes;                                   // to disks of honest members
	unsigned played[SIM_LIES];
	const char *violation; // NULL: none
};

// One schedule from its options.
struct sim_result sim_run(const struct sim_options *options);
// The options that a seed stands for.
struct sim_options sim_options_of(uint64_t seed, unsigned members);
struct sim_options sim_options_calm(struct sim_options o); // with its seed and members
void sim_options_restarts(struct sim_options *o);          // few know of a lock, and those are restarted

#endif
