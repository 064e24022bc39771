// SPDX-License-Identifier: GPL-3.0-or-later
// The rule of acceptance (P3.4), what cannot be opened, and the dispatch of events.
#include "discussion/transcript.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/transcript_machine.h"

// --- life ---------------------------------------------------------------------------------------

struct transcript *transcript_new(const struct transcript_config *config)
{
	struct transcript *t = mem_alloc(sizeof *t);
	t->roster = *config->roster;
	t->roster_hash = config->roster_hash;
	t->keys = config->keys;
	memcpy(t->own, config->own, sizeof t->own);
	t->self = roster_position(&t->roster, t->own);
	t->chains = mem_alloc_array(t->roster.count, sizeof *t->chains);
	t->links = mem_alloc_array(t->roster.count, sizeof *t->links);
	t->retry_ms = TRANSCRIPT_RETRY_FIRST_MS;
	for (size_t i = 0; i < t->roster.count; i++) {
		struct transcript_chain *c = &t->chains[i];
		if (i == t->self)
			continue;
		c->head = config->heads[i];
		c->closed = config->closed[i];
		c->cut = config->cut != NULL;
		if (c->cut)
			c->last = config->cut[i];
		c->recent[c->head.sequence % TRANSCRIPT_RECENT] = c->head;
	}
	return t;
}

void transcript_free(struct transcript *t)
{
	if (!t)
		return;
	transcript_commit_forget(t);
	transcript_held_clear(t);
	free(t->chains);
	free(t->links);
	free(t);
}

struct transcript_head transcript_head(const struct transcript *t, size_t member)
{
	assert(member < t->roster.count);
	return t->chains[member].head;
}

uint64_t transcript_covered(const struct transcript *t, size_t member)
{
	assert(member < t->roster.count);
	return t->chains[member].covered;
}

size_t transcript_seen(const struct transcript *t, struct payload_seen out[RECORD_MEMBERS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < t->roster.count; i++) {
		const struct transcript_head *h = &t->chains[i].head;
		if (h->sequence == 0)
			continue;
		struct payload_seen *s = &out[count++];
		memcpy(s->fingerprint, t->roster.members[i].fingerprint, sizeof s->fingerprint);
		s->sequence = h->sequence;
		s->hash = h->hash;
	}
	return count;
}

struct transcript_counters transcript_counters(const struct transcript *t)
{
	struct transcript_counters c = t->counters;
	c.held = t->held_count;
	c.held_bytes = t->held_bytes;
	return c;
}

// --- the rule -----------------------------------------------------------------------------------

static enum transcript_reason why_known(const struct transcript_chain *c, const struct payload *p,
					const struct hash *hash)
{
	const struct transcript_head *recent = &c->recent[p->sequence % TRANSCRIPT_RECENT];
	bool other = recent->sequence == p->sequence && !hash_equal(&recent->hash, hash);
	return other ? TRANSCRIPT_EQUIVOCATED : TRANSCRIPT_DUPLICATE;
}

static bool is_beyond_cut(const struct transcript_chain *c, const struct payload *p, const struct hash *hash)
{
	if (!c->cut || p->sequence < c->last.sequence)
		return false;
	return p->sequence > c->last.sequence || !hash_equal(hash, &c->last.hash);
}

