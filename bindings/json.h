// SPDX-License-Identifier: GPL-3.0-or-later
// sotto.json: between Lua values and JSON text, and for other bindings between Lua values and jansson's trees.
// null is json.null; arrays carry json.array's metatable, so that an empty one stays one; integers stay integers.
#ifndef SOTTO_BINDINGS_JSON_H
#define SOTTO_BINDINGS_JSON_H

#include <jansson.h>
#include <lua.h>

#include "base/buf.h"

// Deeper values are refused both ways: also what stops a cycle.
#define BINDING_JSON_DEPTH 64

// Pushes the value; objects' nulls are left out where !nulls. ERR_TOO_LARGE below BINDING_JSON_DEPTH levels, and nothing is pushed.
// Raises on memory alone.
MUST_CHECK enum err binding_json_push(lua_State *L, const json_t *value, bool nulls);

#define BINDING_JSON_SECRETS 1 // secrets are written as strings (else they are refused): for wiped buffers only

// Appends the text of the value at index, keys in order of their bytes. ERR_BAD_PARAMS names what cannot be written: functions, keys
// that are no strings, invalid UTF-8, infinities, secrets. ERR_TOO_LARGE at out's cap or too many levels. Raises on memory
// alone; what was appended before a failure stays.
MUST_CHECK enum err binding_json_write(lua_State *L, int index, struct buf *out, unsigned flags, struct err_info *info);

// The value at index as a tree, the caller's reference: by way of its text. Errors as above.
MUST_CHECK enum err binding_json_tree(lua_State *L, int index, json_t **out, struct err_info *info);

// Pushes the compact text of the tree.
void binding_json_push_text(lua_State *L, const json_t *value);

int luaopen_sotto_json(lua_State *L);

#endif
