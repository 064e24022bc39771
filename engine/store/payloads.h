// SPDX-License-Identifier: GPL-3.0-or-later
// Payloads, own and received: exact bytes, the OpenPGP message that carried them, its session key
// (P3.10, P3.11), all sealed with the discussion's data key.
#ifndef SOTTO_STORE_PAYLOADS_H
#define SOTTO_STORE_PAYLOADS_H

#include "store/heads.h"

#define STORE_PAYLOAD_MAX (1 << 20)
#define STORE_SEALED_MAX (2 << 20) // the OpenPGP message
#define STORE_SESSION_KEY_MAX 1024

// Which payload. Kept apart because it names a row without its content.
struct store_payload_key {
	char discussion[33];
	uint32_t epoch;
	char sender[41];
	uint64_t sequence; // from 1
};

struct store_payload {
	struct store_payload_key key;
	struct hash hash;          // of the payload bytes; checked when it is read
	int64_t time;              // when it was built, or received
	struct bytes *payload;     // exact bytes; wiped at the last unref
	struct bytes *message;     // as it travelled; NULL while an own one is not sealed yet
	struct bytes *session_key; // as gpgme exports it; or NULL
};
void store_payload_fini(struct store_payload *p);
typedef bool store_payload_visit(void *arg, const struct store_payload *payload);

// Inserts the payload and moves its sender's head to it, in one step. ERR_WRONG_STATE unless its
// sequence is the head's plus one: nothing is skipped, doubled or rebuilt. ERR_LOCKED.
MUST_CHECK enum err store_payload_append(struct store *s, const struct store_payload *payload,
					 struct err_info *info);
// After sealing (or sealing anew) an own one. message and session_key may be empty for "none".
// ERR_LOCKED.
MUST_CHECK enum err store_payload_set_message(struct store *s, const struct store_payload_key *key,
					      struct span message, struct span session_key,
					      struct err_info *info);
// ERR_NOT_FOUND. Also while the store is locked.
MUST_CHECK enum err store_payload_hash(struct store *s, const struct store_payload_key *key, struct hash *out,
				       struct err_info *info);
// Of the key's discussion, epoch and sender: those with a sequence above the key's, rising, at most
// limit (1 to 1000). ERR_LOCKED.
MUST_CHECK enum err store_payload_each_after(struct store *s, const struct store_payload_key *key,
					     size_t limit, store_payload_visit *each, void *arg,
					     struct err_info *info);

#endif
