// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/verdict.h"

#include <string.h>

// OpenPGP's numbers (RFC 4880, 9.4); everything else is weaker or not of version 4
enum { HASH_SHA256 = 8, HASH_SHA384 = 9, HASH_SHA512 = 10 };

enum verdict verdict_of(const struct verdict_facts *facts, const char *signer)
{
	if (facts->failed)
		return VERDICT_GPG_ERROR;
	if (facts->encrypted && !facts->mdc)
		return VERDICT_NO_MDC;
	if (facts->wrong_key_usage)
		return VERDICT_WRONG_KEY_USAGE;
	if (facts->signatures == 0)
		return VERDICT_UNSIGNED;
	if (facts->signatures > 1)
		return VERDICT_SEVERAL_SIGNATURES;
	if (facts->status != 0)
		return VERDICT_BAD_SIGNATURE;
	if (facts->hash < HASH_SHA256 || facts->hash > HASH_SHA512)
		return VERDICT_WEAK_HASH;
	// an empty or short fingerprint never matches, whatever the table holds
	if (!fingerprint_valid(facts->signer) || strcmp(facts->signer, signer) != 0)
		return VERDICT_WRONG_SIGNER;
	if (facts->encrypted && !facts->shape)
		return VERDICT_SHAPE;
	return VERDICT_ACCEPTED;
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[VERDICT_COUNT] = {
		[VERDICT_ACCEPTED] = "accepted",
		[VERDICT_GPG_ERROR] = "gpg_error",
		[VERDICT_NO_MDC] = "no_mdc",
		[VERDICT_WRONG_KEY_USAGE] = "wrong_key_usage",
		[VERDICT_UNSIGNED] = "unsigned",
		[VERDICT_SEVERAL_SIGNATURES] = "several_signatures",
		[VERDICT_BAD_SIGNATURE] = "bad_signature",
		[VERDICT_WEAK_HASH] = "weak_hash",
		[VERDICT_WRONG_SIGNER] = "wrong_signer",
		[VERDICT_SHAPE] = "shape",
	};
	return verdict < VERDICT_COUNT ? names[verdict] : "?";
}
