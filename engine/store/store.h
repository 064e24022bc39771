// SPDX-License-Identifier: GPL-3.0-or-later
// The store: one SQLite file (WAL, synchronous=FULL) that one process holds at a time. Everything
// secret in it is sealed at rest (P4.4); the tables are in the headers beside this one, a family
// each: identity, settings, peers, budgets, discussions, epochs, payloads, messages, search.
//
// Holds for every function that takes a struct store:
//  - It blocks for the commit (about 0.2 ms) and never longer than the disk does. One thread.
//  - A write works inside a transaction or outside one; outside, it is a transaction of its own:
//    all of it is on disk when the call returns OK, or nothing is.
//  - A write that fails with ERR_IO inside a transaction rolls all of it back at once. Until
//    store_commit or store_rollback every further write fails with the same error, and store_commit
//    then returns it: a caller that misses an error cannot commit half of its work.
//  - ERR_IO: SQLite or the disk failed; the text says "the disk is full" where that is so.
//    ERR_LOCKED: a sealed column is needed while the store is locked. ERR_CRYPTO: a row was
//    tampered with, or belongs elsewhere; the text names table and row. ERR_NOT_FOUND: no such row.
//    ERR_WRONG_STATE: it is there already, or a counter would not rise. ERR_BAD_PARAMS: a value
//    that is malformed (fingerprint, id). ERR_TOO_LARGE: over the limit that its header gives.
//  - Callbacks named `each` get borrowed values, good until they return, and return false to end
//    the iteration. They may read the store; a write from inside one fails with ERR_WRONG_STATE.
//  - Value structs that a get or each fills own what they point to: release with the struct's _fini
//    (each does so itself). Structs handed to a put are borrowed. `struct bytes *` may be NULL for
//    "none" where the header says so.
// Fingerprints are 40 upper-case hex digits, ids 32 lower-case ones, times milliseconds since 1970,
// 0 for "never".
#ifndef SOTTO_STORE_STORE_H
#define SOTTO_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/secret.h"

#define STORE_KEY_LEN 32
#define STORE_BLOB_MAX (64 << 10) // certificates, signatures, records, rosters
#define STORE_ADDRESSES_MAX 8
#define STORE_ADDRESS_LEN 272 // "host:port" with its NUL

struct store;

// Addresses of one peer or member, the most recently good first. No entry holds a control
// character.
struct store_addresses {
	size_t count;
	char text[STORE_ADDRESSES_MAX][STORE_ADDRESS_LEN];
};

// Opens or makes the file (0600), and the directory it is in (0700); brings an older schema up to
// date; ends a forgetting that a crash cut short (or tries, where the disk is full). The path may
// be of any length. ERR_BUSY: another process holds it (after waiting 2 s). ERR_UNSUPPORTED: the
// file's schema is newer than this program. ERR_BAD_INPUT: not a store.
MUST_CHECK enum err store_open(struct store **out, const char *path, struct err_info *info);
void store_close(
	struct store *s); // NULL is fine; rolls an open transaction back, and wipes the keys

// Transactions do not nest: a second store_begin is ERR_WRONG_STATE, and so are commit and rollback
// of nothing.
MUST_CHECK enum err store_begin(struct store *s, struct err_info *info);
MUST_CHECK enum err store_commit(struct store *s,
				 struct err_info *info); // an error: all of it is rolled back
void store_rollback(struct store *s);                    // nothing open is fine
// The end of what a transaction was begun for: committed where that is OK, rolled back where not. What has become of it.
MUST_CHECK enum err store_end(struct store *s, enum err code, struct err_info *info);
bool store_in_transaction(const struct store *s);

// The store key: 32 bytes; a reference is taken. The first key ever given becomes this store's key;
// later another one is refused with ERR_CRYPTO. Unlocking what is unlocked is fine with the same
// key.
MUST_CHECK enum err store_unlock(struct store *s, struct secret *key, struct err_info *info);
void store_lock(struct store *s); // wipes the store key's reference and all unwrapped data keys
bool store_unlocked(const struct store *s);

#endif
