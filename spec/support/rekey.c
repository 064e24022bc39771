// SPDX-License-Identifier: GPL-3.0-or-later
// rekey.new(members) → keys; ids and sequences are integers, members positions from 1.
#include "discussion/rekey.h"
#include "spec/support/messages.h"
#include "spec/support/object.h"

#define REKEYS_TYPE "support.rekey"

static struct rekeys *check(lua_State *L)
{
	return *(struct rekeys **)luaL_checkudata(L, 1, REKEYS_TYPE);
}

static size_t position(lua_State *L, int arg)
{
	lua_Integer i = luaL_checkinteger(L, arg);
	luaL_argcheck(L, i >= 1 && i <= ROSTER_MAX, arg, "a position");
	return (size_t)i - 1;
}

static int rekey_new(lua_State *L)
{
	struct rekeys **r = lua_newuserdatauv(L, sizeof *r, 0);
	*r = rekeys_new((size_t)luaL_checkinteger(L, 1));
	luaL_setmetatable(L, REKEYS_TYPE);
	return 1;
}

static int rekey_gc(lua_State *L)
{
	rekeys_free(check(L));
	return 0;
}

// add(member, sequence or "said", id)
static int rekey_add(lua_State *L)
{
	uint64_t sequence = lua_type(L, 3) == LUA_TSTRING ? REKEY_SAID : (uint64_t)luaL_checkinteger(L, 3);
	lua_pushboolean(L, rekeys_add(check(L), position(L, 2), sequence, (uint64_t)luaL_checkinteger(L, 4)));
	return 1;
}

static int rekey_newest(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)rekeys_newest(check(L), position(L, 2)));
	return 1;
}

static int rekey_knows(lua_State *L)
{
	lua_pushboolean(L, rekeys_knows(check(L), position(L, 2), (uint64_t)luaL_checkinteger(L, 3)));
	return 1;
}

static int rekey_without(lua_State *L)
{
	uint64_t ids[ROSTER_MAX];
	size_t count = rekeys_without(check(L), position(L, 2), ids);
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_pushinteger(L, (lua_Integer)ids[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static size_t ids_get(lua_State *L, int arg, uint64_t ids[ROSTER_MAX + 1])
{
	size_t count = (size_t)luaL_len(L, arg);
	luaL_argcheck(L, count <= ROSTER_MAX + 1, arg, "too many");
	for (size_t i = 0; i < count; i++) {
		lua_geti(L, arg, (lua_Integer)i + 1);
		ids[i] = (uint64_t)luaL_checkinteger(L, -1);
		lua_pop(L, 1);
	}
	return count;
}

// fit(sender, own, ids) → true, or nil and what is wrong
static int rekey_fit(lua_State *L)
{
	uint64_t ids[ROSTER_MAX + 1];
	struct err_info info;
	size_t count = ids_get(L, 4, ids);
	if (rekeys_fit(check(L), position(L, 2), position(L, 3), ids, count, &info) == OK) {
		lua_pushboolean(L, 1);
		return 1;
	}
	lua_pushnil(L);
	lua_pushstring(L, info.text);
	return 2;
}

// fresh(roster, sender, ids, {[member] = sequence seen})
static int rekey_fresh(lua_State *L)
{
	uint64_t ids[ROSTER_MAX + 1];
	struct roster_record roster;
	struct payload p = {0};
	lua_newtable(L);
	lua_pushvalue(L, 2);
	lua_setfield(L, -2, "roster");
	roster_get(L, lua_gettop(L), &roster);
	ids_get(L, 4, ids);
	for (size_t i = 0; i < roster.count; i++) {
		if (lua_geti(L, 5, (lua_Integer)i + 1) == LUA_TNUMBER) {
			struct payload_seen *seen = &p.seen[p.seen_count++];
			memcpy(seen->fingerprint, roster.members[i].fingerprint, sizeof seen->fingerprint);
			seen->sequence = (uint64_t)lua_tointeger(L, -1);
		}
		lua_pop(L, 1);
	}
	lua_pushboolean(L, rekeys_fresh(check(L), &roster, position(L, 3), ids, &p));
	return 1;
}

int luaopen_support_rekey(lua_State *L);
int luaopen_support_rekey(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"add", rekey_add}, {"newest", rekey_newest}, {"knows", rekey_knows}, {"without", rekey_without},
		{"fit", rekey_fit}, {"fresh", rekey_fresh},   {NULL, NULL},
	};
	static const luaL_Reg functions[] = {{"new", rekey_new}, {NULL, NULL}};
	object_type(L, REKEYS_TYPE, methods, rekey_gc);
	luaL_newlib(L, functions);
	return 1;
}
