// SPDX-License-Identifier: GPL-3.0-or-later
// Frames, strict JSON, presence datagrams, and what is hashed and signed, for specs. Failures are nil,
// name, text.
#include <sodium.h>

#include "spec/support/wire_fields.h"
#include "wire/frame.h"
#include "wire/handshake.h"
#include "wire/json.h"
#include "wire/payload.h"
#include "wire/sealed.h"
#include "wire/signed.h"

int luaopen_support_wire(lua_State *L);

static struct span check_span(lua_State *L, int index)
{
	size_t len;
	const char *data = luaL_checklstring(L, index, &len);
	return span(data, len);
}

static const uint8_t *check_exact(lua_State *L, int index, size_t len)
{
	struct span s = check_span(L, index);
	luaL_argcheck(L, s.len == len, index, "not of the right length");
	return s.data;
}

static int give_span(lua_State *L, struct span s)
{
	lua_pushlstring(L, s.len ? (const char *)s.data : "", s.len);
	return 1;
}

// Pushes what is in the buffer, or the failure; frees the buffer.
static int give_buf(lua_State *L, struct buf *b, enum err e)
{
	static const struct err_info none;
	int results = e ? give_failure(L, e, &none) : give_span(L, buf_span(b));
	buf_fini(b);
	return results;
}

// --- frames --------------------------------------------------------------------------------------

#define DECODER "spec.frame_decoder"

static int frame_encode_l(lua_State *L) // (kind, payload, cap) → bytes
{
	static const struct err_info none;
	struct bytes *out;
	enum err e = frame_encode((enum frame_kind)luaL_checkinteger(L, 1), check_span(L, 2),
				  (size_t)luaL_checkinteger(L, 3), &out);
	if (e)
		return give_failure(L, e, &none);
	give_span(L, bytes_span(out));
	bytes_unref(out);
	return 1;
}

static int decoder_new_l(lua_State *L) // (cap) → decoder
{
	size_t cap = (size_t)luaL_checkinteger(L, 1);
	frame_decoder_init(lua_newuserdatauv(L, sizeof(struct frame_decoder), 0), cap);
	luaL_setmetatable(L, DECODER);
	return 1;
}

static struct frame_decoder *check_decoder(lua_State *L)
{
	return luaL_checkudata(L, 1, DECODER);
}

static int decoder_gc_l(lua_State *L)
{
	frame_decoder_fini(check_decoder(L));
	return 0;
}

static int decoder_take_l(lua_State *L) // (input) → rest [, kind, payload]
{
	struct frame_decoder *d = check_decoder(L);
	struct span input = check_span(L, 2);
	struct err_info info = {0};
	struct frame f;
	bool got;
	enum err e = frame_decoder_take(d, &input, &f, &got, &info);
	if (e)
		return give_failure(L, e, &info);
	give_span(L, input);
	if (!got)
		return 1;
	lua_pushinteger(L, f.kind);
	give_span(L, f.payload);
	return 3;
}

static int decoder_set_cap_l(lua_State *L)
{
	frame_decoder_set_cap(check_decoder(L), (size_t)luaL_checkinteger(L, 2));
	return 0;
}

static int decoder_pending_l(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)frame_decoder_pending(check_decoder(L)));
	return 1;
}

static int decoder_memory_l(lua_State *L) // bytes that it keeps allocated
{
	lua_pushinteger(L, (lua_Integer)check_decoder(L)->pending.cap);
	return 1;
}

static int inner_decode_l(lua_State *L) // (plain, cap) → kind, payload
{
	struct err_info info = {0};
	struct frame f;
	enum err e = frame_inner_decode(check_span(L, 1), (size_t)luaL_checkinteger(L, 2), &f, &info);
	if (e)
		return give_failure(L, e, &info);
	lua_pushinteger(L, f.kind);
	give_span(L, f.payload);
	return 2;
}

