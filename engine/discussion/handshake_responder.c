// SPDX-License-Identifier: GPL-3.0-or-later
// R of §2: it is asked, shows the request to a person, and shows its discussion certificate only to
// whom has proved that it knows the password.
#include <string.h>

#include "discussion/handshake_machine.h"

void responder_start(struct handshake *h)
{
	handshake_enter(h, STAGE_R_HELLO, h->idle_ms);
}

// --- M1 to M3: who asks -----------------------------------------------------------------------

static const char *fault_in_hello(const struct handshake *h, const struct hello_record *r)
{
	if (strcmp(r->to, h->own))
		return "M1 is for another";
	if (!strcmp(r->fingerprint, h->own))
		return "own fingerprint";
	if (hash_equal(&r->general, &h->general_hash))
		return "own certificate as the other's";
	if (!memcmp(r->nonce, h->nonce, sizeof r->nonce))
		return "own nonce echoed";
	return NULL;
}

// The record's form, its signature, and that it is of who asks; its certification is PROVE's.
static bool presence_fits(const struct hello_record *r)
{
	struct presence_record p;
	return presence_parts_open(&r->presence, &p, NULL) == OK &&
	       !strcmp(p.fingerprint, r->fingerprint) && hash_equal(&p.general, &r->general);
}

static void keep_hello(struct handshake *h, struct hello_record *r, struct span payload)
{
	h->m[0] = bytes_new_span(payload);
	h->mode = (enum handshake_mode)r->mode;
	memcpy(h->other, r->fingerprint, sizeof h->other);
	memcpy(h->other_nonce, r->nonce, sizeof h->other_nonce);
	h->other_general_hash = r->general;
	h->other_key.hash = r->discussion;
	h->charter = bytes_new_span(span_string(r->charter));
	h->charter_hash = hash_of(bytes_span(h->charter));
	h->presence = r->presence; // taken over
	r->presence = (struct presence_parts){0};
	discussion_id_make(h->other, &h->other_key.hash, h->other_nonce, h->id);
}

// M1
static void take_hello(struct handshake *h, struct span payload)
{
	struct hello_record r;
	if (hello_decode(&r, payload, NULL))
		return handshake_fail(h, "M1 is malformed");
	const char *fault = fault_in_hello(h, &r);
	if (!fault && !presence_fits(&r))
		fault = "presence record";
	if (fault) {
		hello_fini(&r);
		return handshake_fail(h, fault);
	}
	keep_hello(h, &r, payload);
	hello_fini(&r);
	handshake_enter(h, STAGE_R_LOOKING, HANDSHAKE_WORK_MS);
	struct handshake_action *x =
		handshake_ask(h, HANDSHAKE_LOOK_UP, HANDSHAKE_EVENT_LOOKED_UP);
	memcpy(x->look_up.other, h->other, sizeof h->other);
	memcpy(x->look_up.id, h->id, sizeof h->id);
	x->look_up.mode = h->mode;
	x->look_up.general = h->other_general_hash;
}

static void prove(struct handshake *h)
{
	struct presence_record p;
	if (presence_parts_open(&h->presence, &p, NULL))
		return handshake_fail(h, "presence record");
	memcpy(h->presence_key, p.key, sizeof h->presence_key);
	handshake_prove(h, &p);
}

static void refuse(struct handshake *h, enum handshake_reason reason, const char *detail)
{
	handshake_send_refuse(h, reason);
	handshake_end(h, reason, detail);
}

// M2
static void greet(struct handshake *h, const struct handshake_event *event)
{
	struct span known = event->looked_up.general;
	struct hash hash = hash_of(known);
	if (event->looked_up.held)
		return handshake_fail(h, "id held already");
	if (event->looked_up.refuse)
		return refuse(h, event->looked_up.reason, "looked up");
	if (h->mode == HANDSHAKE_PINNED && !event->looked_up.pinned)
		return refuse(h, HANDSHAKE_REASON_REFUSED, "not pinned");
	h->m[1] = handshake_make_hello_answer(h);
	if (!h->m[1])
		return;
	handshake_send(h, FRAME_RECORD, h->m[1]);
	handshake_hash_hellos(h);
	handshake_enter(h, STAGE_R_GREETED, h->idle_ms);
	if (known.len && hash_equal(&hash, &h->other_general_hash)) {
		h->other_general = bytes_new_span(known);
		h->certified = true;
		prove(h);
	} else {
		handshake_want_certificate(h, &h->other_general_hash);
	}
}

// CERT
static void take_certificate(struct handshake *h, struct span payload)
{
	struct hash hash = hash_of(payload);
	if (h->other_general || payload.len > RECORD_CERTIFICATE_MAX ||
	    !hash_equal(&hash, &h->other_general_hash))
		return handshake_fail(h, "another certificate than announced");
	handshake_check_certificate(h, payload);
}

