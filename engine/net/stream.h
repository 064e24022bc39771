// SPDX-License-Identifier: GPL-3.0-or-later
// A byte stream over a connected socket, TCP or UNIX: a bounded input buffer with back-pressure, a
// bounded queue of shared bytes going out. The kernel watches over TCP connections (socket.h).
//
// Life: stream_connect or stream_adopt; callbacks; `ended` exactly once; stream_free. stream_free
// may come at any time, inside any callback too: no callback follows it.
#ifndef SOTTO_NET_STREAM_H
#define SOTTO_NET_STREAM_H

#include "base/buf.h"
#include "loop/loop.h"
#include "net/addr.h"

#define STREAM_READ_BLOCK 65536 // at most so much is read in one turn

struct stream;

enum stream_end {
	STREAM_END_EOF,         // the other side ended it in order
	STREAM_END_FINISHED,    // both sides did, ours first (stream_finish)
	STREAM_END_REFUSED,     // connecting: nobody listens there
	STREAM_END_UNREACHABLE, // connecting: no route, or not allowed
	STREAM_END_TIMEOUT,     // connecting took too long, or the other side fell silent
	STREAM_END_LOST,        // reset or broken
};
const char *stream_end_name(enum stream_end why); // "eof", "refused" …; static

// None comes from inside a call of the owner's; all but input and ended may be NULL.
struct stream_callbacks {
	void (*connected)(void *arg); // after stream_connect only
	// Bytes have come, or reading was resumed with bytes there: look at stream_input, drop with
	// stream_consume what is done with. What is left stays; while the buffer is full nothing is
	// read.
	void (*input)(void *arg);
	// The other side will send no more. Where this is NULL the stream ends; else it can still
	// send, and ends when the owner calls stream_finish, or when the other side is gone
	// altogether (looked for once a second).
	void (*input_ended)(void *arg);
	// The queue fell to drained_at or below, after it had been above, or after a send had
	// failed with ERR_BUSY.
	void (*drained)(void *arg);
	void (*ended)(void *arg, enum stream_end why, const struct err_info *info);
};

struct stream_options {
	size_t input_max;  // cap of the input buffer in bytes
	size_t queue_max;  // cap of the queue in bytes
	size_t drained_at; // 0: half of queue_max
	bool wipe_input;   // overwrite every input byte that is consumed
};

struct stream_counters {
	uint64_t bytes_in, bytes_out;
	uint64_t refused; // sends that failed with ERR_BUSY
};

// Callbacks and options are copied. Dials `to`; at most timeout_ms until it is connected. What is
// sent before that waits.
MUST_CHECK enum err stream_connect(struct stream **out, struct loop *loop, const struct addr *to,
				   int64_t timeout_ms, const struct stream_options *options,
				   const struct stream_callbacks *callbacks, void *arg,
				   struct err_info *info);
// Takes a connected, non-blocking socket.
struct stream *stream_adopt(struct loop *loop, int fd, const struct stream_options *options,
			    const struct stream_callbacks *callbacks, void *arg);
void stream_free(struct stream *s); // closes at once; what is queued is dropped; NULL is allowed

// borrowed until the next stream_consume, or until the callback returns
struct span stream_input(const struct stream *s);
void stream_consume(struct stream *s, size_t len);
void stream_set_input_max(struct stream *s, size_t max); // not below what is buffered

// A reference is taken. Everything sent in one turn goes out at its end, in one writev. ERR_BUSY,
// nothing queued, over the cap; ERR_WRONG_STATE after stream_finish, after the end, and once writing
// has failed, even where the end is still to be read.
MUST_CHECK enum err stream_send(struct stream *s, struct bytes *b);
// The same for two parts that stay together; either may be NULL.
MUST_CHECK enum err stream_send_two(struct stream *s, struct bytes *head, struct bytes *body);
size_t stream_queued(const struct stream *s); // bytes not yet in the kernel's hands
size_t stream_room(const struct stream *s);   // bytes that a send could take now

void stream_pause(struct stream *s); // reads no more, and no input callback comes, until resumed
void stream_resume(struct stream *s);
bool stream_paused(const struct stream *s);
// No more is sent after what is queued (half-close). Input still comes. When the other side ends
// too, `ended` says FINISHED.
void stream_finish(struct stream *s);

const struct addr *stream_remote(const struct stream *s); // zeros for UNIX
const struct addr *stream_local(const struct stream *s);  // zeros for UNIX and until connected
const struct stream_counters *stream_counters(const struct stream *s);

#endif
