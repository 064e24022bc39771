// SPDX-License-Identifier: GPL-3.0-or-later
// Checks and encodings of single columns (internal.h).
#include <string.h>

#include "store/internal.h"
#include "store/payloads.h"

enum err check_fingerprint(const char *text, struct err_info *info)
{
	if (strlen(text) != 40 || strspn(text, "0123456789ABCDEF") != 40)
		return err_set(info, ERR_BAD_PARAMS, "not a full fingerprint: %.41s", text);
	return OK;
}

enum err check_id(const char *what, const char *text, struct err_info *info)
{
	if (strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32)
		return err_set(info, ERR_BAD_PARAMS, "not the id of a %s: %.33s", what, text);
	return OK;
}

enum err check_sequence(uint64_t sequence, struct err_info *info)
{
	if (sequence == 0 || sequence > STORE_SEQUENCE_MAX)
		return err_set(info, ERR_BAD_PARAMS, "a sequence is 1 to 2^53");
	return OK;
}

enum err check_span(const char *what, struct span s, size_t max, struct err_info *info)
{
	if (s.len > max)
		return err_set(info, ERR_TOO_LARGE, "%s has %zu bytes, and may have %zu", what,
			       s.len, max);
	return OK;
}

enum err check_bytes(const char *what, const struct bytes *b, size_t max, struct err_info *info)
{
	return check_span(what, bytes_span(b), max, info);
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20)
			return true;
	return false;
}

enum err addresses_encode(const struct store_addresses *a, struct buf *out, struct err_info *info)
{
	if (a->count > STORE_ADDRESSES_MAX)
		return err_set(info, ERR_TOO_LARGE, "%zu addresses, and at most %d are kept",
			       a->count, STORE_ADDRESSES_MAX);
	for (size_t i = 0; i < a->count; i++) {
		const char *text = a->text[i];
		size_t len = strnlen(text, STORE_ADDRESS_LEN);
		if (len == 0 || len >= STORE_ADDRESS_LEN || has_control(text))
			return err_set(info, ERR_BAD_PARAMS, "not an address");
		buf_put(out, text, len);
		buf_put(out, "\n", 1);
	}
	return OK;
}

void addresses_decode(struct span text, struct store_addresses *out)
{
	memset(out, 0, sizeof *out);
	while (text.len && out->count < STORE_ADDRESSES_MAX) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		size_t len = end ? (size_t)(end - text.data) : text.len;
		if (len && len < STORE_ADDRESS_LEN)
			memcpy(out->text[out->count++], text.data, len);
		size_t skip = end ? len + 1 : len;
		text = span(text.data + skip, text.len - skip);
	}
}
