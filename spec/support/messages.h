// SPDX-License-Identifier: GPL-3.0-or-later
// What the support modules of outbox and transcript share. Members are positions from 1 here.
#ifndef SOTTO_SPEC_SUPPORT_MESSAGES_H
#define SOTTO_SPEC_SUPPORT_MESSAGES_H

#include "discussion/transcript.h"
#include "spec/support/fields.h"

#define TRANSCRIPT_TYPE "support.transcript"

struct transcript *transcript_check(lua_State *L, int index);

// A table {discussion, epoch, members = {fingerprint, …}} in roster order; what is left out of it
// does not matter here.
static inline void roster_get(lua_State *L, int table, struct roster_record *r)
{
	memset(r, 0, sizeof *r);
	if (lua_getfield(L, table, "roster") != LUA_TTABLE)
		luaL_error(L, "field 'roster' is missing");
	int t = lua_gettop(L);
	field_text(L, t, "discussion", r->discussion, sizeof r->discussion);
	r->epoch = (uint32_t)field_integer(L, t, "epoch", 0);
	lua_getfield(L, t, "members");
	r->count = (size_t)luaL_len(L, -1);
	if (r->count < ROSTER_MIN || r->count > ROSTER_MAX)
		luaL_error(L, "a roster of %d members", (int)r->count);
	for (size_t i = 0; i < r->count; i++) {
		lua_geti(L, -1, (lua_Integer)i + 1);
		const char *fingerprint = luaL_checkstring(L, -1);
		if (strlen(fingerprint) != FINGERPRINT_SIZE - 1)
			luaL_error(L, "'%s' is no fingerprint", fingerprint);
		memcpy(r->members[i].fingerprint, fingerprint, FINGERPRINT_SIZE);
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
}

static inline size_t member_get(lua_State *L, int table)
{
	lua_Integer member = field_integer(L, table, "member", 0);
	if (member < 1 || member > ROSTER_MAX)
		luaL_error(L, "field 'member' is no position");
	return (size_t)member - 1;
}

static inline void put_member(lua_State *L, const char *name, size_t position)
{
	put_integer(L, name, (lua_Integer)position + 1);
}

#endif
