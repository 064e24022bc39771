// SPDX-License-Identifier: GPL-3.0-or-later
// Presence records and the datagrams that carry them (P1.1, P1.2). Checks the presence key's own
// signature; the certification of that key is gpg's work, elsewhere.
#ifndef SOTTO_WIRE_PRESENCE_H
#define SOTTO_WIRE_PRESENCE_H

#include "wire/record_writer.h"

#define PRESENCE_KEY_LEN 32        // raw Ed25519
#define PRESENCE_SECRET_KEY_LEN 64 // libsodium's form
#define PRESENCE_SIGNATURE_LEN 64
#define PRESENCE_NAME_SIZE 33 // 32 bytes of UTF-8 and a NUL
#define PRESENCE_ENDPOINTS_MAX 4
#define PRESENCE_ENDPOINT_SIZE 80 // 79 bytes and a NUL
#define PRESENCE_LIFETIME_MAX_MS INT64_C(7200000)
#define PRESENCE_RECORD_MAX 1024 // bytes of JSON
#define PRESENCE_DATAGRAM_MAX 1200

// A plain value; owns nothing.
struct presence_record {
	char fingerprint[FINGERPRINT_SIZE]; // general key
	uint8_t key[PRESENCE_KEY_LEN];
	uint64_t sequence;                  // 1 to RECORD_SEQUENCE_MAX
	int64_t issued_ms, expires_ms;      // expires after issued, at most PRESENCE_LIFETIME_MAX_MS
	int64_t since_ms;                   // when the presence key was certified
	char name[PRESENCE_NAME_SIZE];      // may be empty; any UTF-8: escape it before a terminal
	size_t endpoint_count;
	char endpoints[PRESENCE_ENDPOINTS_MAX][PRESENCE_ENDPOINT_SIZE]; // not parsed here, not empty
	bool listed;
	struct hash general; // H(general certificate)
};
MUST_CHECK enum err presence_record_encode(const struct presence_record *p, struct buf *out,
					   struct err_info *info);
MUST_CHECK enum err presence_record_decode(struct presence_record *p, struct span text,
					   struct err_info *info);

// Ed25519 over signed_input("presence", record bytes).
void presence_sign(struct span record, const uint8_t secret_key[PRESENCE_SECRET_KEY_LEN],
		   uint8_t signature[PRESENCE_SIGNATURE_LEN]);
MUST_CHECK enum err presence_verify(struct span record,
				    const uint8_t signature[PRESENCE_SIGNATURE_LEN],
				    const uint8_t key[PRESENCE_KEY_LEN]); // ERR_CRYPTO

// What the general key signs to certify a presence key: the complete input (P0.2), type
// "presence-key", body lv_cat(fingerprint, key, since as 8 bytes).
MUST_CHECK enum err presence_certification_input(struct buf *out, const char *fingerprint,
						 const uint8_t key[PRESENCE_KEY_LEN],
						 int64_t since_ms);

// An announcement is to be heard, and wants no answer.
enum presence_kind { PRESENCE_QUERY = 1, PRESENCE_ANSWER = 2, PRESENCE_ANNOUNCEMENT = 3 };

// The parts of a datagram; borrowed from it when decoded.
struct presence_datagram {
	enum presence_kind kind;
	uint8_t signature[PRESENCE_SIGNATURE_LEN];
	struct span record;
	struct span certification; // empty where it did not fit
	struct span certificate;   // empty where it did not fit: fetched over TCP by record.general
};
// "SOT1" ‖ kind ‖ signature ‖ lengths of the three parts (u16 each) ‖ the parts ‖ zeros. A query is
// padded to exactly PRESENCE_DATAGRAM_MAX. What does not fit is left out: first the certificate,
// then the certification. ERR_TOO_LARGE: the record alone does not fit. Appends to out.
MUST_CHECK enum err presence_datagram_encode(const struct presence_datagram *d, struct buf *out);
// Form only: magic, kind, lengths, a query of exactly PRESENCE_DATAGRAM_MAX, padding of zeros.
MUST_CHECK enum err presence_datagram_decode(struct presence_datagram *d, struct span datagram,
					     struct err_info *info);
// Form, record, its signature by the key it names, and H(certificate) where one is enclosed.
// Nothing says yet that the key is the fingerprint's: see the certification.
MUST_CHECK enum err presence_datagram_open(struct span datagram, struct presence_datagram *d,
					   struct presence_record *p, struct err_info *info);

// The same three things inside another record (M1, L4): {record, signature, certification}.
// For encoding the fields are borrowed; decoded ones are owned (presence_parts_fini).
struct presence_parts {
	struct bytes *record;        // exact bytes; NULL: no presence at all
	struct bytes *certification; // 1 to RECORD_SIGNATURE_MAX bytes
	uint8_t signature[PRESENCE_SIGNATURE_LEN];
};
void presence_parts_fini(struct presence_parts *p);
void presence_parts_get(struct record_value v, struct presence_parts *out);
void presence_parts_put(struct record_writer *w, const char *name, const struct presence_parts *p);
// The record "introduction": who begins a link with CERT? (P1.2) is told them, and the certificate
// follows. Encoding appends; what was decoded is owned.
MUST_CHECK enum err introduction_encode(const struct presence_parts *p, struct buf *out,
					struct err_info *info);
MUST_CHECK enum err introduction_decode(struct presence_parts *p, struct span text,
					struct err_info *info);
// Record and its signature, as presence_datagram_open.
MUST_CHECK enum err presence_parts_open(const struct presence_parts *parts,
					struct presence_record *p, struct err_info *info);

#endif
