// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/control.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/unix.h"

struct control_client {
	struct control *control; // NULL once it is closed
	struct control_client *next, **link;
	struct stream *stream;
	uint64_t id;
	bool busy, freed;
	bool paused, closing;
	bool discarding; // inside a line that is too long
	size_t looked;   // bytes of the input without a newline
	struct timer rest; // the others' turn: its lines are read on then
	struct timer close;
	void *data;
};

struct control {
	struct loop *loop;
	char *path;
	uid_t uid;
	struct listener *listener;
	struct control_client *first;
	size_t count;
	uint64_t last_id;
	struct control_callbacks callbacks;
	void *arg;
	struct control_counters counters;
};

// --- clients: life
// ---------------------------------------------------------------------------------

static void enter(struct control_client *c)
{
	assert(!c->busy);
	c->busy = true;
}

static void leave(struct control_client *c)
{
	c->busy = false;
	if (c->freed)
		free(c);
}

static void client_free(struct control_client *c)
{
	struct control *ctl = c->control;
	assert(ctl);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	ctl->count--;
	timer_cancel(ctl->loop, &c->rest);
	timer_cancel(ctl->loop, &c->close);
	stream_free(c->stream);
	c->control = NULL;
	c->freed = true;
	if (!c->busy)
		free(c);
}

static void client_gone(struct control_client *c)
{
	struct control *ctl = c->control;
	enter(c);
	ctl->callbacks.gone(ctl->arg, c);
	if (!c->freed) // the control may have been closed inside
		client_free(c);
	leave(c);
}

static void stream_ended(void *arg, enum stream_end why, const struct err_info *info)
{
	(void)why;
	(void)info;
	client_gone(arg);
}

static void close_timed_out(void *arg)
{
	client_gone(arg);
}

// --- clients: lines
// --------------------------------------------------------------------------------

static void report_too_long(struct control_client *c)
{
	struct control *ctl = c->control;
	ctl->counters.too_long++;
	if (ctl->callbacks.line_too_long)
		ctl->callbacks.line_too_long(ctl->arg, c);
}

