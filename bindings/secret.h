// SPDX-License-Identifier: GPL-3.0-or-later
// sotto.secret: passwords in Lua's hands without being Lua strings (P2.4). The userdata has no content that Lua can read: it can be
// compared, embedded in a line by stream:send, or handed to the engine.
#ifndef SOTTO_BINDINGS_SECRET_H
#define SOTTO_BINDINGS_SECRET_H

#include <lua.h>

#include "base/secret.h"

// The longest secret that is read from a terminal, a pipe or a control line (P2.4: 1 to 1024 bytes).
#define BINDING_SECRET_MAX 1024

void binding_secret_push(lua_State *L, struct secret *s);           // takes the reference
struct secret *binding_secret_test(lua_State *L, int index);        // borrowed; NULL where there is none
struct secret *binding_secret_check(lua_State *L, int index);       // borrowed; raises where there is none

int luaopen_sotto_secret(lua_State *L);

#endif
