// SPDX-License-Identifier: GPL-3.0-or-later
// The loop for specs: require "support.loop".
//   wait(predicate, seconds, step): turns the loop until predicate() is true; false at the deadline.
//     It looks again after every event; and every `step` seconds, for what the loop cannot see
//   turn(): one turn without sleeping       turns(): how many there were
//   took(): the loop's turns, as turns:read gives them
//   measure(): turns of no loop, with add(now, took, computing) and read(now)
//   after(ms, f), defer(f): handles with start(ms) / again() and cancel(), running()
#include "spec/support/object.h"

#define TIMER "support.timer"
#define DEFERRED "support.deferred"
#define TURNS "support.turns"

int luaopen_support_loop(lua_State *L);

static void raise_kept(lua_State *L)
{
	if (lua_getfield(L, LUA_REGISTRYINDEX, SUPPORT_ERROR) == LUA_TNIL) {
		lua_pop(L, 1);
		return;
	}
	lua_pushnil(L);
	lua_setfield(L, LUA_REGISTRYINDEX, SUPPORT_ERROR);
	lua_error(L);
}

static void nothing(struct ev_loop *ev, struct ev_timer *watcher, int events)
{
	(void)ev;
	(void)watcher;
	(void)events;
}

static void set_waiting(lua_State *L, bool waiting)
{
	lua_pushboolean(L, waiting);
	lua_setfield(L, LUA_REGISTRYINDEX, SUPPORT_WAITING);
}

static bool holds(lua_State *L)
{
	lua_pushvalue(L, 1);
	lua_call(L, 0, 1);
	bool done = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return done;
}

// A callback breaks a turn that may sleep, perhaps before its timers and descriptors had their say:
// hence the other turn, which does not sleep.
static void turn_twice(lua_State *L, struct loop *loop, double left)
{
	struct ev_timer deadline;
	ev_run(loop_ev(loop), EVRUN_NOWAIT);
	raise_kept(L);
	if (holds(L))
		return;
	ev_now_update(loop_ev(loop));
	ev_timer_init(&deadline, nothing, left, 0.);
	ev_timer_start(loop_ev(loop), &deadline);
	set_waiting(L, true);
	ev_run(loop_ev(loop), EVRUN_ONCE);
	set_waiting(L, false);
	ev_timer_stop(loop_ev(loop), &deadline);
	raise_kept(L);
}

static int wait(lua_State *L)
{
	struct loop *loop = support_loop(L);
	luaL_checktype(L, 1, LUA_TFUNCTION);
	double end = loop_now(loop) + luaL_optnumber(L, 2, 10), step = luaL_optnumber(L, 3, 10);
	for (;;) {
		bool done = holds(L);
		double left = end - loop_now(loop);
		if (done || left <= 0) {
			lua_pushboolean(L, done);
			return 1;
		}
		turn_twice(L, loop, left < step ? left : step);
	}
}

static int turn(lua_State *L)
{
	ev_run(loop_ev(support_loop(L)), EVRUN_NOWAIT);
	raise_kept(L);
	return 0;
}

static int turns(lua_State *L)
{
	lua_pushinteger(L, ev_iteration(loop_ev(support_loop(L))));
	return 1;
}

static int now(lua_State *L)
{
	lua_pushinteger(L, loop_now_ms(support_loop(L)));
	return 1;
}

// loop_run itself: returns when nothing is left to wait for, or after stop
static int run(lua_State *L)
{
	loop_run(support_loop(L));
	raise_kept(L);
	return 0;
}

static int stop(lua_State *L)
{
	loop_stop(support_loop(L));
	return 0;
}

// --- timers
// ---------------------------------------------------------------------------------------

struct support_timer {
	struct object object;
	struct loop *loop;
	struct timer timer;
};

static void timer_fired(void *arg)
{
	struct support_timer *t = arg;
	lua_State *L = t->object.L;
	if (object_push(&t->object, "fired"))
		object_call(L, 0);
}

static int after(lua_State *L)
{
	lua_Integer ms = luaL_checkinteger(L, 1);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	struct support_timer *t = object_new(L, TIMER, sizeof *t, 2);
	t->loop = support_loop(L);
	object_keep(L, &t->object);
	timer_start(t->loop, &t->timer, ms, timer_fired, t);
	return 1;
}

static int start(lua_State *L)
{
	struct support_timer *t = luaL_checkudata(L, 1, TIMER);
	timer_start(t->loop, &t->timer, luaL_checkinteger(L, 2), timer_fired, t);
	return 0;
}

static int cancel(lua_State *L)
{
	struct support_timer *t = luaL_checkudata(L, 1, TIMER);
	timer_cancel(t->loop, &t->timer);
	return 0;
}

