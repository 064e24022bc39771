// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/program.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <lualib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct start {
	const char *module;
	const luaL_Reg *preload;
	int argc;
	char **argv;
};

void program_begin(void)
{
	int fd;
	// a file that is opened as descriptor 2 would get our complaints
	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
		;
	close_range(STDERR_FILENO + 1, UINT_MAX, 0);
	umask(077);
	signal(SIGPIPE, SIG_IGN);
}

static bool has_core(const char *directory)
{
	char *path = mem_format("%s/sotto/core/api.lua", directory);
	bool there = access(path, R_OK) == 0;
	free(path);
	return there;
}

// malloc'd
static char *find_lua_directory(void)
{
	static const char *const beside[] = {"../lua", "../share/sotto/lua"};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n < 0 ? 0 : n] = 0;
	const char *directory = dirname(self);
	for (size_t i = 0; n > 0 && i < sizeof beside / sizeof beside[0]; i++) {
		char *path = mem_format("%s/%s", directory, beside[i]), *real = realpath(path, NULL);
		free(path);
		if (real && has_core(real))
			return real;
		free(real);
	}
	return mem_dup_string(SOTTO_LUADIR);
}

static void set_path(lua_State *L)
{
	char *directory = find_lua_directory();
	lua_getglobal(L, "package");
	lua_pushfstring(L, "%s/?.lua;%s/?/init.lua", directory, directory);
	lua_setfield(L, -2, "path");
	lua_pushliteral(L, "");
	lua_setfield(L, -2, "cpath");
	lua_pop(L, 1);
	free(directory);
}

static void add_modules(lua_State *L, const luaL_Reg *preload)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	luaL_setfuncs(L, preload, 0);
	lua_pop(L, 1);
}

static int run_protected(lua_State *L)
{
	const struct start *start = lua_touserdata(L, 1);
	luaL_openlibs(L);
	set_path(L);
	add_modules(L, start->preload);
	lua_getglobal(L, "require");
	lua_pushstring(L, start->module);
	lua_call(L, 1, 1);
	lua_getfield(L, -1, "run");
	lua_createtable(L, start->argc, 0);
	for (int i = 1; i < start->argc; i++) {
		lua_pushstring(L, start->argv[i]);
		lua_rawseti(L, -2, i);
	}
	lua_call(L, 1, 1);
	lua_pushinteger(L, luaL_checkinteger(L, -1));
	return 1;
}

static int add_traceback(lua_State *L)
{
	luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
	return 1;
}

int program_run(const char *module, const luaL_Reg *preload, int argc, char **argv)
{
	return program_run_in(luaL_newstate(), module, preload, argc, argv);
}

int program_run_in(lua_State *L, const char *module, const luaL_Reg *preload, int argc, char **argv)
{
	struct start start = {module, preload, argc, argv};
	int status = 1;
	if (!L)
		return 1;
	lua_pushcfunction(L, add_traceback);
	lua_pushcfunction(L, run_protected);
	lua_pushlightuserdata(L, &start);
	if (lua_pcall(L, 1, 1, 1) == LUA_OK)
		status = (int)lua_tointeger(L, -1);
	else
		fprintf(stderr, "%s: %s\n", module, lua_tostring(L, -1));
	lua_close(L);
	return status;
}
