// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/sealed.h"

#include "base/encode.h"

#define SENDER_LEN 20

enum err sealed_frame_encode(const struct sealed_frame *f, struct bytes **out)
{
	uint8_t head[SEALED_FRAME_HEADER_LEN];
	struct buf b;
	if (!fingerprint_form(f->sender) || hex_decode(f->sender, head, SENDER_LEN) ||
	    f->sequence < 1 || f->sequence > RECORD_SEQUENCE_MAX || f->message.len == 0)
		return ERR_BAD_PARAMS;
	be32_put(head + SENDER_LEN, f->epoch);
	be64_put(head + SENDER_LEN + 4, f->sequence);
	buf_init(&b, sizeof head + f->message.len);
	buf_put(&b, head, sizeof head);
	buf_put(&b, f->message.data, f->message.len);
	*out = buf_take(&b);
	return OK;
}

enum err sealed_frame_decode(struct sealed_frame *f, struct span payload, struct err_info *info)
{
	*f = (struct sealed_frame){0};
	if (payload.len <= SEALED_FRAME_HEADER_LEN)
		return err_set(info, ERR_BAD_INPUT, "a sealed frame without a message");
	uint64_t sequence = be64_get(payload.data + SENDER_LEN + 4);
	if (sequence < 1 || sequence > RECORD_SEQUENCE_MAX)
		return err_set(info, ERR_BAD_INPUT, "sequence: is out of range");
	hex_encode_upper(span(payload.data, SENDER_LEN), f->sender);
	f->epoch = be32_get(payload.data + SENDER_LEN);
	f->sequence = sequence;
	f->message = span(payload.data + SEALED_FRAME_HEADER_LEN,
			  payload.len - SEALED_FRAME_HEADER_LEN);
	return OK;
}
