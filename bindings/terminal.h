// SPDX-License-Identifier: GPL-3.0-or-later
// sotto.terminal: line editing with readline on the loop, lines printed above the prompt, passwords without echo, and foreign text
// made harmless. For the front end alone.
//
//   local terminal = require "sotto.terminal"
//   terminal.start { name =, line = function(text|nil), complete = function(word, line, from, to) → list }
//   terminal.prompt(text)  terminal.print(text)  terminal.interrupt()  terminal.resized()  terminal.stop()
//   terminal.read_secret(prompt, function(secret|nil))    terminal.remember(line)  terminal.history() → list
//   terminal.escape(text [, lines])   terminal.width(text)   terminal.size() → columns, rows
#ifndef SOTTO_BINDINGS_TERMINAL_H
#define SOTTO_BINDINGS_TERMINAL_H

#include <lua.h>

int luaopen_sotto_terminal(lua_State *L);

#endif
