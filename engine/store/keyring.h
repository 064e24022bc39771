// SPDX-License-Identifier: GPL-3.0-or-later
// The store key, and the discussions' data keys unwrapped with it, in locked memory. Internal to
// engine/store.
#ifndef SOTTO_STORE_KEYRING_H
#define SOTTO_STORE_KEYRING_H

#include "store/seal.h"
#include "store/store.h"

struct query;

#define KEYRING_SLOTS 64 // data keys unwrapped at a time; the one not used for longest makes room

// A discussion's data key while it is pinned.
struct data_key {
	char discussion[33];
	int64_t number; // the discussion's row; 0: a free slot
	const uint8_t *key;
	unsigned pins;
	uint64_t used;
};

struct keyring {
	struct secret *store_key; // NULL: locked
	struct secret *memory;    // of the slots' keys
	struct data_key slots[KEYRING_SLOTS];
	uint64_t clock;
};
void keyring_init(struct keyring *k);
void keyring_fini(struct keyring *k);
void keyring_clear(struct keyring *k); // wipes the data keys
void keyring_lock(struct keyring *k);  // wipes those, and gives the store key up

// ERR_LOCKED.
MUST_CHECK enum err keyring_store_key(struct store *s, const uint8_t **out, struct err_info *info);
// A pinned key stays where it is until keyring_unpin (store_lock wipes it all the same).
// ERR_LOCKED, ERR_NOT_FOUND (no such discussion), ERR_CRYPTO, ERR_BUSY (every slot is pinned).
MUST_CHECK enum err keyring_pin(struct store *s, const char *discussion, struct data_key **out,
				struct err_info *info);
MUST_CHECK enum err keyring_pin_number(struct store *s, int64_t number, struct data_key **out,
				       struct err_info *info);
void keyring_unpin(struct data_key *key); // NULL is fine

// The next column of the row that q is at (query.h), opened with a pinned key, at most `max` bytes: the caller's reference, wiped at
// its last unref. ERR_CRYPTO: it is not what was sealed there.
MUST_CHECK enum err keyring_take_sealed(struct query *q, const struct data_key *key, const struct seal_place *place,
					size_t max, struct bytes **out, struct err_info *info);

// A fresh data key for a new discussion, wrapped and stored.
MUST_CHECK enum err keyring_create(struct store *s, int64_t number, const char *discussion,
				   struct err_info *info);
// Destroys data keys beyond recovery from the file, once the WAL is truncated. Runs in a scope.
MUST_CHECK enum err keyring_destroy(struct store *s, const int64_t *numbers, size_t count,
				    struct err_info *info);

#endif
