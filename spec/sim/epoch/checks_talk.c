// SPDX-License-Identifier: GPL-3.0-or-later
// What must hold of messages (protocol §5, S4 to S9), and that they arrive.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spec/sim/epoch/world.h"
#include "wire/payload.h"

#define KEY (KEY_ID_SIZE - 1)

static bool honest(const struct world *w, const struct roster_record *r, size_t member)
{
	return !w->nodes[node_of(w, r->members[member].fingerprint)].lies;
}

// S8: a sequence has one payload, also across crashes.
void remember_built(struct world *w, unsigned node, uint32_t epoch, uint64_t sequence, const struct hash *hash)
{
	for (size_t i = w->built_count; i-- > 0;) {
		const struct built *b = &w->built[i];
		if (b->node != node || b->epoch != epoch || b->sequence != sequence)
			continue;
		if (!memcmp(&b->hash, hash, HASH_LEN))
			return;
		if (!w->nodes[node].lies)
			violated(w, "S8: an honest member has built a payload twice");
		else
			lies_play(w, lies_so(w, node, LIE_ROLLBACK) ? LIE_ROLLBACK : LIE_OTHER_TEXT, node);
	}
	if (w->built_count == w->built_room) {
		w->built_room = w->built_room ? 2 * w->built_room : 64;
		w->built = mem_realloc(w->built, w->built_room * sizeof *w->built);
	}
	w->built[w->built_count++] = (struct built){node, epoch, sequence, *hash};
}

// S4 and S9: it is for all the others of the roster that was decided, and for nobody else.
void check_seal(struct world *w, unsigned node, unsigned copy, uint32_t epoch, const struct bytes *payload, const struct bytes *message)
{
	const struct copy *c = copy_of(w, node, copy);
	const struct roster_record *r = &c->rosters[epoch];
	const char *keys[ROSTER_MAX];
	size_t count = seal_keys(bytes_span(message), keys), others = 0;
	struct payload p;
	if (w->nodes[node].lies)
		return;
	for (size_t i = 0; i < count; i++) {
		bool member = false;
		for (size_t m = 0; m < r->count; m++)
			member = member || !memcmp(keys[i], r->members[m].key, KEY);
		if (!member)
			violated(w, "S9: who is no member could open it");
	}
	for (size_t m = 0; m < r->count; m++) {
		if (!strcmp(r->members[m].fingerprint, w->nodes[node].fingerprint))
			continue;
		if (others >= count || memcmp(keys[others++], r->members[m].key, KEY) != 0) {
			violated(w, "S4: an honest member sends to others than its roster");
			return;
		}
	}
	if (others != count)
		violated(w, "S4: an honest member sends to others than its roster");
	if (payload_decode(&p, bytes_span(payload), NULL)) {
		violated(w, "S4: an honest member seals what is no payload");
		return;
	}
	if (memcmp(&p.roster_hash, &c->hashes[epoch], HASH_LEN) != 0 || p.epoch != epoch)
		violated(w, "S4: an honest member seals for another epoch");
	struct hash hash = hash_of(bytes_span(payload));
	remember_built(w, node, epoch, p.sequence, &hash);
	payload_fini(&p);
}

// S5 and S6. What is accepted of an epoch that is over is within its cut.
void check_accepted(struct world *w, unsigned node, unsigned copy, uint32_t epoch, const struct transcript_payload *p)
{
	const struct copy *c = copy_of(w, node, copy);
	const struct talk *t = c->talks[epoch];
	const struct roster_record *r = &c->rosters[epoch];
	struct payload read;
	if (w->nodes[node].lies)
		return;
	w->result.accepted++;
	if (payload_decode(&read, bytes_span(p->payload), NULL)) {
		violated(w, "S5: what is no payload was accepted");
		return;
	}
	if (read.epoch != epoch || memcmp(&read.roster_hash, &c->hashes[epoch], HASH_LEN) != 0)
		violated(w, "S5: a payload of another epoch was accepted");
	if (t->ended && p->sequence > t->cut[p->sender].sequence)
		violated(w, "S5: a payload beyond the cut was accepted");
	if (t->ended && p->sequence == t->cut[p->sender].sequence && memcmp(&p->hash, &t->cut[p->sender].hash, HASH_LEN) != 0)
		violated(w, "S5: another payload than the cut's was accepted");
	if (strcmp(read.sender, r->members[p->sender].fingerprint) != 0)
		violated(w, "S6: another's payload was accepted");
	if (p->sequence != t->heard_count[p->sender] + 1 || read.sequence != p->sequence)
		violated(w, "S6: a payload was accepted twice, or out of order");
	payload_fini(&read);
}

