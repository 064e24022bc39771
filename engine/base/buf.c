// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/buf.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct span span_string(const char *text)
{
	return span(text, strlen(text));
}

bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_init_wiped(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max, .wipe = true};
}

void buf_fini(struct buf *b)
{
	if (b->wipe && b->data)
		sodium_memzero(b->data, b->cap);
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
}

void buf_clear(struct buf *b)
{
	if (b->wipe && b->data)
		sodium_memzero(b->data, b->len);
	b->len = 0;
}

struct span buf_span(const struct buf *b)
{
	return span(b->data, b->len);
}

enum err buf_reserve(struct buf *b, size_t more, uint8_t **room)
{
	if (more > b->max - b->len)
		return ERR_TOO_LARGE;
	size_t need = b->len + more;
	if (need > b->cap) {
		size_t cap = b->cap ? b->cap : 256;
		while (cap < need)
			cap = cap > SIZE_MAX / 2 ? need : cap * 2;
		if (cap > b->max)
			cap = b->max;
		if (b->wipe) {
			// realloc may leave the old copy behind unwiped
			uint8_t *fresh = mem_alloc(cap);
			if (b->data) {
				memcpy(fresh, b->data, b->len);
				sodium_memzero(b->data, b->cap);
				free(b->data);
			}
			b->data = fresh;
		} else {
			b->data = mem_realloc(b->data, cap);
		}
		b->cap = cap;
	}
	*room = b->data ? b->data + b->len : NULL; // of an empty one that is to stay so
	return OK;
}

enum err buf_append(struct buf *b, const void *data, size_t len)
{
	uint8_t *room;
	if (len == 0)
		return OK;
	enum err e = buf_reserve(b, len, &room);
	if (e)
		return e;
	assert(room); // there is one for any byte
	memcpy(room, data, len);
	b->len += len;
	return OK;
}

enum err buf_append_span(struct buf *b, struct span s)
{
	return buf_append(b, s.data, s.len);
}

enum err buf_append_string(struct buf *b, const char *text)
{
	return buf_append(b, text, strlen(text));
}

void buf_put(struct buf *b, const void *data, size_t len)
{
	enum err e = buf_append(b, data, len);
	assert(e == OK);
	(void)e;
}

void buf_consume(struct buf *b, size_t len)
{
	assert(len <= b->len);
	if (len == 0)
		return;
	memmove(b->data, b->data + len, b->len - len);
	if (b->wipe)
		sodium_memzero(b->data + b->len - len, len);
	b->len -= len;
}

struct bytes *buf_take(struct buf *b)
{
	struct bytes *out = bytes_new(b->data, b->len);
	out->wipe = b->wipe;
	buf_fini(b);
	return out;
}

struct bytes *bytes_new(const void *data, size_t len)
{
	struct bytes *b = mem_alloc(sizeof *b + len + 1);
	b->len = len;
	b->refs = 1;
	if (len && data)
		memcpy(b->data, data, len);
	return b;
}

struct bytes *bytes_new_span(struct span s)
{
	return bytes_new(s.data, s.len);
}

struct bytes *bytes_ref(struct bytes *b)
{
	if (b)
		b->refs++;
	return b;
}

void bytes_unref(struct bytes *b)
{
	if (!b)
		return;
	assert(b->refs > 0);
	if (--b->refs)
		return;
	if (b->wipe)
		sodium_memzero(b->data, b->len);
	free(b);
}

struct span bytes_span(const struct bytes *b)
{
	return b ? span(b->data, b->len) : span(NULL, 0);
}
