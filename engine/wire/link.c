// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/link.h"

#include <string.h>

static void put_exact(struct record_writer *w, const char *name, const uint8_t *data, size_t len)
{
	record_put_binary(w, name, span(data, len), len, len);
}

enum err link_encode(const struct link_record *r, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "link");
	put_exact(&w, "nonce", r->nonce, sizeof r->nonce);
	put_exact(&w, "key", r->key, sizeof r->key);
	record_put_hash(&w, "proof", &r->proof);
	return record_end(&w, info);
}

enum err link_decode(struct link_record *l, struct span text, struct err_info *info)
{
	struct record r;
	*l = (struct link_record){0};
	record_open(&r, text, "link");
	struct record_value root = record_root(&r);
	record_get_binary_exact(record_field(root, "nonce"), l->nonce, sizeof l->nonce);
	record_get_binary_exact(record_field(root, "key"), l->key, sizeof l->key);
	record_get_hash(record_field(root, "proof"), &l->proof);
	enum err e = record_close(&r, info);
	if (e)
		*l = (struct link_record){0};
	return e;
}

enum err link_answer_encode(const struct link_answer_record *r, struct buf *out,
			    struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "link-answer");
	put_exact(&w, "nonce", r->nonce, sizeof r->nonce);
	put_exact(&w, "key", r->key, sizeof r->key);
	return record_end(&w, info);
}

enum err link_answer_decode(struct link_answer_record *l, struct span text, struct err_info *info)
{
	struct record r;
	*l = (struct link_answer_record){0};
	record_open(&r, text, "link-answer");
	struct record_value root = record_root(&r);
	record_get_binary_exact(record_field(root, "nonce"), l->nonce, sizeof l->nonce);
	record_get_binary_exact(record_field(root, "key"), l->key, sizeof l->key);
	enum err e = record_close(&r, info);
	if (e)
		*l = (struct link_answer_record){0};
	return e;
}

enum err link_proof_encode(const struct link_proof_record *r, struct buf *out,
			   struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "link-proof");
	record_put_fingerprint(&w, "fingerprint", r->fingerprint);
	record_put_integer(&w, "epoch", r->epoch, 0, UINT32_MAX);
	record_put_hash(&w, "roster_hash", &r->roster_hash);
	record_put_binary(&w, "rekeys", bytes_span(r->rekeys), 0, LINK_REKEYS_MAX);
	record_put_binary(&w, "signature", bytes_span(r->signature), 1, RECORD_SIGNATURE_MAX);
	return record_end(&w, info);
}

enum err link_proof_decode(struct link_proof_record *l, struct span text, struct err_info *info)
{
	struct record r;
	*l = (struct link_proof_record){0};
	record_open(&r, text, "link-proof");
	struct record_value root = record_root(&r);
	record_get_fingerprint(record_field(root, "fingerprint"), l->fingerprint);
	record_get_epoch(record_field(root, "epoch"), &l->epoch);
	record_get_hash(record_field(root, "roster_hash"), &l->roster_hash);
	record_get_binary(record_field(root, "rekeys"), 0, LINK_REKEYS_MAX, &l->rekeys);
	record_get_binary(record_field(root, "signature"), 1, RECORD_SIGNATURE_MAX, &l->signature);
	enum err e = record_close(&r, info);
	if (e)
		link_proof_fini(l);
	return e;
}

void link_proof_fini(struct link_proof_record *r)
{
	bytes_unref(r->rekeys);
	bytes_unref(r->signature);
	*r = (struct link_proof_record){0};
}

// --- L4 ------------------------------------------------------------------------------------------

// What the rows may not say, NULL where all is well.
static const char *rows_problem(const struct seen_record *s)
{
	static const struct hash none;
	for (size_t i = 0; i < s->count; i++) {
		if (s->rows[i].sequence == 0 && !hash_equal(&s->rows[i].hash, &none))
			return "a hash where there is no payload";
		for (size_t j = 0; j < i; j++)
			if (strcmp(s->rows[i].fingerprint, s->rows[j].fingerprint) == 0)
				return "a member twice";
	}
	return NULL;
}

enum err seen_encode(const struct seen_record *s, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "seen");
	bool fits = s->count <= RECORD_MEMBERS_MAX;
	const char *why = fits ? rows_problem(s) : "must be 0 to 64 elements";
	if (why)
		record_refuse(&w, "members", why);
	record_open_array(&w, "members");
	for (size_t i = 0; fits && i < s->count; i++) {
		record_open_object(&w, NULL);
		record_put_fingerprint(&w, "fingerprint", s->rows[i].fingerprint);
		record_put_integer(&w, "epoch", s->rows[i].epoch, 0, UINT32_MAX);
		record_put_integer(&w, "sequence", (int64_t)s->rows[i].sequence, 0,
				   RECORD_SEQUENCE_MAX);
		record_put_hash(&w, "hash", &s->rows[i].hash);
		record_close_object(&w);
	}
	record_close_array(&w);
	if (s->presence.record)
		presence_parts_put(&w, "presence", &s->presence);
	return record_end(&w, info);
}

enum err seen_decode(struct seen_record *s, struct span text, struct err_info *info)
{
	struct record r;
	struct record_value presence;
	*s = (struct seen_record){0};
	record_open(&r, text, "seen");
	struct record_value root = record_root(&r), members = record_field(root, "members");
	s->count = record_array(members, 0, RECORD_MEMBERS_MAX);
	for (size_t i = 0; i < s->count; i++) {
		struct record_value row = record_item(members, i);
		record_get_fingerprint(record_field(row, "fingerprint"), s->rows[i].fingerprint);
		record_get_epoch(record_field(row, "epoch"), &s->rows[i].epoch);
		record_get_unsigned(record_field(row, "sequence"), 0, RECORD_SEQUENCE_MAX,
				    &s->rows[i].sequence);
		record_get_hash(record_field(row, "hash"), &s->rows[i].hash);
	}
	if (!record_failed(&r) && rows_problem(s))
		record_fail(&r, "members", rows_problem(s));
	if (record_optional(root, "presence", &presence))
		presence_parts_get(presence, &s->presence);
	enum err e = record_close(&r, info);
	if (e)
		seen_fini(s);
	return e;
}

void seen_fini(struct seen_record *s)
{
	presence_parts_fini(&s->presence);
	*s = (struct seen_record){0};
}
