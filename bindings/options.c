// SPDX-License-Identifier: GPL-3.0-or-later
// sotto.options: what config.lua may say of the engine's numbers, as data. For who reads a configuration without an engine.
#include "bindings/common.h"
#include "engine.h"

int luaopen_sotto_options(lua_State *L);

int luaopen_sotto_options(lua_State *L)
{
	lua_newtable(L);
	for (int i = 0; engine_options[i].name; i++) {
		const struct engine_option *o = &engine_options[i];
		lua_createtable(L, 0, 5);
		lua_pushstring(L, o->name);
		lua_setfield(L, -2, "name");
		lua_pushinteger(L, o->standard);
		lua_setfield(L, -2, "standard");
		lua_pushinteger(L, o->least);
		lua_setfield(L, -2, "least");
		lua_pushinteger(L, o->most);
		lua_setfield(L, -2, "most");
		lua_pushstring(L, o->text);
		lua_setfield(L, -2, "text");
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}
