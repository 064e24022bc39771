// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "base/encode.h"
#include "discussion/handshake_machine.h"

#define MESSAGE_MAX FRAME_CAP_STRANGER

_Static_assert((int)HANDSHAKE_PASSWORD == (int)HELLO_PASSWORD &&
		       (int)HANDSHAKE_PINNED == (int)HELLO_PINNED, "modes are wire's");
_Static_assert((int)HANDSHAKE_REASON_REFUSED == (int)REFUSE_REFUSED &&
		       (int)HANDSHAKE_REASON_BUSY == (int)REFUSE_BUSY &&
		       (int)HANDSHAKE_REASON_EXPIRED == (int)REFUSE_EXPIRED &&
		       (int)HANDSHAKE_REASON_SUPERSEDED == (int)REFUSE_SUPERSEDED,
	       "reasons are wire's");

static struct bytes *made(struct handshake *h, enum err e, struct buf *b)
{
	if (e) {
		buf_fini(b);
		handshake_fail(h, "a message that cannot be made");
		return NULL;
	}
	return buf_take(b);
}

struct bytes *handshake_make_hello(struct handshake *h)
{
	struct hello_record r = {
		.mode = (enum hello_mode)h->mode,
		.general = h->general_hash,
		.discussion = h->key.hash,
		.presence = h->presence,
	};
	struct buf b;
	memcpy(r.fingerprint, h->own, sizeof r.fingerprint);
	memcpy(r.to, h->other, sizeof r.to);
	memcpy(r.nonce, h->nonce, sizeof r.nonce);
	if (h->charter->len >= sizeof r.charter) {
		handshake_fail(h, "a charter that cannot be");
		return NULL;
	}
	memcpy(r.charter, h->charter->data, h->charter->len);
	buf_init(&b, MESSAGE_MAX);
	return made(h, hello_encode(&r, &b, NULL), &b);
}

struct bytes *handshake_make_hello_answer(struct handshake *h)
{
	struct hello_answer_record r = {.general = h->general_hash};
	struct buf b;
	memcpy(r.nonce, h->nonce, sizeof r.nonce);
	buf_init(&b, MESSAGE_MAX);
	return made(h, hello_answer_encode(&r, &b, NULL), &b);
}

struct bytes *handshake_make_open(struct handshake *h)
{
	struct open_record r = {
		.hello = h->hello_hash,
		.charter = h->charter_hash,
		.certificate = h->key.certificate,
		.binding = h->key.binding,
	};
	struct buf b;
	memcpy(r.id, h->id, sizeof r.id);
	memcpy(r.share, h->pake.own_share, sizeof r.share);
	buf_init_wiped(&b, MESSAGE_MAX);
	return made(h, open_encode(&r, &b, NULL), &b);
}

struct bytes *handshake_make_answer(struct handshake *h)
{
	struct answer_record r = {
		.open = hash_of(bytes_span(h->m[2])),
		.discussion = h->key.hash,
	};
	struct buf b;
	memcpy(r.share, h->pake.own_share, sizeof r.share);
	buf_init_wiped(&b, MESSAGE_MAX);
	return made(h, answer_encode(&r, &b, NULL), &b);
}

struct bytes *handshake_make_confirm(struct handshake *h)
{
	struct confirm_record r;
	struct buf b;
	memcpy(r.mac, h->pake.own_tag, sizeof r.mac);
	buf_init(&b, MESSAGE_MAX);
	return made(h, confirm_encode(&r, &b, NULL), &b);
}

struct bytes *handshake_make_confirm_answer(struct handshake *h)
{
	struct confirm_answer_record r = {
		.certificate = h->key.certificate,
		.binding = h->key.binding,
		.roster = h->roster_bytes,
	};
	struct buf b;
	memcpy(r.mac, h->pake.own_tag, sizeof r.mac);
	buf_init(&b, MESSAGE_MAX);
	return made(h, confirm_answer_encode(&r, &b, NULL), &b);
}

struct bytes *handshake_make_ready(struct handshake *h)
{
	struct ready_record r = {.transcript = h->transcript, .roster_hash = h->roster_hash};
	struct buf b;
	buf_init_wiped(&b, MESSAGE_MAX);
	return made(h, ready_encode(&r, &b, NULL), &b);
}

struct bytes *handshake_sign_open(struct handshake *h, struct span sealed)
{
	uint8_t signature[PRESENCE_SIGNATURE_LEN];
	if (sealed.len == 0 || sealed.len > MESSAGE_MAX - sizeof signature - 1) {
		handshake_fail(h, "M3 is too large");
		return NULL;
	}
	open_sign(bytes_span(h->m[0]), bytes_span(h->m[1]), sealed,
		  secret_data(h->presence_secret), signature);
	return open_frame_join(signature, sealed);
}

void handshake_send_refuse(struct handshake *h, enum handshake_reason reason)
{
	struct refuse_record r = {.reason = (enum refuse_reason)reason};
	struct buf b;
	buf_init(&b, MESSAGE_MAX);
	struct bytes *text = made(h, refuse_encode(&r, &b, NULL), &b);
	handshake_send(h, FRAME_RECORD, text);
	bytes_unref(text);
}

void handshake_want_certificate(struct handshake *h, const struct hash *hash)
{
	struct certificate_wanted_record r = {.hash = *hash};
	struct buf b;
	buf_init(&b, MESSAGE_MAX);
	struct bytes *text = made(h, certificate_wanted_encode(&r, &b, NULL), &b);
	handshake_send(h, FRAME_RECORD, text);
	bytes_unref(text);
}

static void tell_certificate(struct handshake *h, struct span payload, bool may_want)
{
	struct certificate_wanted_record r;
	if (certificate_wanted_decode(&r, payload, NULL) || !may_want || h->certificate_told ||
	    !hash_equal(&r.hash, &h->general_hash))
		return handshake_fail(h, "CERT? out of turn");
	h->certificate_told = true;
	handshake_send(h, FRAME_CERTIFICATE, h->general);
}

bool handshake_take_aside(struct handshake *h, struct span payload, bool may_want)
{
	struct refuse_record r;
	char type[RECORD_TYPE_SIZE];
	if (record_peek_type(payload, type, NULL))
		return false;
	if (!strcmp(type, "refuse")) {
		if (refuse_decode(&r, payload, NULL))
			handshake_fail(h, "the refusal is malformed");
		else
			handshake_end(h, (enum handshake_reason)r.reason, "the other side");
		return true;
	}
	if (!strcmp(type, "certificate-wanted")) {
		tell_certificate(h, payload, may_want);
		return true;
	}
	return false;
}

void handshake_hash_hellos(struct handshake *h)
{
	struct buf b;
	buf_init(&b, 3 * MESSAGE_MAX);
	enum err e = LV_CAT(&b, bytes_span(h->m[0]), bytes_span(h->m[1]));
	if (e)
		handshake_fail(h, "M1 and M2 are too large");
	h->hello_hash = hash_of(buf_span(&b));
	buf_fini(&b);
}
