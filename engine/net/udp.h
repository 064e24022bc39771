// SPDX-License-Identifier: GPL-3.0-or-later
// A bound UDP socket on the loop: of one program's own, or an ear for what goes to everybody on a LAN.
#ifndef SOTTO_NET_UDP_H
#define SOTTO_NET_UDP_H

#include "base/buf.h"
#include "loop/loop.h"
#include "net/addr.h"

// Few, so that a flood costs a turn little; what stays in the kernel's queue comes in the next one.
#define UDP_READS_PER_TURN 16
#define UDP_QUEUE_BYTES (512 * 1024) // asked of the kernel, which gives what the system allows
#define UDP_DATAGRAM_MAX 1200 // P1.2: longer ones are dropped and counted, in either direction

struct udp;

struct udp_counters {
	uint64_t received, received_bytes;
	uint64_t sent, sent_bytes;
	uint64_t truncated; // received ones longer than UDP_DATAGRAM_MAX
	uint64_t overflowed; // received ones that the kernel dropped, because nobody read them in time
	// outgoing ones: the kernel's queue is full, no route, wrong family, too long
	uint64_t dropped;
};

struct udp_arrival {
	struct addr from;
	uint32_t interface; // the index of the one that it came by
	bool to_all;        // it was sent to a broadcast or multicast address
	struct span datagram;
};

// The arrival is borrowed for the call. The socket may be closed inside.
typedef void udp_received(void *arg, const struct udp_arrival *arrival);

// Binds; at->port 0 takes any. ERR_BUSY where the port is taken.
MUST_CHECK enum err udp_open(struct udp **out, struct loop *loop, const struct addr *at,
			     udp_received *received, void *arg, struct err_info *info);
// Takes a bound, non-blocking socket, as bind_pair makes it; on failure too.
MUST_CHECK enum err udp_adopt(struct udp **out, struct loop *loop, int fd, udp_received *received,
			      void *arg, struct err_info *info);
// An ear: bound to a broadcast address or a link-local multicast group itself, so that it hears
// nothing else, and any number of programs may have one each at that address. ERR_BUSY where
// somebody is bound to its port who does not share.
MUST_CHECK enum err udp_open_ear(struct udp **out, struct loop *loop, const struct addr *group,
				 uint32_t interface, udp_received *received, void *arg,
				 struct err_info *info);
void udp_close(struct udp *u); // no callback afterwards; NULL is allowed

// Never blocks. False: dropped and counted, which a sender of datagrams has to live with anyway.
bool udp_send(struct udp *u, const struct addr *to, struct span datagram);
// The same by that interface, to everybody there: `group` is a broadcast or multicast address.
// `own`: the address to send from; unspecified: the kernel's choice.
bool udp_send_to_all(struct udp *u, const struct addr *group, const struct addr *own,
		     uint32_t interface, struct span datagram);

const struct addr *udp_addr(const struct udp *u); // where it is bound, with the real port
const struct udp_counters *udp_counters(const struct udp *u);

#endif
