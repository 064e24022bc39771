// SPDX-License-Identifier: GPL-3.0-or-later
// How a person names something to the API: the full identity, a unique prefix of it, or an
// unambiguous name (P1.9). One rule for peers (40 digits) and discussions (32 digits).
#ifndef SOTTO_PEERS_FIND_H
#define SOTTO_PEERS_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define FIND_PREFIX_MIN 8
#define FIND_TEXT_MAX 200 // longer texts are ERR_BAD_PARAMS

struct find_item {
	const char *identity; // hex digits
	const char *name;     // NULL or "": has none
};

// The source of items, called with 0 <= i < count; it fills *item with borrowed strings.
typedef void find_at(void *arg, size_t i, struct find_item *item);

// `what` names the things in error texts ("peer"); `digits` is the length of a full identity. A
// text of hex digits only, at least FIND_PREFIX_MIN of them, is an identity or a prefix (any case)
// and never a name: otherwise somebody could name himself like the beginning of another's
// fingerprint. Any other text is a name, compared by NFKC casefold, so that look-alikes of width,
// case, ligature and invisible characters are the same name, that is: ambiguous. ERR_NOT_FOUND;
// ERR_AMBIGUOUS, where the text lists the candidates' identities, as many as fit; ERR_BAD_PARAMS
// for an empty, too long or non-UTF-8 text, or more than `digits` digits. Linear in count.
MUST_CHECK enum err find_by_text(const char *what, size_t digits, const char *text, find_at *at,
				 void *arg, size_t count, size_t *out, struct err_info *info);

// True where both names are the same under NFKC casefold. Invalid UTF-8 equals nothing.
bool find_same_name(const char *a, const char *b);

#endif
