// SPDX-License-Identifier: GPL-3.0-or-later
// sotto.loop: the event loop in Lua. loop.c: run, timers, signals, descriptors; loop_stream.c: lines over sockets and pipes;
// loop_process.c: child processes. What Lua sees is described in lua/sotto/types/loop.lua.
//
// A handle that is at work keeps itself and its callback alive; one that has ended, or was stopped, is collected.
#ifndef SOTTO_BINDINGS_LOOP_H
#define SOTTO_BINDINGS_LOOP_H

#include <lauxlib.h>

#include "bindings/common.h"

int luaopen_sotto_loop(lua_State *L);

#endif
