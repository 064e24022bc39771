// SPDX-License-Identifier: GPL-3.0-or-later
// CPace and passwords, for specs. Failures are nil, name, text.
#include <lauxlib.h>
#include <string.h>

#include "pake/cpace.h"
#include "pake/password.h"
#include "pake/precis.h"

int luaopen_support_pake(lua_State *L);

static struct span check_span(lua_State *L, int index)
{
	size_t len;
	const char *data = luaL_checklstring(L, index, &len);
	return span(data, len);
}

static const uint8_t *check_exact(lua_State *L, int index, size_t len)
{
	struct span s = check_span(L, index);
	luaL_argcheck(L, s.len == len, index, "not of the right length");
	return s.data;
}

static int give(lua_State *L, enum err e, const void *data, size_t len)
{
	if (!e) {
		lua_pushlstring(L, data, len);
		return 1;
	}
	lua_pushnil(L);
	lua_pushstring(L, err_name(e));
	return 2;
}

// --- steps ---------------------------------------------------------------------------------------

static int generator_string_l(lua_State *L) // (prs, ci, sid)
{
	struct buf out;
	buf_init_wiped(&out, 1 << 20);
	enum err e = cpace_generator_string(&out, check_span(L, 1), check_span(L, 2), check_span(L, 3));
	int results = give(L, e, out.data, out.len);
	buf_fini(&out);
	return results;
}

static int generator_l(lua_State *L) // (prs, ci, sid)
{
	uint8_t g[32];
	enum err e = cpace_generator(g, check_span(L, 1), check_span(L, 2), check_span(L, 3));
	return give(L, e, g, sizeof g);
}

static int multiply_l(lua_State *L) // (scalar, share)
{
	uint8_t k[32];
	enum err e = cpace_multiply(k, check_exact(L, 1, 32), check_exact(L, 2, 32));
	return give(L, e, k, sizeof k);
}

static int isk_l(lua_State *L) // (sid, k, Ya, ADa, Yb, ADb)
{
	uint8_t isk[CPACE_ISK_LEN];
	enum err e = cpace_isk(isk, check_span(L, 1), check_exact(L, 2, 32),
			       (struct cpace_public){check_span(L, 3), check_span(L, 4)},
			       (struct cpace_public){check_span(L, 5), check_span(L, 6)});
	return give(L, e, isk, sizeof isk);
}

static int mac_key_l(lua_State *L) // (sid, isk)
{
	uint8_t key[64];
	cpace_mac_key(key, check_span(L, 1), check_exact(L, 2, CPACE_ISK_LEN));
	return give(L, OK, key, sizeof key);
}

static int tag_l(lua_State *L) // (mac_key, share, ad)
{
	uint8_t tag[CPACE_TAG_LEN];
	enum err e = cpace_tag(tag, check_exact(L, 1, 64),
			       (struct cpace_public){check_span(L, 2), check_span(L, 3)});
	return give(L, e, tag, sizeof tag);
}

// --- one side ------------------------------------------------------------------------------------

#define SIDE "spec.cpace"

struct side {
	struct cpace pake;
	struct random_seeded seed;
	struct random random;
	uint8_t fixed[32]; // what the random source gives, where it is fixed
};

static void fill_fixed(void *context, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = ((uint8_t *)context)[i % 32];
}

// (role 0|1, seed number, or 32 bytes that the random source repeats)
static int side_new_l(lua_State *L)
{
	struct side *s = lua_newuserdatauv(L, sizeof *s, 0);
	cpace_init(&s->pake, (enum cpace_role)luaL_checkinteger(L, 1));
	if (lua_type(L, 2) == LUA_TSTRING) {
		memcpy(s->fixed, check_exact(L, 2, 32), 32);
		s->random = (struct random){fill_fixed, s->fixed};
	} else {
		s->random = random_from_seed(&s->seed, (uint64_t)luaL_checkinteger(L, 2));
	}
	luaL_setmetatable(L, SIDE);
	return 1;
}

static struct side *check_side(lua_State *L)
{
	return luaL_checkudata(L, 1, SIDE);
}

