// SPDX-License-Identifier: GPL-3.0-or-later
// Between Lua tables and the structs of engine/wire, for the modules of specs. Field names are those of
// the C structs; hashes, keys and blobs are binary strings.
#ifndef SOTTO_SUPPORT_WIRE_FIELDS_H
#define SOTTO_SUPPORT_WIRE_FIELDS_H

#include <lauxlib.h>
#include <string.h>

#include "wire/presence.h"

// --- fields of the table on the top of the stack -------------------------------------------------

static inline void take_text(lua_State *L, const char *name, char *out, size_t size)
{
	size_t len = 0;
	lua_getfield(L, -1, name);
	const char *text = luaL_optlstring(L, -1, "", &len);
	if (len >= size)
		luaL_error(L, "%s does not fit its field", name);
	memcpy(out, text, len + 1);
	lua_pop(L, 1);
}

static inline void take_raw(lua_State *L, const char *name, void *out, size_t size)
{
	size_t len = 0;
	lua_getfield(L, -1, name);
	const char *data = lua_tolstring(L, -1, &len);
	if (data && len != size)
		luaL_error(L, "%s has %d bytes", name, (int)len);
	if (data)
		memcpy(out, data, size);
	lua_pop(L, 1);
}

static inline struct bytes *take_bytes(lua_State *L, const char *name)
{
	size_t len = 0;
	lua_getfield(L, -1, name);
	const char *data = lua_tolstring(L, -1, &len);
	struct bytes *b = data ? bytes_new(data, len) : NULL;
	lua_pop(L, 1);
	return b;
}

static inline int64_t take_integer(lua_State *L, const char *name)
{
	lua_getfield(L, -1, name);
	int64_t value = luaL_optinteger(L, -1, 0);
	lua_pop(L, 1);
	return value;
}

static inline bool take_boolean(lua_State *L, const char *name)
{
	lua_getfield(L, -1, name);
	bool value = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return value;
}

static inline void give_text(lua_State *L, const char *name, const char *text)
{
	lua_pushstring(L, text);
	lua_setfield(L, -2, name);
}

static inline void give_raw(lua_State *L, const char *name, const void *data, size_t len)
{
	lua_pushlstring(L, data, len);
	lua_setfield(L, -2, name);
}

static inline void give_bytes(lua_State *L, const char *name, const struct bytes *b)
{
	if (b)
		give_raw(L, name, b->data, b->len);
}

static inline void give_integer(lua_State *L, const char *name, int64_t value)
{
	lua_pushinteger(L, value);
	lua_setfield(L, -2, name);
}

static inline void give_boolean(lua_State *L, const char *name, bool value)
{
	lua_pushboolean(L, value);
	lua_setfield(L, -2, name);
}

#define TAKE_TEXT(r, field) take_text(L, #field, (r).field, sizeof(r).field)
#define TAKE_RAW(r, field) take_raw(L, #field, &(r).field, sizeof(r).field)
#define TAKE_BYTES(r, field) (r).field = take_bytes(L, #field)
#define GIVE_TEXT(r, field) give_text(L, #field, (r).field)
#define GIVE_RAW(r, field) give_raw(L, #field, &(r).field, sizeof(r).field)
#define GIVE_BYTES(r, field) give_bytes(L, #field, (r).field)

// Elements of the list in `name`: pushes the list, returns its length (not limited: limits are tested).
static inline size_t open_list(lua_State *L, const char *name, size_t room)
{
	lua_getfield(L, -1, name);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		lua_newtable(L);
	}
	size_t count = (size_t)luaL_len(L, -1);
	if (count > room)
		luaL_error(L, "%s has more elements than fit", name);
	return count;
}

// --- presence inside other records ---------------------------------------------------------------

static inline void take_parts(lua_State *L, struct presence_parts *p)
{
	lua_getfield(L, -1, "presence");
	if (lua_istable(L, -1)) {
		p->record = take_bytes(L, "record");
		p->certification = take_bytes(L, "certification");
		take_raw(L, "signature", p->signature, sizeof p->signature);
	}
	lua_pop(L, 1);
}

static inline void give_parts(lua_State *L, const struct presence_parts *p)
{
	if (!p->record)
		return;
	lua_newtable(L);
	GIVE_BYTES(*p, record);
	GIVE_BYTES(*p, certification);
	GIVE_RAW(*p, signature);
	lua_setfield(L, -2, "presence");
}

// --- modules -------------------------------------------------------------------------------------

struct codec {
	const char *type;
	enum err (*encode)(lua_State *L, struct buf *out, struct err_info *info); // table on the top
	enum err (*decode)(lua_State *L, struct span text, struct err_info *info); // pushes a table
};

static inline int give_failure(lua_State *L, enum err e, const struct err_info *info)
{
	lua_pushnil(L);
	lua_pushstring(L, err_name(e));
	lua_pushstring(L, info->code == e ? info->text : "no text");
	return 3;
}

// encode(table [, cap]) → bytes, or nil, name, text
static inline int codec_encode(lua_State *L)
{
	const struct codec *c = lua_touserdata(L, lua_upvalueindex(1));
	struct err_info info = {0};
	struct buf out;
	luaL_checktype(L, 1, LUA_TTABLE);
	size_t cap = (size_t)luaL_optinteger(L, 2, 4 << 20);
	lua_settop(L, 1);
	buf_init_wiped(&out, cap);
	enum err e = c->encode(L, &out, &info);
	if (e) {
		int results = out.len ? luaL_error(L, "a failed encode left bytes") : 0;
		buf_fini(&out);
		return results + give_failure(L, e, &info);
	}
	lua_pushlstring(L, (const char *)out.data, out.len);
	buf_fini(&out);
	return 1;
}

// decode(bytes) → table, or nil, name, text. The decoder reads a copy of exactly that size, so that a
// sanitizer sees what is read beyond it.
static inline int codec_decode(lua_State *L)
{
	const struct codec *c = lua_touserdata(L, lua_upvalueindex(1));
	struct err_info info = {0};
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	uint8_t *copy = len ? memcpy(lua_newuserdatauv(L, len, 0), text, len) : NULL;
	enum err e = c->decode(L, span(copy, len), &info);
	return e ? give_failure(L, e, &info) : 1;
}

// A table of type → {encode =, decode =}
static inline int give_codecs(lua_State *L, const struct codec *codecs, size_t count)
{
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_newtable(L);
		lua_pushlightuserdata(L, (void *)&codecs[i]);
		lua_pushcclosure(L, codec_encode, 1);
		lua_setfield(L, -2, "encode");
		lua_pushlightuserdata(L, (void *)&codecs[i]);
		lua_pushcclosure(L, codec_decode, 1);
		lua_setfield(L, -2, "decode");
		lua_setfield(L, -2, codecs[i].type);
	}
	return 1;
}

#endif
