// SPDX-License-Identifier: GPL-3.0-or-later
// Part of support.openpgp: the packet walk and the verdict.
#include <stdio.h>

#include "openpgp/certified.h"
#include "openpgp/inner.h"
#include "openpgp/keygrip.h"
#include "openpgp/listing.h"
#include "openpgp/verdict.h"
#include "spec/support/openpgp_values.h"

static int certificate(lua_State *L)
{
	struct certificate_info out;
	struct err_info info;
	bool discussion = lua_toboolean(L, 2);
	enum err e = discussion ? discussion_certificate_check(check_span(L, 1), &out, &info)
				: certificate_check(check_span(L, 1), &out, &info);
	if (e)
		return push_failure(L, e, &info);
	push_certificate(L, &out);
	return 1;
}

static int sealed(lua_State *L)
{
	uint64_t ids[SEALED_RECIPIENTS_MAX + 2];
	struct err_info info;
	size_t count = check_ids(L, 2, ids);
	enum err e = sealed_check(check_span(L, 1), ids, count, &info);
	if (e)
		return push_failure(L, e, &info);
	lua_pushboolean(L, 1);
	return 1;
}

// The key ids that a message names.
static int recipients(lua_State *L)
{
	uint64_t ids[SEALED_RECIPIENTS_MAX];
	size_t count;
	struct err_info info;
	enum err e = sealed_recipients(check_span(L, 1), ids, (size_t)luaL_optinteger(L, 2, SEALED_RECIPIENTS_MAX), &count, &info);
	if (e)
		return push_failure(L, e, &info);
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		push_id(L, ids[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int cut(lua_State *L)
{
	struct buf out;
	struct err_info info;
	buf_init(&out, CERTIFICATE_MAX);
	enum err e = certificate_cut(check_span(L, 1), luaL_checkstring(L, 2), &out, &info);
	if (e == OK)
		lua_pushlstring(L, (const char *)out.data, out.len);
	buf_fini(&out);
	return e ? push_failure(L, e, &info) : 1;
}

static int grips(lua_State *L)
{
	struct keygrips found;
	struct err_info info;
	enum err e = discussion_certificate_grips(check_span(L, 1), &found, &info);
	if (e)
		return push_failure(L, e, &info);
	lua_newtable(L);
	lua_pushstring(L, found.primary);
	lua_setfield(L, -2, "primary");
	lua_pushstring(L, found.subkey);
	lua_setfield(L, -2, "subkey");
	return 1;
}

static int signature(lua_State *L)
{
	struct err_info info;
	enum err e = signature_check(check_span(L, 1), &info);
	if (e)
		return push_failure(L, e, &info);
	lua_pushboolean(L, 1);
	return 1;
}

static int key_id(lua_State *L)
{
	uint64_t id;
	if (key_id_parse(luaL_checkstring(L, 1), &id) != OK)
		return 0;
	push_id(L, id);
	return 1;
}

static int fingerprint(lua_State *L)
{
	lua_pushboolean(L, fingerprint_valid(luaL_checkstring(L, 1)));
	return 1;
}

static bool flag(lua_State *L, const char *name)
{
	lua_getfield(L, 1, name);
	bool value = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return value;
}

static int verdict(lua_State *L)
{
	struct verdict_facts facts = {
		.failed = flag(L, "failed"),
		.encrypted = flag(L, "encrypted"),
		.mdc = flag(L, "mdc"),
		.wrong_key_usage = flag(L, "wrong_key_usage"),
		.shape = flag(L, "shape"),
		.signatures = (size_t)number(L, 1, "signatures", 0),
		.status = (unsigned)number(L, 1, "status", 0),
		.hash = (unsigned)number(L, 1, "hash", 0),
	};
	lua_getfield(L, 1, "signer");
	snprintf(facts.signer, sizeof facts.signer, "%s", luaL_checkstring(L, -1));
	lua_pushstring(L, verdict_name(verdict_of(&facts, luaL_checkstring(L, 2))));
	return 1;
}

static int inner(lua_State *L)
{
	struct err_info info;
	enum err e = inner_check(check_span(L, 1), check_span(L, 2), check_span(L, 3), &info);
	if (e)
		return push_failure(L, e, &info);
	lua_pushboolean(L, 1);
	return 1;
}

static void set_text(lua_State *L, const char *name, const char *value)
{
	lua_pushstring(L, value);
	lua_setfield(L, -2, name);
}

// listing(text, max): the keys, each with its fields; obstacle is a text.
static int listing(lua_State *L)
{
	static struct listed_key keys[LISTED_KEYS_MAX];
	size_t max = (size_t)luaL_optinteger(L, 2, LISTED_KEYS_MAX);
	luaL_argcheck(L, max <= LISTED_KEYS_MAX, 2, "too many");
	size_t count = listing_read(check_span(L, 1), keys, max);
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_newtable(L);
		set_text(L, "fingerprint", keys[i].fingerprint);
		set_text(L, "user_id", keys[i].user_id);
		set_text(L, "algorithm", keys[i].algorithm);
		set_text(L, "signer", keys[i].signer);
		set_text(L, "decrypter", keys[i].decrypter);
		set_text(L, "obstacle", key_obstacle_text(keys[i].obstacle));
		lua_pushinteger(L, keys[i].created);
		lua_setfield(L, -2, "created");
		lua_pushinteger(L, keys[i].expires);
		lua_setfield(L, -2, "expires");
		lua_pushboolean(L, keys[i].card);
		lua_setfield(L, -2, "card");
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static void push_certifiers(lua_State *L, const struct certifiers *c)
{
	lua_newtable(L);
	for (size_t i = 0; i < c->count; i++) {
		lua_pushstring(L, c->list[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

// certified(text, key, now): who has signed it.
static int certified(lua_State *L)
{
	static struct certifiers out;
	certified_read(check_span(L, 1), luaL_checkstring(L, 2), luaL_checkinteger(L, 3), &out);
	push_certifiers(L, &out);
	return 1;
}

// certified_valid(text, list, from, to): the list, of which those places were looked at, and how many stay there.
static int certified_valid(lua_State *L)
{
	static struct certifiers c;
	c.count = (size_t)lua_rawlen(L, 2);
	luaL_argcheck(L, c.count <= CERTIFIERS_MAX, 2, "too many");
	for (size_t i = 0; i < c.count; i++) {
		lua_rawgeti(L, 2, (lua_Integer)i + 1);
		snprintf(c.list[i], sizeof c.list[i], "%s", luaL_checkstring(L, -1));
		lua_pop(L, 1);
	}
	size_t from = (size_t)luaL_optinteger(L, 3, 0), to = (size_t)luaL_optinteger(L, 4, (lua_Integer)c.count);
	luaL_argcheck(L, from <= to && to <= c.count, 3, "no such places");
	size_t kept = certified_keep_valid(check_span(L, 1), &c, from, to);
	push_certifiers(L, &c);
	lua_pushinteger(L, (lua_Integer)kept);
	return 2;
}

static const luaL_Reg functions[] = {
	{"certificate", certificate}, {"sealed", sealed}, {"signature", signature}, {"inner", inner}, {"verdict", verdict},
	{"recipients", recipients}, {"cut", cut}, {"grips", grips}, {"key_id", key_id}, {"fingerprint", fingerprint},
	{"listing", listing}, {"certified", certified}, {"certified_valid", certified_valid}, {NULL, NULL},
};

int luaopen_support_openpgp_pure(lua_State *L);
int luaopen_support_openpgp_pure(lua_State *L)
{
	luaL_newlib(L, functions);
	return 1;
}
