// SPDX-License-Identifier: GPL-3.0-or-later
// The FreeformClass of RFC 8264: which characters a password may hold.
#ifndef SOTTO_PAKE_PRECIS_H
#define SOTTO_PAKE_PRECIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Whether every one of the code points is of the class, each where its contextual rule (RFC 5892,
// appendix A) allows it. Values that are no code points are not.
bool precis_freeform(const int32_t *text, size_t count);

// What the contextual rules ask of a code point and utf8proc does not know (precis_tables.c).
enum precis_set {
	PRECIS_JOINS_AFTER,  // Joining_Type L or D: connects to what comes after it
	PRECIS_JOINS_BEFORE, // R or D: connects to what came before it
	PRECIS_GREEK,
	PRECIS_HEBREW,
	PRECIS_JAPANESE, // Script Hiragana, Katakana or Han
};
bool precis_in(enum precis_set set, int32_t c);

#endif
