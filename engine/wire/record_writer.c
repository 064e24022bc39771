// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/record_writer.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/encode.h"

static bool failed(const struct record_writer *w)
{
	return w->failure.code != OK;
}

void record_refuse(struct record_writer *w, const char *field, const char *why)
{
	if (!failed(w))
		(void)err_set(&w->failure, ERR_BAD_PARAMS, "%s: %s", field, why);
}

static void refuse(struct record_writer *w, const char *name, const char *why)
{
	record_refuse(w, name ? name : "element", why);
}

static void refuse_length(struct record_writer *w, const char *name, size_t min, size_t max)
{
	char why[96];
	snprintf(why, sizeof why, "must be %zu to %zu bytes", min, max);
	refuse(w, name, why);
}

static void put(struct record_writer *w, const void *data, size_t len)
{
	if (!failed(w) && buf_append(w->out, data, len))
		(void)err_set(&w->failure, ERR_TOO_LARGE, "the record is larger than %zu bytes",
			      w->out->max);
}

static void put_text(struct record_writer *w, const char *text)
{
	put(w, text, strlen(text));
}

// Bytes of one byte of a string inside JSON's quotes.
static size_t escaped_size(uint8_t c)
{
	if (c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t')
		return 2;
	return c < 0x20 ? 6 : 1;
}

static void put_escaped(struct record_writer *w, uint8_t c)
{
	char code[7];
	switch (c) {
	case '\n':
		put_text(w, "\\n");
		return;
	case '\r':
		put_text(w, "\\r");
		return;
	case '\t':
		put_text(w, "\\t");
		return;
	case '"':
	case '\\':
		put(w, (const char[]){'\\', (char)c}, 2);
		return;
	default:
		snprintf(code, sizeof code, "\\u%04x", (unsigned)c);
		put_text(w, code);
	}
}

static void put_quoted(struct record_writer *w, struct span text)
{
	size_t plain = 0;
	put_text(w, "\"");
	for (size_t i = 0; i < text.len; i++) {
		if (escaped_size(text.data[i]) == 1)
			continue;
		put(w, text.data + plain, i - plain);
		put_escaped(w, text.data[i]);
		plain = i + 1;
	}
	if (text.len)
		put(w, text.data + plain, text.len - plain);
	put_text(w, "\"");
}

size_t record_string_size(struct span text)
{
	size_t size = 2;
	for (size_t i = 0; i < text.len; i++)
		size += escaped_size(text.data[i]);
	return size;
}

// Comma and name of the next value. Names are our own and need no escape.
static void put_name(struct record_writer *w, const char *name)
{
	if (!w->first)
		put_text(w, ",");
	w->first = false;
	if (!name)
		return;
	put_text(w, "\"");
	put_text(w, name);
	put_text(w, "\":");
}

void record_begin(struct record_writer *w, struct buf *out, const char *type)
{
	*w = (struct record_writer){.out = out, .start = out->len, .first = true};
	put_text(w, "{");
	record_put_integer(w, "v", RECORD_VERSION, RECORD_VERSION, RECORD_VERSION);
	record_put_string(w, "type", span_string(type), 1, RECORD_TYPE_SIZE - 1);
}

enum err record_end(struct record_writer *w, struct err_info *info)
{
	put_text(w, "}");
	if (!failed(w))
		return OK;
	if (w->out->wipe && w->out->len > w->start)
		sodium_memzero(w->out->data + w->start, w->out->len - w->start);
	w->out->len = w->start;
	if (info)
		*info = w->failure;
	return w->failure.code;
}

void record_put_string(struct record_writer *w, const char *name, struct span text, size_t min,
		       size_t max)
{
	if (text.len < min || text.len > max)
		refuse_length(w, name, min, max);
	else if (!json_text_valid(text))
		refuse(w, name, "must be UTF-8 without U+0000");
	put_name(w, name);
	put_quoted(w, text);
}

void record_put_binary(struct record_writer *w, const char *name, struct span data, size_t min,
		       size_t max)
{
	if (data.len < min || data.len > max)
		refuse_length(w, name, min, max);
	put_name(w, name);
	put_text(w, "\"");
	if (!failed(w) && base64url_encode(data, w->out))
		(void)err_set(&w->failure, ERR_TOO_LARGE, "the record is larger than %zu bytes",
			      w->out->max);
	put_text(w, "\"");
}

void record_put_hash(struct record_writer *w, const char *name, const struct hash *h)
{
	record_put_binary(w, name, hash_span(h), HASH_LEN, HASH_LEN);
}

void record_put_integer(struct record_writer *w, const char *name, int64_t value, int64_t min,
			int64_t max)
{
	char text[32];
	if (value < min || value > max)
		refuse(w, name, "is out of range");
	snprintf(text, sizeof text, "%lld", (long long)value);
	put_name(w, name);
	put_text(w, text);
}

void record_put_boolean(struct record_writer *w, const char *name, bool value)
{
	put_name(w, name);
	put_text(w, value ? "true" : "false");
}

static void put_form(struct record_writer *w, const char *name, const char *text, bool formed,
		     const char *why)
{
	if (!formed)
		refuse(w, name, why);
	put_name(w, name);
	put_quoted(w, span_string(text));
}

void record_put_fingerprint(struct record_writer *w, const char *name, const char *text)
{
	put_form(w, name, text, fingerprint_form(text), "must be 40 upper-case hex digits");
}

void record_put_discussion(struct record_writer *w, const char *name, const char *text)
{
	put_form(w, name, text, discussion_id_form(text), "must be 32 lower-case hex digits");
}

void record_put_key_id(struct record_writer *w, const char *name, const char *text)
{
	put_form(w, name, text, key_id_form(text), "must be 16 upper-case hex digits");
}

void record_put_charter(struct record_writer *w, const char *name, const char *text)
{
	put_form(w, name, text, charter_form(text), "must be all, or a number from 1 to 64");
}

void record_put_choice(struct record_writer *w, const char *name, const char *const *names,
		       unsigned count, unsigned value)
{
	if (value >= count)
		refuse(w, name, "is none of the known values");
	else
		put_form(w, name, names[value], true, NULL);
}

void record_open_object(struct record_writer *w, const char *name)
{
	put_name(w, name);
	put_text(w, "{");
	w->first = true;
}

void record_close_object(struct record_writer *w)
{
	put_text(w, "}");
	w->first = false;
}

void record_open_array(struct record_writer *w, const char *name)
{
	put_name(w, name);
	put_text(w, "[");
	w->first = true;
}

void record_close_array(struct record_writer *w)
{
	put_text(w, "]");
	w->first = false;
}