static int running(lua_State *L)
{
	struct support_timer *t = luaL_checkudata(L, 1, TIMER);
	lua_pushboolean(L, timer_running(&t->timer));
	return 1;
}

static int drop_timer(lua_State *L)
{
	struct support_timer *t = luaL_checkudata(L, 1, TIMER);
	if (t->loop)
		timer_cancel(t->loop, &t->timer);
	object_drop(&t->object);
	return 0;
}

// --- deferred calls
// -------------------------------------------------------------------------------

struct support_deferred {
	struct object object;
	struct loop *loop;
	struct deferred deferred;
};

static void deferred_fired(void *arg)
{
	struct support_deferred *d = arg;
	lua_State *L = d->object.L;
	if (object_push(&d->object, "fired"))
		object_call(L, 0);
}

static int defer(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	struct support_deferred *d = object_new(L, DEFERRED, sizeof *d, 1);
	d->loop = support_loop(L);
	object_keep(L, &d->object);
	loop_defer(d->loop, &d->deferred, deferred_fired, d);
	return 1;
}

static int defer_again(lua_State *L)
{
	struct support_deferred *d = luaL_checkudata(L, 1, DEFERRED);
	loop_defer(d->loop, &d->deferred, deferred_fired, d);
	return 0;
}

static int defer_cancel(lua_State *L)
{
	struct support_deferred *d = luaL_checkudata(L, 1, DEFERRED);
	deferred_cancel(d->loop, &d->deferred);
	return 0;
}

static int drop_deferred(lua_State *L)
{
	struct support_deferred *d = luaL_checkudata(L, 1, DEFERRED);
	if (d->loop)
		deferred_cancel(d->loop, &d->deferred);
	object_drop(&d->object);
	return 0;
}

// --- how long turns take ----------------------------------------------------------------------------

// {count, sum, longest, longest_computing, recent, recent_computing, within = {[bound] = count}}
static int push_turns(lua_State *L, const struct turns *t, double at)
{
	double recent, computing;
	turns_recent(t, at, &recent, &computing);
	const struct {
		const char *name;
		double value;
	} fields[] = {{"sum", t->sum},
		      {"longest", t->longest},
		      {"longest_computing", t->longest_computing},
		      {"recent", recent},
		      {"recent_computing", computing}};
	lua_newtable(L);
	lua_pushinteger(L, (lua_Integer)t->count);
	lua_setfield(L, -2, "count");
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		lua_pushnumber(L, fields[i].value);
		lua_setfield(L, -2, fields[i].name);
	}
	lua_newtable(L);
	for (size_t i = 0; i < TURNS_BOUNDS; i++) {
		lua_pushnumber(L, turns_bounds[i]);
		lua_pushinteger(L, (lua_Integer)t->within[i]);
		lua_rawset(L, -3);
	}
	lua_setfield(L, -2, "within");
	return 1;
}

static int took(lua_State *L)
{
	struct loop *loop = support_loop(L);
	return push_turns(L, loop_turns(loop), loop_now(loop));
}

static int measure(lua_State *L)
{
	struct turns *t = lua_newuserdatauv(L, sizeof *t, 0);
	*t = (struct turns){0};
	luaL_setmetatable(L, TURNS);
	return 1;
}

static int turns_take(lua_State *L)
{
	struct turns *t = luaL_checkudata(L, 1, TURNS);
	turns_add(t, luaL_checknumber(L, 2), luaL_checknumber(L, 3), luaL_checknumber(L, 4));
	return 0;
}

static int turns_read(lua_State *L)
{
	return push_turns(L, luaL_checkudata(L, 1, TURNS), luaL_checknumber(L, 2));
}

int luaopen_support_loop(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"wait", wait}, {"turn", turn},   {"turns", turns}, {"now", now}, {"run", run},
		{"stop", stop}, {"after", after}, {"defer", defer}, {"took", took},
		{"measure", measure}, {NULL, NULL},
	};
	static const luaL_Reg timer_methods[] = {{"start", start},
						 {"cancel", cancel},
						 {"running", running},
						 {"free", drop_timer},
						 {NULL, NULL}};
	static const luaL_Reg deferred_methods[] = {{"again", defer_again},
						    {"cancel", defer_cancel},
						    {"free", drop_deferred},
						    {NULL, NULL}};
	static const luaL_Reg turns_methods[] = {{"add", turns_take}, {"read", turns_read}, {NULL, NULL}};
	object_type(L, TIMER, timer_methods, drop_timer);
	object_type(L, DEFERRED, deferred_methods, drop_deferred);
	luaL_newmetatable(L, TURNS);
	luaL_newlib(L, turns_methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	return 1;
}
