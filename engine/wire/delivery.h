// SPDX-License-Identifier: GPL-3.0-or-later
// Small records about payloads on an established link (P3.7, P3.10, P3.8, P5.6). Unsigned: the link
// says who speaks.
#ifndef SOTTO_WIRE_DELIVERY_H
#define SOTTO_WIRE_DELIVERY_H

#include "wire/record.h"

enum delivery_type {
	DELIVERY_ACK,         // "ack": all of that sender's, this one included, are in the store
	DELIVERY_CANNOT_OPEN, // "cannot-open": the same payload is to be sealed anew
	DELIVERY_CLOSED,      // "closed": the discussion has ended here, nothing of it can be opened
	DELIVERY_WANT,  // "want": what that sender's chain has after `sequence` is to be sent on
	DELIVERY_LACKS, // "lacks": of that sender's chain there is nothing here after `sequence`
	DELIVERY_TYPE_COUNT
};

// A plain value; owns nothing.
struct delivery_record {
	enum delivery_type type;
	char discussion[DISCUSSION_ID_SIZE];
	// all but CLOSED:
	uint32_t epoch;
	char sender[FINGERPRINT_SIZE]; // whose payloads
	uint64_t sequence; // from 1; of WANT and LACKS from 0, and the field's name is "after"
};
MUST_CHECK enum err delivery_encode(const struct delivery_record *r, struct buf *out,
				    struct err_info *info);
// Takes any of these types; another one is ERR_BAD_INPUT.
MUST_CHECK enum err delivery_decode(struct delivery_record *r, struct span text,
				    struct err_info *info);

#endif
