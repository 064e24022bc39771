// SPDX-License-Identifier: GPL-3.0-or-later
// Words for speaking aloud: the spoken fingerprint of an epoch (P5.10), and passwords (P2.8). One
// list of 2048 words, 11 bits each, that never changes once published: both ends must say the same
// words.
#ifndef SOTTO_DISCUSSION_WORDS_H
#define SOTTO_DISCUSSION_WORDS_H

#include "base/hash.h"
#include "base/random.h"
#include "base/secret.h"

#define WORDS_COUNT 2048
#define WORDS_LEN_MAX 7 // letters of the longest word
#define WORDS_OF_HASH 12
// The twelve, joined by spaces, with the NUL.
#define WORDS_TEXT_SIZE (WORDS_OF_HASH * (WORDS_LEN_MAX + 1))

#define WORDS_PASSWORD_MIN 4
#define WORDS_PASSWORD_MAX 16

// The first 132 bits of the hash, big-endian, eleven for each word. size: at least WORDS_TEXT_SIZE
// (asserted).
void words_of_hash(const struct hash *h, char *out, size_t size);

// `count` words joined by spaces, each uniform and independent. ERR_BAD_PARAMS outside MIN … MAX.
// One reference, the caller's; the text is the whole secret, without a NUL.
MUST_CHECK enum err words_make_password(const struct random *random, unsigned count,
					struct secret **out);

#endif
