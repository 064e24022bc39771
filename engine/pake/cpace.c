// SPDX-License-Identifier: GPL-3.0-or-later
#include "pake/cpace.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/encode.h"

#define DSI "CPaceRistretto255"
#define HASH_BLOCK 128 // of SHA-512
#define POINT_LEN crypto_core_ristretto255_BYTES
#define SAMPLES_MAX 8 // one that is zero has a chance of 2^-252: a second means a broken source
// Room for the lengths and domain names around one or two inputs.
#define AROUND 512

static size_t prefixed_len(size_t len)
{
	size_t digits = 1;
	for (size_t rest = len >> 7; rest; rest >>= 7)
		digits++;
	return digits + len;
}

enum err cpace_generator_string(struct buf *out, struct span password, struct span ci,
				struct span sid)
{
	static const uint8_t zeros[HASH_BLOCK];
	// fills the hash's first block, so that the password's length does not show in the time
	size_t head = prefixed_len(password.len) + prefixed_len(strlen(DSI));
	size_t padding = head < HASH_BLOCK - 1 ? HASH_BLOCK - 1 - head : 0;
	if (password.len > CPACE_INPUT_MAX || ci.len > CPACE_INPUT_MAX || sid.len > CPACE_INPUT_MAX)
		return ERR_TOO_LARGE;
	return LV_CAT(out, span_string(DSI), password, span(zeros, padding), ci, sid);
}

enum err cpace_generator(uint8_t g[32], struct span password, struct span ci, struct span sid)
{
	struct buf text;
	uint8_t digest[crypto_hash_sha512_BYTES];
	buf_init_wiped(&text, 3 * CPACE_INPUT_MAX + AROUND);
	enum err e = cpace_generator_string(&text, password, ci, sid);
	if (!e) {
		crypto_hash_sha512(digest, text.data, text.len);
		crypto_core_ristretto255_from_hash(g, digest);
		sodium_memzero(digest, sizeof digest);
	}
	buf_fini(&text);
	return e;
}

enum err cpace_multiply(uint8_t out[32], const uint8_t scalar[32],
			const uint8_t share[CPACE_SHARE_LEN])
{
	// fails for what is no point, and for the neutral element as a result
	return crypto_scalarmult_ristretto255(out, scalar, share) ? ERR_CRYPTO : OK;
}

enum err cpace_isk(uint8_t out[CPACE_ISK_LEN], struct span sid, const uint8_t k[32],
		   struct cpace_public initiator, struct cpace_public responder)
{
	struct buf text;
	if (sid.len > CPACE_INPUT_MAX || initiator.ad.len > CPACE_INPUT_MAX ||
	    responder.ad.len > CPACE_INPUT_MAX)
		return ERR_TOO_LARGE;
	buf_init_wiped(&text, 3 * CPACE_INPUT_MAX + AROUND);
	enum err e = LV_CAT(&text, span_string(DSI "_ISK"), sid, span(k, POINT_LEN),
			    initiator.share, initiator.ad, responder.share, responder.ad);
	if (!e)
		crypto_hash_sha512(out, text.data, text.len);
	buf_fini(&text);
	return e;
}

void cpace_mac_key(uint8_t out[64], struct span sid, const uint8_t isk[CPACE_ISK_LEN])
{
	crypto_hash_sha512_state state;
	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, (const uint8_t *)"CPaceMac", strlen("CPaceMac"));
	crypto_hash_sha512_update(&state, sid.data, sid.len);
	crypto_hash_sha512_update(&state, isk, CPACE_ISK_LEN);
	crypto_hash_sha512_final(&state, out);
	sodium_memzero(&state, sizeof state);
}

enum err cpace_tag(uint8_t out[CPACE_TAG_LEN], const uint8_t mac_key[64],
		   struct cpace_public whose)
{
	crypto_auth_hmacsha512_state state;
	struct buf text;
	if (whose.ad.len > CPACE_INPUT_MAX)
		return ERR_TOO_LARGE;
	buf_init(&text, CPACE_INPUT_MAX + AROUND);
	enum err e = LV_CAT(&text, whose.share, whose.ad);
	if (!e) {
		// the one-call form takes keys of 32 bytes only
		crypto_auth_hmacsha512_init(&state, mac_key, 64);
		crypto_auth_hmacsha512_update(&state, text.data, text.len);
		crypto_auth_hmacsha512_final(&state, out);
		sodium_memzero(&state, sizeof state);
	}
	buf_fini(&text);
	return e;
}

// --- one side ------------------------------------------------------------------------------------

