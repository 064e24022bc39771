// SPDX-License-Identifier: GPL-3.0-or-later
// Passwords: preparation (P2.4, RFC 8265 OpaqueString) and a hint at weak ones (P2.8); discussion/words.h
// makes them. No text or error made here holds any part of a password.
#ifndef SOTTO_PAKE_PASSWORD_H
#define SOTTO_PAKE_PASSWORD_H

#include "base/secret.h"

#define PASSWORD_MAX 1024     // bytes after preparation, at least 1
#define PASSWORD_RAW_MAX 8192 // bytes before it

// Non-ASCII spaces become U+0020, then NFC, then every character must be of the FreeformClass
// (RFC 8264): no controls, nothing unassigned, ignorable or private. Every copy made on the way is
// in locked or wiped memory; `text` stays the caller's to wipe. ERR_BAD_PARAMS: not UTF-8, empty, or
// a character that is not allowed; ERR_TOO_LARGE: over a limit. *out: one reference, the caller's.
MUST_CHECK enum err password_prepare(struct span text, struct secret **out, struct err_info *info);

// What is weak about a prepared password, as one line for a person, or NULL where nothing is. Static.
// A hint, never a refusal: three guesses and a back-off are what an attacker gets (P2.2).
const char *password_weakness(struct span prepared);

#endif
