// SPDX-License-Identifier: GPL-3.0-or-later
// Passwords: preparation (P2.4, RFC 8265 OpaqueString), a hint at weak ones, and making one (P2.8).
// No text or error made here holds any part of a password.
#ifndef SOTTO_PAKE_PASSWORD_H
#define SOTTO_PAKE_PASSWORD_H

#include "base/random.h"
#include "base/secret.h"

#define PASSWORD_MAX 1024     // bytes after preparation, at least 1
#define PASSWORD_RAW_MAX 8192 // bytes before it
#define PASSWORD_WORDS_MIN 4
#define PASSWORD_WORDS_MAX 16
#define PASSWORD_LIST_MIN 2048

// Non-ASCII spaces become U+0020, then NFC, then every character must be of the FreeformClass
// (RFC 8264): no controls, nothing unassigned, ignorable or private. Every copy made on the way is
// in locked or wiped memory; `text` stays the caller's to wipe. ERR_BAD_PARAMS: not UTF-8, empty, or
// a character that is not allowed; ERR_TOO_LARGE: over a limit. *out: one reference, the caller's.
MUST_CHECK enum err password_prepare(struct span text, struct secret **out, struct err_info *info);

// What is weak about a prepared password, as one line for a person, or NULL where nothing is. Static.
// A hint, never a refusal: three guesses and a back-off are what an attacker gets (P2.2).
const char *password_weakness(struct span prepared);

struct password_list {
	const char *(*at)(size_t i); // i < count; ASCII letters only
	size_t count;                // at least PASSWORD_LIST_MIN
};
// `words` of them joined by spaces, each uniform and independent; the secret is the text without a
// NUL, and is prepared already. ERR_BAD_PARAMS: number of words, or size of the list, out of limits.
MUST_CHECK enum err password_generate(const struct random *random, const struct password_list *list,
				      unsigned words, struct secret **out);

#endif
