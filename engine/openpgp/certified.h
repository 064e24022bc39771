// SPDX-License-Identifier: GPL-3.0-or-later
// Who has certified a key: what `gpg --check-signatures` found, and which of the signers' keys are still good. Pure.
//
// Only signatures count that gpg has checked with the signer's key, whose maker it names by the whole fingerprint, over a user id that
// is not revoked; that have not expired, and that their maker has not taken back. The key's own signatures are none of these.
#ifndef SOTTO_OPENPGP_CERTIFIED_H
#define SOTTO_OPENPGP_CERTIFIED_H

#include "openpgp/packets.h"

#define CERTIFIERS_MAX 512

struct certifiers {
	size_t count;
	char list[CERTIFIERS_MAX][FINGERPRINT_TEXT]; // in the order of gpg's list, each once
};

// Reads the output of --with-colons --check-signatures KEY. `now`: seconds since 1970. Whoever is beyond CERTIFIERS_MAX is left out.
// Nobody where the key itself is revoked, expired or not the one that was asked for.
void certified_read(struct span text, const char *key, int64_t now, struct certifiers *out);
// Reads the output of --with-colons --list-keys, and keeps of `list[from]` to `list[to - 1]` only those that stand there and are neither
// revoked, expired, disabled nor invalid. Returns how many were kept; those behind close up.
size_t certified_keep_valid(struct span text, struct certifiers *c, size_t from, size_t to);

#endif
