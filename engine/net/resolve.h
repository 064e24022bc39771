// SPDX-License-Identifier: GPL-3.0-or-later
// Host names to addresses without blocking the loop. getaddrinfo runs in threads of its own, which
// touch nothing of the engine; one that hangs is given up and holds only its own slot until it
// returns.
#ifndef SOTTO_NET_RESOLVE_H
#define SOTTO_NET_RESOLVE_H

#include "loop/loop.h"
#include "net/addr.h"

#define RESOLVE_THREADS_MAX 4  // look-ups under way, those given up included
#define RESOLVE_WAITING_MAX 64 // requests in all; more are ERR_BUSY
// addresses of one answer; IPv6 and IPv4 in the system's order, without doubles
#define RESOLVE_FOUND_MAX 8

struct resolver;
struct resolve; // one request

struct resolver *resolver_new(struct loop *loop);
// requests that wait end without a callback; NULL is allowed
void resolver_free(struct resolver *r);

// Exactly once, never before resolve_start returns; the request is gone afterwards. OK: found[0 …
// count-1] (borrowed, count >= 1) with the port asked for. ERR_NOT_FOUND, ERR_TIMEOUT,
// ERR_CANCELED, ERR_IO.
typedef void resolve_done(void *arg, enum err code, const struct err_info *info,
			  const struct addr *found, size_t count);

// host: a name as addr_split gives it, or a numeric address (answered without a thread). Copied.
MUST_CHECK enum err resolve_start(struct resolve **out, struct resolver *r, const char *host,
				  uint16_t port, int64_t timeout_ms, resolve_done *done, void *arg,
				  struct err_info *info);
void resolve_cancel(struct resolve *request); // done comes with ERR_CANCELED, after this call

// Instead of getaddrinfo, for specs. Runs in a thread: it may touch nothing but its arguments. At
// most RESOLVE_FOUND_MAX addresses; their ports do not matter. ERR_NOT_FOUND, ERR_IO.
typedef enum err resolve_lookup(const char *host, struct addr found[RESOLVE_FOUND_MAX],
				size_t *count);
void resolver_set_lookup(struct resolver *r, resolve_lookup *lookup);

#endif
