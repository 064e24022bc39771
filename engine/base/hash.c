// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/hash.h"

#include <assert.h>
#include <sodium.h>

struct hash hash_keyed(struct span key, struct span data)
{
	struct hash out;
	int r = crypto_generichash(out.bytes, sizeof out.bytes, data.data, data.len, key.data, key.len);
	assert(r == 0);
	(void)r;
	return out;
}

struct hash hash_of(struct span data)
{
	return hash_keyed(span(NULL, 0), data);
}

struct span hash_span(const struct hash *h)
{
	return span(h->bytes, sizeof h->bytes);
}

bool hash_equal(const struct hash *a, const struct hash *b)
{
	return sodium_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