// How much of a sender's chain everybody's accepted payloads cover (P5.8). It is what `seen` is for: who signs a hash has it.
static uint64_t confirmed(const struct copy *c, uint32_t epoch, size_t sender)
{
	const struct talk *t = c->talks[epoch];
	uint64_t least = sender == t->self ? t->own_count : t->heard_count[sender];
	for (size_t m = 0; m < c->rosters[epoch].count; m++) {
		const struct statement_head *h = &t->seen[m][sender];
		if (m == sender || m == t->self)
			continue;
		if (!h->sequence || h->sequence > (sender == t->self ? t->own_count : t->heard_count[sender]))
			return t->confirmed[sender]; // cannot be compared yet
		const struct hash *mine = sender == t->self ? &t->own[h->sequence - 1].hash : &t->heard[sender][h->sequence - 1].hash;
		if (memcmp(mine, &h->hash, HASH_LEN) != 0)
			return t->confirmed[sender];
		if (h->sequence < least)
			least = h->sequence;
	}
	return least;
}

// S7: what one honest member takes for confirmed, every other holds.
static void check_held(struct world *w, const struct copy *c, uint32_t epoch, size_t sender, uint64_t sequence)
{
	const struct talk *t = c->talks[epoch];
	const struct roster_record *r = &c->rosters[epoch];
	const struct hash *mine = sender == t->self ? &t->own[sequence - 1].hash : &t->heard[sender][sequence - 1].hash;
	w->result.confirmed++;
	for (size_t m = 0; m < r->count; m++) {
		const struct copy *other = copy_of(w, node_of(w, r->members[m].fingerprint), 0);
		const struct talk *theirs = other->talks[epoch];
		if (!honest(w, r, m) || m == sender)
			continue;
		if (!theirs || theirs->heard_count[sender] < sequence ||
		    memcmp(mine, &theirs->heard[sender][sequence - 1].hash, HASH_LEN) != 0)
			violated(w, "S7: confirmed, and an honest member holds another or none");
	}
	if (t->ended && honest(w, r, sender) && sequence > t->cut[sender].sequence)
		violated(w, "S7: confirmed, and void");
}

void check_confirmed(struct world *w, unsigned node, unsigned copy, uint32_t epoch, const struct transcript_payload *p)
{
	const struct copy *c = copy_of(w, node, copy);
	struct talk *t = c->talks[epoch];
	struct payload read;
	if (payload_decode(&read, bytes_span(p->payload), NULL))
		return;
	for (size_t i = 0; i < read.seen_count; i++) {
		size_t whose = roster_position(&c->rosters[epoch], read.seen[i].fingerprint);
		if (whose != ROSTER_NOBODY)
			t->seen[p->sender][whose] = (struct statement_head){read.seen[i].sequence, read.seen[i].hash};
		uint64_t first, last, own = read.seen[i].sequence;
		bool signs = whose == t->self && c->rosters[epoch].count > 2 && own <= t->own_count && !w->nodes[node].lies;
		for (bool is = signs && confirmation_take(&t->confirmation, p->sender, own, &first, &last); is && first <= last; first++)
			check_held(w, c, epoch, t->self, first);
	}
	payload_fini(&read);
	for (size_t s = 0; s < c->rosters[epoch].count && !w->nodes[node].lies; s++) {
		uint64_t now = confirmed(c, epoch, s);
		for (; t->confirmed[s] < now; t->confirmed[s]++)
			check_held(w, c, epoch, s, t->confirmed[s] + 1);
	}
}

