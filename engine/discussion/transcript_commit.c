// SPDX-License-Identifier: GPL-3.0-or-later
// What an accepted payload says: read for the disk, and told once it is there.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/transcript_machine.h"

// --- messages of a payload ----------------------------------------------------------------------

// Finds repeated nonces of one payload. An author can make them collide, and then waits for its own
// thousand comparisons a message.
#define NONCE_SLOTS (2 * 1024)
static_assert(NONCE_SLOTS > PAYLOAD_ITEMS_MAX, "the table never gets full");

static bool note_nonce(const uint8_t *slots[NONCE_SLOTS], const uint8_t nonce[PAYLOAD_NONCE_LEN])
{
	size_t at = (size_t)(nonce[0] | nonce[1] << 8) % NONCE_SLOTS;
	while (slots[at]) {
		if (memcmp(slots[at], nonce, PAYLOAD_NONCE_LEN) == 0)
			return false;
		at = (at + 1) % NONCE_SLOTS;
	}
	slots[at] = nonce;
	return true;
}

static void take_message(struct transcript *t, const struct payload *p, uint32_t index)
{
	const struct payload_item *item = &p->items[index];
	struct transcript_message *m = &t->commit.messages[t->commit.count++];
	message_id_make(p->discussion, p->sender, item->nonce, m->id);
	m->index = index;
	m->time_ms = item->time_ms;
	m->text = bytes_ref(item->text);
}

static size_t count_complaints(const struct payload *p)
{
	size_t count = 0;
	for (size_t i = 0; i < p->item_count; i++)
		count += p->items[i].type == PAYLOAD_COMPLAINT;
	return count;
}

// Of items that a later version added only the payload's bytes are kept; what follows a CLOSE was
// never said.
static void take_messages(struct transcript *t, const struct payload *p)
{
	const uint8_t *slots[NONCE_SLOTS] = {NULL};
	t->commit.messages = mem_alloc_array(p->item_count + 1, sizeof *t->commit.messages);
	t->commit.complaints = mem_alloc_array(count_complaints(p) + 1, sizeof *t->commit.complaints);
	for (uint32_t i = 0; i < p->item_count && !t->commit.closes; i++) {
		const struct payload_item *item = &p->items[i];
		if (item->type == PAYLOAD_CLOSE)
			t->commit.closes = true;
		else if (item->type == PAYLOAD_COMPLAINT)
			t->commit.complaints[t->commit.complaint_count++] = *item;
		else if (item->type != PAYLOAD_TEXT)
			continue;
		else if (note_nonce(slots, item->nonce))
			take_message(t, p, i);
		else
			t->counters.dropped[TRANSCRIPT_REPEATED_ITEM]++;
	}
}

static struct transcript_message *copy_messages(const struct transcript_message *from, size_t count)
{
	struct transcript_message *to = mem_alloc_array(count + 1, sizeof *to);
	for (size_t i = 0; i < count; i++) {
		to[i] = from[i];
		bytes_ref(to[i].text);
	}
	return to;
}

static struct payload_seen *copy_seen(const struct payload *p)
{
	struct payload_seen *copy = mem_alloc_array(p->seen_count + 1, sizeof *copy);
	memcpy(copy, p->seen, p->seen_count * sizeof *copy);
	return copy;
}

// --- for the disk -------------------------------------------------------------------------------

const struct payload_item *transcript_find_rekey(const struct payload *p)
{
	for (size_t i = 0; i < p->item_count && p->items[i].type != PAYLOAD_CLOSE; i++)
		if (p->items[i].type == PAYLOAD_REKEY)
			return &p->items[i];
	return NULL;
}

static uint64_t seen_of_mine(const struct transcript *t, const struct payload *p)
{
	for (size_t i = 0; i < p->seen_count; i++)
		if (strcmp(p->seen[i].fingerprint, t->own) == 0)
			return p->seen[i].sequence;
	return 0;
}

// Its certificate is what the payload holds, its id what whoever imported it found.
static void commit_rekey(const struct held *h, const struct payload *p, struct transcript_action *a)
{
	const struct payload_item *item = transcript_find_rekey(p);
	if (!item || !h->rekeyed)
		return;
	a->commit.rekey.certificate = bytes_ref(item->certificate);
	a->commit.rekey.key = h->key;
}

