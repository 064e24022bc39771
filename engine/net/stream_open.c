// SPDX-License-Identifier: GPL-3.0-or-later
// How a stream begins: by dialing, or with a socket that is connected already.
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/socket.h"
#include "net/stream_internal.h"

static void readable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct stream *s = watcher->data;
	(void)ev;
	(void)events;
	stream_enter(s);
	stream_read_some(s);
	stream_leave(s);
}

static void writable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct stream *s = watcher->data;
	(void)ev;
	(void)events;
	stream_enter(s);
	if (s->state == STREAM_CONNECTING) {
		int number = socket_error(s->fd);
		if (number) {
			stream_end_by_error(s, number);
			stream_leave(s);
			return;
		}
		s->state = STREAM_OPEN;
		timer_cancel(s->loop, &s->timer);
		if (socket_local(s->fd, &s->local, NULL) != OK)
			s->local = (struct addr){0};
		stream_update_reader(s);
		if (s->callbacks.connected)
			s->callbacks.connected(s->arg);
	}
	if (s->state == STREAM_OPEN)
		stream_write_some(s);
	stream_leave(s);
}

static void connect_timed_out(void *arg)
{
	struct stream *s = arg;
	stream_enter(s);
	stream_over(s, STREAM_END_TIMEOUT, ETIMEDOUT);
	stream_leave(s);
}

static void connect_failed(void *arg)
{
	struct stream *s = arg;
	stream_enter(s);
	stream_end_by_error(s, s->failed);
	stream_leave(s);
}

static struct stream *new_stream(struct loop *loop, int fd, const struct stream_options *options,
				 const struct stream_callbacks *callbacks, void *arg)
{
	struct stream *s = mem_alloc(sizeof *s);
	s->loop = loop;
	s->fd = fd;
	s->block = STREAM_BLOCK_LEAST;
	s->callbacks = *callbacks;
	s->arg = arg;
	if (options->wipe_input)
		buf_init_wiped(&s->in, options->input_max);
	else
		buf_init(&s->in, options->input_max);
	queue_init(&s->out, options->queue_max);
	s->drained_at = options->drained_at ? options->drained_at : options->queue_max / 2;
	ev_io_init(&s->reader, readable, fd, EV_READ);
	ev_io_init(&s->writer, writable, fd, EV_WRITE);
	s->reader.data = s->writer.data = s;
	socket_set_tcp_options(fd);
	return s;
}

enum err stream_connect(struct stream **out, struct loop *loop, const struct addr *to,
			int64_t timeout_ms, const struct stream_options *options,
			const struct stream_callbacks *callbacks, void *arg, struct err_info *info)
{
	struct sockaddr_storage target;
	unsigned len;
	enum err e = addr_to_sockaddr(to, AF_UNSPEC, &target, &len);
	if (e)
		return e;
	int fd = socket(target.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set_errno(info, errno, "cannot make a socket");
	struct stream *s = new_stream(loop, fd, options, callbacks, arg);
	s->remote = *to;
	s->state = STREAM_CONNECTING;
	if (connect(fd, (struct sockaddr *)&target, len) == 0 || errno == EINPROGRESS) {
		ev_io_start(loop_ev(loop), &s->writer);
		timer_start(loop, &s->timer, timeout_ms, connect_timed_out, s);
	} else {
		s->failed = errno;
		loop_defer(loop, &s->fail, connect_failed, s);
	}
	*out = s;
	return OK;
}

struct stream *stream_adopt(struct loop *loop, int fd, const struct stream_options *options,
			    const struct stream_callbacks *callbacks, void *arg)
{
	struct stream *s = new_stream(loop, fd, options, callbacks, arg);
	int flags = fcntl(fd, F_GETFL);
	if (flags >= 0 && !(flags & O_NONBLOCK))
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	s->state = STREAM_OPEN;
	if (socket_remote(fd, &s->remote) != OK)
		s->remote = (struct addr){0};
	if (socket_local(fd, &s->local, NULL) != OK)
		s->local = (struct addr){0};
	stream_update_reader(s);
	return s;
}

