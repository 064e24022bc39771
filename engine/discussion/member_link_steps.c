// SPDX-License-Identifier: GPL-3.0-or-later
// L1 to L4 of P2.12, and the farewell of a side that has closed (P3.8).
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/member_link_machine.h"
#include "wire/delivery.h"
#include "wire/record.h"

#define MESSAGE_MAX FRAME_CAP_STRANGER

static void send_made(struct member_link *m, enum err e, struct buf *text)
{
	if (e)
		member_link_fail(m, "a message that cannot be made");
	else
		member_link_send(m, FRAME_RECORD, buf_span(text));
	buf_fini(text);
}

// The own farewell, in the place of the own signature.
static void tell(struct member_link *m)
{
	member_link_enter(m, LINK_TELLING);
	member_link_act(m, MEMBER_LINK_SEND_FAREWELL);
}

static void both_closed(struct member_link *m)
{
	member_link_end(m, MEMBER_LINK_END_BOTH_CLOSED, "both have closed");
}

static void send_delivery(struct member_link *m, struct delivery_record *r)
{
	struct buf text;
	memcpy(r->discussion, m->roster.discussion, sizeof r->discussion);
	buf_init(&text, MESSAGE_MAX);
	send_made(m, delivery_encode(r, &text, NULL), &text);
}

// The other may have closed, and lost what acknowledged its farewell: then this lets it go. There
// is no key here to prove or to open anything with: that it came under these keys is what a side
// that has closed goes by, and nobody else takes it.
static void answer_ended(struct member_link *m)
{
	struct delivery_record ack = {
		.type = DELIVERY_ACK, .epoch = m->roster.epoch, .sequence = m->held};
	struct delivery_record closed = {.type = DELIVERY_CLOSED};
	memcpy(ack.sender, m->other, sizeof ack.sender);
	if (m->held)
		send_delivery(m, &ack);
	if (m->stage != LINK_OVER)
		send_delivery(m, &closed);
	both_closed(m);
}

// --- L1 and the clear part of L2: keys --------------------------------------------------------

static void sign(struct member_link *m)
{
	struct bytes *body = member_link_signed(m, m->side, m->roster.epoch, &m->roster_hash,
						bytes_span(m->rekeys));
	if (!body)
		return member_link_fail(m, "a signature that cannot be");
	m->signing = true;
	member_link_act(m, MEMBER_LINK_SIGN)->sign.body = body;
}

// L1
void member_link_start(struct member_link *m)
{
	struct buf text;
	if (m->stage != LINK_NEW || m->side != MEMBER_LINK_DIALS)
		return member_link_fail(m, "started out of turn");
	random_fill(m->random, m->l1.nonce, sizeof m->l1.nonce);
	member_link_make_share(m, m->l1.key);
	m->l1.proof = member_link_tag(&m->first, m->roster.discussion, &m->l1, m->own, m->other);
	buf_init(&text, MESSAGE_MAX);
	enum err e = link_encode(&m->l1, &text, NULL);
	m->l1_bytes = bytes_new_span(buf_span(&text));
	send_made(m, e, &text);
	if (m->stage != LINK_OVER)
		member_link_enter(m, LINK_ASKED);
}

// L1 at B. Its clear answer tells nothing; what follows it opens only for who knows H_0.
static void take_link(struct member_link *m, struct span payload)
{
	struct buf text;
	if (link_decode(&m->l1, payload, NULL))
		return member_link_fail(m, "L1 is malformed");
	struct hash tag =
		member_link_tag(&m->first, m->roster.discussion, &m->l1, m->other, m->own);
	if (!hash_equal(&tag, &m->l1.proof))
		return member_link_fail(m, "L1 is for another");
	m->l1_bytes = bytes_new_span(payload);
	random_fill(m->random, m->l2.nonce, sizeof m->l2.nonce);
	member_link_make_share(m, m->l2.key);
	buf_init(&text, MESSAGE_MAX);
	send_made(m, link_answer_encode(&m->l2, &text, NULL), &text);
	if (m->stage == LINK_OVER)
		return;
	member_link_set_cipher(m, m->l1.key);
	if (m->stage == LINK_OVER)
		return;
	if (m->ended)
		return answer_ended(m);
	if (m->closed)
		return tell(m);
	member_link_enter(m, LINK_PROVING);
	sign(m);
}

