// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/warm.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

struct expectation {
	struct warm *warm;
	struct home_user user; // so that it ends with its home
	struct home *home;
	struct warm_kind kind;
	struct gpg_op *op; // waits; NULL: none
	struct timer timer; // until it is started, or given up
	struct expectation *next, **link;
};

struct warm {
	struct gpg *gpg;
	struct loop *loop;
	warm_start *start;
	unsigned max, count;
	int64_t idle_ms;
	struct expectation *first; // the most recently used
};

struct warm *warm_new(struct gpg *g, warm_start *start)
{
	struct warm *w = mem_alloc(sizeof *w);
	w->gpg = g;
	w->loop = gpg_loop(g);
	w->start = start;
	return w;
}

void warm_free(struct warm *w)
{
	if (!w)
		return;
	warm_forget_all(w);
	free(w);
}

// --- expectations -----------------------------------------------------------------------------------------------------------

static void unlink_it(struct expectation *e)
{
	*e->link = e->next;
	if (e->next)
		e->next->link = e->link;
}

static void put_first(struct warm *w, struct expectation *e)
{
	e->next = w->first;
	e->link = &w->first;
	if (w->first)
		w->first->link = &e->next;
	w->first = e;
}

static void forget(struct expectation *e)
{
	struct warm *w = e->warm;
	struct gpg_op *op = e->op;
	timer_cancel(w->loop, &e->timer);
	home_leave(&e->user);
	unlink_it(e);
	w->count--;
	free(e);
	if (op)
		op_discard(op);
}

static void forget_user(struct home_user *u)
{
	forget((struct expectation *)((char *)u - offsetof(struct expectation, user)));
}

static void forget_timed(void *arg)
{
	forget(arg);
}

static bool fits(const struct expectation *e, const struct home *home, const struct warm_kind *kind)
{
	return e->home == home && e->kind.recipient_count == kind->recipient_count &&
	       memcmp(e->kind.recipients, kind->recipients, kind->recipient_count * sizeof *kind->recipients) == 0;
}

static struct expectation *find(const struct warm *w, const struct home *home, const struct warm_kind *kind)
{
	for (struct expectation *e = w->first; e; e = e->next)
		if (fits(e, home, kind))
			return e;
	return NULL;
}

static struct expectation *last(const struct warm *w)
{
	struct expectation *e = w->first;
	while (e && e->next)
		e = e->next;
	return e;
}

static struct expectation *new_expectation(struct warm *w, struct home *home, const struct warm_kind *kind)
{
	struct expectation *e = mem_alloc(sizeof *e);
	e->warm = w;
	e->home = home;
	e->kind = *kind;
	e->user.cancel = forget_user;
	home_enter(home, &e->user);
	put_first(w, e);
	w->count++;
	return e;
}

// --- processes ----------------------------------------------------------------------------------------------------------------

static void on_lost(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct expectation *e = arg;
	(void)code;
	(void)result;
	log_debug("a gpg process that waited has ended: %s", info->text);
	e->op = NULL;
	forget(e);
}

static void start(void *arg)
{
	struct expectation *e = arg;
	struct warm *w = e->warm;
	// it would start the agent, beside others that want to
	enum err code = home_has_agent(e->home) ? w->start(w->gpg, e->home, &e->kind, on_lost, e, &e->op) : ERR_WRONG_STATE;
	if (code)
		forget(e);
	else
		timer_start(w->loop, &e->timer, w->idle_ms, forget_timed, e);
}

void warm_limit(struct warm *w, unsigned max, int64_t idle_ms)
{
	w->max = max;
	w->idle_ms = idle_ms;
	while (w->count > w->max)
		forget(last(w));
}

void warm_expect(struct warm *w, struct home *home, const struct warm_kind *kind, bool surely, int64_t delay_ms)
{
	struct expectation *e = find(w, home, kind);
	if (w->max == 0 || (!e && !surely && w->count == w->max))
		return;
	if (e) {
		unlink_it(e);
		put_first(w, e);
	} else {
		while (w->count >= w->max)
			forget(last(w));
		e = new_expectation(w, home, kind);
	}
	if (e->op)
		timer_start(w->loop, &e->timer, w->idle_ms, forget_timed, e);
	else
		timer_start(w->loop, &e->timer, delay_ms, start, e);
}

struct gpg_op *warm_take(struct warm *w, struct home *home, const struct warm_kind *kind)
{
	struct expectation *e = find(w, home, kind);
	struct gpg_op *op = e ? e->op : NULL;
	if (!op)
		return NULL;
	e->op = NULL;
	timer_start(w->loop, &e->timer, w->idle_ms, forget_timed, e);
	return op;
}

// --- ends -----------------------------------------------------------------------------------------------------------------------

static void forget_where(struct warm *w, const struct home *home)
{
	struct expectation *next;
	for (struct expectation *e = w->first; e; e = next) {
		next = e->next;
		if (!home || (e->home == home && e->kind.recipient_count))
			forget(e);
	}
}

void warm_forget_seals(struct warm *w, struct home *home)
{
	assert(home);
	forget_where(w, home);
}

void warm_forget_all(struct warm *w)
{
	forget_where(w, NULL);
}

unsigned warm_count(const struct warm *w)
{
	unsigned count = 0;
	for (const struct expectation *e = w->first; e; e = e->next)
		count += e->op != NULL;
	return count;
}
