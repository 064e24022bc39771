// SPDX-License-Identifier: GPL-3.0-or-later
// lua5.4, as far as the specs need it, built with the sanitizer: it finds its runtime where it must be,
// before everything else, and no child inherits an LD_PRELOAD. Usage: lua5.4 [-e CODE] … [FILE [ARG …]]
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_traceback(lua_State *L)
{
	luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
	return 1;
}

static void set_arg(lua_State *L, int argc, char **argv, int script)
{
	lua_newtable(L);
	for (int i = 0; i < argc; i++) {
		lua_pushstring(L, argv[i]);
		lua_rawseti(L, -2, i - script);
	}
	lua_setglobal(L, "arg");
}

// What was loaded is on the stack, or why it was not.
static int call(lua_State *L, int loaded, int argc, char **argv)
{
	if (loaded == LUA_OK) {
		lua_pushcfunction(L, add_traceback);
		lua_insert(L, 1);
		luaL_checkstack(L, argc, NULL);
		for (int i = 0; i < argc; i++)
			lua_pushstring(L, argv[i]);
		loaded = lua_pcall(L, argc, 0, 1);
	}
	if (loaded != LUA_OK)
		fprintf(stderr, "lua5.4: %s\n", lua_tostring(L, -1));
	lua_settop(L, 0);
	return loaded == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	int at = 1, status = EXIT_SUCCESS;
	lua_State *L = luaL_newstate();
	if (!L)
		return EXIT_FAILURE;
	luaL_openlibs(L);
	for (; status == EXIT_SUCCESS && at + 1 < argc && strcmp(argv[at], "-e") == 0; at += 2)
		status = call(L, luaL_loadbuffer(L, argv[at + 1], strlen(argv[at + 1]), "=(command line)"), 0, NULL);
	if (status == EXIT_SUCCESS && at < argc) {
		set_arg(L, argc, argv, at);
		status = call(L, luaL_loadfile(L, argv[at]), argc - at - 1, argv + at + 1);
	}
	lua_close(L);
	return status;
}
