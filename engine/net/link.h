// SPDX-License-Identifier: GPL-3.0-or-later
// Frames over a stream, in clear and then under the link's keys (P0.4, P2.5).
//
// Life: link_connect or link_adopt; callbacks; `ended` exactly once; link_free. link_free may come
// at any time, inside any callback too: no callback follows it.
//
// Under keys every frame on the wire is of kind CIPHER: secretstream ciphertext of (inner kind ‖
// inner payload), the first one in a direction behind the 24-byte header. Closing sends an empty
// message with TAG_FINAL.
#ifndef SOTTO_NET_LINK_H
#define SOTTO_NET_LINK_H

#include "base/buf.h"
#include "loop/loop.h"
#include "net/addr.h"

#define LINK_CIPHER_KEY_LEN 32
#define LINK_CLOSE_MS 2000        // how long link_close tries to bring out what is queued
#define LINK_QUEUE_MAX (4u << 20) // bytes going out
// Whoever stops sending where link_room is below LINK_QUEUE_MAX - LINK_DRAINED_AT is told when to
// go on.
#define LINK_DRAINED_AT (LINK_QUEUE_MAX / 2)
// Caps on kind + payload, inner ones where the link has keys: FRAME_CAP_STRANGER and
// FRAME_CAP_MEMBER of wire/frame.h.

struct link;

enum link_end {
	LINK_END_CLOSED,      // the other side closed it: TAG_FINAL came
	LINK_END_LOST,        // it ended without that: always so in clear
	LINK_END_DONE,        // link_close has finished
	LINK_END_REFUSED,     // connecting: nobody listens there
	LINK_END_UNREACHABLE, // connecting: no route, or not allowed
	LINK_END_TIMEOUT,     // connecting took too long
	LINK_END_IDLE,        // see link_set_idle
	LINK_END_BREACH,      // the other side broke a rule of framing; `info` says which
};
const char *link_end_name(enum link_end why); // "closed", "lost" …; static

// None comes from inside a call of the owner's; all but frame and ended may be NULL.
struct link_callbacks {
	void (*connected)(void *arg); // after link_connect only
	// kind is the inner one where `encrypted`: it came under the link's keys. payload is
	// borrowed for the call.
	void (*frame)(void *arg, uint8_t kind, struct span payload, bool encrypted);
	// Once incoming keys are set: a frame that does not open under them (forged, replayed, cut,
	// or in clear). The link stays up but reads no more; the owner closes it when it likes,
	// e.g. after a guess is counted (P2.2). NULL: it ends with BREACH.
	void (*unreadable)(void *arg);
	// The queue fell to LINK_DRAINED_AT or below, after it had been above, or after a send had
	// failed with ERR_BUSY.
	void (*drained)(void *arg);
	void (*ended)(void *arg, enum link_end why, const struct err_info *info);
};

struct link_counters {
	uint64_t bytes_in, bytes_out; // on the wire
	uint64_t frames_in, frames_out;
	uint64_t unreadable;
	uint64_t refused; // sends that failed with ERR_BUSY
};

// Callbacks are copied.
MUST_CHECK enum err link_connect(struct link **out, struct loop *loop, const struct addr *to,
				 int64_t timeout_ms, const struct link_callbacks *callbacks,
				 void *arg, struct err_info *info);
// fd: connected, taken
struct link *link_adopt(struct loop *loop, int fd, const struct link_callbacks *callbacks,
			void *arg);
// Hands the link to another owner: from now on these are called. Fine inside a callback; not after
// the end.
void link_set_callbacks(struct link *l, const struct link_callbacks *callbacks, void *arg);
bool link_is_over(const struct link *l); // `ended` was called
void link_free(struct link *l); // at once, which the other side sees as lost; NULL is allowed

// One frame; a reference to payload is taken (NULL: empty). ERR_TOO_LARGE over the cap; ERR_BUSY,
// nothing queued, where the queue is full; ERR_WRONG_STATE after link_close, after the end, and where
// the other side is gone while the end is still to be read. kind is never CIPHER.
MUST_CHECK enum err link_send(struct link *l, uint8_t kind, struct bytes *payload);
size_t link_queued(const struct link *l); // bytes
size_t link_room(const struct link *l);   // bytes that sends could take now, framing included

// Raises the caps from 16 KiB to 1 MiB, in both directions.
void link_set_authenticated(struct link *l);
// From the next frame on, outgoing (tx) or incoming (rx); NULL leaves that direction as it is; each
// at most once. Copied into locked memory; the caller wipes its own. Set inside the frame callback,
// rx already holds for the next frame that waits.
void link_set_cipher(struct link *l, const uint8_t tx[LINK_CIPHER_KEY_LEN],
		     const uint8_t rx[LINK_CIPHER_KEY_LEN]);
// Ends with IDLE where no whole frame comes for so long (single bytes do not count). Starts anew
// with this call, with every frame, and at link_resume; rests while paused. 0: never, as at the
// beginning.
void link_set_idle(struct link *l, int64_t ms);

void link_pause(struct link *l); // no frame callback comes until resumed; what arrives waits
void link_resume(struct link *l);
// Sends what is queued, then the end. No frame comes any more; `ended` says DONE, within
// LINK_CLOSE_MS.
void link_close(struct link *l);

const struct addr *link_remote(const struct link *l);
const struct addr *link_local(const struct link *l);
struct link_counters link_counters(const struct link *l);

#endif
