// SPDX-License-Identifier: GPL-3.0-or-later
// The payload of a frame SEALED: sender fingerprint (20 bytes) ‖ epoch (4) ‖ sequence (8) ‖ OpenPGP
// message. The first three are a hint in clear, for skipping what is here already before gpg sees
// it; only what is signed inside counts (P3.4).
#ifndef SOTTO_WIRE_SEALED_H
#define SOTTO_WIRE_SEALED_H

#include "wire/record.h"

#define SEALED_FRAME_HEADER_LEN 32

struct sealed_frame {
	char sender[FINGERPRINT_SIZE];
	uint32_t epoch;
	uint64_t sequence; // 1 to RECORD_SEQUENCE_MAX
	struct span message; // borrowed; not empty
};
// The frame's payload. ERR_BAD_PARAMS: no fingerprint, sequence out of range, no message.
MUST_CHECK enum err sealed_frame_encode(const struct sealed_frame *f, struct bytes **out);
MUST_CHECK enum err sealed_frame_decode(struct sealed_frame *f, struct span payload,
					struct err_info *info);

#endif
