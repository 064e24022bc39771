// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/encode.h"

#include <sodium.h>
#include <string.h>

static void hex_encode(struct span in, char *out, const char *digits)
{
	for (size_t i = 0; i < in.len; i++) {
		out[2 * i] = digits[in.data[i] >> 4];
		out[2 * i + 1] = digits[in.data[i] & 15];
	}
	out[2 * in.len] = 0;
}

void hex_encode_lower(struct span in, char *out)
{
	hex_encode(in, out, "0123456789abcdef");
}

void hex_encode_upper(struct span in, char *out)
{
	hex_encode(in, out, "0123456789ABCDEF");
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err hex_decode(const char *text, uint8_t *out, size_t out_len)
{
	if (strlen(text) != 2 * out_len)
		return ERR_BAD_INPUT;
	for (size_t i = 0; i < out_len; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return ERR_BAD_INPUT;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return OK;
}

enum err base64url_encode(struct span in, struct buf *out)
{
	// sodium wants room for a NUL, which out need not have: so in parts, by way of one of ours
	char part[64 + 1];
	size_t whole = in.len / 3, rest = in.len % 3;
	if (whole > SIZE_MAX / 8 || whole * 4 + (rest ? rest + 1 : 0) > out->max - out->len)
		return ERR_TOO_LARGE;
	while (in.len) {
		size_t len = in.len < 48 ? in.len : 48;
		sodium_bin2base64(part, sizeof part, in.data, len,
				  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
		buf_put(out, part, strlen(part));
		in = span(in.data + len, in.len - len);
	}
	sodium_memzero(part, sizeof part);
	return OK;
}

enum err base64url_decode(struct span text, struct buf *out)
{
	size_t got;
	const char *end;
	uint8_t *room;
	size_t exact = text.len / 4 * 3 + (text.len % 4 == 0 ? 0 : text.len % 4 - 1);
	if (text.len == 0)
		return OK;
	if (exact == 0)
		return ERR_BAD_INPUT; // a single character is no byte
	if (buf_reserve(out, exact, &room))
		return ERR_TOO_LARGE;
	// sodium refuses non-zero trailing bits itself, and without an ignore set any foreign character
	if (sodium_base642bin(room, exact, (const char *)text.data, text.len, NULL, &got, &end,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    end != (const char *)text.data + text.len)
		return ERR_BAD_INPUT;
	out->len += got;
	return OK;
}

uint32_t be32_get(const uint8_t in[4])
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

void be32_put(uint8_t out[4], uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

uint64_t be64_get(const uint8_t in[8])
{
	return (uint64_t)be32_get(in) << 32 | be32_get(in + 4);
}

void be64_put(uint8_t out[8], uint64_t value)
{
	be32_put(out, (uint32_t)(value >> 32));
	be32_put(out + 4, (uint32_t)value);
}

enum err lv_append(struct buf *out, struct span x)
{
	uint8_t head[10];
	size_t n = 0, rest = x.len;
	do {
		head[n++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
		rest >>= 7;
	} while (rest);
	if (x.len > out->max - out->len || n > out->max - out->len - x.len)
		return ERR_TOO_LARGE;
	buf_put(out, head, n);
	buf_put(out, x.data, x.len);
	return OK;
}

enum err lv_cat(struct buf *out, const struct span *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum err e = lv_append(out, parts[i]);
		if (e)
			return e;
	}
	return OK;
}
