// SPDX-License-Identifier: GPL-3.0-or-later
// Between Lua tables and the store's structs: what the files of support.store share.
#ifndef SOTTO_SPEC_SUPPORT_STORE_VALUES_H
#define SOTTO_SPEC_SUPPORT_STORE_VALUES_H

#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#include "store/store.h"

#define STORE "sotto.spec.store"

// Each fills the table of methods at the top of the stack.
int luaopen_support_store_discussions(lua_State *L);
int luaopen_support_store_payloads(lua_State *L);
int luaopen_support_store_messages(lua_State *L);
int luaopen_support_store_changes(lua_State *L);

static inline struct store *to_store(lua_State *L)
{
	struct store **box = luaL_checkudata(L, 1, STORE);
	luaL_argcheck(L, *box, 1, "closed");
	return *box;
}

static inline int answer(lua_State *L, enum err e, const struct err_info *info)
{
	if (!e) {
		lua_pushboolean(L, 1);
		return 1;
	}
	lua_pushnil(L);
	lua_pushstring(L, err_name(e));
	lua_pushstring(L, info->text);
	return 3;
}

// of the table at the top of the stack
static inline void set_text(lua_State *L, const char *key, const char *text)
{
	lua_pushstring(L, text);
	lua_setfield(L, -2, key);
}

static inline void set_int(lua_State *L, const char *key, int64_t value)
{
	lua_pushinteger(L, value);
	lua_setfield(L, -2, key);
}

static inline void set_bool(lua_State *L, const char *key, bool value)
{
	lua_pushboolean(L, value);
	lua_setfield(L, -2, key);
}

static inline void set_span(lua_State *L, const char *key, struct span value)
{
	lua_pushlstring(L, (const char *)value.data, value.len);
	lua_setfield(L, -2, key);
}

static inline void set_bytes(lua_State *L, const char *key, const struct bytes *value)
{
	if (value)
		set_span(L, key, bytes_span(value));
}

static inline void set_addresses(lua_State *L, const char *key, const struct store_addresses *a)
{
	lua_newtable(L);
	for (size_t i = 0; i < a->count; i++) {
		lua_pushstring(L, a->text[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, key);
}

static inline void get_text(lua_State *L, int index, const char *key, char *out, size_t size)
{
	lua_getfield(L, index, key);
	const char *text = luaL_optstring(L, -1, "");
	luaL_argcheck(L, strlen(text) < size, index, key);
	strcpy(out, text);
	lua_pop(L, 1);
}

static inline int64_t get_int(lua_State *L, int index, const char *key)
{
	lua_getfield(L, index, key);
	int64_t value = luaL_optinteger(L, -1, 0);
	lua_pop(L, 1);
	return value;
}

static inline bool get_bool(lua_State *L, int index, const char *key)
{
	lua_getfield(L, index, key);
	bool value = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return value;
}

static inline struct bytes *get_bytes(lua_State *L, int index, const char *key)
{
	size_t len;
	lua_getfield(L, index, key);
	const char *text = lua_tolstring(L, -1, &len);
	struct bytes *value = text ? bytes_new(text, len) : NULL;
	lua_pop(L, 1);
	return value;
}

// false: no such field
static inline bool get_exact(lua_State *L, int index, const char *key, void *out, size_t size)
{
	size_t len;
	lua_getfield(L, index, key);
	const char *text = lua_tolstring(L, -1, &len);
	if (text) {
		luaL_argcheck(L, len == size, index, key);
		memcpy(out, text, len);
	}
	lua_pop(L, 1);
	return text != NULL;
}

static inline void get_addresses(lua_State *L, int index, const char *key,
				 struct store_addresses *out)
{
	lua_getfield(L, index, key);
	out->count = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
	for (size_t i = 0; i < out->count && i < STORE_ADDRESSES_MAX; i++) {
		lua_rawgeti(L, -1, (lua_Integer)i + 1);
		const char *text = luaL_checkstring(L, -1);
		luaL_argcheck(L, strlen(text) < STORE_ADDRESS_LEN, index, key);
		strcpy(out->text[i], text);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

// Collects what an iteration visits in the list at the top of the stack. A function at `function`
// (0: none) is called with each value instead of the list keeping it; it returns false to end.
struct visit {
	lua_State *L;
	int function;
	bool failed;
};

static inline bool visited(struct visit *v)
{
	lua_State *L = v->L;
	if (!v->function) {
		lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
		return true;
	}
	lua_pushvalue(L, v->function);
	lua_insert(L, -2);
	if (lua_pcall(L, 1, 1, 0)) {
		v->failed = true;
		return false;
	}
	bool more = lua_isnil(L, -1) || lua_toboolean(L, -1);
	lua_pop(L, 1);
	return more;
}

static inline struct visit begin_visit(lua_State *L, int function)
{
	bool given = lua_isfunction(L, function);
	lua_newtable(L);
	return (struct visit){L, given ? function : 0, false};
}

static inline int end_visit(struct visit *v, enum err e, const struct err_info *info)
{
	if (v->failed)
		return lua_error(v->L);
	return e ? answer(v->L, e, info) : 1;
}

#endif
