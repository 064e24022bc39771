// SPDX-License-Identifier: GPL-3.0-or-later
// Shared bytes that wait to be written to a socket, in order; a part of stream.
#ifndef SOTTO_NET_QUEUE_H
#define SOTTO_NET_QUEUE_H

#include "base/buf.h"

#define QUEUE_WRITE_MAX \
	(256u << 10) // bytes of one queue_write, so that one reader starves no other

struct chunk;

struct queue {
	struct chunk *first, **tail;
	size_t len, max; // bytes waiting; cap
};

void queue_init(struct queue *q, size_t max);
void queue_clear(struct queue *q); // drops all; also what fini would do

size_t queue_room(const struct queue *q);
void queue_push(struct queue *q, struct bytes *b); // takes a reference; NULL and empty are nothing

// Writes what the socket takes. *written: bytes. ERR_BUSY: the socket is full, or its share of this
// turn is used up; OK: nothing waits any more; ERR_IO: *number says why.
MUST_CHECK enum err queue_write(struct queue *q, int fd, size_t *written, int *number);

#endif
