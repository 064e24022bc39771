// SPDX-License-Identifier: GPL-3.0-or-later
// Secrets (passwords, session keys, store keys) live in locked, guarded memory that is wiped on free (P2.4).
#ifndef SOTTO_BASE_SECRET_H
#define SOTTO_BASE_SECRET_H

#include "base/buf.h"

// Reference-counted; the bytes are writable by whoever made it, and read-only by agreement afterwards.
struct secret;

struct secret *secret_new(size_t len);              // zeroed; one reference, the caller's
struct secret *secret_copy(struct span from);       // the caller still wipes its own copy
struct secret *secret_ref(struct secret *s);        // NULL is passed through
void secret_unref(struct secret *s);                // NULL is allowed; wipes at the last
uint8_t *secret_data(struct secret *s);
struct span secret_span(const struct secret *s);    // NULL gives an empty span
bool secret_equal(const struct secret *a, const struct secret *b); // constant time for equal lengths

// Whether the system lets this process keep memory out of the swap: a small RLIMIT_MEMLOCK may not. Secrets work all the same.
bool secret_memory_locks(void);

// No core dumps, no ptrace by others of the same user (RLIMIT_CORE 0, PR_SET_DUMPABLE 0). Once, at the start of a core.
void secret_harden_process(void);

#endif
