// SPDX-License-Identifier: GPL-3.0-or-later
// Byte spans, growing buffers with a cap, and shared immutable bytes.
#ifndef SOTTO_BASE_BUF_H
#define SOTTO_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// A borrowed view. Valid as long as what it points into.
struct span {
	const uint8_t *data;
	size_t len;
};

static inline struct span span(const void *data, size_t len)
{
	return (struct span){data, len};
}
struct span span_string(const char *text); // without the NUL
bool span_equal(struct span a, struct span b); // not constant time: for public bytes

// A growing buffer. Owner calls buf_init and buf_fini. `max` is a hard cap on len. With `wipe`, every byte that was ever in it
// is overwritten before its memory is given back (secrets, plaintext).
struct buf {
	uint8_t *data;
	size_t len, cap, max;
	bool wipe;
};

void buf_init(struct buf *b, size_t max);
void buf_init_wiped(struct buf *b, size_t max);
void buf_fini(struct buf *b);  // also resets to empty, so twice is fine
void buf_clear(struct buf *b); // len = 0, memory kept (wiped if b->wipe)
struct span buf_span(const struct buf *b);

// ERR_TOO_LARGE, and the buffer unchanged, where len would pass max.
MUST_CHECK enum err buf_append(struct buf *b, const void *data, size_t len);
MUST_CHECK enum err buf_append_span(struct buf *b, struct span s);
MUST_CHECK enum err buf_append_string(struct buf *b, const char *text);
MUST_CHECK enum err buf_reserve(struct buf *b, size_t more, uint8_t **room); // room for `more` bytes at data + len; len unchanged
void buf_put(struct buf *b, const void *data, size_t len); // as buf_append where the caller knows it fits: asserts
void buf_consume(struct buf *b, size_t len); // drops bytes from the front, len <= b->len
struct bytes *buf_take(struct buf *b); // its content as shared bytes; the buffer is empty afterwards

// Immutable, reference-counted bytes: one frame or event waits in many queues as one copy. Not thread-safe.
struct bytes {
	size_t len;
	unsigned refs;
	bool wipe; // wiped at the last unref
	uint8_t data[];
};

// One reference, the caller's. data NULL: zeros, to be filled in before anybody else gets them.
struct bytes *bytes_new(const void *data, size_t len);
struct bytes *bytes_new_span(struct span s);
struct bytes *bytes_ref(struct bytes *b);   // NULL is passed through
void bytes_unref(struct bytes *b);          // NULL is allowed
struct span bytes_span(const struct bytes *b); // NULL gives an empty span

#endif
