// SPDX-License-Identifier: GPL-3.0-or-later
// Guesses left for one peer (P2.2), as arithmetic on a row that the owner keeps on disk. Both roles
// share a peer's row. When the last guess is spent, one comes back after 10 minutes, the next after
// 20, 40 … up to a day; a success restores all three and the 10 minutes.
#ifndef SOTTO_DISCUSSION_BUDGET_H
#define SOTTO_DISCUSSION_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define BUDGET_GUESSES 3
#define BUDGET_FIRST_WAIT_MS INT64_C(600000)
#define BUDGET_LONGEST_WAIT_MS INT64_C(86400000)

struct budget {
	uint32_t left;          // 0 to BUDGET_GUESSES
	uint32_t refills;       // how often one came back since the last success
	int64_t next_refill_at; // ms since 1970; 0 while left > 0
};

struct budget budget_new(void); // of a peer without a row
// What the row is worth now. A next_refill_at further away than the wait it stands for (the clock
// was set back) is brought near, and out-of-range values become allowed ones. True where the row
// changed.
bool budget_refresh(struct budget *b, int64_t now_ms);
int64_t budget_wait_ms(const struct budget *b, int64_t now_ms); // 0: a guess is left now
// Refreshes and takes one guess; ERR_REFUSED where none is left. The owner commits the row before
// the guess can be observed.
MUST_CHECK enum err budget_spend(struct budget *b, int64_t now_ms);
void budget_restore(struct budget *b);

#endif
