// SPDX-License-Identifier: GPL-3.0-or-later
// One direction of a link's cipher (P2.5): crypto_secretstream_xchacha20poly1305, its header in
// front of the first message. Keys and state live in locked memory. A part of link.
#ifndef SOTTO_NET_CIPHER_H
#define SOTTO_NET_CIPHER_H

#include "base/buf.h"

#define CIPHER_KEY_LEN 32

struct cipher;

struct cipher *cipher_new(const uint8_t key[CIPHER_KEY_LEN]);
void cipher_free(struct cipher *c); // NULL is allowed; wipes

// How much longer than its plaintext the next message is.
size_t cipher_overhead(const struct cipher *c);
// Writes plain.len + cipher_overhead bytes to out. `last`: no other message will follow.
void cipher_seal(struct cipher *c, struct span plain, bool last, uint8_t *out);
// Appends the plaintext to out, which is empty and has room for it. ERR_CRYPTO for what is forged,
// replayed, out of order or cut; the direction is of no use then.
MUST_CHECK enum err cipher_open(struct cipher *c, struct span sealed, struct buf *out, bool *last);

#endif
