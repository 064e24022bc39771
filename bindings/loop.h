// SPDX-License-Identifier: GPL-3.0-or-later
// sotto.loop: the event loop in Lua. loop.c: run, timers, signals, descriptors; loop_stream.c: lines over sockets and pipes;
// loop_process.c: child processes. What Lua sees is described in lua/sotto/types/loop.lua.
//
// A handle that is at work keeps itself and its callback alive; one that has ended, or was stopped, is collected.
#ifndef SOTTO_BINDINGS_LOOP_H
#define SOTTO_BINDINGS_LOOP_H

#include <lauxlib.h>

#include "bindings/common.h"

extern const luaL_Reg loop_stream_functions[], loop_process_functions[];
void loop_stream_register(lua_State *L); // its userdata type
void loop_process_register(lua_State *L);

// Pushes a stream over a descriptor (a pipe's end, a connected socket), which it takes and closes at its end; a descriptor that is
// open for writing only is not read. `options`: index of a table with the fields of sotto.stream.options, or 0.
void loop_stream_push(lua_State *L, int fd, int options);

int luaopen_sotto_loop(lua_State *L);

#endif