// The clear part of L2 at A. The own signature is made while the other's proof travels and is
// checked; it goes out only after that.
static void take_link_answer(struct member_link *m, struct span payload)
{
	if (link_answer_decode(&m->l2, payload, NULL))
		return member_link_fail(m, "L2 is malformed");
	if (!memcmp(m->l2.nonce, m->l1.nonce, sizeof m->l2.nonce) ||
	    !memcmp(m->l2.key, m->l1.key, sizeof m->l2.key))
		return member_link_fail(m, "own L1 echoed");
	member_link_set_cipher(m, m->l2.key);
	if (m->stage == LINK_OVER)
		return;
	member_link_enter(m, LINK_PROVING);
	if (!m->closed)
		sign(m);
}

// --- proofs: the sealed part of L2, and L3 ----------------------------------------------------

static void send_proof(struct member_link *m)
{
	struct buf text;
	struct link_proof_record r = {
		.epoch = m->roster.epoch,
		.roster_hash = m->roster_hash,
		.rekeys = m->rekeys,
		.signature = m->signature,
	};
	memcpy(r.fingerprint, m->own, sizeof r.fingerprint);
	buf_init(&text, MESSAGE_MAX);
	send_made(m, link_proof_encode(&r, &text, NULL), &text);
	m->proof_sent = true;
}

static void take_proof(struct member_link *m, struct span payload)
{
	if (m->side == MEMBER_LINK_ANSWERS && !m->proof_sent)
		return member_link_fail(m, "L3 before L2");
	if (link_proof_decode(&m->proof, payload, NULL))
		return member_link_fail(m, "the proof is malformed");
	if (strcmp(m->proof.fingerprint, m->other))
		return member_link_fail(m, "the proof of another");
	if (m->proof.rekeys->len > RECORD_DISCUSSION_CERTIFICATE_MAX)
		return member_link_fail(m, "rekeys are not of this version");
	enum member_link_side theirs =
		m->side == MEMBER_LINK_DIALS ? MEMBER_LINK_ANSWERS : MEMBER_LINK_DIALS;
	struct bytes *body = member_link_signed(m, theirs, m->proof.epoch, &m->proof.roster_hash,
						bytes_span(m->proof.rekeys));
	if (!body)
		return member_link_fail(m, "a signature that cannot be");
	m->verifying = true;
	member_link_enter(m, LINK_VERIFYING);
	struct member_link_action *x = member_link_act(m, MEMBER_LINK_VERIFY);
	memcpy(x->verify.signer, m->other_key, sizeof x->verify.signer);
	x->verify.body = body;
	x->verify.signature = bytes_ref(m->proof.signature);
}

static void want_seen(struct member_link *m)
{
	member_link_enter(m, LINK_SEEING);
	member_link_act(m, MEMBER_LINK_WANT_SEEN);
}

// What follows once the other is proved, and at A the own signature is there.
static void go_on(struct member_link *m)
{
	if (m->stage != LINK_VERIFYING || !m->verified)
		return;
	if (m->closed)
		return tell(m);
	// in another epoch one side needs the chain first: SEEN says which
	if (m->proof.epoch == m->roster.epoch && !hash_equal(&m->proof.roster_hash, &m->roster_hash))
		return member_link_fail(m, "another roster");
	if (!m->signature)
		return;
	if (m->side == MEMBER_LINK_DIALS)
		send_proof(m);
	if (m->stage != LINK_OVER)
		want_seen(m);
}

void member_link_signed_result(struct member_link *m, enum err code, struct span signature)
{
	if (!m->signing || m->signature)
		return member_link_fail(m, "a result out of turn");
	if (m->stage == LINK_HEARING)
		return; // no longer needed
	if (code || signature.len == 0)
		return member_link_fail(m, "own proof was not signed");
	m->signature = bytes_new_span(signature);
	if (m->side == MEMBER_LINK_ANSWERS)
		send_proof(m);
	go_on(m);
}

