// SPDX-License-Identifier: GPL-3.0-or-later
// The spoken words for specs: require "support.words".
//   of_hash(32 bytes) → text, count(), at(i from 1)
//   password(count, seed) → text from a seeded source, or nil, error
#include "spec/support/object.h"

#include "discussion/words_list.h"

int luaopen_support_words(lua_State *L);

static int of_hash(lua_State *L)
{
	struct hash h;
	char text[WORDS_TEXT_SIZE];
	struct span bytes = check_span(L, 1);
	luaL_argcheck(L, bytes.len == HASH_LEN, 1, "32 bytes");
	memcpy(h.bytes, bytes.data, HASH_LEN);
	words_of_hash(&h, text, sizeof text);
	lua_pushstring(L, text);
	return 1;
}

static int count(lua_State *L)
{
	lua_pushinteger(L, WORDS_COUNT);
	return 1;
}

static int at(lua_State *L)
{
	lua_Integer i = luaL_checkinteger(L, 1);
	luaL_argcheck(L, i >= 1 && i <= WORDS_COUNT, 1, "no word");
	lua_pushstring(L, words_list[i - 1]);
	return 1;
}

static int password(lua_State *L)
{
	struct random_seeded state;
	struct random random = random_from_seed(&state, (uint64_t)luaL_optinteger(L, 2, 1));
	struct secret *s = NULL;
	enum err e = words_make_password(&random, (unsigned)luaL_checkinteger(L, 1), &s);
	if (e)
		return answer_error(L, e, NULL);
	struct span text = secret_span(s);
	lua_pushlstring(L, (const char *)text.data, text.len);
	secret_unref(s);
	return 1;
}

static const luaL_Reg functions[] = {
	{"of_hash", of_hash}, {"count", count}, {"at", at}, {"password", password}, {NULL, NULL},
};

int luaopen_support_words(lua_State *L)
{
	luaL_newlib(L, functions);
	return 1;
}
