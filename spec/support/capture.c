// SPDX-License-Identifier: GPL-3.0-or-later
// What really is on a bridge's wires: require "support.capture".
//   open(namespace, bridge): listens at all its ports, in that network namespace. nil and why where it may not
//   capture:take(): {{at, from, to, length, kind?}, …}: UDP datagrams in the order of their sending, each once, wherever it went
//     on to; at is in ms, kind that of a presence datagram: "query", "answer", "announcement"
//   capture:lost(): frames that came too fast for it     capture:close()
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "spec/support/endpoint_values.h"
#include "spec/support/fields.h"

#define CAPTURE "support.capture"
#define FRAME_MAX 2048
#define IP6_HEADER 40

int luaopen_support_capture(lua_State *L);

struct capture {
	int fd;
	int bridge; // its own index: what comes there came by a port before
	uint64_t lost;
};

static int fail(lua_State *L, const char *what)
{
	lua_pushnil(L);
	lua_pushfstring(L, "%s: %s", what, strerror(errno));
	return 2;
}

static int open_in(const char *path, const char *bridge, struct capture *out)
{
	const int size = 64 << 20, on = 1;
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = open(path, O_RDONLY | O_CLOEXEC), fd = -1;
	if (here >= 0 && there >= 0 && setns(there, CLONE_NEWNET) == 0) {
		fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
		out->bridge = (int)if_nametoindex(bridge);
		if (setns(here, CLONE_NEWNET) != 0)
			abort(); // nothing in this process would be right any more
	}
	int number = errno;
	if (here >= 0)
		close(here);
	if (there >= 0)
		close(there);
	errno = number;
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	}
	return out->fd = fd;
}

static int capture_open(lua_State *L)
{
	char path[256];
	const char *bridge = luaL_checkstring(L, 2);
	snprintf(path, sizeof path, "/run/netns/%s", luaL_checkstring(L, 1));
	struct capture *c = lua_newuserdatauv(L, sizeof *c, 0);
	*c = (struct capture){.fd = -1};
	luaL_setmetatable(L, CAPTURE);
	return open_in(path, bridge, c) < 0 ? fail(L, path) : 1;
}

static struct capture *check(lua_State *L)
{
	return luaL_checkudata(L, 1, CAPTURE);
}

// The UDP part of an IP packet, with both addresses; false for anything else.
static bool parse_ip(const uint8_t *p, size_t len, struct addr *from, struct addr *to, const uint8_t **udp, size_t *udp_len)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	size_t head;
	if (len >= 20 && p[0] >> 4 == 4 && p[9] == IPPROTO_UDP) {
		head = (size_t)(p[0] & 15) * 4;
		memcpy(from->ip, mapped, 12);
		memcpy(to->ip, mapped, 12);
		memcpy(from->ip + 12, p + 12, 4);
		memcpy(to->ip + 12, p + 16, 4);
	} else if (len >= IP6_HEADER && p[0] >> 4 == 6 && p[6] == IPPROTO_UDP) {
		head = IP6_HEADER;
		memcpy(from->ip, p + 8, 16);
		memcpy(to->ip, p + 24, 16);
	} else {
		return false;
	}
	if (len < head + 8)
		return false;
	*udp = p + head;
	*udp_len = len - head;
	return true;
}

static void push_datagram(lua_State *L, const uint8_t *packet, size_t len, lua_Integer at_ms)
{
	static const char *const kinds[] = {NULL, "query", "answer", "announcement"};
	struct addr from = {0}, to = {0};
	const uint8_t *udp;
	size_t size;
	if (!parse_ip(packet, len, &from, &to, &udp, &size))
		return;
	from.port = (uint16_t)(udp[0] << 8 | udp[1]);
	to.port = (uint16_t)(udp[2] << 8 | udp[3]);
	lua_newtable(L);
	put_integer(L, "at", at_ms);
	push_endpoint(L, &from);
	lua_setfield(L, -2, "from");
	push_endpoint(L, &to);
	lua_setfield(L, -2, "to");
	// what the header says: the frame may have been padded
	put_integer(L, "length", (udp[4] << 8 | udp[5]) - 8);
	if (size > 8 + 5 && memcmp(udp + 8, "SOT1", 4) == 0 && udp[12] >= 1 && udp[12] <= 3)
		put_text(L, "kind", kinds[udp[12]]);
	lua_rawseti(L, -2, luaL_len(L, -2) + 1);
}

// When the kernel had it, in ms.
static lua_Integer time_of(struct msghdr *message)
{
	struct timespec at = {0};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS)
			memcpy(&at, CMSG_DATA(c), sizeof at);
	return at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static int take(lua_State *L)
{
	struct capture *c = check(L);
	uint8_t packet[FRAME_MAX];
	lua_newtable(L);
	for (;;) {
		struct sockaddr_ll by = {0};
		_Alignas(struct cmsghdr) uint8_t notes[64];
		struct iovec part = {packet, sizeof packet};
		struct msghdr message = {.msg_name = &by,
					 .msg_namelen = sizeof by,
					 .msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = notes,
					 .msg_controllen = sizeof notes};
		ssize_t n = recvmsg(c->fd, &message, 0);
		if (n < 0)
			return 1;
		// a port's ingress is the moment in which somebody has sent it
		if (by.sll_pkttype != PACKET_OUTGOING && by.sll_ifindex != c->bridge)
			push_datagram(L, packet, (size_t)n, time_of(&message));
	}
}

static int lost(lua_State *L)
{
	struct capture *c = check(L);
	struct tpacket_stats stats = {0};
	socklen_t len = sizeof stats;
	getsockopt(c->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len); // and sets it to zero
	c->lost += stats.tp_drops;
	lua_pushinteger(L, (lua_Integer)c->lost);
	return 1;
}

static int capture_close(lua_State *L)
{
	struct capture *c = check(L);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	return 0;
}

int luaopen_support_capture(lua_State *L)
{
	static const luaL_Reg methods[] = {{"take", take}, {"lost", lost}, {"close", capture_close}, {NULL, NULL}};
	static const luaL_Reg functions[] = {{"open", capture_open}, {NULL, NULL}};
	object_type(L, CAPTURE, methods, capture_close);
	luaL_newlib(L, functions);
	return 1;
}