void member_link_verified_result(struct member_link *m, enum err code)
{
	if (!m->verifying || m->verified)
		return member_link_fail(m, "a result out of turn");
	if (code)
		return member_link_fail(m, "the proof does not hold");
	m->verified = true;
	go_on(m);
}

// --- L4 ---------------------------------------------------------------------------------------

// Who joins has seen nobody yet.
static bool rows_fit(const struct member_link *m, const struct seen_record *s, uint32_t epoch)
{
	bool same = epoch == m->roster.epoch;
	if (same && s->count && s->count != m->roster.count)
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (s->rows[i].epoch > epoch ||
		    (same && strcmp(s->rows[i].fingerprint, m->roster.members[i].fingerprint)))
			return false;
	return true;
}

static const struct seen_row *row_of(const struct seen_record *s, const char *fingerprint)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->rows[i].fingerprint, fingerprint))
			return &s->rows[i];
	return NULL;
}

static bool presence_fits(const struct member_link *m, const struct seen_record *s)
{
	struct presence_record p;
	return !s->presence.record || (presence_parts_open(&s->presence, &p, NULL) == OK &&
				       !strcmp(p.fingerprint, m->other));
}

// Whether the other has payloads of mine that I do not know of (P5.9).
static bool rolled_back(const struct seen_row *mine, const struct seen_row *theirs)
{
	if (theirs->epoch != mine->epoch)
		return theirs->epoch > mine->epoch && theirs->sequence > 0;
	if (theirs->sequence != mine->sequence)
		return theirs->sequence > mine->sequence;
	return !hash_equal(&theirs->hash, &mine->hash);
}

static void conclude(struct member_link *m)
{
	if (!m->own_seen || !m->other_seen)
		return;
	const struct seen_row *mine = row_of(m->own_seen, m->own);
	const struct seen_row *theirs = row_of(m->other_seen, m->own);
	if (mine && theirs && rolled_back(mine, theirs)) {
		uint64_t sequence = theirs->sequence;
		member_link_end(m, MEMBER_LINK_END_ROLLED_BACK, "own payloads are missing here");
		m->out->list[m->out->count - 1].ended.sequence = sequence;
		return;
	}
	m->stage = LINK_OVER;
	struct member_link_action *x = member_link_act(m, MEMBER_LINK_LINKED);
	x->linked.seen = m->other_seen;
	x->linked.epoch = m->proof.epoch;
	m->other_seen = NULL;
	if (m->proof.rekeys && m->proof.rekeys->len)
		x->linked.rekeys = bytes_ref(m->proof.rekeys);
}

static void send_seen(struct member_link *m)
{
	struct seen_record r = *m->own_seen;
	struct buf text;
	buf_init(&text, MESSAGE_MAX);
	enum err e = seen_encode(&r, &text, NULL);
	if (e == ERR_TOO_LARGE && r.presence.record) {
		// many members and a large certification: the presence record can come another way
		r.presence = (struct presence_parts){0};
		e = seen_encode(&r, &text, NULL);
	}
	send_made(m, e, &text);
}

void member_link_seen_result(struct member_link *m, const struct seen_record *record)
{
	if (m->stage != LINK_SEEING || m->own_seen)
		return member_link_fail(m, "a result out of turn");
	if (!rows_fit(m, record, m->roster.epoch))
		return member_link_fail(m, "own state is not of this roster");
	m->own_seen = mem_dup(record, sizeof *record);
	bytes_ref(m->own_seen->presence.record);
	bytes_ref(m->own_seen->presence.certification);
	send_seen(m);
	if (m->stage != LINK_OVER)
		conclude(m);
}

