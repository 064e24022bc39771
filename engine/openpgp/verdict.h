// SPDX-License-Identifier: GPL-3.0-or-later
// The acceptance rule of P3.4 as far as gpg's own report decides it. Pure. gpg's success means little: it also succeeds for an
// unsigned message, for two signatures, for a signature by anyone. The facts are copied out of gpgme's result by gpg.c.
#ifndef SOTTO_OPENPGP_VERDICT_H
#define SOTTO_OPENPGP_VERDICT_H

#include "openpgp/packets.h"

// The reason of a refusal, in the order in which they are looked for.
enum verdict {
	VERDICT_ACCEPTED = 0,
	VERDICT_GPG_ERROR,          // gpg, gpgme or a limit of ours ended the operation
	VERDICT_NO_MDC,             // encrypted without integrity protection
	VERDICT_WRONG_KEY_USAGE,    // made or encrypted with a key not meant for it
	VERDICT_UNSIGNED,
	VERDICT_SEVERAL_SIGNATURES,
	VERDICT_BAD_SIGNATURE,      // its status is anything but "good": bad, expired, revoked, key missing …
	VERDICT_WEAK_HASH,          // not SHA-256, SHA-384 or SHA-512
	VERDICT_WRONG_SIGNER,       // good, but by another key than the expected one
	VERDICT_SHAPE,              // something else stood beside the signed text, around it or in its name (P3.1): see inner.h
	VERDICT_COUNT
};

struct verdict_facts {
	bool failed;          // the operation as a whole did
	bool encrypted;       // false for a detached signature: mdc and shape are not looked at
	bool mdc;
	bool wrong_key_usage; // of the decryption key or of any signature
	bool shape;           // inner_check finds it as it must be
	size_t signatures;
	// of the first signature
	unsigned status;      // gpg's code, 0 = good
	unsigned hash;        // OpenPGP's number of the digest algorithm
	char signer[FINGERPRINT_TEXT]; // primary key of the one that made it; "" where gpg does not say
};

// `signer` is the full fingerprint that our own table has for the sender.
enum verdict verdict_of(const struct verdict_facts *facts, const char *signer);
// Stable lower-case name for metrics and error texts ("unsigned"). Static.
const char *verdict_name(enum verdict verdict);

#endif
