// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"

#define NO_INDEX SIZE_MAX

// --- forms ---------------------------------------------------------------------------------------

static bool made_of(const char *text, size_t len, const char *digits)
{
	return strlen(text) == len && strspn(text, digits) == len;
}

bool fingerprint_form(const char *text)
{
	return made_of(text, FINGERPRINT_SIZE - 1, "0123456789ABCDEF");
}

bool discussion_id_form(const char *text)
{
	return made_of(text, DISCUSSION_ID_SIZE - 1, "0123456789abcdef");
}

bool key_id_form(const char *text)
{
	return made_of(text, KEY_ID_SIZE - 1, "0123456789ABCDEF");
}

bool charter_form(const char *text)
{
	size_t len = strlen(text);
	if (strcmp(text, "all") == 0)
		return true;
	if (len < 1 || len > 2 || strspn(text, "0123456789") != len || text[0] == '0')
		return false;
	return strtol(text, NULL, 10) <= RECORD_MEMBERS_MAX;
}

// --- failures ------------------------------------------------------------------------------------

bool record_failed(const struct record *r)
{
	return r->failure.code != OK;
}

void record_fail(struct record *r, const char *field, const char *why)
{
	if (!record_failed(r))
		(void)err_set(&r->failure, ERR_BAD_INPUT, "%s: %s", field, why);
}

static void append_index(char *text, size_t size, size_t index)
{
	size_t len = strlen(text);
	if (index != NO_INDEX)
		snprintf(text + len, size - len, "[%zu]", index);
}

static void fail(struct record_value v, const char *why)
{
	char where[96] = "";
	if (record_failed(v.record))
		return;
	snprintf(where, sizeof where, "%s", v.outer ? v.outer : "record");
	append_index(where, sizeof where, v.index);
	if (v.name) {
		size_t len = strlen(where);
		snprintf(where + len, sizeof where - len, ".%s", v.name);
	}
	append_index(where, sizeof where, v.inner);
	record_fail(v.record, where, why);
}

static void fail_length(struct record_value v, const char *what, size_t min, size_t max)
{
	char why[96];
	snprintf(why, sizeof why, "must be %zu to %zu %s", min, max, what);
	fail(v, why);
}

// --- the record ----------------------------------------------------------------------------------

static enum err parse(struct span text, json_t **out, struct err_info *info)
{
	json_t *root;
	enum err e = json_parse_strict(text, &root, info);
	if (e)
		return e;
	const json_t *version = json_object_get(root, "v");
	if (!json_is_integer(version) || json_integer_value(version) != RECORD_VERSION) {
		json_decref(root);
		return err_set(info, ERR_BAD_INPUT, "v: must be %d", RECORD_VERSION);
	}
	*out = root;
	return OK;
}

void record_open_any(struct record *r, struct span text, char type[RECORD_TYPE_SIZE])
{
	*r = (struct record){0};
	type[0] = 0;
	if (parse(text, &r->root, &r->failure))
		return;
	record_get_string(record_field(record_root(r), "type"), 1, RECORD_TYPE_SIZE - 1, type);
}

void record_open(struct record *r, struct span text, const char *type)
{
	char found[RECORD_TYPE_SIZE];
	record_open_any(r, text, found);
	if (!record_failed(r) && strcmp(found, type) != 0)
		(void)err_set(&r->failure, ERR_BAD_INPUT, "type: must be %s", type);
}

enum err record_close(struct record *r, struct err_info *info)
{
	json_decref(r->root);
	r->root = NULL;
	if (record_failed(r) && info)
		*info = r->failure;
	return r->failure.code;
}

enum err record_peek_type(struct span text, char type[RECORD_TYPE_SIZE], struct err_info *info)
{
	struct record r;
	record_open_any(&r, text, type);
	return record_close(&r, info);
}

struct record_value record_root(struct record *r)
{
	return (struct record_value){
		.record = r, .json = r->root, .index = NO_INDEX, .inner = NO_INDEX};
}

// The place below v: names and indices fill outer[index].name[inner] from the left.
static struct record_value below_name(struct record_value v, const char *name)
{
	v.json = NULL;
	if (v.outer)
		v.name = name;
	else
		v.outer = name;
	return v;
}

struct record_value record_field(struct record_value object, const char *name)
{
	struct record_value v = below_name(object, name);
	if (record_failed(object.record))
		return v;
	if (!json_is_object(object.json)) {
		fail(object, "must be an object");
		return v;
	}
	v.json = json_object_get(object.json, name);
	if (!v.json)
		fail(v, "is missing");
	return v;
}

bool record_optional(struct record_value object, const char *name, struct record_value *out)
{
	if (record_failed(object.record))
		return false;
	if (!json_is_object(object.json)) {
		fail(object, "must be an object");
		return false;
	}
	json_t *json = json_object_get(object.json, name);
	if (!json)
		return false;
	*out = below_name(object, name);
	out->json = json;
	return true;
}

size_t record_array(struct record_value v, size_t min, size_t max)
{
	if (record_failed(v.record))
		return 0;
	size_t count = json_array_size(v.json);
	if (!json_is_array(v.json)) {
		fail(v, "must be an array");
		return 0;
	}
	if (count < min || count > max) {
		fail_length(v, "elements", min, max);
		return 0;
	}
	return count;
}

