// SPDX-License-Identifier: GPL-3.0-or-later
// What secrets are made of, and the work that is asked for.
#include <sodium.h>
#include <string.h>

#include "base/encode.h"
#include "discussion/handshake_machine.h"

#define INPUT_MAX CPACE_INPUT_MAX
#define SIGNED_MAX 1024

// --- CPace ------------------------------------------------------------------------------------

// CI of §2: both sides must mean the same mode, people and certificates, in the same roles.
static enum err channel(const struct handshake *h, struct buf *out)
{
	bool own_first = h->role == HANDSHAKE_INITIATOR;
	struct span own = span_string(h->own), other = span_string(h->other);
	struct span own_hash = hash_span(&h->general_hash);
	struct span other_hash = hash_span(&h->other_general_hash);
	return LV_CAT(out, span_string("sotto/1"),
		      span_string(h->mode == HANDSHAKE_PASSWORD ? "password" : "pinned"),
		      span_string("I"), own_first ? own : other, own_first ? own_hash : other_hash,
		      span_string("R"), own_first ? other : own, own_first ? other_hash : own_hash,
		      hash_span(&h->hello_hash));
}

static enum err initiator_data(const struct handshake *h, const struct side_key *key,
			       struct buf *out)
{
	return LV_CAT(out, span_string("disc"), hash_span(&key->hash), span_string(h->id),
		      hash_span(&h->charter_hash));
}

static enum err responder_data(const struct side_key *key, struct buf *out)
{
	return LV_CAT(out, span_string("disc"), hash_span(&key->hash));
}

void handshake_start_pake(struct handshake *h)
{
	uint8_t sid[2 * HELLO_NONCE_LEN];
	bool own_first = h->role == HANDSHAKE_INITIATOR;
	struct buf ci;
	memcpy(sid, own_first ? h->nonce : h->other_nonce, HELLO_NONCE_LEN);
	memcpy(sid + HELLO_NONCE_LEN, own_first ? h->other_nonce : h->nonce, HELLO_NONCE_LEN);
	buf_init(&ci, INPUT_MAX);
	cpace_init(&h->pake, own_first ? CPACE_INITIATOR : CPACE_RESPONDER);
	enum err e = channel(h, &ci);
	if (!e)
		e = cpace_start(&h->pake, h->random, secret_span(h->password), buf_span(&ci),
				span(sid, sizeof sid));
	if (e)
		handshake_fail(h, "CPace cannot start");
	buf_fini(&ci);
}

void handshake_finish_pake(struct handshake *h, const uint8_t share[CPACE_SHARE_LEN])
{
	bool own_first = h->role == HANDSHAKE_INITIATOR;
	struct buf own, other;
	buf_init(&own, INPUT_MAX);
	buf_init(&other, INPUT_MAX);
	enum err e = own_first ? initiator_data(h, &h->key, &own)
			       : initiator_data(h, &h->other_key, &other);
	if (!e)
		e = own_first ? responder_data(&h->other_key, &other)
			      : responder_data(&h->key, &own);
	if (e)
		handshake_fail(h, "associated data are too large");
	else if (cpace_finish(&h->pake, h->random, share, buf_span(&own), buf_span(&other)))
		handshake_rot(h, "bad point");
	buf_fini(&own);
	buf_fini(&other);
}

void handshake_set_cipher(struct handshake *h)
{
	struct buf b;
	buf_init(&b, 5 * FRAME_CAP_STRANGER);
	enum err e = LV_CAT(&b, bytes_span(h->m[0]), bytes_span(h->m[1]), bytes_span(h->m[2]),
			    bytes_span(h->m[3]));
	struct hash transcript = hash_of(buf_span(&b));
	buf_fini(&b);
	if (e)
		return handshake_fail(h, "M1 to M4 are too large");
	struct handshake_action *x = handshake_act(h, HANDSHAKE_SET_CIPHER);
	cpace_link_keys(&h->pake, &transcript, x->cipher.tx, x->cipher.rx);
	h->ciphered = true;
}

