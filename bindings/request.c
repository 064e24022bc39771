// SPDX-License-Identifier: GPL-3.0-or-later
// From a control line to a Lua table, with the secrets taken out on the way.
#include <jansson.h>
#include <lauxlib.h>

#include "bindings/control.h"
#include "bindings/json.h"
#include "bindings/secret.h"
#include "wire/json.h"

// its address is the key of the registered names
static const char names_key;

// counted before parsing, for jansson's tree is some fifty times larger than the densest text
static bool too_many_values(struct span line)
{
	size_t values = 0;
	bool in_string = false;
	for (size_t i = 0; i < line.len; i++) {
		uint8_t c = line.data[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == ',' || c == '[' || c == '{') {
			values++;
		}
	}
	return values > BINDING_REQUEST_VALUES;
}

struct taken {
	size_t count;
	struct {
		const char *name; // Lua's, alive in the registered list
		struct secret *value;
	} items[BINDING_SECRET_NAMES_MAX];
};

static void take_secrets(lua_State *L, json_t *params, struct taken *taken)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
	size_t count = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
	for (size_t i = 1; i <= count; i++) {
		lua_rawgeti(L, -1, (lua_Integer)i);
		const char *name = lua_tostring(L, -1);
		lua_pop(L, 1);
		const json_t *value = json_object_get(params, name);
		if (!json_is_string(value))
			continue;
		taken->items[taken->count].name = name;
		taken->items[taken->count++].value =
			secret_copy(span(json_string_value(value), json_string_length(value)));
		// frees the string, and so overwrites it
		json_object_del(params, name);
	}
	lua_pop(L, 1);
}

// into the table on top of the stack
static void put_secrets(lua_State *L, struct taken *taken)
{
	for (size_t i = 0; i < taken->count; i++) {
		binding_secret_push(L, taken->items[i].value);
		lua_setfield(L, -2, taken->items[i].name);
	}
	taken->count = 0;
}

static enum err push_object(lua_State *L, json_t *request, struct err_info *info)
{
	struct taken taken = {0};
	json_t *params = json_object_get(request, "params");
	if (json_is_object(params))
		take_secrets(L, params, &taken);
	else if (params)
		json_object_set_new(request, "params", json_true());
	enum err e = binding_json_push(L, request, true);
	if (e) {
		while (taken.count)
			secret_unref(taken.items[--taken.count].value);
		return err_set(info, e, "more than %d levels", BINDING_JSON_DEPTH);
	}
	if (taken.count) {
		lua_getfield(L, -1, "params");
		put_secrets(L, &taken);
		lua_pop(L, 1);
	}
	return OK;
}

enum err binding_request_push(lua_State *L, struct span line, struct err_info *info)
{
	json_t *request;
	if (too_many_values(line))
		return err_set(info, ERR_TOO_LARGE, "more than %d values in one line", BINDING_REQUEST_VALUES);
	enum err e = json_parse_any(line, &request, info);
	if (e)
		return e;
	if (json_is_object(request)) {
		e = push_object(L, request, info);
	} else {
		json_t *empty = json_is_array(request) ? json_array() : json_null();
		e = binding_json_push(L, empty, true);
		json_decref(empty);
	}
	json_decref(request);
	return e;
}

int binding_request_set_secrets(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	size_t count = lua_rawlen(L, 1);
	luaL_argcheck(L, count <= BINDING_SECRET_NAMES_MAX, 1, "too many names");
	lua_createtable(L, (int)count, 0);
	for (size_t i = 1; i <= count; i++) {
		lua_rawgeti(L, 1, (lua_Integer)i);
		luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "a name is a string");
		lua_rawseti(L, -2, (lua_Integer)i);
	}
	lua_rawsetp(L, LUA_REGISTRYINDEX, &names_key);
	return 0;
}
