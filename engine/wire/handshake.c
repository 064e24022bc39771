// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/handshake.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/encode.h"
#include "wire/signed.h"

#define HELLO_ROLE_COUNT 1
static const char *const roles[HELLO_ROLE_COUNT] = {"initiator"};
static const char *const modes[] = {[HELLO_PASSWORD] = "password", [HELLO_PINNED] = "pinned"};
static const char *const reasons[REFUSE_REASON_COUNT] = {
	[REFUSE_REFUSED] = "refused",
	[REFUSE_BUSY] = "busy",
	[REFUSE_EXPIRED] = "expired",
	[REFUSE_SUPERSEDED] = "superseded",
};

static void put_exact(struct record_writer *w, const char *name, const uint8_t *data, size_t len)
{
	record_put_binary(w, name, span(data, len), len, len);
}

// --- M1 ------------------------------------------------------------------------------------------

enum err hello_encode(const struct hello_record *r, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "hello");
	record_put_choice(&w, "role", roles, HELLO_ROLE_COUNT, 0);
	record_put_choice(&w, "mode", modes, 2, r->mode);
	record_put_fingerprint(&w, "fingerprint", r->fingerprint);
	record_put_fingerprint(&w, "to", r->to);
	put_exact(&w, "nonce", r->nonce, sizeof r->nonce);
	record_put_hash(&w, "general", &r->general);
	record_put_hash(&w, "discussion", &r->discussion);
	record_put_charter(&w, "charter", r->charter);
	presence_parts_put(&w, "presence", &r->presence);
	return record_end(&w, info);
}

enum err hello_decode(struct hello_record *h, struct span text, struct err_info *info)
{
	struct record r;
	unsigned role = 0, mode = 0;
	*h = (struct hello_record){0};
	record_open(&r, text, "hello");
	struct record_value root = record_root(&r);
	record_get_choice(record_field(root, "role"), roles, HELLO_ROLE_COUNT, &role);
	record_get_choice(record_field(root, "mode"), modes, 2, &mode);
	h->mode = mode;
	record_get_fingerprint(record_field(root, "fingerprint"), h->fingerprint);
	record_get_fingerprint(record_field(root, "to"), h->to);
	record_get_binary_exact(record_field(root, "nonce"), h->nonce, sizeof h->nonce);
	record_get_hash(record_field(root, "general"), &h->general);
	record_get_hash(record_field(root, "discussion"), &h->discussion);
	record_get_charter(record_field(root, "charter"), h->charter);
	presence_parts_get(record_field(root, "presence"), &h->presence);
	enum err e = record_close(&r, info);
	if (e)
		hello_fini(h);
	return e;
}

void hello_fini(struct hello_record *r)
{
	presence_parts_fini(&r->presence);
	*r = (struct hello_record){0};
}

// --- M2 and certificates -------------------------------------------------------------------------

enum err hello_answer_encode(const struct hello_answer_record *r, struct buf *out,
			     struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "hello-answer");
	put_exact(&w, "nonce", r->nonce, sizeof r->nonce);
	record_put_hash(&w, "general", &r->general);
	return record_end(&w, info);
}

enum err hello_answer_decode(struct hello_answer_record *h, struct span text,
			     struct err_info *info)
{
	struct record r;
	*h = (struct hello_answer_record){0};
	record_open(&r, text, "hello-answer");
	struct record_value root = record_root(&r);
	record_get_binary_exact(record_field(root, "nonce"), h->nonce, sizeof h->nonce);
	record_get_hash(record_field(root, "general"), &h->general);
	enum err e = record_close(&r, info);
	if (e)
		*h = (struct hello_answer_record){0};
	return e;
}

enum err certificate_wanted_encode(const struct certificate_wanted_record *r, struct buf *out,
				   struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "certificate-wanted");
	record_put_hash(&w, "hash", &r->hash);
	return record_end(&w, info);
}

enum err certificate_wanted_decode(struct certificate_wanted_record *c, struct span text,
				   struct err_info *info)
{
	struct record r;
	*c = (struct certificate_wanted_record){0};
	record_open(&r, text, "certificate-wanted");
	record_get_hash(record_field(record_root(&r), "hash"), &c->hash);
	return record_close(&r, info);
}

// --- M3 ------------------------------------------------------------------------------------------

