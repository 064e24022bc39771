// SPDX-License-Identifier: GPL-3.0-or-later
// The catch-up machine for specs: catchup.new{count =, own =, heads = {…}, cut = {…}} → machine; machine:step{type = "has", …} → list
// of actions: "2 wants 3 after 5" as {member, sender, after}, the timer as "timer".
#include "discussion/catchup.h"
#include "spec/support/messages.h"
#include "spec/support/object.h"

#define CATCHUP_TYPE "support.catchup"

static const char *const events[] = {"link_up", "link_down", "has", "lacks", "head", "timeout", "go", NULL};

struct machine {
	struct catchup *catchup;
};

static bool numbers_get(lua_State *L, const char *name, uint64_t out[ROSTER_MAX])
{
	bool given = lua_getfield(L, 1, name) == LUA_TTABLE;
	for (int i = 0; given && i < ROSTER_MAX; i++) {
		lua_geti(L, -1, i + 1);
		out[i] = (uint64_t)luaL_optinteger(L, -1, 0);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return given;
}

static int machine_new(lua_State *L)
{
	uint64_t cut[ROSTER_MAX] = {0};
	struct catchup_config c = {.count = (size_t)field_integer(L, 1, "count", 3),
				   .own = (size_t)field_integer(L, 1, "own", 1) - 1};
	(void)numbers_get(L, "heads", c.heads);
	c.waits = field_bool(L, 1, "waits");
	c.cut = numbers_get(L, "cut", cut) ? cut : NULL;
	struct machine *m = lua_newuserdatauv(L, sizeof *m, 0);
	m->catchup = catchup_new(&c);
	luaL_setmetatable(L, CATCHUP_TYPE);
	return 1;
}

static struct catchup *check(lua_State *L)
{
	return ((struct machine *)luaL_checkudata(L, 1, CATCHUP_TYPE))->catchup;
}

static int machine_free(lua_State *L)
{
	struct machine *m = luaL_checkudata(L, 1, CATCHUP_TYPE);
	catchup_free(m->catchup);
	m->catchup = NULL;
	return 0;
}

static int machine_step(lua_State *L)
{
	struct catchup_actions list = {0};
	struct catchup_event e = {.type = (enum catchup_event_type)field_choice(L, 2, "type", events)};
	e.chain.member = (size_t)field_integer(L, 2, "member", 1) - 1;
	e.chain.sender = (size_t)field_integer(L, 2, "sender", 1) - 1;
	e.chain.sequence = (uint64_t)field_integer(L, 2, "sequence", 0);
	catchup_step(check(L), &e, &list);
	lua_newtable(L);
	for (size_t i = 0; i < list.count; i++) {
		const struct catchup_action *a = &list.list[i];
		if (a->type == CATCHUP_TIMER)
			lua_pushstring(L, "timer");
		else
			lua_pushfstring(L, "%d wants %d after %d", (int)a->want.member + 1, (int)a->want.sender + 1,
					(int)a->want.after);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int machine_missing(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)catchup_missing(check(L), (size_t)luaL_checkinteger(L, 2) - 1));
	return 1;
}

static int machine_is_busy(lua_State *L)
{
	lua_pushboolean(L, catchup_is_busy(check(L)));
	return 1;
}

int luaopen_support_catchup(lua_State *L);
int luaopen_support_catchup(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"step", machine_step}, {"missing", machine_missing}, {"is_busy", machine_is_busy}, {"free", machine_free}, {NULL, NULL}};
	static const luaL_Reg functions[] = {{"new", machine_new}, {NULL, NULL}};
	object_type(L, CATCHUP_TYPE, methods, machine_free);
	luaL_newlib(L, functions);
	return 1;
}
