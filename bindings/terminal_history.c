// SPDX-License-Identifier: GPL-3.0-or-later
// What the arrow keys and Ctrl-R bring back. Files are Lua's affair (lua/sotto/client/history.lua).
#include <stdio.h>
#include <string.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "bindings/terminal_parts.h"

static int terminal_remember(lua_State *L)
{
	const char *line = luaL_checkstring(L, 1);
	HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;
	if (*line && !(last && strcmp(last->line, line) == 0))
		add_history(line);
	return 0;
}

static int terminal_history(lua_State *L)
{
	HIST_ENTRY **list = history_list();
	lua_newtable(L);
	for (int i = 0; list && list[i]; i++) {
		lua_pushstring(L, list[i]->line);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

static int terminal_set_history(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_Integer count = luaL_len(L, 1);
	if (RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH))
		return binding_fail(L, ERR_BUSY, NULL); // the search looks at the lines
	clear_history();
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, 1, i);
		if (lua_type(L, -1) == LUA_TSTRING)
			add_history(lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	using_history();
	lua_pushboolean(L, 1);
	return 1;
}

const luaL_Reg terminal_history_functions[] = {
	{"remember", terminal_remember},
	{"history", terminal_history},
	{"set_history", terminal_set_history},
	{NULL, NULL},
};
