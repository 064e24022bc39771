// SPDX-License-Identifier: GPL-3.0-or-later
// Values of the OpenPGP layer to and from Lua, for support.openpgp.
#ifndef SOTTO_SPEC_OPENPGP_VALUES_H
#define SOTTO_SPEC_OPENPGP_VALUES_H

#include <lauxlib.h>
#include <lua.h>

#include "openpgp/packets.h"

static inline int push_failure(lua_State *L, enum err code, const struct err_info *info)
{
	lua_pushnil(L);
	lua_pushstring(L, err_name(code));
	lua_pushstring(L, info->text);
	return 3;
}

static inline struct span check_span(lua_State *L, int index)
{
	size_t len;
	const char *data = luaL_checklstring(L, index, &len);
	return span(data, len);
}

static inline void push_id(lua_State *L, uint64_t id)
{
	char text[KEY_ID_TEXT];
	key_id_format(id, text);
	lua_pushstring(L, text);
}

static inline void push_key(lua_State *L, const struct key_info *key)
{
	lua_createtable(L, 0, 5);
	lua_pushstring(L, key->fingerprint);
	lua_setfield(L, -2, "fingerprint");
	push_id(L, key->id);
	lua_setfield(L, -2, "id");
	lua_pushinteger(L, key->algorithm);
	lua_setfield(L, -2, "algorithm");
	lua_pushinteger(L, key->created);
	lua_setfield(L, -2, "created");
	lua_pushboolean(L, key->encrypts);
	lua_setfield(L, -2, "encrypts");
}

static inline void push_certificate(lua_State *L, const struct certificate_info *info)
{
	lua_newtable(L);
	push_key(L, &info->primary);
	lua_setfield(L, -2, "primary");
	lua_newtable(L);
	for (size_t i = 0; i < info->subkey_count; i++) {
		push_key(L, &info->subkeys[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "subkeys");
	push_id(L, info->subkeys[info->encryption].id);
	lua_setfield(L, -2, "encryption");
	lua_pushlstring(L, (const char *)info->user_id, info->user_id_len);
	lua_setfield(L, -2, "user_id");
}

static inline size_t check_ids(lua_State *L, int index, uint64_t ids[SEALED_RECIPIENTS_MAX + 2])
{
	luaL_checktype(L, index, LUA_TTABLE);
	size_t count = (size_t)luaL_len(L, index);
	luaL_argcheck(L, count <= SEALED_RECIPIENTS_MAX + 1, index, "too many ids");
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, index, (lua_Integer)i + 1);
		if (key_id_parse(luaL_checkstring(L, -1), &ids[i]) != OK)
			luaL_error(L, "not a key id: %s", lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	return count;
}

static inline lua_Integer number(lua_State *L, int table, const char *name, lua_Integer otherwise)
{
	lua_getfield(L, table, name);
	lua_Integer value = luaL_optinteger(L, -1, otherwise);
	lua_pop(L, 1);
	return value;
}

#endif
