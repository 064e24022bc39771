// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/stream.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/stream_internal.h"

#define INPUT_KEPT 16384 // an empty buffer larger than this is given back
#define GONE_CHECK_MS 1000

static void flush_soon(struct stream *s);

const char *stream_end_name(enum stream_end why)
{
	static const char *const names[] = {
		[STREAM_END_EOF] = "eof",         [STREAM_END_FINISHED] = "finished",
		[STREAM_END_REFUSED] = "refused", [STREAM_END_UNREACHABLE] = "unreachable",
		[STREAM_END_TIMEOUT] = "timeout", [STREAM_END_LOST] = "lost",
	};
	return names[why];
}

// --- life
// ------------------------------------------------------------------------------------------

static void stop(struct stream *s)
{
	struct ev_loop *ev = loop_ev(s->loop);
	if (s->state == STREAM_ENDED)
		return;
	s->state = STREAM_ENDED;
	ev_io_stop(ev, &s->reader);
	ev_io_stop(ev, &s->writer);
	timer_cancel(s->loop, &s->timer);
	deferred_cancel(s->loop, &s->flush);
	deferred_cancel(s->loop, &s->deliver);
	deferred_cancel(s->loop, &s->fail);
	queue_clear(&s->out);
	close(s->fd);
}

static void release(struct stream *s)
{
	buf_fini(&s->in);
	free(s);
}

void stream_enter(struct stream *s)
{
	assert(!s->busy);
	s->busy = true;
}

void stream_leave(struct stream *s)
{
	s->busy = false;
	if (s->freed)
		release(s);
}

void stream_free(struct stream *s)
{
	if (!s || s->freed)
		return;
	stop(s);
	s->freed = true;
	if (!s->busy)
		release(s);
}

void stream_over(struct stream *s, enum stream_end why, int number)
{
	char text[ADDR_TEXT_MAX];
	struct err_info info;
	bool known = s->remote.port != 0;
	stop(s);
	err_set_errno(&info, number, "%s", known ? addr_format(&s->remote, text) : "connection");
	if (number == 0)
		err_set(&info, ERR_IO, "the connection was closed");
	info.code = why == STREAM_END_TIMEOUT ? ERR_TIMEOUT : ERR_IO;
	s->callbacks.ended(s->arg, why, &info);
}

static enum stream_end reason_of(const struct stream *s, int number)
{
	if (number == ETIMEDOUT)
		return STREAM_END_TIMEOUT;
	if (s->state != STREAM_CONNECTING)
		return STREAM_END_LOST;
	return number == ECONNREFUSED ? STREAM_END_REFUSED : STREAM_END_UNREACHABLE;
}

void stream_end_by_error(struct stream *s, int number)
{
	stream_over(s, reason_of(s, number), number);
}

// --- in
// --------------------------------------------------------------------------------------------

void stream_update_reader(struct stream *s)
{
	bool wanted = s->state == STREAM_OPEN && !s->paused && !s->input_over && s->in.len < s->in.max;
	if (wanted && !ev_is_active(&s->reader))
		ev_io_start(loop_ev(s->loop), &s->reader);
	else if (!wanted)
		ev_io_stop(loop_ev(s->loop), &s->reader);
}

static bool is_gone(const struct stream *s)
{
	struct pollfd look = {.fd = s->fd};
	return poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR)) != 0;
}

// Nothing is watched for on a socket whose input is over, so somebody has to look.
static void check_gone(void *arg)
{
	struct stream *s = arg;
	if (!is_gone(s)) {
		timer_start(s->loop, &s->timer, GONE_CHECK_MS, check_gone, s);
		return;
	}
	stream_enter(s);
	stream_over(s, STREAM_END_EOF, 0);
	stream_leave(s);
}

static void take_end_of_input(struct stream *s)
{
	s->input_over = true;
	stream_update_reader(s);
	if (s->broken) {
		stream_over(s, STREAM_END_LOST, EPIPE);
	} else if (s->shut) {
		stream_over(s, STREAM_END_FINISHED, 0);
	} else if (s->finishing) {
		flush_soon(s);
	} else if (!s->callbacks.input_ended || is_gone(s)) {
		stream_over(s, STREAM_END_EOF, 0);
	} else {
		timer_start(s->loop, &s->timer, GONE_CHECK_MS, check_gone, s);
		s->callbacks.input_ended(s->arg);
	}
}

// Small reads for those who say little, large ones for those who have much to say.
static void adapt_block(struct stream *s, size_t asked, size_t got)
{
	if (got == asked && s->block < STREAM_READ_BLOCK)
		s->block *= 2;
	else if (got < s->block / 4 && s->block > STREAM_BLOCK_LEAST)
		s->block /= 2;
}

