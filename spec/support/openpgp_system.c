// SPDX-License-Identifier: GPL-3.0-or-later
// Part of support.openpgp: what the system says of this process, its children and their agents.
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "openpgp/process.h"

// agents(path): the process numbers of the agents whose home that is, of the whole system.
static int agents(lua_State *L)
{
	pid_t found[64];
	size_t count = process_agents(luaL_checkstring(L, 1), NULL, true, found, 64);
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_pushinteger(L, found[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int children(lua_State *L)
{
	static pid_t found[PROCESS_MAX];
	size_t count = process_children(found);
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_pushinteger(L, found[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int monotonic(lua_State *L)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	lua_pushnumber(L, (double)t.tv_sec + (double)t.tv_nsec / 1e9);
	return 1;
}

static int send_signal(lua_State *L)
{
	lua_pushboolean(L, kill((pid_t)luaL_checkinteger(L, 1), (int)luaL_checkinteger(L, 2)) == 0);
	return 1;
}

static int set_environment(lua_State *L)
{
	if (lua_isnil(L, 2))
		unsetenv(luaL_checkstring(L, 1));
	else
		setenv(luaL_checkstring(L, 1), luaL_checkstring(L, 2), 1);
	return 0;
}

static size_t count_in(const uint8_t *block, size_t len, const uint8_t *needle, size_t needle_len)
{
	size_t count = 0;
	for (const uint8_t *at = block; (at = memmem(at, (size_t)(block + len - at), needle, needle_len)); at++)
		count++;
	return count;
}

// How often `inverted`, inverted, stands between two addresses. Neither what is looked for nor what was read stays behind.
static size_t count_between(int memory, unsigned long from, unsigned long to, const uint8_t *inverted, size_t len)
{
	static uint8_t block[1 << 20], needle[256];
	const unsigned long own = (unsigned long)block;
	size_t count = 0;
	for (unsigned long at = from; at < to; at += sizeof block - len) {
		size_t want = to - at < sizeof block ? to - at : sizeof block;
		ssize_t got = pread(memory, block, want, (off_t)at);
		bool itself = at < own + sizeof block && at + want > own;
		for (size_t i = 0; i < len; i++)
			needle[i] = (uint8_t)~inverted[i];
		if (got > 0 && !itself)
			count += count_in(block, (size_t)got, needle, len);
		memset(needle, 0, sizeof needle);
		memset(block, 0, sizeof block);
	}
	return count;
}

// memory_holds(path): how often the content of that small file stands in this process's writable memory, apart from this search.
// The content is never a Lua string, so that only the engine can have left it there. It is kept inverted meanwhile.
static int memory_holds(lua_State *L)
{
	static uint8_t inverted[256];
	size_t count = 0;
	int fd = open(luaL_checkstring(L, 1), O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, inverted, sizeof inverted);
	if (fd >= 0)
		close(fd);
	luaL_argcheck(L, len >= 16, 1, "no marker");
	for (ssize_t i = 0; i < len; i++)
		inverted[i] = (uint8_t)~inverted[i];
	FILE *maps = fopen("/proc/self/maps", "re");
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	char line[512];
	while (maps && memory >= 0 && fgets(line, sizeof line, maps)) {
		unsigned long from, to;
		// what is larger than 4 GiB is a sanitizer's shadow
		if (sscanf(line, "%lx-%lx rw", &from, &to) == 2 && strstr(line, " rw") && to - from < 1UL << 32)
			count += count_between(memory, from, to, inverted, (size_t)len);
	}
	if (maps)
		fclose(maps);
	if (memory >= 0)
		close(memory);
	lua_pushinteger(L, (lua_Integer)count);
	return 1;
}

static const luaL_Reg functions[] = {
	{"agents", agents}, {"children", children}, {"send_signal", send_signal}, {"set_environment", set_environment},
	{"memory_holds", memory_holds}, {"now", monotonic}, {NULL, NULL},
};

int luaopen_support_openpgp_system(lua_State *L);
int luaopen_support_openpgp_system(lua_State *L)
{
	luaL_newlib(L, functions);
	return 1;
}
