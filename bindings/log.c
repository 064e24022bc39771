// SPDX-License-Identifier: GPL-3.0-or-later
// sotto.log: the process's log (base/log.h).
#include "base/log.h"

#include <string.h>

#include "bindings/common.h"

int luaopen_sotto_log(lua_State *L);

static const char *const level_names[] = {"error", "warn", "info", "debug", NULL};

static int log_open_file(lua_State *L)
{
	const char *path = lua_isnil(L, 1) ? NULL : binding_check_path(L, 1);
	enum log_level level = (enum log_level)luaL_checkoption(L, 2, "info", level_names);
	struct err_info info = {0};
	enum err e = log_open(path, level, &info);
	return binding_result(L, e, &info);
}

static int log_level_set(lua_State *L)
{
	log_set_level((enum log_level)luaL_checkoption(L, 1, NULL, level_names));
	return 0;
}

// string.format's own rules apply where there is more than a text
static int write_text(lua_State *L)
{
	enum log_level level = (enum log_level)lua_tointeger(L, lua_upvalueindex(1));
	luaL_checkstring(L, 1);
	if (lua_gettop(L) > 1) {
		lua_pushvalue(L, lua_upvalueindex(2));
		lua_insert(L, 1);
		lua_call(L, lua_gettop(L) - 1, 1);
	}
	log_write(level, "%s", lua_tostring(L, -1));
	return 0;
}

int luaopen_sotto_log(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"open", log_open_file},
		{"set_level", log_level_set},
		{NULL, NULL},
	};
	luaL_newlib(L, functions);
	lua_getglobal(L, "string");
	for (int i = 0; level_names[i]; i++) {
		lua_pushinteger(L, i);
		lua_getfield(L, -2, "format");
		lua_pushcclosure(L, write_text, 2);
		lua_setfield(L, -3, level_names[i]);
	}
	lua_pop(L, 1);
	return 1;
}
