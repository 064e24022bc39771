// SPDX-License-Identifier: GPL-3.0-or-later
// R_e as bytes (§5), type "roster". Whether it is the right one, and in the right order, is for
// discussion/ to say.
#ifndef SOTTO_WIRE_ROSTER_H
#define SOTTO_WIRE_ROSTER_H

#include "wire/record.h"

#define ROSTER_RECORD_MAX (16 * 1024) // bytes
#define ROSTER_RECORD_MEMBERS_MIN 2

struct roster_record_member {
	char fingerprint[FINGERPRINT_SIZE]; // general key
	struct hash certificate;            // H(discussion certificate)
	char key[KEY_ID_SIZE];              // encryption subkey at admission
};

// A plain value; owns nothing.
struct roster_record {
	char discussion[DISCUSSION_ID_SIZE];
	uint32_t epoch;
	struct hash previous; // H_{e-1}; does not travel in epoch 0, and is zero there
	struct hash charter;  // H(charter)
	size_t count;         // ROSTER_RECORD_MEMBERS_MIN to RECORD_MEMBERS_MAX
	struct roster_record_member members[RECORD_MEMBERS_MAX];
};

// Appends to out. Both refuse two equal fingerprints, certificates or key ids (P3.2).
MUST_CHECK enum err roster_record_encode(const struct roster_record *r, struct buf *out,
					 struct err_info *info);
MUST_CHECK enum err roster_record_decode(struct roster_record *r, struct span text,
					 struct err_info *info);

#endif
