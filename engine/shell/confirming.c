// SPDX-License-Identifier: GPL-3.0-or-later
// What three and more members know of each other's messages (P5.8): who has signed to have what, and what somebody cannot open. Two
// know that by acknowledgements, and none of this costs them anything.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/conversation_parts.h"
#include "shell/message_view.h"
#include "shell/shell.h"
#include "store/heads.h"
#include "store/holding.h"
#include "store/payloads.h"

#define MEMBERS_LEAST 3

// --- confirmed -------------------------------------------------------------------------------------------------------------------

static void fill_key(const struct conversation *c, const char *sender, uint64_t sequence, struct store_payload_key *key)
{
	*key = (struct store_payload_key){.epoch = c->epoch, .sequence = sequence};
	memcpy(key->discussion, c->discussion->row.id, sizeof key->discussion);
	memcpy(key->sender, sender, sizeof key->sender);
}

// What a member signs to have seen of me is what I said.
static bool is_mine(struct conversation *c, const struct payload_seen *s)
{
	struct store_payload_key key;
	struct err_info info;
	struct hash hash;
	fill_key(c, discussion_own(c->discussion), s->sequence, &key);
	return store_payload_hash(c->engine->store, &key, &hash, &info) == OK && hash_equal(&hash, &s->hash);
}

static const struct payload_seen *seen_of(const struct payload_seen *list, size_t count, const char *fingerprint)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].fingerprint, fingerprint) == 0)
			return &list[i];
	return NULL;
}

static void confirm(struct conversation *c, uint64_t first, uint64_t last)
{
	struct discussion *d = c->discussion;
	struct message_ids ids = {0};
	struct err_info info;
	if (store_confirm(c->engine->store, d->row.id, c->epoch, discussion_own(d), first, last, message_ids_keep, &ids, &info))
		// what is signed stays signed: the next start finds it
		health_store_failed(c->engine, &info, "what all members have could not be stored");
	else
		message_ids_emit(c->engine, &ids, "message.confirmed");
	message_ids_fini(&ids);
}

static void take(struct conversation *c, size_t member, uint64_t sequence)
{
	uint64_t first, last;
	struct outbox_event ack = {.type = OUTBOX_EVENT_ACK,
				   .delivery = {.member = member, .epoch = c->epoch, .sequence = sequence}};
	// whoever signs to have it has it, also where it came by another's hand
	if (c->outbox && outbox_owes(c->outbox, member))
		sending_feed(c, &ack);
	if (confirmation_take(&c->confirmation, member, sequence, &first, &last))
		confirm(c, first, last);
}

void confirming_heard(struct conversation *c, const struct transcript_action *commit)
{
	size_t sender = commit->commit.payload.sender;
	struct outbox_event heard = {.type = OUTBOX_EVENT_HEARD};
	if (c->count < MEMBERS_LEAST)
		return;
	const struct payload_seen *own = seen_of(commit->commit.seen, commit->commit.seen_count, discussion_own(c->discussion));
	if (own && own->sequence > c->confirmation.covered[sender]) {
		if (is_mine(c, own))
			take(c, sender, own->sequence);
		else
			engine_warn(c->engine, "%.8s signs to have a message %llu that this core never sent in the discussion %.8s",
				    c->members[sender].fingerprint, (unsigned long long)own->sequence,
				    c->discussion->row.id);
	}
	for (size_t i = 0; i < commit->commit.seen_count; i++)
		catching_up_has(c, sender, commit->commit.seen[i].fingerprint, commit->commit.seen[i].sequence);
	if (commit->commit.speaks && !c->present)
		sending_feed(c, &heard);
}

// --- after a restart -------------------------------------------------------------------------------------------------------------

struct last {
	struct payload payload;
	bool is;
};

static bool take_last(void *arg, const struct store_payload *p)
{
	struct last *l = arg;
	l->is = payload_decode(&l->payload, bytes_span(p->payload), NULL) == OK;
	return false;
}

static void read_last(struct conversation *c, const char *sender, uint64_t sequence, struct last *out)
{
	struct store_payload_key key;
	struct err_info info;
	out->is = false;
	if (!sequence)
		return;
	fill_key(c, sender, sequence - 1, &key);
	if (store_payload_each_after(c->engine->store, &key, 1, take_last, out, &info))
		log_warn("the last payload of %.8s could not be read: %s", sender, info.text);
}

// Each member's last payload covers all that its earlier ones did.
static void restore_confirmed(struct conversation *c, struct last *last)
{
	uint64_t first, through;
	for (size_t i = 0; i < c->count; i++) {
		if (i == c->own)
			continue;
		read_last(c, c->members[i].fingerprint, transcript_head(c->transcript, i).sequence, last);
		const struct payload_seen *own =
			last->is ? seen_of(last->payload.seen, last->payload.seen_count, discussion_own(c->discussion)) : NULL;
		if (own && is_mine(c, own))
			(void)confirmation_take(&c->confirmation, i, own->sequence, &first, &through);
		if (last->is)
			payload_fini(&last->payload);
	}
}

