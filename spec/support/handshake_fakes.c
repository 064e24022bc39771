// SPDX-License-Identifier: GPL-3.0-or-later
// The part of support.handshake that fakes are made of (handshake.c): hashes, keys, records and proofs.
#include <sodium.h>

#include "discussion/handshake.h"
#include "spec/support/fields.h"
#include "wire/handshake.h"

static int support_hash(lua_State *L)
{
	size_t len;
	const char *s = luaL_checklstring(L, 1, &len);
	struct hash h = hash_of(span(s, len));
	lua_pushlstring(L, (const char *)h.bytes, HASH_LEN);
	return 1;
}

// keyed(key, data) → BLAKE2b-256
static int support_keyed(lua_State *L)
{
	size_t key_len, len;
	const char *key = luaL_checklstring(L, 1, &key_len);
	const char *s = luaL_checklstring(L, 2, &len);
	luaL_argcheck(L, key_len >= 16 && key_len <= 64, 1, "16 to 64 bytes");
	struct hash h = hash_keyed(span(key, key_len), span(s, len));
	lua_pushlstring(L, (const char *)h.bytes, HASH_LEN);
	return 1;
}

// x25519(secret, point or nil for the base) → 32 bytes
static int support_x25519(lua_State *L)
{
	uint8_t out[crypto_scalarmult_BYTES];
	size_t secret_len, point_len = 0;
	const char *secret = luaL_checklstring(L, 1, &secret_len);
	const char *point = luaL_optlstring(L, 2, NULL, &point_len);
	luaL_argcheck(L, secret_len == sizeof out, 1, "32 bytes");
	luaL_argcheck(L, !point || point_len == sizeof out, 2, "32 bytes");
	int failed = point ? crypto_scalarmult(out, (const uint8_t *)secret, (const uint8_t *)point)
			   : crypto_scalarmult_base(out, (const uint8_t *)secret);
	if (failed)
		return luaL_error(L, "a zero result");
	lua_pushlstring(L, (const char *)out, sizeof out);
	return 1;
}

// Ed25519 pair of a seed text: public, secret.
static int support_pair(lua_State *L)
{
	size_t len;
	const char *s = luaL_checklstring(L, 1, &len);
	struct hash seed = hash_of(span(s, len));
	uint8_t pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES];
	crypto_sign_seed_keypair(pk, sk, seed.bytes);
	lua_pushlstring(L, (const char *)pk, sizeof pk);
	lua_pushlstring(L, (const char *)sk, sizeof sk);
	return 2;
}

// presence(fingerprint, general certificate's hash, public, secret, endpoints?) → record, signature
static int support_presence(lua_State *L)
{
	struct presence_record p = {.sequence = 1, .issued_ms = 1, .expires_ms = 2, .since_ms = 1};
	size_t key_len, secret_len, hash_len;
	const char *fingerprint = luaL_checkstring(L, 1);
	const char *hash = luaL_checklstring(L, 2, &hash_len);
	const char *key = luaL_checklstring(L, 3, &key_len);
	const char *secret = luaL_checklstring(L, 4, &secret_len);
	uint8_t signature[PRESENCE_SIGNATURE_LEN];
	struct buf b;
	luaL_argcheck(L, strlen(fingerprint) < sizeof p.fingerprint, 1, "fingerprint");
	luaL_argcheck(L, hash_len == HASH_LEN, 2, "hash");
	luaL_argcheck(L, key_len == sizeof p.key, 3, "key");
	luaL_argcheck(L, secret_len == PRESENCE_SECRET_KEY_LEN, 4, "secret");
	p.endpoint_count = (size_t)luaL_optinteger(L, 5, 0);
	luaL_argcheck(L, p.endpoint_count <= PRESENCE_ENDPOINTS_MAX, 5, "endpoints");
	for (size_t i = 0; i < p.endpoint_count; i++)
		memset(p.endpoints[i], 'e', PRESENCE_ENDPOINT_SIZE - 1);
	strcpy(p.fingerprint, fingerprint);
	memcpy(p.general.bytes, hash, HASH_LEN);
	memcpy(p.key, key, sizeof p.key);
	buf_init(&b, PRESENCE_RECORD_MAX);
	if (presence_record_encode(&p, &b, NULL)) {
		buf_fini(&b);
		return luaL_error(L, "the record cannot be made");
	}
	presence_sign(buf_span(&b), (const uint8_t *)secret, signature);
	lua_pushlstring(L, (const char *)b.data, b.len);
	lua_pushlstring(L, (const char *)signature, sizeof signature);
	buf_fini(&b);
	return 2;
}

// sign_open(M1, M2, sealed, presence secret) → M3
static int support_sign_open(lua_State *L)
{
	struct span parts[3];
	uint8_t signature[PRESENCE_SIGNATURE_LEN];
	size_t secret_len;
	for (int i = 0; i < 3; i++) {
		size_t len;
		const char *s = luaL_checklstring(L, i + 1, &len);
		parts[i] = span(s, len);
	}
	const char *secret = luaL_checklstring(L, 4, &secret_len);
	luaL_argcheck(L, secret_len == PRESENCE_SECRET_KEY_LEN, 4, "secret");
	open_sign(parts[0], parts[1], parts[2], (const uint8_t *)secret, signature);
	struct bytes *b = open_frame_join(signature, parts[2]);
	lua_pushlstring(L, (const char *)b->data, b->len);
	bytes_unref(b);
	return 1;
}

// Adds them to the table on the stack.
int luaopen_support_handshake_fakes(lua_State *L);
int luaopen_support_handshake_fakes(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"hash", support_hash},
		{"keyed", support_keyed},
		{"x25519", support_x25519},
		{"pair", support_pair},
		{"presence", support_presence},
		{"sign_open", support_sign_open},
		{NULL, NULL},
	};
	luaL_setfuncs(L, functions, 0);
	return 1;
}
