// SPDX-License-Identifier: GPL-3.0-or-later
// Where a core asks and listens on the LAN. A **path** is one way there: an interface with the
// broadcast address of one of its IPv4 networks, or an interface with the link-local multicast
// group. Pure.
#ifndef SOTTO_PEERS_LAN_PLACE_H
#define SOTTO_PEERS_LAN_PLACE_H

#include "net/interfaces.h"

#define LAN_PORT 4788
#define LAN_PATHS_MAX 16

// What --discover says: "off", or ADDR:PORT. PORT (not 0) is where all cores of a LAN ask and
// listen. ADDR says by which paths:
//   ::                       every interface, IPv4 and IPv6: the standard, with port 4788
//   0.0.0.0, 255.255.255.255 every interface, IPv4 alone: each by its own broadcast address
//   an IPv4 address          the networks of which it is the broadcast address, or the own one
//   a link-local IPv6 group  IPv6 alone, and this group; with a scope, that interface alone
struct lan_place {
	bool off;
	bool v4, v6;
	struct addr only;  // an IPv4 address, or the scope of an IPv6 group; zeros: every interface
	struct addr group; // IPv6, without a scope
	uint16_t port;
};
// text NULL: the standard. ERR_BAD_PARAMS.
MUST_CHECK enum err lan_place_parse(const char *text, struct lan_place *out, struct err_info *info);

struct lan_path {
	uint32_t interface;
	char name[INTERFACE_NAME_SIZE];
	struct addr own;   // what to send from; unspecified: the kernel's choice
	struct addr group; // where to ask and to listen, with the port
};
bool lan_path_equal(const struct lan_path *a, const struct lan_path *b);

// The paths by which others can reach a core that listens at `listen`. Returns how many stand in
// `out`; *left_out: how many more there would be.
size_t lan_paths(const struct lan_place *place, const struct addr *listen,
		 const struct interface *list, size_t count, struct lan_path out[LAN_PATHS_MAX],
		 size_t *left_out);

#endif