static void hand_out(struct control_client *c, struct span line)
{
	struct control *ctl = c->control;
	if (line.len && line.data[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0)
		return;
	ctl->counters.lines++;
	ctl->callbacks.line(ctl->arg, c, line);
}

static bool is_too_long(struct span line)
{
	return line.len - (line.len && line.data[line.len - 1] == '\r') > CONTROL_LINE_MAX;
}

// One line, or what there is of it, from the front of *in. False where more bytes are needed.
static bool take_line(struct control_client *c, struct span *in)
{
	const uint8_t *newline = NULL;
	if (in->len > c->looked)
		newline = memchr(in->data + c->looked, '\n', in->len - c->looked);
	struct span line = span(in->data, newline ? (size_t)(newline - in->data) : in->len);
	bool discarding = c->discarding, too_long = !discarding && is_too_long(line);
	if (!newline && !discarding && !too_long) {
		c->looked = line.len;
		return false;
	}
	size_t used = line.len + (newline ? 1 : 0);
	*in = span(in->data + used, in->len - used);
	c->looked = 0;
	c->discarding = !newline;
	if (too_long)
		report_too_long(c);
	else if (!discarding)
		hand_out(c, line);
	return newline != NULL;
}

static void rested(void *arg)
{
	struct control_client *c = arg;
	if (!c->paused)
		stream_resume(c->stream);
}

static void rest(struct control_client *c)
{
	stream_pause(c->stream);
	timer_start(c->control->loop, &c->rest, 0, rested, c);
}

// Lines for as long as a turn may take: what others want is not to wait behind all of them.
static void input(void *arg)
{
	struct control_client *c = arg;
	struct loop *loop = c->control->loop;
	struct span in = stream_input(c->stream);
	size_t there = in.len;
	double began = loop_now(loop);
	bool more = true, tired = false;
	enter(c);
	while (more && !tired && !c->freed && !c->paused && !c->closing && in.len) {
		more = take_line(c, &in);
		tired = more && in.len && (loop_now(loop) - began) * 1000 >= CONTROL_TURN_MS;
	}
	if (!c->freed) {
		if (c->closing) // reads on only to see the client's end
			in.len = 0;
		stream_consume(c->stream, there - in.len);
		if (tired && !c->paused && !c->closing)
			rest(c);
	}
	leave(c);
}

// The client still gets its answers. Its last line may lack the newline; of one that is too long
// nothing is left here.
static void input_ended(void *arg)
{
	struct control_client *c = arg;
	struct span rest = stream_input(c->stream);
	if (rest.len == 0 || c->closing)
		return;
	enter(c);
	hand_out(c, rest);
	if (!c->freed)
		stream_consume(c->stream, rest.len);
	leave(c);
}

static void drained(void *arg)
{
	struct control_client *c = arg;
	struct control *ctl = c->control;
	if (!ctl->callbacks.drained || c->closing)
		return;
	enter(c);
	ctl->callbacks.drained(ctl->arg, c);
	leave(c);
}

static const struct stream_callbacks stream_callbacks = {
	.input = input,
	.input_ended = input_ended,
	.drained = drained,
	.ended = stream_ended,
};

static const struct stream_options stream_options = {
	.input_max = CONTROL_LINE_MAX + 2, // "\r\n"
	.queue_max = CONTROL_QUEUE_MAX,
	.wipe_input = true, // passwords come this way
};

// --- clients: what the owner does
// ------------------------------------------------------------------

enum err control_send(struct control_client *c, struct bytes *line)
{
	if (c->closing || c->freed)
		return ERR_WRONG_STATE;
	enum err e = stream_send(c->stream, line);
	if (e == ERR_BUSY || e == ERR_TOO_LARGE)
		c->control->counters.refused++;
	return e;
}

size_t control_queued(const struct control_client *c)
{
	return c->freed ? 0 : stream_queued(c->stream);
}

size_t control_room(const struct control_client *c)
{
	return c->freed ? 0 : stream_room(c->stream);
}

void control_client_pause(struct control_client *c)
{
	c->paused = true;
	if (!c->freed && !c->closing)
		stream_pause(c->stream);
}

void control_client_resume(struct control_client *c)
{
	c->paused = false;
	if (!c->freed && !timer_running(&c->rest))
		stream_resume(c->stream);
}

void control_client_close(struct control_client *c)
{
	if (c->freed || c->closing)
		return;
	c->closing = true;
	timer_cancel(c->control->loop, &c->rest);
	stream_finish(c->stream);
	stream_resume(c->stream);
	timer_start(c->control->loop, &c->close, CONTROL_CLOSE_MS, close_timed_out, c);
}

void control_client_set_data(struct control_client *c, void *data)
{
	c->data = data;
}

void *control_client_data(const struct control_client *c)
{
	return c->data;
}

uint64_t control_client_id(const struct control_client *c)
{
	return c->id;
}

// --- the control
// -----------------------------------------------------------------------------------

struct control_client *control_adopt(struct control *ctl, int fd)
{
	struct control_client *c = mem_alloc(sizeof *c);
	c->control = ctl;
	c->id = ++ctl->last_id;
	c->next = ctl->first;
	c->link = &ctl->first;
	if (c->next)
		c->next->link = &c->next;
	ctl->first = c;
	ctl->count++;
	c->stream = stream_adopt(ctl->loop, fd, &stream_options, &stream_callbacks, c);
	return c;
}

static void accepted(void *arg, int fd, const struct addr *from)
{
	struct control *ctl = arg;
	uid_t uid;
	(void)from;
	if (unix_peer_uid(fd, &uid, NULL) != OK || uid != ctl->uid) {
		ctl->counters.strangers++;
		close(fd);
		return;
	}
	if (ctl->count >= CONTROL_CLIENTS_MAX) {
		ctl->counters.over_cap++;
		close(fd);
		return;
	}
	ctl->counters.accepted++;
	struct control_client *c = control_adopt(ctl, fd);
	if (ctl->callbacks.accepted)
		ctl->callbacks.accepted(ctl->arg, c);
}

enum err control_open(struct control **out, struct loop *loop, const char *path, uid_t uid,
		      const struct control_callbacks *callbacks, void *arg, struct err_info *info)
{
	struct control *ctl = mem_alloc(sizeof *ctl);
	int fd;
	enum err e = unix_listen(path, &fd, info);
	if (e == OK)
		e = listener_adopt(&ctl->listener, loop, fd, accepted, ctl, info);
	if (e) {
		free(ctl);
		return e;
	}
	ctl->loop = loop;
	ctl->path = mem_dup_string(path);
	ctl->uid = uid;
	ctl->callbacks = *callbacks;
	ctl->arg = arg;
	*out = ctl;
	return OK;
}

void control_close(struct control *ctl)
{
	if (!ctl)
		return;
	while (ctl->first)
		client_free(ctl->first);
	// first the file, so that nobody finds a name that is not answered
	unlink(ctl->path);
	listener_close(ctl->listener);
	free(ctl->path);
	free(ctl);
}

size_t control_count(const struct control *ctl)
{
	return ctl->count;
}

const struct control_counters *control_counters(const struct control *ctl)
{
	return &ctl->counters;
}
