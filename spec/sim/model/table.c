// SPDX-License-Identifier: GPL-3.0-or-later
#include "spec/sim/model/table.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct table {
	struct key *list;
	size_t count, room;
	uint32_t *slots; // position in the list + 1
	size_t slot_count;
};

static unsigned bits_at(unsigned *at, unsigned bits)
{
	if (*at / 64 != (*at + bits - 1) / 64)
		*at = (*at / 64 + 1) * 64;
	unsigned place = *at;
	*at += bits;
	return place;
}

void key_put(struct key *k, unsigned *at, unsigned value, unsigned bits)
{
	unsigned place = bits_at(at, bits);
	k->words[place / 64] |= (uint64_t)value << place % 64;
}

unsigned key_get(const struct key *k, unsigned *at, unsigned bits)
{
	unsigned place = bits_at(at, bits);
	return (unsigned)(k->words[place / 64] >> place % 64) & ((1u << bits) - 1);
}

struct table *table_new(void)
{
	struct table *t = mem_alloc(sizeof *t);
	t->slot_count = 1 << 16;
	t->slots = mem_alloc_array(t->slot_count, sizeof *t->slots);
	return t;
}

void table_free(struct table *t)
{
	free(t->list);
	free(t->slots);
	free(t);
}

static size_t slot_of(const struct table *t, const struct key *k)
{
	uint64_t h = (k->words[0] ^ k->words[0] >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ k->words[1] ^ h >> 32) * UINT64_C(0x94d049bb133111eb);
	size_t at = (size_t)(h ^ h >> 31) & (t->slot_count - 1);
	while (t->slots[at] && memcmp(&t->list[t->slots[at] - 1], k, sizeof *k) != 0)
		at = (at + 1) & (t->slot_count - 1);
	return at;
}

static void grow(struct table *t)
{
	free(t->slots);
	t->slot_count *= 2;
	t->slots = mem_alloc_array(t->slot_count, sizeof *t->slots);
	for (size_t i = 0; i < t->count; i++)
		t->slots[slot_of(t, &t->list[i])] = (uint32_t)i + 1;
}

bool table_add(struct table *t, struct key k)
{
	size_t at = slot_of(t, &k);
	if (t->slots[at])
		return false;
	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 1024;
		t->list = mem_realloc(t->list, t->room * sizeof *t->list);
	}
	t->list[t->count++] = k;
	t->slots[at] = (uint32_t)t->count;
	if (2 * t->count > t->slot_count)
		grow(t);
	return true;
}

bool table_at(const struct table *t, size_t i, struct key *out)
{
	if (i < t->count)
		*out = t->list[i];
	return i < t->count;
}

size_t table_count(const struct table *t)
{
	return t->count;
}
