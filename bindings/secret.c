// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "bindings/common.h"

#define TYPE "sotto.secret"

#define KEY_INTERRUPT 3
#define KEY_END 4
#define KEY_KILL 21

static void register_type(lua_State *L);

void binding_secret_push(lua_State *L, struct secret *s)
{
	register_type(L);
	struct secret **box = binding_new(L, TYPE, sizeof(struct secret *), 0);
	*box = s;
}

struct secret *binding_secret_test(lua_State *L, int index)
{
	struct secret **box = luaL_testudata(L, index, TYPE);
	return box ? *box : NULL;
}

struct secret *binding_secret_check(lua_State *L, int index)
{
	struct secret **box = luaL_checkudata(L, index, TYPE);
	luaL_argcheck(L, *box, index, "the secret was wiped");
	return *box;
}

static int secret_wipe(lua_State *L)
{
	struct secret **box = luaL_checkudata(L, 1, TYPE);
	secret_unref(*box);
	*box = NULL;
	return 0;
}

static int secret_tostring(lua_State *L)
{
	luaL_checkudata(L, 1, TYPE);
	lua_pushliteral(L, "secret");
	return 1;
}

static int secret_eq(lua_State *L)
{
	const struct secret *a = binding_secret_test(L, 1), *b = binding_secret_test(L, 2);
	lua_pushboolean(L, a && b && secret_equal(a, b));
	return 1;
}

static int secret_is_empty(lua_State *L)
{
	lua_pushboolean(L, secret_span(binding_secret_check(L, 1)).len == 0);
	return 1;
}

static int secret_is_longer_than(lua_State *L)
{
	lua_Integer bytes = luaL_checkinteger(L, 2);
	lua_pushboolean(L, bytes < 0 || secret_span(binding_secret_check(L, 1)).len > (size_t)bytes);
	return 1;
}

static int secret_make(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	luaL_argcheck(L, len <= BINDING_SECRET_MAX, 1, "a secret has at most 1024 bytes");
	binding_secret_push(L, NULL);
	*(struct secret **)lua_touserdata(L, -1) = secret_copy(span(text, len));
	return 1;
}

// A line that grows in locked memory.
struct line {
	struct secret *room; // BINDING_SECRET_MAX bytes
	size_t len;
};

static enum err read_byte(int fd, uint8_t *out, bool *end)
{
	for (;;) {
		ssize_t n = read(fd, out, 1);
		if (n >= 0) {
			*end = n == 0;
			return OK;
		}
		if (errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLIN};
			poll(&wait, 1, -1);
		} else if (errno != EINTR) {
			return ERR_IO;
		}
	}
}

static enum err line_add(struct line *line, uint8_t byte)
{
	if (line->len == BINDING_SECRET_MAX)
		return ERR_TOO_LARGE;
	secret_data(line->room)[line->len++] = byte;
	return OK;
}

static void line_rub_out(struct line *line)
{
	const uint8_t *data = secret_data(line->room);
	// a character with all its UTF-8 continuation bytes
	while (line->len && (data[--line->len] & 0xc0) == 0x80)
		;
}

static enum err read_line(int fd, struct line *line)
{
	uint8_t byte = 0;
	bool end = false;
	enum err e = OK;
	while (!e && !(e = read_byte(fd, &byte, &end)) && !end && byte != '\n')
		e = line_add(line, byte);
	sodium_memzero(&byte, sizeof byte);
	if (!e && line->len && secret_data(line->room)[line->len - 1] == '\r')
		line->len--;
	return e;
}

// The terminal gives bytes as they are typed, with no signals: so Ctrl-C cannot leave it without echo.
static enum err read_typed(int fd, struct line *line)
{
	uint8_t byte = 0;
	bool end = false, done = false;
	enum err e = OK;
	while (!e && !done) {
		e = read_byte(fd, &byte, &end);
		if (e)
			break;
		if (end || byte == KEY_INTERRUPT || (byte == KEY_END && line->len == 0))
			e = ERR_CANCELED;
		else if (byte == '\r' || byte == '\n' || byte == KEY_END)
			done = true;
		else if (byte == KEY_KILL)
			line->len = 0;
		else if (byte == 0x7f || byte == '\b')
			line_rub_out(line);
		else
			e = line_add(line, byte);
	}
	sodium_memzero(&byte, sizeof byte);
	return e;
}

static enum err ask(int fd, const char *prompt, struct line *line)
{
	struct termios before, silent;
	if (tcgetattr(fd, &before) != 0)
		return ERR_UNSUPPORTED;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	silent.c_cc[VMIN] = 1;
	silent.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSAFLUSH, &silent) != 0)
		return ERR_IO;
	enum err e = write(fd, prompt, strlen(prompt)) < 0 ? ERR_IO : read_typed(fd, line);
	tcsetattr(fd, TCSAFLUSH, &before);
	if (write(fd, "\n", 1) < 0 && !e)
		e = ERR_IO;
	return e;
}

static int push_line(lua_State *L, enum err e, struct line *line)
{
	struct err_info info = {0};
	if (!e) {
		// the box was made first: nothing can raise once the secret exists
		struct secret **box = lua_touserdata(L, -1);
		*box = secret_copy(span(secret_data(line->room), line->len));
	}
	secret_unref(line->room);
	if (!e)
		return 1;
	if (e == ERR_TOO_LARGE)
		err_set(&info, e, "a secret has at most %d bytes", BINDING_SECRET_MAX);
	else if (e == ERR_UNSUPPORTED)
		err_set(&info, e, "there is no terminal to ask on");
	return binding_fail(L, e, &info);
}

static int secret_read_line(lua_State *L)
{
	int fd = (int)luaL_checkinteger(L, 1);
	binding_secret_push(L, NULL);
	struct line line = {.room = secret_new(BINDING_SECRET_MAX)};
	return push_line(L, read_line(fd, &line), &line);
}

static int secret_ask(lua_State *L)
{
	const char *prompt = luaL_checkstring(L, 1);
	binding_secret_push(L, NULL);
	struct line line = {.room = secret_new(BINDING_SECRET_MAX)};
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	enum err e = fd < 0 ? ERR_UNSUPPORTED : ask(fd, prompt, &line);
	if (fd >= 0)
		close(fd);
	return push_line(L, e, &line);
}

static void register_type(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"is_empty", secret_is_empty},
		{"is_longer_than", secret_is_longer_than},
		{"wipe", secret_wipe},
		{NULL, NULL},
	};
	static const luaL_Reg meta[] = {
		{"__gc", secret_wipe}, {"__close", secret_wipe},	 {"__eq", secret_eq},
		{"__tostring", secret_tostring}, {NULL, NULL},
	};
	binding_type(L, TYPE, methods, meta);
}

int luaopen_sotto_secret(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"new", secret_make},
		{"read_line", secret_read_line},
		{"ask", secret_ask},
		{NULL, NULL},
	};
	register_type(L);
	luaL_newlib(L, functions);
	return 1;
}
