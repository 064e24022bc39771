// SPDX-License-Identifier: GPL-3.0-or-later
// Randomness as an injected source: the engine passes random_system, specs and the simulator a seeded one.
#ifndef SOTTO_BASE_RANDOM_H
#define SOTTO_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
	void (*fill)(void *context, uint8_t *out, size_t len);
	void *context;
};

extern const struct random random_system;   // libsodium's
void random_fill(const struct random *r, uint8_t *out, size_t len);
uint32_t random_below(const struct random *r, uint32_t bound); // uniform in [0, bound), bound > 0

// Deterministic stream from a seed (ChaCha20), for specs and the simulator only. Keep *state as long as the source is in use.
struct random_seeded {
	uint8_t seed[32];
	uint64_t counter;
};
struct random random_from_seed(struct random_seeded *state, uint64_t seed);

#endif
