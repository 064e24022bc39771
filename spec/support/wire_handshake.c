// SPDX-License-Identifier: GPL-3.0-or-later
// Presence records and the records of a handshake, for specs.
#include "spec/support/wire_fields.h"
#include "wire/handshake.h"

int luaopen_support_wire_handshake(lua_State *L);

// --- presence ------------------------------------------------------------------------------------

static enum err encode_presence(lua_State *L, struct buf *out, struct err_info *info)
{
	struct presence_record r = {0};
	TAKE_TEXT(r, fingerprint);
	TAKE_RAW(r, key);
	r.sequence = (uint64_t)take_integer(L, "sequence");
	r.issued_ms = take_integer(L, "issued_ms");
	r.expires_ms = take_integer(L, "expires_ms");
	r.since_ms = take_integer(L, "since_ms");
	TAKE_TEXT(r, name);
	r.endpoint_count = open_list(L, "endpoints", 100);
	for (size_t i = 0; i < r.endpoint_count && i < PRESENCE_ENDPOINTS_MAX; i++) {
		lua_geti(L, -1, (lua_Integer)i + 1);
		snprintf(r.endpoints[i], sizeof r.endpoints[i], "%s", lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	r.listed = take_boolean(L, "listed");
	TAKE_RAW(r, general);
	return presence_record_encode(&r, out, info);
}

static enum err decode_presence(lua_State *L, struct span text, struct err_info *info)
{
	struct presence_record r;
	enum err e = presence_record_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_TEXT(r, fingerprint);
	GIVE_RAW(r, key);
	give_integer(L, "sequence", (int64_t)r.sequence);
	give_integer(L, "issued_ms", r.issued_ms);
	give_integer(L, "expires_ms", r.expires_ms);
	give_integer(L, "since_ms", r.since_ms);
	GIVE_TEXT(r, name);
	lua_newtable(L);
	for (size_t i = 0; i < r.endpoint_count; i++) {
		lua_pushstring(L, r.endpoints[i]);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "endpoints");
	give_boolean(L, "listed", r.listed);
	GIVE_RAW(r, general);
	return OK;
}

// --- handshake -----------------------------------------------------------------------------------

static enum err encode_hello(lua_State *L, struct buf *out, struct err_info *info)
{
	struct hello_record r = {.mode = (enum hello_mode)take_integer(L, "mode")};
	TAKE_TEXT(r, fingerprint);
	TAKE_TEXT(r, to);
	TAKE_RAW(r, nonce);
	TAKE_RAW(r, general);
	TAKE_RAW(r, discussion);
	TAKE_TEXT(r, charter);
	take_parts(L, &r.presence);
	enum err e = hello_encode(&r, out, info);
	hello_fini(&r);
	return e;
}

static enum err decode_hello(lua_State *L, struct span text, struct err_info *info)
{
	struct hello_record r;
	enum err e = hello_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	give_integer(L, "mode", r.mode);
	GIVE_TEXT(r, fingerprint);
	GIVE_TEXT(r, to);
	GIVE_RAW(r, nonce);
	GIVE_RAW(r, general);
	GIVE_RAW(r, discussion);
	GIVE_TEXT(r, charter);
	give_parts(L, &r.presence);
	hello_fini(&r);
	return OK;
}

static enum err encode_hello_answer(lua_State *L, struct buf *out, struct err_info *info)
{
	struct hello_answer_record r = {0};
	TAKE_RAW(r, nonce);
	TAKE_RAW(r, general);
	return hello_answer_encode(&r, out, info);
}

static enum err decode_hello_answer(lua_State *L, struct span text, struct err_info *info)
{
	struct hello_answer_record r;
	enum err e = hello_answer_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_RAW(r, nonce);
	GIVE_RAW(r, general);
	return OK;
}

static enum err encode_certificate_wanted(lua_State *L, struct buf *out, struct err_info *info)
{
	struct certificate_wanted_record r = {0};
	TAKE_RAW(r, hash);
	return certificate_wanted_encode(&r, out, info);
}

static enum err decode_certificate_wanted(lua_State *L, struct span text, struct err_info *info)
{
	struct certificate_wanted_record r;
	enum err e = certificate_wanted_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_RAW(r, hash);
	return OK;
}

static enum err encode_open(lua_State *L, struct buf *out, struct err_info *info)
{
	struct open_record r = {0};
	TAKE_RAW(r, hello);
	TAKE_TEXT(r, id);
	TAKE_RAW(r, charter);
	TAKE_BYTES(r, certificate);
	TAKE_BYTES(r, binding);
	TAKE_RAW(r, share);
	enum err e = open_encode(&r, out, info);
	open_fini(&r);
	return e;
}

static enum err decode_open(lua_State *L, struct span text, struct err_info *info)
{
	struct open_record r;
	enum err e = open_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_RAW(r, hello);
	GIVE_TEXT(r, id);
	GIVE_RAW(r, charter);
	GIVE_BYTES(r, certificate);
	GIVE_BYTES(r, binding);
	GIVE_RAW(r, share);
	open_fini(&r);
	return OK;
}

static enum err encode_answer(lua_State *L, struct buf *out, struct err_info *info)
{
	struct answer_record r = {0};
	TAKE_RAW(r, open);
	TAKE_RAW(r, share);
	TAKE_RAW(r, discussion);
	return answer_encode(&r, out, info);
}

static enum err decode_answer(lua_State *L, struct span text, struct err_info *info)
{
	struct answer_record r;
	enum err e = answer_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_RAW(r, open);
	GIVE_RAW(r, share);
	GIVE_RAW(r, discussion);
	return OK;
}

static enum err encode_confirm(lua_State *L, struct buf *out, struct err_info *info)
{
	struct confirm_record r = {0};
	TAKE_RAW(r, mac);
	return confirm_encode(&r, out, info);
}

static enum err decode_confirm(lua_State *L, struct span text, struct err_info *info)
{
	struct confirm_record r;
	enum err e = confirm_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_RAW(r, mac);
	return OK;
}

static enum err encode_confirm_answer(lua_State *L, struct buf *out, struct err_info *info)
{
	struct confirm_answer_record r = {0};
	TAKE_RAW(r, mac);
	TAKE_BYTES(r, certificate);
	TAKE_BYTES(r, binding);
	TAKE_BYTES(r, roster);
	enum err e = confirm_answer_encode(&r, out, info);
	confirm_answer_fini(&r);
	return e;
}

static enum err decode_confirm_answer(lua_State *L, struct span text, struct err_info *info)
{
	struct confirm_answer_record r;
	enum err e = confirm_answer_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_RAW(r, mac);
	GIVE_BYTES(r, certificate);
	GIVE_BYTES(r, binding);
	GIVE_BYTES(r, roster);
	confirm_answer_fini(&r);
	return OK;
}

static enum err encode_ready(lua_State *L, struct buf *out, struct err_info *info)
{
	struct ready_record r = {0};
	TAKE_RAW(r, transcript);
	TAKE_RAW(r, roster_hash);
	return ready_encode(&r, out, info);
}

static enum err decode_ready(lua_State *L, struct span text, struct err_info *info)
{
	struct ready_record r;
	enum err e = ready_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_RAW(r, transcript);
	GIVE_RAW(r, roster_hash);
	return OK;
}

static enum err encode_refuse(lua_State *L, struct buf *out, struct err_info *info)
{
	struct refuse_record r = {.reason = (enum refuse_reason)take_integer(L, "reason")};
	return refuse_encode(&r, out, info);
}

static enum err decode_refuse(lua_State *L, struct span text, struct err_info *info)
{
	struct refuse_record r;
	enum err e = refuse_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	give_integer(L, "reason", r.reason);
	return OK;
}

// --- the module ----------------------------------------------------------------------------------

static enum err encode_introduction(lua_State *L, struct buf *out, struct err_info *info)
{
	struct presence_parts p = {0};
	take_parts(L, &p);
	enum err e = introduction_encode(&p, out, info);
	presence_parts_fini(&p);
	return e;
}

static enum err decode_introduction(lua_State *L, struct span text, struct err_info *info)
{
	struct presence_parts p;
	enum err e = introduction_decode(&p, text, info);
	if (e)
		return e;
	lua_newtable(L);
	give_parts(L, &p);
	presence_parts_fini(&p);
	return OK;
}

static const struct codec codecs[] = {
	{"presence", encode_presence, decode_presence},
	{"introduction", encode_introduction, decode_introduction},
	{"hello", encode_hello, decode_hello},
	{"hello-answer", encode_hello_answer, decode_hello_answer},
	{"certificate-wanted", encode_certificate_wanted, decode_certificate_wanted},
	{"open", encode_open, decode_open},
	{"answer", encode_answer, decode_answer},
	{"confirm", encode_confirm, decode_confirm},
	{"confirm-answer", encode_confirm_answer, decode_confirm_answer},
	{"ready", encode_ready, decode_ready},
	{"refuse", encode_refuse, decode_refuse},
};

int luaopen_support_wire_handshake(lua_State *L)
{
	return give_codecs(L, codecs, sizeof codecs / sizeof *codecs);
}
