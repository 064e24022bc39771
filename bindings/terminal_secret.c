// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/mem.h"
#include "bindings/common.h"
#include "bindings/secret.h"
#include "bindings/terminal_parts.h"
#include "bindings/text.h"

#define KEY_INTERRUPT 3
#define KEY_END 4
#define KEY_KILL 21
#define KEY_ESCAPE 27
#define KEY_RUBOUT 127

static struct {
	struct anchor callback;
	struct buf typed;
	char *prompt;
	// of a key such as an arrow, which types nothing
	enum { PLAIN, ESCAPED, SEQUENCE } state;
} question;

bool terminal_secret_asked(void)
{
	return question.prompt != NULL;
}

void terminal_secret_show(void)
{
	fputs(question.prompt, stdout);
	fflush(stdout);
}

void terminal_secret_hide(void)
{
	struct winsize size = {0};
	size_t rows = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		rows = text_width(span_string(question.prompt)) / size.ws_col;
	for (; rows > 0; rows--)
		fputs("\x1b[A", stdout);
	fputs("\r\x1b[J", stdout);
}

static void finish(bool accepted)
{
	struct secret *s = accepted ? secret_copy(buf_span(&question.typed)) : NULL;
	buf_fini(&question.typed);
	free(question.prompt);
	question.prompt = NULL;
	terminal.disturbed++;
	fputc('\n', stdout);
	fflush(stdout);
	terminal_editing_start();
	if (!anchor_push(&question.callback)) {
		secret_unref(s);
		return;
	}
	lua_State *L = question.callback.L;
	anchor_clear(&question.callback);
	if (s)
		binding_secret_push(L, s);
	else
		lua_pushnil(L);
	binding_call(L, 1, 0, "a password of the terminal");
}

void terminal_secret_cancel(void)
{
	if (terminal_secret_asked())
		finish(false);
}

static void erase_character(void)
{
	while (question.typed.len > 0) {
		uint8_t last = question.typed.data[--question.typed.len];
		if ((last & 0xc0) != 0x80) // that was the first byte of a character
			break;
	}
}

// Whether the byte belongs to a key's sequence: ESC, or ESC [ … final, or ESC O final.
static bool skip_sequence(uint8_t c)
{
	switch (question.state) {
	case PLAIN:
		if (c == KEY_ESCAPE)
			question.state = ESCAPED;
		return c == KEY_ESCAPE;
	case ESCAPED:
		question.state = c == '[' || c == 'O' ? SEQUENCE : PLAIN;
		return c == '[' || c == 'O';
	case SEQUENCE:
		if (c >= 0x40 && c <= 0x7e)
			question.state = PLAIN;
		return c >= 32;
	}
	return false;
}

static void take_byte(uint8_t c)
{
	if (skip_sequence(c))
		return;
	question.state = PLAIN;
	if (c == '\r' || c == '\n')
		finish(true);
	else if (c == KEY_INTERRUPT || c == KEY_END)
		finish(false);
	else if (c == KEY_KILL)
		buf_clear(&question.typed);
	else if (c == KEY_RUBOUT || c == '\b')
		erase_character();
	else if (c >= 32 && buf_append(&question.typed, &c, 1))
		fputc('\a', stdout);
}

void terminal_secret_input(void)
{
	uint8_t c;
	// one at a time: what is behind the line's end is no part of the password
	ssize_t n = read(STDIN_FILENO, &c, 1);
	if (n == 1)
		take_byte(c);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		finish(false);
	sodium_memzero(&c, sizeof c);
}

int terminal_read_secret(lua_State *L)
{
	const char *prompt = luaL_checkstring(L, 1);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	if (!terminal_running())
		return luaL_error(L, "the terminal is not started");
	if (terminal_secret_asked() || terminal_is_lent())
		return binding_fail(L, ERR_BUSY, NULL);
	terminal_editing_stop();
	anchor_set(&question.callback, L, 2);
	buf_init_wiped(&question.typed, BINDING_SECRET_MAX);
	question.prompt = mem_dup_string(prompt);
	question.state = PLAIN;
	terminal_secret_show();
	lua_pushboolean(L, 1);
	return 1;
}
