// SPDX-License-Identifier: GPL-3.0-or-later
// Accepting connections, TCP or UNIX, and binding TCP and UDP to one port number.
#ifndef SOTTO_NET_LISTENER_H
#define SOTTO_NET_LISTENER_H

#include "loop/loop.h"
#include "net/addr.h"

#define LISTENER_ACCEPTS_PER_TURN 16
#define LISTENER_BACKLOG 128
// how long it rests when the process is out of descriptors; callers wait in the backlog
#define LISTENER_REST_MS 200

struct listener;

struct listener_counters {
	uint64_t accepted;
	uint64_t failed; // connections that were gone again before they were accepted
	uint64_t rested; // times that descriptors or memory had run out
};

// fd is taken: non-blocking, CLOEXEC. `from` is all zeros for a UNIX socket. The listener may be
// closed inside.
typedef void listener_accepted(void *arg, int fd, const struct addr *from);

// Binds and listens; ERR_BUSY where the port is taken.
MUST_CHECK enum err listener_open(struct listener **out, struct loop *loop, const struct addr *at,
				  listener_accepted *accepted, void *arg, struct err_info *info);
// Takes a listening, non-blocking socket, as bind_pair and unix_listen make it; on failure too.
MUST_CHECK enum err listener_adopt(struct listener **out, struct loop *loop, int fd,
				   listener_accepted *accepted, void *arg, struct err_info *info);
void listener_close(struct listener *l); // no callback afterwards; NULL is allowed

// where it is bound, with the real port; zeros for UNIX
const struct addr *listener_addr(const struct listener *l);
const struct listener_counters *listener_counters(const struct listener *l);

// A listening TCP and a bound UDP socket with one port number, for listener_adopt and udp_adopt.
// at->port 0: `preferred` (the one remembered; 0: none) if it is free for both, else any that is.
// ERR_BUSY where at->port is taken. The UDP port may be shared with ears (udp_open_ear), which hear
// nothing that is meant for this socket.
struct bound_pair {
	int tcp, udp;
	struct addr addr; // with the real port
};
MUST_CHECK enum err bind_pair(struct bound_pair *out, const struct addr *at, uint16_t preferred,
			      struct err_info *info);

#endif
