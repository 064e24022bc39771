// SPDX-License-Identifier: GPL-3.0-or-later
// Where a page may be fetched from: the rule is asked for each URL, and again for the address that is really connected to, so
// that no name and no redirect leads to a place that was not granted.
#ifndef SOTTO_HELPERS_REACH_H
#define SOTTO_HELPERS_REACH_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/socket.h>

struct reach {
	bool private;        // also this machine and private networks
	const json_t *hosts; // "HOST" or "HOST:PORT", lower case; NULL: every host. Borrowed
};

// Whether the URL's host is one of `hosts`. A host that stands there as a numeric address, or as "localhost", may be private.
bool reach_host(const struct reach *r, const char *host, const char *port);
// Whether the address may be connected to, for a URL with that host. Loopback, private, link-local and multicast networks, and all
// addresses of this machine itself, are private.
bool reach_address(const struct reach *r, const char *host, const char *port, const struct sockaddr *to);

#endif
