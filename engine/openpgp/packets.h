// SPDX-License-Identifier: GPL-3.0-or-later
// The packet walk: what OpenPGP bytes from outside must look like before gpg sees one of them (P1.7, P3.1, P3.2). Pure; RFC 4880.
// Both packet formats are read; indeterminate lengths are refused everywhere, partial ones everywhere but in a SEIPD packet.
// All functions borrow their input and fail with ERR_BAD_INPUT (ERR_TOO_LARGE over the size limit); the text names what was wrong.
#ifndef SOTTO_OPENPGP_PACKETS_H
#define SOTTO_OPENPGP_PACKETS_H

#include "base/buf.h"

#define FINGERPRINT_TEXT 41 // 40 upper-case hex digits and a NUL
#define KEY_ID_TEXT 17      // 16 upper-case hex digits and a NUL

#define CERTIFICATE_MAX 8192
#define CERTIFICATE_PACKETS_MAX 16
#define DISCUSSION_CERTIFICATE_MAX 1024
#define SIGNATURE_MAX 4096
#define SEALED_MAX (1024 * 1024)
#define SEALED_RECIPIENTS_MAX 64
#define USER_ID_MAX 255

// OpenPGP's numbers of public-key algorithms that may occur in a certificate.
enum key_algorithm {
	KEY_RSA = 1,
	KEY_ELGAMAL = 16,
	KEY_DSA = 17,
	KEY_ECDH = 18,
	KEY_ECDSA = 19,
	KEY_EDDSA = 22,
};

struct key_info {
	char fingerprint[FINGERPRINT_TEXT];
	uint64_t id;       // the low 64 bits of the fingerprint
	uint32_t created;  // seconds since 1970, as the key says
	uint8_t algorithm; // enum key_algorithm
	bool encrypts;     // subkeys only: by its algorithm, or by the key flags of its binding signature; false once revoked
};

struct certificate_info {
	struct key_info primary;
	struct key_info subkeys[CERTIFICATE_PACKETS_MAX];
	size_t subkey_count;
	size_t encryption;         // index into subkeys: the newest that encrypts
	uint8_t user_id[USER_ID_MAX + 1]; // the first, raw, cut to USER_ID_MAX; a NUL follows
	size_t user_id_len;
};

// P1.7: at most 8 KiB, one v4 primary key, its signatures, user ids with their signatures, v4 subkeys with their signatures, and
// nothing else; at least one user id and one subkey that encrypts. No signature is verified and no expiry looked at: that is gpg's.
MUST_CHECK enum err certificate_check(struct span certificate, struct certificate_info *out, struct err_info *info);

// A discussion key's: exactly ed25519 primary, user id, signature, cv25519 subkey, signature; at most 1 KiB.
MUST_CHECK enum err discussion_certificate_check(struct span certificate, struct certificate_info *out,
						 struct err_info *info);

// What of a certificate travels when a subkey is new (P4.2): its primary key, its first user id with the signatures, and that subkey with
// its own, as they are. Appended to out. ERR_NOT_FOUND: no such subkey.
MUST_CHECK enum err certificate_cut(struct span certificate, const char *subkey, struct buf *out, struct err_info *info);

// P3.1, P3.2: one v3 PKESK for each of the ids, in exactly that order, then one SEIPD packet of version 1, then the end. `count` is
// 1 to SEALED_RECIPIENTS_MAX and no id is zero or occurs twice (ERR_BAD_PARAMS otherwise).
MUST_CHECK enum err sealed_check(struct span message, const uint64_t *ids, size_t count, struct err_info *info);

// The key ids that a message names, in its order, and nothing more is looked at: sealed_check follows. ERR_TOO_LARGE: more than `max`.
MUST_CHECK enum err sealed_recipients(struct span message, uint64_t *ids, size_t max, size_t *count, struct err_info *info);

// What sealed_check asks of a list of recipients; sealing asks the same.
MUST_CHECK enum err recipients_check(const uint64_t *ids, size_t count, struct err_info *info);

// A detached signature: exactly one v4 signature packet of type 0 (binary), at most 4 KiB.
MUST_CHECK enum err signature_check(struct span signature, struct err_info *info);

// 16 upper-case hex digits, as in the roster. Parsing takes nothing else (ERR_BAD_INPUT).
void key_id_format(uint64_t id, char out[KEY_ID_TEXT]);
MUST_CHECK enum err key_id_parse(const char *text, uint64_t *out);
// 40 upper-case hex digits and nothing else.
bool fingerprint_valid(const char *text);

#endif