// The signature is the sender's: whose it had to be was said to OPEN. False: *why.
static bool may_accept(const struct transcript *t, const struct held *h, const struct payload *p,
		       const struct hash *hash, enum transcript_reason *why)
{
	const struct transcript_chain *c = &t->chains[h->sender];
	const struct hash *before = c->head.sequence ? &c->head.hash : &t->roster_hash;
	if (strcmp(p->discussion, t->roster.discussion) != 0)
		*why = TRANSCRIPT_OTHER_DISCUSSION;
	else if (p->epoch != t->roster.epoch)
		*why = TRANSCRIPT_OTHER_EPOCH;
	else if (!hash_equal(&p->roster_hash, &t->roster_hash))
		*why = TRANSCRIPT_OTHER_ROSTER;
	else if (strcmp(p->sender, t->own) == 0)
		*why = TRANSCRIPT_REFLECTED;
	else if (strcmp(p->sender, t->roster.members[h->sender].fingerprint) != 0)
		*why = TRANSCRIPT_OTHER_SENDER;
	else if (p->sequence <= c->head.sequence)
		*why = why_known(c, p, hash);
	else if (c->closed)
		*why = TRANSCRIPT_AFTER_CLOSE;
	else if (is_beyond_cut(c, p, hash))
		*why = TRANSCRIPT_BEYOND_CUT;
	else if (p->sequence != c->head.sequence + 1)
		*why = TRANSCRIPT_GAP;
	else if (!hash_equal(&p->previous, before))
		*why = TRANSCRIPT_BROKEN_CHAIN;
	else
		return true;
	return false;
}

// Removes it, and what depended on it.
static void refuse(struct transcript *t, size_t i, enum transcript_reason why, bool close_link)
{
	size_t member = t->held[i].member, sender = t->held[i].sender;
	transcript_held_remove(t, i);
	transcript_drop(t, member, why, close_link);
	transcript_held_drop_gaps(t, member, sender);
}

static void refuse_payload(struct transcript *t, size_t i, const struct payload *p,
			   const struct hash *hash, enum transcript_reason why)
{
	size_t member = t->held[i].member, sender = t->held[i].sender;
	if (why == TRANSCRIPT_EQUIVOCATED) {
		struct transcript_action *a = transcript_act(t, TRANSCRIPT_EQUIVOCATION);
		transcript_payload_set(&a->proof, &t->held[i], p, hash);
	}
	refuse(t, i, why, false);
	if (why == TRANSCRIPT_DUPLICATE)
		transcript_acknowledge(t, member, sender);
}

// --- what cannot be opened, or sealed to --------------------------------------------------------

// Sealed anew it cannot be opened either. Others have what came first, so that is what is named; only what follows all that is here
// can be told by its header.
static void complain(struct transcript *t, const struct held *h)
{
	struct transcript_chain *c = &t->chains[h->sender];
	if (t->roster.count < 3 || h->sequence != c->head.sequence + 1 || h->sequence == c->complained)
		return;
	c->complained = h->sequence;
	struct transcript_action *a = transcript_act(t, TRANSCRIPT_COMPLAIN);
	a->complaint.by = t->self;
	a->complaint.sender = h->sender;
	a->complaint.sequence = h->sequence;
	a->complaint.hash = c->refused;
}

static void rekey(struct transcript *t, size_t i, const struct payload_item *item)
{
	struct transcript_action *a = transcript_act(t, TRANSCRIPT_REKEY);
	a->rekey.ticket = t->rekeying = ++t->last_ticket;
	t->rekeying_at = i;
	a->rekey.sender = t->held[i].sender;
	a->rekey.certificate = bytes_ref(item->certificate);
}

static void rekeyed(struct transcript *t, const struct transcript_event *event)
{
	size_t i = t->rekeying_at;
	enum err code = event->rekeyed.code;
	if (!t->rekeying || event->rekeyed.ticket != t->rekeying)
		return;
	t->rekeying = 0;
	if (code == OK) {
		t->held[i].rekeyed = true;
		t->held[i].key = event->rekeyed.key;
	} else if (transcript_is_nobodys_fault(code)) {
		t->hold_commits = true;
		transcript_retry_later(t);
	} else {
		refuse(t, i, TRANSCRIPT_MALFORMED, true);
	}
}

