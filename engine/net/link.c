// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/link.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/cipher.h"
#include "net/stream.h"
#include "wire/frame.h"

#define INPUT_MAX STREAM_READ_BLOCK // whole frames are put together in the decoder
#define PLAIN_KEPT 16384            // an idle link keeps no larger buffer
// the last message goes out even where the queue is full
#define GOODBYE_LEN (FRAME_HEADER_LEN + FRAME_CIPHER_START_LEN + FRAME_CIPHER_TAG_LEN)

_Static_assert(LINK_CIPHER_KEY_LEN == CIPHER_KEY_LEN, "key length");

struct link {
	struct loop *loop;
	struct stream *stream; // NULL once it is over
	bool busy, freed;      // inside one of our callbacks; link_free was called there
	bool connected, over;
	bool paused;
	bool poisoned; // an unreadable frame: nothing after it can be read
	bool closing;
	size_t cap; // on kind + payload, either direction
	int64_t idle_ms;
	struct timer idle, close;
	struct deferred done;
	struct frame_decoder decoder;
	struct cipher *tx, *rx;
	struct buf plain; // the frame just opened
	struct addr remote, local;
	struct link_callbacks callbacks;
	void *arg;
	struct link_counters counters;
};

const char *link_end_name(enum link_end why)
{
	static const char *const names[] = {
		[LINK_END_CLOSED] = "closed",
		[LINK_END_LOST] = "lost",
		[LINK_END_DONE] = "done",
		[LINK_END_REFUSED] = "refused",
		[LINK_END_UNREACHABLE] = "unreachable",
		[LINK_END_TIMEOUT] = "timeout",
		[LINK_END_IDLE] = "idle",
		[LINK_END_BREACH] = "breach",
	};
	return names[why];
}

// --- life
// ------------------------------------------------------------------------------------------

static void stop(struct link *l)
{
	timer_cancel(l->loop, &l->idle);
	timer_cancel(l->loop, &l->close);
	deferred_cancel(l->loop, &l->done);
	l->over = true;
	if (!l->stream)
		return;
	l->counters = link_counters(l);
	stream_free(l->stream);
	l->stream = NULL;
}

static void release(struct link *l)
{
	frame_decoder_fini(&l->decoder);
	buf_fini(&l->plain);
	cipher_free(l->tx);
	cipher_free(l->rx);
	free(l);
}

// As in stream.c: every way in from the loop is between these two.
static void enter(struct link *l)
{
	assert(!l->busy);
	l->busy = true;
}

static void leave(struct link *l)
{
	l->busy = false;
	if (l->freed)
		release(l);
}

void link_free(struct link *l)
{
	if (!l || l->freed)
		return;
	stop(l);
	l->freed = true;
	if (!l->busy)
		release(l);
}

void link_set_callbacks(struct link *l, const struct link_callbacks *callbacks, void *arg)
{
	l->callbacks = *callbacks;
	l->arg = arg;
}

bool link_is_over(const struct link *l)
{
	return l->over;
}

static void end(struct link *l, enum link_end why, const struct err_info *info)
{
	stop(l);
	l->callbacks.ended(l->arg, why, info);
}

static void end_for(struct link *l, enum link_end why, enum err code, const char *text)
{
	char at[ADDR_TEXT_MAX];
	struct err_info info;
	err_set(&info, code, "%s: %s", addr_format(&l->remote, at), text);
	end(l, why, &info);
}

// --- time
// ------------------------------------------------------------------------------------------

static void idle_too_long(void *arg)
{
	struct link *l = arg;
	enter(l);
	end_for(l, LINK_END_IDLE, ERR_TIMEOUT, "nothing came for too long");
	leave(l);
}

static void restart_idle(struct link *l)
{
	if (l->idle_ms && l->connected && !l->over && !l->paused && !l->closing)
		timer_start(l->loop, &l->idle, l->idle_ms, idle_too_long, l);
	else
		timer_cancel(l->loop, &l->idle);
}

void link_set_idle(struct link *l, int64_t ms)
{
	l->idle_ms = ms;
	restart_idle(l);
}

// --- in
// --------------------------------------------------------------------------------------------

static void take_unreadable(struct link *l)
{
	l->counters.unreadable++;
	l->poisoned = true;
	if (!l->callbacks.unreadable) {
		end_for(l, LINK_END_BREACH, ERR_CRYPTO, "a frame does not open");
		return;
	}
	stream_pause(l->stream);
	l->callbacks.unreadable(l->arg);
}

static void hand_out(struct link *l, const struct frame *f, bool encrypted)
{
	l->counters.frames_in++;
	restart_idle(l);
	l->callbacks.frame(l->arg, (uint8_t)f->kind, f->payload, encrypted);
}

