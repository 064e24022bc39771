// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/join.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/record_writer.h"

// How many of the elements may be written: none where their number is out of its limits, which is kept as the failure.
static size_t open_members(struct record_writer *w, size_t count)
{
	bool fits = count >= ROSTER_RECORD_MEMBERS_MIN && count <= RECORD_MEMBERS_MAX;
	if (!fits)
		record_refuse(w, "members", "must be 2 to 64 elements");
	record_open_array(w, "members");
	return fits ? count : 0;
}

static void put_certificate(struct record_writer *w, const struct bytes *certificate)
{
	record_put_binary(w, "certificate", bytes_span(certificate), 1, RECORD_DISCUSSION_CERTIFICATE_MAX);
}

static void get_certificate(struct record_value object, struct bytes **out)
{
	record_get_binary(record_field(object, "certificate"), 1, RECORD_DISCUSSION_CERTIFICATE_MAX, out);
}

static void put_origin(struct record_writer *w, const struct bytes *binding, const struct bytes *general)
{
	record_put_binary(w, "binding", bytes_span(binding), 1, RECORD_SIGNATURE_MAX);
	record_put_binary(w, "general", bytes_span(general), 1, RECORD_CERTIFICATE_MAX);
}

static void get_origin(struct record_value object, struct bytes **binding, struct bytes **general)
{
	record_get_binary(record_field(object, "binding"), 1, RECORD_SIGNATURE_MAX, binding);
	record_get_binary(record_field(object, "general"), 1, RECORD_CERTIFICATE_MAX, general);
}

static enum err check_size(struct span text, size_t max, const char *what, struct err_info *info)
{
	return text.len > max ? err_set(info, ERR_TOO_LARGE, "%s of %zu bytes", what, text.len) : OK;
}

// --- INVITE -----------------------------------------------------------------------------------------------------------------

enum err invite_encode(const struct invite_record *r, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "invite");
	record_put_discussion(&w, "discussion", r->discussion);
	record_put_integer(&w, "time", r->time_ms, 0, JSON_INTEGER_MAX);
	record_put_hash(&w, "first", &r->first);
	record_put_binary(&w, "roster", bytes_span(r->roster), 1, ROSTER_RECORD_MAX);
	record_put_charter(&w, "charter", r->charter);
	size_t count = open_members(&w, r->count);
	for (size_t i = 0; i < count; i++) {
		record_open_object(&w, NULL);
		put_certificate(&w, r->members[i].certificate);
		if (r->members[i].presence.record)
			presence_parts_put(&w, "presence", &r->members[i].presence);
		record_close_object(&w);
	}
	record_close_array(&w);
	return record_end(&w, info);
}

static void get_invited(struct record_value member, struct invite_member *out)
{
	struct record_value presence;
	get_certificate(member, &out->certificate);
	if (record_optional(member, "presence", &presence))
		presence_parts_get(presence, &out->presence);
}

enum err invite_decode(struct invite_record *out, struct span text, struct err_info *info)
{
	struct record r;
	*out = (struct invite_record){0};
	enum err e = check_size(text, INVITE_MAX, "an invitation", info);
	if (e)
		return e;
	record_open(&r, text, "invite");
	struct record_value root = record_root(&r);
	record_get_discussion(record_field(root, "discussion"), out->discussion);
	record_get_time(record_field(root, "time"), &out->time_ms);
	record_get_hash(record_field(root, "first"), &out->first);
	record_get_binary(record_field(root, "roster"), 1, ROSTER_RECORD_MAX, &out->roster);
	record_get_charter(record_field(root, "charter"), out->charter);
	struct record_value members = record_field(root, "members");
	out->count = record_array(members, ROSTER_RECORD_MEMBERS_MIN, RECORD_MEMBERS_MAX);
	out->members = mem_alloc_array(out->count + 1, sizeof *out->members);
	for (size_t i = 0; i < out->count; i++)
		get_invited(record_item(members, i), &out->members[i]);
	e = record_close(&r, info);
	if (e)
		invite_fini(out);
	return e;
}

void invite_fini(struct invite_record *r)
{
	for (size_t i = 0; r->members && i < r->count; i++) {
		bytes_unref(r->members[i].certificate);
		presence_parts_fini(&r->members[i].presence);
	}
	free(r->members);
	bytes_unref(r->roster);
	*r = (struct invite_record){0};
}

// --- JOIN -------------------------------------------------------------------------------------------------------------------

