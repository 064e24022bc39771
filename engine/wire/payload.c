// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/payload.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/mem.h"
#include "wire/record_writer.h"

// Bytes of everything but seen and items, with every number and name as long as it can be, and some
// to spare; and of one row of seen.
#define BASE_SIZE 512
#define SEEN_SIZE 128
// {"t":"text","nonce":"22 digits","time":16 digits,"text":}, and {"t":"close"}, with a comma
#define TEXT_ITEM_SIZE 80
#define CLOSE_ITEM_SIZE 14
// {"t":"rekey","certificate":"4 digits for 3 bytes"}, with a comma
#define REKEY_ITEM_SIZE 40
// {"t":"complaint","sender":"40 digits","sequence":16 digits,"hash":"43 digits"}, with a comma
#define COMPLAINT_ITEM_SIZE 160
#define ITEM_TYPE_MAX 32

// --- checks both ways ----------------------------------------------------------------------------

static const char *seen_problem(const struct payload *p)
{
	for (size_t i = 0; i < p->seen_count; i++) {
		if (strcmp(p->seen[i].fingerprint, p->sender) == 0)
			return "the sender itself";
		for (size_t j = 0; j < i; j++)
			if (strcmp(p->seen[i].fingerprint, p->seen[j].fingerprint) == 0)
				return "a member twice";
	}
	return NULL;
}

static size_t count_rekeys(const struct payload *p)
{
	size_t count = 0;
	for (size_t i = 0; i < p->item_count; i++)
		count += p->items[i].type == PAYLOAD_REKEY;
	return count;
}

enum err payload_text_check(struct span text, struct err_info *info)
{
	if (text.len > PAYLOAD_TEXT_MAX)
		return err_set(info, ERR_TOO_LARGE, "a text of more than %d bytes",
			       PAYLOAD_TEXT_MAX);
	if (text.len == 0)
		return err_set(info, ERR_BAD_PARAMS, "an empty text");
	if (!json_text_valid(text))
		return err_set(info, ERR_BAD_PARAMS, "a text that is not UTF-8, or holds U+0000");
	return OK;
}

// --- encode --------------------------------------------------------------------------------------

static void put_item(struct record_writer *w, const struct payload_item *item)
{
	record_open_object(w, NULL);
	switch (item->type) {
	case PAYLOAD_TEXT:
		record_put_string(w, "t", span_string("text"), 1, ITEM_TYPE_MAX);
		record_put_binary(w, "nonce", span(item->nonce, PAYLOAD_NONCE_LEN),
				  PAYLOAD_NONCE_LEN, PAYLOAD_NONCE_LEN);
		record_put_integer(w, "time", item->time_ms, 0, JSON_INTEGER_MAX);
		record_put_string(w, "text", bytes_span(item->text), 1, PAYLOAD_TEXT_MAX);
		break;
	case PAYLOAD_CLOSE:
		record_put_string(w, "t", span_string("close"), 1, ITEM_TYPE_MAX);
		break;
	case PAYLOAD_REKEY:
		record_put_string(w, "t", span_string("rekey"), 1, ITEM_TYPE_MAX);
		record_put_binary(w, "certificate", bytes_span(item->certificate), 1, RECORD_DISCUSSION_CERTIFICATE_MAX);
		break;
	case PAYLOAD_COMPLAINT:
		record_put_string(w, "t", span_string("complaint"), 1, ITEM_TYPE_MAX);
		record_put_fingerprint(w, "sender", item->about);
		record_put_integer(w, "sequence", (int64_t)item->sequence, 1, RECORD_SEQUENCE_MAX);
		record_put_hash(w, "hash", &item->hash);
		break;
	case PAYLOAD_UNKNOWN:
		record_refuse(w, "items", "an item of an unknown type");
		break;
	}
	record_close_object(w);
}

