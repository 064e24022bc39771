// SPDX-License-Identifier: GPL-3.0-or-later
// Lua values to JSON text. Raw access only, and no conversion of a value in place: nothing here raises but for want of memory.
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bindings/json.h"
#include "bindings/json_types.h"
#include "bindings/secret.h"
#include "wire/json.h"

const char json_null_key, json_array_key;

struct writer {
	lua_State *L;
	struct buf *out;
	unsigned flags;
	struct err_info *info;
};

struct key {
	const char *text;
	size_t len;
};

static enum err put(struct writer *w, const void *data, size_t len)
{
	if (buf_append(w->out, data, len))
		return err_set(w->info, ERR_TOO_LARGE, "more than %zu bytes of JSON", w->out->max);
	return OK;
}

static enum err put_text(struct writer *w, const char *text)
{
	return put(w, text, strlen(text));
}

static enum err write_escape(struct writer *w, unsigned char c)
{
	char escape[8];
	switch (c) {
	case '"':
		return put_text(w, "\\\"");
	case '\\':
		return put_text(w, "\\\\");
	case '\n':
		return put_text(w, "\\n");
	case '\r':
		return put_text(w, "\\r");
	case '\t':
		return put_text(w, "\\t");
	default:
		snprintf(escape, sizeof escape, "\\u%04x", c);
		return put_text(w, escape);
	}
}

static enum err write_string(struct writer *w, const char *text, size_t len)
{
	size_t from = 0;
	if (!json_text_valid(span(text, len)))
		return err_set(w->info, ERR_BAD_PARAMS, "a string is not UTF-8, or holds the character U+0000");
	enum err e = put_text(w, "\"");
	for (size_t at = 0; !e && at < len; at++) {
		unsigned char c = (unsigned char)text[at];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		e = put(w, text + from, at - from);
		if (!e)
			e = write_escape(w, c);
		from = at + 1;
	}
	if (!e)
		e = put(w, text + from, len - from);
	return e ? e : put_text(w, "\"");
}

static enum err write_number(struct writer *w, int index)
{
	char text[48];
	if (lua_isinteger(w->L, index)) {
		snprintf(text, sizeof text, "%lld", (long long)lua_tointeger(w->L, index));
		return put_text(w, text);
	}
	double number = lua_tonumber(w->L, index);
	if (!isfinite(number))
		return err_set(w->info, ERR_BAD_PARAMS, "a number is not finite");
	// the shortest that reads back as the same number
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	if (!strpbrk(text, ".e"))
		strcat(text, ".0"); // NOLINT: at most 25 characters so far
	return put_text(w, text);
}

static enum err write_value(struct writer *w, int index, int depth);

// checks that the keys are 1 to count, each once
static enum err check_array(struct writer *w, int index, size_t count)
{
	size_t seen = 0;
	for (lua_pushnil(w->L); lua_next(w->L, index); lua_pop(w->L, 1)) {
		lua_Integer key = lua_isinteger(w->L, -2) ? lua_tointeger(w->L, -2) : 0;
		if (key < 1 || (size_t)key > count) {
			lua_pop(w->L, 2);
			return err_set(w->info, ERR_BAD_PARAMS, "an array has a key that is not one of 1 to %zu", count);
		}
		seen++;
	}
	return seen == count ? OK : err_set(w->info, ERR_BAD_PARAMS, "an array has holes");
}

static enum err write_array(struct writer *w, int index, int depth)
{
	size_t count = lua_rawlen(w->L, index);
	enum err e = check_array(w, index, count);
	if (!e)
		e = put_text(w, "[");
	for (size_t i = 1; !e && i <= count; i++) {
		if (i > 1)
			e = put_text(w, ",");
		lua_rawgeti(w->L, index, (lua_Integer)i);
		if (!e)
			e = write_value(w, lua_gettop(w->L), depth - 1);
		lua_pop(w->L, 1);
	}
	return e ? e : put_text(w, "]");
}

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
	return order ? order : (x->len > y->len) - (x->len < y->len);
}