static void cannot_open(struct transcript *t, size_t i, enum transcript_reason why)
{
	const struct held h = t->held[i];
	const struct hash hash = hash_of(span(h.frame->data + SEALED_FRAME_HEADER_LEN, h.frame->len - SEALED_FRAME_HEADER_LEN));
	struct transcript_link *l = &t->links[h.member];
	refuse(t, i, why, false);
	if (h.member != h.sender)
		return; // only its author can seal it anew, and what others pass on may be theirs
	if (l->refused == h.sequence && l->refusals > 0)
		complain(t, &h);
	if (l->refused != h.sequence) {
		l->refusals = 0;
		t->chains[h.sender].refused = hash;
	}
	l->refused = h.sequence;
	if (l->refusals++ >= TRANSCRIPT_CANNOT_OPEN_MAX)
		return;
	struct transcript_action *a = transcript_act(t, TRANSCRIPT_CANNOT_OPEN);
	a->delivery.member = h.member;
	a->delivery.sender = h.sender;
	a->delivery.sequence = h.sequence;
}

static void accept(struct transcript *t, size_t i, const struct payload *p, const struct hash *hash)
{
	const struct held *h = &t->held[i];
	const struct payload_item *item = transcript_find_rekey(p);
	if (h->recipients && !rekeys_fresh(t->keys, &t->roster, h->sender, h->recipients, p))
		cannot_open(t, i, TRANSCRIPT_OLD_KEY);
	else if (item && !h->rekeyed)
		rekey(t, i, item);
	else
		transcript_commit(t, i, p, hash);
}

static void apply_one(struct transcript *t, size_t i)
{
	struct payload p;
	enum transcript_reason why;
	const struct held *h = &t->held[i];
	if (h->code) {
		cannot_open(t, i, TRANSCRIPT_NOT_OPENED);
		return;
	}
	if (payload_decode(&p, bytes_span(h->payload), NULL)) {
		refuse(t, i, TRANSCRIPT_MALFORMED, true);
		return;
	}
	struct hash hash = hash_of(bytes_span(h->payload));
	if (may_accept(t, h, &p, &hash, &why))
		accept(t, i, &p, &hash);
	else
		refuse_payload(t, i, &p, &hash, why);
	payload_fini(&p);
}

static void apply(struct transcript *t)
{
	size_t i;
	while (!t->commits && !t->rekeying && !t->hold_commits && transcript_held_next(t, &i))
		apply_one(t, i);
}

static void end(struct transcript *t)
{
	t->end_wanted = t->commits;
	if (t->end_wanted)
		return;
	t->ended = true;
	for (size_t i = 0; i < t->roster.count; i++)
		if (t->links[i].held)
			transcript_refuse(t, i);
	transcript_held_clear(t);
}

static void commit_done(struct transcript *t, const struct transcript_event *event)
{
	if (!t->commits)
		return;
	if (event->committed.code == OK) {
		transcript_committed(t, event->committed.skipped);
	} else {
		// it stays at the front, and is looked at anew
		transcript_commit_forget(t);
		t->hold_commits = true;
		transcript_retry_later(t);
	}
	if (t->end_wanted)
		end(t);
}

// --- events -------------------------------------------------------------------------------------

static void retry(struct transcript *t)
{
	t->hold_opens = t->hold_commits = t->retry_is_set = false;
}

void transcript_step(struct transcript *t, const struct transcript_event *event,
		     struct transcript_actions *out)
{
	assert(out->count == 0);
	t->out = out;
	switch (event->type) {
	case TRANSCRIPT_EVENT_RECEIVED:
		transcript_held_receive(t, event->received.member, event->received.frame);
		break;
	case TRANSCRIPT_EVENT_OPENED:
		transcript_held_opened(t, event);
		break;
	case TRANSCRIPT_EVENT_COMMITTED:
		commit_done(t, event);
		break;
	case TRANSCRIPT_EVENT_REKEYED:
		rekeyed(t, event);
		break;
	case TRANSCRIPT_EVENT_LINK_UP:
		transcript_held_link_up(t, event->member);
		break;
	case TRANSCRIPT_EVENT_LINK_DOWN:
		break;
	case TRANSCRIPT_EVENT_RETRY:
		retry(t);
		break;
	case TRANSCRIPT_EVENT_END:
		end(t);
		break;
	}
	apply(t);
	transcript_held_open_more(t);
	transcript_held_resume(t);
	t->out = NULL;
}
