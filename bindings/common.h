// SPDX-License-Identifier: GPL-3.0-or-later
// What every C module for Lua shares: the state to call into, one way to call it, errors, userdata, and handles that live on.
//
// House rules: a function checks all its arguments, creates a closed userdata, acquires, and returns. Misuse raises; a failure
// returns nil, message, name (err_name). Every call from the loop into Lua goes through binding_call.
#ifndef SOTTO_BINDINGS_COMMON_H
#define SOTTO_BINDINGS_COMMON_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

#include "base/err.h"
#include "loop/loop.h"

// The main state of L: what a callback keeps. A caller's coroutine may be gone when the callback comes.
lua_State *binding_main(lua_State *L);

// The process's loop, made at the first use and freed after every other userdata of the state.
struct loop *binding_loop(lua_State *L);
bool binding_loop_made(lua_State *L); // a process that forks does it before

// Calls the function below its `arguments` on the stack, as lua_pcall. An error of the function is given, with its traceback, to the
// handler that binding_set_error_handler kept, else logged under `what`; then nothing is left on the stack and the answer is false.
bool binding_call(lua_State *L, int arguments, int results, const char *what);
// Keeps the function (or nil) at index: it is called with the text of every error that binding_call stopped.
void binding_set_error_handler(lua_State *L, int index);
// Logs a text of several lines as several lines.
void binding_log_lines(const char *what, const char *text);

// Pushes nil, message, name, and returns 3. info may be NULL; its text is used where its code is `code`.
int binding_fail(lua_State *L, enum err code, const struct err_info *info);
// Pushes true, or as binding_fail.
int binding_result(lua_State *L, enum err code, const struct err_info *info);

// Registers the type: methods are reached by t.name and t:name; metamethods by their own names ("__gc"). Either may be NULL.
void binding_type(lua_State *L, const char *type, const luaL_Reg *methods, const luaL_Reg *metamethods);
// Pushes a zeroed userdata of that type, with room for `values` user values.
void *binding_new(lua_State *L, const char *type, size_t size, int values);
// Keeps the function options[name] as the user value `slot` of the userdata on top of the stack; raises where it is something else
// than a function or nil. `options`: index of a table.
void binding_keep_callback(lua_State *L, int options, const char *name, int slot);
// The path argument at index: a string without NUL.
const char *binding_check_path(lua_State *L, int index);

// Keeps a value alive, and in reach of a callback, while something outside Lua is at work for it. Zero-initialised.
struct anchor {
	lua_State *L; // the main state
	int ref;      // LUA_NOREF and 0: empty
};
void anchor_set(struct anchor *a, lua_State *L, int index); // replaces what it held
void anchor_clear(struct anchor *a);                        // fine when empty
bool anchor_held(const struct anchor *a);
// Pushes the anchored value on the main state; false, and nothing pushed, when empty.
bool anchor_push(const struct anchor *a);
// Pushes the user value `slot` of the anchored userdata, if that is a function; else pushes nothing and answers false. This is how
// a handle finds its callback: kept in the userdata, so that a forgotten handle and its callback are collected together.
bool anchor_push_callback(const struct anchor *a, int slot);

#endif
