// SPDX-License-Identifier: GPL-3.0-or-later
// openpgp: the packet walk. The first byte chooses what the bytes are meant to be; those inside a sealed message are
// encrypted here, so that the walk that follows gpg is reached.
#include <gcrypt.h>

#include "base/hash.h"
#include "openpgp/inner.h"
#include "openpgp/packet_reader.h"
#include "openpgp/packets.h"
#include "spec/fuzz/fuzz.h"

#define PREFIX_LEN 18
#define SEED_RECIPIENTS 3

static void check_key(const struct key_info *k)
{
	CHECK(fingerprint_valid(k->fingerprint));
	char id[KEY_ID_TEXT];
	key_id_format(k->id, id);
	CHECK(strcmp(id, k->fingerprint + 24) == 0);
}

static void check_info(const struct certificate_info *c)
{
	check_key(&c->primary);
	CHECK(c->subkey_count > 0 && c->subkey_count <= CERTIFICATE_PACKETS_MAX);
	for (size_t i = 0; i < c->subkey_count; i++)
		check_key(&c->subkeys[i]);
	CHECK(c->encryption < c->subkey_count && c->subkeys[c->encryption].encrypts);
	CHECK(c->user_id_len <= USER_ID_MAX && c->user_id[c->user_id_len] == 0);
}

// What is cut out for a subkey is a certificate with that subkey alone.
static void check_cut(struct span s, const struct certificate_info *whole)
{
	for (size_t i = 0; i < whole->subkey_count; i++) {
		struct buf out;
		struct certificate_info one;
		const char *wanted = whole->subkeys[i].fingerprint;
		buf_init(&out, CERTIFICATE_MAX);
		CHECK(certificate_cut(s, wanted, &out, NULL) == OK);
		if (certificate_check(buf_span(&out), &one, NULL) == OK)
			CHECK(one.subkey_count == 1 && strcmp(one.subkeys[0].fingerprint, wanted) == 0 &&
			      strcmp(one.primary.fingerprint, whole->primary.fingerprint) == 0);
		else
			CHECK(!whole->subkeys[i].encrypts);
		buf_fini(&out);
	}
}

static void check_certificate(struct span s)
{
	struct certificate_info general, own;
	struct err_info info;
	bool fits = certificate_check(s, &general, &info) == OK;
	if (fits) {
		check_info(&general);
		check_cut(s, &general);
	}
	if (discussion_certificate_check(s, &own, &info) != OK)
		return;
	CHECK(fits && s.len <= DISCUSSION_CERTIFICATE_MAX); // every one is a certificate
	check_info(&own);
	CHECK(own.subkey_count == 1 && own.subkeys[0].algorithm == KEY_ECDH && own.primary.algorithm == KEY_EDDSA);
}

static void check_packets_read(struct span s)
{
	struct octets r = octets_of(s);
	struct packet p;
	while (octets_left(&r) && packet_next(&r, &p, NULL) == OK) {
		struct buf body;
		buf_init(&body, s.len);
		CHECK(p.kind < 64);
		CHECK(packet_append_body(&p, &body) == OK && body.len == p.len && p.len <= s.len);
		CHECK(p.partial || p.body.len == p.len);
		buf_fini(&body);
	}
}

// The ids that the message itself names: those it is right for. Without the first or in another order it is refused.
static void check_sealed(struct span s)
{
	uint64_t ids[SEALED_RECIPIENTS_MAX];
	size_t count = 0;
	if (sealed_recipients(s, ids, SEALED_RECIPIENTS_MAX, &count, NULL) != OK || sealed_check(s, ids, count, NULL) != OK)
		return;
	CHECK(count > 0 && s.len <= SEALED_MAX);
	CHECK(sealed_check(s, ids + 1, count - 1, NULL) != OK);
	ids[0] ^= 1;
	CHECK(sealed_check(s, ids, count, NULL) != OK);
	ids[0] ^= 1;
	if (count < 2)
		return;
	uint64_t first = ids[0];
	ids[0] = ids[1];
	ids[1] = first;
	CHECK(sealed_check(s, ids, count, NULL) != OK);
}

static void encrypt(uint8_t *data, size_t len, const uint8_t key[32])
{
	gcry_cipher_hd_t cipher;
	gcrypt_ready();
	CHECK(gcry_cipher_open(&cipher, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_CFB, 0) == 0);
	CHECK(gcry_cipher_setkey(cipher, key, 32) == 0 && gcry_cipher_setiv(cipher, NULL, 0) == 0);
	CHECK(gcry_cipher_encrypt(cipher, data, len, NULL, 0) == 0);
	gcry_cipher_close(cipher);
}

// The whole of what is inside, in one SEIPD packet behind one PKESK.
static void check_inner(struct input *in)
{
	static const char session_key[] = "9:0707070707070707070707070707070707070707070707070707070707070707";
	static const uint8_t pkesk[] = {0xc1, 12, 3, 1, 2, 3, 4, 5, 6, 7, 8, 18, 0, 0};
	uint8_t key[32];
	struct buf message;
	memset(key, 7, sizeof key);
	struct bytes *plaintext = input_take(in, input_byte(in));
	struct bytes *inside = input_rest(in);
	size_t len = 1 + PREFIX_LEN + inside->len;
	uint8_t head[] = {0xd2, 255, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, 1};
	buf_init(&message, SIZE_MAX);
	buf_put(&message, pkesk, sizeof pkesk);
	buf_put(&message, head, sizeof head);
	size_t begin = message.len;
	buf_put(&message, key, PREFIX_LEN);
	if (inside->len)
		buf_put(&message, inside->data, inside->len);
	encrypt(message.data + begin, message.len - begin, key);
	if (inner_check(buf_span(&message), span(session_key, sizeof session_key - 1), bytes_span(plaintext), NULL) == OK) {
		// no other text passes for it
		struct bytes *other = bytes_new(NULL, plaintext->len + 1);
		CHECK(inner_check(buf_span(&message), span(session_key, sizeof session_key - 1), bytes_span(other),
				  NULL) != OK);
		bytes_unref(other);
	}
	buf_fini(&message);
	bytes_unref(plaintext);
	bytes_unref(inside);
}

// Also as it comes: the outer packets are looked for there as well.
static void check_inner_raw(struct span s)
{
	static const char session_key[] = "9:0707070707070707070707070707070707070707070707070707070707070707";
	CHECK(inner_check(s, span(session_key, sizeof session_key - 1), span("x", 1), NULL) != OK || s.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	unsigned choice = input_byte(&in) % 4;
	if (choice == 3) {
		check_inner(&in);
		return 0;
	}
	struct bytes *b = input_rest(&in);
	check_packets_read(bytes_span(b));
	if (choice == 0) {
		check_certificate(bytes_span(b));
	} else if (choice == 1) {
		check_sealed(bytes_span(b));
		check_inner_raw(bytes_span(b));
	} else {
		enum err e = signature_check(bytes_span(b), NULL);
		CHECK(e || b->len <= SIGNATURE_MAX);
	}
	bytes_unref(b);
	return 0;
}