void stream_read_some(struct stream *s)
{
	size_t left = s->in.max - s->in.len;
	size_t asked = left < s->block ? left : s->block;
	uint8_t *room;
	if (buf_reserve(&s->in, asked, &room) != OK)
		return;
	ssize_t n = recv(s->fd, room, asked, 0);
	if (n > 0) {
		s->in.len += (size_t)n;
		s->counters.bytes_in += (uint64_t)n;
		adapt_block(s, asked, (size_t)n);
		s->callbacks.input(s->arg);
		if (!s->freed)
			stream_update_reader(s);
	} else if (n == 0) {
		take_end_of_input(s);
	} else if (errno != EAGAIN && errno != EINTR) {
		stream_end_by_error(s, errno);
	}
}

static void deliver(void *arg)
{
	struct stream *s = arg;
	if (s->paused || s->in.len == 0)
		return;
	stream_enter(s);
	s->callbacks.input(s->arg);
	if (!s->freed)
		stream_update_reader(s);
	stream_leave(s);
}

struct span stream_input(const struct stream *s)
{
	return buf_span(&s->in);
}

void stream_consume(struct stream *s, size_t len)
{
	buf_consume(&s->in, len);
	if (s->in.len == 0 && s->in.cap > INPUT_KEPT)
		buf_fini(&s->in);
	stream_update_reader(s);
}

void stream_set_input_max(struct stream *s, size_t max)
{
	assert(max >= s->in.len);
	s->in.max = max;
	stream_update_reader(s);
}

void stream_pause(struct stream *s)
{
	s->paused = true;
	stream_update_reader(s);
}

void stream_resume(struct stream *s)
{
	s->paused = false;
	stream_update_reader(s);
	if (s->in.len && s->state == STREAM_OPEN)
		loop_defer(s->loop, &s->deliver, deliver, s);
}

bool stream_paused(const struct stream *s)
{
	return s->paused;
}

// --- out
// -------------------------------------------------------------------------------------------

// What the other side said before it went away is still worth reading, so it is the reader that
// finds the end, if there is one.
static void write_failed(struct stream *s, int number)
{
	if (s->input_over) {
		stream_end_by_error(s, number);
		return;
	}
	s->broken = true;
	queue_clear(&s->out);
	ev_io_stop(loop_ev(s->loop), &s->writer);
}

static void written(struct stream *s)
{
	if (s->finishing && !s->shut && s->out.len == 0) {
		s->shut = true;
		shutdown(s->fd, SHUT_WR);
		if (s->input_over) {
			stream_over(s, STREAM_END_FINISHED, 0);
			return;
		}
	}
	if (s->tell_drained && s->out.len <= s->drained_at) {
		s->tell_drained = false;
		if (s->callbacks.drained && !s->finishing)
			s->callbacks.drained(s->arg);
	}
}

void stream_write_some(struct stream *s)
{
	size_t n;
	int number;
	enum err e = queue_write(&s->out, s->fd, &n, &number);
	s->counters.bytes_out += n;
	if (e == ERR_IO) {
		write_failed(s, number);
		return;
	}
	if (e == ERR_BUSY)
		ev_io_start(loop_ev(s->loop), &s->writer);
	else
		ev_io_stop(loop_ev(s->loop), &s->writer);
	written(s);
}

static void flush(void *arg)
{
	struct stream *s = arg;
	stream_enter(s);
	stream_write_some(s);
	stream_leave(s);
}

static void flush_soon(struct stream *s)
{
	// a watched writer goes on by itself
	if (s->state == STREAM_OPEN && !s->broken && !ev_is_active(&s->writer))
		loop_defer(s->loop, &s->flush, flush, s);
}

enum err stream_send_two(struct stream *s, struct bytes *head, struct bytes *body)
{
	size_t len = (head ? head->len : 0) + (body ? body->len : 0);
	if (s->state == STREAM_ENDED || s->finishing || s->broken)
		return ERR_WRONG_STATE;
	if (len > queue_room(&s->out)) {
		s->counters.refused++;
		s->tell_drained = s->out.len > 0;
		return len > s->out.max ? ERR_TOO_LARGE : ERR_BUSY;
	}
	queue_push(&s->out, head);
	queue_push(&s->out, body);
	if (s->out.len > s->drained_at)
		s->tell_drained = true;
	flush_soon(s);
	return OK;
}

enum err stream_send(struct stream *s, struct bytes *b)
{
	return stream_send_two(s, b, NULL);
}

size_t stream_queued(const struct stream *s)
{
	return s->out.len;
}

size_t stream_room(const struct stream *s)
{
	return queue_room(&s->out);
}

void stream_finish(struct stream *s)
{
	if (s->state == STREAM_ENDED || s->finishing)
		return;
	s->finishing = true;
	if (s->input_over)
		timer_cancel(s->loop, &s->timer);
	flush_soon(s);
}

const struct addr *stream_remote(const struct stream *s)
{
	return &s->remote;
}

const struct addr *stream_local(const struct stream *s)
{
	return &s->local;
}

const struct stream_counters *stream_counters(const struct stream *s)
{
	return &s->counters;
}
