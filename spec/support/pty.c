// SPDX-License-Identifier: GPL-3.0-or-later
// A pseudo-terminal for specs: require "support.pty".
//   open(columns, rows) → pty
//   pty:slave() → descriptor, for the program's 0, 1, 2; pty:let_go(): the program has it now
//   pty:fd() → descriptor, readable where the program has written, or has ended
//   pty:read() → what there is (perhaps ""); nil when nobody has the other side any more
//   pty:write(text) → bytes that were taken      pty:resize(columns, rows)      pty:close()
//   pty:modes() → { echo, canonical, signals }
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define TYPE "support.pty"

int luaopen_support_pty(lua_State *L);

struct pty {
	int master, slave; // -1: closed
};

static struct pty *check(lua_State *L)
{
	struct pty *p = luaL_checkudata(L, 1, TYPE);
	luaL_argcheck(L, p->master >= 0, 1, "closed");
	return p;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int pty_open(lua_State *L)
{
	struct winsize size = {.ws_col = (unsigned short)luaL_checkinteger(L, 1),
			       .ws_row = (unsigned short)luaL_checkinteger(L, 2)};
	struct pty *p = lua_newuserdatauv(L, sizeof *p, 0);
	p->master = p->slave = -1;
	luaL_setmetatable(L, TYPE);
	if (openpty(&p->master, &p->slave, NULL, NULL, &size) != 0)
		return luaL_error(L, "no pseudo-terminal");
	fcntl(p->master, F_SETFD, FD_CLOEXEC);
	fcntl(p->slave, F_SETFD, FD_CLOEXEC);
	fcntl(p->master, F_SETFL, O_NONBLOCK);
	return 1;
}

static int pty_slave(lua_State *L)
{
	lua_pushinteger(L, check(L)->slave);
	return 1;
}

static int pty_let_go(lua_State *L)
{
	close_one(&check(L)->slave);
	return 0;
}

static int pty_fd(lua_State *L)
{
	lua_pushinteger(L, check(L)->master);
	return 1;
}

static int pty_read(lua_State *L)
{
	char block[65536];
	ssize_t n = read(check(L)->master, block, sizeof block);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		n = 0;
	else if (n <= 0)
		return 0; // EIO: nobody is there
	lua_pushlstring(L, block, (size_t)n);
	return 1;
}

static int pty_write(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 2, &len);
	ssize_t n = write(check(L)->master, text, len);
	lua_pushinteger(L, n < 0 ? 0 : n);
	return 1;
}

static int pty_resize(lua_State *L)
{
	struct winsize size = {.ws_col = (unsigned short)luaL_checkinteger(L, 2),
			       .ws_row = (unsigned short)luaL_checkinteger(L, 3)};
	ioctl(check(L)->master, TIOCSWINSZ, &size);
	return 0;
}

static int pty_modes(lua_State *L)
{
	struct termios modes;
	if (tcgetattr(check(L)->master, &modes) != 0)
		return luaL_error(L, "no modes");
	lua_createtable(L, 0, 3);
	lua_pushboolean(L, modes.c_lflag & ECHO);
	lua_setfield(L, -2, "echo");
	lua_pushboolean(L, modes.c_lflag & ICANON);
	lua_setfield(L, -2, "canonical");
	lua_pushboolean(L, modes.c_lflag & ISIG);
	lua_setfield(L, -2, "signals");
	return 1;
}

static int pty_close(lua_State *L)
{
	struct pty *p = luaL_checkudata(L, 1, TYPE);
	close_one(&p->master);
	close_one(&p->slave);
	return 0;
}

int luaopen_support_pty(lua_State *L)
{
	static const luaL_Reg functions[] = {{"open", pty_open}, {NULL, NULL}};
	static const luaL_Reg methods[] = {
		{"slave", pty_slave}, {"let_go", pty_let_go}, {"fd", pty_fd},	   {"read", pty_read},
		{"write", pty_write}, {"resize", pty_resize}, {"modes", pty_modes}, {"close", pty_close},
		{"__gc", pty_close},  {NULL, NULL},
	};
	luaL_newmetatable(L, TYPE);
	lua_pushvalue(L, -1);
	lua_setfield(L, -2, "__index");
	luaL_setfuncs(L, methods, 0);
	luaL_newlib(L, functions);
	return 1;
}
