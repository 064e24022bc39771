// SPDX-License-Identifier: GPL-3.0-or-later
// The invitation that a discussion of others began with here, and whether the person has accepted it; kept when it was declined, too,
// so that it is known when it comes again. Sealed with the discussion's data key.
#ifndef SOTTO_STORE_JOININGS_H
#define SOTTO_STORE_JOININGS_H

#include "store/store.h"

#define STORE_INVITE_MAX (256 * 1024)

struct store_joining {
	bool accepted;
	struct bytes *invite; // the record
};
void store_joining_fini(struct store_joining *j);

// Inserts or replaces it. ERR_LOCKED, ERR_NOT_FOUND (no such discussion).
MUST_CHECK enum err store_joining_put(struct store *s, const char *discussion, const struct store_joining *joining,
				      struct err_info *info);
// ERR_NOT_FOUND, ERR_LOCKED.
MUST_CHECK enum err store_joining_get(struct store *s, const char *discussion, struct store_joining *out,
				      struct err_info *info);
// Who has joined has the chain instead. OK where there is none.
MUST_CHECK enum err store_joining_drop(struct store *s, const char *discussion, struct err_info *info);

#endif
