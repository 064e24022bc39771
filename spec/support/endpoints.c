// SPDX-License-Identifier: GPL-3.0-or-later
// Endpoints and finding by text for specs: require "support.endpoints". Endpoints are texts.
//   may_take(text, from?), host(text)
//   list(): confirm(text, now), hear({text …}), add(text), fail(text), items() → {{text,
//   confirmed}} find(text, {{identity, name}…}, what?, digits?) → index       same_name(a, b)
#include "spec/support/endpoint_values.h"

#include "peers/find.h"

#define LIST "support.endpoints.list"

int luaopen_support_endpoints(lua_State *L);

// --- endpoints -----------------------------------------------------------------------------------

static int may_take(lua_State *L)
{
	struct addr e = check_endpoint(L, 1), from, out;
	bool sent = !lua_isnoneornil(L, 2);
	if (sent)
		from = check_endpoint(L, 2);
	if (!endpoint_may_take(&e, sent ? &from : NULL, &out))
		return 0;
	push_endpoint(L, &out);
	return 1;
}

static int host(lua_State *L)
{
	struct addr e = check_endpoint(L, 1);
	e = endpoint_host(&e);
	push_endpoint(L, &e);
	return 1;
}

static int list_new(lua_State *L)
{
	memset(lua_newuserdatauv(L, sizeof(struct endpoint_list), 0), 0,
	       sizeof(struct endpoint_list));
	luaL_setmetatable(L, LIST);
	return 1;
}

static int list_confirm(lua_State *L)
{
	struct endpoint_list *l = luaL_checkudata(L, 1, LIST);
	struct addr e = check_endpoint(L, 2);
	lua_pushboolean(L, endpoint_list_confirm(l, &e, luaL_checkinteger(L, 3)));
	return 1;
}

static int list_hear(lua_State *L)
{
	struct addr fresh[ENDPOINT_FRESH_MAX + 1];
	struct endpoint_list *l = luaL_checkudata(L, 1, LIST);
	size_t count = check_endpoints(L, 2, fresh, ENDPOINT_FRESH_MAX + 1);
	lua_pushboolean(L, endpoint_list_hear(l, fresh, count));
	return 1;
}

static int list_add(lua_State *L)
{
	struct endpoint_list *l = luaL_checkudata(L, 1, LIST);
	struct addr e = check_endpoint(L, 2);
	lua_pushboolean(L, endpoint_list_add(l, &e));
	return 1;
}

static int list_fail(lua_State *L)
{
	struct endpoint_list *l = luaL_checkudata(L, 1, LIST);
	struct addr e = check_endpoint(L, 2);
	lua_pushboolean(L, endpoint_list_fail(l, &e));
	return 1;
}

static int list_items(lua_State *L)
{
	push_list(L, luaL_checkudata(L, 1, LIST));
	return 1;
}

// --- finding by text -----------------------------------------------------------------------------

static void item_at(void *arg, size_t i, struct find_item *item)
{
	lua_State *L = arg;
	lua_rawgeti(L, 2, (lua_Integer)i + 1);
	lua_rawgeti(L, -1, 1);
	lua_rawgeti(L, -2, 2);
	// the strings stay alive in the table of argument 2
	*item = (struct find_item){lua_tostring(L, -2), lua_tostring(L, -1)};
	lua_pop(L, 3);
}

static int find(lua_State *L)
{
	struct err_info info = {0};
	size_t i;
	const char *text = luaL_checkstring(L, 1);
	enum err e = find_by_text(luaL_optstring(L, 3, "peer"), (size_t)luaL_optinteger(L, 4, 40),
				  text, item_at, L, (size_t)luaL_len(L, 2), &i, &info);
	if (e)
		return answer_error(L, e, &info);
	lua_pushinteger(L, (lua_Integer)i + 1);
	return 1;
}

static int same_name(lua_State *L)
{
	lua_pushboolean(L, find_same_name(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
	return 1;
}

static const luaL_Reg list_methods[] = {
	{"confirm", list_confirm}, {"hear", list_hear},   {"add", list_add},
	{"fail", list_fail},       {"items", list_items}, {NULL, NULL},
};

static const luaL_Reg functions[] = {
	{"may_take", may_take},   {"host", host},     {"find", find},
	{"same_name", same_name}, {"list", list_new}, {NULL, NULL},
};

static int nothing(lua_State *L)
{
	(void)L;
	return 0;
}

int luaopen_support_endpoints(lua_State *L)
{
	object_type(L, LIST, list_methods, nothing);
	luaL_newlib(L, functions);
	return 1;
}
