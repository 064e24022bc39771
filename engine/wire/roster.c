// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/roster.h"

#include <string.h>

#include "wire/record_writer.h"

static const char *members_problem(const struct roster_record *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct roster_record_member *a = &r->members[i];
		for (size_t j = 0; j < i; j++) {
			const struct roster_record_member *b = &r->members[j];
			if (strcmp(a->fingerprint, b->fingerprint) == 0)
				return "a fingerprint twice";
			if (strcmp(a->key, b->key) == 0)
				return "a key id twice";
			if (hash_equal(&a->certificate, &b->certificate))
				return "a certificate twice";
		}
	}
	return NULL;
}

enum err roster_record_encode(const struct roster_record *r, struct buf *out,
			      struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "roster");
	bool fits = r->count >= ROSTER_RECORD_MEMBERS_MIN && r->count <= RECORD_MEMBERS_MAX;
	const char *why = fits ? members_problem(r) : "must be 2 to 64 elements";
	if (why)
		record_refuse(&w, "members", why);
	record_put_discussion(&w, "discussion", r->discussion);
	record_put_integer(&w, "epoch", r->epoch, 0, UINT32_MAX);
	if (r->epoch > 0)
		record_put_hash(&w, "previous", &r->previous);
	record_put_hash(&w, "charter", &r->charter);
	record_open_array(&w, "members");
	for (size_t i = 0; fits && i < r->count; i++) {
		record_open_object(&w, NULL);
		record_put_fingerprint(&w, "fingerprint", r->members[i].fingerprint);
		record_put_hash(&w, "certificate", &r->members[i].certificate);
		record_put_key_id(&w, "key", r->members[i].key);
		record_close_object(&w);
	}
	record_close_array(&w);
	return record_end(&w, info);
}

static void get_previous(struct record *r, struct roster_record *out)
{
	struct record_value root = record_root(r), previous;
	if (out->epoch > 0)
		record_get_hash(record_field(root, "previous"), &out->previous);
	else if (record_optional(root, "previous", &previous))
		record_fail(r, "previous", "does not belong into epoch 0");
}

enum err roster_record_decode(struct roster_record *out, struct span text, struct err_info *info)
{
	struct record r;
	*out = (struct roster_record){0};
	if (text.len > ROSTER_RECORD_MAX)
		return err_set(info, ERR_TOO_LARGE, "a roster of %zu bytes", text.len);
	record_open(&r, text, "roster");
	struct record_value root = record_root(&r);
	record_get_discussion(record_field(root, "discussion"), out->discussion);
	record_get_epoch(record_field(root, "epoch"), &out->epoch);
	get_previous(&r, out);
	record_get_hash(record_field(root, "charter"), &out->charter);
	struct record_value members = record_field(root, "members");
	out->count = record_array(members, ROSTER_RECORD_MEMBERS_MIN, RECORD_MEMBERS_MAX);
	for (size_t i = 0; i < out->count; i++) {
		struct record_value member = record_item(members, i);
		record_get_fingerprint(record_field(member, "fingerprint"),
				       out->members[i].fingerprint);
		record_get_hash(record_field(member, "certificate"), &out->members[i].certificate);
		record_get_key_id(record_field(member, "key"), out->members[i].key);
	}
	if (!record_failed(&r) && members_problem(out))
		record_fail(&r, "members", members_problem(out));
	enum err e = record_close(&r, info);
	if (e)
		*out = (struct roster_record){0};
	return e;
}