static void take_sealed(struct link *l, struct span sealed)
{
	struct frame inner;
	struct err_info info;
	bool last = false;
	buf_clear(&l->plain);
	if (cipher_open(l->rx, sealed, &l->plain, &last) != OK) {
		take_unreadable(l);
		return;
	}
	if (last && l->plain.len == 0) {
		end_for(l, LINK_END_CLOSED, ERR_IO, "the other side closed the link");
		return;
	}
	if (last || frame_inner_decode(buf_span(&l->plain), l->cap, &inner, &info) != OK) {
		end_for(l, LINK_END_BREACH, ERR_BAD_INPUT,
			last ? "a last message that is not empty" : info.text);
		return;
	}
	hand_out(l, &inner, true);
	// whoever just stepped through a large frame need not hold on to its memory
	if (l->plain.cap > PLAIN_KEPT)
		buf_fini(&l->plain);
}

static void take_frame(struct link *l, const struct frame *f)
{
	if (f->kind == FRAME_CIPHER && !l->rx)
		end_for(l, LINK_END_BREACH, ERR_BAD_INPUT, "a sealed frame before there are keys");
	else if (f->kind == FRAME_CIPHER)
		take_sealed(l, f->payload);
	else if (l->rx)
		take_unreadable(l);
	else
		hand_out(l, f, false);
}

static bool takes_frames(const struct link *l)
{
	return !l->over && !l->paused && !l->poisoned && !l->closing;
}

static void take_frames(struct link *l, struct span *in)
{
	while (takes_frames(l)) {
		struct frame f;
		struct err_info info;
		bool got = false;
		if (frame_decoder_take(&l->decoder, in, &f, &got, &info) != OK)
			end_for(l, LINK_END_BREACH, ERR_BAD_INPUT, info.text);
		else if (!got)
			return;
		else
			take_frame(l, &f);
	}
}

static void input(void *arg)
{
	struct link *l = arg;
	struct span in = stream_input(l->stream);
	size_t there = in.len;
	enter(l);
	take_frames(l, &in);
	if (l->closing) // reads on only to see the other side's end
		in.len = 0;
	if (!l->over)
		stream_consume(l->stream, there - in.len);
	leave(l);
}

void link_pause(struct link *l)
{
	l->paused = true;
	restart_idle(l);
	if (!l->over && !l->closing)
		stream_pause(l->stream);
}

void link_resume(struct link *l)
{
	l->paused = false;
	restart_idle(l);
	if (!l->over && !l->poisoned)
		stream_resume(l->stream);
}

// --- out
// -------------------------------------------------------------------------------------------

static struct bytes *seal_frame(struct link *l, struct span plain, bool last)
{
	size_t len = plain.len + cipher_overhead(l->tx);
	struct bytes *b = bytes_new(NULL, FRAME_HEADER_LEN + len);
	frame_header_put(b->data, FRAME_CIPHER, len);
	cipher_seal(l->tx, plain, last, b->data + FRAME_HEADER_LEN);
	return b;
}

static enum err send_sealed(struct link *l, uint8_t kind, struct span payload)
{
	struct buf plain;
	buf_init(&plain, 1 + payload.len);
	buf_put(&plain, &kind, 1);
	if (payload.len)
		buf_put(&plain, payload.data, payload.len);
	struct bytes *b = seal_frame(l, buf_span(&plain), false);
	enum err e = stream_send(l->stream, b);
	bytes_unref(b);
	buf_fini(&plain);
	return e;
}

static enum err send_clear(struct link *l, uint8_t kind, struct bytes *payload)
{
	struct bytes *head = bytes_new(NULL, FRAME_HEADER_LEN);
	frame_header_put(head->data, kind, payload ? payload->len : 0);
	enum err e = stream_send_two(l->stream, head, payload);
	bytes_unref(head);
	return e;
}

enum err link_send(struct link *l, uint8_t kind, struct bytes *payload)
{
	struct span body = bytes_span(payload);
	assert(kind > 0 && kind < FRAME_KIND_END && kind != FRAME_CIPHER);
	if (l->over || l->closing)
		return ERR_WRONG_STATE;
	if (body.len >= l->cap)
		return ERR_TOO_LARGE;
	size_t need = FRAME_HEADER_LEN + body.len + (l->tx ? 1 + cipher_overhead(l->tx) : 0);
	if (need > link_room(l)) {
		l->counters.refused++;
		return ERR_BUSY;
	}
	enum err e = l->tx ? send_sealed(l, kind, body) : send_clear(l, kind, payload);
	if (e == OK)
		l->counters.frames_out++;
	return e;
}

size_t link_queued(const struct link *l)
{
	return l->over ? 0 : stream_queued(l->stream);
}

size_t link_room(const struct link *l)
{
	size_t queued = link_queued(l);
	return l->over || queued >= LINK_QUEUE_MAX ? 0 : LINK_QUEUE_MAX - queued;
}

