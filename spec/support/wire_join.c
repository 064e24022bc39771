// SPDX-License-Identifier: GPL-3.0-or-later
// What comes between sponsor and candidate, and the beginning of a chain, for specs.
#include <stdlib.h>

#include "base/mem.h"
#include "spec/support/wire_fields.h"
#include "wire/join.h"

#define LIST_MAX 1000 // limits are tested

static enum err encode_invite(lua_State *L, struct buf *out, struct err_info *info)
{
	struct invite_record r = {0};
	TAKE_TEXT(r, discussion);
	r.time_ms = take_integer(L, "time_ms");
	TAKE_RAW(r, first);
	TAKE_BYTES(r, roster);
	TAKE_TEXT(r, charter);
	r.count = open_list(L, "members", LIST_MAX);
	r.members = mem_alloc_array(r.count + 1, sizeof *r.members);
	for (size_t i = 0; i < r.count; i++) {
		lua_geti(L, -1, (lua_Integer)i + 1);
		TAKE_BYTES(r.members[i], certificate);
		take_parts(L, &r.members[i].presence);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	enum err e = invite_encode(&r, out, info);
	invite_fini(&r);
	return e;
}

static enum err decode_invite(lua_State *L, struct span text, struct err_info *info)
{
	struct invite_record r;
	enum err e = invite_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_TEXT(r, discussion);
	give_integer(L, "time_ms", r.time_ms);
	GIVE_RAW(r, first);
	GIVE_BYTES(r, roster);
	GIVE_TEXT(r, charter);
	lua_newtable(L);
	for (size_t i = 0; i < r.count; i++) {
		lua_newtable(L);
		GIVE_BYTES(r.members[i], certificate);
		give_parts(L, &r.members[i].presence);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "members");
	invite_fini(&r);
	return OK;
}

static enum err encode_join(lua_State *L, struct buf *out, struct err_info *info)
{
	struct join_record r = {0};
	TAKE_TEXT(r, discussion);
	TAKE_TEXT(r, author);
	TAKE_RAW(r, roster);
	TAKE_RAW(r, charter);
	TAKE_BYTES(r, certificate);
	TAKE_BYTES(r, binding);
	TAKE_BYTES(r, general);
	take_parts(L, &r.presence);
	enum err e = join_encode(&r, out, info);
	join_fini(&r);
	return e;
}

static enum err decode_join(lua_State *L, struct span text, struct err_info *info)
{
	struct join_record r;
	enum err e = join_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_TEXT(r, discussion);
	GIVE_TEXT(r, author);
	GIVE_RAW(r, roster);
	GIVE_RAW(r, charter);
	GIVE_BYTES(r, certificate);
	GIVE_BYTES(r, binding);
	GIVE_BYTES(r, general);
	give_parts(L, &r.presence);
	join_fini(&r);
	return OK;
}

static enum err encode_decline(lua_State *L, struct buf *out, struct err_info *info)
{
	struct decline_record r = {0};
	TAKE_TEXT(r, discussion);
	r.time_ms = take_integer(L, "time_ms");
	TAKE_TEXT(r, reason);
	return decline_encode(&r, out, info);
}

static enum err decode_decline(lua_State *L, struct span text, struct err_info *info)
{
	struct decline_record r;
	enum err e = decline_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_TEXT(r, discussion);
	give_integer(L, "time_ms", r.time_ms);
	GIVE_TEXT(r, reason);
	return OK;
}

static enum err encode_founding(lua_State *L, struct buf *out, struct err_info *info)
{
	struct founding_record r = {0};
	TAKE_BYTES(r, roster);
	TAKE_TEXT(r, charter);
	r.count = open_list(L, "members", LIST_MAX);
	r.members = mem_alloc_array(r.count + 1, sizeof *r.members);
	for (size_t i = 0; i < r.count; i++) {
		lua_geti(L, -1, (lua_Integer)i + 1);
		TAKE_BYTES(r.members[i], certificate);
		TAKE_BYTES(r.members[i], binding);
		TAKE_BYTES(r.members[i], general);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	enum err e = founding_encode(&r, out, info);
	founding_fini(&r);
	return e;
}

static enum err decode_founding(lua_State *L, struct span text, struct err_info *info)
{
	struct founding_record r;
	enum err e = founding_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_BYTES(r, roster);
	GIVE_TEXT(r, charter);
	lua_newtable(L);
	for (size_t i = 0; i < r.count; i++) {
		lua_newtable(L);
		GIVE_BYTES(r.members[i], certificate);
		GIVE_BYTES(r.members[i], binding);
		GIVE_BYTES(r.members[i], general);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "members");
	founding_fini(&r);
	return OK;
}

int luaopen_support_wire_join(lua_State *L);
int luaopen_support_wire_join(lua_State *L)
{
	static const struct codec codecs[] = {
		{"invite", encode_invite, decode_invite},
		{"join", encode_join, decode_join},
		{"decline", encode_decline, decode_decline},
		{"founding", encode_founding, decode_founding},
	};
	return give_codecs(L, codecs, sizeof codecs / sizeof *codecs);
}
