// SPDX-License-Identifier: GPL-3.0-or-later
// A bounded map from a key to a value, both of fixed size, which forgets the longest unused. Keys
// come from strangers: somebody who makes them collide turns a look-up into a walk over at most
// `cap` nodes, which is bearable, so no secret hash key is needed.
#ifndef SOTTO_PEERS_LRU_H
#define SOTTO_PEERS_LRU_H

#include <stddef.h>

struct lru;

struct lru *lru_new(size_t key_len, size_t value_len, size_t cap); // cap > 0
void lru_free(struct lru *l);                                      // NULL is allowed

// The value, borrowed until it is removed or forgotten, or NULL. Counts as a use.
void *lru_get(struct lru *l, const void *key);
// The value, made and zeroed where there is none; at the cap, the longest unused goes first.
void *lru_put(struct lru *l, const void *key);
void lru_remove(struct lru *l, const void *key); // nothing there is fine
size_t lru_count(const struct lru *l);

#endif
