// SPDX-License-Identifier: GPL-3.0-or-later
// What a member link's tag, keys and signatures are over (P2.12).
#include <sodium.h>
#include <string.h>

#include "base/encode.h"
#include "discussion/member_link_machine.h"
#include "wire/signed.h"

#define INPUT_MAX (LINK_REKEYS_MAX + 8192)

static const char *role(enum member_link_side side)
{
	return side == MEMBER_LINK_DIALS ? "A" : "B";
}

// Every part has a fixed length, so plain concatenation is unambiguous. The two fingerprints tell
// the side that answers for whom to sign, and keep an L1 from being passed on to a third member.
struct hash member_link_tag(const struct hash *first, const char *discussion,
			    const struct link_record *l1, const char *dialling,
			    const char *answering)
{
	struct buf b;
	buf_init(&b, 1024);
	buf_put(&b, "link", 4);
	buf_put(&b, discussion, strlen(discussion));
	buf_put(&b, l1->nonce, sizeof l1->nonce);
	buf_put(&b, l1->key, sizeof l1->key);
	buf_put(&b, dialling, strlen(dialling));
	buf_put(&b, answering, strlen(answering));
	struct hash tag = hash_keyed(hash_span(first), buf_span(&b));
	buf_fini(&b);
	return tag;
}

void member_link_make_share(struct member_link *m, uint8_t share[LINK_KEY_LEN])
{
	random_fill(m->random, m->secret, sizeof m->secret);
	crypto_scalarmult_base(share, m->secret);
}

// H_0 goes in too: who answers an L1 without knowing the discussion gets no key, also where nobody
// can sign any more.
static bool derive(const struct member_link *m, enum member_link_side from, uint8_t key[32])
{
	struct buf b;
	buf_init(&b, INPUT_MAX);
	enum err e = LV_CAT(&b, span_string("sotto/1 link"), span_string(role(from)),
			    hash_span(&m->first), bytes_span(m->l1_bytes),
			    span(m->l2.nonce, sizeof m->l2.nonce),
			    span(m->l2.key, sizeof m->l2.key));
	struct hash h = hash_keyed(span(m->shared, sizeof m->shared), buf_span(&b));
	memcpy(key, h.bytes, sizeof h.bytes);
	sodium_memzero(&h, sizeof h);
	buf_fini(&b);
	return e == OK;
}

void member_link_set_cipher(struct member_link *m, const uint8_t share[LINK_KEY_LEN])
{
	bool dials = m->side == MEMBER_LINK_DIALS;
	if (crypto_scalarmult(m->shared, m->secret, share))
		return member_link_fail(m, "bad point");
	struct member_link_action *x = member_link_act(m, MEMBER_LINK_SET_CIPHER);
	bool derived = derive(m, m->side, x->cipher.tx) &&
		       derive(m, dials ? MEMBER_LINK_ANSWERS : MEMBER_LINK_DIALS, x->cipher.rx);
	sodium_memzero(m->secret, sizeof m->secret);
	sodium_memzero(m->shared, sizeof m->shared);
	m->ciphered = true;
	if (!derived)
		member_link_fail(m, "L1 is too large");
}

struct bytes *member_link_signed(const struct member_link *m, enum member_link_side side,
				 uint32_t epoch, const struct hash *roster_hash,
				 struct span rekeys)
{
	struct buf body, input;
	uint8_t number[4];
	struct hash rekeys_hash = hash_of(rekeys);
	bool own = side == m->side;
	be32_put(number, epoch);
	buf_init(&body, INPUT_MAX);
	buf_init(&input, INPUT_MAX);
	enum err e = LV_CAT(&body, span_string("sotto/1 link"), span_string(role(side)),
			    span_string(m->roster.discussion), span(number, sizeof number),
			    hash_span(roster_hash), bytes_span(m->l1_bytes),
			    span(m->l2.nonce, sizeof m->l2.nonce),
			    span(m->l2.key, sizeof m->l2.key),
			    span_string(own ? m->own : m->other),
			    span_string(own ? m->other : m->own), hash_span(&rekeys_hash));
	if (!e)
		e = signed_input(&input, "link", buf_span(&body));
	buf_fini(&body);
	if (!e)
		return buf_take(&input);
	buf_fini(&input);
	return NULL;
}
