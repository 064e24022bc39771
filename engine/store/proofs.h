// SPDX-License-Identifier: GPL-3.0-or-later
// Second payloads that a member has signed under the number of another that is here (P5.7). Sealed with the discussion's data key.
#ifndef SOTTO_STORE_PROOFS_H
#define SOTTO_STORE_PROOFS_H

#include "store/payloads.h"

struct store_proof {
	struct store_payload_key key; // of the one that is in payloads as well
	int64_t time;
	struct bytes *message;     // as it travelled, 1 to STORE_SEALED_MAX
	struct bytes *session_key; // as gpgme exports it, 1 to STORE_SESSION_KEY_MAX
};
void store_proof_fini(struct store_proof *p);

// The first of that sender in that epoch is kept: one proves it. OK also for another, which is dropped. ERR_LOCKED, ERR_NOT_FOUND.
MUST_CHECK enum err store_proof_put(struct store *s, const struct store_proof *proof, struct err_info *info);
// Of that discussion, epoch and sender. ERR_NOT_FOUND, ERR_LOCKED.
MUST_CHECK enum err store_proof_get(struct store *s, const struct store_payload_key *key, struct store_proof *out,
				    struct err_info *info);

// Each (epoch, sender) of whom one is kept; neither message nor session key. In the order in which they came.
typedef bool store_proof_visit(void *arg, const struct store_payload_key *key);
MUST_CHECK enum err store_proof_each(struct store *s, const char *discussion, store_proof_visit *each, void *arg,
				     struct err_info *info);

#endif
