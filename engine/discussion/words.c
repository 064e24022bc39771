// SPDX-License-Identifier: GPL-3.0-or-later
#include "discussion/words.h"

#include <assert.h>
#include <string.h>

#include "discussion/words_list.h"

#define WORD_BITS 11

_Static_assert(1 << WORD_BITS == WORDS_COUNT, "eleven bits name a word");
_Static_assert(WORDS_OF_HASH *WORD_BITS <= HASH_LEN * 8, "the hash is long enough");

// Bits count from the most significant of the first byte.
static unsigned bits_at(const struct hash *h, size_t first)
{
	unsigned value = 0;
	for (size_t bit = first; bit < first + WORD_BITS; bit++)
		value = value << 1 | (h->bytes[bit / 8] >> (7 - bit % 8) & 1);
	return value;
}

void words_of_hash(const struct hash *h, char *out, size_t size)
{
	assert(size >= WORDS_TEXT_SIZE);
	(void)size;
	for (size_t i = 0; i < WORDS_OF_HASH; i++) {
		const char *word = words_list[bits_at(h, i * WORD_BITS)];
		if (i > 0)
			*out++ = ' ';
		out = stpcpy(out, word);
	}
}

// Appends without leaving the words anywhere but in locked memory.
static size_t append(uint8_t *text, size_t used, const char *word)
{
	size_t len = strlen(word);
	if (used)
		text[used++] = ' ';
	memcpy(text + used, word, len);
	return used + len;
}

enum err words_make_password(const struct random *random, unsigned count, struct secret **out)
{
	if (count < WORDS_PASSWORD_MIN || count > WORDS_PASSWORD_MAX)
		return ERR_BAD_PARAMS;
	struct secret *draft = secret_new(WORDS_PASSWORD_MAX * (WORDS_LEN_MAX + 1));
	uint8_t *text = secret_data(draft);
	size_t used = 0;
	for (unsigned i = 0; i < count; i++)
		used = append(text, used, words_list[random_below(random, WORDS_COUNT)]);
	*out = secret_copy(span(text, used));
	secret_unref(draft);
	return OK;
}
