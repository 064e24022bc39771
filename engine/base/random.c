// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/random.h"

#include <sodium.h>
#include <string.h>

static void fill_system(void *context, uint8_t *out, size_t len)
{
	(void)context;
	randombytes_buf(out, len);
}

const struct random random_system = {fill_system, NULL};

void random_fill(const struct random *r, uint8_t *out, size_t len)
{
	r->fill(r->context, out, len);
}

uint32_t random_below(const struct random *r, uint32_t bound)
{
	// values under 2^32 mod bound would favour the small results
	uint32_t low = (uint32_t)(-bound) % bound, value;
	do
		random_fill(r, (uint8_t *)&value, sizeof value);
	while (value < low);
	return value % bound;
}

static void fill_seeded(void *context, uint8_t *out, size_t len)
{
	struct random_seeded *state = context;
	uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
	memcpy(nonce, &state->counter, sizeof nonce);
	state->counter++;
	crypto_stream_chacha20(out, len, nonce, state->seed);
}

struct random random_from_seed(struct random_seeded *state, uint64_t seed)
{
	memset(state, 0, sizeof *state);
	memcpy(state->seed, &seed, sizeof seed);
	return (struct random){fill_seeded, state};
}
