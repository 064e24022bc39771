// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/socket.h"

#define PAIR_ATTEMPTS 32

struct listener {
	struct loop *loop;
	struct ev_io reader;
	struct timer rest;
	int fd;
	bool busy, closed; // inside the callback; closed there
	struct addr addr;
	listener_accepted *accepted;
	void *arg;
	struct listener_counters counters;
};

static void release(struct listener *l)
{
	close(l->fd);
	free(l);
}

static void wake(void *arg)
{
	struct listener *l = arg;
	ev_io_start(loop_ev(l->loop), &l->reader);
}

// The backlog stays readable while there is no descriptor for it: without a rest the loop would
// spin.
static void rest(struct listener *l)
{
	l->counters.rested++;
	ev_io_stop(loop_ev(l->loop), &l->reader);
	timer_start(l->loop, &l->rest, LISTENER_REST_MS, wake, l);
}

// False where there is nothing left to accept now.
static bool accept_one(struct listener *l)
{
	struct sockaddr_storage source = {0};
	socklen_t len = sizeof source;
	struct addr from = {0};
	int fd = accept4(l->fd, (struct sockaddr *)&source, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EAGAIN)
			return false;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			rest(l);
			return false;
		}
		// anything else is the error of one connection that is no more
		if (errno != EINTR)
			l->counters.failed++;
		return true;
	}
	if (addr_from_sockaddr(&from, (struct sockaddr *)&source) != OK)
		from = (struct addr){0};
	l->counters.accepted++;
	l->accepted(l->arg, fd, &from);
	return true;
}

static void readable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct listener *l = watcher->data;
	(void)ev;
	(void)events;
	l->busy = true;
	for (int i = 0; i < LISTENER_ACCEPTS_PER_TURN && !l->closed; i++)
		if (!accept_one(l))
			break;
	l->busy = false;
	if (l->closed)
		release(l);
}

static enum err bind_and_listen(int *out, const struct addr *at, struct err_info *info)
{
	char text[ADDR_TEXT_MAX];
	int fd;
	enum err e = socket_bind(&fd, at, SOCK_STREAM, info);
	if (e)
		return e;
	// with SO_REUSEADDR it is listen that finds the port taken
	if (listen(fd, LISTENER_BACKLOG) != 0) {
		int number = errno;
		close(fd);
		if (number == EADDRINUSE)
			return err_set(info, ERR_BUSY, "%s is taken by another program",
				       addr_format(at, text));
		return err_set_errno(info, number, "cannot listen at %s", addr_format(at, text));
	}
	*out = fd;
	return OK;
}

enum err listener_open(struct listener **out, struct loop *loop, const struct addr *at,
		       listener_accepted *accepted, void *arg, struct err_info *info)
{
	int fd;
	enum err e = bind_and_listen(&fd, at, info);
	return e ? e : listener_adopt(out, loop, fd, accepted, arg, info);
}

enum err listener_adopt(struct listener **out, struct loop *loop, int fd,
			listener_accepted *accepted, void *arg, struct err_info *info)
{
	struct addr addr;
	enum err e = socket_local(fd, &addr, info);
	if (e) {
		close(fd);
		return e;
	}
	struct listener *l = mem_alloc(sizeof *l);
	l->loop = loop;
	l->fd = fd;
	l->addr = addr;
	l->accepted = accepted;
	l->arg = arg;
	ev_io_init(&l->reader, readable, fd, EV_READ);
	l->reader.data = l;
	ev_io_start(loop_ev(loop), &l->reader);
	*out = l;
	return OK;
}

void listener_close(struct listener *l)
{
	if (!l || l->closed)
		return;
	ev_io_stop(loop_ev(l->loop), &l->reader);
	timer_cancel(l->loop, &l->rest);
	l->closed = true;
	if (!l->busy)
		release(l);
}

const struct addr *listener_addr(const struct listener *l)
{
	return &l->addr;
}

const struct listener_counters *listener_counters(const struct listener *l)
{
	return &l->counters;
}

static enum err pair_at(struct bound_pair *out, const struct addr *at, struct err_info *info)
{
	struct bound_pair pair;
	enum err e = bind_and_listen(&pair.tcp, at, info);
	if (e)
		return e;
	e = socket_local(pair.tcp, &pair.addr, info);
	if (e == OK)
		e = socket_bind_shared(&pair.udp, &pair.addr, info);
	if (e) {
		close(pair.tcp);
		return e;
	}
	*out = pair;
	return OK;
}

enum err bind_pair(struct bound_pair *out, const struct addr *at, uint16_t preferred,
		   struct err_info *info)
{
	struct addr try = *at;
	enum err e = ERR_BUSY;
	if (at->port == 0 && preferred) {
		try.port = preferred;
		e = pair_at(out, &try, info);
		if (e == OK)
			return OK;
		try.port = 0;
	}
	if (at->port)
		return pair_at(out, at, info);
	// the kernel gives a free TCP port; that the same number is free for UDP is likely, not
	// certain
	for (int i = 0; i < PAIR_ATTEMPTS; i++) {
		e = pair_at(out, &try, info);
		if (e != ERR_BUSY)
			break;
	}
	return e;
}
