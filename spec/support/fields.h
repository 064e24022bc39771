// SPDX-License-Identifier: GPL-3.0-or-later
// Lua tables to C structs and back, for the support modules of state machines. A missing or
// mistyped field raises: a spec that misspells one must not pass.
#ifndef SOTTO_SPEC_SUPPORT_FIELDS_H
#define SOTTO_SPEC_SUPPORT_FIELDS_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"

// Strings stay valid as long as the table holds them.
static inline struct span field_span(lua_State *L, int table, const char *name)
{
	size_t len = 0;
	const char *s = NULL;
	if (lua_getfield(L, table, name) == LUA_TSTRING)
		s = lua_tolstring(L, -1, &len);
	else if (!lua_isnil(L, -1))
		luaL_error(L, "field '%s' is not a string", name);
	lua_pop(L, 1);
	return span(s, len);
}

static inline struct span field_need(lua_State *L, int table, const char *name)
{
	struct span s = field_span(L, table, name);
	if (!s.data)
		luaL_error(L, "field '%s' is missing", name);
	return s;
}

static inline void field_text(lua_State *L, int table, const char *name, char *out, size_t size)
{
	struct span s = field_need(L, table, name);
	if (s.len >= size)
		luaL_error(L, "field '%s' is too long", name);
	memcpy(out, s.data, s.len);
	out[s.len] = 0;
}

static inline bool field_bool(lua_State *L, int table, const char *name)
{
	lua_getfield(L, table, name);
	bool b = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return b;
}

static inline lua_Integer field_integer(lua_State *L, int table, const char *name,
					lua_Integer fallback)
{
	lua_Integer n = fallback;
	if (!lua_isnil(L, (lua_getfield(L, table, name), -1)))
		n = luaL_checkinteger(L, -1);
	lua_pop(L, 1);
	return n;
}

static inline void field_hash(lua_State *L, int table, const char *name, struct hash *out)
{
	struct span s = field_need(L, table, name);
	if (s.len != HASH_LEN)
		luaL_error(L, "field '%s' is no hash", name);
	memcpy(out->bytes, s.data, HASH_LEN);
}

// "ok" and nil are OK; else a stable error name.
static inline enum err field_code(lua_State *L, int table, const char *name)
{
	struct span s = field_span(L, table, name);
	if (!s.data)
		return OK;
	for (int e = 0; e < ERR_COUNT; e++)
		if (!strcmp(err_name((enum err)e), (const char *)s.data))
			return (enum err)e;
	luaL_error(L, "field '%s' is no error name", name);
	return ERR_INTERNAL;
}

// Index of the text in names, which end with NULL.
static inline int field_choice(lua_State *L, int table, const char *name,
			       const char *const names[])
{
	struct span s = field_need(L, table, name);
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], (const char *)s.data))
			return i;
	return luaL_error(L, "field '%s': no such name: %s", name, (const char *)s.data);
}

static inline void put_span(lua_State *L, const char *name, struct span s)
{
	lua_pushlstring(L, s.len ? (const char *)s.data : "", s.len);
	lua_setfield(L, -2, name);
}

static inline void put_bytes(lua_State *L, const char *name, const struct bytes *b)
{
	if (b)
		put_span(L, name, bytes_span(b));
}

static inline void put_bytes_list(lua_State *L, const char *name, struct bytes *const *list, size_t count)
{
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_pushlstring(L, (const char *)list[i]->data, list[i]->len);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, name);
}

static inline void put_text(lua_State *L, const char *name, const char *text)
{
	lua_pushstring(L, text);
	lua_setfield(L, -2, name);
}

static inline void put_bool(lua_State *L, const char *name, bool b)
{
	lua_pushboolean(L, b);
	lua_setfield(L, -2, name);
}

static inline void put_integer(lua_State *L, const char *name, lua_Integer n)
{
	lua_pushinteger(L, n);
	lua_setfield(L, -2, name);
}

static inline void put_hash(lua_State *L, const char *name, const struct hash *h)
{
	put_span(L, name, hash_span(h));
}

#endif