struct record_value record_item(struct record_value array, size_t i)
{
	struct record_value v = array;
	v.json = record_failed(array.record) ? NULL : json_array_get(array.json, i);
	if (v.index == NO_INDEX && !v.name)
		v.index = i;
	else
		v.inner = i;
	return v;
}

// --- gets ----------------------------------------------------------------------------------------

static bool get_string(struct record_value v, struct span *out)
{
	if (record_failed(v.record))
		return false;
	if (!json_is_string(v.json)) {
		fail(v, "must be a string");
		return false;
	}
	*out = span(json_string_value(v.json), json_string_length(v.json));
	return true;
}

static bool get_sized(struct record_value v, size_t min, size_t max, struct span *out)
{
	if (!get_string(v, out))
		return false;
	if (out->len >= min && out->len <= max)
		return true;
	fail_length(v, "bytes", min, max);
	return false;
}

void record_get_string(struct record_value v, size_t min, size_t max, char *out)
{
	struct span text;
	if (!get_sized(v, min, max, &text))
		return;
	memcpy(out, text.data, text.len);
	out[text.len] = 0;
}

void record_get_text(struct record_value v, size_t min, size_t max, struct bytes **out)
{
	struct span text;
	if (!get_sized(v, min, max, &text))
		return;
	*out = bytes_new_span(text);
	(*out)->wipe = true;
}

// Leaves the bytes in `data`, which the caller frees; false after a failure.
static bool get_decoded(struct record_value v, size_t min, size_t max, struct buf *data)
{
	struct span text;
	buf_init(data, max);
	if (!get_string(v, &text))
		return false;
	enum err e = base64url_decode(text, data);
	if (e == ERR_BAD_INPUT)
		fail(v, "must be base64url without padding");
	else if (e || data->len < min)
		fail_length(v, "bytes", min, max);
	else
		return true;
	return false;
}

void record_get_binary(struct record_value v, size_t min, size_t max, struct bytes **out)
{
	struct buf data;
	if (get_decoded(v, min, max, &data))
		*out = buf_take(&data);
	buf_fini(&data);
}

void record_get_binary_exact(struct record_value v, uint8_t *out, size_t len)
{
	struct buf data;
	if (get_decoded(v, len, len, &data))
		memcpy(out, data.data, len);
	buf_fini(&data);
}

void record_get_hash(struct record_value v, struct hash *out)
{
	record_get_binary_exact(v, out->bytes, sizeof out->bytes);
}

void record_get_integer(struct record_value v, int64_t min, int64_t max, int64_t *out)
{
	char why[96];
	if (record_failed(v.record))
		return;
	if (!json_is_integer(v.json)) {
		fail(v, "must be an integer");
		return;
	}
	int64_t value = json_integer_value(v.json);
	if (value >= min && value <= max) {
		*out = value;
		return;
	}
	snprintf(why, sizeof why, "must be %lld to %lld", (long long)min, (long long)max);
	fail(v, why);
}

void record_get_unsigned(struct record_value v, uint64_t min, uint64_t max, uint64_t *out)
{
	int64_t value = -1;
	record_get_integer(v, (int64_t)min, (int64_t)max, &value);
	if (!record_failed(v.record))
		*out = (uint64_t)value;
}

void record_get_epoch(struct record_value v, uint32_t *out)
{
	int64_t value = 0;
	record_get_integer(v, 0, UINT32_MAX, &value);
	if (!record_failed(v.record))
		*out = (uint32_t)value;
}

void record_get_time(struct record_value v, int64_t *out)
{
	record_get_integer(v, 0, JSON_INTEGER_MAX, out);
}

void record_get_boolean(struct record_value v, bool *out)
{
	if (record_failed(v.record))
		return;
	if (json_is_boolean(v.json))
		*out = json_is_true(v.json);
	else
		fail(v, "must be true or false");
}

static void get_form(struct record_value v, bool (*form)(const char *text), const char *why,
		     size_t size, char *out)
{
	struct span text;
	if (!get_string(v, &text))
		return;
	if (text.len >= size || !form(json_string_value(v.json))) {
		fail(v, why);
		return;
	}
	memcpy(out, text.data, text.len);
	out[text.len] = 0;
}

void record_get_fingerprint(struct record_value v, char out[FINGERPRINT_SIZE])
{
	get_form(v, fingerprint_form, "must be 40 upper-case hex digits", FINGERPRINT_SIZE, out);
}

void record_get_discussion(struct record_value v, char out[DISCUSSION_ID_SIZE])
{
	get_form(v, discussion_id_form, "must be 32 lower-case hex digits", DISCUSSION_ID_SIZE, out);
}

void record_get_key_id(struct record_value v, char out[KEY_ID_SIZE])
{
	get_form(v, key_id_form, "must be 16 upper-case hex digits", KEY_ID_SIZE, out);
}

void record_get_charter(struct record_value v, char out[RECORD_CHARTER_SIZE])
{
	get_form(v, charter_form, "must be all, or a number from 1 to 64", RECORD_CHARTER_SIZE, out);
}

void record_get_choice(struct record_value v, const char *const *names, unsigned count,
		       unsigned *out)
{
	struct span text;
	if (!get_string(v, &text))
		return;
	for (unsigned i = 0; i < count; i++) {
		if (span_equal(text, span_string(names[i]))) {
			*out = i;
			return;
		}
	}
	fail(v, "is none of the known values");
}
