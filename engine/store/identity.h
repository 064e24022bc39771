// SPDX-License-Identifier: GPL-3.0-or-later
// The one identity of this store: the general key's public side, and the presence key.
#ifndef SOTTO_STORE_IDENTITY_H
#define SOTTO_STORE_IDENTITY_H

#include "store/store.h"

#define STORE_PRESENCE_SECRET_LEN 64 // libsodium's Ed25519 secret key

struct store_identity {
	char fingerprint[41];
	char name[33];
	char home[65]; // of the general key: its directory's name below DATA/homes
	bool has_passphrase;
	char signer[41]; // of an adopted key: the fingerprint of its key that signs; "" of one that we made
	bool card;       // of an adopted key: one of its secrets is on a smart card
	struct bytes *certificate; // the general certificate
	struct bytes *store_key;   // the store key, sealed to the general key: an OpenPGP message
	uint8_t presence_key[32];  // Ed25519, public
	int64_t presence_since;
	struct bytes *certification; // of the presence key by the general key
	uint64_t presence_sequence;  // the last one used
};
void store_identity_fini(struct store_identity *i);

// ERR_NOT_FOUND before there is one. Works while locked.
MUST_CHECK enum err store_identity_get(struct store *s, struct store_identity *out,
				       struct err_info *info);
// Inserts it. ERR_WRONG_STATE where there is one already; ERR_LOCKED, since the presence secret (64
// bytes) is sealed.
MUST_CHECK enum err store_identity_create(struct store *s, const struct store_identity *identity,
					  const struct secret *presence_secret,
					  struct err_info *info);
// The presence key's secret part; one reference, the caller's. ERR_LOCKED.
MUST_CHECK enum err store_identity_presence_secret(struct store *s, struct secret **out,
						   struct err_info *info);
// Only rises: ERR_WRONG_STATE where sequence is not above the last one.
MUST_CHECK enum err store_identity_set_sequence(struct store *s, uint64_t sequence,
						struct err_info *info);
// Changes what `identity.passphrase` changes.
MUST_CHECK enum err store_identity_set_passphrase(struct store *s, bool has_passphrase,
						  struct err_info *info);
// What an adopted key is today: its certificate changes when its owner extends or replaces a part of it, and the store key is then
// sealed anew. All at once.
MUST_CHECK enum err store_identity_set_adopted(struct store *s, const struct store_identity *identity,
					       struct err_info *info);

#endif
