// SPDX-License-Identifier: GPL-3.0-or-later
// Sealing at rest (P4.4): XChaCha20-Poly1305 with a random nonce. What a sealed value is, and
// whose, is its associated data, so that a value moved to another row, column or table does not
// open.
#ifndef SOTTO_STORE_SEAL_H
#define SOTTO_STORE_SEAL_H

#include "base/buf.h"
#include "base/err.h"

#define SEAL_KEY_LEN 32
#define SEAL_OVERHEAD 40 // nonce 24, tag 16

// Where a sealed value stands: table, column, and the parts of the row's identity, as text. At most
// 6 parts; unused ones are NULL.
struct seal_place {
	const char *table, *column;
	const char *row[6];
};

// Appends nonce ‖ ciphertext ‖ tag to out. ERR_TOO_LARGE at out's cap.
MUST_CHECK enum err seal_close(const uint8_t key[SEAL_KEY_LEN], const struct seal_place *place,
			       struct span plain, struct buf *out);
// Appends the plaintext to out (a wiped buffer). ERR_CRYPTO, naming table and row, where the seal
// does not hold; out is then unchanged. ERR_TOO_LARGE at out's cap.
MUST_CHECK enum err seal_open(const uint8_t key[SEAL_KEY_LEN], const struct seal_place *place,
			      struct span sealed, struct buf *out, struct err_info *info);

#endif
