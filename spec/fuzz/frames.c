// SPDX-License-Identifier: GPL-3.0-or-later
// wire/frame: a stream of bytes, cut into pieces in any way. The first byte chooses the cap and whether it is raised after
// the first frame, the second seeds the cuts.
#include "spec/fuzz/fuzz.h"
#include "wire/frame.h"

#define FRAMES_MAX 64

struct seen {
	size_t count;
	enum frame_kind kinds[FRAMES_MAX];
	struct buf payloads; // one behind the other, each behind its length
	enum err failed;
};

static void note(struct seen *s, const struct frame *f)
{
	CHECK(f->kind > 0 && f->kind < FRAME_KIND_END);
	if (s->count < FRAMES_MAX)
		s->kinds[s->count] = f->kind;
	s->count++;
	buf_put(&s->payloads, &f->payload.len, sizeof f->payload.len);
	if (f->payload.len)
		buf_put(&s->payloads, f->payload.data, f->payload.len);
}

// What is encoded anew are the bytes that came.
static void check_encoding(const struct frame *f, size_t cap, struct span all, size_t end)
{
	struct bytes *again = NULL;
	CHECK(frame_encode(f->kind, f->payload, cap, &again) == OK);
	CHECK(again->len <= end && memcmp(again->data, all.data + end - again->len, again->len) == 0);
	bytes_unref(again);
}

static void decode(struct span all, size_t cap, bool raise, uint32_t cuts, struct seen *s)
{
	struct frame_decoder d;
	struct err_info info;
	size_t done = 0;
	frame_decoder_init(&d, cap);
	while (done < all.len && !s->failed) {
		// 0: all of it at once
		size_t piece = cuts ? 1 + (cuts = cuts * 1664525 + 1013904223) % 40 : all.len;
		struct span in = span(all.data + done, piece < all.len - done ? piece : all.len - done);
		done += in.len;
		bool got = true;
		while (got && !s->failed) {
			struct frame f;
			s->failed = frame_decoder_take(&d, &in, &f, &got, &info);
			if (s->failed || !got)
				break;
			check_encoding(&f, cap, all, done - in.len);
			note(s, &f);
			if (raise)
				frame_decoder_set_cap(&d, cap = FRAME_CAP_MEMBER);
		}
		CHECK(s->failed || in.len == 0);
		CHECK(frame_decoder_pending(&d) <= FRAME_LENGTH_LEN + cap + FRAME_CIPHER_OVERHEAD);
	}
	if (s->failed) {
		struct frame f;
		struct span more = all;
		bool got = false;
		CHECK(frame_decoder_take(&d, &more, &f, &got, &info) == s->failed && !got);
	}
	frame_decoder_fini(&d);
}

static void check_inner(struct span plain, size_t cap)
{
	struct frame f;
	struct err_info info;
	if (frame_inner_decode(plain, cap, &f, &info) != OK)
		return;
	CHECK(f.kind > 0 && f.kind < FRAME_KIND_END && f.kind != FRAME_CIPHER);
	CHECK(plain.data[0] == f.kind && f.payload.len == plain.len - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	unsigned choice = input_byte(&in);
	size_t cap = choice & 1 ? FRAME_CAP_MEMBER : FRAME_CAP_STRANGER;
	uint32_t cuts = input_byte(&in) + 1u;
	struct bytes *all = input_rest(&in);
	struct seen whole = {0}, pieces = {0};
	buf_init(&whole.payloads, SIZE_MAX);
	buf_init(&pieces.payloads, SIZE_MAX);
	decode(bytes_span(all), cap, choice & 2, 0, &whole);
	decode(bytes_span(all), cap, choice & 2, cuts, &pieces);
	CHECK(whole.failed == pieces.failed && whole.count == pieces.count);
	CHECK(memcmp(whole.kinds, pieces.kinds, sizeof whole.kinds) == 0);
	CHECK(span_equal(buf_span(&whole.payloads), buf_span(&pieces.payloads)));
	check_inner(bytes_span(all), cap);
	buf_fini(&whole.payloads);
	buf_fini(&pieces.payloads);
	bytes_unref(all);
	return 0;
}
