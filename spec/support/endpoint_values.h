// SPDX-License-Identifier: GPL-3.0-or-later
// Endpoints between Lua and C: they are texts there.
#ifndef SOTTO_SPEC_SUPPORT_ENDPOINT_VALUES_H
#define SOTTO_SPEC_SUPPORT_ENDPOINT_VALUES_H

#include "peers/endpoint.h"
#include "spec/support/object.h"

static inline struct addr check_endpoint(lua_State *L, int index)
{
	struct addr e;
	if (addr_parse(&e, luaL_checkstring(L, index), NULL))
		luaL_argerror(L, index, "not an endpoint");
	return e;
}

static inline void push_endpoint(lua_State *L, const struct addr *e)
{
	char text[ADDR_TEXT_MAX];
	lua_pushstring(L, addr_format(e, text));
}

static inline size_t check_endpoints(lua_State *L, int index, struct addr *out, size_t max)
{
	size_t count = (size_t)luaL_len(L, index);
	luaL_argcheck(L, count <= max, index, "too many endpoints");
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, index, (lua_Integer)i + 1);
		out[i] = check_endpoint(L, lua_gettop(L));
		lua_pop(L, 1);
	}
	return count;
}

static inline void push_list(lua_State *L, const struct endpoint_list *l)
{
	lua_newtable(L);
	for (size_t i = 0; i < l->count; i++) {
		lua_newtable(L);
		push_endpoint(L, &l->at[i].endpoint);
		lua_rawseti(L, -2, 1);
		lua_pushinteger(L, l->at[i].confirmed_ms);
		lua_rawseti(L, -2, 2);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

#endif
