// SPDX-License-Identifier: GPL-3.0-or-later
// Discussions and their data keys: each has a random key of its own, kept wrapped by the store key,
// which seals its payloads and messages. Destroying that key is what forgetting means (P4.4).
#ifndef SOTTO_STORE_DISCUSSIONS_H
#define SOTTO_STORE_DISCUSSIONS_H

#include "store/store.h"

#define STORE_DISCUSSIONS_MAX 10000

struct store_discussion {
	char id[33];
	char state[16];
	char reason[64];
	char mode[16];
	char role[16];
	char charter[64];
	int64_t created;
	int64_t opened;       // 0: never was open
	int64_t ended;        // 0: goes on
	int64_t suspended_at; // 0: is not
	char home[65]; // of the discussion key: its directory's name below DATA/homes; "" when gone
	struct bytes *certificate; // own discussion certificate; or NULL
	bool has_h0;
	struct hash h0;
	uint32_t epoch;               // the current one
	char read_marker[33];         // message id, "" for none; set by store_message_set_read only
	struct store_addresses hints; // where to dial before there are members' addresses
	char other[41]; // of a handshake: who is asked, or asks; "" where it began otherwise
	bool closing;   // the own CLOSE is among the payloads (P3.8)
	bool told;      // and every other member has it, or has closed too
};
void store_discussion_fini(struct store_discussion *d);
typedef bool store_discussion_visit(void *arg, const struct store_discussion *discussion);

// Inserts it, with a fresh data key. ERR_LOCKED; ERR_WRONG_STATE where the id is there already.
MUST_CHECK enum err store_discussion_create(struct store *s,
					    const struct store_discussion *discussion,
					    struct err_info *info);
// Writes every field but id, created and read_marker.
MUST_CHECK enum err store_discussion_update(struct store *s,
					    const struct store_discussion *discussion,
					    struct err_info *info);
MUST_CHECK enum err store_discussion_get(struct store *s, const char *id,
					 struct store_discussion *out, struct err_info *info);
// In order of creation here.
MUST_CHECK enum err store_discussion_each(struct store *s, store_discussion_visit *each, void *arg,
					  struct err_info *info);

// Destroys the data key, commits; deletes every row of the discussion, commits; truncates the WAL.
// A crash or a full disk in between leaves what nobody can open, and the next store_open ends it.
// Inside a transaction it is all one commit, and the WAL is truncated right after that. ERR_IO
// after the deletion, where the WAL could not be truncated: the next commit tries again.
MUST_CHECK enum err store_discussion_forget(struct store *s, const char *id, struct err_info *info);
// Forgets those that ended without ever having been open, but for the `keep` that ended last.
MUST_CHECK enum err store_discussion_prune(struct store *s, size_t keep, struct err_info *info);

#endif
