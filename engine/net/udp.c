// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/udp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
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

// --- in ------------------------------------------------------------------------------------------

// What the kernel says besides of a datagram. The control data are aligned as they are, and copied.
static void take_note(struct udp *u, struct udp_arrival *a, const struct cmsghdr *c)
{
	const void *data = CMSG_DATA(c);
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, data, sizeof info);
		a->interface = (uint32_t)info.ipi_ifindex;
		// the address that it was sent to is none of this machine's
		a->to_all = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		memcpy(&info, data, sizeof info);
		a->interface = info.ipi6_ifindex;
		a->to_all = a->to_all || IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
	} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
		uint32_t dropped; // in all, as long as the socket lives
		memcpy(&dropped, data, sizeof dropped);
		u->counters.overflowed += dropped - (uint32_t)u->counters.overflowed;
	}
}

// False where there is nothing left to read.
static bool receive_one(struct udp *u)
{
	uint8_t datagram[UDP_DATAGRAM_MAX];
	_Alignas(struct cmsghdr) uint8_t notes[256];
	struct sockaddr_storage source;
	struct iovec part = {datagram, sizeof datagram};
	struct msghdr message = {
		.msg_name = &source,
		.msg_namelen = sizeof source,
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = notes,
		.msg_controllen = sizeof notes,
	};
	struct udp_arrival a = {0};
	ssize_t n = recvmsg(u->fd, &message, 0);
	if (n < 0)
		return errno == EINTR;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		take_note(u, &a, c);
	if (message.msg_flags & MSG_TRUNC) {
		u->counters.truncated++;
		return true;
	}
	if (addr_from_sockaddr(&a.from, (struct sockaddr *)&source) != OK)
		return true;
	a.datagram = span(datagram, (size_t)n);
	u->counters.received++;
	u->counters.received_bytes += (uint64_t)n;
	u->received(u->arg, &a);
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

// --- life ----------------------------------------------------------------------------------------

enum err udp_open(struct udp **out, struct loop *loop, const struct addr *at,
		  udp_received *received, void *arg, struct err_info *info)
{
	int fd;
	enum err e = socket_bind(&fd, at, SOCK_DGRAM, info);
	return e ? e : udp_adopt(out, loop, fd, received, arg, info);
}

enum err udp_open_ear(struct udp **out, struct loop *loop, const struct addr *group,
		      uint32_t interface, udp_received *received, void *arg,
		      struct err_info *info)
{
	int fd;
	enum err e = socket_bind_ear(&fd, group, interface, info);
	return e ? e : udp_adopt(out, loop, fd, received, arg, info);
}

// Notes come with every datagram. What others on this machine have joined is none of our affair.
static void want_notes(int fd, int family)
{
	int on = 1, off = 0, queue = UDP_QUEUE_BYTES;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
	setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on); // an AF_INET6 socket hears both
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof off);
	if (family != AF_INET6)
		return;
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
	setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &off, sizeof off);
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
	want_notes(fd, u->family);
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

// --- out -----------------------------------------------------------------------------------------

static bool send_message(struct udp *u, const struct msghdr *to, struct span datagram)
{
	struct iovec part = {(void *)datagram.data, datagram.len};
	struct msghdr message = *to;
	ssize_t n = -1;
	message.msg_iov = &part;
	message.msg_iovlen = 1;
	if (datagram.len <= UDP_DATAGRAM_MAX)
		do
			n = sendmsg(u->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		while (n < 0 && errno == EINTR);
	if (n < 0)
		return false;
	u->counters.sent++;
	u->counters.sent_bytes += datagram.len;
	return true;
}

bool udp_send(struct udp *u, const struct addr *to, struct span datagram)
{
	struct sockaddr_storage target;
	struct msghdr message = {.msg_name = &target};
	assert(!u->closed);
	bool sent = addr_to_sockaddr(to, u->family, &target, &message.msg_namelen) == OK &&
		    send_message(u, &message, datagram);
	u->counters.dropped += !sent;
	return sent;
}

// The one note that says by which interface, and from where.
static void put_note(struct msghdr *message, const struct addr *own, uint32_t interface, bool v4)
{
	struct cmsghdr *c = message->msg_control;
	bool from_own = addr_class_of(own) != ADDR_UNSPECIFIED;
	if (v4) {
		struct in_pktinfo info = {.ipi_ifindex = (int)interface};
		if (from_own)
			memcpy(&info.ipi_spec_dst, own->ip + 12, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(c), &info, sizeof info);
		message->msg_controllen = CMSG_SPACE(sizeof info);
		return;
	}
	struct in6_pktinfo info = {.ipi6_ifindex = interface};
	if (from_own)
		memcpy(&info.ipi6_addr, own->ip, 16);
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof info);
	memcpy(CMSG_DATA(c), &info, sizeof info);
	message->msg_controllen = CMSG_SPACE(sizeof info);
}

// The leave to broadcast is given for this one datagram: by mistake nothing ever goes to everybody.
static bool send_with_leave(struct udp *u, struct msghdr *message, struct span datagram, bool v4)
{
	int on = 1, off = 0;
	if (v4)
		setsockopt(u->fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
	bool sent = send_message(u, message, datagram);
	if (v4)
		setsockopt(u->fd, SOL_SOCKET, SO_BROADCAST, &off, sizeof off);
	return sent;
}

bool udp_send_to_all(struct udp *u, const struct addr *group, const struct addr *own,
		     uint32_t interface, struct span datagram)
{
	struct sockaddr_storage target;
	_Alignas(struct cmsghdr) uint8_t note[64] = {0};
	struct msghdr message = {.msg_name = &target, .msg_control = note};
	struct addr to = *group;
	bool v4 = addr_is_v4(group);
	assert(!u->closed);
	to.scope = v4 ? 0 : interface;
	bool sent = addr_to_sockaddr(&to, u->family, &target, &message.msg_namelen) == OK;
	if (sent) {
		put_note(&message, own, interface, v4);
		sent = send_with_leave(u, &message, datagram, v4);
	}
	u->counters.dropped += !sent;
	return sent;
}

// --- reading -------------------------------------------------------------------------------------

const struct addr *udp_addr(const struct udp *u)
{
	return &u->addr;
}

const struct udp_counters *udp_counters(const struct udp *u)
{
	return &u->counters;
}
