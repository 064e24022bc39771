// SPDX-License-Identifier: GPL-3.0-or-later
// A set of states, in the order in which they were added.
#ifndef SOTTO_SPEC_SIM_MODEL_TABLE_H
#define SOTTO_SPEC_SIM_MODEL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key {
	uint64_t words[2];
};
void key_put(struct key *k, unsigned *at, unsigned value, unsigned bits); // bits do not cross a word
unsigned key_get(const struct key *k, unsigned *at, unsigned bits);

struct table *table_new(void);
void table_free(struct table *t);
bool table_add(struct table *t, struct key k); // false: it is there
bool table_at(const struct table *t, size_t i, struct key *out);
size_t table_count(const struct table *t);

#endif
