// SPDX-License-Identifier: GPL-3.0-or-later
#include "discussion/admission.h"

#include <string.h>

#include "wire/handshake.h"

#define BINDING_INPUT_MAX 1024

static struct bytes *made(enum err code, struct buf *b)
{
	struct bytes *bytes = code ? NULL : buf_take(b);
	buf_fini(b);
	return bytes;
}

struct bytes *admission_binding(const char *discussion, const struct hash *charter, const struct hash *certificate,
				const char *fingerprint)
{
	struct buf b;
	buf_init(&b, BINDING_INPUT_MAX);
	return made(binding_input(&b, discussion, charter, certificate, fingerprint), &b);
}

static enum err make_inputs(const struct envelope *e, struct admission *a, struct err_info *info)
{
	struct buf join;
	struct hash certificate = hash_of(bytes_span(a->join.certificate));
	buf_init(&join, ENVELOPE_BODY_MAX + RECORD_TYPE_SIZE);
	a->input = made(signed_input(&join, e->type, bytes_span(e->body)), &join);
	a->binding_input = admission_binding(a->join.discussion, &a->join.charter, &certificate, a->join.author);
	a->signature = bytes_ref(e->signature);
	return a->input && a->binding_input ? OK : err_set(info, ERR_TOO_LARGE, "a JOIN whose signature cannot be looked at");
}

static enum err open_join(struct bytes *envelope, struct envelope *e, struct join_record *join, struct err_info *info)
{
	enum err code = envelope_decode(e, bytes_span(envelope), info);
	if (code)
		return code;
	if (strcmp(e->type, JOIN_TYPE))
		code = err_set(info, ERR_BAD_INPUT, "not a JOIN");
	else
		code = join_decode(join, bytes_span(e->body), info);
	if (code)
		envelope_fini(e);
	return code;
}

static const char *misfit(const struct op *op, const struct join_record *join, const struct roster_record *roster,
			  const struct hash *roster_hash)
{
	struct hash certificate = hash_of(bytes_span(join->certificate));
	if (strcmp(join->discussion, roster->discussion))
		return "another discussion";
	if (!hash_equal(&join->roster, roster_hash))
		return "another epoch";
	if (!hash_equal(&join->charter, &roster->charter))
		return "another charter";
	if (strcmp(join->author, op->candidate.fingerprint))
		return "somebody else";
	if (!hash_equal(&certificate, &op->candidate.certificate))
		return "another certificate";
	return NULL;
}

enum err admission_read(const struct op *op, const struct roster_record *roster, const struct hash *roster_hash,
			struct admission *out, struct err_info *info)
{
	struct envelope e;
	*out = (struct admission){0};
	if (op->kind != OP_ADMIT)
		return err_set(info, ERR_BAD_INPUT, "nobody is admitted by that");
	enum err code = open_join(op->join, &e, &out->join, info);
	if (code)
		return code;
	const char *why = misfit(op, &out->join, roster, roster_hash);
	code = why ? err_set(info, ERR_BAD_INPUT, "the JOIN is for %s", why) : make_inputs(&e, out, info);
	envelope_fini(&e);
	if (code)
		admission_fini(out);
	return code;
}

void admission_fini(struct admission *a)
{
	join_fini(&a->join);
	bytes_unref(a->input);
	bytes_unref(a->signature);
	bytes_unref(a->binding_input);
	*a = (struct admission){0};
}

enum err admission_op(struct bytes *join_envelope, const char *key, struct buf *out, struct err_info *info)
{
	struct envelope e;
	struct join_record join;
	struct op op = {.kind = OP_ADMIT, .join = join_envelope};
	enum err code = open_join(join_envelope, &e, &join, info);
	if (code)
		return code;
	memcpy(op.candidate.fingerprint, join.author, sizeof op.candidate.fingerprint);
	memcpy(op.candidate.key, key, sizeof op.candidate.key);
	op.candidate.certificate = hash_of(bytes_span(join.certificate));
	code = op_encode(&op, out, info);
	join_fini(&join);
	envelope_fini(&e);
	return code;
}
