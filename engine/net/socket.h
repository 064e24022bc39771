// SPDX-License-Identifier: GPL-3.0-or-later
// Small calls on sockets that the modules of this folder share. Every socket made here is
// non-blocking and CLOEXEC.
#ifndef SOTTO_NET_SOCKET_H
#define SOTTO_NET_SOCKET_H

#include "net/addr.h"

// type: SOCK_STREAM (SO_REUSEADDR, not yet listening) or SOCK_DGRAM. ERR_BUSY where the port is
// taken.
MUST_CHECK enum err socket_bind(int *out, const struct addr *at, int type, struct err_info *info);
// The same for a UDP socket whose port others may share (see udp_open_ear): only for one that has
// its port by a TCP socket, which is shared by nobody.
MUST_CHECK enum err socket_bind_shared(int *out, const struct addr *at, struct err_info *info);
// A UDP socket bound to a broadcast or multicast address itself, joined there; shared.
MUST_CHECK enum err socket_bind_ear(int *out, const struct addr *group, uint32_t interface,
				    struct err_info *info);
// All zeros for a UNIX socket.
MUST_CHECK enum err socket_local(int fd, struct addr *out, struct err_info *info);
MUST_CHECK enum err socket_remote(int fd, struct addr *out);
int socket_family(int fd); // AF_UNSPEC where fd is no socket
int socket_error(int fd);  // its pending error as an errno, and clears it

#define SOCKET_KEEPALIVE_IDLE_S 30
#define SOCKET_KEEPALIVE_INTERVAL_S 10
#define SOCKET_KEEPALIVE_PROBES 3
#define SOCKET_USER_TIMEOUT_MS 60000 // sent and not acknowledged for so long: lost
// NODELAY, and the above, where fd is TCP; nothing for others.
void socket_set_tcp_options(int fd);

#endif
