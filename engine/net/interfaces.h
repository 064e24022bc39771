// SPDX-License-Identifier: GPL-3.0-or-later
// The machine's network interfaces and their addresses, and word of when they change.
#ifndef SOTTO_NET_INTERFACES_H
#define SOTTO_NET_INTERFACES_H

#include "net/addr.h"

struct loop;

#define INTERFACE_NAME_SIZE 16
#define INTERFACES_MAX 64 // addresses in a list; further ones are left out

// One address of an interface that is up and has a carrier. A plain value.
struct interface {
	uint32_t index;
	char name[INTERFACE_NAME_SIZE];
	bool loopback;
	bool multicast; // it carries link-local multicast: a LAN, not a line between two
	struct addr address;   // port 0; a link-local IPv6 address has its scope
	unsigned prefix;       // bits of it that name the network, of 32 or 128
	struct addr broadcast; // everybody there, IPv4; unspecified where there is no such address
};

// What there is now, in the system's order. Returns how many of them stand in `out`.
size_t interfaces_list(struct interface *out, size_t max);
// Whether `a` is an address of the network that the interface is in.
bool interface_reaches(const struct interface *i, const struct addr *a);

// The kernel tells of changes at once (rtnetlink); where it may not, the caller is to look every
// INTERFACES_POLL_MS.
struct interfaces_watch;
#define INTERFACES_SETTLE_MS 100 // changes come in flocks: one call for each
#define INTERFACES_POLL_MS 5000

// `changed`: something may have changed, list them again. It may close the watch.
struct interfaces_watch *interfaces_watch_open(struct loop *loop, void (*changed)(void *arg),
					       void *arg);
void interfaces_watch_close(struct interfaces_watch *w); // no callback afterwards; NULL is allowed
bool interfaces_watch_is_told(const struct interfaces_watch *w); // false: it polls

#endif
