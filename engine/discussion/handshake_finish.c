// SPDX-License-Identifier: GPL-3.0-or-later
// The end of the opening, the same at both roles: R_0, state opening on disk, M7 both ways.
#include <string.h>

#include "base/encode.h"
#include "discussion/handshake_machine.h"

static struct roster_record_member member_of(const char *fingerprint, const struct side_key *key)
{
	struct roster_record_member m = {.certificate = key->hash};
	memcpy(m.fingerprint, fingerprint, sizeof m.fingerprint);
	memcpy(m.key, key->key, sizeof m.key);
	return m;
}

bool handshake_begin_roster(struct handshake *h)
{
	struct roster_record_member members[] = {
		member_of(h->own, &h->key),
		member_of(h->other, &h->other_key),
	};
	return roster_begin(&h->roster, h->id, &h->charter_hash, members,
			    sizeof members / sizeof *members, NULL) == OK;
}

static void member_put(struct handshake_member *m, const char *fingerprint,
		       struct bytes *general, const struct side_key *key)
{
	memcpy(m->fingerprint, fingerprint, sizeof m->fingerprint);
	m->general = bytes_ref(general);
	m->certificate = bytes_ref(key->certificate);
	m->binding = bytes_ref(key->binding);
	memcpy(m->key_fingerprint, key->fingerprint, sizeof m->key_fingerprint);
	memcpy(m->key, key->key, sizeof m->key);
}

void handshake_commit(struct handshake *h)
{
	struct handshake_action *x =
		handshake_ask(h, HANDSHAKE_COMMIT_OPENING, HANDSHAKE_EVENT_COMMITTED);
	memcpy(x->opening.id, h->id, sizeof h->id);
	memcpy(x->opening.other, h->other, sizeof h->other);
	x->opening.mode = h->mode;
	x->opening.charter = bytes_ref(h->charter);
	x->opening.roster = bytes_ref(h->roster_bytes);
	x->opening.hash = h->roster_hash;
	x->opening.count = h->roster.count;
	for (size_t i = 0; i < h->roster.count; i++) {
		if (!strcmp(h->roster.members[i].fingerprint, h->own))
			member_put(&x->opening.members[i], h->own, h->general, &h->key);
		else
			member_put(&x->opening.members[i], h->other, h->other_general,
				   &h->other_key);
	}
}

static bool hash_transcript(struct handshake *h)
{
	struct buf b;
	buf_init(&b, 7 * FRAME_CAP_STRANGER);
	enum err e = OK;
	for (size_t i = 0; i < sizeof h->m / sizeof *h->m && !e; i++)
		e = lv_append(&b, bytes_span(h->m[i]));
	h->transcript = hash_of(buf_span(&b));
	buf_fini(&b);
	if (e)
		handshake_fail(h, "M1 to M6 are too large");
	return e == OK;
}

// Key ids of everyone but that member.
static size_t keys_without(const struct handshake *h, const char *fingerprint,
			   char out[HANDSHAKE_MEMBERS][17])
{
	const char *keys[ROSTER_MAX];
	size_t count = roster_keys_without(&h->roster, fingerprint, keys);
	for (size_t i = 0; i < count; i++)
		memcpy(out[i], keys[i], sizeof out[i]);
	return count;
}

void handshake_seal_ready(struct handshake *h)
{
	struct bytes *plaintext = hash_transcript(h) ? handshake_make_ready(h) : NULL;
	if (!plaintext)
		return;
	struct handshake_action *x =
		handshake_ask(h, HANDSHAKE_SEAL_DISCUSSION, HANDSHAKE_EVENT_DISCUSSION_SEALED);
	memcpy(x->seal_discussion.id, h->id, sizeof h->id);
	x->seal_discussion.plaintext = plaintext;
	x->seal_discussion.count = keys_without(h, h->own, x->seal_discussion.keys);
}

void handshake_take_ready(struct handshake *h, struct span payload)
{
	if (h->other_ready)
		return handshake_fail(h, "M7 comes twice");
	h->other_ready = bytes_new_span(payload);
	handshake_act(h, HANDSHAKE_HOLD_LINK);
}

static void open_ready(struct handshake *h)
{
	struct handshake_action *x =
		handshake_ask(h, HANDSHAKE_OPEN_DISCUSSION, HANDSHAKE_EVENT_DISCUSSION_OPENED);
	memcpy(x->open_discussion.id, h->id, sizeof h->id);
	x->open_discussion.message = bytes_ref(h->other_ready);
	memcpy(x->open_discussion.signer, h->other_key.fingerprint,
	       sizeof x->open_discussion.signer);
	x->open_discussion.count = keys_without(h, h->other, x->open_discussion.keys);
}

static void check_ready(struct handshake *h, struct span plaintext)
{
	struct ready_record r;
	if (ready_decode(&r, plaintext, NULL))
		return handshake_fail(h, "M7 is malformed");
	if (!hash_equal(&r.transcript, &h->transcript))
		return handshake_fail(h, "M7 is of another handshake");
	if (!hash_equal(&r.roster_hash, &h->roster_hash))
		return handshake_fail(h, "M7 is of another roster");
	h->ready_held = true;
}

void handshake_committed(struct handshake *h)
{
	h->committed = true;
	if (h->mode == HANDSHAKE_PASSWORD)
		memcpy(handshake_act(h, HANDSHAKE_RESTORE_GUESSES)->budget.other, h->other,
		       sizeof h->other);
	if (h->role == HANDSHAKE_RESPONDER && !h->failing)
		handshake_send(h, FRAME_RECORD, h->m[5]);
}

void handshake_finish_result(struct handshake *h, const struct handshake_event *event)
{
	bool failed = event->result.code != OK;
	switch (event->type) {
	case HANDSHAKE_EVENT_COMMITTED:
		if (failed)
			return handshake_fail(h, "the opening was not committed");
		handshake_committed(h);
		if (h->leaving)
			handshake_end(h, HANDSHAKE_REASON_LOST, "the link ended");
		break;
	case HANDSHAKE_EVENT_DISCUSSION_SEALED:
		if (failed || event->result.bytes.len == 0)
			return handshake_fail(h, "M7 was not sealed");
		h->ready = bytes_new_span(event->result.bytes);
		break;
	case HANDSHAKE_EVENT_DISCUSSION_OPENED:
		if (failed)
			return handshake_fail(h, "M7 does not open");
		check_ready(h, event->result.bytes);
		break;
	default:
		handshake_fail(h, "a result out of turn");
		break;
	}
}

void handshake_finish_advance(struct handshake *h)
{
	// the other's key is in the home by now, and the transcript is complete
	if (h->other_ready && handshake_asked(h, HANDSHAKE_EVENT_DISCUSSION_SEALED) &&
	    !handshake_asked(h, HANDSHAKE_EVENT_DISCUSSION_OPENED))
		open_ready(h);
	if (h->committed && h->ready && !h->ready_sent) {
		handshake_send(h, FRAME_READY, h->ready);
		h->ready_sent = true;
	}
	if (h->ready_sent && h->ready_held) {
		h->stage = STAGE_OVER;
		handshake_act(h, HANDSHAKE_OPENED);
	}
}
