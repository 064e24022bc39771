// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/udp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/socket.h"

struct udp {
	struct loop *loop;
	struct ev_io reader;
	int fd, family;
	bool busy, closed; // inside the callback; closed there
	struct addr addr;
	udp_received *received;
	void *arg;
	struct udp_counters counters;
};

static void release(struct udp *u)
{
	close(u->fd);
	free(u);
}

// False where there is nothing left to read.
static bool receive_one(struct udp *u)
{
	uint8_t datagram[UDP_DATAGRAM_MAX];
	struct sockaddr_storage source;
	struct iovec part = {datagram, sizeof datagram};
	struct msghdr message = {
		.msg_name = &source,
		.msg_namelen = sizeof source,
		.msg_iov = &part,
		.msg_iovlen = 1,
	};
	struct addr from;
	ssize_t n = recvmsg(u->fd, &message, 0);
	if (n < 0)
		return errno == EINTR;
	if (message.msg_flags & MSG_TRUNC) {
		u->counters.truncated++;
		return true;
	}
	if (addr_from_sockaddr(&from, (struct sockaddr *)&source) != OK)
		return true;
	u->counters.received++;
	u->counters.received_bytes += (uint64_t)n;
	u->received(u->arg, &from, span(datagram, (size_t)n));
	return true;
}

static void readable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct udp *u = watcher->data;
	(void)ev;
	(void)events;
	u->busy = true;
	for (int i = 0; i < UDP_READS_PER_TURN && !u->closed; i++)
		if (!receive_one(u))
			break;
	u->busy = false;
	if (u->closed)
		release(u);
}

enum err udp_open(struct udp **out, struct loop *loop, const struct addr *at,
		  udp_received *received, void *arg, struct err_info *info)
{
	int fd;
	enum err e = socket_bind(&fd, at, SOCK_DGRAM, info);
	return e ? e : udp_adopt(out, loop, fd, received, arg, info);
}

enum err udp_adopt(struct udp **out, struct loop *loop, int fd, udp_received *received, void *arg,
		   struct err_info *info)
{
	struct addr addr;
	enum err e = socket_local(fd, &addr, info);
	if (e) {
		close(fd);
		return e;
	}
	struct udp *u = mem_alloc(sizeof *u);
	u->loop = loop;
	u->fd = fd;
	u->family = socket_family(fd);
	u->addr = addr;
	u->received = received;
	u->arg = arg;
	ev_io_init(&u->reader, readable, fd, EV_READ);
	u->reader.data = u;
	ev_io_start(loop_ev(loop), &u->reader);
	*out = u;
	return OK;
}

void udp_close(struct udp *u)
{
	if (!u || u->closed)
		return;
	ev_io_stop(loop_ev(u->loop), &u->reader);
	u->closed = true;
	if (!u->busy)
		release(u);
}

bool udp_send(struct udp *u, const struct addr *to, struct span datagram)
{
	struct sockaddr_storage target;
	unsigned len;
	assert(!u->closed);
	if (datagram.len > UDP_DATAGRAM_MAX || addr_to_sockaddr(to, u->family, &target, &len) != OK)
		goto dropped;
	for (;;) {
		ssize_t n = sendto(u->fd, datagram.data, datagram.len, MSG_NOSIGNAL | MSG_DONTWAIT,
				   (struct sockaddr *)&target, len);
		if (n >= 0)
			break;
		if (errno != EINTR)
			goto dropped;
	}
	u->counters.sent++;
	u->counters.sent_bytes += datagram.len;
	return true;
dropped:
	u->counters.dropped++;
	return false;
}

const struct addr *udp_addr(const struct udp *u)
{
	return &u->addr;
}

const struct udp_counters *udp_counters(const struct udp *u)
{
	return &u->counters;
}