static int sealed_encode_l(lua_State *L) // (sender, epoch, sequence, message) → payload
{
	static const struct err_info none;
	struct sealed_frame f = {.epoch = (uint32_t)luaL_checkinteger(L, 2),
				 .sequence = (uint64_t)luaL_checkinteger(L, 3),
				 .message = check_span(L, 4)};
	struct bytes *out;
	strncpy(f.sender, luaL_checkstring(L, 1), sizeof f.sender - 1);
	enum err e = sealed_frame_encode(&f, &out);
	if (e)
		return give_failure(L, e, &none);
	give_span(L, bytes_span(out));
	bytes_unref(out);
	return 1;
}

static int sealed_decode_l(lua_State *L) // (payload) → sender, epoch, sequence, message
{
	struct err_info info = {0};
	struct sealed_frame f;
	enum err e = sealed_frame_decode(&f, check_span(L, 1), &info);
	if (e)
		return give_failure(L, e, &info);
	lua_pushstring(L, f.sender);
	lua_pushinteger(L, f.epoch);
	lua_pushinteger(L, (lua_Integer)f.sequence);
	give_span(L, f.message);
	return 4;
}

static int open_join_l(lua_State *L) // (signature, message) → payload
{
	struct bytes *b = open_frame_join(check_exact(L, 1, PRESENCE_SIGNATURE_LEN), check_span(L, 2));
	give_span(L, bytes_span(b));
	bytes_unref(b);
	return 1;
}

static int open_split_l(lua_State *L) // (payload) → signature, message
{
	struct err_info info = {0};
	struct span signature, message;
	enum err e = open_frame_split(check_span(L, 1), &signature, &message, &info);
	if (e)
		return give_failure(L, e, &info);
	give_span(L, signature);
	give_span(L, message);
	return 2;
}

// --- JSON ----------------------------------------------------------------------------------------

static int json_check_l(lua_State *L) // (text [, cap]) → the compact text, and that which jansson makes
{
	struct err_info info = {0};
	struct span text = check_span(L, 1);
	size_t cap = (size_t)luaL_optinteger(L, 2, 8 << 20);
	// of exactly that size, for the sanitizers
	uint8_t *copy = text.len ? memcpy(lua_newuserdatauv(L, text.len, 0), text.data, text.len) : NULL;
	struct buf out;
	json_t *value;
	enum err e = json_parse_strict(span(copy, text.len), &value, &info);
	if (e)
		return give_failure(L, e, &info);
	buf_init(&out, cap);
	e = json_encode_compact(value, &out);
	char *reference = json_dumps(value, JSON_COMPACT);
	json_decref(value);
	int results = give_buf(L, &out, e);
	if (e == OK) {
		lua_pushstring(L, reference);
		results++;
	}
	free(reference);
	return results;
}

static int text_valid_l(lua_State *L)
{
	lua_pushboolean(L, json_text_valid(check_span(L, 1)));
	return 1;
}

static int string_size_l(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)record_string_size(check_span(L, 1)));
	return 1;
}

static int peek_type_l(lua_State *L) // (record) → type
{
	struct err_info info = {0};
	char type[RECORD_TYPE_SIZE];
	enum err e = record_peek_type(check_span(L, 1), type, &info);
	if (e)
		return give_failure(L, e, &info);
	lua_pushstring(L, type);
	return 1;
}

static int text_check_l(lua_State *L) // (text) → true
{
	struct err_info info = {0};
	enum err e = payload_text_check(check_span(L, 1), &info);
	if (e)
		return give_failure(L, e, &info);
	lua_pushboolean(L, true);
	return 1;
}

// --- presence ------------------------------------------------------------------------------------

static int datagram_encode_l(lua_State *L) // {kind, signature, record, certification, certificate}
{
	struct presence_datagram d = {.kind = (enum presence_kind)take_integer(L, "kind")};
	struct bytes *record = take_bytes(L, "record");
	struct bytes *certification = take_bytes(L, "certification");
	struct bytes *certificate = take_bytes(L, "certificate");
	struct buf out;
	TAKE_RAW(d, signature);
	d.record = bytes_span(record);
	d.certification = bytes_span(certification);
	d.certificate = bytes_span(certificate);
	buf_init(&out, 4096);
	enum err e = presence_datagram_encode(&d, &out);
	bytes_unref(record);
	bytes_unref(certification);
	bytes_unref(certificate);
	return give_buf(L, &out, e);
}

