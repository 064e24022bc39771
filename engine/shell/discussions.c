// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/discussions.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "discussion/budget.h"
#include "peers/find.h"
#include "shell/conversation.h"
#include "shell/export.h"
#include "shell/joining.h"
#include "shell/opening.h"
#include "shell/shell.h"
#include "store/budgets.h"

void discussions_init(struct discussions *all, struct engine *e)
{
	all->engine = e;
	all->last = &all->first;
}

void discussions_add(struct discussions *all, struct discussion *d)
{
	d->next = NULL;
	d->link = all->last;
	*all->last = d;
	all->last = &d->next;
}

void discussions_remove(struct discussions *all, struct discussion *d)
{
	*d->link = d->next;
	if (d->next)
		d->next->link = d->link;
	else
		all->last = d->link;
	discussion_free(d);
}

// --- loading -----------------------------------------------------------------------------------------------------------------------

struct loading {
	struct discussions *all;
	enum err code;
	struct err_info *info;
};

static bool load_row(void *arg, const struct store_discussion *row)
{
	struct loading *l = arg;
	struct discussion *d;
	struct store_discussion copy = *row;
	bytes_ref(copy.certificate);
	l->code = discussion_restore(l->all->engine, &copy, &d, l->info);
	if (l->code)
		return false;
	discussions_add(l->all, d);
	return true;
}

enum err discussions_load(struct discussions *all, struct err_info *info)
{
	struct loading l = {.all = all, .info = info};
	enum err code = store_discussion_each(all->engine->store, load_row, &l, info);
	if (code == OK)
		code = l.code;
	if (code)
		return code;
	// what was neither refused nor committed when the core ended is never retried (P2.1); its home goes with the sweep
	for (struct discussion *d = all->first; d; d = d->next)
		if (!d->life.founded && !discussion_has_ended(d) && !joining_is(d)) {
			d->row.home[0] = 0;
			discussion_happens(d, LIFECYCLE_END, LIFECYCLE_REASON_RESTART);
		}
	return OK;
}

size_t discussions_homes(const struct discussions *all, const char ***names)
{
	size_t count = 0, room = 0;
	for (const struct discussion *d = all->first; d; d = d->next)
		room++;
	*names = mem_alloc_array(room + 1, sizeof **names);
	for (const struct discussion *d = all->first; d; d = d->next)
		if (d->row.home[0])
			(*names)[count++] = d->row.home;
	return count;
}

void discussions_prune(void *arg)
{
	struct discussions *all = arg;
	struct store_discussion row;
	for (struct discussion *d = all->first, *next; d; d = next) {
		next = d->next;
		if (!discussion_has_ended(d) || d->row.opened || d->opening || d->conversation)
			continue;
		if (store_discussion_get(all->engine->store, d->row.id, &row, NULL) == ERR_NOT_FOUND)
			discussions_remove(all, d);
		else
			store_discussion_fini(&row);
	}
}

void discussions_wake(struct discussions *all)
{
	invitations_load(all->engine);
	for (struct discussion *d = all->first; d; d = d->next) {
		if (d->row.has_h0) {
			conversation_start(d);
			discussion_happens(d, LIFECYCLE_RESTORE, LIFECYCLE_NO_REASON);
		} else {
			joining_wake(d);
		}
	}
}

void discussions_sleep(struct discussions *all)
{
	enum lifecycle_reason why = all->engine->stopping ? LIFECYCLE_REASON_RESTART : LIFECYCLE_REASON_LOCKED;
	for (struct opening *o = all->openings, *next; o; o = next) {
		next = opening_next(o);
		struct discussion *d = opening_discussion(o);
		opening_free(o);
		if (d && !d->life.founded)
			discussion_happens(d, LIFECYCLE_END, why);
	}
	invitations_fini(all->engine);
	for (struct discussion *d = all->first; d; d = d->next) {
		export_cancel(d->export, all->engine->stopping ? ERR_CANCELED : ERR_LOCKED);
		joining_sleep(d);
		conversation_stop(d);
	}
}

