// SPDX-License-Identifier: GPL-3.0-or-later
// A bound UDP socket on the loop.
#ifndef SOTTO_NET_UDP_H
#define SOTTO_NET_UDP_H

#include "base/buf.h"
#include "loop/loop.h"
#include "net/addr.h"

#define UDP_READS_PER_TURN 64
#define UDP_DATAGRAM_MAX 1200 // P1.2: longer ones are dropped and counted, in either direction

struct udp;

struct udp_counters {
	uint64_t received, received_bytes;
	uint64_t sent, sent_bytes;
	uint64_t truncated; // received ones longer than UDP_DATAGRAM_MAX
	// outgoing ones: the kernel's queue is full, no route, wrong family, too long
	uint64_t dropped;
};

// The datagram is borrowed for the call. The socket may be closed inside.
typedef void udp_received(void *arg, const struct addr *from, struct span datagram);

// Binds; at->port 0 takes any. ERR_BUSY where the port is taken.
MUST_CHECK enum err udp_open(struct udp **out, struct loop *loop, const struct addr *at,
			     udp_received *received, void *arg, struct err_info *info);
// Takes a bound, non-blocking socket, as bind_pair makes it; on failure too.
MUST_CHECK enum err udp_adopt(struct udp **out, struct loop *loop, int fd, udp_received *received,
			      void *arg, struct err_info *info);
void udp_close(struct udp *u); // no callback afterwards; NULL is allowed

// Never blocks. False: dropped and counted, which a sender of datagrams has to live with anyway.
bool udp_send(struct udp *u, const struct addr *to, struct span datagram);

const struct addr *udp_addr(const struct udp *u); // where it is bound, with the real port
const struct udp_counters *udp_counters(const struct udp *u);

#endif
