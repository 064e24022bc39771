// SPDX-License-Identifier: GPL-3.0-or-later
// Rosters for specs, as the bytes of their record.
#include "discussion/roster.h"
#include "spec/support/fields.h"

static int fail(lua_State *L, enum err e, const struct err_info *info)
{
	lua_pushnil(L);
	lua_pushstring(L, err_name(e));
	lua_pushstring(L, info->text);
	return 3;
}

static void member_get(lua_State *L, int index, struct roster_record_member *m)
{
	field_text(L, index, "fingerprint", m->fingerprint, sizeof m->fingerprint);
	field_hash(L, index, "certificate", &m->certificate);
	field_text(L, index, "key", m->key, sizeof m->key);
}

static int push_bytes(lua_State *L, const struct roster_record *r)
{
	struct err_info info = {0};
	struct buf b;
	buf_init(&b, ROSTER_RECORD_MAX);
	enum err e = roster_record_encode(r, &b, &info);
	if (!e)
		lua_pushlstring(L, (const char *)b.data, b.len);
	buf_fini(&b);
	return e ? fail(L, e, &info) : 1;
}

// begin(discussion, charter's hash, members) → bytes, or nil, error name, text
static int support_begin(lua_State *L)
{
	static struct roster_record_member members[ROSTER_MAX + 1];
	struct roster_record r;
	struct hash charter;
	struct err_info info = {0};
	size_t len, count;
	const char *discussion = luaL_checkstring(L, 1);
	const char *hash = luaL_checklstring(L, 2, &len);
	luaL_argcheck(L, len == HASH_LEN, 2, "hash");
	luaL_argcheck(L, strlen(discussion) == 32, 1, "discussion");
	memcpy(charter.bytes, hash, HASH_LEN);
	luaL_checktype(L, 3, LUA_TTABLE);
	count = lua_rawlen(L, 3);
	luaL_argcheck(L, count <= ROSTER_MAX + 1, 3, "too many for this support module");
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, 3, (lua_Integer)i + 1);
		member_get(L, lua_gettop(L), &members[i]);
		lua_pop(L, 1);
	}
	enum err e = roster_begin(&r, discussion, &charter, members, count, &info);
	return e ? fail(L, e, &info) : push_bytes(L, &r);
}

static struct roster_record roster_check(lua_State *L, int arg)
{
	struct roster_record r;
	struct err_info info;
	size_t len;
	const char *s = luaL_checklstring(L, arg, &len);
	if (roster_decode(&r, span(s, len), &info))
		luaL_error(L, "no roster: %s", info.text);
	return r;
}

// decode(bytes) → {discussion, epoch, previous, charter, members}, or nil, error name, text
static int support_decode(lua_State *L)
{
	struct roster_record r;
	struct err_info info = {0};
	size_t len;
	const char *s = luaL_checklstring(L, 1, &len);
	enum err e = roster_decode(&r, span(s, len), &info);
	if (e)
		return fail(L, e, &info);
	lua_newtable(L);
	put_text(L, "discussion", r.discussion);
	put_integer(L, "epoch", r.epoch);
	put_hash(L, "previous", &r.previous);
	put_hash(L, "charter", &r.charter);
	lua_newtable(L);
	for (size_t i = 0; i < r.count; i++) {
		lua_newtable(L);
		put_text(L, "fingerprint", r.members[i].fingerprint);
		put_hash(L, "certificate", &r.members[i].certificate);
		put_text(L, "key", r.members[i].key);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "members");
	return 1;
}

// difference(bytes, bytes) → field or nil
static int support_difference(lua_State *L)
{
	struct roster_record a = roster_check(L, 1), b = roster_check(L, 2);
	lua_pushstring(L, roster_difference(&a, &b));
	return 1;
}

// position(bytes, fingerprint) → from 1, or nil
static int support_position(lua_State *L)
{
	struct roster_record r = roster_check(L, 1);
	size_t i = roster_position(&r, luaL_checkstring(L, 2));
	if (i == ROSTER_NOBODY)
		lua_pushnil(L);
	else
		lua_pushinteger(L, (lua_Integer)i + 1);
	return 1;
}

// keys_without(bytes, fingerprint) → list of key ids
static int support_keys_without(lua_State *L)
{
	const char *keys[ROSTER_MAX];
	struct roster_record r = roster_check(L, 1);
	size_t count = roster_keys_without(&r, luaL_checkstring(L, 2), keys);
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_pushstring(L, keys[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

int luaopen_support_roster(lua_State *L);
int luaopen_support_roster(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"begin", support_begin},
		{"decode", support_decode},
		{"difference", support_difference},
		{"position", support_position},
		{"keys_without", support_keys_without},
		{NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}