static bool found(void *arg, const struct store_message *m)
{
	(void)m;
	*(bool *)arg = true;
	return false;
}

// Whether others have said something that the last own payload does not cover.
static bool owes(struct conversation *c, struct last *last)
{
	const struct discussion *d = c->discussion;
	struct store_head head;
	struct err_info info;
	bool any = false;
	if (store_head_get(c->engine->store, d->row.id, c->epoch, discussion_own(d), &head, &info))
		return false;
	read_last(c, discussion_own(d), head.sequence, last);
	for (size_t i = 0; i < c->count && !any; i++) {
		const char *member = c->members[i].fingerprint;
		const struct payload_seen *s =
			last->is ? seen_of(last->payload.seen, last->payload.seen_count, member) : NULL;
		uint64_t after = s ? s->sequence : 0, to = transcript_head(c->transcript, i).sequence;
		if (i != c->own && to > after &&
		    store_message_each_placed(c->engine->store, d->row.id, c->epoch, member, after + 1, to, 1, found, &any,
					      &info))
			log_warn("messages of %.8s could not be read: %s", member, info.text);
	}
	if (last->is)
		payload_fini(&last->payload);
	return any;
}

bool confirming_open(struct conversation *c)
{
	confirmation_init(&c->confirmation, c->count, c->own);
	if (c->count < MEMBERS_LEAST)
		return false;
	struct last *last = mem_alloc(sizeof *last);
	restore_confirmed(c, last);
	bool heard = !c->present && owes(c, last);
	free(last);
	return heard;
}

void confirming_start(struct conversation *c)
{
	uint64_t through = c->count < MEMBERS_LEAST ? 0 : confirmation_through(&c->confirmation);
	if (through)
		confirm(c, 1, through);
}

void confirming_forget(struct conversation *c, size_t member)
{
	uint64_t first, last;
	if (c->count >= MEMBERS_LEAST && confirmation_take(&c->confirmation, member, UINT64_MAX, &first, &last))
		confirm(c, first, last);
}

// --- complaints ------------------------------------------------------------------------------------------------------------------

// The messages of that payload that are here: none where it cannot be opened here.
static json_t *messages_of(struct conversation *c, const char *sender, uint64_t sequence)
{
	struct err_info info;
	json_t *views = json_array(), *ids = json_array(), *view;
	size_t i;
	if (store_message_each_placed(c->engine->store, c->discussion->row.id, c->epoch, sender, sequence, sequence,
				      STORE_LIST_MAX, message_append, views, &info))
		log_warn("messages of %.8s could not be read: %s", sender, info.text);
	json_array_foreach(views, i, view)
		json_array_append(ids, json_object_get(view, "id"));
	json_decref(views);
	return ids;
}

struct same {
	const struct hash *hash;
	bool is;
};

static bool compare(void *arg, const struct store_payload *p)
{
	struct same *s = arg;
	const struct hash hash = hash_of(bytes_span(p->message));
	s->is = p->message && hash_equal(&hash, s->hash);
	return false;
}

// Whether what that member could not open is what this core has: then its author has sealed it so.
static bool is_what_is_here(struct conversation *c, const char *sender, const struct transcript_action *a)
{
	struct store_payload_key key;
	struct same same = {.hash = &a->complaint.hash};
	struct err_info info;
	fill_key(c, sender, a->complaint.sequence - 1, &key);
	if (a->complaint.sequence > transcript_head(c->transcript, a->complaint.sender).sequence)
		return false;
	if (store_payload_each_after(c->engine->store, &key, 1, compare, &same, &info))
		log_warn("a message of %.8s could not be read: %s", sender, info.text);
	return same.is;
}

void confirming_complaint(struct conversation *c, const struct transcript_action *a)
{
	const char *by = c->members[a->complaint.by].fingerprint, *sender = c->members[a->complaint.sender].fingerprint;
	log_warn("%.8s cannot open message %llu of %.8s in the discussion %.8s, also sealed anew", by,
		 (unsigned long long)a->complaint.sequence, sender, c->discussion->row.id);
	engine_emit(c->engine, "message.complaint", "complaint",
		    json_pack("{s:s, s:s, s:s, s:i, s:I, s:o, s:b}", "discussion", c->discussion->row.id, "member", by, "sender",
			      sender, "epoch", (int)c->epoch, "seq", (json_int_t)a->complaint.sequence, "messages",
			      messages_of(c, sender, a->complaint.sequence), "same", is_what_is_here(c, sender, a)));
}

void confirming_complain(struct conversation *c, const struct transcript_action *a)
{
	struct outbox_event event = {.type = OUTBOX_EVENT_COMPLAIN,
				     .complaint = {.sender = a->complaint.sender,
						   .sequence = a->complaint.sequence,
						   .hash = a->complaint.hash}};
	confirming_complaint(c, a);
	// of an earlier epoch nothing can be said any more
	if (!c->present)
		sending_feed(c, &event);
}