void transcript_commit(struct transcript *t, size_t i, const struct payload *p, const struct hash *hash)
{
	struct transcript_action *a = transcript_act(t, TRANSCRIPT_COMMIT);
	t->commits = true;
	t->committing = i;
	t->commit.sequence = p->sequence;
	t->commit.hash = *hash;
	t->commit.covered = seen_of_mine(t, p);
	take_messages(t, p);
	transcript_payload_set(&a->commit.payload, &t->held[i], p, hash);
	a->commit.count = t->commit.count;
	a->commit.messages = copy_messages(t->commit.messages, t->commit.count);
	a->commit.closes = t->commit.closes;
	a->commit.speaks = p->item_count > 0;
	a->commit.seen_count = t->commit.seen_count = p->seen_count;
	a->commit.seen = copy_seen(p);
	t->commit.seen = copy_seen(p);
	commit_rekey(&t->held[i], p, a);
}

void transcript_commit_forget(struct transcript *t)
{
	transcript_messages_free(t->commit.messages, t->commit.count);
	free(t->commit.seen);
	free(t->commit.complaints);
	memset(&t->commit, 0, sizeof t->commit);
	t->commits = false;
}

// --- on disk ------------------------------------------------------------------------------------

static void deliver(struct transcript *t, size_t sender, const bool *skipped)
{
	struct transcript_message *kept = mem_alloc_array(t->commit.count + 1, sizeof *kept);
	size_t count = 0;
	for (size_t i = 0; i < t->commit.count; i++) {
		if (skipped && skipped[i]) {
			t->counters.dropped[TRANSCRIPT_REPEATED_ITEM]++;
			continue;
		}
		kept[count] = t->commit.messages[i];
		bytes_ref(kept[count++].text);
	}
	t->counters.messages += count;
	if (count == 0) {
		free(kept);
		return;
	}
	struct transcript_action *a = transcript_act(t, TRANSCRIPT_DELIVER);
	a->deliver.sender = sender;
	a->deliver.sequence = t->commit.sequence;
	a->deliver.count = count;
	a->deliver.messages = kept;
}

static void tell_complaints(struct transcript *t, size_t by)
{
	for (size_t i = 0; i < t->commit.complaint_count; i++) {
		const struct payload_item *item = &t->commit.complaints[i];
		size_t sender = roster_position(&t->roster, item->about);
		if (sender == ROSTER_NOBODY || sender == by)
			continue;
		struct transcript_action *a = transcript_act(t, TRANSCRIPT_COMPLAINT);
		a->complaint.by = by;
		a->complaint.sender = sender;
		a->complaint.sequence = item->sequence;
		a->complaint.hash = item->hash;
	}
}

// What one signs to have seen of another is another payload than the one here: one of the two has two (P5.7), or this one lies.
static void find_dispute(struct transcript *t, size_t by)
{
	for (size_t i = 0; i < t->commit.seen_count; i++) {
		const struct payload_seen *s = &t->commit.seen[i];
		size_t sender = roster_position(&t->roster, s->fingerprint);
		if (sender == ROSTER_NOBODY || sender == t->self)
			continue;
		const struct transcript_head *here = &t->chains[sender].recent[s->sequence % TRANSCRIPT_RECENT];
		if (here->sequence != s->sequence || hash_equal(&here->hash, &s->hash))
			continue;
		t->links[by].disputed = s->sequence;
		t->links[by].disputed_sender = sender;
		struct transcript_action *a = transcript_act(t, TRANSCRIPT_DISPUTE);
		a->delivery.member = by;
		a->delivery.sender = sender;
		a->delivery.sequence = s->sequence;
		return;
	}
}

void transcript_committed(struct transcript *t, const bool *skipped)
{
	size_t i = t->committing;
	size_t member = t->held[i].member, sender = t->held[i].sender;
	struct transcript_chain *c = &t->chains[sender];
	c->head.sequence = t->commit.sequence;
	c->head.hash = t->commit.hash;
	c->recent[c->head.sequence % TRANSCRIPT_RECENT] = c->head;
	c->closed = t->commit.closes;
	if (t->commit.covered > c->covered)
		c->covered = t->commit.covered;
	t->counters.accepted++;
	if (!t->retry_is_set)
		t->retry_ms = TRANSCRIPT_RETRY_FIRST_MS;
	deliver(t, sender, skipped);
	tell_complaints(t, sender);
	find_dispute(t, sender);
	transcript_commit_forget(t);
	transcript_held_remove(t, i);
	transcript_acknowledge(t, member, sender);
	if (c->closed)
		transcript_act(t, TRANSCRIPT_CLOSED_BY)->member = sender;
}
