// SPDX-License-Identifier: GPL-3.0-or-later
// The cipher of a link alone, for specs: require "support.net_cipher".
#include <sodium.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/cipher.h"
#include "spec/support/object.h"

#define CIPHER "support.cipher"

int luaopen_support_net_cipher(lua_State *L);

static int new_cipher(lua_State *L)
{
	const uint8_t *key = check_key_or_null(L, 1);
	luaL_argcheck(L, key, 1, "a key has 32 bytes");
	struct cipher **box = lua_newuserdatauv(L, sizeof *box, 0);
	*box = cipher_new(key);
	luaL_setmetatable(L, CIPHER);
	return 1;
}

static int free_cipher(lua_State *L)
{
	struct cipher **box = luaL_checkudata(L, 1, CIPHER);
	cipher_free(*box);
	*box = NULL;
	return 0;
}

// seal(plain, last)
static int seal(lua_State *L)
{
	struct cipher **box = luaL_checkudata(L, 1, CIPHER);
	struct span plain = check_span(L, 2);
	size_t len = plain.len + cipher_overhead(*box);
	uint8_t *out = mem_alloc(len);
	cipher_seal(*box, plain, lua_toboolean(L, 3), out);
	lua_pushlstring(L, (const char *)out, len);
	free(out);
	return 1;
}

// open(sealed): plain, last
static int open_sealed(lua_State *L)
{
	struct cipher **box = luaL_checkudata(L, 1, CIPHER);
	struct buf out;
	bool last = false;
	buf_init(&out, 2 << 20);
	enum err e = cipher_open(*box, check_span(L, 2), &out, &last);
	if (e) {
		buf_fini(&out);
		return answer_error(L, e, NULL);
	}
	lua_pushlstring(L, (const char *)out.data, out.len);
	lua_pushboolean(L, last);
	buf_fini(&out);
	return 2;
}

// tagged(key, plain, tag): a first message as nobody of ours makes it
static int tagged(lua_State *L)
{
	crypto_secretstream_xchacha20poly1305_state state;
	uint8_t out[1024];
	const size_t head = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
	struct span plain = check_span(L, 2);
	luaL_argcheck(L, plain.len < 512, 2, "too long");
	crypto_secretstream_xchacha20poly1305_init_push(&state, out, check_key_or_null(L, 1));
	crypto_secretstream_xchacha20poly1305_push(&state, out + head, NULL, plain.data, plain.len,
						   NULL, 0, (uint8_t)luaL_checkinteger(L, 3));
	lua_pushlstring(L, (const char *)out,
			head + plain.len + crypto_secretstream_xchacha20poly1305_ABYTES);
	return 1;
}

int luaopen_support_net_cipher(lua_State *L)
{
	static const luaL_Reg functions[] = {{"cipher", new_cipher}, {"tagged", tagged}, {NULL, NULL}};
	static const luaL_Reg methods[] = {{"seal", seal}, {"open", open_sealed}, {NULL, NULL}};
	object_type(L, CIPHER, methods, free_cipher);
	luaL_newlib(L, functions);
	return 1;
}
