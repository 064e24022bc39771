// SPDX-License-Identifier: GPL-3.0-or-later
// What a signature is over, and how signed bytes travel (P0.2).
#ifndef SOTTO_WIRE_SIGNED_H
#define SOTTO_WIRE_SIGNED_H

#include "wire/record.h"

#define ENVELOPE_BODY_MAX (512 * 1024)

// Appends "sotto/1 " ‖ type ‖ 0x00 ‖ body. ERR_TOO_LARGE at the buffer's cap; ERR_BAD_PARAMS where
// the type is not 1 to 32 bytes of a–z and '-'.
MUST_CHECK enum err signed_input(struct buf *out, const char *type, struct span body);

// {v, type, body, sig}: `body` is the signed bytes as they are, and type that of the signature input.
// For encoding all fields are borrowed; a decoded one owns them (envelope_fini).
struct envelope {
	char type[RECORD_TYPE_SIZE];
	struct bytes *body;      // 1 to ENVELOPE_BODY_MAX bytes
	struct bytes *signature; // 1 to RECORD_SIGNATURE_MAX bytes
};
MUST_CHECK enum err envelope_encode(const struct envelope *e, struct buf *out,
				    struct err_info *info);
MUST_CHECK enum err envelope_decode(struct envelope *e, struct span text, struct err_info *info);
void envelope_fini(struct envelope *e);

#endif