void link_set_authenticated(struct link *l)
{
	l->cap = FRAME_CAP_MEMBER;
	frame_decoder_set_cap(&l->decoder, l->cap);
}

void link_set_cipher(struct link *l, const uint8_t tx[LINK_CIPHER_KEY_LEN],
		     const uint8_t rx[LINK_CIPHER_KEY_LEN])
{
	assert(!(tx && l->tx) && !(rx && l->rx));
	if (tx)
		l->tx = cipher_new(tx);
	if (rx)
		l->rx = cipher_new(rx);
}

static void closed(void *arg)
{
	struct link *l = arg;
	enter(l);
	end_for(l, LINK_END_DONE, ERR_CANCELED, "closed by this side");
	leave(l);
}

void link_close(struct link *l)
{
	if (l->over || l->closing)
		return;
	l->closing = true;
	timer_cancel(l->loop, &l->idle);
	if (!l->connected) {
		loop_defer(l->loop, &l->done, closed, l);
		return;
	}
	if (l->tx) {
		struct bytes *goodbye = seal_frame(l, span(NULL, 0), true);
		enum err e = stream_send(l->stream, goodbye);
		bytes_unref(goodbye);
		(void)e; // what is broken already needs no goodbye
	}
	stream_finish(l->stream);
	stream_resume(l->stream);
	timer_start(l->loop, &l->close, LINK_CLOSE_MS, closed, l);
}

// --- the stream below
// ------------------------------------------------------------------------------

static void stream_is_connected(void *arg)
{
	struct link *l = arg;
	if (l->closing)
		return;
	l->connected = true;
	l->local = *stream_local(l->stream);
	restart_idle(l);
	if (!l->callbacks.connected)
		return;
	enter(l);
	l->callbacks.connected(l->arg);
	leave(l);
}

static void stream_drained(void *arg)
{
	struct link *l = arg;
	if (!l->callbacks.drained || l->closing)
		return;
	enter(l);
	l->callbacks.drained(l->arg);
	leave(l);
}

static enum link_end end_of(const struct link *l, enum stream_end why)
{
	if (l->closing)
		return LINK_END_DONE;
	if (l->connected)
		return LINK_END_LOST;
	switch (why) {
	case STREAM_END_REFUSED:
		return LINK_END_REFUSED;
	case STREAM_END_TIMEOUT:
		return LINK_END_TIMEOUT;
	default:
		return LINK_END_UNREACHABLE;
	}
}

static void stream_ended(void *arg, enum stream_end why, const struct err_info *info)
{
	struct link *l = arg;
	enter(l);
	end(l, end_of(l, why), info);
	leave(l);
}

static const struct stream_callbacks stream_callbacks = {
	.connected = stream_is_connected,
	.input = input,
	.drained = stream_drained,
	.ended = stream_ended,
};

static const struct stream_options stream_options = {
	.input_max = INPUT_MAX,
	.queue_max = LINK_QUEUE_MAX + GOODBYE_LEN,
	.drained_at = LINK_DRAINED_AT,
};

// --- beginning
// -------------------------------------------------------------------------------------

static struct link *new_link(struct loop *loop, const struct link_callbacks *callbacks, void *arg)
{
	struct link *l = mem_alloc(sizeof *l);
	l->loop = loop;
	l->callbacks = *callbacks;
	l->arg = arg;
	l->cap = FRAME_CAP_STRANGER;
	frame_decoder_init(&l->decoder, l->cap);
	buf_init(&l->plain, FRAME_CAP_MEMBER + FRAME_CIPHER_OVERHEAD);
	return l;
}

enum err link_connect(struct link **out, struct loop *loop, const struct addr *to,
		      int64_t timeout_ms, const struct link_callbacks *callbacks, void *arg,
		      struct err_info *info)
{
	struct link *l = new_link(loop, callbacks, arg);
	l->remote = *to;
	enum err e = stream_connect(&l->stream, loop, to, timeout_ms, &stream_options,
				    &stream_callbacks, l, info);
	if (e) {
		release(l);
		return e;
	}
	*out = l;
	return OK;
}

struct link *link_adopt(struct loop *loop, int fd, const struct link_callbacks *callbacks,
			void *arg)
{
	struct link *l = new_link(loop, callbacks, arg);
	l->stream = stream_adopt(loop, fd, &stream_options, &stream_callbacks, l);
	l->connected = true;
	l->remote = *stream_remote(l->stream);
	l->local = *stream_local(l->stream);
	return l;
}

const struct addr *link_remote(const struct link *l)
{
	return &l->remote;
}

const struct addr *link_local(const struct link *l)
{
	return &l->local;
}

struct link_counters link_counters(const struct link *l)
{
	struct link_counters now = l->counters;
	if (l->stream) {
		now.bytes_in = stream_counters(l->stream)->bytes_in;
		now.bytes_out = stream_counters(l->stream)->bytes_out;
	}
	return now;
}
