// SPDX-License-Identifier: GPL-3.0-or-later
// What is confirmed, for specs: confirmation.new(count, own) → it; it:take(member, sequence) → first, last, or nothing; it:through().
#include "discussion/confirmation.h"
#include "spec/support/messages.h"

#define CONFIRMATION_TYPE "support.confirmation"

static int value_new(lua_State *L)
{
	size_t count = (size_t)luaL_checkinteger(L, 1), own = (size_t)luaL_checkinteger(L, 2) - 1;
	confirmation_init(lua_newuserdatauv(L, sizeof(struct confirmation), 0), count, own);
	luaL_setmetatable(L, CONFIRMATION_TYPE);
	return 1;
}

static int value_take(lua_State *L)
{
	uint64_t first, last;
	struct confirmation *c = luaL_checkudata(L, 1, CONFIRMATION_TYPE);
	if (!confirmation_take(c, (size_t)luaL_checkinteger(L, 2) - 1, (uint64_t)luaL_checkinteger(L, 3), &first, &last))
		return 0;
	lua_pushinteger(L, (lua_Integer)first);
	lua_pushinteger(L, (lua_Integer)last);
	return 2;
}

static int value_through(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)confirmation_through(luaL_checkudata(L, 1, CONFIRMATION_TYPE)));
	return 1;
}

int luaopen_support_confirmation(lua_State *L);
int luaopen_support_confirmation(lua_State *L)
{
	static const luaL_Reg methods[] = {{"take", value_take}, {"through", value_through}, {NULL, NULL}};
	static const luaL_Reg functions[] = {{"new", value_new}, {NULL, NULL}};
	luaL_newmetatable(L, CONFIRMATION_TYPE);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	luaL_newlib(L, functions);
	return 1;
}
