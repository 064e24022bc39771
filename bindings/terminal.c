// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/mem.h"
#include "bindings/common.h"
#include "bindings/secret.h"
#include "bindings/text.h"

#define HISTORY_MAX 1000
#define MATCHES_MAX 1000

// readline has global state, and a process one terminal
static struct {
	bool running, reading_secret, in_line;
	struct loop *loop;
	struct ev_io input;
	struct anchor on_line, on_complete, on_secret;
	char *prompt;
	struct buf secret;
	struct termios before_secret;
	// the matches of one completion, handed out one by one as readline asks
	char **matches;
	size_t match_count, match_next;
} term;

// --- editing ---------------------------------------------------------------------------------------------------------------

static void take_line(char *line)
{
	if (!term.running) {
		free(line);
		return;
	}
	if (!line)
		fputc('\n', stdout); // Ctrl-D leaves the cursor behind the prompt
	term.in_line = true;
	if (anchor_push(&term.on_line)) {
		lua_State *L = term.on_line.L;
		if (line)
			lua_pushstring(L, line);
		else
			lua_pushnil(L);
		binding_call(L, 1, 0, "a line of the terminal");
	}
	term.in_line = false;
	free(line);
}

static void free_matches(void)
{
	for (size_t i = term.match_next; i < term.match_count; i++)
		free(term.matches[i]);
	free(term.matches);
	term.matches = NULL;
	term.match_count = term.match_next = 0;
}

static char *next_match(const char *word, int state)
{
	(void)word;
	(void)state;
	return term.match_next < term.match_count ? term.matches[term.match_next++] : NULL;
}

static char **complete(const char *word, int from, int to)
{
	rl_attempted_completion_over = 1; // never file names
	free_matches();
	if (!anchor_push(&term.on_complete))
		return NULL;
	lua_State *L = term.on_complete.L;
	lua_pushstring(L, word);
	lua_pushstring(L, rl_line_buffer);
	lua_pushinteger(L, from + 1);
	lua_pushinteger(L, to);
	if (!binding_call(L, 4, 1, "completion"))
		return NULL;
	size_t n = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
	if (n > MATCHES_MAX)
		n = MATCHES_MAX;
	term.matches = mem_alloc_array(n, sizeof *term.matches);
	for (size_t i = 0; i < n; i++) {
		lua_rawgeti(L, -1, (lua_Integer)i + 1);
		if (lua_type(L, -1) == LUA_TSTRING)
			term.matches[term.match_count++] = mem_dup_string(lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	// a match that ends in one of these goes on: no space behind it
	const char *only = term.match_count == 1 ? term.matches[0] : "";
	size_t len = strlen(only);
	rl_completion_suppress_append = len > 0 && strchr(".(:=", only[len - 1]) != NULL;
	lua_pop(L, 1);
	return term.match_count ? rl_completion_matches(word, next_match) : NULL;
}

static void install(void)
{
	rl_callback_handler_install(term.prompt ? term.prompt : "", take_line);
}

// --- secrets -----------------------------------------------------------------------------------------------------------------

static void finish_secret(bool accepted)
{
	struct secret *s = accepted ? secret_copy(buf_span(&term.secret)) : NULL;
	buf_fini(&term.secret);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &term.before_secret);
	fputc('\n', stdout);
	fflush(stdout);
	term.reading_secret = false;
	if (term.running)
		install();
	if (!anchor_push(&term.on_secret)) {
		secret_unref(s);
		return;
	}
	lua_State *L = term.on_secret.L;
	anchor_clear(&term.on_secret);
	if (s)
		binding_secret_push(L, s);
	else
		lua_pushnil(L);
	binding_call(L, 1, 0, "a password of the terminal");
}

static void erase_character(void)
{
	while (term.secret.len > 0) {
		uint8_t last = term.secret.data[--term.secret.len];
		if ((last & 0xc0) != 0x80) // that was the first byte of a character
			break;
	}
}

static void read_secret_bytes(void)
{
	uint8_t block[128];
	ssize_t n = read(STDIN_FILENO, block, sizeof block);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		finish_secret(false);
	for (ssize_t i = 0; i < n && term.reading_secret; i++) {
		uint8_t c = block[i];
		if (c == '\r' || c == '\n')
			finish_secret(true);
		else if (c == 3 || c == 4 || c == 27) // Ctrl-C, Ctrl-D, Escape
			finish_secret(false);
		else if (c == 21) // Ctrl-U
			buf_clear(&term.secret);
		else if (c == 127 || c == 8)
			erase_character();
		else if (c >= 32 && buf_append(&term.secret, &c, 1))
			fputc('\a', stderr);
	}
	sodium_memzero(block, sizeof block);
}

// Asks without echo; the answer comes as a secret, or nil where the person gave up. One question at a time.
static int terminal_read_secret(lua_State *L)
{
	const char *prompt = luaL_checkstring(L, 1);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	if (!term.running)
		return luaL_error(L, "the terminal is not started");
	if (term.reading_secret)
		return binding_fail(L, ERR_BUSY, NULL);
	if (!term.in_line)
		rl_clear_visible_line();
	rl_callback_handler_remove(); // gives the terminal its cooked mode back
	if (tcgetattr(STDIN_FILENO, &term.before_secret) != 0) {
		install();
		return binding_fail(L, ERR_UNSUPPORTED, NULL);
	}
	struct termios quiet = term.before_secret;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet);
	anchor_set(&term.on_secret, L, 2);
	buf_init_wiped(&term.secret, BINDING_SECRET_MAX);
	term.reading_secret = true;
	fputs(prompt, stdout);
	fflush(stdout);
	lua_pushboolean(L, 1);
	return 1;
}

