// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/json.h"

#include <malloc.h>
#include <sodium.h>
#include <stdlib.h>

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The index after the string that begins at i. A broken one ends at the end: jansson refuses it.
static size_t skip_string(struct span text, size_t i)
{
	for (i++; i < text.len && text.data[i] != '"'; i++)
		if (text.data[i] == '\\')
			i++;
	return i < text.len ? i + 1 : text.len;
}

static bool closes_at(struct span text, size_t i)
{
	while (i < text.len && is_space(text.data[i]))
		i++;
	return i < text.len && (text.data[i] == ']' || text.data[i] == '}');
}

// Counts what jansson would build, from separators alone: exact where the text is JSON, and never too
// low for the part that jansson reads before it finds that it is none.
static enum err scan(struct span text, struct err_info *info)
{
	size_t levels = 0, values = 1;
	for (size_t i = 0; i < text.len;) {
		uint8_t c = text.data[i];
		if (c == '"') {
			i = skip_string(text, i);
			continue;
		}
		i++;
		if (c == '{' || c == '[') {
			if (++levels > JSON_LEVELS_MAX)
				return err_set(info, ERR_TOO_LARGE, "more than %d levels",
					       JSON_LEVELS_MAX);
			values += closes_at(text, i) ? 0 : 1;
		} else if (c == '}' || c == ']') {
			levels -= levels ? 1 : 0;
		} else if (c == ',') {
			values++;
		}
		if (values > JSON_VALUES_MAX)
			return err_set(info, ERR_TOO_LARGE, "more than %d values", JSON_VALUES_MAX);
	}
	return OK;
}

// jansson's own texts quote what stands "near" the error, which may be a message
static const char *problem(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "a string holds the character U+0000";
	case json_error_duplicate_key:
		return "a key stands twice in one object";
	case json_error_invalid_utf8:
		return "not UTF-8";
	case json_error_stack_overflow:
		return "too many levels";
	case json_error_premature_end_of_input:
		return "it ends too early";
	case json_error_end_of_input_expected:
		return "more text after its end";
	case json_error_numeric_overflow:
		return "a number is too large";
	default:
		return "not JSON";
	}
}

static const char *number_problem(const json_t *value)
{
	const char *key, *why = NULL;
	json_t *item;
	size_t i;
	if (json_is_real(value))
		return "a number that is not an integer";
	if (json_is_integer(value)) {
		json_int_t n = json_integer_value(value);
		return n < -JSON_INTEGER_MAX || n > JSON_INTEGER_MAX ? "an integer beyond 2^53-1" : NULL;
	}
	if (json_is_array(value)) {
		json_array_foreach(value, i, item)
			if ((why = number_problem(item)))
				return why;
	} else if (json_is_object(value)) {
		json_object_foreach((json_t *)value, key, item)
			if ((why = number_problem(item)))
				return why;
	}
	return NULL;
}

enum err json_parse_any(struct span text, json_t **out, struct err_info *info)
{
	json_error_t error;
	// jansson wants a non-null pointer even for nothing
	json_t *value = json_loadb(text.len ? (const char *)text.data : "", text.len,
				   JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
	if (!value)
		return err_set(info, ERR_BAD_INPUT, "%s (near byte %d)", problem(&error),
			       error.position);
	*out = value;
	return OK;
}

enum err json_parse_strict(struct span text, json_t **out, struct err_info *info)
{
	json_t *value = NULL;
	enum err e = scan(text, info);
	if (e == OK)
		e = json_parse_any(text, &value, info);
	if (e)
		return e;
	const char *why = json_is_object(value) ? number_problem(value) : "not an object";
	if (why) {
		json_decref(value);
		return err_set(info, ERR_BAD_INPUT, "%s", why);
	}
	*out = value;
	return OK;
}

// Bytes of the character at the front, 0 where there is none of its shortest form.
static size_t utf8_character(struct span s)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} forms[] = {{0x80, 0x00, 1}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
	for (size_t n = 1; n <= 4 && n <= s.len; n++) {
		uint8_t lead = s.data[0];
		if ((lead & forms[n - 1].mask) != forms[n - 1].lead)
			continue;
		uint32_t c = lead & (uint8_t)~forms[n - 1].mask;
		for (size_t i = 1; i < n; i++) {
			if ((s.data[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s.data[i] & 0x3f);
		}
		bool surrogate = c >= 0xd800 && c <= 0xdfff;
		return c >= forms[n - 1].least && c <= 0x10ffff && !surrogate ? n : 0;
	}
	return 0;
}

bool json_text_valid(struct span text)
{
	for (size_t i = 0; i < text.len;) {
		size_t n = utf8_character(span(text.data + i, text.len - i));
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

static void free_wiped(void *p)
{
	if (!p)
		return;
	sodium_memzero(p, malloc_usable_size(p));
	free(p);
}

void json_wipe_on_free(void)
{
	json_set_alloc_funcs(malloc, free_wiped);
}