enum err join_encode(const struct join_record *r, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, JOIN_TYPE);
	record_put_discussion(&w, "discussion", r->discussion);
	record_put_fingerprint(&w, "author", r->author);
	record_put_hash(&w, "roster", &r->roster);
	record_put_hash(&w, "charter", &r->charter);
	put_certificate(&w, r->certificate);
	put_origin(&w, r->binding, r->general);
	presence_parts_put(&w, "presence", &r->presence);
	return record_end(&w, info);
}

enum err join_decode(struct join_record *out, struct span text, struct err_info *info)
{
	struct record r;
	*out = (struct join_record){0};
	enum err e = check_size(text, JOIN_MAX, "a request to join", info);
	if (e)
		return e;
	record_open(&r, text, JOIN_TYPE);
	struct record_value root = record_root(&r);
	record_get_discussion(record_field(root, "discussion"), out->discussion);
	record_get_fingerprint(record_field(root, "author"), out->author);
	record_get_hash(record_field(root, "roster"), &out->roster);
	record_get_hash(record_field(root, "charter"), &out->charter);
	get_certificate(root, &out->certificate);
	get_origin(root, &out->binding, &out->general);
	presence_parts_get(record_field(root, "presence"), &out->presence);
	e = record_close(&r, info);
	if (e)
		join_fini(out);
	return e;
}

void join_fini(struct join_record *r)
{
	bytes_unref(r->certificate);
	bytes_unref(r->binding);
	bytes_unref(r->general);
	presence_parts_fini(&r->presence);
	*r = (struct join_record){0};
}

// --- DECLINE ----------------------------------------------------------------------------------------------------------------

enum err decline_encode(const struct decline_record *r, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "decline");
	record_put_discussion(&w, "discussion", r->discussion);
	record_put_integer(&w, "time", r->time_ms, 0, JSON_INTEGER_MAX);
	record_put_string(&w, "reason", span_string(r->reason), 0, DECLINE_REASON_MAX);
	return record_end(&w, info);
}

enum err decline_decode(struct decline_record *out, struct span text, struct err_info *info)
{
	struct record r;
	*out = (struct decline_record){0};
	record_open(&r, text, "decline");
	struct record_value root = record_root(&r);
	record_get_discussion(record_field(root, "discussion"), out->discussion);
	record_get_time(record_field(root, "time"), &out->time_ms);
	record_get_string(record_field(root, "reason"), 0, DECLINE_REASON_MAX, out->reason);
	enum err e = record_close(&r, info);
	if (e)
		*out = (struct decline_record){0};
	return e;
}

// --- the beginning ------------------------------------------------------------------------------------------------------------

enum err founding_encode(const struct founding_record *r, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "founding");
	record_put_binary(&w, "roster", bytes_span(r->roster), 1, ROSTER_RECORD_MAX);
	record_put_charter(&w, "charter", r->charter);
	size_t count = open_members(&w, r->count);
	for (size_t i = 0; i < count; i++) {
		record_open_object(&w, NULL);
		put_certificate(&w, r->members[i].certificate);
		put_origin(&w, r->members[i].binding, r->members[i].general);
		record_close_object(&w);
	}
	record_close_array(&w);
	return record_end(&w, info);
}

enum err founding_decode(struct founding_record *out, struct span text, struct err_info *info)
{
	struct record r;
	*out = (struct founding_record){0};
	enum err e = check_size(text, FOUNDING_MAX, "a founding", info);
	if (e)
		return e;
	record_open(&r, text, "founding");
	struct record_value root = record_root(&r);
	record_get_binary(record_field(root, "roster"), 1, ROSTER_RECORD_MAX, &out->roster);
	record_get_charter(record_field(root, "charter"), out->charter);
	struct record_value members = record_field(root, "members");
	out->count = record_array(members, ROSTER_RECORD_MEMBERS_MIN, RECORD_MEMBERS_MAX);
	out->members = mem_alloc_array(out->count + 1, sizeof *out->members);
	for (size_t i = 0; i < out->count; i++) {
		struct record_value member = record_item(members, i);
		struct founding_member *m = &out->members[i];
		get_certificate(member, &m->certificate);
		get_origin(member, &m->binding, &m->general);
	}
	e = record_close(&r, info);
	if (e)
		founding_fini(out);
	return e;
}

void founding_fini(struct founding_record *r)
{
	for (size_t i = 0; r->members && i < r->count; i++) {
		bytes_unref(r->members[i].certificate);
		bytes_unref(r->members[i].binding);
		bytes_unref(r->members[i].general);
	}
	free(r->members);
	bytes_unref(r->roster);
	*r = (struct founding_record){0};
}
