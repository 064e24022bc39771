// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/interfaces.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"

#define READS_PER_TURN 16

// --- the list ------------------------------------------------------------------------------------

static unsigned count_bits(const uint8_t *mask, size_t len)
{
	unsigned bits = 0;
	for (size_t i = 0; i < len; i++)
		for (unsigned b = 0x80; b && (mask[i] & b); b >>= 1)
			bits++;
	return bits;
}

static unsigned prefix_of(const struct sockaddr *mask, bool v4)
{
	struct addr a;
	unsigned whole = v4 ? 32 : 128;
	if (!mask || addr_from_sockaddr(&a, mask))
		return whole;
	return v4 ? count_bits(a.ip + 12, 4) : count_bits(a.ip, 16);
}

// Computed where nobody has set it (libc then says the own address again), as the kernel's own
// routes do it. A network of one or two addresses has none.
static struct addr broadcast_of(const struct interface *i, const struct ifaddrs *row)
{
	struct addr out = {0};
	bool able = (row->ifa_flags & IFF_BROADCAST) || i->loopback;
	if (!able || !addr_is_v4(&i->address) || i->prefix > 30)
		return out;
	if ((row->ifa_flags & IFF_BROADCAST) && row->ifa_broadaddr &&
	    addr_from_sockaddr(&out, row->ifa_broadaddr) == OK &&
	    addr_class_of(&out) != ADDR_UNSPECIFIED && !addr_same_host(&out, &i->address)) {
		out.port = 0;
		return out;
	}
	out = i->address;
	for (unsigned bit = i->prefix; bit < 32; bit++)
		out.ip[12 + bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return out;
}

static bool take_row(const struct ifaddrs *row, struct interface *out)
{
	const unsigned wanted = IFF_UP | IFF_RUNNING;
	struct interface i = {.loopback = row->ifa_flags & IFF_LOOPBACK};
	if (!row->ifa_addr || (row->ifa_flags & wanted) != wanted ||
	    addr_from_sockaddr(&i.address, row->ifa_addr) ||
	    strlen(row->ifa_name) >= sizeof i.name)
		return false;
	strcpy(i.name, row->ifa_name);
	i.index = if_nametoindex(row->ifa_name);
	if (i.index == 0) // gone meanwhile
		return false;
	i.multicast = (row->ifa_flags & IFF_MULTICAST) &&
		      !(row->ifa_flags & (IFF_POINTOPOINT | IFF_LOOPBACK));
	i.address.port = 0;
	i.prefix = prefix_of(row->ifa_netmask, addr_is_v4(&i.address));
	i.broadcast = broadcast_of(&i, row);
	*out = i;
	return true;
}

size_t interfaces_list(struct interface *out, size_t max)
{
	struct ifaddrs *rows;
	size_t count = 0;
	if (getifaddrs(&rows) != 0) {
		log_warn("cannot list the network's interfaces: %s", strerror(errno));
		return 0;
	}
	for (const struct ifaddrs *row = rows; row && count < max; row = row->ifa_next)
		count += take_row(row, &out[count]);
	freeifaddrs(rows);
	return count;
}

bool interface_reaches(const struct interface *i, const struct addr *a)
{
	bool v4 = addr_is_v4(a);
	unsigned bits = i->prefix + (v4 ? 96 : 0);
	if (addr_is_v4(&i->address) != v4 || i->address.scope != a->scope)
		return false;
	if (memcmp(i->address.ip, a->ip, bits / 8) != 0)
		return false;
	unsigned rest = 0xff & ~(0xffU >> bits % 8);
	return rest == 0 || ((i->address.ip[bits / 8] ^ a->ip[bits / 8]) & rest) == 0;
}

// --- the watch -----------------------------------------------------------------------------------

struct interfaces_watch {
	struct loop *loop;
	int fd; // -1: it polls
	struct ev_io reader;
	struct timer timer;
	void (*changed)(void *arg);
	void *arg;
};

static void look(void *arg)
{
	struct interfaces_watch *w = arg;
	if (w->fd < 0)
		timer_start(w->loop, &w->timer, INTERFACES_POLL_MS, look, w);
	w->changed(w->arg); // may close it
}

// What the messages say is not looked at: the list is made anew, and so nothing can be missed.
static void readable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct interfaces_watch *w = watcher->data;
	uint8_t message[4096];
	(void)ev;
	(void)events;
	for (int i = 0; i < READS_PER_TURN; i++)
		// ENOBUFS says that messages were lost, and so is one itself
		if (recv(w->fd, message, sizeof message, 0) < 0 && errno != ENOBUFS && errno != EINTR)
			break;
	if (!timer_running(&w->timer))
		timer_start(w->loop, &w->timer, INTERFACES_SETTLE_MS, look, w);
}

static int open_netlink(void)
{
	struct sockaddr_nl at = {.nl_family = AF_NETLINK,
				 .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0)
		return fd;
	log_warn("the kernel does not tell of changed interfaces (%s): looking every %d s",
		 strerror(errno), INTERFACES_POLL_MS / 1000);
	if (fd >= 0)
		close(fd);
	return -1;
}

struct interfaces_watch *interfaces_watch_open(struct loop *loop, void (*changed)(void *arg),
					       void *arg)
{
	struct interfaces_watch *w = mem_alloc(sizeof *w);
	w->loop = loop;
	w->changed = changed;
	w->arg = arg;
	w->fd = open_netlink();
	if (w->fd < 0) {
		timer_start(loop, &w->timer, INTERFACES_POLL_MS, look, w);
		return w;
	}
	ev_io_init(&w->reader, readable, w->fd, EV_READ);
	w->reader.data = w;
	ev_io_start(loop_ev(loop), &w->reader);
	return w;
}

void interfaces_watch_close(struct interfaces_watch *w)
{
	if (!w)
		return;
	timer_cancel(w->loop, &w->timer);
	if (w->fd >= 0) {
		ev_io_stop(loop_ev(w->loop), &w->reader);
		close(w->fd);
	}
	free(w);
}

bool interfaces_watch_is_told(const struct interfaces_watch *w)
{
	return w->fd >= 0;
}
