// SPDX-License-Identifier: GPL-3.0-or-later
// The process's one event loop (libev), timers and the end-of-turn queue. One thread.
#ifndef SOTTO_LOOP_LOOP_H
#define SOTTO_LOOP_LOOP_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "loop/turns.h"

struct loop;

struct loop *loop_new(void);
void loop_free(struct loop *l); // everything on it has been stopped by its owner
struct ev_loop *loop_ev(struct loop *l); // for modules that own watchers of their own
void loop_run(struct loop *l);  // returns after loop_stop, or when nothing is left to wait for
void loop_stop(struct loop *l);
int64_t loop_now_ms(struct loop *l); // monotonic milliseconds
double loop_now(struct loop *l);     // the same in seconds, sub-millisecond
const struct turns *loop_turns(const struct loop *l); // how long its turns took, in loop_now's clock

// A one-shot timer, embedded in its owner and zero-initialised. The owner cancels it before it goes away.
struct timer {
	struct ev_timer watcher;
	void (*callback)(void *arg);
	void *arg;
};
// (Re)starts it: callback once, not before `ms` from now, never from inside this call.
void timer_start(struct loop *l, struct timer *t, int64_t ms, void (*callback)(void *arg), void *arg);
void timer_cancel(struct loop *l, struct timer *t); // fine when not running
bool timer_running(const struct timer *t);

// A call at the end of this turn, after all I/O callbacks and before the loop sleeps; embedded and zero-initialised.
// Deferring one that is queued already changes nothing. What is deferred during the queue's run is run in the same go,
// up to 10,000 a turn, so that a cycle cannot starve I/O.
struct deferred {
	void (*callback)(void *arg);
	void *arg;
	struct deferred *next, **link; // link: NULL when not queued
};
void loop_defer(struct loop *l, struct deferred *d, void (*callback)(void *arg), void *arg);
void deferred_cancel(struct loop *l, struct deferred *d); // fine when not queued

#endif
