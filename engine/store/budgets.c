// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/budgets.h"

#include "store/internal.h"

enum err store_budget_get(struct store *s, const char *fingerprint, struct store_budget *out,
			  struct err_info *info)
{
	struct store_budget b = {0};
	struct query q;
	bool found = false;
	enum err e = check_fingerprint(fingerprint, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "SELECT guesses, refills, next_refill FROM budgets WHERE fingerprint = ?");
	query_bind_text(&q, fingerprint);
	if (query_step(&q)) {
		found = true;
		b.guesses = (uint32_t)query_take_int(&q);
		b.refills = (uint32_t)query_take_int(&q);
		b.next_refill = query_take_int(&q);
	}
	e = query_end(&q, info);
	if (!e && !found)
		e = err_set(info, ERR_NOT_FOUND, "no guess was made with %s", fingerprint);
	if (!e)
		*out = b;
	return e;
}

static enum err check_room(struct store *s, const char *fingerprint, struct err_info *info)
{
	struct query q;
	bool full = false;
	query_begin(&q, s,
		    "SELECT NOT EXISTS (SELECT 1 FROM budgets WHERE fingerprint = ?) AND "
		    "(SELECT count(*) FROM budgets) >= ?");
	query_bind_text(&q, fingerprint);
	query_bind_int(&q, STORE_BUDGETS_MAX);
	if (query_step(&q))
		full = query_take_int(&q) != 0;
	enum err e = query_end(&q, info);
	if (!e && full)
		e = err_set(info, ERR_TOO_LARGE, "guesses of %d peers are counted already",
			    STORE_BUDGETS_MAX);
	return e;
}

enum err store_budget_put(struct store *s, const char *fingerprint,
			  const struct store_budget *budget, struct err_info *info)
{
	struct query q;
	enum err e = check_fingerprint(fingerprint, info);
	if (!e)
		e = check_room(s, fingerprint, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "INSERT INTO budgets (fingerprint, guesses, refills, next_refill) "
		    "VALUES (?, ?, ?, ?) ON CONFLICT (fingerprint) DO UPDATE SET guesses = "
		    "excluded.guesses, refills = excluded.refills, next_refill = "
		    "excluded.next_refill");
	query_bind_text(&q, fingerprint);
	query_bind_int(&q, budget->guesses);
	query_bind_int(&q, budget->refills);
	query_bind_int(&q, budget->next_refill);
	return query_run(&q, NULL, info);
}

enum err store_budget_reset(struct store *s, const char *fingerprint, struct err_info *info)
{
	struct query q;
	enum err e = check_fingerprint(fingerprint, info);
	if (e)
		return e;
	query_begin(&q, s, "DELETE FROM budgets WHERE fingerprint = ?");
	query_bind_text(&q, fingerprint);
	return query_run(&q, NULL, info);
}
