// SPDX-License-Identifier: GPL-3.0-or-later
// Signed statements about a change of the members (§5), as envelopes: those of the epoch that goes on, to restore the epoch
// machine from; and of each that has ended what proves its end, and what proves that a member has lied in it. Sealed with the discussion's data key.
#ifndef SOTTO_STORE_STATEMENTS_H
#define SOTTO_STORE_STATEMENTS_H

#include "store/store.h"

#define STORE_STATEMENT_MAX (256 * 1024)

struct store_statement {
	uint32_t epoch;   // of what is visited; not looked at where a call names it
	struct hash name; // H of its body
	bool own;
	bool is_signed; // else .envelope is the body alone: an own one that was decided, and is to be signed (§5: on disk first)
	bool proof;     // of the end of its epoch
	struct bytes *envelope;
};
typedef bool store_statement_visit(void *arg, const struct store_statement *statement);

// Behind those that are there. One that is there already stays as it is: OK. ERR_LOCKED.
MUST_CHECK enum err store_statement_append(struct store *s, const char *discussion, uint32_t epoch,
					   const struct store_statement *statement,
					   struct err_info *info);
// An own one's signature is there now. ERR_NOT_FOUND; ERR_LOCKED.
MUST_CHECK enum err store_statement_sign(struct store *s, const char *discussion, uint32_t epoch,
					 const struct hash *name, struct bytes *envelope,
					 struct err_info *info);
// In the order in which they came. ERR_LOCKED.
MUST_CHECK enum err store_statement_each(struct store *s, const char *discussion, uint32_t epoch,
					 store_statement_visit *each, void *arg,
					 struct err_info *info);
// The epoch has ended: drops all of it, then appends what proves that, in this order. In one step. ERR_LOCKED.
MUST_CHECK enum err store_statement_decide(struct store *s, const char *discussion, uint32_t epoch,
					   const struct store_statement *proof, size_t count,
					   struct err_info *info);
// What was appended to an epoch before that one once it had ended: of two statements that exclude each other (P5.7) those that do not
// prove its end as well. In the order in which they came. ERR_LOCKED.
MUST_CHECK enum err store_statement_each_lie(struct store *s, const char *discussion, uint32_t before,
					     store_statement_visit *each, void *arg, struct err_info *info);

#endif
