// SPDX-License-Identifier: GPL-3.0-or-later
// Decoding, and the module; json_write.c encodes.
#include "bindings/json.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bindings/common.h"
#include "bindings/json_types.h"
#include "wire/json.h"

#define PUSHED_MAX (1u << 30) // a thousand of the longest messages, and then some
#define TEXT_MAX (64u << 20)
static void push_null(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &json_null_key);
}

static enum err push_value(lua_State *L, const json_t *value, bool nulls, int depth);

static enum err push_array(lua_State *L, const json_t *value, bool nulls, int depth)
{
	size_t count = json_array_size(value);
	lua_createtable(L, count > INT32_MAX ? 0 : (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		enum err e = push_value(L, json_array_get(value, i), nulls, depth - 1);
		if (e) {
			lua_pop(L, 1);
			return e;
		}
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_rawgetp(L, LUA_REGISTRYINDEX, &json_array_key);
	lua_setmetatable(L, -2);
	return OK;
}

static enum err push_object(lua_State *L, const json_t *value, bool nulls, int depth)
{
	json_t *object = (json_t *)value;
	size_t count = json_object_size(value);
	lua_createtable(L, 0, count > INT32_MAX ? 0 : (int)count);
	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
		json_t *field = json_object_iter_value(i);
		if (!nulls && json_is_null(field))
			continue;
		lua_pushstring(L, json_object_iter_key(i));
		enum err e = push_value(L, field, nulls, depth - 1);
		if (e) {
			lua_pop(L, 2);
			return e;
		}
		lua_rawset(L, -3);
	}
	return OK;
}

static enum err push_value(lua_State *L, const json_t *value, bool nulls, int depth)
{
	if (depth <= 0 || !lua_checkstack(L, LUA_MINSTACK))
		return ERR_TOO_LARGE;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return push_object(L, value, nulls, depth);
	case JSON_ARRAY:
		return push_array(L, value, nulls, depth);
	case JSON_STRING:
		lua_pushlstring(L, json_string_value(value), json_string_length(value));
		return OK;
	case JSON_INTEGER:
		lua_pushinteger(L, json_integer_value(value));
		return OK;
	case JSON_REAL:
		lua_pushnumber(L, json_real_value(value));
		return OK;
	case JSON_TRUE:
	case JSON_FALSE:
		lua_pushboolean(L, json_is_true(value));
		return OK;
	case JSON_NULL:
		push_null(L);
		return OK;
	}
	return ERR_INTERNAL;
}

enum err binding_json_push(lua_State *L, const json_t *value, bool nulls)
{
	return push_value(L, value, nulls, BINDING_JSON_DEPTH);
}

void binding_json_push_text(lua_State *L, const json_t *value)
{
	struct buf text;
	buf_init_wiped(&text, PUSHED_MAX);
	if (json_encode_compact(value, &text) == OK)
		lua_pushlstring(L, (const char *)text.data, text.len);
	else
		lua_pushliteral(L, "null");
	buf_fini(&text);
}

static bool option(lua_State *L, int index, const char *name, bool fallback)
{
	if (lua_isnoneornil(L, index))
		return fallback;
	bool value = lua_getfield(L, index, name) == LUA_TNIL ? fallback : lua_toboolean(L, -1);
	lua_pop(L, 1);
	return value;
}

static int tree_gc(lua_State *L)
{
	json_t **tree = lua_touserdata(L, 1);
	json_decref(*tree);
	*tree = NULL;
	return 0;
}

static enum err decode(lua_State *L, json_t **tree, struct span text, bool strict, bool nulls, struct err_info *info)
{
	enum err e = strict ? json_parse_strict(text, tree, info) : json_parse_any(text, tree, info);
	if (e)
		return e;
	if ((e = binding_json_push(L, *tree, nulls)))
		return err_set(info, e, "more than %d levels", BINDING_JSON_DEPTH);
	return OK;
}