// S5 and S7 at an epoch's end: of honest members the cut has what was confirmed, and what it names is theirs.
void check_cut(struct world *w, unsigned node, unsigned copy, uint32_t epoch)
{
	const struct copy *c = copy_of(w, node, copy);
	const struct talk *t = c->talks[epoch];
	const struct roster_record *r = &c->rosters[epoch];
	if (w->nodes[node].lies)
		return;
	for (size_t s = 0; s < r->count; s++) {
		uint64_t cut = t->cut[s].sequence, count = s == t->self ? t->own_count : t->heard_count[s];
		if (!honest(w, r, s))
			continue;
		if (t->confirmed[s] > cut)
			violated(w, "S7: confirmed, and void");
		if (!cut || cut > count)
			continue;
		const struct hash *mine = s == t->self ? &t->own[cut - 1].hash : &t->heard[s][cut - 1].hash;
		if (memcmp(mine, &t->cut[s].hash, HASH_LEN) != 0)
			violated(w, "S5: the cut names a payload that an honest member did not make");
	}
}

// --- at the end -----------------------------------------------------------------------------------------------------------------

// How much of a sender's chain somebody could supply who is there.
static uint64_t available(const struct world *w, uint32_t epoch, const struct hash *roster, const char *fingerprint)
{
	uint64_t most = 0;
	for (unsigned i = 0; i < w->node_count; i++) {
		const struct copy *c = &w->nodes[i].copies[0];
		if (w->nodes[i].lies || w->nodes[i].gone || !c->up || c->left || !c->talks[epoch] ||
		    memcmp(&c->hashes[epoch], roster, HASH_LEN) != 0 || !is_member(w, c, i))
			continue;
		const struct talk *t = c->talks[epoch];
		size_t s = roster_position(&c->rosters[epoch], fingerprint);
		uint64_t count = s == t->self ? t->own_count : t->heard_count[s];
		most = count > most ? count : most;
	}
	return most;
}

static void check_complete(struct world *w, unsigned node, uint32_t epoch)
{
	const struct copy *c = copy_of(w, node, 0);
	const struct talk *t = c->talks[epoch];
	const struct roster_record *r = &c->rosters[epoch];
	for (size_t s = 0; s < r->count; s++) {
		if (s == t->self || !honest(w, r, s))
			continue;
		uint64_t there = available(w, epoch, &c->hashes[epoch], r->members[s].fingerprint);
		if (t->ended && there > t->cut[s].sequence)
			there = t->cut[s].sequence;
		const struct node *sender = &w->nodes[node_of(w, r->members[s].fingerprint)];
		bool speaks = !sender->gone && sender->copies[0].up && !sender->copies[0].left && sender->copies[0].epoch == epoch;
		if ((t->ended || speaks) && t->heard_count[s] < there)
			violated(w, "P5.6: a message that somebody has is missing at the end");
	}
}

// P5.6: what somebody has, everybody has in the end; and what a person said and nobody froze is on its way.
void check_talk_end(struct world *w)
{
	for (unsigned i = 0; i < w->node_count; i++) {
		const struct copy *c = copy_of(w, i, 0);
		if (w->nodes[i].lies || w->nodes[i].gone || !c->exists || !c->up || c->left || !is_member(w, c, i))
			continue;
		for (uint32_t e = 0; e <= c->epoch; e++)
			if (c->talks[e])
				check_complete(w, i, e);
		for (size_t k = 0; k < c->text_count; k++)
			if (!c->texts[k].placed && !epoch_is_frozen(c->machine))
				violated(w, "P5.3: what was held is not said to the next roster");
	}
}
