// SPDX-License-Identifier: GPL-3.0-or-later
// I of §2: it asks, and is the first to prove that it knows the password.
#include <string.h>

#include "discussion/handshake_machine.h"

static bool password_fits(const struct handshake *h)
{
	return (h->mode == HANDSHAKE_PASSWORD) == (secret_span(h->password).len > 0);
}

void initiator_start(struct handshake *h)
{
	if (!password_fits(h))
		return handshake_fail(h, "a password where none belongs, or none where one does");
	if (!strcmp(h->own, h->other))
		return handshake_fail(h, "own fingerprint");
	h->m[0] = handshake_make_hello(h);
	if (!h->m[0])
		return;
	handshake_send(h, FRAME_RECORD, h->m[0]);
	handshake_enter(h, STAGE_I_HELLO, h->idle_ms);
	// needs nothing of the other side, so it is done while M1 and M2 travel
	handshake_sign_binding(h);
}

// M2
static void take_hello_answer(struct handshake *h, struct span payload)
{
	struct hello_answer_record r;
	if (hello_answer_decode(&r, payload, NULL))
		return handshake_fail(h, "M2 is malformed");
	if (!memcmp(r.nonce, h->nonce, sizeof r.nonce))
		return handshake_fail(h, "own nonce echoed");
	if (hash_equal(&r.general, &h->general_hash))
		return handshake_fail(h, "own certificate as the other's");
	memcpy(h->other_nonce, r.nonce, sizeof r.nonce);
	h->m[1] = bytes_new_span(payload);
	handshake_hash_hellos(h);
	if (h->other_general && hash_equal(&r.general, &h->other_general_hash)) {
		h->certified = true;
		return handshake_enter(h, STAGE_I_OPENING, HANDSHAKE_WORK_MS);
	}
	h->other_general_hash = r.general;
	handshake_want_certificate(h, &r.general);
	handshake_enter(h, STAGE_I_CERTIFICATE, h->idle_ms);
}

// CERT
static void take_certificate(struct handshake *h, struct span payload)
{
	struct hash hash = hash_of(payload);
	if (payload.len > RECORD_CERTIFICATE_MAX || !hash_equal(&hash, &h->other_general_hash))
		return handshake_fail(h, "another certificate than announced");
	handshake_enter(h, STAGE_I_OPENING, HANDSHAKE_WORK_MS);
	handshake_check_certificate(h, payload);
}

// M3
static void send_open(struct handshake *h, struct span sealed)
{
	h->m[2] = handshake_sign_open(h, sealed);
	if (!h->m[2])
		return;
	handshake_send(h, FRAME_OPEN, h->m[2]);
	handshake_enter(h, STAGE_I_ASKED, h->person_ms + h->idle_ms);
}

// M4, as it travels
static void open_answer(struct handshake *h, struct span payload)
{
	h->m[3] = bytes_new_span(payload);
	handshake_enter(h, STAGE_I_ANSWERED, HANDSHAKE_WORK_MS);
	handshake_open_general(h, payload);
}

// M5. From here on the other side holds what tells it whether its own guess was right (P2.2).
static void confirm(struct handshake *h)
{
	handshake_set_cipher(h);
	h->m[4] = handshake_make_confirm(h);
	if (!h->m[4])
		return;
	handshake_send(h, FRAME_RECORD, h->m[4]);
	handshake_enter(h, STAGE_I_CONFIRMING, h->idle_ms);
}

// M4, opened. Its author is whom we asked: what is wrong in it for CPace ends where a wrong
// password would (P2.3).
static void take_answer(struct handshake *h, struct span plaintext)
{
	struct answer_record r;
	struct hash opened = hash_of(bytes_span(h->m[2]));
	if (answer_decode(&r, plaintext, NULL))
		return handshake_fail(h, "M4 is malformed");
	if (!hash_equal(&r.open, &opened))
		return handshake_fail(h, "M4 answers another M3");
	if (hash_equal(&r.discussion, &h->key.hash))
		handshake_rot(h, "equal discussion certificates");
	h->other_key.hash = r.discussion;
	handshake_finish_pake(h, r.share);
	if (h->stage == STAGE_OVER)
		return;
	if (h->mode == HANDSHAKE_PASSWORD)
		memcpy(handshake_ask(h, HANDSHAKE_SPEND_GUESS, HANDSHAKE_EVENT_GUESS_SPENT)
			       ->budget.other,
		       h->other, sizeof h->other);
	else
		confirm(h);
}

static const char *fault_in(struct handshake *h, const struct confirm_answer_record *r)
{
	struct hash hash = hash_of(bytes_span(r->certificate));
	if (h->rot)
		return h->rot;
	if (!cpace_check(&h->pake, r->mac))
		return "Tb";
	if (!hash_equal(&hash, &h->other_key.hash))
		return "another discussion certificate than announced";
	return NULL;
}

