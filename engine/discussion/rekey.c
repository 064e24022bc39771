// SPDX-License-Identifier: GPL-3.0-or-later
#include "discussion/rekey.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct key {
	uint64_t sequence, id;
};

struct keys {
	struct key *list; // sequences rise, but for equal ones of 0
	size_t count, room;
};

struct rekeys {
	size_t members;
	struct keys of[ROSTER_MAX];
};

struct rekeys *rekeys_new(size_t members)
{
	struct rekeys *r = mem_alloc(sizeof *r);
	assert(members <= ROSTER_MAX);
	r->members = members;
	return r;
}

void rekeys_free(struct rekeys *r)
{
	for (size_t i = 0; r && i < r->members; i++)
		free(r->of[i].list);
	free(r);
}

static struct key *find(const struct keys *k, uint64_t id)
{
	// what is looked for is nearly always the newest
	for (size_t i = k->count; i-- > 0;)
		if (k->list[i].id == id)
			return &k->list[i];
	return NULL;
}

bool rekeys_knows(const struct rekeys *r, size_t member, uint64_t id)
{
	return find(&r->of[member], id) != NULL;
}

static size_t owner_of(const struct rekeys *r, uint64_t id)
{
	for (size_t i = 0; i < r->members; i++)
		if (find(&r->of[i], id))
			return i;
	return ROSTER_NOBODY;
}

static void insert(struct keys *k, struct key fresh)
{
	size_t at = k->count;
	if (k->count == k->room) {
		k->room = k->room ? 2 * k->room : 2;
		k->list = mem_realloc(k->list, k->room * sizeof *k->list);
	}
	while (at > 0 && k->list[at - 1].sequence > fresh.sequence)
		at--;
	memmove(&k->list[at + 1], &k->list[at], (k->count++ - at) * sizeof *k->list);
	k->list[at] = fresh;
}

static void take_out(struct keys *k, struct key *known)
{
	size_t at = (size_t)(known - k->list);
	memmove(known, known + 1, (--k->count - at) * sizeof *known);
}

bool rekeys_add(struct rekeys *r, size_t member, uint64_t sequence, uint64_t id)
{
	struct keys *k = &r->of[member];
	size_t owner = owner_of(r, id);
	if (id == 0 || (owner != ROSTER_NOBODY && owner != member))
		return false;
	struct key *known = find(k, id);
	if (known && (sequence == REKEY_SAID || known->sequence <= sequence))
		return true; // the first time counts
	if (known)
		take_out(k, known);
	if (k->count == REKEYS_MAX)
		return false;
	insert(k, (struct key){sequence, id});
	return true;
}

uint64_t rekeys_newest(const struct rekeys *r, size_t member)
{
	const struct keys *k = &r->of[member];
	return k->count ? k->list[k->count - 1].id : 0;
}

size_t rekeys_without(const struct rekeys *r, size_t member, uint64_t out[ROSTER_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < r->members; i++)
		if (i != member)
			out[count++] = rekeys_newest(r, i);
	return count;
}

static enum err check_one(const struct rekeys *r, size_t member, size_t own, uint64_t id, struct err_info *info)
{
	size_t owner = owner_of(r, id);
	if (id == 0)
		return err_set(info, ERR_BAD_INPUT, "message: recipient %zu is hidden", member + 1);
	if (owner == member || (owner == ROSTER_NOBODY && member != own))
		return OK;
	return err_set(info, ERR_BAD_INPUT, "message: %016llX is no key of member %zu", (unsigned long long)id, member + 1);
}

enum err rekeys_fit(const struct rekeys *r, size_t sender, size_t own, const uint64_t *ids, size_t count,
		    struct err_info *info)
{
	size_t at = 0;
	if (count != r->members - 1)
		return err_set(info, ERR_BAD_INPUT, "message: %zu recipients and not %zu", count, r->members - 1);
	for (size_t i = 0; i < r->members; i++) {
		if (i == sender)
			continue;
		enum err e = check_one(r, i, own, ids[at], info);
		for (size_t k = 0; e == OK && k < at; k++)
			if (ids[k] == ids[at])
				e = err_set(info, ERR_BAD_INPUT, "message: a recipient twice");
		if (e)
			return e;
		at++;
	}
	return OK;
}

static uint64_t seen_of(const struct payload *p, const char *fingerprint)
{
	for (size_t i = 0; i < p->seen_count; i++)
		if (strcmp(p->seen[i].fingerprint, fingerprint) == 0)
			return p->seen[i].sequence;
	return 0;
}

// The sequence of the newest that is not beyond `seen`.
static uint64_t implied(const struct keys *k, uint64_t seen)
{
	size_t at = k->count;
	while (at > 0 && k->list[at - 1].sequence > seen)
		at--;
	return at ? k->list[at - 1].sequence : 0;
}

bool rekeys_fresh(const struct rekeys *r, const struct roster_record *roster, size_t sender, const uint64_t *ids,
		  const struct payload *p)
{
	size_t at = 0;
	for (size_t i = 0; i < r->members; i++) {
		if (i == sender)
			continue;
		const struct key *used = find(&r->of[i], ids[at++]);
		if (used && used->sequence < implied(&r->of[i], seen_of(p, roster->members[i].fingerprint)))
			return false;
	}
	return true;
}