// M3 waits, unopened, until its signature can be checked and a person has decided
static void take_open(struct handshake *h, struct span payload)
{
	struct span signature, message;
	if (h->m[2] || open_frame_split(payload, &signature, &message, NULL))
		return handshake_fail(h, "M3 is malformed, or comes twice");
	h->m[2] = bytes_new_span(payload);
}

static void request(struct handshake *h)
{
	struct span signature, message;
	if (open_frame_split(bytes_span(h->m[2]), &signature, &message, NULL) ||
	    open_verify(bytes_span(h->m[0]), bytes_span(h->m[1]), message, signature.data,
			h->presence_key))
		return handshake_fail(h, "presence signature");
	handshake_enter(h, STAGE_R_REQUESTED, h->person_ms);
	struct handshake_action *x = handshake_act(h, HANDSHAKE_REQUEST);
	memcpy(x->request.other, h->other, sizeof h->other);
	memcpy(x->request.id, h->id, sizeof h->id);
	x->request.mode = h->mode;
	x->request.charter = bytes_ref(h->charter);
}

// --- M4: accepted --------------------------------------------------------------------------------

void responder_accept(struct handshake *h, struct secret *password,
		      const struct handshake_key *key)
{
	struct span signature, message;
	if (h->stage != STAGE_R_REQUESTED)
		return handshake_fail(h, "accepted out of turn");
	if ((h->mode == HANDSHAKE_PASSWORD) != (secret_span(password).len > 0))
		return handshake_fail(h, "a password where none belongs, or none where one does");
	handshake_set_key(h, key);
	if (hash_equal(&h->key.hash, &h->other_key.hash))
		return handshake_fail(h, "equal discussion certificates");
	h->password = secret_ref(password);
	if (open_frame_split(bytes_span(h->m[2]), &signature, &message, NULL))
		return handshake_fail(h, "M3 is malformed");
	handshake_enter(h, STAGE_R_ACCEPTED, HANDSHAKE_WORK_MS);
	handshake_open_general(h, message);
	handshake_sign_binding(h); // needs nothing of M3
}

static const char *fault_in_open(const struct handshake *h, const struct open_record *r)
{
	struct hash hash = hash_of(bytes_span(r->certificate));
	if (!hash_equal(&r->hello, &h->hello_hash))
		return "M3 is of another M1 and M2";
	if (strcmp(r->id, h->id))
		return "M3 is of another id";
	if (!hash_equal(&r->charter, &h->charter_hash))
		return "M3 is of another charter";
	if (!hash_equal(&hash, &h->other_key.hash))
		return "another discussion certificate than announced";
	return NULL;
}

// M3, opened: M4 is sealed while key and binding are checked
static void take_opened(struct handshake *h, struct span plaintext)
{
	struct open_record r;
	if (open_decode(&r, plaintext, NULL))
		return handshake_fail(h, "M3 is malformed");
	const char *fault = fault_in_open(h, &r);
	if (fault) {
		open_fini(&r);
		return handshake_fail(h, fault);
	}
	h->other_key.certificate = bytes_ref(r.certificate);
	h->other_key.binding = bytes_ref(r.binding);
	handshake_start_pake(h);
	if (h->stage != STAGE_OVER)
		handshake_finish_pake(h, r.share);
	open_fini(&r);
	if (h->stage == STAGE_OVER)
		return;
	handshake_seal_general(h, handshake_make_answer(h));
	handshake_verify_binding(h);
	handshake_import_member(h);
}

static void send_answer(struct handshake *h, struct span sealed)
{
	if (sealed.len == 0 || sealed.len >= FRAME_CAP_STRANGER)
		return handshake_fail(h, "M4 is too large");
	h->m[3] = bytes_new_span(sealed);
	handshake_send(h, FRAME_ANSWER, h->m[3]);
	handshake_set_cipher(h);
	handshake_enter(h, STAGE_R_ANSWERED, h->idle_ms);
}

// --- M5 and M6: proved ---------------------------------------------------------------------------

static void check_tag(struct handshake *h)
{
	if (h->unreadable)
		return handshake_fail(h, "M5 does not open");
	if (!cpace_check(&h->pake, h->other_tag))
		return handshake_fail(h, "Ta");
	if (h->rot)
		return handshake_fail(h, h->rot);
	h->confirmed = true;
}

// M5, whatever it is: the guess counts before anything is found out about it (P2.2)
static void take_confirm(struct handshake *h, struct span payload)
{
	struct confirm_record r;
	if (h->unreadable || confirm_decode(&r, payload, NULL)) {
		h->unreadable = true;
	} else {
		h->m[4] = bytes_new_span(payload);
		memcpy(h->other_tag, r.mac, sizeof h->other_tag);
	}
	handshake_enter(h, STAGE_R_CONFIRMING, HANDSHAKE_WORK_MS);
	if (h->mode == HANDSHAKE_PASSWORD)
		memcpy(handshake_ask(h, HANDSHAKE_SPEND_GUESS, HANDSHAKE_EVENT_GUESS_SPENT)
			       ->budget.other,
		       h->other, sizeof h->other);
	else
		check_tag(h);
}

