// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "bindings/terminal_parts.h"

#define HISTORY_MAX 2000

struct terminal terminal;

bool terminal_running(void)
{
	return terminal.running;
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

static void on_input(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	(void)ev;
	(void)watcher;
	(void)events;
	if (terminal_secret_asked())
		terminal_secret_input();
	else if (terminal.running && !terminal.paused)
		rl_callback_read_char();
	terminal_prompt_settle();
	// what is typed meanwhile stays with the system
	if (terminal.running && terminal.paused && !terminal_secret_asked())
		ev_io_stop(loop_ev(terminal.loop), &terminal.input);
}

static bool is_dumb(void)
{
	const char *name = getenv("TERM");
	return !name || !*name || strcmp(name, "dumb") == 0;
}

static void prepare_readline(void)
{
	rl_readline_name = "sotto";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_instream = stdin;
	rl_outstream = stdout;
	rl_prep_term_function = terminal_prepare;
	rl_deprep_term_function = keep_terminal;
	rl_variable_bind("show-all-if-ambiguous", "on");
	rl_initialize(); // reads the person's own settings: what must hold comes after it
	use_utf8();
	terminal_bind_keys();
	terminal.dumb = is_dumb();
	rl_variable_bind("enable-bracketed-paste", terminal.dumb ? "off" : "on");
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
	if (terminal.running)
		return luaL_error(L, "the terminal is started already");
	keep_function(L, "line", &terminal.on_line);
	keep_function(L, "interrupt", &terminal.on_interrupt);
	luaL_argcheck(L, anchor_held(&terminal.on_line), 1, "line: a function expected");
	prepare_readline();
	bool chooses = lua_getfield(L, 1, "choices") == LUA_TFUNCTION;
	if (lua_getfield(L, 1, "complete") == LUA_TFUNCTION)
		terminal_complete_start(L, -1, chooses ? -2 : 0);
	lua_pop(L, 2);
	terminal.loop = binding_loop(L);
	terminal.running = true;
	terminal.paused = false;
	terminal_editing_start();
	ev_io_init(&terminal.input, on_input, STDIN_FILENO, EV_READ);
	ev_io_start(loop_ev(terminal.loop), &terminal.input);
	return 0;
}

static int terminal_stop(lua_State *L)
{
	(void)L;
	if (!terminal.running)
		return 0;
	terminal_break_allow(false);
	terminal_take_back();
	terminal_editing_stop();
	terminal_unbind_all();
	terminal.running = false;
	terminal_secret_cancel();
	ev_io_stop(loop_ev(terminal.loop), &terminal.input);
	rl_deprep_terminal();
	terminal_complete_stop();
	anchor_clear(&terminal.on_line);
	anchor_clear(&terminal.on_interrupt);
	free(terminal.prompt);
	terminal.prompt = NULL;
	return 0;
}

static int terminal_pause(lua_State *L)
{
	(void)L;
	terminal.paused = true;
	return 0;
}

static int terminal_resume(lua_State *L)
{
	(void)L;
	terminal.paused = false;
	if (terminal.running && !terminal_is_lent())
		ev_io_start(loop_ev(terminal.loop), &terminal.input);
	return 0;
}

static int read_secret(lua_State *L)
{
	int count = terminal_read_secret(L);
	ev_io_start(loop_ev(terminal.loop), &terminal.input); // also while paused
	return count;
}

static const luaL_Reg life_functions[] = {
	{"start", terminal_start},	 {"stop", terminal_stop},
	{"pause", terminal_pause},	 {"resume", terminal_resume},
	{"read_secret", read_secret},	 {"allow_break", terminal_allow_break},
	{"was_broken", terminal_was_broken}, {NULL, NULL},
};

int luaopen_sotto_terminal(lua_State *L)
{
	const luaL_Reg *const parts[] = {life_functions, terminal_edit_functions, terminal_history_functions,
					 terminal_screen_functions, terminal_lend_functions, terminal_text_functions};
	lua_newtable(L);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		luaL_setfuncs(L, parts[i], 0);
	return 1;
}
