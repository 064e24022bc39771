// SPDX-License-Identifier: GPL-3.0-or-later
// Typed reading of records (P0.1, P0.3): JSON objects with "v":1 and a "type".
//
// A decoder is a straight line: record_open, gets, record_close. The first thing wrong is kept with
// its field's name ("members[3].key: …"), every get after it does nothing, and record_close gives it
// back. Missing, mistyped and oversized known fields are errors; unknown keys are ignored.
#ifndef SOTTO_WIRE_RECORD_H
#define SOTTO_WIRE_RECORD_H

#include <jansson.h>

#include "base/hash.h"
#include "wire/json.h"

#define RECORD_VERSION 1
#define RECORD_TYPE_SIZE 33 // 32 bytes and a NUL
#define FINGERPRINT_SIZE 41 // 40 upper-case hex digits and a NUL
#define DISCUSSION_ID_SIZE 33 // 32 lower-case hex digits and a NUL
#define KEY_ID_SIZE 17 // 16 upper-case hex digits and a NUL

#define RECORD_MEMBERS_MAX 64 // of a discussion
#define RECORD_SEQUENCE_MAX JSON_INTEGER_MAX
#define RECORD_CERTIFICATE_MAX 8192       // a general certificate
#define RECORD_DISCUSSION_CERTIFICATE_MAX 1024
#define RECORD_SIGNATURE_MAX 4096         // a detached OpenPGP signature
#define RECORD_CHARTER_SIZE 4             // "all", or "1" to "64", and a NUL

struct record {
	json_t *root;
	struct err_info failure; // code OK until something is wrong
};

// One value of the record, or the place where it is missing. A plain value: copy it freely, use it
// until record_close.
struct record_value {
	struct record *record;
	json_t *json; // borrowed; NULL after a failure
	const char *outer, *name; // for the error text
	size_t index, inner;
};

// ERR_BAD_INPUT and ERR_TOO_LARGE are kept for record_close, as all later failures are. A record of
// another version or type is an error.
void record_open(struct record *r, struct span text, const char *type);
// The same for a record of any type: it is put into type, "" after a failure.
void record_open_any(struct record *r, struct span text, char type[RECORD_TYPE_SIZE]);
// Frees, and returns the first failure.
MUST_CHECK enum err record_close(struct record *r, struct err_info *info);
bool record_failed(const struct record *r);
// For checks of a decoder's own, e.g. one field against another. Only the first failure is kept.
void record_fail(struct record *r, const char *field, const char *why);

// The type of a record, after the strict parse and the version check: for who must choose a decoder.
MUST_CHECK enum err record_peek_type(struct span text, char type[RECORD_TYPE_SIZE],
				     struct err_info *info);

struct record_value record_root(struct record *r);
// A field of an object, which must be there.
struct record_value record_field(struct record_value object, const char *name);
// Whether it is there (null counts as there, and as mistyped): then *out is it.
bool record_optional(struct record_value object, const char *name, struct record_value *out);
// Elements of an array with min to max of them; 0 after a failure.
size_t record_array(struct record_value v, size_t min, size_t max);
struct record_value record_item(struct record_value array, size_t i); // i < record_array(…)

// Each checks type and limits, and sets *out only if they hold. Lengths are in bytes, limits inclusive.
void record_get_string(struct record_value v, size_t min, size_t max, char *out); // max + 1 bytes
void record_get_text(struct record_value v, size_t min, size_t max, struct bytes **out); // wiped
void record_get_binary(struct record_value v, size_t min, size_t max, struct bytes **out);
void record_get_binary_exact(struct record_value v, uint8_t *out, size_t len);
void record_get_hash(struct record_value v, struct hash *out);
void record_get_integer(struct record_value v, int64_t min, int64_t max, int64_t *out);
void record_get_unsigned(struct record_value v, uint64_t min, uint64_t max, uint64_t *out);
void record_get_epoch(struct record_value v, uint32_t *out);
void record_get_time(struct record_value v, int64_t *out); // 0 or more, ms since 1970
void record_get_boolean(struct record_value v, bool *out);
void record_get_fingerprint(struct record_value v, char out[FINGERPRINT_SIZE]);
void record_get_discussion(struct record_value v, char out[DISCUSSION_ID_SIZE]);
void record_get_key_id(struct record_value v, char out[KEY_ID_SIZE]);
void record_get_charter(struct record_value v, char out[RECORD_CHARTER_SIZE]);
// One of `count` names; *out is its number.
void record_get_choice(struct record_value v, const char *const *names, unsigned count,
		       unsigned *out);

// The forms themselves.
bool fingerprint_form(const char *text);
bool discussion_id_form(const char *text);
bool key_id_form(const char *text);
bool charter_form(const char *text); // "all", or "1" to "64"

#endif
