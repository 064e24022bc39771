// SPDX-License-Identifier: GPL-3.0-or-later
// Signatures of an ed25519 key as OpenPGP has them (RFC 4880 and EdDSA, as GnuPG writes it), without gpg: for specs that need thousands
// of them in a second. require "support.signing"
#include <lauxlib.h>
#include <lua.h>
#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/encode.h"

#define SEED_LEN 32
#define FINGERPRINT_LEN 20
#define HALF_LEN 32 // of a signature: R, S
#define PACKET_MAX 256

int luaopen_support_signing(lua_State *L);

static const uint8_t *take_seed(lua_State *L)
{
	size_t len;
	const char *seed = luaL_checklstring(L, 1, &len);
	luaL_argcheck(L, len == SEED_LEN, 1, "a seed");
	return (const uint8_t *)seed;
}

// public(seed) → 32 bytes
static int signing_public(lua_State *L)
{
	uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
	crypto_sign_seed_keypair(public, secret, take_seed(L));
	lua_pushlstring(L, (const char *)public, sizeof public);
	return 1;
}

// A multi-precision integer: leading zeros are left out.
static void put_mpi(struct buf *b, const uint8_t *half)
{
	size_t skipped = 0, bits;
	while (skipped < HALF_LEN && half[skipped] == 0)
		skipped++;
	bits = (HALF_LEN - skipped) * 8;
	for (uint8_t top = 0x80; skipped < HALF_LEN && !(half[skipped] & top); top >>= 1)
		bits--;
	const uint8_t head[] = {(uint8_t)(bits >> 8), (uint8_t)bits};
	buf_put(b, head, sizeof head);
	buf_put(b, half + skipped, HALF_LEN - skipped);
}

// From its version to the hashed subpackets: version 4, of a binary document, EdDSA, SHA-512; when, and by whom.
static void put_hashed(struct buf *b, const uint8_t *fingerprint, uint32_t time)
{
	static const uint8_t begin[] = {4, 0x00, 22, 10, 0, 6 + 23, 5, 2};
	static const uint8_t issuer[] = {22, 33, 4};
	uint8_t number[4];
	be32_put(number, time);
	buf_put(b, begin, sizeof begin);
	buf_put(b, number, sizeof number);
	buf_put(b, issuer, sizeof issuer);
	buf_put(b, fingerprint, FINGERPRINT_LEN);
}

static void digest(const struct buf *hashed, const char *data, size_t len, uint8_t out[crypto_hash_sha512_BYTES])
{
	crypto_hash_sha512_state state;
	uint8_t trailer[6] = {4, 0xff};
	be32_put(trailer + 2, (uint32_t)hashed->len);
	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, (const unsigned char *)data, len);
	crypto_hash_sha512_update(&state, hashed->data, hashed->len);
	crypto_hash_sha512_update(&state, trailer, sizeof trailer);
	crypto_hash_sha512_final(&state, out);
}

// sign(seed, fingerprint, time, data) → a packet; the fingerprint is that of the key, 20 bytes, the time in seconds
static int signing_sign(lua_State *L)
{
	size_t fingerprint_len, len;
	uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
	uint8_t hash[crypto_hash_sha512_BYTES], signature[2 * HALF_LEN];
	const uint8_t *seed = take_seed(L);
	const uint8_t *fingerprint = (const uint8_t *)luaL_checklstring(L, 2, &fingerprint_len);
	uint32_t time = (uint32_t)luaL_checkinteger(L, 3);
	const char *data = luaL_checklstring(L, 4, &len);
	struct buf body;
	luaL_argcheck(L, fingerprint_len == FINGERPRINT_LEN, 2, "a fingerprint");
	buf_init(&body, PACKET_MAX);
	put_hashed(&body, fingerprint, time);
	digest(&body, data, len, hash);
	crypto_sign_seed_keypair(public, secret, seed);
	crypto_sign_detached(signature, NULL, hash, sizeof hash, secret);
	const uint8_t unhashed[] = {0, 10, 9, 16};
	buf_put(&body, unhashed, sizeof unhashed);
	buf_put(&body, fingerprint + FINGERPRINT_LEN - 8, 8);
	buf_put(&body, hash, 2);
	put_mpi(&body, signature);
	put_mpi(&body, signature + HALF_LEN);
	const uint8_t header[] = {0xc0 | 2, (uint8_t)body.len}; // of less than 192 bytes
	lua_pushlstring(L, (const char *)header, sizeof header);
	lua_pushlstring(L, (const char *)body.data, body.len);
	lua_concat(L, 2);
	buf_fini(&body);
	return 1;
}

int luaopen_support_signing(lua_State *L)
{
	static const luaL_Reg functions[] = {{"public", signing_public}, {"sign", signing_sign}, {NULL, NULL}};
	luaL_newlib(L, functions);
	return 1;
}
