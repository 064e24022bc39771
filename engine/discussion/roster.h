// SPDX-License-Identifier: GPL-3.0-or-later
// The ordered list of a discussion's members in one epoch, R_e (§5, P3.1), as a plain value.
#ifndef SOTTO_DISCUSSION_ROSTER_H
#define SOTTO_DISCUSSION_ROSTER_H

#include "base/hash.h"

#define ROSTER_MIN 2
#define ROSTER_MAX 64
#define ROSTER_NOBODY SIZE_MAX

struct roster_member {
	char fingerprint[41];    // general key
	struct hash certificate; // H(discussion certificate)
	char key[17];            // key id of the encryption subkey at admission, 16 upper-case hex digits
};

// Copied by assignment; owns nothing.
struct roster {
	char discussion[33];
	uint32_t epoch;
	struct hash previous; // H_{e-1}; zero in epoch 0
	struct hash charter;  // H(charter)
	size_t count;
	struct roster_member members[ROSTER_MAX]; // in order of admission, then fingerprint
};

// R_0 of these members, put in their order. ERR_BAD_PARAMS where their number is not 2 to 64, or two share a fingerprint, a
// certificate or a key id (P3.2).
MUST_CHECK enum err roster_begin(struct roster *out, const char *discussion, const struct hash *charter,
				 const struct roster_member *members, size_t count, struct err_info *info);

// Bytes of the record, appended to out. The hash H_e is always over bytes that travelled or are kept: hash_of them.
MUST_CHECK enum err roster_encode(const struct roster *r, struct buf *out);
// ERR_BAD_INPUT where the bytes are no roster, or break the rules of roster_begin (order is checked in epoch 0, where it can be).
MUST_CHECK enum err roster_decode(struct roster *out, struct span bytes, struct err_info *info);

// Every field: NULL where they are the same, else the static name of the first that differs.
const char *roster_difference(const struct roster *a, const struct roster *b);

size_t roster_position(const struct roster *r, const char *fingerprint); // ROSTER_NOBODY where not a member
// Key ids of everyone but that member, in roster order: the recipients of what it seals. Returns their number; keys are borrowed
// from the roster. A fingerprint of nobody leaves nobody out.
size_t roster_keys_without(const struct roster *r, const char *fingerprint, const char *keys[ROSTER_MAX]);

#endif
