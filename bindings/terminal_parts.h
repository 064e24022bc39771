// SPDX-License-Identifier: GPL-3.0-or-later
// The parts of sotto.terminal among themselves. Readline has global state, and a process one terminal.
//
// From start to stop the terminal stays without echo, also between lines and while a password is asked: whatever a person types
// ahead is never echoed by the system. Ctrl-C and Ctrl-Z come as keys.
#ifndef SOTTO_BINDINGS_TERMINAL_PARTS_H
#define SOTTO_BINDINGS_TERMINAL_PARTS_H

#include <lua.h>
#include <stdbool.h>

// --- terminal.c -------------------------------------------------------------------------------------------------------------

bool terminal_running(void);
// Takes the line that is being typed off the screen and lets nobody edit it, until the editing goes on. Fine inside a line's callback.
void terminal_editing_stop(void);
void terminal_editing_start(void);

// --- terminal_secret.c: passwords ---------------------------------------------------------------------------------------------

bool terminal_secret_asked(void);
void terminal_secret_input(void);  // there is something to read
void terminal_secret_cancel(void); // as if the person had given up; fine where none is asked
// The question's place on the screen, for lines above it.
void terminal_secret_hide(void);
void terminal_secret_show(void);
int terminal_read_secret(lua_State *L);

// --- terminal_complete.c: the Tab key ------------------------------------------------------------------------------------------

// The function at index answers; the arguments and results are those of `complete` (terminal.h).
void terminal_complete_start(lua_State *L, int index);
void terminal_complete_stop(void);

// --- terminal_break.c: Ctrl-C while Lua is at work and nobody reads keys --------------------------------------------------------

void terminal_break_allow(bool on);
int terminal_allow_break(lua_State *L);
int terminal_was_broken(lua_State *L);

#endif
