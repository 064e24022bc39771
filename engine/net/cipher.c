// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/cipher.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

#define HEADER_LEN crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define TAG_LEN crypto_secretstream_xchacha20poly1305_ABYTES
#define MESSAGE crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
#define FINAL crypto_secretstream_xchacha20poly1305_TAG_FINAL

_Static_assert(CIPHER_KEY_LEN == crypto_secretstream_xchacha20poly1305_KEYBYTES, "key length");

struct inner {
	uint8_t key[CIPHER_KEY_LEN]; // until started
	crypto_secretstream_xchacha20poly1305_state state;
};

struct cipher {
	struct secret *secret; // a struct inner
	bool started;
};

static struct inner *inner_of(const struct cipher *c)
{
	return (struct inner *)secret_data(c->secret);
}

struct cipher *cipher_new(const uint8_t key[CIPHER_KEY_LEN])
{
	struct cipher *c = mem_alloc(sizeof *c);
	c->secret = secret_new(sizeof(struct inner));
	memcpy(inner_of(c)->key, key, CIPHER_KEY_LEN);
	return c;
}

void cipher_free(struct cipher *c)
{
	if (!c)
		return;
	secret_unref(c->secret);
	free(c);
}

size_t cipher_overhead(const struct cipher *c)
{
	return TAG_LEN + (c->started ? 0 : HEADER_LEN);
}

static void started(struct cipher *c)
{
	c->started = true;
	sodium_memzero(inner_of(c)->key, CIPHER_KEY_LEN);
}

void cipher_seal(struct cipher *c, struct span plain, bool last, uint8_t *out)
{
	struct inner *inner = inner_of(c);
	if (!c->started) {
		crypto_secretstream_xchacha20poly1305_init_push(&inner->state, out, inner->key);
		started(c);
		out += HEADER_LEN;
	}
	crypto_secretstream_xchacha20poly1305_push(&inner->state, out, NULL, plain.data, plain.len,
						   NULL, 0, last ? FINAL : MESSAGE);
}

enum err cipher_open(struct cipher *c, struct span sealed, struct buf *out, bool *last)
{
	struct inner *inner = inner_of(c);
	unsigned long long len;
	uint8_t tag, *room;
	if (sealed.len < cipher_overhead(c))
		return ERR_CRYPTO;
	if (buf_reserve(out, sealed.len - cipher_overhead(c), &room) != OK)
		return ERR_TOO_LARGE;
	if (!c->started) {
		if (crypto_secretstream_xchacha20poly1305_init_pull(&inner->state, sealed.data,
								    inner->key) != 0)
			return ERR_CRYPTO;
		started(c);
		sealed = span(sealed.data + HEADER_LEN, sealed.len - HEADER_LEN);
	}
	if (crypto_secretstream_xchacha20poly1305_pull(&inner->state, room, &len, &tag, sealed.data,
						       sealed.len, NULL, 0) != 0)
		return ERR_CRYPTO;
	// we never send the other tags, and so take none
	if (tag != MESSAGE && tag != FINAL)
		return ERR_CRYPTO;
	out->len += (size_t)len;
	*last = tag == FINAL;
	return OK;
}