static void put_seen(struct record_writer *w, const struct payload *p)
{
	record_open_array(w, "seen");
	for (size_t i = 0; i < p->seen_count; i++) {
		record_open_array(w, NULL);
		record_put_fingerprint(w, NULL, p->seen[i].fingerprint);
		record_put_integer(w, NULL, (int64_t)p->seen[i].sequence, 1, RECORD_SEQUENCE_MAX);
		record_put_hash(w, NULL, &p->seen[i].hash);
		record_close_array(w);
	}
	record_close_array(w);
}

enum err payload_encode(const struct payload *p, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	size_t max = out->max;
	if (p->seen_count >= RECORD_MEMBERS_MAX)
		return err_set(info, ERR_BAD_PARAMS, "seen: must be 0 to 63 elements");
	if (p->item_count > PAYLOAD_ITEMS_MAX)
		return err_set(info, ERR_BAD_PARAMS, "items: must be 0 to 1000 elements");
	if (max - out->len > PAYLOAD_BUILD_MAX)
		out->max = out->len + PAYLOAD_BUILD_MAX;
	record_begin(&w, out, "payload");
	if (seen_problem(p))
		record_refuse(&w, "seen", seen_problem(p));
	if (count_rekeys(p) > 1)
		record_refuse(&w, "items", "two new keys");
	record_put_discussion(&w, "discussion", p->discussion);
	record_put_integer(&w, "epoch", p->epoch, 0, UINT32_MAX);
	record_put_hash(&w, "roster_hash", &p->roster_hash);
	record_put_fingerprint(&w, "sender", p->sender);
	record_put_integer(&w, "sequence", (int64_t)p->sequence, 1, RECORD_SEQUENCE_MAX);
	record_put_hash(&w, "previous", &p->previous);
	put_seen(&w, p);
	record_put_integer(&w, "time", p->time_ms, 0, JSON_INTEGER_MAX);
	record_open_array(&w, "items");
	for (size_t i = 0; i < p->item_count; i++)
		put_item(&w, &p->items[i]);
	record_close_array(&w);
	enum err e = record_end(&w, info);
	out->max = max;
	return e;
}

size_t payload_size_base(size_t seen_count)
{
	return BASE_SIZE + seen_count * SEEN_SIZE;
}

size_t payload_size_item(const struct payload_item *item)
{
	if (item->type == PAYLOAD_CLOSE)
		return CLOSE_ITEM_SIZE;
	if (item->type == PAYLOAD_COMPLAINT)
		return COMPLAINT_ITEM_SIZE;
	if (item->type == PAYLOAD_REKEY)
		return REKEY_ITEM_SIZE + (item->certificate->len + 2) / 3 * 4;
	return TEXT_ITEM_SIZE + record_string_size(bytes_span(item->text));
}

// --- decode --------------------------------------------------------------------------------------

static void keep_unknown(struct record_value v, struct payload_item *item)
{
	struct buf text;
	buf_init_wiped(&text, PAYLOAD_MAX);
	item->type = PAYLOAD_UNKNOWN;
	if (json_encode_compact(v.json, &text))
		record_fail(v.record, "items", "an item that is too large");
	else
		item->unknown = buf_take(&text);
	buf_fini(&text);
}

static void get_item(struct record_value v, struct payload_item *item)
{
	char type[ITEM_TYPE_MAX + 1] = "";
	record_get_string(record_field(v, "t"), 1, ITEM_TYPE_MAX, type);
	if (record_failed(v.record))
		return;
	if (strcmp(type, "text") == 0) {
		item->type = PAYLOAD_TEXT;
		record_get_binary_exact(record_field(v, "nonce"), item->nonce, PAYLOAD_NONCE_LEN);
		record_get_time(record_field(v, "time"), &item->time_ms);
		record_get_text(record_field(v, "text"), 1, PAYLOAD_TEXT_MAX, &item->text);
	} else if (strcmp(type, "close") == 0) {
		item->type = PAYLOAD_CLOSE;
	} else if (strcmp(type, "rekey") == 0) {
		item->type = PAYLOAD_REKEY;
		record_get_binary(record_field(v, "certificate"), 1, RECORD_DISCUSSION_CERTIFICATE_MAX, &item->certificate);
	} else if (strcmp(type, "complaint") == 0) {
		item->type = PAYLOAD_COMPLAINT;
		record_get_fingerprint(record_field(v, "sender"), item->about);
		record_get_unsigned(record_field(v, "sequence"), 1, RECORD_SEQUENCE_MAX, &item->sequence);
		record_get_hash(record_field(v, "hash"), &item->hash);
	} else {
		keep_unknown(v, item);
	}
}

