// SPDX-License-Identifier: GPL-3.0-or-later
// The compact text of a tree. jansson's own writer looks at every character by itself, and messages are mostly text.
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/json.h"

static enum err write_value(const json_t *value, struct buf *out);

static enum err write_escaped(uint8_t c, struct buf *out)
{
	static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt"; // pairs
	char escape[8];
	for (size_t i = 0; named[i]; i += 2)
		if ((uint8_t)named[i] == c) {
			snprintf(escape, sizeof escape, "\\%c", named[i + 1]);
			return buf_append_string(out, escape);
		}
	snprintf(escape, sizeof escape, "\\u%04X", c);
	return buf_append_string(out, escape);
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

// Strings in a tree are UTF-8 already.
static enum err write_string(const char *text, size_t len, struct buf *out)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + len;
	enum err e = buf_append(out, "\"", 1);
	while (e == OK && at < end) {
		const uint8_t *from = at;
		while (at < end && is_plain(*at))
			at++;
		e = buf_append(out, from, (size_t)(at - from));
		if (e == OK && at < end)
			e = write_escaped(*at++, out);
	}
	return e ? e : buf_append(out, "\"", 1);
}

static enum err write_array(const json_t *value, struct buf *out)
{
	size_t count = json_array_size(value);
	enum err e = buf_append(out, "[", 1);
	for (size_t i = 0; e == OK && i < count; i++) {
		if (i)
			e = buf_append(out, ",", 1);
		if (e == OK)
			e = write_value(json_array_get(value, i), out);
	}
	return e ? e : buf_append(out, "]", 1);
}

static enum err write_object(const json_t *value, struct buf *out)
{
	const char *key, *separator = "{";
	json_t *field;
	enum err e = json_object_size(value) ? OK : buf_append(out, "{", 1);
	json_object_foreach((json_t *)value, key, field) {
		e = buf_append(out, separator, 1);
		if (e == OK)
			e = write_string(key, strlen(key), out);
		if (e == OK)
			e = buf_append(out, ":", 1);
		if (e == OK)
			e = write_value(field, out);
		if (e)
			break;
		separator = ",";
	}
	return e ? e : buf_append(out, "}", 1);
}

static enum err write_integer(const json_t *value, struct buf *out)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
	return buf_append_string(out, text);
}

static int append_dump(const char *data, size_t len, void *arg)
{
	return buf_append(arg, data, len) ? -1 : 0;
}

static enum err write_value(const json_t *value, struct buf *out)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return write_object(value, out);
	case JSON_ARRAY:
		return write_array(value, out);
	case JSON_STRING:
		return write_string(json_string_value(value), json_string_length(value), out);
	case JSON_INTEGER:
		return write_integer(value, out);
	case JSON_REAL: // in nothing of ours
		return json_dump_callback(value, append_dump, out, JSON_ENCODE_ANY) ? ERR_TOO_LARGE : OK;
	case JSON_TRUE:
		return buf_append_string(out, "true");
	case JSON_FALSE:
		return buf_append_string(out, "false");
	case JSON_NULL:
		return buf_append_string(out, "null");
	}
	return ERR_INTERNAL;
}

enum err json_encode_compact(const json_t *value, struct buf *out)
{
	size_t start = out->len;
	if (!value)
		return ERR_BAD_PARAMS;
	enum err e = write_value(value, out);
	if (e == OK)
		return OK;
	if (out->wipe)
		sodium_memzero(out->data + start, out->len - start);
	out->len = start;
	return e;
}
