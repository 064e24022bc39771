// SPDX-License-Identifier: GPL-3.0-or-later
// net/link: what a link makes of any bytes, in clear and under keys. The other end of a socket pair is ours: the input says
// what goes over it (clear frames, frames sealed in good order, raw bytes, frames changed after they were sealed, an end), and
// when this side sets keys, pauses and closes.
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/cipher.h"
#include "net/link.h"
#include "spec/fuzz/fuzz.h"
#include "wire/frame.h"

#define STEPS_MAX 40
#define PLAIN_MAX (64 * 1024)

static const uint8_t key[CIPHER_KEY_LEN] = "a key of the fuzzer for one link";

struct world {
	struct loop *loop;
	struct link *link;
	int fd; // the other end; -1 once closed
	struct cipher *tx; // of the other end; NULL in clear
	bool keys;         // this side has them
	bool honest;       // nothing but good frames was sent, and in time
	bool paused, closing;
	unsigned frames_sent, frames, unreadable, ended;
	struct buf expected; // inner frames that were sealed honestly and have not come yet: length, kind and payload
};

static void on_frame(void *arg, uint8_t kind, struct span payload, bool encrypted)
{
	struct world *w = arg;
	w->frames++;
	CHECK(!w->ended && !w->unreadable && !w->closing);
	CHECK(kind > 0 && kind < FRAME_KIND_END && kind != FRAME_CIPHER);
	CHECK(payload.len < FRAME_CAP_MEMBER && encrypted == w->keys);
	if (!encrypted)
		return;
	// under keys only what was sealed comes, all of it and in order
	size_t len;
	CHECK(w->expected.len >= sizeof len);
	memcpy(&len, w->expected.data, sizeof len);
	CHECK(len == 1 + payload.len && w->expected.data[sizeof len] == kind);
	CHECK(payload.len == 0 || memcmp(w->expected.data + sizeof len + 1, payload.data, payload.len) == 0);
	buf_consume(&w->expected, sizeof len + len);
}

static void on_unreadable(void *arg)
{
	struct world *w = arg;
	CHECK(w->keys && !w->ended && !w->unreadable && !w->honest);
	w->unreadable++;
}

static void on_ended(void *arg, enum link_end why, const struct err_info *info)
{
	struct world *w = arg;
	CHECK(!w->ended);
	CHECK(why == LINK_END_DONE || !w->closing);
	CHECK(link_end_name(why)[0] && info->text[0]);
	w->ended++;
}

// Everything that is on its way arrives.
static void turn(struct world *w)
{
	for (int i = 0; i < 4; i++)
		ev_run(loop_ev(w->loop), EVRUN_NOWAIT);
}

