// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/seal.h"

#include <sodium.h>
#include <stdio.h>

#include "base/encode.h"

#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN crypto_aead_xchacha20poly1305_ietf_ABYTES
#define ROW_MAX (sizeof((struct seal_place *)0)->row / sizeof(char *))
#define PLACE_MAX 1024

_Static_assert(NONCE_LEN + TAG_LEN == SEAL_OVERHEAD, "SEAL_OVERHEAD is wrong");
_Static_assert(SEAL_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key length");

static enum err associated_data(const struct seal_place *place, struct buf *out)
{
	struct span parts[3 + ROW_MAX];
	size_t count = 0;
	parts[count++] = span_string("sotto/1 store");
	parts[count++] = span_string(place->table);
	parts[count++] = span_string(place->column);
	for (size_t i = 0; i < ROW_MAX && place->row[i]; i++)
		parts[count++] = span_string(place->row[i]);
	return lv_cat(out, parts, count);
}

enum err seal_close(const uint8_t key[SEAL_KEY_LEN], const struct seal_place *place,
		    struct span plain, struct buf *out)
{
	struct buf ad;
	uint8_t *room = NULL;
	buf_init(&ad, PLACE_MAX);
	enum err e = associated_data(place, &ad);
	if (!e)
		e = buf_reserve(out, plain.len + SEAL_OVERHEAD, &room);
	if (!e) {
		// never an injected source: a nonce that comes twice gives the key stream away
		randombytes_buf(room, NONCE_LEN);
		crypto_aead_xchacha20poly1305_ietf_encrypt(room + NONCE_LEN, NULL, plain.data,
							   plain.len, ad.data, ad.len, NULL, room,
							   key);
		out->len += plain.len + SEAL_OVERHEAD;
	}
	buf_fini(&ad);
	return e;
}

static enum err does_not_hold(const struct seal_place *place, struct err_info *info)
{
	char row[160] = "";
	size_t at = 0;
	for (size_t i = 0; i < ROW_MAX && place->row[i] && at < sizeof row; i++)
		at += (size_t)snprintf(row + at, sizeof row - at, " %s", place->row[i]);
	return err_set(info, ERR_CRYPTO, "the seal of %s.%s does not hold, row%s", place->table,
		       place->column, row);
}

enum err seal_open(const uint8_t key[SEAL_KEY_LEN], const struct seal_place *place,
		   struct span sealed, struct buf *out, struct err_info *info)
{
	struct buf ad;
	uint8_t *room = NULL;
	if (sealed.len < SEAL_OVERHEAD)
		return does_not_hold(place, info);
	size_t len = sealed.len - SEAL_OVERHEAD;
	buf_init(&ad, PLACE_MAX);
	enum err e = associated_data(place, &ad);
	if (!e)
		e = buf_reserve(out, len, &room);
	if (e)
		err_set(info, e, "%s.%s is over its limit", place->table, place->column);
	// on failure libsodium leaves zeros behind, never unauthenticated plaintext
	else if (crypto_aead_xchacha20poly1305_ietf_decrypt(room, NULL, NULL,
							    sealed.data + NONCE_LEN,
							    sealed.len - NONCE_LEN, ad.data, ad.len,
							    sealed.data, key) != 0)
		e = does_not_hold(place, info);
	else
		out->len += len;
	buf_fini(&ad);
	return e;
}