enum err open_encode(const struct open_record *r, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "open");
	record_put_hash(&w, "hello", &r->hello);
	record_put_discussion(&w, "id", r->id);
	record_put_hash(&w, "charter", &r->charter);
	record_put_binary(&w, "certificate", bytes_span(r->certificate), 1,
			  RECORD_DISCUSSION_CERTIFICATE_MAX);
	record_put_binary(&w, "binding", bytes_span(r->binding), 1, RECORD_SIGNATURE_MAX);
	put_exact(&w, "share", r->share, sizeof r->share);
	return record_end(&w, info);
}

enum err open_decode(struct open_record *o, struct span text, struct err_info *info)
{
	struct record r;
	*o = (struct open_record){0};
	record_open(&r, text, "open");
	struct record_value root = record_root(&r);
	record_get_hash(record_field(root, "hello"), &o->hello);
	record_get_discussion(record_field(root, "id"), o->id);
	record_get_hash(record_field(root, "charter"), &o->charter);
	record_get_binary(record_field(root, "certificate"), 1, RECORD_DISCUSSION_CERTIFICATE_MAX,
			  &o->certificate);
	record_get_binary(record_field(root, "binding"), 1, RECORD_SIGNATURE_MAX, &o->binding);
	record_get_binary_exact(record_field(root, "share"), o->share, sizeof o->share);
	enum err e = record_close(&r, info);
	if (e)
		open_fini(o);
	return e;
}

void open_fini(struct open_record *r)
{
	bytes_unref(r->certificate);
	bytes_unref(r->binding);
	*r = (struct open_record){0};
}

enum err open_frame_split(struct span payload, struct span *signature, struct span *message,
			  struct err_info *info)
{
	if (payload.len <= PRESENCE_SIGNATURE_LEN)
		return err_set(info, ERR_BAD_INPUT, "an opening without a message");
	*signature = span(payload.data, PRESENCE_SIGNATURE_LEN);
	*message = span(payload.data + PRESENCE_SIGNATURE_LEN,
			payload.len - PRESENCE_SIGNATURE_LEN);
	return OK;
}

struct bytes *open_frame_join(const uint8_t signature[PRESENCE_SIGNATURE_LEN], struct span message)
{
	struct buf b;
	buf_init(&b, PRESENCE_SIGNATURE_LEN + message.len);
	buf_put(&b, signature, PRESENCE_SIGNATURE_LEN);
	buf_put(&b, message.data, message.len);
	return buf_take(&b);
}

static void open_input(struct buf *input, struct span m1, struct span m2, struct span message)
{
	struct buf body;
	size_t max = m1.len + m2.len + message.len + 64; // the lengths, and the prefix
	buf_init(&body, max);
	buf_init(input, max + 64);
	enum err e = LV_CAT(&body, m1, m2, message);
	if (!e)
		e = signed_input(input, "open", buf_span(&body));
	assert(e == OK);
	(void)e;
	buf_fini(&body);
}

void open_sign(struct span m1, struct span m2, struct span message,
	       const uint8_t secret_key[PRESENCE_SECRET_KEY_LEN],
	       uint8_t signature[PRESENCE_SIGNATURE_LEN])
{
	struct buf input;
	open_input(&input, m1, m2, message);
	crypto_sign_detached(signature, NULL, input.data, input.len, secret_key);
	buf_fini(&input);
}

enum err open_verify(struct span m1, struct span m2, struct span message,
		     const uint8_t signature[PRESENCE_SIGNATURE_LEN],
		     const uint8_t key[PRESENCE_KEY_LEN])
{
	struct buf input;
	open_input(&input, m1, m2, message);
	int bad = crypto_sign_verify_detached(signature, input.data, input.len, key);
	buf_fini(&input);
	return bad ? ERR_CRYPTO : OK;
}

// --- M4 to M7 ------------------------------------------------------------------------------------

enum err answer_encode(const struct answer_record *r, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "answer");
	record_put_hash(&w, "open", &r->open);
	put_exact(&w, "share", r->share, sizeof r->share);
	record_put_hash(&w, "discussion", &r->discussion);
	return record_end(&w, info);
}

enum err answer_decode(struct answer_record *a, struct span text, struct err_info *info)
{
	struct record r;
	*a = (struct answer_record){0};
	record_open(&r, text, "answer");
	struct record_value root = record_root(&r);
	record_get_hash(record_field(root, "open"), &a->open);
	record_get_binary_exact(record_field(root, "share"), a->share, sizeof a->share);
	record_get_hash(record_field(root, "discussion"), &a->discussion);
	enum err e = record_close(&r, info);
	if (e)
		*a = (struct answer_record){0};
	return e;
}

enum err confirm_encode(const struct confirm_record *r, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "confirm");
	put_exact(&w, "mac", r->mac, sizeof r->mac);
	return record_end(&w, info);
}

