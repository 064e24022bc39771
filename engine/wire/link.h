// SPDX-License-Identifier: GPL-3.0-or-later
// The records of a link between members (P2.12): L1 to L4. Ownership as in wire/handshake.h.
#ifndef SOTTO_WIRE_LINK_H
#define SOTTO_WIRE_LINK_H

#include "wire/presence.h"

#define LINK_NONCE_LEN 32
#define LINK_KEY_LEN 32 // X25519
#define LINK_REKEYS_MAX (64 * 1024)

// L1, in clear, type "link".
struct link_record {
	uint8_t nonce[LINK_NONCE_LEN]; // Na
	uint8_t key[LINK_KEY_LEN];     // Xa
	struct hash proof;             // BLAKE2b(key = H_0, "link" ‖ id ‖ Na ‖ Xa ‖ fprA ‖ fprB)
};
MUST_CHECK enum err link_encode(const struct link_record *r, struct buf *out,
				struct err_info *info);
MUST_CHECK enum err link_decode(struct link_record *r, struct span text, struct err_info *info);

// The clear part of L2, type "link-answer".
struct link_answer_record {
	uint8_t nonce[LINK_NONCE_LEN]; // Nb
	uint8_t key[LINK_KEY_LEN];     // Xb
};
MUST_CHECK enum err link_answer_encode(const struct link_answer_record *r, struct buf *out,
				       struct err_info *info);
MUST_CHECK enum err link_answer_decode(struct link_answer_record *r, struct span text,
				       struct err_info *info);

// L3, and the part of L2 under the cipher, type "link-proof".
struct link_proof_record {
	char fingerprint[FINGERPRINT_SIZE]; // of the side that sends it
	uint32_t epoch;
	struct hash roster_hash;
	struct bytes *rekeys;    // exact bytes, as hashed in the signature; 0 to LINK_REKEYS_MAX
	struct bytes *signature; // 1 to RECORD_SIGNATURE_MAX
};
MUST_CHECK enum err link_proof_encode(const struct link_proof_record *r, struct buf *out,
				      struct err_info *info);
MUST_CHECK enum err link_proof_decode(struct link_proof_record *r, struct span text,
				      struct err_info *info);
void link_proof_fini(struct link_proof_record *r);

// L4, type "seen": how far each member's chain reaches at the side that sends it.
struct seen_row {
	char fingerprint[FINGERPRINT_SIZE];
	uint32_t epoch;
	uint64_t sequence; // 0: none yet in that epoch, and the hash is zero
	struct hash hash;
};
struct seen_record {
	size_t count; // 0 (who joins) to RECORD_MEMBERS_MAX, no fingerprint twice
	struct seen_row rows[RECORD_MEMBERS_MAX];
	struct presence_parts presence; // .record NULL: none
};
MUST_CHECK enum err seen_encode(const struct seen_record *r, struct buf *out,
				struct err_info *info);
MUST_CHECK enum err seen_decode(struct seen_record *r, struct span text, struct err_info *info);
void seen_fini(struct seen_record *r);

#endif
