// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/signed.h"

#include <string.h>

#include "wire/record_writer.h"

static bool type_form(const char *type)
{
	size_t len = strlen(type);
	return len >= 1 && len < RECORD_TYPE_SIZE &&
	       strspn(type, "abcdefghijklmnopqrstuvwxyz-") == len;
}

enum err signed_input(struct buf *out, const char *type, struct span body)
{
	static const char prefix[] = "sotto/1 ";
	size_t size = sizeof prefix - 1 + strlen(type) + 1;
	if (!type_form(type))
		return ERR_BAD_PARAMS;
	if (body.len > out->max - out->len || size > out->max - out->len - body.len)
		return ERR_TOO_LARGE;
	buf_put(out, prefix, sizeof prefix - 1);
	buf_put(out, type, strlen(type) + 1); // its NUL is the separator
	buf_put(out, body.data, body.len);
	return OK;
}

enum err envelope_encode(const struct envelope *e, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, e->type);
	if (!type_form(e->type))
		record_refuse(&w, "type", "must be 1 to 32 of a-z and '-'");
	record_put_binary(&w, "body", bytes_span(e->body), 1, ENVELOPE_BODY_MAX);
	record_put_binary(&w, "sig", bytes_span(e->signature), 1, RECORD_SIGNATURE_MAX);
	return record_end(&w, info);
}

enum err envelope_decode(struct envelope *e, struct span text, struct err_info *info)
{
	struct record r;
	*e = (struct envelope){0};
	record_open_any(&r, text, e->type);
	struct record_value root = record_root(&r);
	if (!record_failed(&r) && !type_form(e->type))
		record_fail(&r, "type", "must be 1 to 32 of a-z and '-'");
	record_get_binary(record_field(root, "body"), 1, ENVELOPE_BODY_MAX, &e->body);
	record_get_binary(record_field(root, "sig"), 1, RECORD_SIGNATURE_MAX, &e->signature);
	enum err code = record_close(&r, info);
	if (code)
		envelope_fini(e);
	return code;
}

void envelope_fini(struct envelope *e)
{
	bytes_unref(e->body);
	bytes_unref(e->signature);
	*e = (struct envelope){0};
}
