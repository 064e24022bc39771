// SPDX-License-Identifier: GPL-3.0-or-later
// Search by decrypting, newest message first, in slices: the caller runs one slice a turn of its
// loop. Case is ignored (Unicode case folding on composed text, libutf8proc); the query matches
// anywhere in a text.
#ifndef SOTTO_STORE_SEARCH_H
#define SOTTO_STORE_SEARCH_H

#include "store/messages.h"

#define STORE_QUERY_MAX 1024

struct store_search;

// query: 1 to STORE_QUERY_MAX bytes of UTF-8 (else ERR_BAD_PARAMS), copied. discussion: NULL for
// all. Messages inserted after the first slice are not found. Holds nothing open in the store
// between slices; freed before the store is closed.
MUST_CHECK enum err store_search_new(struct store_search **out, struct store *s, struct span query,
				     const char *discussion, struct err_info *info);
void store_search_free(struct store_search *search); // NULL is fine

// Looks at the next `rows` messages and hands those that match to each, at most `limit`. *done:
// nothing is left to look at. After an `each` that returned false, or `limit` hits, the next slice
// goes on behind the last hit; after ERR_CRYPTO behind the row that does not open. ERR_LOCKED.
MUST_CHECK enum err store_search_slice(struct store_search *search, size_t rows, size_t limit,
				       store_message_visit *each, void *arg, bool *done,
				       struct err_info *info);

#endif
