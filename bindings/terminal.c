// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/buf.h"
#include "base/mem.h"
#include "bindings/common.h"
#include "bindings/terminal_parts.h"
#include "bindings/text.h"

#define HISTORY_MAX 1000

#define KEY_INTERRUPT 3
#define KEY_SUSPEND 26

static struct {
	bool running;
	bool editing; // readline has the line; also during a line's callback
	bool in_line; // a line's callback is under way: nothing is on the screen to be kept
	bool paused;
	struct loop *loop;
	struct ev_io input;
	struct anchor on_line, on_interrupt;
	char *prompt;
} term;

bool terminal_running(void)
{
	return term.running;
}

// whether a line is on the screen that may be half typed
static bool line_is_shown(void)
{
	return term.running && term.editing && !term.in_line;
}

// --- the terminal's modes ----------------------------------------------------------------------------------------------------

// Ctrl-C and Ctrl-Z as keys: a signal would reach every process here, such as the make that started this one.
static void prepare_terminal(int meta)
{
	struct termios modes;
	rl_prep_terminal(meta);
	if (tcgetattr(STDIN_FILENO, &modes) != 0)
		return;
	modes.c_lflag &= ~(tcflag_t)ISIG;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
}

static void keep_terminal(void)
{
}

// What people write is UTF-8, whatever the environment says of C or POSIX.
static void use_utf8(void)
{
	if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
}

// --- editing -------------------------------------------------------------------------------------------------------------------

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

void terminal_editing_stop(void)
{
	if (line_is_shown())
		rl_clear_visible_line();
	rl_callback_handler_remove();
	term.editing = false;
}

void terminal_editing_start(void)
{
	if (!term.running)
		return;
	term.editing = true;
	rl_callback_handler_install(term.prompt ? term.prompt : "", take_line);
}

// Throws away what is being typed, and shows a new line.
static bool drop_line(void)
{
	bool had = rl_end > 0;
	rl_free_line_state();
	rl_callback_sigcleanup();
	rl_point = rl_end;
	rl_redisplay();
	fputs("^C\n", stdout);
	rl_replace_line("", 0);
	using_history(); // from the newest line on again
	rl_on_new_line();
	rl_redisplay();
	return had;
}

static bool interrupt(void)
{
	bool had = terminal_secret_asked();
	if (had)
		terminal_secret_cancel();
	else if (line_is_shown())
		had = drop_line();
	if (anchor_push(&term.on_interrupt)) {
		lua_pushboolean(term.on_interrupt.L, had);
		binding_call(term.on_interrupt.L, 1, 0, "an interrupt of the terminal");
	}
	return had;
}

static int interrupt_key(int count, int key)
{
	(void)count;
	(void)key;
	interrupt();
	return 0;
}

static int suspend_key(int count, int key)
{
	(void)count;
	(void)key;
	rl_deprep_terminal();
	kill(0, SIGTSTP);
	// going on: the shell had the terminal meanwhile
	prepare_terminal(1);
	rl_resize_terminal();
	rl_forced_update_display();
	return 0;
}

static void bind_keys(void)
{
	const Keymap maps[] = {emacs_standard_keymap, vi_insertion_keymap, vi_movement_keymap};
	for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
		rl_bind_key_in_map(KEY_INTERRUPT, interrupt_key, maps[i]);
		rl_bind_key_in_map(KEY_SUSPEND, suspend_key, maps[i]);
	}
}

// --- life ------------------------------------------------------------------------------------------------------------------------

static void on_input(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	(void)ev;
	(void)watcher;
	(void)events;
	if (terminal_secret_asked())
		terminal_secret_input();
	else if (term.running && !term.paused)
		rl_callback_read_char();
	// what is typed meanwhile stays with the system
	if (term.running && term.paused && !terminal_secret_asked())
		ev_io_stop(loop_ev(term.loop), &term.input);
}

static void prepare_readline(void)
{
	rl_readline_name = "sotto";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_instream = stdin;
	rl_outstream = stdout;
	rl_prep_term_function = prepare_terminal;
	rl_deprep_term_function = keep_terminal;
	rl_initialize(); // reads the person's own settings: what must hold comes after it
	use_utf8();
	bind_keys();
	rl_variable_bind("enable-bracketed-paste", "on");
	using_history();
	stifle_history(HISTORY_MAX);
}

static void keep_function(lua_State *L, const char *field, struct anchor *anchor)
{
	if (lua_getfield(L, 1, field) != LUA_TNIL) {
		luaL_argcheck(L, lua_isfunction(L, -1), 1, field);
		anchor_set(anchor, L, -1);
	}
	lua_pop(L, 1);
}

