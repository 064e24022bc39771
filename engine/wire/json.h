// SPDX-License-Identifier: GPL-3.0-or-later
// Strict JSON as P0.1 wants it, on jansson.
#ifndef SOTTO_WIRE_JSON_H
#define SOTTO_WIRE_JSON_H

#include <jansson.h>

#include "base/buf.h"

#define JSON_LEVELS_MAX 8      // objects and arrays inside one another, the outermost counted
#define JSON_VALUES_MAX 20000  // values of every kind, the outermost counted, keys not
#define JSON_INTEGER_MAX INT64_C(9007199254740991) // 2^53 - 1, and as far below zero

// One object, and nothing after it but white space. ERR_BAD_INPUT: not JSON, not UTF-8, a duplicate
// key, U+0000, a real, an integer out of range, not an object; ERR_TOO_LARGE: levels or values, found
// by a scan before anything is built. The error text never quotes the input. *out: caller's reference.
MUST_CHECK enum err json_parse_strict(struct span text, json_t **out, struct err_info *info);

// Any one JSON value, with any numbers, and levels up to jansson's 2048: for what does not come from
// another core. Errors, and their texts, as above.
MUST_CHECK enum err json_parse_any(struct span text, json_t **out, struct err_info *info);

// Appends the compact text; keys in the order they were set. ERR_TOO_LARGE at the buffer's cap,
// ERR_BAD_PARAMS where the value is none.
MUST_CHECK enum err json_encode_compact(const json_t *value, struct buf *out);

// Whether the bytes are UTF-8 as JSON strings need it: shortest forms, no surrogates, no U+0000.
bool json_text_valid(struct span text);

// From now on jansson wipes whatever it frees, in the whole process: passwords and messages pass
// through JSON trees. Call before the first jansson call.
void json_wipe_on_free(void);

#endif
