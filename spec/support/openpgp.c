// SPDX-License-Identifier: GPL-3.0-or-later
// support.openpgp: the OpenPGP layer for specs, on a real loop with real gpg. Here: rigs and homes.
#include <time.h>

#include "base/log.h"
#include "spec/support/openpgp_rig.h"

// --- turning the loop -------------------------------------------------------------------------------------------------------

// What is done was done at the end of a turn, just before the loop would sleep.
void rig_stop_turning(void)
{
	ev_break(ev_default_loop(0), EVBREAK_ALL);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void wake(void *arg)
{
	(void)arg;
}

bool rig_turn_until(struct rig *rig, const bool *done, double seconds)
{
	double deadline = now() + seconds;
	struct timer timer = {0};
	while (!*done && now() < deadline) {
		timer_start(rig->loop, &timer, (int64_t)((deadline - now()) * 1000) + 1, wake, NULL);
		ev_run(loop_ev(rig->loop), EVRUN_ONCE);
	}
	timer_cancel(rig->loop, &timer);
	return *done;
}

// --- rigs -----------------------------------------------------------------------------------------------------------------

struct rig *check_rig(lua_State *L)
{
	struct rig *r = luaL_checkudata(L, 1, OPENPGP_RIG);
	luaL_argcheck(L, r->loop, 1, "a rig that was stopped");
	return r;
}

struct home *check_home(lua_State *L, int index)
{
	struct spec_home *h = luaL_checkudata(L, index, OPENPGP_HOME);
	luaL_argcheck(L, h->home, index, "a home that is gone");
	return h->home;
}

static struct home *take_home(lua_State *L, int index)
{
	struct spec_home *h = luaL_checkudata(L, index, OPENPGP_HOME);
	struct home *home = check_home(L, index);
	h->home = NULL;
	return home;
}

static enum err rig_open(struct rig *r, const char *directory, struct err_info *info)
{
	enum err e = gpg_new(&r->gpg, r->loop, info);
	return e ? e : homes_open(&r->homes, r->loop, directory, &random_system, info);
}

static int rig_new(lua_State *L)
{
	const char *directory = luaL_checkstring(L, 1);
	struct rig *r = lua_newuserdatauv(L, sizeof *r, 0);
	struct err_info info;
	*r = (struct rig){.loop = loop_new()};
	luaL_setmetatable(L, OPENPGP_RIG);
	log_set_level(LOG_ERROR); // what the specs provoke is warned of
	enum err e = rig_open(r, directory, &info);
	return e ? push_failure(L, e, &info) : 1;
}

static void set_true(void *arg, enum err code, const struct err_info *info)
{
	(void)code;
	(void)info;
	*(bool *)arg = true;
	rig_stop_turning();
}

static void rig_close(struct rig *r)
{
	bool done = false, never = false;
	if (!r->loop)
		return;
	if (r->homes)
		homes_close_start(r->homes, set_true, &done);
	else
		done = true;
	rig_turn_until(r, &done, OPENPGP_WAIT_S);
	rig_turn_until(r, &never, 0.002); // the callbacks of what was cancelled
	gpg_free(r->gpg);
	loop_free(r->loop);
	*r = (struct rig){0};
}

static int rig_stop(lua_State *L)
{
	rig_close(luaL_checkudata(L, 1, OPENPGP_RIG));
	return 0;
}

// What a kill -9 leaves: nothing is told to end. The memory is lost, as it would be then.
static int rig_abandon(lua_State *L)
{
	struct rig *r = check_rig(L);
	*r = (struct rig){0};
	return 0;
}

static int rig_turn(lua_State *L)
{
	struct rig *r = check_rig(L);
	bool never = false;
	rig_turn_until(r, &never, luaL_optnumber(L, 2, 0.001));
	return 0;
}

static int rig_create_home(lua_State *L)
{
	struct rig *r = check_rig(L);
	struct err_info info;
	struct home *home;
	enum err e = home_create(r->homes, &home, &info);
	if (e)
		return push_failure(L, e, &info);
	push_home(L, home);
	return 1;
}

static int rig_open_home(lua_State *L)
{
	struct rig *r = check_rig(L);
	struct err_info info;
	struct home *home;
	enum err e = home_open(r->homes, luaL_checkstring(L, 2), &home, &info);
	if (e)
		return push_failure(L, e, &info);
	push_home(L, home);
	return 1;
}

static int rig_destroy(lua_State *L)
{
	struct rig *r = check_rig(L);
	struct home *home = take_home(L, 2);
	home_destroy_start(home, pending_on_home, pending_new(L, r));
	return 1;
}

static int rig_close_home(lua_State *L)
{
	struct rig *r = check_rig(L);
	struct home *home = take_home(L, 2);
	home_close_start(home, pending_on_home, pending_new(L, r));
	return 1;
}

static int rig_lock(lua_State *L)
{
	struct rig *r = check_rig(L);
	struct home *home = check_home(L, 2);
	home_lock_start(home, pending_on_home, pending_new(L, r));
	return 1;
}

static int rig_sweep(lua_State *L)
{
	struct rig *r = check_rig(L);
	const char *names[64];
	luaL_checktype(L, 2, LUA_TTABLE);
	size_t count = (size_t)luaL_len(L, 2);
	luaL_argcheck(L, count <= 64, 2, "too many names");
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, 2, (lua_Integer)i + 1);
		names[i] = luaL_checkstring(L, -1); // the table keeps it
		lua_pop(L, 1);
	}
	homes_sweep_start(r->homes, names, count, pending_on_home, pending_new(L, r));
	return 1;
}