// --- general keys -----------------------------------------------------------------------------

void handshake_check_certificate(struct handshake *h, struct span certificate)
{
	struct handshake_action *x = handshake_ask(h, HANDSHAKE_CHECK_CERTIFICATE,
						   HANDSHAKE_EVENT_CERTIFICATE_CHECKED);
	bytes_unref(h->other_general);
	h->other_general = bytes_new_span(certificate);
	memcpy(x->certificate.other, h->other, sizeof h->other);
	x->certificate.certificate = bytes_ref(h->other_general);
}

void handshake_prove(struct handshake *h, const struct presence_record *record)
{
	struct buf body;
	buf_init(&body, SIGNED_MAX);
	if (presence_certification_input(&body, h->other, record->key, record->since_ms)) {
		buf_fini(&body);
		return handshake_fail(h, "a presence key that cannot be certified");
	}
	struct handshake_action *x = handshake_ask(h, HANDSHAKE_PROVE, HANDSHAKE_EVENT_PROVED);
	memcpy(x->prove.other, h->other, sizeof h->other);
	memcpy(x->prove.signature, h->presence.signature, sizeof x->prove.signature);
	x->prove.certificate = bytes_ref(h->other_general);
	x->prove.record = bytes_ref(h->presence.record);
	x->prove.certification = bytes_ref(h->presence.certification);
	x->prove.body = buf_take(&body);
}

void handshake_seal_general(struct handshake *h, struct bytes *plaintext)
{
	if (!plaintext)
		return;
	struct handshake_action *x =
		handshake_ask(h, HANDSHAKE_SEAL_GENERAL, HANDSHAKE_EVENT_GENERAL_SEALED);
	memcpy(x->seal_general.other, h->other, sizeof h->other);
	x->seal_general.certificate = bytes_ref(h->other_general);
	x->seal_general.plaintext = plaintext;
}

void handshake_open_general(struct handshake *h, struct span message)
{
	struct handshake_action *x =
		handshake_ask(h, HANDSHAKE_OPEN_GENERAL, HANDSHAKE_EVENT_GENERAL_OPENED);
	memcpy(x->open_general.other, h->other, sizeof h->other);
	x->open_general.certificate = bytes_ref(h->other_general);
	x->open_general.message = bytes_new_span(message);
}

// --- bindings (P2.10) and the other's discussion key --------------------------------------------

static struct bytes *binding_body(struct handshake *h, const struct side_key *key,
				  const char *whose)
{
	struct buf body;
	buf_init(&body, SIGNED_MAX);
	if (binding_input(&body, h->id, &h->charter_hash, &key->hash, whose)) {
		buf_fini(&body);
		handshake_fail(h, "a binding that cannot be");
		return NULL;
	}
	return buf_take(&body);
}

void handshake_sign_binding(struct handshake *h)
{
	struct bytes *body = binding_body(h, &h->key, h->own);
	if (body)
		handshake_ask(h, HANDSHAKE_SIGN_BINDING, HANDSHAKE_EVENT_BINDING_SIGNED)
			->sign.body = body;
}

void handshake_verify_binding(struct handshake *h)
{
	struct bytes *body = binding_body(h, &h->other_key, h->other);
	if (!body)
		return;
	struct handshake_action *x =
		handshake_ask(h, HANDSHAKE_VERIFY_BINDING, HANDSHAKE_EVENT_BINDING_VERIFIED);
	memcpy(x->verify.other, h->other, sizeof h->other);
	x->verify.certificate = bytes_ref(h->other_general);
	x->verify.body = body;
	x->verify.signature = bytes_ref(h->other_key.binding);
}

void handshake_import_member(struct handshake *h)
{
	struct handshake_action *x =
		handshake_ask(h, HANDSHAKE_IMPORT_MEMBER, HANDSHAKE_EVENT_IMPORTED);
	memcpy(x->import.id, h->id, sizeof h->id);
	memcpy(x->import.other, h->other, sizeof h->other);
	x->import.certificate = bytes_ref(h->other_key.certificate);
}
