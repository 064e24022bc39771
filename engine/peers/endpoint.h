// SPDX-License-Identifier: GPL-3.0-or-later
// Where a peer may be reached: numeric endpoints, which of those that others name may be taken
// (P1.5), and the order in which to dial them.
#ifndef SOTTO_PEERS_ENDPOINT_H
#define SOTTO_PEERS_ENDPOINT_H

#include "net/addr.h"

#define ENDPOINT_KEY_LEN 22
void endpoint_key(const struct addr *e, uint8_t out[ENDPOINT_KEY_LEN]); // its bytes, for maps
// Without port and scope; of an IPv6 address but a link-local one the first 64 bits, of which one
// machine may use all the rest.
struct addr endpoint_host(const struct addr *e);

// P1.5: may an endpoint be taken that was named by whoever is at `from` (the sender or the
// introducer; NULL where there is none, as in a DHT)? Loopback, link-local and ports below 1024
// only from a sender of the same kind; multicast, unspecified, reserved and port 0 never. On true
// *out is the endpoint to keep: a link-local one gets the sender's scope, because a scope means
// nothing on another machine.
bool endpoint_may_take(const struct addr *e, const struct addr *from, struct addr *out);

// A short list in the order of dialing: confirmed ones, the latest first, then those only heard of.
#define ENDPOINT_LIST_MAX 8
// Places that newly heard ones get even where the list is full of confirmed ones.
#define ENDPOINT_FRESH_MAX 4

struct endpoint_list {
	size_t count;
	struct {
		struct addr endpoint;
		int64_t confirmed_ms; // wall clock; 0: only heard of
	} at[ENDPOINT_LIST_MAX];
};

// A link, or an answer to our own question, came from there: to the front. True if the list changed
// (times apart).
bool endpoint_list_confirm(struct endpoint_list *l, const struct addr *e, int64_t now_ms);
// What a new record says, in its order (at most ENDPOINT_FRESH_MAX + 1 count): behind the confirmed
// ones, before what was heard earlier; the last ones fall off. True if the list changed.
bool endpoint_list_hear(struct endpoint_list *l, const struct addr *fresh, size_t count);
// One more place for something already known: added at the end, only while there is room. True if
// the list changed.
bool endpoint_list_add(struct endpoint_list *l, const struct addr *e);
// A dial failed: it counts as only heard of and goes to the end. True if the list changed.
bool endpoint_list_fail(struct endpoint_list *l, const struct addr *e);

#endif
