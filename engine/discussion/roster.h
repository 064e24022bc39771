// SPDX-License-Identifier: GPL-3.0-or-later
// The ordered list of a discussion's members in one epoch, R_e (§5, P3.1). The value itself is
// wire's struct roster_record: copied by assignment, owns nothing. Bytes come from
// roster_record_encode; the hash H_e is always over bytes that travelled or are kept.
#ifndef SOTTO_DISCUSSION_ROSTER_H
#define SOTTO_DISCUSSION_ROSTER_H

#include "wire/roster.h"

#define ROSTER_MIN ROSTER_RECORD_MEMBERS_MIN
#define ROSTER_MAX RECORD_MEMBERS_MAX
#define ROSTER_NOBODY SIZE_MAX

// R_0 of these members, put in their order. ERR_BAD_PARAMS where their number is not 2 to 64, or
// two share a fingerprint, a certificate or a key id (P3.2).
MUST_CHECK enum err roster_begin(struct roster_record *out, const char *discussion,
				 const struct hash *charter,
				 const struct roster_record_member *members, size_t count,
				 struct err_info *info);

// As roster_record_decode, and in epoch 0, where everyone was admitted at once, the order of the
// members is checked too (later ones follow from the roster before). ERR_BAD_INPUT.
MUST_CHECK enum err roster_decode(struct roster_record *out, struct span bytes,
				  struct err_info *info);

// Every field: NULL where they are the same, else the static name of the first that differs.
const char *roster_difference(const struct roster_record *a, const struct roster_record *b);

// ROSTER_NOBODY where not a member.
size_t roster_position(const struct roster_record *r, const char *fingerprint);
// The position of that member of another epoch, with the same certificate: who went and came again is another member. ROSTER_NOBODY.
size_t roster_same(const struct roster_record *r, const struct roster_record_member *m);
// Key ids of everyone but that member, in roster order: the recipients of what it seals. Returns
// their number; keys are borrowed from the roster. A fingerprint of nobody leaves nobody out.
size_t roster_keys_without(const struct roster_record *r, const char *fingerprint,
			   const char *keys[ROSTER_MAX]);

#endif
