// SPDX-License-Identifier: GPL-3.0-or-later
#include "discussion/confirmation.h"

#include <assert.h>

void confirmation_init(struct confirmation *c, size_t count, size_t own)
{
	assert(count <= ROSTER_MAX && own < count);
	*c = (struct confirmation){.count = count, .own = own};
}

uint64_t confirmation_through(const struct confirmation *c)
{
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < c->count; i++)
		if (i != c->own && c->covered[i] < least)
			least = c->covered[i];
	return least == UINT64_MAX ? 0 : least;
}

bool confirmation_take(struct confirmation *c, size_t member, uint64_t sequence, uint64_t *first, uint64_t *last)
{
	uint64_t before = confirmation_through(c);
	assert(member < c->count && member != c->own);
	if (sequence <= c->covered[member])
		return false;
	c->covered[member] = sequence;
	*first = before + 1;
	*last = confirmation_through(c);
	return *last > before;
}
