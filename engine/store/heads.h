// SPDX-License-Identifier: GPL-3.0-or-later
// How far each member's chain of payloads is stored here (heads), and how far each member's store
// holds mine (acknowledgements). Not sealed: both work while the store is locked.
#ifndef SOTTO_STORE_HEADS_H
#define SOTTO_STORE_HEADS_H

#include "store/store.h"

#define STORE_SEQUENCE_MAX ((uint64_t)1 << 53)

// How far a member's chain is stored here. For this core's own fingerprint: where to build on.
struct store_head {
	char sender[41];
	uint64_t sequence; // 0: none yet, and hash is zero
	struct hash hash;
};
// A member without payloads in that epoch has a head of sequence 0: OK. ERR_NOT_FOUND: no such
// discussion.
MUST_CHECK enum err store_head_get(struct store *s, const char *discussion, uint32_t epoch,
				   const char *sender, struct store_head *out,
				   struct err_info *info);

// Highest own sequence that this member's store has. A lower one than is stored changes nothing:
// OK.
MUST_CHECK enum err store_ack_put(struct store *s, const char *discussion, uint32_t epoch,
				  const char *member, uint64_t sequence, struct err_info *info);
MUST_CHECK enum err store_ack_get(struct store *s, const char *discussion, uint32_t epoch,
				  const char *member, uint64_t *out,
				  struct err_info *info); // 0 where there is none

#endif
