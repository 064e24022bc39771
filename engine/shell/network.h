// SPDX-License-Identifier: GPL-3.0-or-later
// The core's one address (TCP and UDP with one port number), and who calls there: a link's first frame says what it is for.
#ifndef SOTTO_SHELL_NETWORK_H
#define SOTTO_SHELL_NETWORK_H

#include "net/link.h"
#include "net/listener.h"
#include "net/resolve.h"
#include "net/udp.h"
#include "peers/endpoint.h"
#include "wire/presence.h"

struct engine;
struct caller;
struct parting;

struct network {
	struct engine *engine;
	struct udp *udp;
	struct listener *listener;
	struct resolver *resolver;
	struct caller *callers; // links whose first frame has not come yet
	struct parting *partings; // links that bring out their last frames
	char address[ADDR_TEXT_MAX];
};

// Binds; `listen` as in engine_config. Port 0: the remembered one, or one that is free for both (remembered). Nothing is heard until the engine is awake.
MUST_CHECK enum err network_open(struct network *n, struct engine *e, const char *listen, struct err_info *info);
void network_sleep(struct network *n); // drops the links whose first frame has not come
void network_fini(struct network *n);

const char *network_address(const struct network *n); // "ADDR:PORT", borrowed
// Where others may reach this core: the address it listens on, or those of the machine's interfaces. Returns how many.
size_t network_endpoints(const struct network *n, char out[][PRESENCE_ENDPOINT_SIZE], size_t max);
// Takes the link: what was sent on it is brought out, then it ends.
void network_let_go(struct network *n, struct link *link);
// To everybody on a LAN (udp_send_to_all). False where it could not be sent.
bool network_send_to_all(struct network *n, const struct addr *group, const struct addr *own, uint32_t interface,
			 struct span datagram);
void network_send(struct network *n, const struct addr *to, struct span datagram);

#endif