// --- life ------------------------------------------------------------------------------------------------------------------------

static void on_input(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	(void)ev;
	(void)watcher;
	(void)events;
	if (term.reading_secret)
		read_secret_bytes();
	else if (term.running)
		rl_callback_read_char();
}

static int terminal_start(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	if (term.running)
		return luaL_error(L, "the terminal is started already");
	lua_getfield(L, 1, "line");
	luaL_argcheck(L, lua_isfunction(L, -1), 1, "line: a function expected");
	anchor_set(&term.on_line, L, -1);
	lua_getfield(L, 1, "complete");
	if (lua_isfunction(L, -1))
		anchor_set(&term.on_complete, L, -1);
	rl_readline_name = "sotto";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_instream = stdin;
	rl_outstream = stdout;
	rl_attempted_completion_function = complete;
	rl_completer_word_break_characters = " \t\n=+-*<>;|&{}[](),";
	rl_completer_quote_characters = "";
	rl_variable_bind("enable-bracketed-paste", "on");
	using_history();
	stifle_history(HISTORY_MAX);
	term.running = true;
	term.loop = binding_loop(L);
	install();
	ev_io_init(&term.input, on_input, STDIN_FILENO, EV_READ);
	ev_io_start(loop_ev(term.loop), &term.input);
	return 0;
}

static int terminal_stop(lua_State *L)
{
	(void)L;
	if (!term.running)
		return 0;
	if (term.reading_secret)
		finish_secret(false);
	term.running = false;
	ev_io_stop(loop_ev(term.loop), &term.input);
	rl_callback_handler_remove();
	free_matches();
	anchor_clear(&term.on_line);
	anchor_clear(&term.on_complete);
	free(term.prompt);
	term.prompt = NULL;
	return 0;
}

static int terminal_prompt(lua_State *L)
{
	char *fresh = mem_dup_string(luaL_checkstring(L, 1));
	bool same = term.prompt && strcmp(term.prompt, fresh) == 0;
	free(term.prompt);
	term.prompt = fresh;
	if (!term.running || term.reading_secret || same)
		return 0;
	rl_set_prompt(term.prompt);
	if (!term.in_line) // after a line's callback readline shows the prompt itself
		rl_redisplay();
	return 0;
}

static void write_line(const char *text, size_t len)
{
	fwrite(text, 1, len, stdout);
	if (len == 0 || text[len - 1] != '\n')
		fputc('\n', stdout);
}

// Prints the text on lines of its own above what is being typed, which stays as it is.
static int terminal_print(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	bool editing = term.running && !term.reading_secret && !term.in_line;
	if (editing)
		rl_clear_visible_line();
	write_line(text, len);
	if (editing) {
		rl_on_new_line();
		rl_redisplay();
	}
	fflush(stdout);
	return 0;
}

// Throws away what is being typed (Ctrl-C). Returns whether there was anything.
static int terminal_interrupt(lua_State *L)
{
	bool had = term.reading_secret;
	if (term.reading_secret) {
		finish_secret(false);
	} else if (term.running) {
		had = rl_end > 0;
		rl_callback_sigcleanup();
		rl_free_line_state();
		rl_point = rl_end;
		rl_redisplay();
		fputs("^C\n", stdout);
		rl_replace_line("", 0);
		rl_on_new_line();
		rl_redisplay();
	}
	lua_pushboolean(L, had);
	return 1;
}

static int terminal_resized(lua_State *L)
{
	(void)L;
	if (term.running)
		rl_resize_terminal();
	return 0;
}

// --- history -------------------------------------------------------------------------------------------------------------------

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

// --- showing -----------------------------------------------------------------------------------------------------------------

static int terminal_escape(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct buf out;
	// a byte becomes at most "<U+10FFFF>"
	buf_init(&out, len * 10 + 16);
	text_escape(span(text, len), lua_toboolean(L, 2), &out);
	lua_pushlstring(L, out.data ? (const char *)out.data : "", out.len);
	buf_fini(&out);
	return 1;
}

static int terminal_width(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	lua_pushinteger(L, (lua_Integer)text_width(span(text, len)));
	return 1;
}

static int terminal_size(lua_State *L)
{
	struct winsize size = {0};
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		size = (struct winsize){.ws_col = 80, .ws_row = 24};
	lua_pushinteger(L, size.ws_col);
	lua_pushinteger(L, size.ws_row);
	return 2;
}

int luaopen_sotto_terminal(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"start", terminal_start},
		{"stop", terminal_stop},
		{"prompt", terminal_prompt},
		{"print", terminal_print},
		{"interrupt", terminal_interrupt},
		{"resized", terminal_resized},
		{"remember", terminal_remember},
		{"history", terminal_history},
		{"read_secret", terminal_read_secret},
		{"escape", terminal_escape},
		{"width", terminal_width},
		{"size", terminal_size},
		{NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}
