// SPDX-License-Identifier: GPL-3.0-or-later
// What the support modules with callbacks share. An object is a userdata that holds a table of Lua
// callbacks and is kept alive until it is freed; an error in a callback is kept, and raised by the
// next support.loop wait.
#ifndef SOTTO_SPEC_SUPPORT_OBJECT_H
#define SOTTO_SPEC_SUPPORT_OBJECT_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "loop/loop.h"

#define SUPPORT_ERROR "support.error"
#define SUPPORT_LOOP "support.loop"
#define SUPPORT_WAITING "support.waiting"

// nil, name, text
static inline int answer_error(lua_State *L, enum err e, const struct err_info *info)
{
	lua_pushnil(L);
	lua_pushstring(L, err_name(e));
	lua_pushstring(L, info && info->code ? info->text : "");
	return 3;
}

static inline int answer_ok(lua_State *L, enum err e, const struct err_info *info)
{
	if (e)
		return answer_error(L, e, info);
	lua_pushboolean(L, 1);
	return 1;
}

static inline struct span check_span(lua_State *L, int index)
{
	size_t len;
	const char *text = luaL_checklstring(L, index, &len);
	return span(text, len);
}

static inline struct bytes *check_bytes(lua_State *L, int index) // a new reference, or NULL
{
	return lua_isnoneornil(L, index) ? NULL : bytes_new_span(check_span(L, index));
}

// A key of 32 bytes, borrowed from Lua; NULL where there is none.
static inline const uint8_t *check_key_or_null(lua_State *L, int index)
{
	size_t len;
	if (lua_isnoneornil(L, index))
		return NULL;
	const char *key = luaL_checklstring(L, index, &len);
	luaL_argcheck(L, len == 32, index, "a key has 32 bytes");
	return (const uint8_t *)key;
}

// The one loop of all specs.
static inline struct loop *support_loop(lua_State *L)
{
	lua_getfield(L, LUA_REGISTRYINDEX, SUPPORT_LOOP);
	struct loop *loop = lua_touserdata(L, -1);
	if (!loop) {
		loop = loop_new();
		lua_pushlightuserdata(L, loop);
		lua_setfield(L, LUA_REGISTRYINDEX, SUPPORT_LOOP);
	}
	lua_pop(L, 1);
	return loop;
}

struct object {
	lua_State *L; // the main thread; NULL once freed
};

// The new object stays on the stack. callbacks: index of a table of functions, or of one function.
static inline void *object_new(lua_State *L, const char *type, size_t size, int callbacks)
{
	callbacks = lua_absindex(L, callbacks);
	struct object *o = lua_newuserdatauv(L, size, 1);
	memset(o, 0, size);
	luaL_setmetatable(L, type);
	lua_pushvalue(L, callbacks);
	lua_setiuservalue(L, -2, 1);
	return o;
}

// From now on it lives until object_drop.
static inline void object_keep(lua_State *L, struct object *o)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
	o->L = lua_tothread(L, -1);
	lua_pop(L, 1);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, o);
}

static inline void object_drop(struct object *o)
{
	if (!o->L)
		return;
	lua_pushnil(o->L);
	lua_rawsetp(o->L, LUA_REGISTRYINDEX, o);
	o->L = NULL;
}

// Pushes a callback and the object itself as its first argument. False: there is none.
static inline bool object_push(struct object *o, const char *name)
{
	lua_State *L = o->L;
	if (!L)
		return false;
	luaL_checkstack(L, 10, NULL);
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, o) != LUA_TUSERDATA) {
		lua_pop(L, 1);
		return false;
	}
	lua_getiuservalue(L, -1, 1);
	if (lua_istable(L, -1)) {
		lua_getfield(L, -1, name);
		lua_remove(L, -2);
	}
	lua_insert(L, -2);
	if (lua_isfunction(L, -2))
		return true;
	lua_pop(L, 2);
	return false;
}

// A wait looks at its predicate after every callback: one that came at the end of a turn would
// otherwise be noticed only after the next sleep.
static inline void support_look(lua_State *L)
{
	lua_getfield(L, LUA_REGISTRYINDEX, SUPPORT_WAITING);
	if (lua_toboolean(L, -1))
		ev_break(loop_ev(support_loop(L)), EVBREAK_ONE);
	lua_pop(L, 1);
}

// Calls what object_push began; `count` more arguments were pushed.
static inline void object_call(lua_State *L, int count)
{
	support_look(L);
	if (lua_pcall(L, count + 1, 0, 0) == LUA_OK)
		return;
	if (lua_getfield(L, LUA_REGISTRYINDEX, SUPPORT_ERROR) == LUA_TNIL) {
		lua_pushvalue(L, -2);
		lua_setfield(L, LUA_REGISTRYINDEX, SUPPORT_ERROR);
	}
	lua_pop(L, 2);
}

static inline void object_type(lua_State *L, const char *type, const luaL_Reg *methods,
			       lua_CFunction free)
{
	luaL_newmetatable(L, type);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, free);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
}

static inline void set_integer(lua_State *L, const char *name, uint64_t value)
{
	lua_pushinteger(L, (lua_Integer)value);
	lua_setfield(L, -2, name);
}

#endif
