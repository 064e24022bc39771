// SPDX-License-Identifier: GPL-3.0-or-later
// sotto.terminal: line editing with readline on the loop, lines printed above the prompt, passwords without echo, and foreign text
// made harmless. For the front end alone; lua/sotto/types/terminal.lua describes it.
#ifndef SOTTO_BINDINGS_TERMINAL_H
#define SOTTO_BINDINGS_TERMINAL_H

#include <lua.h>

int luaopen_sotto_terminal(lua_State *L);

#endif
