// SPDX-License-Identifier: GPL-3.0-or-later
#include "loop/loop.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"

#define DEFERRED_PER_TURN 10000

struct loop {
	struct ev_loop *ev;
	struct ev_check check;
	struct ev_prepare prepare;
	struct ev_idle awake; // keeps the loop from sleeping while something is deferred
	struct deferred *first, **tail;
	struct turns turns;
	double began, began_computing; // this turn
};

static double clock_seconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void begin_turn(struct loop *l)
{
	l->began = clock_seconds(CLOCK_MONOTONIC);
	l->began_computing = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
}

static void end_turn(struct loop *l)
{
	double now = clock_seconds(CLOCK_MONOTONIC), took = now - l->began;
	double computing = clock_seconds(CLOCK_THREAD_CPUTIME_ID) - l->began_computing;
	turns_add(&l->turns, now, took, computing);
	if (took > TURNS_SLOW)
		log_debug("a turn of the loop took %.1f ms, %.1f of them computing", took * 1000, computing * 1000);
}

static void woken(struct ev_loop *ev, struct ev_check *watcher, int events)
{
	(void)ev;
	(void)events;
	begin_turn(watcher->data);
}

static void run_deferred(struct ev_loop *ev, struct ev_prepare *watcher, int events)
{
	struct loop *l = watcher->data;
	(void)ev;
	(void)events;
	for (int n = 0; l->first && n < DEFERRED_PER_TURN; n++) {
		struct deferred *d = l->first;
		deferred_cancel(l, d);
		d->callback(d->arg);
	}
	if (!l->first)
		ev_idle_stop(l->ev, &l->awake);
	end_turn(l);
}

static void stay_awake(struct ev_loop *ev, struct ev_idle *watcher, int events)
{
	(void)ev;
	(void)watcher;
	(void)events;
}

struct loop *loop_new(void)
{
	struct loop *l = mem_alloc(sizeof *l);
	l->ev = ev_default_loop(EVFLAG_AUTO); // the default one, for it alone gets SIGCHLD
	l->tail = &l->first;
	ev_prepare_init(&l->prepare, run_deferred);
	l->prepare.data = l;
	ev_set_priority(&l->prepare, EV_MINPRI);
	ev_prepare_start(l->ev, &l->prepare);
	ev_unref(l->ev);
	// before all other watchers of a turn, as the one above comes after them
	ev_check_init(&l->check, woken);
	l->check.data = l;
	ev_set_priority(&l->check, EV_MAXPRI);
	ev_check_start(l->ev, &l->check);
	ev_unref(l->ev);
	ev_idle_init(&l->awake, stay_awake);
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	ev_ref(l->ev);
	ev_prepare_stop(l->ev, &l->prepare);
	ev_ref(l->ev);
	ev_check_stop(l->ev, &l->check);
	ev_idle_stop(l->ev, &l->awake);
	free(l);
}

struct ev_loop *loop_ev(struct loop *l)
{
	return l->ev;
}

void loop_run(struct loop *l)
{
	begin_turn(l);
	ev_run(l->ev, 0);
}

void loop_stop(struct loop *l)
{
	ev_break(l->ev, EVBREAK_ALL);
}

double loop_now(struct loop *l)
{
	// ev_now is wall-clock time as of this turn; the monotonic clock does not jump when somebody sets it
	(void)l;
	return clock_seconds(CLOCK_MONOTONIC);
}

const struct turns *loop_turns(const struct loop *l)
{
	return &l->turns;
}

int64_t loop_now_ms(struct loop *l)
{
	return (int64_t)(loop_now(l) * 1000);
}

static void fire(struct ev_loop *ev, struct ev_timer *watcher, int events)
{
	struct timer *t = (struct timer *)((char *)watcher - offsetof(struct timer, watcher));
	(void)ev;
	(void)events;
	t->callback(t->arg);
}

void timer_start(struct loop *l, struct timer *t, int64_t ms, void (*callback)(void *arg), void *arg)
{
	timer_cancel(l, t);
	t->callback = callback;
	t->arg = arg;
	// relative to now, not to the beginning of a turn that may have taken long
	ev_now_update(l->ev);
	ev_timer_init(&t->watcher, fire, (double)(ms < 0 ? 0 : ms) / 1000.0, 0.);
	ev_timer_start(l->ev, &t->watcher);
}

void timer_cancel(struct loop *l, struct timer *t)
{
	if (t->callback)
		ev_timer_stop(l->ev, &t->watcher);
}

bool timer_running(const struct timer *t)
{
	return t->callback && ev_is_active(&t->watcher);
}

void loop_defer(struct loop *l, struct deferred *d, void (*callback)(void *arg), void *arg)
{
	d->callback = callback;
	d->arg = arg;
	if (d->link)
		return;
	d->next = NULL;
	d->link = l->tail;
	*l->tail = d;
	l->tail = &d->next;
	if (!ev_is_active(&l->awake))
		ev_idle_start(l->ev, &l->awake);
}

void deferred_cancel(struct loop *l, struct deferred *d)
{
	if (!d->link)
		return;
	*d->link = d->next;
	if (d->next)
		d->next->link = d->link;
	else
		l->tail = d->link;
	d->link = NULL;
	d->next = NULL;
}
