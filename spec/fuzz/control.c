// SPDX-License-Identifier: GPL-3.0-or-later
// The control socket's lines: bindings/request.c, and lua/sotto/core/rpc.lua over an engine that does nothing (control.lua).
#include <lauxlib.h>
#include <lualib.h>

#include "bindings/control.h"
#include "bindings/json.h"
#include "bindings/secret.h"
#include "spec/fuzz/fuzz.h"

int luaopen_sotto_log(lua_State *L);

// An input is a small part of what Lua leaves behind: it is not waited for
#define COLLECT_EVERY 64

static int trace(lua_State *L)
{
	luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
	return 1;
}

static void run(lua_State *L, int arguments, int results)
{
	int at = lua_gettop(L) - arguments;
	lua_pushcfunction(L, trace);
	lua_insert(L, at);
	if (lua_pcall(L, arguments, results, at) != LUA_OK)
		fprintf(stderr, "%s\n", lua_tostring(L, -1));
	CHECK(lua_gettop(L) >= at && !lua_isstring(L, -1));
	lua_remove(L, at);
}

static lua_State *begin(void)
{
	static const luaL_Reg modules[] = {
		{"sotto.json", luaopen_sotto_json},   {"sotto.secret", luaopen_sotto_secret},
		{"sotto.log", luaopen_sotto_log},     {"sotto.control", luaopen_sotto_control},
		{NULL, NULL},
	};
	lua_State *L = luaL_newstate();
	CHECK(L);
	luaL_openlibs(L);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	luaL_setfuncs(L, modules, 0);
	lua_pop(L, 1);
	CHECK(luaL_loadfile(L, "spec/fuzz/control.lua") == LUA_OK);
	run(L, 0, 1); // leaves the function that takes a line
	return L;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static lua_State *L;
	static unsigned count;
	if (memchr(data, '\n', size))
		return 0; // that is where a line ends
	if (!L)
		L = begin();
	lua_pushvalue(L, 1);
	lua_pushlstring(L, (const char *)data, size);
	run(L, 1, 0);
	CHECK(lua_gettop(L) == 1);
	if (++count % COLLECT_EVERY == 0)
		lua_gc(L, LUA_GCCOLLECT);
	return 0;
}
