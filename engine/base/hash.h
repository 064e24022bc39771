// SPDX-License-Identifier: GPL-3.0-or-later
// H of protocol.md: BLAKE2b-256 (libsodium).
#ifndef SOTTO_BASE_HASH_H
#define SOTTO_BASE_HASH_H

#include "base/buf.h"

#define HASH_LEN 32

struct hash {
	uint8_t bytes[HASH_LEN];
};

struct hash hash_of(struct span data);
struct hash hash_keyed(struct span key, struct span data); // key: 16 to 64 bytes
struct span hash_span(const struct hash *h);               // borrowed
bool hash_equal(const struct hash *a, const struct hash *b); // constant time

#endif
