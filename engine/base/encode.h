// SPDX-License-Identifier: GPL-3.0-or-later
// Hexadecimal, canonical base64url (P0.1), big-endian integers, and the length-value encoding of the CPace draft
// (draft-irtf-cfrg-cpace-21, appendix "lv_cat"), which every hash and signature input of protocol.md uses.
#ifndef SOTTO_BASE_ENCODE_H
#define SOTTO_BASE_ENCODE_H

#include "base/buf.h"

// Writes 2 * in.len digits and a NUL to out, which has room for them.
void hex_encode_lower(struct span in, char *out);
void hex_encode_upper(struct span in, char *out);
// Decodes exactly out_len bytes from text of exactly 2 * out_len digits of either case; else ERR_BAD_INPUT.
MUST_CHECK enum err hex_decode(const char *text, uint8_t *out, size_t out_len);

// base64url without padding. Encode appends to out. Decode accepts the canonical form only: no padding, no foreign characters,
// unused trailing bits zero; else ERR_BAD_INPUT. ERR_TOO_LARGE where out's cap is passed.
MUST_CHECK enum err base64url_encode(struct span in, struct buf *out);
MUST_CHECK enum err base64url_decode(struct span text, struct buf *out);

uint32_t be32_get(const uint8_t in[4]);
void be32_put(uint8_t out[4], uint32_t value);
uint64_t be64_get(const uint8_t in[8]);
void be64_put(uint8_t out[8], uint64_t value);

// prepend_len(x) = LEB128(len x) ‖ x. Appends; ERR_TOO_LARGE at the buffer's cap.
MUST_CHECK enum err lv_append(struct buf *out, struct span x);
// lv_cat(a, b, …): appends every part with its length.
MUST_CHECK enum err lv_cat(struct buf *out, const struct span *parts, size_t count);
#define LV_CAT(out, ...)                                                                           \
	lv_cat((out), (const struct span[]){__VA_ARGS__},                                          \
	       sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span))

#endif