static int rig_load(lua_State *L)
{
	struct gpg_load load = gpg_load(check_rig(L)->gpg);
	lua_newtable(L);
	lua_pushinteger(L, load.running);
	lua_setfield(L, -2, "running");
	lua_pushinteger(L, load.queued);
	lua_setfield(L, -2, "queued");
	lua_pushinteger(L, load.queued_strangers);
	lua_setfield(L, -2, "queued_strangers");
	lua_pushinteger(L, (lua_Integer)load.timeouts);
	lua_setfield(L, -2, "timeouts");
	lua_pushinteger(L, load.warm);
	lua_setfield(L, -2, "warm");
	lua_pushinteger(L, (lua_Integer)load.ahead);
	lua_setfield(L, -2, "ahead");
	lua_pushinteger(L, (lua_Integer)load.ahead_in_vain);
	lua_setfield(L, -2, "ahead_in_vain");
	lua_newtable(L);
	for (size_t i = 0; i < VERDICT_COUNT; i++) {
		lua_pushinteger(L, (lua_Integer)load.verdicts[i]);
		lua_setfield(L, -2, verdict_name((enum verdict)i));
	}
	lua_setfield(L, -2, "verdicts");
	return 1;
}

// --- homes ----------------------------------------------------------------------------------------------------------------

static int spec_home_name(lua_State *L)
{
	lua_pushstring(L, home_name(check_home(L, 1)));
	return 1;
}

static int spec_home_path(lua_State *L)
{
	lua_pushstring(L, home_path(check_home(L, 1)));
	return 1;
}

static int spec_home_gnupg_path(lua_State *L)
{
	struct err_info info;
	const char *path;
	enum err e = home_gnupg_path(check_home(L, 1), &path, &info);
	if (e)
		return push_failure(L, e, &info);
	lua_pushstring(L, path);
	return 1;
}

static int spec_home_unprotected(lua_State *L)
{
	lua_pushboolean(L, home_has_unprotected_key(check_home(L, 1)));
	return 1;
}

static int spec_home_erase_key(lua_State *L)
{
	struct err_info info;
	enum err e = home_erase_key(check_home(L, 1), luaL_checkstring(L, 2), &info);
	if (e)
		return push_failure(L, e, &info);
	lua_pushboolean(L, 1);
	return 1;
}

// keep_only(grip, …)
static int spec_home_keep_only(lua_State *L)
{
	struct err_info info;
	const char *grips[8];
	size_t count = (size_t)lua_gettop(L) - 1;
	luaL_argcheck(L, count <= 8, 2, "too many");
	for (size_t i = 0; i < count; i++)
		grips[i] = luaL_checkstring(L, (int)i + 2);
	enum err e = home_keep_only(check_home(L, 1), grips, count, &info);
	if (e)
		return push_failure(L, e, &info);
	lua_pushboolean(L, 1);
	return 1;
}

void push_home(lua_State *L, struct home *home)
{
	struct spec_home *out = lua_newuserdatauv(L, sizeof *out, 0);
	out->home = home;
	luaL_setmetatable(L, OPENPGP_HOME);
}

// --- module ---------------------------------------------------------------------------------------------------------------

static const luaL_Reg rig_methods[] = {
	{"stop", rig_stop}, {"abandon", rig_abandon}, {"turn", rig_turn}, {"load", rig_load},
	{"create_home", rig_create_home}, {"open_home", rig_open_home}, {"destroy", rig_destroy},
	{"close_home", rig_close_home}, {"lock", rig_lock}, {"sweep", rig_sweep}, {NULL, NULL},
};

static void register_type(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *more,
			  lua_CFunction gc)
{
	luaL_newmetatable(L, name);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	if (more)
		luaL_setfuncs(L, more, 0);
	lua_setfield(L, -2, "__index");
	if (gc) {
		lua_pushcfunction(L, gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_pop(L, 1);
}

static const luaL_Reg home_methods[] = {
	{"name", spec_home_name}, {"path", spec_home_path}, {"gnupg_path", spec_home_gnupg_path},
	{"unprotected", spec_home_unprotected}, {"erase_key", spec_home_erase_key}, {"keep_only", spec_home_keep_only}, {NULL, NULL},
};

static const luaL_Reg functions[] = {
	{"new", rig_new}, {NULL, NULL},
};

int luaopen_support_openpgp_pure(lua_State *L);
int luaopen_support_openpgp_system(lua_State *L);
int luaopen_support_openpgp_bench(lua_State *L);

// The other parts' functions stand in this module's table too.
static void merge(lua_State *L, lua_CFunction open)
{
	lua_pushcfunction(L, open);
	lua_call(L, 0, 1);
	lua_pushnil(L);
	while (lua_next(L, -2)) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_settable(L, -5);
	}
	lua_pop(L, 1);
}

int luaopen_support_openpgp(lua_State *L);
int luaopen_support_openpgp(lua_State *L)
{
	register_type(L, OPENPGP_RIG, rig_methods, openpgp_operations, rig_stop);
	register_type(L, OPENPGP_HOME, home_methods, NULL, NULL);
	register_type(L, OPENPGP_PENDING, openpgp_pending_methods, NULL, openpgp_pending_gc);
	luaL_newlib(L, functions);
	merge(L, luaopen_support_openpgp_pure);
	merge(L, luaopen_support_openpgp_system);
	merge(L, luaopen_support_openpgp_bench);
	return 1;
}
