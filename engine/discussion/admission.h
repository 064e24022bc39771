// SPDX-License-Identifier: GPL-3.0-or-later
// Whether an ADMIT is what its JOIN says (§5, 1 and 2): all of the check that needs no gpg, and what gpg is to check then. For members
// before they answer, and for who follows a chain later.
#ifndef SOTTO_DISCUSSION_ADMISSION_H
#define SOTTO_DISCUSSION_ADMISSION_H

#include "discussion/roster.h"
#include "wire/join.h"
#include "wire/op.h"

// Owns everything (admission_fini).
struct admission {
	struct join_record join;
	// Two detached signatures, each by exactly the key of its certificate:
	struct bytes *input, *signature; // of the JOIN, by the discussion key: join.certificate, whose encryption key is the op's
	struct bytes *binding_input;     // of join.binding, by the general key: join.general, which is the candidate's
};

// What the general key signs, so that others know whose a discussion key is: a new reference, NULL where it cannot be made.
struct bytes *admission_binding(const char *discussion, const struct hash *charter, const struct hash *certificate,
				const char *fingerprint);

// ERR_BAD_INPUT, ERR_TOO_LARGE: it may not be admitted; the text says why. *out is empty then.
MUST_CHECK enum err admission_read(const struct op *op, const struct roster_record *roster, const struct hash *roster_hash,
				   struct admission *out, struct err_info *info);
void admission_fini(struct admission *a);

// An ADMIT for that JOIN, with the encryption key id of its certificate. Appends the op's bytes.
MUST_CHECK enum err admission_op(struct bytes *join_envelope, const char *key, struct buf *out, struct err_info *info);

#endif
