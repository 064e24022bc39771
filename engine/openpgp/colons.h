// SPDX-License-Identifier: GPL-3.0-or-later
// Lines of `gpg --with-colons` (GnuPG's doc/DETAILS). Pure; everything is borrowed from the text.
#ifndef SOTTO_OPENPGP_COLONS_H
#define SOTTO_OPENPGP_COLONS_H

#include "base/buf.h"

#define COLONS_FIELDS 21

// There they are numbered from 1.
enum colons_field {
	COLONS_TYPE = 0,
	COLONS_VALIDITY = 1,
	COLONS_BITS = 2,
	COLONS_ALGORITHM = 3,
	COLONS_CREATED = 5,
	COLONS_EXPIRES = 6,
	COLONS_TEXT = 9, // the user id, the fingerprint
	COLONS_CLASS = 10, // of a signature: "13x"
	COLONS_CAPABILITIES = 11,
	COLONS_ISSUER = 12, // of a signature: its maker's fingerprint, where it is known
	COLONS_TOKEN = 14,  // "+": its secret is there; "#": it is not; else the number of its smart card
	COLONS_CURVE = 16,
};

struct colons {
	struct span fields[COLONS_FIELDS]; // those that are missing are empty
};

// Takes the next line off the text.
void colons_read(struct span *text, struct colons *out);
bool colons_is(struct span field, const char *text);
bool colons_has(struct span field, char letter);
int64_t colons_number(struct span field); // 0 where there is none

#endif
