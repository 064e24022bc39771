// SPDX-License-Identifier: GPL-3.0-or-later
// What the small mains share: a Lua state with the C modules in it and the project's own Lua in its path, and nothing else.
#ifndef SOTTO_BINDINGS_PROGRAM_H
#define SOTTO_BINDINGS_PROGRAM_H

#include <lauxlib.h>

// Where lua/ is when it does not lie beside the program: BUILD/../lua in a checkout, PREFIX/share/sotto/lua else.
#ifndef SOTTO_LUADIR
#define SOTTO_LUADIR "/usr/local/share/sotto/lua"
#endif

// Makes descriptors 0 to 2 sure to be open, closes all others, sets umask 077, and ignores SIGPIPE. First of all in a main.
void program_begin(void);

// As program_run, in a state of the caller's, which is closed.
int program_run_in(lua_State *L, const char *module, const luaL_Reg *preload, int argc, char **argv);

// Runs require(module).run(arguments), which returns the exit status; an error that it raises goes to standard error, with its
// traceback, and is status 1. preload: the C modules, ended by a NULL name; no other C module can be loaded.
int program_run(const char *module, const luaL_Reg *preload, int argc, char **argv);

#endif