void cpace_init(struct cpace *c, enum cpace_role role)
{
	*c = (struct cpace){.role = role};
}

void cpace_fini(struct cpace *c)
{
	bytes_unref(c->sid);
	secret_unref(c->scalar);
	secret_unref(c->isk);
	secret_unref(c->other_tag);
	enum cpace_role role = c->role;
	sodium_memzero(c, sizeof *c);
	c->role = role;
}

static enum err sample_share(struct cpace *c, const struct random *random, const uint8_t g[32])
{
	uint8_t *y = secret_data(c->scalar);
	for (int i = 0; i < SAMPLES_MAX; i++) {
		random_fill(random, y, crypto_scalarmult_ristretto255_SCALARBYTES);
		y[31] &= 0x0f;
		if (cpace_multiply(c->own_share, y, g) == OK)
			return OK;
	}
	return ERR_INTERNAL;
}

enum err cpace_start(struct cpace *c, const struct random *random, struct span password,
		     struct span ci, struct span sid)
{
	uint8_t g[POINT_LEN];
	assert(!c->scalar);
	enum err e = cpace_generator(g, password, ci, sid);
	if (e)
		return e;
	c->scalar = secret_new(crypto_scalarmult_ristretto255_SCALARBYTES);
	c->sid = bytes_new_span(sid);
	e = sample_share(c, random, g);
	sodium_memzero(g, sizeof g);
	return e;
}

static enum err make_tags(struct cpace *c, struct cpace_public own, struct cpace_public other)
{
	uint8_t mac_key[64];
	cpace_mac_key(mac_key, bytes_span(c->sid), secret_data(c->isk));
	c->other_tag = secret_new(CPACE_TAG_LEN);
	enum err e = cpace_tag(c->own_tag, mac_key, own);
	if (!e)
		e = cpace_tag(secret_data(c->other_tag), mac_key, other);
	sodium_memzero(mac_key, sizeof mac_key);
	return e;
}

enum err cpace_finish(struct cpace *c, const struct random *random,
		      const uint8_t other_share[CPACE_SHARE_LEN], struct span own_ad,
		      struct span other_ad)
{
	uint8_t k[POINT_LEN];
	struct cpace_public own = {span(c->own_share, CPACE_SHARE_LEN), own_ad};
	struct cpace_public other = {span(other_share, CPACE_SHARE_LEN), other_ad};
	bool initiates = c->role == CPACE_INITIATOR;
	assert(c->scalar && !c->isk);
	if (own_ad.len > CPACE_INPUT_MAX || other_ad.len > CPACE_INPUT_MAX)
		return ERR_TOO_LARGE;
	enum err verdict = cpace_multiply(k, secret_data(c->scalar), other_share);
	if (memcmp(other_share, c->own_share, CPACE_SHARE_LEN) == 0)
		verdict = ERR_CRYPTO;
	if (verdict)
		random_fill(random, k, sizeof k);
	c->isk = secret_new(CPACE_ISK_LEN);
	enum err e = cpace_isk(secret_data(c->isk), bytes_span(c->sid), k,
			       initiates ? own : other, initiates ? other : own);
	sodium_memzero(k, sizeof k);
	if (!e)
		e = make_tags(c, own, other);
	secret_unref(c->scalar);
	c->scalar = NULL;
	c->finished = e == OK;
	return e ? e : verdict;
}

bool cpace_check(const struct cpace *c, const uint8_t tag[CPACE_TAG_LEN])
{
	assert(c->finished);
	return sodium_memcmp(tag, secret_span(c->other_tag).data, CPACE_TAG_LEN) == 0;
}

static void link_key(const struct cpace *c, const char *direction, const struct hash *transcript,
		     uint8_t out[CPACE_LINK_KEY_LEN])
{
	uint8_t text[64];
	size_t len = strlen(direction);
	memcpy(text, direction, len);
	memcpy(text + len, transcript->bytes, HASH_LEN);
	struct hash key = hash_keyed(secret_span(c->isk), span(text, len + HASH_LEN));
	memcpy(out, key.bytes, CPACE_LINK_KEY_LEN);
	sodium_memzero(&key, sizeof key);
}

void cpace_link_keys(const struct cpace *c, const struct hash *transcript,
		     uint8_t tx[CPACE_LINK_KEY_LEN], uint8_t rx[CPACE_LINK_KEY_LEN])
{
	bool initiates = c->role == CPACE_INITIATOR;
	assert(c->finished);
	link_key(c, "sotto/1 I>R", transcript, initiates ? tx : rx);
	link_key(c, "sotto/1 R>I", transcript, initiates ? rx : tx);
}
