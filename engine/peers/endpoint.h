// SPDX-License-Identifier: GPL-3.0-or-later
// Where a peer may be reached: numeric endpoints, which of those that others name may be taken
// (P1.5), and the order in which to dial them. Pure values; the shell turns them into socket
// addresses.
#ifndef SOTTO_PEERS_ENDPOINT_H
#define SOTTO_PEERS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// IPv4 is kept as ::ffff:a.b.c.d, so that one host has one form. `scope` is the interface of an
// IPv6 link-local address, else 0.
struct endpoint {
	uint8_t ip[16];
	uint16_t port;
	uint32_t scope;
};

enum endpoint_kind {
	ENDPOINT_ORDINARY,
	ENDPOINT_LOOPBACK,
	ENDPOINT_LINK_LOCAL,
	ENDPOINT_UNUSABLE, // multicast, broadcast, unspecified, reserved: nobody is there
};

#define ENDPOINT_TEXT_MAX 72 // with the NUL

// "1.2.3.4:4788", "[2001:db8::1]:4788", "[fe80::1%3]:4788" (the scope as a number). Numeric only: a
// host name is ERR_BAD_INPUT. Port 0 is allowed here.
MUST_CHECK enum err endpoint_parse(struct endpoint *out, const char *text);
const char *endpoint_print(const struct endpoint *e, char out[ENDPOINT_TEXT_MAX]); // returns out

struct endpoint endpoint_v4(const uint8_t ip[4], uint16_t port);
// v4-mapped input becomes IPv4; a scope is kept for link-local addresses only.
struct endpoint endpoint_v6(const uint8_t ip[16], uint16_t port, uint32_t scope);
bool endpoint_is_v4(const struct endpoint *e);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
#define ENDPOINT_KEY_LEN 22
void endpoint_key(const struct endpoint *e, uint8_t out[ENDPOINT_KEY_LEN]); // its bytes, for maps
enum endpoint_kind endpoint_kind_of(const struct endpoint *e);
// Without port and scope; of an ordinary IPv6 address the first 64 bits, of which one machine may
// use all the rest.
struct endpoint endpoint_host(const struct endpoint *e);

// P1.5: may an endpoint be taken that was named by whoever is at `from` (the sender or the
// introducer; NULL where there is none, as in a DHT)? Loopback, link-local and ports below 1024
// only from a sender of the same kind, unusable ones never. On true *out is the endpoint to keep: a
// link-local one gets the sender's scope, because a scope means nothing on another machine.
bool endpoint_may_take(const struct endpoint *e, const struct endpoint *from, struct endpoint *out);

// A short list in the order of dialing: confirmed ones, the latest first, then those only heard of.
#define ENDPOINT_LIST_MAX 8
// Places that newly heard ones get even where the list is full of confirmed ones.
#define ENDPOINT_FRESH_MAX 4

struct endpoint_list {
	size_t count;
	struct {
		struct endpoint endpoint;
		int64_t confirmed_ms; // wall clock; 0: only heard of
	} at[ENDPOINT_LIST_MAX];
};

// A link, or an answer to our own question, came from there: to the front. True if the list changed
// (times apart).
bool endpoint_list_confirm(struct endpoint_list *l, const struct endpoint *e, int64_t now_ms);
// What a new record says, in its order (at most ENDPOINT_FRESH_MAX + 1 count): behind the confirmed
// ones, before what was heard earlier; the last ones fall off. True if the list changed.
bool endpoint_list_hear(struct endpoint_list *l, const struct endpoint *fresh, size_t count);
// One more place for something already known: added at the end, only while there is room. True if
// the list changed.
bool endpoint_list_add(struct endpoint_list *l, const struct endpoint *e);
// A dial failed: it counts as only heard of and goes to the end. True if the list changed.
bool endpoint_list_fail(struct endpoint_list *l, const struct endpoint *e);

#endif
