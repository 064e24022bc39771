// SPDX-License-Identifier: GPL-3.0-or-later
#include "discussion/budget.h"

struct budget budget_new(void)
{
	return (struct budget){.left = BUDGET_GUESSES};
}

static int64_t wait_after(uint32_t refills)
{
	int64_t wait = BUDGET_FIRST_WAIT_MS;
	while (refills-- && wait < BUDGET_LONGEST_WAIT_MS)
		wait *= 2;
	return wait < BUDGET_LONGEST_WAIT_MS ? wait : BUDGET_LONGEST_WAIT_MS;
}

bool budget_refresh(struct budget *b, int64_t now_ms)
{
	struct budget before = *b;
	int64_t wait = wait_after(b->refills);
	if (b->left > BUDGET_GUESSES)
		b->left = BUDGET_GUESSES;
	if (b->left > 0) {
		b->next_refill_at = 0;
	} else if (b->next_refill_at == 0 || b->next_refill_at > now_ms + wait) {
		// a clock that was set back, or a row that says nothing, must not lock a peer out
		// for years
		b->next_refill_at = now_ms + wait;
	} else if (b->next_refill_at <= now_ms) {
		b->left = 1;
		if (b->refills < UINT32_MAX)
			b->refills++;
		b->next_refill_at = 0;
	}
	return b->left != before.left || b->refills != before.refills ||
	       b->next_refill_at != before.next_refill_at;
}

int64_t budget_wait_ms(const struct budget *b, int64_t now_ms)
{
	struct budget now = *b;
	budget_refresh(&now, now_ms);
	return now.left ? 0 : now.next_refill_at - now_ms;
}

enum err budget_spend(struct budget *b, int64_t now_ms)
{
	budget_refresh(b, now_ms);
	if (b->left == 0)
		return ERR_REFUSED;
	if (--b->left == 0)
		b->next_refill_at = now_ms + wait_after(b->refills);
	return OK;
}

void budget_restore(struct budget *b)
{
	*b = budget_new();
}
