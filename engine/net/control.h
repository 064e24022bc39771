// SPDX-License-Identifier: GPL-3.0-or-later
// The control socket: clients of our own user send lines and get lines. What the lines mean is the
// owner's affair.
//
// A client that does not read is never waited for: its queue is bounded, a send that does not fit
// fails, and the owner decides what it drops. A client that shuts down its sending direction still
// gets its answers, until it hangs up.
#ifndef SOTTO_NET_CONTROL_H
#define SOTTO_NET_CONTROL_H

#include <sys/types.h>

#include "base/buf.h"
#include "loop/loop.h"

#define CONTROL_CLIENTS_MAX 64       // more are accepted and closed at once
#define CONTROL_LINE_MAX (1u << 20)  // bytes of a line without its newline
#define CONTROL_QUEUE_MAX (8u << 20) // bytes queued for one client
// Lines of one client that are handed out in a turn of the loop take so long, and one line more; the rest comes in the next.
#define CONTROL_TURN_MS 2
// how long control_client_close tries to bring out what is queued
#define CONTROL_CLOSE_MS 2000

struct control;
struct control_client;

// None comes from inside a call of the owner's; all but line and gone may be NULL.
struct control_callbacks {
	void (*accepted)(void *arg, struct control_client *c);
	// Without its newline ("\r\n" too); borrowed for the call, and wiped after it. Empty lines
	// are skipped; the last line before the client ends its sending direction may lack the
	// newline.
	void (*line)(void *arg, struct control_client *c, struct span line);
	// A line passed CONTROL_LINE_MAX: reported at once, and once; the rest of it up to its
	// newline is thrown away.
	void (*line_too_long)(void *arg, struct control_client *c);
	// the queue fell below half, after it had been above, or a send had failed
	void (*drained)(void *arg, struct control_client *c);
	// Exactly once for each accepted one, also after control_client_close; the client is gone
	// after this call. Not called by control_close.
	void (*gone)(void *arg, struct control_client *c);
};

struct control_counters {
	uint64_t accepted, strangers, over_cap; // strangers: of another user
	uint64_t lines, too_long, refused;      // refused: sends that failed with ERR_BUSY
};

// Makes the socket (unix_listen). Only clients with that uid are accepted: geteuid() in a core.
// Callbacks are copied.
MUST_CHECK enum err control_open(struct control **out, struct loop *loop, const char *path,
				 uid_t uid, const struct control_callbacks *callbacks, void *arg,
				 struct err_info *info);
// Takes one end of a socketpair as a client, beyond the cap and without asking for its uid.
struct control_client *control_adopt(struct control *ctl, int fd);
// closes all clients and removes the socket; NULL is allowed
void control_close(struct control *ctl);

// One line, newline included, which the caller put there; a reference is taken, so that one event
// is one copy for all clients. ERR_BUSY, nothing queued, where it does not fit; ERR_WRONG_STATE
// after control_client_close.
MUST_CHECK enum err control_send(struct control_client *c, struct bytes *line);
size_t control_queued(const struct control_client *c); // bytes
size_t control_room(const struct control_client *c);   // bytes that a send could take now

void control_client_pause(struct control_client *c); // no line callback until resumed
void control_client_resume(struct control_client *c);
// no line any more; what is queued still goes out, then `gone`
void control_client_close(struct control_client *c);

// the owner's own, NULL at first
void control_client_set_data(struct control_client *c, void *data);
void *control_client_data(const struct control_client *c);
// 1, 2 … never used twice by one control
uint64_t control_client_id(const struct control_client *c);
size_t control_count(const struct control *ctl);
const struct control_counters *control_counters(const struct control *ctl);

#endif
