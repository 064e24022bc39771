// SPDX-License-Identifier: GPL-3.0-or-later
// sotto.control: the control socket in Lua. Lines are parsed here, and parameters that carry secrets are taken out before Lua sees
// the request. What Lua sees is described in lua/sotto/types/control.lua.
#ifndef SOTTO_BINDINGS_CONTROL_H
#define SOTTO_BINDINGS_CONTROL_H

#include <lua.h>

#include "base/buf.h"

// Commas and opening brackets of one line: bounds what a line of 1 MiB can be blown up to.
#define BINDING_REQUEST_VALUES 50000

// Pushes the request of a line; nothing of it that may be a secret reaches a Lua string:
// - params that were registered as secret become secrets, whatever the method is;
// - params that are no object become `true`, a request that is no object an empty array or null.
// ERR_BAD_INPUT or ERR_TOO_LARGE, and nothing pushed, where it is no JSON or over a limit; the text never quotes the line.
MUST_CHECK enum err binding_request_push(lua_State *L, struct span line, struct err_info *info);

// The Lua function control.secrets(names): registers the parameter names that carry secrets.
#define BINDING_SECRET_NAMES_MAX 16
int binding_request_set_secrets(lua_State *L);

int luaopen_sotto_control(lua_State *L);

#endif
