// SPDX-License-Identifier: GPL-3.0-or-later
// Guess budgets for specs, as tables {left, refills, next_refill_at}.
#include "discussion/budget.h"
#include "spec/support/fields.h"

static void budget_push(lua_State *L, const struct budget *b)
{
	lua_newtable(L);
	put_integer(L, "left", b->left);
	put_integer(L, "refills", b->refills);
	put_integer(L, "next_refill_at", b->next_refill_at);
}

static struct budget budget_get(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	return (struct budget){
		.left = (uint32_t)field_integer(L, 1, "left", 0),
		.refills = (uint32_t)field_integer(L, 1, "refills", 0),
		.next_refill_at = field_integer(L, 1, "next_refill_at", 0),
	};
}

static int support_new(lua_State *L)
{
	struct budget b = budget_new();
	budget_push(L, &b);
	return 1;
}

// refresh(budget, now) → budget, changed
static int support_refresh(lua_State *L)
{
	struct budget b = budget_get(L);
	bool changed = budget_refresh(&b, luaL_checkinteger(L, 2));
	budget_push(L, &b);
	lua_pushboolean(L, changed);
	return 2;
}

// spend(budget, now) → budget, error name
static int support_spend(lua_State *L)
{
	struct budget b = budget_get(L);
	enum err e = budget_spend(&b, luaL_checkinteger(L, 2));
	budget_push(L, &b);
	lua_pushstring(L, err_name(e));
	return 2;
}

static int support_restore(lua_State *L)
{
	struct budget b = budget_get(L);
	budget_restore(&b);
	budget_push(L, &b);
	return 1;
}

static int support_wait(lua_State *L)
{
	struct budget b = budget_get(L);
	lua_pushinteger(L, budget_wait_ms(&b, luaL_checkinteger(L, 2)));
	return 1;
}

int luaopen_support_budget(lua_State *L);
int luaopen_support_budget(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"new", support_new},	    {"refresh", support_refresh}, {"spend", support_spend},
		{"restore", support_restore}, {"wait", support_wait},	  {NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}
