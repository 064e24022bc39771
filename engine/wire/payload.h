// SPDX-License-Identifier: GPL-3.0-or-later
// The signed payload of a sealed message (P3.3), type "payload". Its bytes are kept as they are;
// hashes are over them, never over a second encoding (P3.10).
#ifndef SOTTO_WIRE_PAYLOAD_H
#define SOTTO_WIRE_PAYLOAD_H

#include "wire/record.h"

#define PAYLOAD_MAX (1024 * 1024)        // bytes that a decoder takes (P0.4)
// Bytes that the encoder makes: sealed for 63 recipients they still fit one frame.
#define PAYLOAD_BUILD_MAX (PAYLOAD_MAX - 16 * 1024)
#define PAYLOAD_ITEMS_MAX 1000
#define PAYLOAD_TEXT_MAX 65536           // bytes of UTF-8 in a message, at least 1
#define PAYLOAD_NONCE_LEN 16
#define MESSAGE_ID_SIZE 33               // 32 lower-case hex digits and a NUL

enum payload_item_type {
	PAYLOAD_TEXT,
	PAYLOAD_CLOSE,
	PAYLOAD_REKEY, // the sender's new encryption subkey (P4.2); at most one in a payload
	PAYLOAD_COMPLAINT, // a sealed message of another member cannot be opened here (P5.8)
	PAYLOAD_UNKNOWN, // of a later version: kept, so that it does not break the sender's chain
};

struct payload_item {
	enum payload_item_type type;
	uint8_t nonce[PAYLOAD_NONCE_LEN]; // TEXT: the author's choice at random, names the message
	int64_t time_ms;                  // TEXT: when it was written
	struct bytes *text;               // TEXT: 1 to PAYLOAD_TEXT_MAX bytes; wiped
	struct bytes *certificate;        // REKEY: 1 to RECORD_DISCUSSION_CERTIFICATE_MAX bytes, not looked into
	char about[FINGERPRINT_SIZE];     // COMPLAINT: whose message
	uint64_t sequence;                // COMPLAINT: of its payload, as its header says; from 1
	struct hash hash;                 // COMPLAINT: of the OpenPGP message
	struct bytes *unknown;            // UNKNOWN: the item as compact JSON; wiped
};

// How far the sender has another member's chain in this epoch.
struct payload_seen {
	char fingerprint[FINGERPRINT_SIZE];
	uint64_t sequence; // from 1
	struct hash hash;
};

// For encoding, items and texts are borrowed; a decoded payload owns them (payload_fini).
struct payload {
	char discussion[DISCUSSION_ID_SIZE];
	uint32_t epoch;
	struct hash roster_hash; // H_e
	char sender[FINGERPRINT_SIZE];
	uint64_t sequence;    // from 1 in each epoch
	struct hash previous; // H of the sender's previous payload; of the first: H_e
	size_t seen_count;    // members without payloads are left out; no fingerprint twice
	struct payload_seen seen[RECORD_MEMBERS_MAX];
	int64_t time_ms;
	size_t item_count; // 0 to PAYLOAD_ITEMS_MAX: none in one that only acknowledges
	struct payload_item *items;
};

// Appends to out, which should be a wiped buffer. ERR_TOO_LARGE over PAYLOAD_BUILD_MAX;
// ERR_BAD_PARAMS names the field out of its limits, and an UNKNOWN item.
MUST_CHECK enum err payload_encode(const struct payload *p, struct buf *out, struct err_info *info);
MUST_CHECK enum err payload_decode(struct payload *p, struct span text, struct err_info *info);
void payload_fini(struct payload *p);

// For cutting a batch: bytes of the payload are payload_size_base + the sizes of its items, at most
// (each counted with its comma). Items fit while that is at most PAYLOAD_BUILD_MAX and their number
// at most PAYLOAD_ITEMS_MAX.
size_t payload_size_base(size_t seen_count);
size_t payload_size_item(const struct payload_item *item);

// Whether a text may be sent: 1 to PAYLOAD_TEXT_MAX bytes (ERR_TOO_LARGE over it) of UTF-8 without
// U+0000 (ERR_BAD_PARAMS).
MUST_CHECK enum err payload_text_check(struct span text, struct err_info *info);

// A message's id: first 16 bytes of H(lv_cat("sotto/1 message", discussion, sender, nonce)), in hex.
void message_id_make(const char *discussion, const char *sender,
		     const uint8_t nonce[PAYLOAD_NONCE_LEN], char out[MESSAGE_ID_SIZE]);

#endif
