// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct entry *entry_new(const char *fingerprint)
{
	struct entry *e = mem_alloc(sizeof *e);
	memcpy(e->shown.fingerprint, fingerprint, sizeof e->shown.fingerprint);
	return e;
}

void entry_free(struct entry *e)
{
	for (size_t i = 0; i < e->candidate_count; i++)
		free(e->candidates[i]);
	free(e);
}

static bool same_key(const uint8_t a[PEER_KEY_LEN], const uint8_t b[PEER_KEY_LEN])
{
	return memcmp(a, b, PEER_KEY_LEN) == 0;
}

static void hear(struct peer *p, const struct candidate *c)
{
	struct addr fresh[PEER_ENDPOINTS_MAX + 1];
	size_t count = 0;
	if (c->has_sender)
		fresh[count++] = c->sender;
	for (size_t i = 0; i < c->record.endpoint_count; i++)
		fresh[count++] = c->record.endpoints[i];
	endpoint_list_hear(&p->addresses, fresh, count);
}

static void show(struct peer *p, const struct candidate *c)
{
	const struct peer_record *r = &c->record;
	bool other = !p->has_key || !same_key(p->key, r->key);
	// an unproven claim that loses leaves no addresses behind; the ones that the user gave stay
	if (other && !p->proven && !p->known)
		p->addresses.count = 0;
	hear(p, c);
	memcpy(p->name, r->name, sizeof p->name);
	memcpy(p->key, r->key, sizeof p->key);
	p->has_key = true;
	p->since_ms = r->since_ms;
	p->sequence = r->sequence;
	p->issued_ms = r->issued_ms;
	p->expires_ms = r->expires_ms;
	p->listed = r->listed;
	if (!p->online)
		p->source = c->source;
	if (c->seen_ms > p->last_seen_ms)
		p->last_seen_ms = c->seen_ms;
}

static size_t candidate_position(const struct entry *e, const uint8_t key[PEER_KEY_LEN])
{
	size_t i = 0;
	while (i < e->candidate_count && !same_key(e->candidates[i]->record.key, key))
		i++;
	return i;
}

static void candidate_remove(struct entry *e, size_t i)
{
	free(e->candidates[i]);
	e->candidate_count--;
	memmove(&e->candidates[i], &e->candidates[i + 1],
		(e->candidate_count - i) * sizeof e->candidates[0]);
}

// P1.7: a pinned peer's entry changes only by a proven record.
static bool shows_candidates(const struct entry *e)
{
	return !e->shown.proven && !e->shown.pinned;
}

// After candidates went: the invariant again.
static void show_first(struct entry *e)
{
	struct peer *p = &e->shown;
	if (p->proven)
		return;
	if (e->candidate_count && shows_candidates(e)) {
		show(p, e->candidates[0]);
		return;
	}
	p->has_key = p->listed = false;
	p->sequence = 0;
	p->since_ms = p->issued_ms = p->expires_ms = 0;
	memset(p->key, 0, sizeof p->key);
}

static enum peer_verdict take_proven(struct entry *e, const struct candidate *c, bool *wants_proof)
{
	struct peer *p = &e->shown;
	int64_t since_ms = p->since_ms;
	if (c->record.sequence < p->sequence)
		return PEER_OLDER;
	*wants_proof = c->record.since_ms > since_ms;
	if (c->record.sequence == p->sequence) {
		// the same record by another interface; or sent on by somebody, so it displaces
		// nothing
		if (c->has_sender)
			endpoint_list_add(&p->addresses, &c->sender);
		return PEER_REPEATED;
	}
	show(p, c);
	p->since_ms = since_ms; // what is proven, not what is claimed
	return PEER_TAKEN;
}