static void put(struct world *w, struct span s)
{
	for (int tries = 0; s.len && w->fd >= 0 && tries < 200; tries++) {
		ssize_t n = send(w->fd, s.data, s.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return;
		if (n > 0)
			s = span(s.data + n, s.len - (size_t)n);
		turn(w);
		if (n < 0 && (w->ended || w->closing || w->unreadable || w->paused))
			return; // nobody reads
	}
}

// of any kind, known or not
static void put_frame(struct world *w, uint8_t kind, struct span payload)
{
	uint8_t head[FRAME_HEADER_LEN];
	struct buf b;
	frame_header_put(head, FRAME_RECORD, payload.len);
	head[FRAME_LENGTH_LEN] = kind;
	buf_init(&b, SIZE_MAX);
	buf_put(&b, head, sizeof head);
	if (payload.len)
		buf_put(&b, payload.data, payload.len);
	put(w, buf_span(&b));
	buf_fini(&b);
}

static void expect(struct world *w, struct span plain)
{
	size_t len = plain.len;
	if (!len)
		return;
	buf_put(&w->expected, &len, sizeof len);
	buf_put(&w->expected, plain.data, len);
}

// harm: what to do to the sealed bytes, 0 nothing
static void put_sealed(struct world *w, struct span plain, bool last, unsigned harm, size_t at)
{
	size_t len = plain.len + cipher_overhead(w->tx);
	struct bytes *sealed = bytes_new(NULL, len);
	cipher_seal(w->tx, plain, last, sealed->data);
	if (!(harm & 3))
		expect(w, plain);
	if (harm)
		w->honest = false;
	if (harm & 1)
		sealed->data[at % len] ^= (uint8_t)(1 << harm % 8);
	put_frame(w, FRAME_CIPHER, span(sealed->data, harm & 2 ? len - 1 - at % len : len));
	if (harm & 4)
		put_frame(w, FRAME_CIPHER, bytes_span(sealed)); // once more
	bytes_unref(sealed);
}

static void set_keys(struct world *w)
{
	if (w->keys || w->ended)
		return;
	turn(w);
	if (w->ended)
		return;
	if (w->paused)
		w->honest = false; // clear frames that wait come too late
	link_set_cipher(w->link, NULL, key);
	w->keys = true;
	w->tx = cipher_new(key);
}

static void send_back(struct world *w, struct span payload)
{
	struct bytes *b = bytes_new_span(payload);
	enum err e = link_send(w->link, FRAME_RECORD, b);
	CHECK(!e || w->ended || w->closing || e == ERR_TOO_LARGE || e == ERR_BUSY ||
	      (e == ERR_WRONG_STATE && w->fd < 0)); // nobody reads: the end is not seen yet
	bytes_unref(b);
	uint8_t sink[4096];
	turn(w);
	while (w->fd >= 0 && recv(w->fd, sink, sizeof sink, MSG_DONTWAIT) > 0)
		;
}

static void step(struct world *w, struct input *in)
{
	unsigned what = input_byte(in), harm = input_byte(in);
	size_t at = input_short(in);
	struct bytes *b = input_take(in, input_short(in) % PLAIN_MAX);
	switch (what % 10) {
	case 0:
		w->honest = w->honest && b->len == 0;
		put(w, bytes_span(b));
		break;
	case 1:
		if (w->keys)
			w->honest = false;
		put_frame(w, (uint8_t)(harm % (FRAME_KIND_END + 2)), bytes_span(b));
		break;
	case 2:
	case 3:
		if (w->keys)
			put_sealed(w, bytes_span(b), false, 0, at);
		break;
	case 4:
		if (w->keys)
			put_sealed(w, bytes_span(b), false, harm, at);
		break;
	case 5:
		if (w->keys)
			put_sealed(w, bytes_span(b), true, 0, at);
		break;
	case 6:
		set_keys(w);
		break;
	case 7:
		if (harm & 1) {
			link_set_authenticated(w->link);
		} else {
			w->paused = harm & 2;
			if (w->paused)
				link_pause(w->link);
			else
				link_resume(w->link);
		}
		break;
	case 8:
		send_back(w, bytes_span(b));
		break;
	default:
		if (harm & 1 && w->fd >= 0) {
			close(w->fd);
			w->fd = -1;
		} else if (!w->ended) {
			w->closing = true;
			link_close(w->link);
		}
		break;
	}
	bytes_unref(b);
	turn(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct link_callbacks callbacks = {.frame = on_frame, .unreadable = on_unreadable, .ended = on_ended};
	static struct loop *loop;
	struct world w = {.honest = true};
	struct input in = input_of(data, size);
	int ends[2];
	if (!loop)
		loop = loop_new();
	w.loop = loop;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	w.fd = ends[0];
	w.link = link_adopt(w.loop, ends[1], &callbacks, &w);
	buf_init(&w.expected, SIZE_MAX);
	for (int i = 0; i < STEPS_MAX && input_left(&in); i++)
		step(&w, &in);
	if (!w.ended)
		link_resume(w.link);
	if (w.fd >= 0)
		close(w.fd);
	for (int i = 0; i < 50 && !w.ended; i++)
		turn(&w);
	// who reads nothing more because of an unreadable frame is closed by its owner
	CHECK(w.ended || w.unreadable);
	link_free(w.link);
	cipher_free(w.tx);
	buf_fini(&w.expected);
	return 0;
}