static void get_seen(struct record_value v, struct payload *p)
{
	p->seen_count = record_array(v, 0, RECORD_MEMBERS_MAX - 1);
	for (size_t i = 0; i < p->seen_count; i++) {
		struct record_value row = record_item(v, i);
		if (record_array(row, 3, 3) == 0)
			return;
		record_get_fingerprint(record_item(row, 0), p->seen[i].fingerprint);
		record_get_unsigned(record_item(row, 1), 1, RECORD_SEQUENCE_MAX,
				    &p->seen[i].sequence);
		record_get_hash(record_item(row, 2), &p->seen[i].hash);
	}
}

enum err payload_decode(struct payload *p, struct span text, struct err_info *info)
{
	struct record r;
	*p = (struct payload){0};
	if (text.len > PAYLOAD_MAX)
		return err_set(info, ERR_TOO_LARGE, "a payload of %zu bytes", text.len);
	record_open(&r, text, "payload");
	struct record_value root = record_root(&r);
	record_get_discussion(record_field(root, "discussion"), p->discussion);
	record_get_epoch(record_field(root, "epoch"), &p->epoch);
	record_get_hash(record_field(root, "roster_hash"), &p->roster_hash);
	record_get_fingerprint(record_field(root, "sender"), p->sender);
	record_get_unsigned(record_field(root, "sequence"), 1, RECORD_SEQUENCE_MAX, &p->sequence);
	record_get_hash(record_field(root, "previous"), &p->previous);
	get_seen(record_field(root, "seen"), p);
	if (!record_failed(&r) && seen_problem(p))
		record_fail(&r, "seen", seen_problem(p));
	record_get_time(record_field(root, "time"), &p->time_ms);
	struct record_value items = record_field(root, "items");
	p->item_count = record_array(items, 0, PAYLOAD_ITEMS_MAX);
	p->items = mem_alloc_array(p->item_count ? p->item_count : 1, sizeof *p->items);
	for (size_t i = 0; i < p->item_count; i++)
		get_item(record_item(items, i), &p->items[i]);
	if (!record_failed(&r) && count_rekeys(p) > 1)
		record_fail(&r, "items", "two new keys");
	enum err e = record_close(&r, info);
	if (e)
		payload_fini(p);
	return e;
}

void payload_fini(struct payload *p)
{
	for (size_t i = 0; p->items && i < p->item_count; i++) {
		bytes_unref(p->items[i].text);
		bytes_unref(p->items[i].certificate);
		bytes_unref(p->items[i].unknown);
	}
	free(p->items);
	*p = (struct payload){0};
}

void message_id_make(const char *discussion, const char *sender,
		     const uint8_t nonce[PAYLOAD_NONCE_LEN], char out[MESSAGE_ID_SIZE])
{
	struct buf b;
	buf_init(&b, 512);
	enum err e = LV_CAT(&b, span_string("sotto/1 message"), span_string(discussion),
			    span_string(sender), span(nonce, PAYLOAD_NONCE_LEN));
	assert(e == OK);
	(void)e;
	struct hash h = hash_of(buf_span(&b));
	hex_encode_lower(span(h.bytes, (MESSAGE_ID_SIZE - 1) / 2), out);
	buf_fini(&b);
}