// M6: what the other side says is all there, and its key and binding go to be checked
static void take_confirm_answer(struct handshake *h, struct span payload)
{
	struct confirm_answer_record r;
	if (confirm_answer_decode(&r, payload, NULL))
		return handshake_fail(h, "M6 is malformed");
	const char *fault = fault_in(h, &r);
	if (fault) {
		confirm_answer_fini(&r);
		return handshake_fail(h, fault);
	}
	h->m[5] = bytes_new_span(payload);
	h->other_key.certificate = bytes_ref(r.certificate);
	h->other_key.binding = bytes_ref(r.binding);
	h->roster_bytes = bytes_ref(r.roster);
	h->roster_hash = hash_of(bytes_span(r.roster));
	confirm_answer_fini(&r);
	handshake_enter(h, STAGE_FINISHING, h->idle_ms);
	handshake_verify_binding(h);
	handshake_import_member(h);
}

void initiator_frame(struct handshake *h, uint8_t kind, struct span payload)
{
	bool may_want = h->stage == STAGE_I_CERTIFICATE || h->stage == STAGE_I_OPENING ||
			h->stage == STAGE_I_ASKED;
	if (kind == FRAME_RECORD && !h->ciphered && handshake_take_aside(h, payload, may_want))
		return;
	if (h->stage == STAGE_I_HELLO && kind == FRAME_RECORD)
		take_hello_answer(h, payload);
	else if (h->stage == STAGE_I_CERTIFICATE && kind == FRAME_CERTIFICATE)
		take_certificate(h, payload);
	else if (h->stage == STAGE_I_ASKED && kind == FRAME_ANSWER)
		open_answer(h, payload);
	else if (h->stage == STAGE_I_CONFIRMING && kind == FRAME_RECORD)
		take_confirm_answer(h, payload);
	else if (h->stage == STAGE_FINISHING && kind == FRAME_READY)
		handshake_take_ready(h, payload);
	else
		handshake_fail(h, "a frame out of turn");
}

// R_0 as R wrote it against our own, now that its key id is known
static void check_roster(struct handshake *h)
{
	struct roster_record theirs;
	if (roster_decode(&theirs, bytes_span(h->roster_bytes), NULL))
		return handshake_fail(h, "R_0 is malformed");
	if (!handshake_begin_roster(h))
		return handshake_fail(h, "two members with one key");
	if (roster_difference(&h->roster, &theirs))
		return handshake_fail(h, "R_0 is not ours");
	handshake_seal_ready(h);
}

void initiator_result(struct handshake *h, const struct handshake_event *event)
{
	switch (event->type) {
	case HANDSHAKE_EVENT_BINDING_SIGNED:
		if (event->result.code)
			return handshake_fail(h, "own binding was not signed");
		h->key.binding = bytes_new_span(event->result.bytes);
		break;
	case HANDSHAKE_EVENT_CERTIFICATE_CHECKED:
		if (event->result.code)
			return handshake_fail(h, "certificate");
		h->certified = true;
		break;
	case HANDSHAKE_EVENT_GENERAL_SEALED:
		if (event->result.code)
			return handshake_fail(h, "M3 was not sealed");
		send_open(h, event->result.bytes);
		break;
	case HANDSHAKE_EVENT_GENERAL_OPENED:
		if (event->result.code)
			return handshake_fail(h, "M4 does not open");
		take_answer(h, event->result.bytes);
		break;
	case HANDSHAKE_EVENT_GUESS_SPENT:
		if (event->result.code)
			return handshake_fail(h, "no guess left");
		confirm(h);
		break;
	case HANDSHAKE_EVENT_BINDING_VERIFIED:
		if (event->result.code)
			return handshake_fail(h, "binding");
		h->verified = true;
		break;
	case HANDSHAKE_EVENT_IMPORTED:
		if (event->imported.code)
			return handshake_fail(h, "discussion certificate");
		handshake_set_imported(h, event);
		check_roster(h);
		break;
	default:
		handshake_finish_result(h, event);
		break;
	}
}

void initiator_advance(struct handshake *h)
{
	if (h->stage == STAGE_I_OPENING && h->certified && h->key.binding &&
	    !handshake_asked(h, HANDSHAKE_EVENT_GENERAL_SEALED)) {
		handshake_start_pake(h);
		if (h->stage != STAGE_OVER)
			handshake_seal_general(h, handshake_make_open(h));
	}
	if (h->stage != STAGE_FINISHING)
		return;
	handshake_finish_advance(h);
	if (h->verified && h->imported && !handshake_asked(h, HANDSHAKE_EVENT_COMMITTED))
		handshake_commit(h);
}
