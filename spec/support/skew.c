// SPDX-License-Identifier: GPL-3.0-or-later
// peers/skew for specs: require "support.skew"; new() → s:note(fingerprint, issued, expires, wall, at), s:judge(wall, at).
#include <lauxlib.h>
#include <lua.h>

#include "peers/skew.h"

#define SKEW "support.skew"

int luaopen_support_skew(lua_State *L);

static int make(lua_State *L)
{
	struct skew *s = lua_newuserdatauv(L, sizeof *s, 0);
	*s = (struct skew){0};
	luaL_setmetatable(L, SKEW);
	return 1;
}

static int note(lua_State *L)
{
	struct skew *s = luaL_checkudata(L, 1, SKEW);
	skew_note(s, luaL_checkstring(L, 2), luaL_checkinteger(L, 3), luaL_checkinteger(L, 4), luaL_checkinteger(L, 5),
		  luaL_checkinteger(L, 6));
	return 0;
}

// → peers, ahead, behind
static int judge(lua_State *L)
{
	const struct skew *s = luaL_checkudata(L, 1, SKEW);
	struct skew_verdict v = skew_judge(s, luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
	lua_pushinteger(L, (lua_Integer)v.peers);
	lua_pushinteger(L, v.ahead_ms);
	lua_pushinteger(L, v.behind_ms);
	return 3;
}

int luaopen_support_skew(lua_State *L)
{
	static const luaL_Reg methods[] = {{"note", note}, {"judge", judge}, {NULL, NULL}};
	static const luaL_Reg functions[] = {{"new", make}, {NULL, NULL}};
	luaL_newmetatable(L, SKEW);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	luaL_newlib(L, functions);
	return 1;
}