static int terminal_start(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	if (term.running)
		return luaL_error(L, "the terminal is started already");
	keep_function(L, "line", &term.on_line);
	keep_function(L, "interrupt", &term.on_interrupt);
	luaL_argcheck(L, anchor_held(&term.on_line), 1, "line: a function expected");
	prepare_readline();
	if (lua_getfield(L, 1, "complete") == LUA_TFUNCTION)
		terminal_complete_start(L, -1);
	term.loop = binding_loop(L);
	term.running = true;
	term.paused = false;
	terminal_editing_start();
	ev_io_init(&term.input, on_input, STDIN_FILENO, EV_READ);
	ev_io_start(loop_ev(term.loop), &term.input);
	return 0;
}

static int terminal_stop(lua_State *L)
{
	(void)L;
	if (!term.running)
		return 0;
	terminal_break_allow(false);
	terminal_editing_stop();
	term.running = false;
	terminal_secret_cancel();
	ev_io_stop(loop_ev(term.loop), &term.input);
	rl_deprep_terminal();
	terminal_complete_stop();
	anchor_clear(&term.on_line);
	anchor_clear(&term.on_interrupt);
	free(term.prompt);
	term.prompt = NULL;
	return 0;
}

static int terminal_pause(lua_State *L)
{
	(void)L;
	term.paused = true;
	return 0;
}

static int terminal_resume(lua_State *L)
{
	(void)L;
	term.paused = false;
	if (term.running)
		ev_io_start(loop_ev(term.loop), &term.input);
	return 0;
}

static int read_secret(lua_State *L)
{
	int count = terminal_read_secret(L);
	ev_io_start(loop_ev(term.loop), &term.input); // also while paused
	return count;
}

// --- the screen -----------------------------------------------------------------------------------------------------------------

static int terminal_prompt(lua_State *L)
{
	char *fresh = mem_dup_string(luaL_checkstring(L, 1));
	bool same = term.prompt && strcmp(term.prompt, fresh) == 0;
	bool shown = line_is_shown();
	if (same) {
		free(fresh);
		return 0;
	}
	if (shown)
		rl_clear_visible_line();
	free(term.prompt);
	term.prompt = fresh;
	if (term.running && term.editing)
		rl_set_prompt(term.prompt);
	if (shown) { // after a line's callback readline shows the prompt itself
		rl_on_new_line();
		rl_redisplay();
	}
	return 0;
}

static void write_line(const char *text, size_t len)
{
	fwrite(text, 1, len, stdout);
	if (len == 0 || text[len - 1] != '\n')
		fputc('\n', stdout);
}

static int terminal_print(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	bool asked = terminal_secret_asked(), shown = line_is_shown();
	if (asked)
		terminal_secret_hide();
	else if (shown)
		rl_clear_visible_line();
	write_line(text, len);
	if (asked) {
		terminal_secret_show();
	} else if (shown) {
		rl_on_new_line();
		rl_redisplay();
	}
	fflush(stdout);
	return 0;
}

static int terminal_interrupt(lua_State *L)
{
	lua_pushboolean(L, interrupt());
	return 1;
}

static int terminal_typed(lua_State *L)
{
	lua_pushboolean(L, line_is_shown() && rl_end > 0);
	return 1;
}

static int terminal_resized(lua_State *L)
{
	(void)L;
	if (term.running && term.editing)
		rl_resize_terminal();
	return 0;
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

// --- text ------------------------------------------------------------------------------------------------------------------------

static int push_escaped(lua_State *L, enum text_style style)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct buf out;
	buf_init(&out, len * TEXT_ESCAPE_MAX);
	text_escape(span(text, len), style, &out);
	lua_pushlstring(L, out.data ? (const char *)out.data : "", out.len);
	buf_fini(&out);
	return 1;
}

static int terminal_escape(lua_State *L)
{
	return push_escaped(L, lua_toboolean(L, 2) ? TEXT_LINES : TEXT_LINE);
}

static int terminal_escape_json(lua_State *L)
{
	return push_escaped(L, TEXT_JSON);
}

static int terminal_width(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	lua_pushinteger(L, (lua_Integer)text_width(span(text, len)));
	return 1;
}

int luaopen_sotto_terminal(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"start", terminal_start},	 {"stop", terminal_stop},
		{"pause", terminal_pause},	 {"resume", terminal_resume},
		{"prompt", terminal_prompt},	 {"print", terminal_print},
		{"interrupt", terminal_interrupt}, {"typed", terminal_typed},
		{"resized", terminal_resized},	 {"size", terminal_size},
		{"remember", terminal_remember}, {"history", terminal_history},
		{"allow_break", terminal_allow_break}, {"was_broken", terminal_was_broken},
		{"read_secret", read_secret},	 {"escape", terminal_escape},
		{"escape_json", terminal_escape_json}, {"width", terminal_width},
		{NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}