static enum peer_verdict take_again(struct entry *e, size_t i, const struct candidate *c)
{
	struct candidate *mine = e->candidates[i];
	if (c->record.sequence < mine->record.sequence)
		return PEER_OLDER;
	if (c->record.sequence == mine->record.sequence) {
		// the certification is not covered by the record's signature: the last one counts
		mine->record.certification = c->record.certification;
		if (i == 0 && shows_candidates(e) && c->has_sender)
			endpoint_list_add(&e->shown.addresses, &c->sender);
		return PEER_REPEATED;
	}
	*mine = *c;
	if (i > 0 || !shows_candidates(e))
		return PEER_BESIDE;
	show(&e->shown, c);
	return PEER_TAKEN;
}

static enum peer_verdict take_new(struct entry *e, const struct candidate *c)
{
	if (e->shown.proven && c->record.since_ms <= e->shown.since_ms)
		return PEER_OLDER;
	if (e->candidate_count == PEER_CANDIDATES) {
		// The last place is the newest comer's: were all first come, first served, three
		// false claims would keep the true one from ever being proven.
		*e->candidates[PEER_CANDIDATES - 1] = *c;
		return PEER_BESIDE;
	}
	e->candidates[e->candidate_count++] = mem_dup(c, sizeof *c);
	if (e->candidate_count > 1 || !shows_candidates(e))
		return PEER_BESIDE;
	show(&e->shown, c);
	return PEER_TAKEN;
}

enum peer_verdict entry_take(struct entry *e, const struct candidate *c, bool *wants_proof)
{
	if (e->shown.proven && same_key(e->shown.key, c->record.key))
		return take_proven(e, c, wants_proof);
	size_t i = candidate_position(e, c->record.key);
	enum peer_verdict verdict = i < e->candidate_count ? take_again(e, i, c) : take_new(e, c);
	*wants_proof = verdict != PEER_OLDER;
	return verdict;
}

static void promote(struct entry *e, size_t i, int64_t since_ms)
{
	struct peer *p = &e->shown;
	show(p, e->candidates[i]);
	p->proven = true;
	p->since_ms = since_ms;
	candidate_remove(e, i);
	for (size_t k = e->candidate_count; k-- > 0;)
		if (e->candidates[k]->record.since_ms <= since_ms)
			candidate_remove(e, k);
}

enum peer_verdict entry_prove(struct entry *e, const uint8_t key[PEER_KEY_LEN], int64_t since_ms,
			      int64_t now_ms, bool *wants_proof)
{
	struct peer *p = &e->shown;
	if (p->proven && same_key(p->key, key)) {
		if (since_ms > p->since_ms)
			p->since_ms = since_ms;
		return PEER_REPEATED;
	}
	entry_expire(e, now_ms);
	size_t i = candidate_position(e, key);
	if (i == e->candidate_count)
		return PEER_EXPIRED;
	if (p->proven && since_ms <= p->since_ms) {
		candidate_remove(e, i);
		return PEER_OLDER;
	}
	*wants_proof = e->candidates[i]->record.since_ms > since_ms;
	promote(e, i, since_ms);
	return PEER_TAKEN;
}

void entry_disprove(struct entry *e, const uint8_t key[PEER_KEY_LEN],
		    const struct hash *certification)
{
	size_t i = candidate_position(e, key);
	if (i == e->candidate_count ||
	    !hash_equal(&e->candidates[i]->record.certification, certification))
		return;
	candidate_remove(e, i);
	if (i == 0)
		show_first(e);
}

void entry_pin(struct entry *e, bool pinned)
{
	if (e->shown.pinned == pinned)
		return;
	e->shown.pinned = pinned;
	show_first(e);
}

void entry_expire(struct entry *e, int64_t now_ms)
{
	bool first = false;
	for (size_t i = e->candidate_count; i-- > 0;)
		if (e->candidates[i]->record.expires_ms <= now_ms) {
			candidate_remove(e, i);
			first = i == 0;
		}
	if (first)
		show_first(e);
}

bool entry_is_dead(const struct entry *e, int64_t now_ms)
{
	const struct peer *p = &e->shown;
	if (p->known || p->linked)
		return false;
	return p->proven ? p->expires_ms <= now_ms : e->candidate_count == 0;
}
