// SPDX-License-Identifier: GPL-3.0-or-later
// An IPv4 or IPv6 endpoint as a plain value: text, equality, hash, kind, socket address.
#ifndef SOTTO_NET_ADDR_H
#define SOTTO_NET_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sockaddr;
struct sockaddr_storage;

// IPv4 is kept as ::ffff:a.b.c.d, so that one host has one form. `scope` is the interface of a
// link-local IPv6 address, else 0.
struct addr {
	uint8_t ip[16];
	uint16_t port;
	uint32_t scope;
};

#define ADDR_TEXT_MAX 72  // with the NUL
#define ADDR_HOST_MAX 256 // with the NUL

// "1.2.3.4:4788", "[2001:db8::1]:4788", "[fe80::1%3]:4788" (the scope as a number or an interface's
// name). Numeric only, no leading zeros, no spaces; port 0 is allowed here. ERR_BAD_PARAMS, and
// *out unchanged, for anything else.
MUST_CHECK enum err addr_parse(struct addr *out, const char *text, struct err_info *info);
// The same without a port and without brackets: "1.2.3.4", "fe80::1%3". False for anything else.
bool addr_parse_host(struct addr *out, const char *host, uint16_t port);
// returns out; the scope as a number
const char *addr_format(const struct addr *a, char out[ADDR_TEXT_MAX]);

// "HOST:PORT" in its parts, where HOST may also be a host name (RFC 1123, ASCII, at most 253
// characters; its last label is not a number, so that "300.1.2.3" and "127.1" are nothing).
// *numeric: addr_parse takes the text. Port 0 is refused with a name.
MUST_CHECK enum err addr_split(const char *text, char host[ADDR_HOST_MAX], uint16_t *port,
			       bool *numeric, struct err_info *info);

bool addr_is_v4(const struct addr *a);
bool addr_equal(const struct addr *a, const struct addr *b);     // port and scope included
bool addr_same_host(const struct addr *a, const struct addr *b); // whatever the port
// the same /24 (IPv4) or /48 (IPv6): P1.5
bool addr_same_network(const struct addr *a, const struct addr *b);
// SipHash; equal addresses hash equally
uint64_t addr_hash(const struct addr *a, const uint8_t key[16]);

enum addr_class {
	ADDR_ORDINARY,
	ADDR_PRIVATE, // 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7
	ADDR_LOOPBACK,
	ADDR_LINK_LOCAL,
	ADDR_MULTICAST,   // and the IPv4 broadcast address
	ADDR_UNSPECIFIED, // 0.0.0.0 and ::
	ADDR_RESERVED,    // the rest of 0/8, 240/4, and IPv4 inside obsolete IPv6 forms
};
enum addr_class addr_class_of(const struct addr *a);
bool addr_port_is_low(const struct addr *a); // below 1024

// Socket addresses. `family` is that of the socket: an IPv4 address on an AF_INET6 socket is
// written v4-mapped; ERR_UNSUPPORTED for an IPv6 address on an AF_INET socket. AF_UNSPEC: the
// address's own family.
MUST_CHECK enum err addr_to_sockaddr(const struct addr *a, int family, struct sockaddr_storage *out,
				     unsigned *len);
// ERR_UNSUPPORTED for other families.
MUST_CHECK enum err addr_from_sockaddr(struct addr *out, const struct sockaddr *from);
int addr_family(const struct addr *a); // AF_INET or AF_INET6

#endif
