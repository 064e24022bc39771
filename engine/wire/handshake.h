// SPDX-License-Identifier: GPL-3.0-or-later
// The bodies of M1 to M7 (protocol §2), one struct each, and what is signed and hashed around them.
//
// Fields of type struct bytes are borrowed for encoding and owned in what was decoded: X_fini frees
// them, and is fine on a zeroed struct. A decoder that fails leaves the struct zeroed. Encoders
// append to `out`; ERR_BAD_PARAMS names a field out of its limits.
#ifndef SOTTO_WIRE_HANDSHAKE_H
#define SOTTO_WIRE_HANDSHAKE_H

#include "wire/presence.h"
#include "wire/roster.h"

#define HELLO_NONCE_LEN 32
#define HELLO_SHARE_LEN 32 // CPace's, which this layer does not see
#define HELLO_MAC_LEN 64

enum hello_mode { HELLO_PASSWORD, HELLO_PINNED };

// M1, frame RECORD, type "hello", role "initiator".
struct hello_record {
	enum hello_mode mode;
	char fingerprint[FINGERPRINT_SIZE]; // initiator
	char to[FINGERPRINT_SIZE];          // responder
	uint8_t nonce[HELLO_NONCE_LEN];
	struct hash general;    // H(general certificate of the initiator)
	struct hash discussion; // H(discussion certificate of the initiator)
	char charter[RECORD_CHARTER_SIZE];
	struct presence_parts presence; // always there
};
MUST_CHECK enum err hello_encode(const struct hello_record *r, struct buf *out,
				 struct err_info *info);
MUST_CHECK enum err hello_decode(struct hello_record *r, struct span text, struct err_info *info);
void hello_fini(struct hello_record *r);

// M2, frame RECORD, type "hello-answer".
struct hello_answer_record {
	uint8_t nonce[HELLO_NONCE_LEN];
	struct hash general; // H(general certificate of the responder)
};
MUST_CHECK enum err hello_answer_encode(const struct hello_answer_record *r, struct buf *out,
					struct err_info *info);
MUST_CHECK enum err hello_answer_decode(struct hello_answer_record *r, struct span text,
					struct err_info *info);

// CERT?, frame RECORD, type "certificate-wanted"; answered by a frame CERTIFICATE.
struct certificate_wanted_record {
	struct hash hash;
};
MUST_CHECK enum err certificate_wanted_encode(const struct certificate_wanted_record *r,
					      struct buf *out, struct err_info *info);
MUST_CHECK enum err certificate_wanted_decode(struct certificate_wanted_record *r,
					      struct span text, struct err_info *info);

// Sealed inside M3, type "open".
struct open_record {
	struct hash hello; // H(lv_cat(M1, M2))
	char id[DISCUSSION_ID_SIZE];
	struct hash charter;       // H(charter)
	struct bytes *certificate; // discussion certificate, 1 to RECORD_DISCUSSION_CERTIFICATE_MAX
	struct bytes *binding;     // 1 to RECORD_SIGNATURE_MAX
	uint8_t share[HELLO_SHARE_LEN]; // Ya
};
MUST_CHECK enum err open_encode(const struct open_record *r, struct buf *out,
				struct err_info *info);
MUST_CHECK enum err open_decode(struct open_record *r, struct span text, struct err_info *info);
void open_fini(struct open_record *r);

// The payload of M3, frame OPEN: presence signature (64 bytes) ‖ OpenPGP message. Parts borrowed.
// ERR_BAD_INPUT where no message follows.
MUST_CHECK enum err open_frame_split(struct span payload, struct span *signature,
				     struct span *message, struct err_info *info);
struct bytes *open_frame_join(const uint8_t signature[PRESENCE_SIGNATURE_LEN],
			      struct span message);
// The presence signature on M3: Ed25519 over type "open", body lv_cat(M1, M2, message).
void open_sign(struct span m1, struct span m2, struct span message,
	       const uint8_t secret_key[PRESENCE_SECRET_KEY_LEN],
	       uint8_t signature[PRESENCE_SIGNATURE_LEN]);
MUST_CHECK enum err open_verify(struct span m1, struct span m2, struct span message,
				const uint8_t signature[PRESENCE_SIGNATURE_LEN],
				const uint8_t key[PRESENCE_KEY_LEN]); // ERR_CRYPTO

// Sealed inside M4, type "answer".
struct answer_record {
	struct hash open; // H(M3)
	uint8_t share[HELLO_SHARE_LEN]; // Yb
	struct hash discussion; // H(discussion certificate of the responder)
};
MUST_CHECK enum err answer_encode(const struct answer_record *r, struct buf *out,
				  struct err_info *info);
MUST_CHECK enum err answer_decode(struct answer_record *r, struct span text,
				  struct err_info *info);

// M5, under the cipher, frame RECORD, type "confirm".
struct confirm_record {
	uint8_t mac[HELLO_MAC_LEN]; // Ta
};
MUST_CHECK enum err confirm_encode(const struct confirm_record *r, struct buf *out,
				   struct err_info *info);
MUST_CHECK enum err confirm_decode(struct confirm_record *r, struct span text,
				   struct err_info *info);

// M6, under the cipher, frame RECORD, type "confirm-answer".
struct confirm_answer_record {
	uint8_t mac[HELLO_MAC_LEN]; // Tb
	struct bytes *certificate;   // discussion certificate, 1 to RECORD_DISCUSSION_CERTIFICATE_MAX
	struct bytes *binding;       // 1 to RECORD_SIGNATURE_MAX
	struct bytes *roster;        // R_0, exact bytes, 1 to ROSTER_RECORD_MAX
};
MUST_CHECK enum err confirm_answer_encode(const struct confirm_answer_record *r, struct buf *out,
					  struct err_info *info);
MUST_CHECK enum err confirm_answer_decode(struct confirm_answer_record *r, struct span text,
					  struct err_info *info);
void confirm_answer_fini(struct confirm_answer_record *r);

// Sealed inside M7, type "ready".
struct ready_record {
	struct hash transcript;  // H(lv_cat(M1 … M6))
	struct hash roster_hash; // H_0
};
MUST_CHECK enum err ready_encode(const struct ready_record *r, struct buf *out,
				 struct err_info *info);
MUST_CHECK enum err ready_decode(struct ready_record *r, struct span text, struct err_info *info);

// Either side ends before M5, in clear, frame RECORD, type "refuse".
enum refuse_reason {
	REFUSE_REFUSED,
	REFUSE_BUSY,
	REFUSE_EXPIRED,
	REFUSE_SUPERSEDED,
	REFUSE_REASON_COUNT
};
struct refuse_record {
	enum refuse_reason reason;
};
MUST_CHECK enum err refuse_encode(const struct refuse_record *r, struct buf *out,
				  struct err_info *info);
MUST_CHECK enum err refuse_decode(struct refuse_record *r, struct span text,
				  struct err_info *info);

// First 16 bytes of H(lv_cat("sotto/1 disc", initiator, H(discussion certificate I), Na)), in hex.
void discussion_id_make(const char *initiator, const struct hash *certificate,
			const uint8_t nonce[HELLO_NONCE_LEN], char out[DISCUSSION_ID_SIZE]);

// What a general key signs in a binding (P2.10): the complete input, type "binding", body
// lv_cat(id, H(charter), H(discussion certificate), own fingerprint). ERR_TOO_LARGE at out's cap.
MUST_CHECK enum err binding_input(struct buf *out, const char *id, const struct hash *charter,
				  const struct hash *certificate, const char *fingerprint);

#endif
