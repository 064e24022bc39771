// SPDX-License-Identifier: GPL-3.0-or-later
// The packet walk inside a sealed message that gpg has opened. Pure.
//
// gpg's word is not enough: whoever can seal to us can wrap somebody's signed text anew, and gpg reports one good signature
// also where that text was compressed, encrypted once more within, or has keys beside it, whose listing gpg prints into the
// plaintext.
#ifndef SOTTO_OPENPGP_INNER_H
#define SOTTO_OPENPGP_INNER_H

#include "base/buf.h"

// `message` has passed sealed_check; `session_key` is gpg's ("9:" and 64 hex digits); `plaintext` is what gpg made of it. OK
// where inside there is exactly a one-pass signature, a binary literal without a file name (P3.1) that holds the plaintext, and
// the signature; else ERR_BAD_INPUT. Integrity and signature are gpg's to check, and have been. What is decrypted here is
// wiped.
MUST_CHECK enum err inner_check(struct span message, struct span session_key, struct span plaintext, struct err_info *info);

#endif
