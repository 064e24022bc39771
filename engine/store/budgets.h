// SPDX-License-Identifier: GPL-3.0-or-later
// Guesses left per peer (P2.2). A row of its own, which outlives the peer's: forgetting a peer
// gives no guess back.
#ifndef SOTTO_STORE_BUDGETS_H
#define SOTTO_STORE_BUDGETS_H

#include "store/store.h"

#define STORE_BUDGETS_MAX 20000

struct store_budget {
	uint32_t guesses;    // left
	uint32_t refills;    // taken since the last success
	int64_t next_refill; // 0: none due
};

MUST_CHECK enum err store_budget_get(
	struct store *s, const char *fingerprint, struct store_budget *out,
	struct err_info *info); // ERR_NOT_FOUND: never touched, so full
// On disk when it returns OK outside a transaction: guesses are counted before they can be
// observed. ERR_TOO_LARGE at the cap: no guess then.
MUST_CHECK enum err store_budget_put(struct store *s, const char *fingerprint,
				     const struct store_budget *budget, struct err_info *info);
// After a success: full again. None there is OK.
MUST_CHECK enum err store_budget_reset(struct store *s, const char *fingerprint,
				       struct err_info *info);

#endif
