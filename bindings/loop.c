// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/loop.h"

#include <ev.h>
#include <math.h>
#include <signal.h>

#include "bindings/signals.h"

#define TIMER_TYPE "sotto.timer"
#define DEFER_TYPE "sotto.deferred"
#define SIGNAL_TYPE "sotto.signal"
#define WATCH_TYPE "sotto.watch"

// a hundred days: beyond any use, and far from an overflow
#define TIMER_MAX_MS (100.0 * 86400 * 1000)

// --- timers ---------------------------------------------------------------------------------------------------------------

struct lua_timer {
	struct anchor self;
	struct loop *loop;
	struct timer timer;
	int64_t period;	 // 0: once
	bool background; // does not keep the loop going
	bool counted_out; // its reference to the loop is given back, and is owed before it stops
};

static void pay_back(struct lua_timer *t)
{
	if (t->counted_out)
		ev_ref(loop_ev(t->loop));
	t->counted_out = false;
}

static void timer_fired(void *arg);

static void timer_begin(struct lua_timer *t, int64_t ms)
{
	pay_back(t);
	timer_start(t->loop, &t->timer, ms, timer_fired, t);
	if (t->background) {
		ev_unref(loop_ev(t->loop));
		t->counted_out = true;
	}
}

static void timer_end(struct lua_timer *t)
{
	pay_back(t);
	timer_cancel(t->loop, &t->timer);
	anchor_clear(&t->self);
}

static void timer_fired(void *arg)
{
	struct lua_timer *t = arg;
	lua_State *L = t->self.L;
	bool found = anchor_push_callback(&t->self, 1);
	// before the call, which may stop or restart it, or end the loop
	if (t->period)
		timer_begin(t, t->period);
	else
		timer_end(t);
	if (found)
		binding_call(L, 0, 0, "a timer");
}

static int64_t check_duration(lua_State *L, int index)
{
	lua_Number ms = luaL_checknumber(L, index);
	luaL_argcheck(L, ms >= 0 && ms <= TIMER_MAX_MS, index, "not a duration in milliseconds");
	return (int64_t)ceil(ms);
}

static int make_timer(lua_State *L, bool repeat)
{
	int64_t ms = check_duration(L, 1);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	luaL_argcheck(L, !repeat || ms > 0, 1, "a period is at least 1 ms");
	struct loop *loop = binding_loop(L);
	struct lua_timer *t = binding_new(L, TIMER_TYPE, sizeof *t, 1);
	lua_pushvalue(L, 2);
	lua_setiuservalue(L, -2, 1);
	anchor_set(&t->self, L, -1);
	t->loop = loop;
	t->period = repeat ? ms : 0;
	timer_begin(t, ms);
	return 1;
}

static int loop_after(lua_State *L)
{
	return make_timer(L, false);
}

static int loop_every(lua_State *L)
{
	return make_timer(L, true);
}

static int lua_timer_stop(lua_State *L)
{
	struct lua_timer *t = luaL_checkudata(L, 1, TIMER_TYPE);
	if (t->loop)
		timer_end(t);
	return 0;
}

static int lua_timer_restart(lua_State *L)
{
	struct lua_timer *t = luaL_checkudata(L, 1, TIMER_TYPE);
	int64_t ms = check_duration(L, 2);
	luaL_argcheck(L, !t->period || ms > 0, 2, "a period is at least 1 ms");
	if (t->period)
		t->period = ms;
	anchor_set(&t->self, L, 1);
	timer_begin(t, ms);
	return 0;
}

static int lua_timer_background(lua_State *L)
{
	struct lua_timer *t = luaL_checkudata(L, 1, TIMER_TYPE);
	t->background = true;
	if (timer_running(&t->timer) && !t->counted_out) {
		ev_unref(loop_ev(t->loop));
		t->counted_out = true;
	}
	lua_settop(L, 1);
	return 1;
}

static int lua_timer_active(lua_State *L)
{
	struct lua_timer *t = luaL_checkudata(L, 1, TIMER_TYPE);
	lua_pushboolean(L, timer_running(&t->timer));
	return 1;
}

// --- the end of the turn ----------------------------------------------------------------------------------------------------

struct lua_deferred {
	struct anchor self;
	struct loop *loop;
	struct deferred deferred;
};

static void deferred_fired(void *arg)
{
	struct lua_deferred *d = arg;
	lua_State *L = d->self.L;
	bool found = anchor_push_callback(&d->self, 1);
	anchor_clear(&d->self);
	if (found)
		binding_call(L, 0, 0, "a deferred call");
}

static int loop_defer_call(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	struct loop *loop = binding_loop(L);
	struct lua_deferred *d = binding_new(L, DEFER_TYPE, sizeof *d, 1);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	anchor_set(&d->self, L, -1);
	d->loop = loop;
	loop_defer(loop, &d->deferred, deferred_fired, d);
	return 0;
}

static int lua_deferred_gc(lua_State *L)
{
	struct lua_deferred *d = luaL_checkudata(L, 1, DEFER_TYPE);
	if (d->loop)
		deferred_cancel(d->loop, &d->deferred);
	return 0;
}

// --- signals ----------------------------------------------------------------------------------------------------------------

struct lua_signal {
	struct anchor self;
	struct loop *loop;
	struct ev_signal watcher;
};

static void signal_fired(struct ev_loop *ev, struct ev_signal *watcher, int events)
{
	struct lua_signal *s = watcher->data;
	(void)ev;
	(void)events;
	if (!anchor_push_callback(&s->self, 1))
		return;
	lua_pushstring(s->self.L, binding_signal_name(watcher->signum));
	binding_call(s->self.L, 1, 0, "a signal handler");
}