static int side_gc_l(lua_State *L)
{
	cpace_fini(&check_side(L)->pake);
	return 0;
}

static int side_start_l(lua_State *L) // (prs, ci, sid) → own share
{
	struct side *s = check_side(L);
	enum err e = cpace_start(&s->pake, &s->random, check_span(L, 2), check_span(L, 3),
				 check_span(L, 4));
	return give(L, e, s->pake.own_share, CPACE_SHARE_LEN);
}

static int side_finish_l(lua_State *L) // (share, own ad, other ad) → own tag
{
	struct side *s = check_side(L);
	enum err e = cpace_finish(&s->pake, &s->random, check_exact(L, 2, CPACE_SHARE_LEN),
				  check_span(L, 3), check_span(L, 4));
	return give(L, e, s->pake.own_tag, CPACE_TAG_LEN);
}

static int side_tag_l(lua_State *L)
{
	return give(L, OK, check_side(L)->pake.own_tag, CPACE_TAG_LEN);
}

static int side_isk_l(lua_State *L)
{
	struct span isk = secret_span(check_side(L)->pake.isk);
	return give(L, OK, isk.len ? (const char *)isk.data : "", isk.len);
}

static int side_check_l(lua_State *L) // (tag) → boolean
{
	lua_pushboolean(L, cpace_check(&check_side(L)->pake, check_exact(L, 2, CPACE_TAG_LEN)));
	return 1;
}

static int side_keys_l(lua_State *L) // (transcript hash) → tx, rx
{
	uint8_t tx[CPACE_LINK_KEY_LEN], rx[CPACE_LINK_KEY_LEN];
	struct hash h;
	memcpy(h.bytes, check_exact(L, 2, HASH_LEN), HASH_LEN);
	cpace_link_keys(&check_side(L)->pake, &h, tx, rx);
	lua_pushlstring(L, (const char *)tx, sizeof tx);
	lua_pushlstring(L, (const char *)rx, sizeof rx);
	return 2;
}

// --- passwords -----------------------------------------------------------------------------------

static int prepare_l(lua_State *L) // (text) → prepared, or nil, name, text
{
	struct secret *s;
	struct err_info info = {0};
	enum err e = password_prepare(check_span(L, 1), &s, &info);
	if (e) {
		give(L, e, NULL, 0);
		lua_pushstring(L, info.text);
		return 3;
	}
	give(L, OK, secret_span(s).data, secret_span(s).len);
	secret_unref(s);
	return 1;
}

static int freeform_l(lua_State *L) // (first, last) → '1' or '0' for each code point alone
{
	luaL_Buffer b;
	lua_Integer first = luaL_checkinteger(L, 1), last = luaL_checkinteger(L, 2);
	luaL_buffinit(L, &b);
	for (lua_Integer c = first; c <= last; c++) {
		int32_t point = (int32_t)c;
		luaL_addchar(&b, precis_freeform(&point, 1) ? '1' : '0');
	}
	luaL_pushresult(&b);
	return 1;
}

static int weakness_l(lua_State *L) // (prepared) → text or nil
{
	lua_pushstring(L, password_weakness(check_span(L, 1)));
	return 1;
}

static const luaL_Reg methods[] = {
	{"start", side_start_l}, {"finish", side_finish_l}, {"tag", side_tag_l},
	{"isk", side_isk_l},     {"check", side_check_l},   {"keys", side_keys_l},
	{"__gc", side_gc_l},     {NULL, NULL},
};

static const luaL_Reg functions[] = {
	{"generator_string", generator_string_l},
	{"generator", generator_l},
	{"multiply", multiply_l},
	{"isk", isk_l},
	{"mac_key", mac_key_l},
	{"tag", tag_l},
	{"side", side_new_l},
	{"prepare", prepare_l},
	{"freeform", freeform_l},
	{"weakness", weakness_l},
	{NULL, NULL},
};

int luaopen_support_pake(lua_State *L)
{
	luaL_newmetatable(L, SIDE);
	luaL_setfuncs(L, methods, 0);
	lua_pushvalue(L, -1);
	lua_setfield(L, -2, "__index");
	luaL_newlib(L, functions);
	return 1;
}