void discussions_recover(struct discussions *all)
{
	for (struct discussion *d = all->first; d; d = d->next)
		discussion_recover(d);
}

void discussions_fini(struct discussions *all)
{
	while (all->first)
		discussions_remove(all, all->first);
}

// --- finding -----------------------------------------------------------------------------------------------------------------------

struct discussion *discussions_get(struct discussions *all, const char *id)
{
	for (struct discussion *d = all->first; d; d = d->next)
		if (strcmp(d->row.id, id) == 0)
			return d;
	return NULL;
}

struct finding {
	struct engine *engine;
	struct discussion **list;
};

// A discussion of two is also called by the other's name, while it lives: ended ones must not make a name ambiguous.
static void item_at(void *arg, size_t i, struct find_item *item)
{
	struct finding *f = arg;
	struct discussion *d = f->list[i];
	item->identity = d->row.id;
	bool of_two = d->row.other[0] && d->life.members == 2 && !joining_is(d) && !discussion_has_ended(d);
	item->name = of_two ? neighbours_name(&f->engine->neighbours, d->row.other) : "";
}

enum err discussions_find(struct discussions *all, const char *text, struct discussion **out, struct err_info *info)
{
	size_t count = 0, found;
	for (struct discussion *d = all->first; d; d = d->next)
		count++;
	struct finding f = {.engine = all->engine, .list = mem_alloc_array(count, sizeof *f.list)};
	count = 0;
	for (struct discussion *d = all->first; d; d = d->next)
		f.list[count++] = d;
	enum err code = find_by_text("discussion", sizeof all->first->row.id - 1, text, item_at, &f, count, &found, info);
	if (code == OK)
		*out = f.list[found];
	free(f.list);
	return code;
}

// --- guesses ---------------------------------------------------------------------------------------------------------------------

static struct budget guesses(struct engine *e, const char *fingerprint)
{
	struct store_budget row;
	struct budget b = budget_new();
	if (store_budget_get(e->store, fingerprint, &row, NULL) == OK)
		b = (struct budget){.left = row.guesses, .refills = row.refills, .next_refill_at = row.next_refill};
	budget_refresh(&b, clock_now_ms(e->clock));
	return b;
}

int64_t discussions_guess_wait_ms(struct engine *e, const char *fingerprint)
{
	struct budget b = guesses(e, fingerprint);
	return budget_wait_ms(&b, clock_now_ms(e->clock));
}

uint32_t discussions_guesses_left(struct engine *e, const char *fingerprint)
{
	return guesses(e, fingerprint).left;
}

enum err discussions_guess_spend(struct engine *e, const char *fingerprint)
{
	struct err_info info;
	struct budget b = guesses(e, fingerprint);
	enum err code = budget_spend(&b, clock_now_ms(e->clock));
	if (code)
		return code;
	const struct store_budget row = {.guesses = b.left, .refills = b.refills, .next_refill = b.next_refill_at};
	code = store_budget_put(e->store, fingerprint, &row, &info);
	if (code)
		log_error("a guess could not be counted, so there is none: %s", info.text);
	return code;
}

void discussions_guesses_restore(struct engine *e, const char *fingerprint)
{
	struct err_info info;
	if (store_budget_reset(e->store, fingerprint, &info))
		log_warn("the guesses of %.8s could not be restored: %s", fingerprint, info.text);
}

// --- openings --------------------------------------------------------------------------------------------------------------------

struct opening *discussions_own_request(struct engine *e, const char *fingerprint, const struct opening *but)
{
	for (struct opening *o = e->discussions.openings; o; o = opening_next(o))
		if (o != but && opening_asks(o) && strcmp(opening_other(o), fingerprint) == 0)
			return o;
	return NULL;
}

void discussions_request_ended(struct engine *e, const char *fingerprint)
{
	openings_decide_again(e, fingerprint);
}