// the keys' bytes stay Lua's, and where they are as long as the table holds them
static enum err sorted_keys(struct writer *w, int index, struct key **out, size_t *out_count)
{
	struct key *keys = NULL;
	size_t count = 0, room = 0;
	for (lua_pushnil(w->L); lua_next(w->L, index); lua_pop(w->L, 1)) {
		if (lua_type(w->L, -2) != LUA_TSTRING) {
			lua_pop(w->L, 2);
			free(keys);
			return err_set(w->info, ERR_BAD_PARAMS, "a table has a key that is no string");
		}
		if (count == room) {
			room = room ? room * 2 : 16;
			keys = mem_realloc(keys, room * sizeof *keys);
		}
		keys[count].text = lua_tolstring(w->L, -2, &keys[count].len);
		count++;
	}
	if (count > 1)
		qsort(keys, count, sizeof *keys, compare_keys);
	*out = keys;
	*out_count = count;
	return OK;
}

static enum err write_field(struct writer *w, int index, const struct key *key, int depth)
{
	enum err e = write_string(w, key->text, key->len);
	if (!e)
		e = put_text(w, ":");
	if (e)
		return e;
	lua_pushlstring(w->L, key->text, key->len);
	lua_rawget(w->L, index);
	e = write_value(w, lua_gettop(w->L), depth - 1);
	lua_pop(w->L, 1);
	return e;
}

static enum err write_object(struct writer *w, int index, int depth)
{
	struct key *keys = NULL;
	size_t count = 0;
	enum err e = sorted_keys(w, index, &keys, &count);
	if (e)
		return e;
	e = put_text(w, "{");
	for (size_t i = 0; !e && i < count; i++) {
		if (i)
			e = put_text(w, ",");
		if (!e)
			e = write_field(w, index, &keys[i], depth);
	}
	free(keys);
	return e ? e : put_text(w, "}");
}

static bool marked_array(lua_State *L, int index)
{
	if (!lua_getmetatable(L, index))
		return false;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &json_array_key);
	bool marked = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return marked;
}

static enum err write_userdata(struct writer *w, int index)
{
	lua_State *L = w->L;
	if (luaL_testudata(L, index, JSON_NULL_TYPE))
		return put_text(w, "null");
	if (luaL_testudata(L, index, JSON_RAW_TYPE)) {
		size_t len;
		lua_getiuservalue(L, index, 1);
		const char *text = lua_tolstring(L, -1, &len);
		enum err e = put(w, text, len);
		lua_pop(L, 1);
		return e;
	}
	struct secret *s = binding_secret_test(L, index);
	if (!s)
		return err_set(w->info, ERR_BAD_PARAMS, "a userdata cannot be written as JSON");
	if (!(w->flags & BINDING_JSON_SECRETS))
		return err_set(w->info, ERR_BAD_PARAMS, "a secret cannot be written as JSON");
	return write_string(w, (const char *)secret_span(s).data, secret_span(s).len);
}

static enum err write_value(struct writer *w, int index, int depth)
{
	lua_State *L = w->L;
	size_t len;
	const char *text;
	if (depth <= 0 || !lua_checkstack(L, LUA_MINSTACK))
		return err_set(w->info, ERR_TOO_LARGE, "more than %d levels, or a table within itself", BINDING_JSON_DEPTH);
	switch (lua_type(L, index)) {
	case LUA_TNIL:
		return put_text(w, "null");
	case LUA_TBOOLEAN:
		return put_text(w, lua_toboolean(L, index) ? "true" : "false");
	case LUA_TNUMBER:
		return write_number(w, index);
	case LUA_TSTRING:
		text = lua_tolstring(L, index, &len);
		return write_string(w, text, len);
	case LUA_TTABLE:
		if (marked_array(L, index) || lua_rawlen(L, index) > 0)
			return write_array(w, index, depth);
		return write_object(w, index, depth);
	case LUA_TUSERDATA:
		return write_userdata(w, index);
	default:
		return err_set(w->info, ERR_BAD_PARAMS, "a %s cannot be written as JSON", luaL_typename(L, index));
	}
}

enum err binding_json_write(lua_State *L, int index, struct buf *out, unsigned flags, struct err_info *info)
{
	struct writer w = {L, out, flags, info};
	int top = lua_gettop(L);
	enum err e = write_value(&w, lua_absindex(L, index), BINDING_JSON_DEPTH);
	lua_settop(L, top);
	return e;
}
