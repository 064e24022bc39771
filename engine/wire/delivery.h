// SPDX-License-Identifier: GPL-3.0-or-later
// Small records about payloads on an established link (P3.7, P3.10, P3.8). Unsigned: the link says
// who speaks.
#ifndef SOTTO_WIRE_DELIVERY_H
#define SOTTO_WIRE_DELIVERY_H

#include "wire/record.h"

enum delivery_type {
	DELIVERY_ACK,         // "ack": all of that sender's, this one included, are in the store
	DELIVERY_CANNOT_OPEN, // "cannot-open": the same payload is to be sealed anew
	DELIVERY_CLOSED,      // "closed": the discussion has ended here, nothing of it can be opened
	DELIVERY_TYPE_COUNT
};

// A plain value; owns nothing.
struct delivery_record {
	enum delivery_type type;
	char discussion[DISCUSSION_ID_SIZE];
	// ACK and CANNOT_OPEN only:
	uint32_t epoch;
	char sender[FINGERPRINT_SIZE]; // whose payloads
	uint64_t sequence;             // from 1
};
MUST_CHECK enum err delivery_encode(const struct delivery_record *r, struct buf *out,
				    struct err_info *info);
// Takes any of the three types; another one is ERR_BAD_INPUT.
MUST_CHECK enum err delivery_decode(struct delivery_record *r, struct span text,
				    struct err_info *info);

#endif