static int lua_signal_stop(lua_State *L)
{
	struct lua_signal *s = luaL_checkudata(L, 1, SIGNAL_TYPE);
	if (s->loop && ev_is_active(&s->watcher)) {
		ev_ref(loop_ev(s->loop));
		ev_signal_stop(loop_ev(s->loop), &s->watcher);
	}
	anchor_clear(&s->self);
	return 0;
}

static int loop_signal(lua_State *L)
{
	int number = binding_check_signal(L, 1);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	struct loop *loop = binding_loop(L);
	struct lua_signal *s = binding_new(L, SIGNAL_TYPE, sizeof *s, 1);
	lua_pushvalue(L, 2);
	lua_setiuservalue(L, -2, 1);
	anchor_set(&s->self, L, -1);
	ev_signal_init(&s->watcher, signal_fired, number);
	s->watcher.data = s;
	s->loop = loop;
	ev_signal_start(loop_ev(loop), &s->watcher);
	// a program does not go on only because it would mind a signal
	ev_unref(loop_ev(loop));
	return 1;
}

// --- descriptors ------------------------------------------------------------------------------------------------------------

struct lua_watch {
	struct anchor self;
	struct loop *loop;
	struct ev_io watcher;
};

static void watch_fired(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct lua_watch *w = watcher->data;
	lua_State *L = w->self.L;
	(void)ev;
	(void)events;
	bool found = anchor_push_callback(&w->self, 1);
	// libev gives up a descriptor that somebody closed
	if (!ev_is_active(watcher))
		anchor_clear(&w->self);
	if (found)
		binding_call(L, 0, 0, "a watch");
}

static int lua_watch_stop(lua_State *L)
{
	struct lua_watch *w = luaL_checkudata(L, 1, WATCH_TYPE);
	if (w->loop)
		ev_io_stop(loop_ev(w->loop), &w->watcher);
	anchor_clear(&w->self);
	return 0;
}

static int loop_watch(lua_State *L)
{
	lua_Integer fd = luaL_checkinteger(L, 1);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	luaL_argcheck(L, fd >= 0 && fd < 1 << 20, 1, "not a descriptor");
	struct loop *loop = binding_loop(L);
	struct lua_watch *w = binding_new(L, WATCH_TYPE, sizeof *w, 1);
	lua_pushvalue(L, 2);
	lua_setiuservalue(L, -2, 1);
	anchor_set(&w->self, L, -1);
	ev_io_init(&w->watcher, watch_fired, (int)fd, EV_READ);
	w->watcher.data = w;
	w->loop = loop;
	ev_io_start(loop_ev(loop), &w->watcher);
	return 1;
}

// --- the loop ---------------------------------------------------------------------------------------------------------------

static int loop_run_lua(lua_State *L)
{
	loop_run(binding_loop(L));
	return 0;
}

static int loop_stop_lua(lua_State *L)
{
	loop_stop(binding_loop(L));
	return 0;
}

static int loop_now_lua(lua_State *L)
{
	lua_pushinteger(L, loop_now_ms(binding_loop(L)));
	return 1;
}

static int loop_on_error(lua_State *L)
{
	if (!lua_isnil(L, 1))
		luaL_checktype(L, 1, LUA_TFUNCTION);
	binding_set_error_handler(L, 1);
	return 0;
}

static void register_types(lua_State *L)
{
	static const luaL_Reg timer_methods[] = {
		{"stop", lua_timer_stop},     {"restart", lua_timer_restart},
		{"active", lua_timer_active}, {"background", lua_timer_background},
		{NULL, NULL},
	};
	static const luaL_Reg timer_meta[] = {{"__gc", lua_timer_stop}, {"__close", lua_timer_stop}, {NULL, NULL}};
	static const luaL_Reg defer_meta[] = {{"__gc", lua_deferred_gc}, {NULL, NULL}};
	static const luaL_Reg signal_methods[] = {{"stop", lua_signal_stop}, {NULL, NULL}};
	static const luaL_Reg signal_meta[] = {{"__gc", lua_signal_stop}, {"__close", lua_signal_stop}, {NULL, NULL}};
	static const luaL_Reg watch_methods[] = {{"stop", lua_watch_stop}, {NULL, NULL}};
	static const luaL_Reg watch_meta[] = {{"__gc", lua_watch_stop}, {"__close", lua_watch_stop}, {NULL, NULL}};
	binding_type(L, TIMER_TYPE, timer_methods, timer_meta);
	binding_type(L, DEFER_TYPE, NULL, defer_meta);
	binding_type(L, SIGNAL_TYPE, signal_methods, signal_meta);
	binding_type(L, WATCH_TYPE, watch_methods, watch_meta);
}

int luaopen_sotto_loop(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"run", loop_run_lua},	 {"stop", loop_stop_lua},     {"now", loop_now_lua},
		{"after", loop_after},	 {"every", loop_every},	      {"defer", loop_defer_call},
		{"signal", loop_signal}, {"watch", loop_watch},	      {"on_error", loop_on_error},
		{NULL, NULL},
	};
	register_types(L);
	loop_stream_register(L);
	loop_process_register(L);
	// a reader that is gone shows as an error of write
	signal(SIGPIPE, SIG_IGN);
	luaL_newlib(L, functions);
	luaL_setfuncs(L, loop_stream_functions, 0);
	luaL_setfuncs(L, loop_process_functions, 0);
	return 1;
}