static int json_decode(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	if (!lua_isnoneornil(L, 2))
		luaL_checktype(L, 2, LUA_TTABLE);
	bool strict = option(L, 2, "strict", false), nulls = option(L, 2, "nulls", true);
	struct err_info info = {0};
	if (len > TEXT_MAX)
		return binding_fail(L, ERR_TOO_LARGE, NULL);
	// the userdata owns the tree, for pushing may raise on memory
	json_t **tree = binding_new(L, JSON_TREE_TYPE, sizeof *tree, 0);
	enum err e = decode(L, tree, span(text, len), strict, nulls, &info);
	json_decref(*tree);
	*tree = NULL;
	return e ? binding_fail(L, e, &info) : 1;
}

static int json_encode(lua_State *L)
{
	struct err_info info = {0};
	luaL_checkany(L, 1);
	// the box owns the buffer, for pushing its text may raise on memory
	struct buf *out = binding_new(L, JSON_BUF_TYPE, sizeof *out, 0);
	buf_init_wiped(out, TEXT_MAX);
	enum err e = binding_json_write(L, 1, out, 0, &info);
	if (e)
		return binding_fail(L, e, &info);
	lua_pushlstring(L, (const char *)out->data, out->len);
	buf_fini(out);
	return 1;
}

static int buf_gc(lua_State *L)
{
	buf_fini(lua_touserdata(L, 1));
	return 0;
}

enum err binding_json_tree(lua_State *L, int index, json_t **out, struct err_info *info)
{
	struct buf text;
	buf_init_wiped(&text, TEXT_MAX);
	enum err e = binding_json_write(L, index, &text, 0, info);
	if (!e)
		e = json_parse_any(buf_span(&text), out, info);
	buf_fini(&text);
	return e;
}

static int json_array_mark(lua_State *L)
{
	if (lua_isnoneornil(L, 1)) {
		lua_settop(L, 0);
		lua_newtable(L);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &json_array_key);
	lua_setmetatable(L, 1);
	return 1;
}

static int json_is_array_mark(lua_State *L)
{
	bool marked = false;
	if (lua_istable(L, 1) && lua_getmetatable(L, 1)) {
		lua_rawgetp(L, LUA_REGISTRYINDEX, &json_array_key);
		marked = lua_rawequal(L, -1, -2);
	}
	lua_pushboolean(L, marked);
	return 1;
}

static int json_raw(lua_State *L)
{
	luaL_checkstring(L, 1);
	binding_new(L, JSON_RAW_TYPE, 1, 1);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	return 1;
}

static int raw_tostring(lua_State *L)
{
	luaL_checkudata(L, 1, JSON_RAW_TYPE);
	lua_getiuservalue(L, 1, 1);
	return 1;
}

static int null_tostring(lua_State *L)
{
	lua_pushliteral(L, "null");
	return 1;
}

static void register_types(lua_State *L)
{
	static const luaL_Reg raw_meta[] = {{"__tostring", raw_tostring}, {NULL, NULL}};
	static const luaL_Reg null_meta[] = {{"__tostring", null_tostring}, {NULL, NULL}};
	static const luaL_Reg tree_meta[] = {{"__gc", tree_gc}, {NULL, NULL}};
	static const luaL_Reg buf_meta[] = {{"__gc", buf_gc}, {NULL, NULL}};
	binding_type(L, JSON_RAW_TYPE, NULL, raw_meta);
	binding_type(L, JSON_NULL_TYPE, NULL, null_meta);
	binding_type(L, JSON_TREE_TYPE, NULL, tree_meta);
	binding_type(L, JSON_BUF_TYPE, NULL, buf_meta);
	// only once: null and array stay themselves however often the module is opened
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &json_null_key) == LUA_TNIL) {
		binding_new(L, JSON_NULL_TYPE, 1, 0);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &json_null_key);
		luaL_newmetatable(L, JSON_ARRAY_TYPE);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &json_array_key);
	}
	lua_pop(L, 1);
}

int luaopen_sotto_json(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"decode", json_decode},
		{"encode", json_encode},
		{"array", json_array_mark},
		{"is_array", json_is_array_mark},
		{"raw", json_raw},
		{NULL, NULL},
	};
	json_wipe_on_free();
	register_types(L);
	luaL_newlib(L, functions);
	push_null(L);
	lua_setfield(L, -2, "null");
	return 1;
}