static int datagram_open_l(lua_State *L) // (datagram [, true: form only]) → table
{
	struct err_info info = {0};
	struct span text = check_span(L, 1);
	bool form_only = lua_toboolean(L, 2);
	uint8_t *copy = text.len ? memcpy(lua_newuserdatauv(L, text.len, 0), text.data, text.len) : NULL;
	struct presence_datagram d;
	struct presence_record p = {0};
	text.data = copy;
	enum err e = form_only ? presence_datagram_decode(&d, text, &info)
			       : presence_datagram_open(text, &d, &p, &info);
	if (e)
		return give_failure(L, e, &info);
	lua_newtable(L);
	give_integer(L, "kind", d.kind);
	GIVE_RAW(d, signature);
	give_raw(L, "record", d.record.data, d.record.len);
	give_raw(L, "certification", d.certification.data, d.certification.len);
	give_raw(L, "certificate", d.certificate.data, d.certificate.len);
	GIVE_TEXT(p, fingerprint);
	return 1;
}

static int parts_open_l(lua_State *L) // {record, certification, signature} → fingerprint
{
	struct err_info info = {0};
	struct presence_parts parts = {0};
	struct presence_record p;
	lua_newtable(L);
	lua_pushvalue(L, 1);
	lua_setfield(L, -2, "presence");
	take_parts(L, &parts);
	enum err e = presence_parts_open(&parts, &p, &info);
	presence_parts_fini(&parts);
	if (e)
		return give_failure(L, e, &info);
	lua_pushstring(L, p.fingerprint);
	return 1;
}

static int keypair_l(lua_State *L) // (seed) → public, secret
{
	uint8_t public[PRESENCE_KEY_LEN], secret[PRESENCE_SECRET_KEY_LEN];
	crypto_sign_seed_keypair(public, secret, check_exact(L, 1, crypto_sign_SEEDBYTES));
	give_span(L, span(public, sizeof public));
	return 1 + give_span(L, span(secret, sizeof secret));
}

static int presence_sign_l(lua_State *L) // (record, secret) → signature
{
	uint8_t signature[PRESENCE_SIGNATURE_LEN];
	presence_sign(check_span(L, 1), check_exact(L, 2, PRESENCE_SECRET_KEY_LEN), signature);
	return give_span(L, span(signature, sizeof signature));
}

static int presence_verify_l(lua_State *L) // (record, signature, public) → boolean
{
	lua_pushboolean(L, presence_verify(check_span(L, 1), check_exact(L, 2, PRESENCE_SIGNATURE_LEN),
					   check_exact(L, 3, PRESENCE_KEY_LEN)) == OK);
	return 1;
}

static int open_sign_l(lua_State *L) // (m1, m2, message, secret) → signature
{
	uint8_t signature[PRESENCE_SIGNATURE_LEN];
	open_sign(check_span(L, 1), check_span(L, 2), check_span(L, 3),
		  check_exact(L, 4, PRESENCE_SECRET_KEY_LEN), signature);
	return give_span(L, span(signature, sizeof signature));
}

static int open_verify_l(lua_State *L) // (m1, m2, message, signature, public) → boolean
{
	enum err e = open_verify(check_span(L, 1), check_span(L, 2), check_span(L, 3),
				 check_exact(L, 4, PRESENCE_SIGNATURE_LEN),
				 check_exact(L, 5, PRESENCE_KEY_LEN));
	lua_pushboolean(L, e == OK);
	return 1;
}

static int raw_verify_l(lua_State *L) // (input, signature, public): Ed25519 over exactly these bytes
{
	struct span input = check_span(L, 1);
	lua_pushboolean(L, crypto_sign_verify_detached(check_exact(L, 2, PRESENCE_SIGNATURE_LEN),
						       input.data, input.len,
						       check_exact(L, 3, PRESENCE_KEY_LEN)) == 0);
	return 1;
}

// --- hashed and signed ---------------------------------------------------------------------------

static struct hash check_hash(lua_State *L, int index)
{
	struct hash h;
	memcpy(h.bytes, check_exact(L, index, HASH_LEN), HASH_LEN);
	return h;
}

