// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/mem.h"

#define PARTS 64

struct chunk {
	struct chunk *next;
	struct bytes *bytes;
	size_t written;
};

void queue_init(struct queue *q, size_t max)
{
	*q = (struct queue){.max = max};
	q->tail = &q->first;
}

static void drop_first(struct queue *q)
{
	struct chunk *c = q->first;
	q->first = c->next;
	if (!q->first)
		q->tail = &q->first;
	q->len -= c->bytes->len - c->written;
	bytes_unref(c->bytes);
	free(c);
}

void queue_clear(struct queue *q)
{
	while (q->first)
		drop_first(q);
}

size_t queue_room(const struct queue *q)
{
	return q->len < q->max ? q->max - q->len : 0;
}

void queue_push(struct queue *q, struct bytes *b)
{
	if (!b || b->len == 0)
		return;
	struct chunk *c = mem_alloc(sizeof *c);
	c->bytes = bytes_ref(b);
	*q->tail = c;
	q->tail = &c->next;
	q->len += b->len;
}

static void advance(struct queue *q, size_t n)
{
	while (n) {
		struct chunk *c = q->first;
		size_t left = c->bytes->len - c->written;
		if (n < left) {
			c->written += n;
			q->len -= n;
			return;
		}
		n -= left;
		drop_first(q);
	}
}

static size_t fill_parts(const struct queue *q, struct iovec parts[PARTS])
{
	size_t count = 0;
	for (const struct chunk *c = q->first; c && count < PARTS; c = c->next)
		parts[count++] =
			(struct iovec){c->bytes->data + c->written, c->bytes->len - c->written};
	return count;
}

enum err queue_write(struct queue *q, int fd, size_t *written, int *number)
{
	size_t total = 0;
	enum err e = OK;
	while (q->first && e == OK) {
		struct iovec parts[PARTS];
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = fill_parts(q, parts)};
		ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			advance(q, (size_t)n);
			total += (size_t)n;
			if (total >= QUEUE_WRITE_MAX && q->first)
				e = ERR_BUSY;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
			e = ERR_BUSY;
		} else if (errno != EINTR) {
			*number = errno;
			e = ERR_IO;
		}
	}
	*written = total;
	return e;
}
