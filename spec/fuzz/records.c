// SPDX-License-Identifier: GPL-3.0-or-later
// wire: every record family. The input is a record; its own type chooses the decoder. What a decoder takes, its encoder
// makes, and decoding that and encoding it once more changes nothing.
#include "spec/fuzz/fuzz.h"
#include "wire/delivery.h"
#include "wire/handshake.h"
#include "wire/join.h"
#include "wire/link.h"
#include "wire/payload.h"
#include "wire/presence.h"
#include "wire/roster.h"
#include "wire/sealed.h"
#include "wire/signed.h"
#include "wire/statement.h"

#define OUT_MAX (8 * 1024 * 1024)

// Decodes, encodes and frees: OK only where both worked. *refused: the encoder said no.
typedef enum err again(struct span text, struct buf *out, struct err_info *info, bool *refused);

#define FAMILY(name, type, decode, encode, fini)                                                   \
	static enum err again_##name(struct span text, struct buf *out, struct err_info *info,     \
				     bool *refused)                                                \
	{                                                                                          \
		static type r;                                                                     \
		enum err e = decode(&r, text, info);                                               \
		if (e)                                                                             \
			return e;                                                                  \
		e = encode(&r, out, info);                                                         \
		*refused = e != OK;                                                                \
		fini(&r);                                                                          \
		return e;                                                                          \
	}

static void owns_nothing(void *r)
{
	(void)r;
}

// An item of a later version is kept but never sent: there is nothing to encode.
static enum err payload_encode_known(const struct payload *p, struct buf *out, struct err_info *info)
{
	for (size_t i = 0; i < p->item_count; i++)
		if (p->items[i].type == PAYLOAD_UNKNOWN)
			return ERR_UNSUPPORTED;
	return payload_encode(p, out, info);
}

FAMILY(hello, struct hello_record, hello_decode, hello_encode, hello_fini)
FAMILY(hello_answer, struct hello_answer_record, hello_answer_decode, hello_answer_encode, owns_nothing)
FAMILY(wanted, struct certificate_wanted_record, certificate_wanted_decode, certificate_wanted_encode, owns_nothing)
FAMILY(open, struct open_record, open_decode, open_encode, open_fini)
FAMILY(answer, struct answer_record, answer_decode, answer_encode, owns_nothing)
FAMILY(confirm, struct confirm_record, confirm_decode, confirm_encode, owns_nothing)
FAMILY(confirm_answer, struct confirm_answer_record, confirm_answer_decode, confirm_answer_encode, confirm_answer_fini)
FAMILY(ready, struct ready_record, ready_decode, ready_encode, owns_nothing)
FAMILY(refuse, struct refuse_record, refuse_decode, refuse_encode, owns_nothing)
FAMILY(link, struct link_record, link_decode, link_encode, owns_nothing)
FAMILY(link_answer, struct link_answer_record, link_answer_decode, link_answer_encode, owns_nothing)
FAMILY(link_proof, struct link_proof_record, link_proof_decode, link_proof_encode, link_proof_fini)
FAMILY(seen, struct seen_record, seen_decode, seen_encode, seen_fini)
FAMILY(payload, struct payload, payload_decode, payload_encode_known, payload_fini)
FAMILY(presence, struct presence_record, presence_record_decode, presence_record_encode, owns_nothing)
FAMILY(roster, struct roster_record, roster_record_decode, roster_record_encode, owns_nothing)
FAMILY(delivery, struct delivery_record, delivery_decode, delivery_encode, owns_nothing)
FAMILY(envelope, struct envelope, envelope_decode, envelope_encode, envelope_fini)
FAMILY(invite, struct invite_record, invite_decode, invite_encode, invite_fini)
FAMILY(join, struct join_record, join_decode, join_encode, join_fini)
FAMILY(decline, struct decline_record, decline_decode, decline_encode, owns_nothing)
FAMILY(founding, struct founding_record, founding_decode, founding_encode, founding_fini)
FAMILY(op, struct op, op_decode, op_encode, op_fini)
FAMILY(statement, struct statement, statement_decode, statement_encode, statement_fini)

static const struct {
	const char *type;
	again *again;
} families[] = {
	{"hello", again_hello},
	{"hello-answer", again_hello_answer},
	{"certificate-wanted", again_wanted},
	{"open", again_open},
	{"answer", again_answer},
	{"confirm", again_confirm},
	{"confirm-answer", again_confirm_answer},
	{"ready", again_ready},
	{"refuse", again_refuse},
	{"link", again_link},
	{"link-answer", again_link_answer},
	{"link-proof", again_link_proof},
	{"seen", again_seen},
	{"payload", again_payload},
	{"presence", again_presence},
	{"roster", again_roster},
	{"ack", again_delivery},
	{"cannot-open", again_delivery},
	{"closed", again_delivery},
	{"invite", again_invite},
	{"join", again_join},
	{"decline", again_decline},
	{"founding", again_founding},
	{"op", again_op},
	{"propose", again_statement},
	{"consent", again_statement},
	{"leave", again_statement},
	{"status", again_statement},
	{"order", again_statement},
	{"vote", again_statement},
	{"commit", again_statement},
};

static void check_family(again *again, struct span text)
{
	struct buf first, second;
	struct err_info info = {0};
	bool refused = false;
	buf_init(&first, OUT_MAX);
	buf_init(&second, OUT_MAX);
	enum err e = again(text, &first, &info, &refused);
	// too much may be decoded for what an encoder may make, and an unknown item is not made at all
	CHECK(!refused || e == ERR_TOO_LARGE || e == ERR_UNSUPPORTED);
	if (e == OK) {
		CHECK(again(buf_span(&first), &second, &info, &refused) == OK);
		CHECK(span_equal(buf_span(&first), buf_span(&second)));
	}
	buf_fini(&first);
	buf_fini(&second);
}

static void check_sealed(struct span payload)
{
	struct sealed_frame f;
	struct bytes *made = NULL;
	if (sealed_frame_decode(&f, payload, NULL) != OK)
		return;
	CHECK(sealed_frame_encode(&f, &made) == OK);
	CHECK(span_equal(bytes_span(made), payload));
	bytes_unref(made);
}

static void check_open_frame(struct span payload)
{
	struct span signature, message;
	if (open_frame_split(payload, &signature, &message, NULL) != OK)
		return;
	CHECK(signature.len == PRESENCE_SIGNATURE_LEN && message.len > 0);
	struct bytes *joined = open_frame_join(signature.data, message);
	CHECK(span_equal(bytes_span(joined), payload));
	bytes_unref(joined);
}

static void check_json(struct span text)
{
	json_t *strict = NULL, *any = NULL;
	enum err e = json_parse_strict(text, &strict, NULL);
	// what is strict is JSON
	CHECK(json_parse_any(text, &any, NULL) == OK || e);
	json_decref(strict);
	json_decref(any);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char type[RECORD_TYPE_SIZE];
	struct span text = span(data, size);
	check_sealed(text);
	check_open_frame(text);
	check_json(text);
	if (record_peek_type(text, type, NULL) != OK)
		return 0;
	check_family(again_envelope, text);
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		if (strcmp(type, families[i].type) == 0)
			check_family(families[i].again, text);
	return 0;
}