void responder_unreadable(struct handshake *h)
{
	h->unreadable = true;
	if (h->stage == STAGE_R_ANSWERED)
		take_confirm(h, span(NULL, 0));
	else
		handshake_fail(h, "a frame that does not open");
}

// Everything is checked: R_0, on disk before M6 says so (P2.11)
static void open_up(struct handshake *h)
{
	struct buf b;
	if (!handshake_begin_roster(h))
		return handshake_fail(h, "two members with one key");
	buf_init(&b, ROSTER_RECORD_MAX);
	if (roster_record_encode(&h->roster, &b, NULL)) {
		buf_fini(&b);
		return handshake_fail(h, "R_0 cannot be made");
	}
	h->roster_bytes = buf_take(&b);
	h->roster_hash = hash_of(bytes_span(h->roster_bytes));
	h->m[5] = handshake_make_confirm_answer(h);
	if (!h->m[5])
		return;
	handshake_enter(h, STAGE_FINISHING, h->idle_ms);
	handshake_seal_ready(h);
	if (h->stage != STAGE_OVER)
		handshake_commit(h);
}

// --- dispatch ------------------------------------------------------------------------------------

void responder_frame(struct handshake *h, uint8_t kind, struct span payload)
{
	bool may_want = h->stage == STAGE_R_GREETED && !h->m[2];
	if (kind == FRAME_RECORD && h->m[0] && !h->ciphered &&
	    handshake_take_aside(h, payload, may_want))
		return;
	if (h->stage == STAGE_R_HELLO && kind == FRAME_RECORD) {
		take_hello(h, payload);
	} else if (h->stage == STAGE_R_GREETED && kind == FRAME_CERTIFICATE) {
		take_certificate(h, payload);
	} else if (h->stage == STAGE_R_GREETED && kind == FRAME_OPEN) {
		take_open(h, payload);
	} else if (h->stage == STAGE_R_ANSWERED) {
		h->unreadable = kind != FRAME_RECORD;
		take_confirm(h, payload);
	} else if (h->stage == STAGE_FINISHING && h->committed && kind == FRAME_READY) {
		handshake_take_ready(h, payload);
	} else {
		handshake_fail(h, "a frame out of turn");
	}
}

// A key or binding that does not hold shows where a wrong password would, if M5 is still to come.
static void spoil(struct handshake *h, const char *detail)
{
	if (h->confirmed)
		handshake_fail(h, detail);
	else
		handshake_rot(h, detail);
}

void responder_result(struct handshake *h, const struct handshake_event *event)
{
	switch (event->type) {
	case HANDSHAKE_EVENT_LOOKED_UP:
		greet(h, event);
		break;
	case HANDSHAKE_EVENT_CERTIFICATE_CHECKED:
		if (event->result.code)
			return handshake_fail(h, "certificate");
		h->certified = true;
		prove(h);
		break;
	case HANDSHAKE_EVENT_PROVED:
		if (event->result.code)
			return handshake_fail(h, "presence key");
		h->proven = true;
		break;
	case HANDSHAKE_EVENT_GENERAL_OPENED:
		if (event->result.code)
			return handshake_fail(h, "M3 does not open");
		take_opened(h, event->result.bytes);
		break;
	case HANDSHAKE_EVENT_GENERAL_SEALED:
		if (event->result.code)
			return handshake_fail(h, "M4 was not sealed");
		send_answer(h, event->result.bytes);
		break;
	case HANDSHAKE_EVENT_BINDING_SIGNED:
		if (event->result.code)
			return handshake_fail(h, "own binding was not signed");
		h->key.binding = bytes_new_span(event->result.bytes);
		break;
	case HANDSHAKE_EVENT_BINDING_VERIFIED:
		if (event->result.code)
			return spoil(h, "binding");
		h->verified = true;
		break;
	case HANDSHAKE_EVENT_IMPORTED:
		if (event->imported.code)
			return spoil(h, "discussion certificate");
		handshake_set_imported(h, event);
		break;
	case HANDSHAKE_EVENT_GUESS_SPENT:
		if (event->result.code)
			return handshake_fail(h, "no guess left");
		check_tag(h);
		break;
	default:
		handshake_finish_result(h, event);
		break;
	}
}

void responder_advance(struct handshake *h)
{
	if (h->stage == STAGE_R_GREETED && h->m[2] && h->proven)
		request(h);
	if (h->stage == STAGE_R_CONFIRMING && h->confirmed && h->verified && h->imported &&
	    h->key.binding)
		open_up(h);
	if (h->stage == STAGE_FINISHING)
		handshake_finish_advance(h);
}
