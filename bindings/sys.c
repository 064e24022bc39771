// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/sys.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/hash.h"
#include "base/random.h"
#include "bindings/common.h"
#include "bindings/signals.h"

static int sys_getenv(lua_State *L)
{
	lua_pushstring(L, getenv(luaL_checkstring(L, 1)));
	return 1;
}

static int sys_isatty(lua_State *L)
{
	lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
	return 1;
}

static int sys_getuid(lua_State *L)
{
	lua_pushinteger(L, getuid());
	return 1;
}

static int sys_hash(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct hash hash = hash_of(span(text, len));
	char hex[2 * HASH_LEN + 1];
	hex_encode_lower(hash_span(&hash), hex);
	lua_pushstring(L, hex);
	return 1;
}

// the process's own clock: what it has computed, not what it has waited
static int sys_cpu_ms(lua_State *L)
{
	clockid_t clock;
	struct timespec spent;
	if (clock_getcpuclockid((pid_t)luaL_checkinteger(L, 1), &clock) != 0 || clock_gettime(clock, &spent) != 0)
		return 0;
	lua_pushinteger(L, (lua_Integer)spent.tv_sec * 1000 + spent.tv_nsec / 1000000);
	return 1;
}

static int sys_getpid(lua_State *L)
{
	lua_pushinteger(L, getpid());
	return 1;
}

static int sys_umask(lua_State *L)
{
	lua_Integer mask = luaL_checkinteger(L, 1);
	luaL_argcheck(L, mask >= 0 && mask <= 0777, 1, "not a mask");
	lua_pushinteger(L, umask((mode_t)mask));
	return 1;
}

static int sys_executable(lua_State *L)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path);
	struct err_info info;
	if (n < 0)
		return binding_fail(L, err_set_errno(&info, errno, "cannot read /proc/self/exe"), &info);
	lua_pushlstring(L, path, (size_t)n);
	return 1;
}

static int sys_hostname(lua_State *L)
{
	char name[HOST_NAME_MAX + 1];
	if (gethostname(name, sizeof name) != 0)
		name[0] = 0;
	name[HOST_NAME_MAX] = 0;
	lua_pushstring(L, name);
	return 1;
}

static int sys_user(lua_State *L)
{
	const struct passwd *user = getpwuid(getuid());
	if (!user)
		return binding_fail(L, ERR_NOT_FOUND, NULL);
	lua_createtable(L, 0, 2);
	lua_pushstring(L, user->pw_name);
	lua_setfield(L, -2, "name");
	lua_pushstring(L, user->pw_dir);
	lua_setfield(L, -2, "home");
	return 1;
}

static int sys_now_ms(lua_State *L)
{
	lua_pushinteger(L, clock_now_ms(&clock_system));
	return 1;
}

static int sys_monotonic_ms(lua_State *L)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	lua_pushnumber(L, (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6);
	return 1;
}

static pid_t check_pid(lua_State *L, int index)
{
	lua_Integer pid = luaL_checkinteger(L, index);
	luaL_argcheck(L, pid > 0 && pid <= INT_MAX, index, "not a process id");
	return (pid_t)pid;
}

// One that has ended and that nobody has waited for is none: where init does not reap, such a one stays for ever.
static bool is_zombie(pid_t pid)
{
	char path[40], text[512];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	size_t n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[n] = 0;
	// the name before it may hold anything
	const char *state = strrchr(text, ')');
	return state && state[1] == ' ' && (state[2] == 'Z' || state[2] == 'X');
}

bool sys_process_lives(pid_t pid)
{
	return (kill(pid, 0) == 0 || errno == EPERM) && !is_zombie(pid);
}

static int sys_alive(lua_State *L)
{
	lua_pushboolean(L, sys_process_lives(check_pid(L, 1)));
	return 1;
}

static int sys_kill(lua_State *L)
{
	pid_t pid = check_pid(L, 1);
	int number = binding_check_signal(L, 2);
	struct err_info info;
	if (kill(pid, number) == 0)
		return binding_result(L, OK, NULL);
	if (errno == ESRCH)
		return binding_fail(L, err_set(&info, ERR_NOT_FOUND, "there is no process %d", (int)pid), &info);
	return binding_fail(L, err_set_errno(&info, errno, "cannot signal the process %d", (int)pid), &info);
}

static int sys_terminal_size(lua_State *L)
{
	struct winsize size;
	if (ioctl((int)luaL_optinteger(L, 1, STDOUT_FILENO), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return binding_fail(L, ERR_UNSUPPORTED, NULL);
	lua_pushinteger(L, size.ws_col);
	lua_pushinteger(L, size.ws_row);
	return 2;
}

static int sys_random_hex(lua_State *L)
{
	uint8_t bytes[64];
	char text[2 * sizeof bytes + 1];
	lua_Integer count = luaL_optinteger(L, 1, 16);
	luaL_argcheck(L, count >= 1 && count <= (lua_Integer)sizeof bytes, 1, "1 to 64 bytes");
	random_fill(&random_system, bytes, (size_t)count);
	hex_encode_lower(span(bytes, (size_t)count), text);
	lua_pushstring(L, text);
	return 1;
}

int luaopen_sotto_sys(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"getenv", sys_getenv},
		{"isatty", sys_isatty},
		{"getuid", sys_getuid},
		{"getpid", sys_getpid},
		{"umask", sys_umask},
		{"executable", sys_executable},
		{"hostname", sys_hostname},
		{"user", sys_user},
		{"now_ms", sys_now_ms},
		{"monotonic_ms", sys_monotonic_ms},
		{"alive", sys_alive},
		{"kill", sys_kill},
		{"terminal_size", sys_terminal_size},
		{"random_hex", sys_random_hex},
		{"hash", sys_hash},
		{"cpu_ms", sys_cpu_ms},
		{NULL, NULL},
	};
	sys_file_register(L);
	sys_daemon_register(L);
	luaL_newlib(L, functions);
	luaL_setfuncs(L, sys_file_functions, 0);
	luaL_setfuncs(L, sys_daemon_functions, 0);
	luaL_setfuncs(L, sys_machine_functions, 0);
	luaL_setfuncs(L, sys_beneath_functions, 0);
	lua_pushliteral(L, SOTTO_VERSION);
	lua_setfield(L, -2, "version");
	return 1;
}
