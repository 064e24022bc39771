// SPDX-License-Identifier: GPL-3.0-or-later
// Payloads, own and received: exact bytes, the OpenPGP message that carried them, its session key
// (P3.10, P3.11), all sealed with the discussion's data key. Beside them the heads (how far each
// member's chain reaches) and the acknowledgements (how far each member's store holds mine).
#ifndef SOTTO_STORE_PAYLOADS_H
#define SOTTO_STORE_PAYLOADS_H

#include "store/store.h"

#define STORE_PAYLOAD_MAX (1 << 20)
#define STORE_SEALED_MAX (2 << 20) // the OpenPGP message
#define STORE_SESSION_KEY_MAX 1024
#define STORE_SEQUENCE_MAX ((uint64_t)1 << 53)

// Which payload. Kept apart because it names a row without its content.
struct store_payload_key {
	char discussion[33];
	uint32_t epoch;
	char sender[41];
	uint64_t sequence; // from 1
};

struct store_payload {
	struct store_payload_key key;
	struct hash hash;          // of the payload bytes
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
MUST_CHECK enum err store_payload_get(struct store *s, const struct store_payload_key *key,
				      struct store_payload *out,
				      struct err_info *info); // ERR_LOCKED
// Of the key's discussion, epoch and sender: those with a sequence above the key's, rising, at most
// limit (1 to 1000). ERR_LOCKED.
MUST_CHECK enum err store_payload_each_after(struct store *s, const struct store_payload_key *key,
					     size_t limit, store_payload_visit *each, void *arg,
					     struct err_info *info);

// How far a member's chain is stored here. For this core's own fingerprint: where to build on.
struct store_head {
	char sender[41];
	uint64_t sequence; // 0: none yet, and hash is zero
	struct hash hash;
};
typedef bool store_head_visit(void *arg, const struct store_head *head);
// A member without payloads in that epoch has a head of sequence 0: OK. ERR_NOT_FOUND: no such
// discussion.
MUST_CHECK enum err store_head_get(struct store *s, const char *discussion, uint32_t epoch,
				   const char *sender, struct store_head *out,
				   struct err_info *info);
MUST_CHECK enum err store_head_each(
	struct store *s, const char *discussion, uint32_t epoch, store_head_visit *each, void *arg,
	struct err_info *info); // by fingerprint; without those of sequence 0

// Highest own sequence that this member's store has. A lower one than is stored changes nothing:
// OK.
MUST_CHECK enum err store_ack_put(struct store *s, const char *discussion, uint32_t epoch,
				  const char *member, uint64_t sequence, struct err_info *info);
MUST_CHECK enum err store_ack_get(struct store *s, const char *discussion, uint32_t epoch,
				  const char *member, uint64_t *out,
				  struct err_info *info); // 0 where there is none

#endif
