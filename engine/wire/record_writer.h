// SPDX-License-Identifier: GPL-3.0-or-later
// Typed writing of records, the counterpart of record.h: record_begin, puts, record_end. The puts
// hold to the same limits as the gets, so that nothing is written that the reader would refuse; the
// first failure is kept. Text goes straight into the buffer: no copy is left elsewhere to wipe.
#ifndef SOTTO_WIRE_RECORD_WRITER_H
#define SOTTO_WIRE_RECORD_WRITER_H

#include "wire/record.h"

struct record_writer {
	struct buf *out;
	size_t start;
	bool first;
	struct err_info failure;
};

// Appends to out. The text is compact and its keys stand in the order of the calls.
void record_begin(struct record_writer *w, struct buf *out, const char *type);
// Closes the object. On failure (ERR_TOO_LARGE at the buffer's cap, ERR_BAD_PARAMS naming the field
// that is out of its limits) the buffer is as it was before record_begin.
MUST_CHECK enum err record_end(struct record_writer *w, struct err_info *info);

// name NULL: an element of the array that is open.
void record_put_string(struct record_writer *w, const char *name, struct span text, size_t min,
		       size_t max);
void record_put_binary(struct record_writer *w, const char *name, struct span data, size_t min,
		       size_t max);
void record_put_hash(struct record_writer *w, const char *name, const struct hash *h);
void record_put_integer(struct record_writer *w, const char *name, int64_t value, int64_t min,
			int64_t max);
void record_put_boolean(struct record_writer *w, const char *name, bool value);
void record_put_fingerprint(struct record_writer *w, const char *name, const char *text);
void record_put_discussion(struct record_writer *w, const char *name, const char *text);
void record_put_key_id(struct record_writer *w, const char *name, const char *text);
void record_put_charter(struct record_writer *w, const char *name, const char *text);
void record_put_choice(struct record_writer *w, const char *name, const char *const *names,
		       unsigned count, unsigned value);
void record_open_object(struct record_writer *w, const char *name);
void record_close_object(struct record_writer *w);
void record_open_array(struct record_writer *w, const char *name);
void record_close_array(struct record_writer *w);
void record_refuse(struct record_writer *w, const char *field, const char *why); // as record_fail

// Bytes that a string of these bytes takes in a record, its quotes included.
size_t record_string_size(struct span text);

#endif
