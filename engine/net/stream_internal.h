// SPDX-License-Identifier: GPL-3.0-or-later
// What stream.c and stream_open.c share of a stream's inside.
#ifndef SOTTO_NET_STREAM_INTERNAL_H
#define SOTTO_NET_STREAM_INTERNAL_H

#include "net/queue.h"
#include "net/stream.h"

#define STREAM_BLOCK_LEAST 4096 // bytes of a read, at the beginning

enum stream_state { STREAM_CONNECTING, STREAM_OPEN, STREAM_ENDED };

struct stream {
	struct loop *loop;
	int fd;
	enum stream_state state;
	bool busy, freed; // inside one of our callbacks; stream_free was called there
	bool paused;
	bool input_over; // the other side has ended its direction
	bool finishing;  // ours ends when the queue is empty
	bool shut;       // and it has
	bool broken;     // writing failed; what has come is still read
	bool tell_drained;
	struct ev_io reader, writer;
	struct timer timer; // connecting; later: is the other side gone altogether?
	struct deferred flush, deliver, fail;
	struct buf in;
	size_t block; // bytes of the next read
	struct queue out;
	size_t drained_at;
	int failed; // errno for `fail`
	struct addr remote, local;
	struct stream_callbacks callbacks;
	void *arg;
	struct stream_counters counters;
};

// Every way in from the loop is between enter and leave, so that the owner may free the stream
// inside a callback: its memory goes in leave.
void stream_enter(struct stream *s);
void stream_leave(struct stream *s);

void stream_over(struct stream *s, enum stream_end why, int number); // tells `ended`; errno, or 0
void stream_end_by_error(struct stream *s, int number);
void stream_update_reader(struct stream *s); // reads, or does not, as things stand
void stream_read_some(struct stream *s);
void stream_write_some(struct stream *s);

#endif
