// SPDX-License-Identifier: GPL-3.0-or-later
// The names of the signals that Lua may send and wait for.
#ifndef SOTTO_BINDINGS_SIGNALS_H
#define SOTTO_BINDINGS_SIGNALS_H

#include <lua.h>

int binding_check_signal(lua_State *L, int index); // the number for the name at index ("SIGTERM"); raises for another
const char *binding_signal_name(int number);       // NULL for one that has no name here

#endif
