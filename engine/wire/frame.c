// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/frame.h"

#include <assert.h>
#include <string.h>

#include "base/encode.h"
#include "base/mem.h"

// A link that was sent one big frame does not keep its memory for the small ones that follow.
#define KEPT_MAX (32 * 1024)

static bool kind_known(unsigned kind)
{
	return kind >= FRAME_RECORD && kind < FRAME_KIND_END;
}

static size_t cap_of(enum frame_kind kind, size_t cap)
{
	return kind == FRAME_CIPHER ? cap + FRAME_CIPHER_OVERHEAD : cap;
}

void frame_header_put(uint8_t out[FRAME_HEADER_LEN], enum frame_kind kind, size_t payload_len)
{
	assert(payload_len < UINT32_MAX && kind_known(kind));
	be32_put(out, (uint32_t)payload_len + 1);
	out[FRAME_LENGTH_LEN] = (uint8_t)kind;
}

enum err frame_encode(enum frame_kind kind, struct span payload, size_t cap, struct bytes **out)
{
	if (payload.len >= cap_of(kind, cap))
		return ERR_TOO_LARGE;
	struct buf b;
	buf_init(&b, FRAME_HEADER_LEN + payload.len);
	uint8_t header[FRAME_HEADER_LEN];
	frame_header_put(header, kind, payload.len);
	buf_put(&b, header, sizeof header);
	buf_put(&b, payload.data, payload.len);
	*out = buf_take(&b);
	return OK;
}

void frame_decoder_init(struct frame_decoder *d, size_t cap)
{
	*d = (struct frame_decoder){.cap = cap};
	buf_init(&d->pending, FRAME_LENGTH_LEN + FRAME_CAP_MEMBER + FRAME_CIPHER_OVERHEAD);
	frame_decoder_set_cap(d, cap);
}

void frame_decoder_fini(struct frame_decoder *d)
{
	buf_fini(&d->pending);
	d->done = false;
}

void frame_decoder_set_cap(struct frame_decoder *d, size_t cap)
{
	assert(cap > 0 && cap <= FRAME_CAP_MEMBER);
	d->cap = cap;
}

size_t frame_decoder_pending(const struct frame_decoder *d)
{
	return d->done ? 0 : d->pending.len;
}

// As much of the header as is there: what is wrong shows at the earliest byte that can tell.
static enum err check_header(const struct frame_decoder *d, struct span head, struct err_info *info)
{
	if (head.len < FRAME_LENGTH_LEN)
		return OK;
	size_t length = be32_get(head.data);
	if (length == 0)
		return err_set(info, ERR_BAD_INPUT, "an empty frame");
	if (length > d->cap + FRAME_CIPHER_OVERHEAD)
		return err_set(info, ERR_TOO_LARGE, "a frame of %zu bytes", length);
	if (head.len < FRAME_HEADER_LEN)
		return OK;
	unsigned kind = head.data[FRAME_LENGTH_LEN];
	if (!kind_known(kind))
		return err_set(info, ERR_BAD_INPUT, "a frame of the unknown kind %u", kind);
	if (length > cap_of(kind, d->cap))
		return err_set(info, ERR_TOO_LARGE, "a frame of %zu bytes", length);
	return OK;
}

// Bytes that are wanted before anything more can be said.
static size_t wanted(struct span have)
{
	if (have.len < FRAME_LENGTH_LEN)
		return FRAME_LENGTH_LEN;
	if (have.len < FRAME_HEADER_LEN)
		return FRAME_HEADER_LEN;
	return FRAME_LENGTH_LEN + (size_t)be32_get(have.data);
}

static struct frame frame_at(struct span whole)
{
	return (struct frame){
		.kind = whole.data[FRAME_LENGTH_LEN],
		.payload = span(whole.data + FRAME_HEADER_LEN, whole.len - FRAME_HEADER_LEN),
	};
}

static void drop_handed_out(struct frame_decoder *d)
{
	if (!d->done)
		return;
	d->done = false;
	if (d->pending.cap > KEPT_MAX)
		buf_fini(&d->pending);
	else
		buf_clear(&d->pending);
}

static struct span take(struct span *input, size_t len)
{
	struct span front = span(input->data, len);
	*input = span(input->data + len, input->len - len);
	return front;
}

enum err frame_decoder_take(struct frame_decoder *d, struct span *input, struct frame *out,
			    bool *got, struct err_info *info)
{
	*got = false;
	if (d->failed)
		return err_set(info, d->failed, "the stream of frames is broken");
	drop_handed_out(d);
	// the common case: the whole frame is in the input, and needs no copy
	if (d->pending.len == 0 && input->len >= FRAME_HEADER_LEN) {
		d->failed = check_header(d, *input, info);
		if (d->failed)
			return d->failed;
		if (input->len >= wanted(*input)) {
			*out = frame_at(take(input, wanted(*input)));
			*got = true;
			return OK;
		}
	}
	while (input->len) {
		size_t need = wanted(buf_span(&d->pending)) - d->pending.len;
		struct span part = take(input, need < input->len ? need : input->len);
		buf_put(&d->pending, part.data, part.len);
		d->failed = check_header(d, buf_span(&d->pending), info);
		if (d->failed) {
			buf_fini(&d->pending);
			return d->failed;
		}
		if (d->pending.len < FRAME_HEADER_LEN || d->pending.len < wanted(buf_span(&d->pending)))
			continue;
		*out = frame_at(buf_span(&d->pending));
		d->done = *got = true;
		return OK;
	}
	return OK;
}

enum err frame_inner_decode(struct span plain, size_t cap, struct frame *out, struct err_info *info)
{
	if (plain.len == 0)
		return err_set(info, ERR_BAD_INPUT, "an empty inner frame");
	if (plain.len > cap)
		return err_set(info, ERR_TOO_LARGE, "an inner frame of %zu bytes", plain.len);
	unsigned kind = plain.data[0];
	if (!kind_known(kind) || kind == FRAME_CIPHER)
		return err_set(info, ERR_BAD_INPUT, "an inner frame of the kind %u", kind);
	*out = (struct frame){.kind = kind, .payload = span(plain.data + 1, plain.len - 1)};
	return OK;
}
