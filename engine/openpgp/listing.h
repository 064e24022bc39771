// SPDX-License-Identifier: GPL-3.0-or-later
// The user's own keys, as `gpg --with-colons` lists them, and which of them may be adopted (P3.6): one whose primary key holds, with
// a key that signs and a subkey that decrypts, both of them valid and within reach of the user's agent. The primary key's own secret
// may be elsewhere. Pure.
#ifndef SOTTO_OPENPGP_LISTING_H
#define SOTTO_OPENPGP_LISTING_H

#include <stddef.h>

#include "openpgp/packets.h"

#define LISTED_KEYS_MAX 100
#define LISTED_BITS_LEAST 2048 // of RSA, DSA and Elgamal

// Why a key cannot be adopted; the first that applies.
enum key_obstacle {
	KEY_FITS,
	KEY_REVOKED,
	KEY_EXPIRED,     // the key as a whole
	KEY_DISABLED,
	KEY_INVALID,     // gpg says so: no user id of it holds, for one
	KEY_SIGNS_NOT,   // nothing of it that is valid signs
	KEY_SIGNING_EXPIRED,
	KEY_SIGNING_SECRET_MISSING,
	KEY_DECRYPTS_NOT, // no subkey that is valid decrypts
	KEY_DECRYPTION_EXPIRED,
	KEY_DECRYPTION_SECRET_MISSING,
	KEY_WEAK,        // fewer than LISTED_BITS_LEAST bits
	KEY_UNSUPPORTED, // of a kind that the packet walk refuses
	KEY_OBSTACLE_COUNT
};

struct listed_key {
	char fingerprint[FINGERPRINT_TEXT]; // of the primary key
	char user_id[USER_ID_MAX + 1];      // the first that is valid; cut, "" where there is none. Any bytes but NUL
	char algorithm[24];                 // of the primary key: "ed25519", "rsa4096"
	int64_t created, expires;           // seconds since 1970; expires: what is needed of it, 0 for never
	bool card;                          // one of both is on a smart card
	char signer[FINGERPRINT_TEXT];      // of KEY_FITS: what signs, the newest subkey or else the primary key,
	char decrypter[FINGERPRINT_TEXT];   // and the newest subkey that decrypts
	enum key_obstacle obstacle;
};

// Reads the output of --list-secret-keys, or of --list-keys --with-secret. Lines of other kinds are skipped, and so is a key of
// which something does not parse. Returns how many keys there are, at most `max`.
size_t listing_read(struct span text, struct listed_key *out, size_t max);
// How its owner may be called: what stands before comment and address of a user id, or else before the address's "@"; harmless, at
// most `size` - 1 bytes of UTF-8, "" where nothing is left.
void listing_name(const char *user_id, char *out, size_t size);
// The same of any text: what is harmless of it.
void listing_harmless(const char *text, char *out, size_t size);
// "it has expired": follows the key's name. Static.
const char *key_obstacle_text(enum key_obstacle obstacle);

#endif