enum err confirm_decode(struct confirm_record *c, struct span text, struct err_info *info)
{
	struct record r;
	*c = (struct confirm_record){0};
	record_open(&r, text, "confirm");
	record_get_binary_exact(record_field(record_root(&r), "mac"), c->mac, sizeof c->mac);
	return record_close(&r, info);
}

enum err confirm_answer_encode(const struct confirm_answer_record *r, struct buf *out,
			       struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "confirm-answer");
	put_exact(&w, "mac", r->mac, sizeof r->mac);
	record_put_binary(&w, "certificate", bytes_span(r->certificate), 1,
			  RECORD_DISCUSSION_CERTIFICATE_MAX);
	record_put_binary(&w, "binding", bytes_span(r->binding), 1, RECORD_SIGNATURE_MAX);
	record_put_binary(&w, "roster", bytes_span(r->roster), 1, ROSTER_RECORD_MAX);
	return record_end(&w, info);
}

enum err confirm_answer_decode(struct confirm_answer_record *c, struct span text,
			       struct err_info *info)
{
	struct record r;
	*c = (struct confirm_answer_record){0};
	record_open(&r, text, "confirm-answer");
	struct record_value root = record_root(&r);
	record_get_binary_exact(record_field(root, "mac"), c->mac, sizeof c->mac);
	record_get_binary(record_field(root, "certificate"), 1, RECORD_DISCUSSION_CERTIFICATE_MAX,
			  &c->certificate);
	record_get_binary(record_field(root, "binding"), 1, RECORD_SIGNATURE_MAX, &c->binding);
	record_get_binary(record_field(root, "roster"), 1, ROSTER_RECORD_MAX, &c->roster);
	enum err e = record_close(&r, info);
	if (e)
		confirm_answer_fini(c);
	return e;
}

void confirm_answer_fini(struct confirm_answer_record *r)
{
	bytes_unref(r->certificate);
	bytes_unref(r->binding);
	bytes_unref(r->roster);
	*r = (struct confirm_answer_record){0};
}

enum err ready_encode(const struct ready_record *r, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "ready");
	record_put_hash(&w, "transcript", &r->transcript);
	record_put_hash(&w, "roster_hash", &r->roster_hash);
	return record_end(&w, info);
}

enum err ready_decode(struct ready_record *d, struct span text, struct err_info *info)
{
	struct record r;
	*d = (struct ready_record){0};
	record_open(&r, text, "ready");
	struct record_value root = record_root(&r);
	record_get_hash(record_field(root, "transcript"), &d->transcript);
	record_get_hash(record_field(root, "roster_hash"), &d->roster_hash);
	enum err e = record_close(&r, info);
	if (e)
		*d = (struct ready_record){0};
	return e;
}

enum err refuse_encode(const struct refuse_record *r, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "refuse");
	record_put_choice(&w, "reason", reasons, REFUSE_REASON_COUNT, r->reason);
	return record_end(&w, info);
}

enum err refuse_decode(struct refuse_record *f, struct span text, struct err_info *info)
{
	struct record r;
	unsigned reason = 0;
	*f = (struct refuse_record){0};
	record_open(&r, text, "refuse");
	record_get_choice(record_field(record_root(&r), "reason"), reasons, REFUSE_REASON_COUNT,
			  &reason);
	f->reason = reason;
	return record_close(&r, info);
}

// --- what is hashed and signed around them -------------------------------------------------------

void discussion_id_make(const char *initiator, const struct hash *certificate,
			const uint8_t nonce[HELLO_NONCE_LEN], char out[DISCUSSION_ID_SIZE])
{
	struct buf b;
	buf_init(&b, 512);
	enum err e = LV_CAT(&b, span_string("sotto/1 disc"), span_string(initiator),
			    hash_span(certificate), span(nonce, HELLO_NONCE_LEN));
	assert(e == OK);
	(void)e;
	struct hash h = hash_of(buf_span(&b));
	hex_encode_lower(span(h.bytes, (DISCUSSION_ID_SIZE - 1) / 2), out);
	buf_fini(&b);
}

enum err binding_input(struct buf *out, const char *id, const struct hash *charter,
		       const struct hash *certificate, const char *fingerprint)
{
	struct buf body;
	buf_init(&body, 512);
	enum err e = LV_CAT(&body, span_string(id), hash_span(charter), hash_span(certificate),
			    span_string(fingerprint));
	if (!e)
		e = signed_input(out, "binding", buf_span(&body));
	buf_fini(&body);
	return e;
}