// A sends its own right behind L3: it may be here before L3 is verified.
static void take_seen(struct member_link *m, struct span payload)
{
	struct seen_record *s = mem_alloc(sizeof *s);
	if (m->other_seen || seen_decode(s, payload, NULL)) {
		free(s);
		return member_link_fail(m, "SEEN is malformed, or comes twice");
	}
	m->other_seen = s;
	if (!rows_fit(m, s, m->proof.epoch))
		return member_link_fail(m, "SEEN is not of this roster");
	if (!presence_fits(m, s))
		return member_link_fail(m, "presence record");
	if (m->stage == LINK_SEEING)
		conclude(m);
}

// --- farewells --------------------------------------------------------------------------------

// The other has closed. It cannot sign; that it knows H_0, and its payloads' own signatures, are
// what is left to go by.
static void hear(struct member_link *m, uint8_t kind, struct span payload)
{
	if (m->closed)
		return answer_ended(m);
	if (m->heard++ == MEMBER_LINK_FAREWELL_MAX)
		return member_link_fail(m, "a farewell without end");
	member_link_enter(m, LINK_HEARING);
	struct member_link_action *x = member_link_act(m, MEMBER_LINK_DELIVER);
	x->frame.kind = kind;
	x->frame.payload = bytes_new_span(payload);
}

void member_link_acknowledge(struct member_link *m, struct span record)
{
	if (m->stage != LINK_HEARING)
		return member_link_fail(m, "an acknowledgement out of turn");
	member_link_send(m, FRAME_RECORD, record);
}

static void take_delivery(struct member_link *m, struct span payload)
{
	struct delivery_record r;
	if (delivery_decode(&r, payload, NULL) || strcmp(r.discussion, m->roster.discussion))
		return member_link_fail(m, "an acknowledgement that is none");
	if (r.type == DELIVERY_CLOSED)
		return both_closed(m);
	member_link_enter(m, m->stage);
	member_link_act(m, MEMBER_LINK_ACKED)->frame.payload = bytes_new_span(payload);
}

void member_link_farewell_done(struct member_link *m)
{
	if (m->stage == LINK_TELLING || (m->stage == LINK_PROVING && m->closed))
		member_link_end(m, MEMBER_LINK_END_TOLD, "told");
	else
		member_link_fail(m, "a farewell out of turn");
}

// In the place of a proof comes what answer_ended says.
static bool is_proof(struct span payload)
{
	char type[RECORD_TYPE_SIZE];
	return record_peek_type(payload, type, NULL) == OK && strcmp(type, "link-proof") == 0;
}

// The other has left, or closed: whoever it has told tells this side. Here it is no more than a
// link that does not come about, as nobody has signed it.
static void take_ended(struct member_link *m, struct span payload)
{
	struct delivery_record r;
	if (delivery_decode(&r, payload, NULL) || strcmp(r.discussion, m->roster.discussion))
		member_link_fail(m, "the proof is malformed");
	else
		member_link_fail(m, "the other says that it has ended the discussion");
}

// --- dispatch ---------------------------------------------------------------------------------

void member_link_frame(struct member_link *m, uint8_t kind, struct span payload)
{
	bool answers = m->side == MEMBER_LINK_ANSWERS;
	bool record = kind == FRAME_RECORD;
	bool farewell = kind == FRAME_SEALED || kind == FRAME_CHANGE;
	if (m->stage == LINK_NEW && answers && record)
		take_link(m, payload);
	else if (m->stage == LINK_ASKED && record)
		take_link_answer(m, payload);
	else if (m->stage == LINK_PROVING && record && !is_proof(payload))
		(m->closed ? take_delivery : take_ended)(m, payload);
	else if (m->stage == LINK_PROVING && record)
		take_proof(m, payload);
	else if (m->stage == LINK_PROVING && farewell && (!answers || m->proof_sent))
		hear(m, kind, payload);
	else if (m->stage == LINK_HEARING && farewell)
		hear(m, kind, payload);
	else if (m->stage == LINK_TELLING && record)
		take_delivery(m, payload);
	else if (answers && record && (m->stage == LINK_VERIFYING || m->stage == LINK_SEEING))
		take_seen(m, payload);
	else if (!answers && record && m->stage == LINK_SEEING)
		take_seen(m, payload);
	else
		member_link_fail(m, "a frame out of turn");
}
