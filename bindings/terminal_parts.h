// SPDX-License-Identifier: GPL-3.0-or-later
// The parts of sotto.terminal among themselves. Readline has global state, and a process one terminal.
//
// From start to stop the terminal stays without echo, also between lines and while a password is asked: whatever a person types
// ahead is never echoed by the system. Ctrl-C and Ctrl-Z come as keys.
#ifndef SOTTO_BINDINGS_TERMINAL_PARTS_H
#define SOTTO_BINDINGS_TERMINAL_PARTS_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

#include "bindings/common.h"

struct terminal {
	bool running;
	bool editing; // readline has the line; also during a line's callback
	bool in_line; // a line's callback is under way: nothing is on the screen to be kept
	bool paused;
	bool taken_off; // the line that was entered is not on the screen any more
	bool dumb;	// nothing but lines can be written there
	struct loop *loop;
	struct ev_io input;
	struct anchor on_line, on_interrupt;
	char *prompt;
	bool prompt_waits; // to be shown once a search or the like has the line no longer
	unsigned disturbed; // see terminal.disturbed
};
extern struct terminal terminal;

// --- terminal.c: its life -----------------------------------------------------------------------------------------------------

bool terminal_running(void);

// --- terminal_edit.c: the line ------------------------------------------------------------------------------------------------

// Whether a line is on the screen that may be half typed.
bool terminal_line_is_shown(void);
// Takes the line that is being typed off the screen and lets nobody edit it, until the editing goes on. Fine inside a line's callback.
void terminal_editing_stop(void);
void terminal_editing_start(void);
void terminal_bind_keys(void); // once readline is prepared
void terminal_unbind_all(void);
// As Ctrl-C; whether there was something to throw away.
bool terminal_interrupt(void);
// The terminal's modes, as readline's own with Ctrl-C and Ctrl-Z as keys.
void terminal_prepare(int meta);
extern const luaL_Reg terminal_edit_functions[], terminal_history_functions[];

// --- terminal_screen.c ----------------------------------------------------------------------------------------------------------

void terminal_prompt_settle(void); // after a key
extern const luaL_Reg terminal_screen_functions[];

// --- terminal_text.c --------------------------------------------------------------------------------------------------------------

extern const luaL_Reg terminal_text_functions[];

// --- terminal_secret.c: passwords ---------------------------------------------------------------------------------------------

bool terminal_secret_asked(void);
void terminal_secret_input(void);  // there is something to read
void terminal_secret_cancel(void); // as if the person had given up; fine where none is asked
// The question's place on the screen, for lines above it.
void terminal_secret_hide(void);
void terminal_secret_show(void);
int terminal_read_secret(lua_State *L);

// --- terminal_lend.c: the terminal in another program's hands -------------------------------------------------------------------

// Until it is taken back nothing is written and no key is read; lines are kept for then.
bool terminal_is_lent(void);
void terminal_keep(const char *text, size_t len);
void terminal_take_back(void); // before terminal.stop; nobody edits a line yet. Fine where it is not lent
extern const luaL_Reg terminal_lend_functions[];

// --- terminal_complete.c: the Tab key ------------------------------------------------------------------------------------------

// The functions at these indices answer, and show what there is to choose from; the arguments and results are those of `complete`
// and `choices` (lua/sotto/types/terminal.lua). choices: 0 for none.
void terminal_complete_start(lua_State *L, int complete, int choices);
void terminal_complete_stop(void);

// --- terminal_break.c: Ctrl-C while Lua is at work and nobody reads keys --------------------------------------------------------

void terminal_break_allow(bool on);
int terminal_allow_break(lua_State *L);
int terminal_was_broken(lua_State *L);

#endif
