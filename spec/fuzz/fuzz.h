// SPDX-License-Identifier: GPL-3.0-or-later
// What the fuzz targets share: reading an input as a run of small decisions, and checks that end the process.
#ifndef SOTTO_SPEC_FUZZ_H
#define SOTTO_SPEC_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A property that holds for every input; not assert, for this is the finding.
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct input {
	const uint8_t *at, *end;
};

static inline struct input input_of(const uint8_t *data, size_t size)
{
	return (struct input){data, data + size};
}

static inline size_t input_left(const struct input *in)
{
	return (size_t)(in->end - in->at);
}

// 0 past the end
static inline uint8_t input_byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static inline unsigned input_short(struct input *in)
{
	unsigned high = input_byte(in);
	return high << 8 | input_byte(in);
}

// Fewer at the end. A copy, so that a read one byte too far is seen.
static inline struct bytes *input_take(struct input *in, size_t len)
{
	struct bytes *b = bytes_new(NULL, len < input_left(in) ? len : input_left(in));
	if (b->len)
		memcpy(b->data, in->at, b->len);
	in->at += b->len;
	return b;
}

static inline struct bytes *input_rest(struct input *in)
{
	return input_take(in, input_left(in));
}

#endif
