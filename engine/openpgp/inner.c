// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/inner.h"

#include <gcrypt.h>
#include <string.h>

#include "base/encode.h"
#include "openpgp/packet_reader.h"

#define CIPHER_AES256 9 // OpenPGP's number: the only one that sotto seals with
#define KEY_LEN 32
#define BLOCK_LEN 16
#define MDC_LEN 20
#define LITERAL_HEAD 6 // mode, length of the name, date
#define ONE_PASS_LEN 13

static enum err read_key(struct span text, uint8_t key[KEY_LEN], struct err_info *info)
{
	char digits[2 * KEY_LEN + 1] = "";
	enum err e = ERR_BAD_INPUT;
	if (text.len == 2 + 2 * KEY_LEN && memcmp(text.data, "9:", 2) == 0) {
		memcpy(digits, text.data + 2, 2 * KEY_LEN);
		e = hex_decode(digits, key, KEY_LEN);
	}
	explicit_bzero(digits, sizeof digits);
	return e ? err_set(info, ERR_BAD_INPUT, "message: it is not encrypted with AES-256") : OK;
}

// In place. Since there is MDC, OpenPGP's CFB runs on from its random prefix as any CFB does.
static enum err decrypt(struct buf *data, const uint8_t key[KEY_LEN], struct err_info *info)
{
	gcry_cipher_hd_t cipher;
	gcrypt_ready();
	gcry_error_t e = gcry_cipher_open(&cipher, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_CFB, 0);
	if (e)
		return err_set(info, ERR_INTERNAL, "libgcrypt: %s", gcry_strerror(e));
	e = gcry_cipher_setkey(cipher, key, KEY_LEN);
	if (!e)
		e = gcry_cipher_setiv(cipher, NULL, 0);
	if (!e)
		e = gcry_cipher_decrypt(cipher, data->data, data->len, NULL, 0);
	gcry_cipher_close(cipher);
	return e ? err_set(info, ERR_INTERNAL, "libgcrypt: %s", gcry_strerror(e)) : OK;
}

// The SEIPD packet's content, behind its version.
static enum err find_encrypted(struct span message, struct buf *out, struct err_info *info)
{
	struct octets r = octets_of(message);
	struct packet p;
	enum err e;
	do
		e = packet_next(&r, &p, info);
	while (e == OK && p.kind == PACKET_PKESK);
	if (e)
		return e;
	if (p.kind != PACKET_SEIPD || p.len == 0 || packet_append_body(&p, out) != OK)
		return err_set(info, ERR_BAD_INPUT, "message: no encrypted data");
	buf_consume(out, 1);
	return OK;
}

static enum err expect(struct octets *r, enum packet_kind kind, struct packet *p, struct err_info *info)
{
	enum err e = packet_next(r, p, info);
	if (e)
		return e;
	if (p->kind != kind || (p->partial && kind != PACKET_LITERAL))
		return packet_refuse(info, "inside the message", p);
	return OK;
}

static enum err check_literal(const struct packet *p, struct span plaintext, struct err_info *info)
{
	struct buf body;
	enum err e = OK;
	buf_init_wiped(&body, p->len);
	if (packet_append_body(p, &body) != OK || body.len < LITERAL_HEAD || body.data[0] != 'b')
		e = err_set(info, ERR_BAD_INPUT, "inside the message: the text is not a binary literal");
	else if (body.data[1] != 0)
		e = err_set(info, ERR_BAD_INPUT, "inside the message: the text names a file");
	else if (!span_equal(span(body.data + LITERAL_HEAD, body.len - LITERAL_HEAD), plaintext))
		e = err_set(info, ERR_BAD_INPUT, "inside the message: the text is not what gpg says");
	buf_fini(&body);
	return e;
}

static enum err check_packets(struct span content, struct span plaintext, struct err_info *info)
{
	struct octets r = octets_of(content);
	struct packet p;
	struct signature s;
	octets_take(&r, BLOCK_LEN + 2);
	enum err e = expect(&r, PACKET_ONE_PASS, &p, info);
	if (e == OK && (p.len != ONE_PASS_LEN || p.body.data[0] != 3 || p.body.data[1] != 0))
		e = err_set(info, ERR_BAD_INPUT, "inside the message: the one-pass signature is not a binary one of version 3");
	if (e == OK)
		e = expect(&r, PACKET_LITERAL, &p, info);
	if (e == OK)
		e = check_literal(&p, plaintext, info);
	if (e == OK)
		e = expect(&r, PACKET_SIGNATURE, &p, info);
	if (e == OK)
		e = signature_read(p.body, &s, info);
	if (e == OK && s.type != 0)
		e = err_set(info, ERR_BAD_INPUT, "inside the message: the signature's type is 0x%02x", s.type);
	if (e == OK)
		e = expect(&r, PACKET_MDC, &p, info);
	if (e == OK && (p.len != MDC_LEN || octets_left(&r)))
		e = err_set(info, ERR_BAD_INPUT, "inside the message: it does not end with the MDC");
	return e;
}

enum err inner_check(struct span message, struct span session_key, struct span plaintext, struct err_info *info)
{
	uint8_t key[KEY_LEN];
	struct buf content;
	buf_init_wiped(&content, message.len);
	enum err e = read_key(session_key, key, info);
	if (e == OK)
		e = find_encrypted(message, &content, info);
	if (e == OK)
		e = decrypt(&content, key, info);
	if (e == OK)
		e = check_packets(buf_span(&content), plaintext, info);
	explicit_bzero(key, sizeof key);
	buf_fini(&content);
	return e;
}
