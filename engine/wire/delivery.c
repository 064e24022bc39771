// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/delivery.h"

#include <string.h>

#include "wire/record_writer.h"

static const char *const types[DELIVERY_TYPE_COUNT] = {
	[DELIVERY_ACK] = "ack",
	[DELIVERY_CANNOT_OPEN] = "cannot-open",
	[DELIVERY_CLOSED] = "closed",
	[DELIVERY_WANT] = "want",
	[DELIVERY_LACKS] = "lacks",
};

// What the number in it is called, and the least that it may be.
static bool says_after(unsigned type)
{
	return type == DELIVERY_WANT || type == DELIVERY_LACKS;
}

enum err delivery_encode(const struct delivery_record *r, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	if ((unsigned)r->type >= DELIVERY_TYPE_COUNT)
		return err_set(info, ERR_BAD_PARAMS, "type: is none of the known values");
	record_begin(&w, out, types[r->type]);
	record_put_discussion(&w, "discussion", r->discussion);
	if (r->type != DELIVERY_CLOSED) {
		record_put_integer(&w, "epoch", r->epoch, 0, UINT32_MAX);
		record_put_fingerprint(&w, "sender", r->sender);
		if (says_after(r->type))
			record_put_integer(&w, "after", (int64_t)r->sequence, 0, RECORD_SEQUENCE_MAX);
		else
			record_put_integer(&w, "sequence", (int64_t)r->sequence, 1, RECORD_SEQUENCE_MAX);
	}
	return record_end(&w, info);
}

enum err delivery_decode(struct delivery_record *d, struct span text, struct err_info *info)
{
	struct record r;
	char type[RECORD_TYPE_SIZE];
	*d = (struct delivery_record){0};
	record_open_any(&r, text, type);
	struct record_value root = record_root(&r);
	unsigned i = 0;
	while (i < DELIVERY_TYPE_COUNT && strcmp(type, types[i]) != 0)
		i++;
	if (i == DELIVERY_TYPE_COUNT)
		record_fail(&r, "type", "is none of the known values");
	d->type = i;
	record_get_discussion(record_field(root, "discussion"), d->discussion);
	if (i != DELIVERY_CLOSED) {
		record_get_epoch(record_field(root, "epoch"), &d->epoch);
		record_get_fingerprint(record_field(root, "sender"), d->sender);
		const char *name = says_after(i) ? "after" : "sequence";
		record_get_unsigned(record_field(root, name), says_after(i) ? 0 : 1, RECORD_SEQUENCE_MAX,
				    &d->sequence);
	}
	enum err e = record_close(&r, info);
	if (e)
		*d = (struct delivery_record){0};
	return e;
}