static int hash_l(lua_State *L) // (data) → 32 bytes
{
	struct hash h = hash_of(check_span(L, 1));
	return give_span(L, hash_span(&h));
}

static int hash_keyed_l(lua_State *L) // (key, data) → 32 bytes
{
	struct hash h = hash_keyed(check_span(L, 1), check_span(L, 2));
	return give_span(L, hash_span(&h));
}

static int signed_input_l(lua_State *L) // (type, body, cap) → bytes
{
	struct buf out;
	buf_init(&out, (size_t)luaL_optinteger(L, 3, 4096));
	return give_buf(L, &out, signed_input(&out, luaL_checkstring(L, 1), check_span(L, 2)));
}

static int certification_input_l(lua_State *L) // (fingerprint, key, since) → bytes
{
	struct buf out;
	buf_init(&out, 4096);
	enum err e = presence_certification_input(&out, luaL_checkstring(L, 1),
						  check_exact(L, 2, PRESENCE_KEY_LEN),
						  luaL_checkinteger(L, 3));
	return give_buf(L, &out, e);
}

static int binding_input_l(lua_State *L) // (id, H(charter), H(certificate), fingerprint) → bytes
{
	struct hash charter = check_hash(L, 2), certificate = check_hash(L, 3);
	struct buf out;
	buf_init(&out, 4096);
	enum err e = binding_input(&out, luaL_checkstring(L, 1), &charter, &certificate,
				   luaL_checkstring(L, 4));
	return give_buf(L, &out, e);
}

static int discussion_id_l(lua_State *L) // (initiator, H(certificate), nonce) → id
{
	struct hash certificate = check_hash(L, 2);
	char id[DISCUSSION_ID_SIZE];
	discussion_id_make(luaL_checkstring(L, 1), &certificate, check_exact(L, 3, HELLO_NONCE_LEN), id);
	lua_pushstring(L, id);
	return 1;
}

static int message_id_l(lua_State *L) // (discussion, sender, nonce) → id
{
	char id[MESSAGE_ID_SIZE];
	message_id_make(luaL_checkstring(L, 1), luaL_checkstring(L, 2),
			check_exact(L, 3, PAYLOAD_NONCE_LEN), id);
	lua_pushstring(L, id);
	return 1;
}

static const luaL_Reg decoder_methods[] = {
	{"take", decoder_take_l},       {"set_cap", decoder_set_cap_l}, {"pending", decoder_pending_l},
	{"memory", decoder_memory_l},   {"__gc", decoder_gc_l},         {NULL, NULL},
};

static const luaL_Reg functions[] = {
	{"frame_encode", frame_encode_l},
	{"frame_decoder", decoder_new_l},
	{"inner_decode", inner_decode_l},
	{"sealed_encode", sealed_encode_l},
	{"sealed_decode", sealed_decode_l},
	{"open_join", open_join_l},
	{"open_split", open_split_l},
	{"json_check", json_check_l},
	{"text_valid", text_valid_l},
	{"string_size", string_size_l},
	{"peek_type", peek_type_l},
	{"text_check", text_check_l},
	{"datagram_encode", datagram_encode_l},
	{"datagram_open", datagram_open_l},
	{"parts_open", parts_open_l},
	{"keypair", keypair_l},
	{"presence_sign", presence_sign_l},
	{"presence_verify", presence_verify_l},
	{"open_sign", open_sign_l},
	{"open_verify", open_verify_l},
	{"raw_verify", raw_verify_l},
	{"hash", hash_l},
	{"hash_keyed", hash_keyed_l},
	{"signed_input", signed_input_l},
	{"certification_input", certification_input_l},
	{"binding_input", binding_input_l},
	{"discussion_id", discussion_id_l},
	{"message_id", message_id_l},
	{NULL, NULL},
};

int luaopen_support_wire(lua_State *L)
{
	luaL_newmetatable(L, DECODER);
	luaL_setfuncs(L, decoder_methods, 0);
	lua_pushvalue(L, -1);
	lua_setfield(L, -2, "__index");
	luaL_newlib(L, functions);
	return 1;
}
