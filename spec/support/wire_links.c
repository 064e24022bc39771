// SPDX-License-Identifier: GPL-3.0-or-later
// The records of links, delivery, rosters and payloads, and envelopes, for specs.
#include "base/mem.h"
#include "spec/support/wire_fields.h"
#include "wire/delivery.h"
#include "wire/link.h"
#include "wire/payload.h"
#include "wire/roster.h"
#include "wire/signed.h"

int luaopen_support_wire_links(lua_State *L);

// --- links ---------------------------------------------------------------------------------------

static enum err encode_link(lua_State *L, struct buf *out, struct err_info *info)
{
	struct link_record r = {0};
	TAKE_RAW(r, nonce);
	TAKE_RAW(r, key);
	TAKE_RAW(r, proof);
	return link_encode(&r, out, info);
}

static enum err decode_link(lua_State *L, struct span text, struct err_info *info)
{
	struct link_record r;
	enum err e = link_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_RAW(r, nonce);
	GIVE_RAW(r, key);
	GIVE_RAW(r, proof);
	return OK;
}

static enum err encode_link_answer(lua_State *L, struct buf *out, struct err_info *info)
{
	struct link_answer_record r = {0};
	TAKE_RAW(r, nonce);
	TAKE_RAW(r, key);
	return link_answer_encode(&r, out, info);
}

static enum err decode_link_answer(lua_State *L, struct span text, struct err_info *info)
{
	struct link_answer_record r;
	enum err e = link_answer_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_RAW(r, nonce);
	GIVE_RAW(r, key);
	return OK;
}

static enum err encode_link_proof(lua_State *L, struct buf *out, struct err_info *info)
{
	struct link_proof_record r = {.epoch = (uint32_t)take_integer(L, "epoch")};
	TAKE_TEXT(r, fingerprint);
	TAKE_RAW(r, roster_hash);
	TAKE_BYTES(r, rekeys);
	TAKE_BYTES(r, signature);
	enum err e = link_proof_encode(&r, out, info);
	link_proof_fini(&r);
	return e;
}

static enum err decode_link_proof(lua_State *L, struct span text, struct err_info *info)
{
	struct link_proof_record r;
	enum err e = link_proof_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_TEXT(r, fingerprint);
	give_integer(L, "epoch", r.epoch);
	GIVE_RAW(r, roster_hash);
	GIVE_BYTES(r, rekeys);
	GIVE_BYTES(r, signature);
	link_proof_fini(&r);
	return OK;
}

static enum err encode_seen(lua_State *L, struct buf *out, struct err_info *info)
{
	struct seen_record r = {0};
	r.count = open_list(L, "members", 100);
	for (size_t i = 0; i < r.count && i < RECORD_MEMBERS_MAX; i++) {
		lua_geti(L, -1, (lua_Integer)i + 1);
		TAKE_TEXT(r.rows[i], fingerprint);
		r.rows[i].epoch = (uint32_t)take_integer(L, "epoch");
		r.rows[i].sequence = (uint64_t)take_integer(L, "sequence");
		TAKE_RAW(r.rows[i], hash);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	take_parts(L, &r.presence);
	enum err e = seen_encode(&r, out, info);
	seen_fini(&r);
	return e;
}

static enum err decode_seen(lua_State *L, struct span text, struct err_info *info)
{
	struct seen_record r;
	enum err e = seen_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	lua_newtable(L);
	for (size_t i = 0; i < r.count; i++) {
		lua_newtable(L);
		GIVE_TEXT(r.rows[i], fingerprint);
		give_integer(L, "epoch", r.rows[i].epoch);
		give_integer(L, "sequence", (int64_t)r.rows[i].sequence);
		GIVE_RAW(r.rows[i], hash);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "members");
	give_parts(L, &r.presence);
	seen_fini(&r);
	return OK;
}

// --- delivery ------------------------------------------------------------------------------------

static enum err encode_delivery(lua_State *L, struct buf *out, struct err_info *info)
{
	struct delivery_record r = {.type = (enum delivery_type)take_integer(L, "type"),
				    .epoch = (uint32_t)take_integer(L, "epoch"),
				    .sequence = (uint64_t)take_integer(L, "sequence")};
	TAKE_TEXT(r, discussion);
	TAKE_TEXT(r, sender);
	return delivery_encode(&r, out, info);
}

static enum err decode_delivery(lua_State *L, struct span text, struct err_info *info)
{
	struct delivery_record r;
	enum err e = delivery_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	give_integer(L, "type", r.type);
	GIVE_TEXT(r, discussion);
	if (r.type == DELIVERY_CLOSED)
		return OK;
	give_integer(L, "epoch", r.epoch);
	GIVE_TEXT(r, sender);
	give_integer(L, "sequence", (int64_t)r.sequence);
	return OK;
}

// --- rosters -------------------------------------------------------------------------------------

static enum err encode_roster(lua_State *L, struct buf *out, struct err_info *info)
{
	struct roster_record r = {.epoch = (uint32_t)take_integer(L, "epoch")};
	TAKE_TEXT(r, discussion);
	TAKE_RAW(r, previous);
	TAKE_RAW(r, charter);
	r.count = open_list(L, "members", 100);
	for (size_t i = 0; i < r.count && i < RECORD_MEMBERS_MAX; i++) {
		lua_geti(L, -1, (lua_Integer)i + 1);
		TAKE_TEXT(r.members[i], fingerprint);
		TAKE_RAW(r.members[i], certificate);
		TAKE_TEXT(r.members[i], key);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return roster_record_encode(&r, out, info);
}

static enum err decode_roster(lua_State *L, struct span text, struct err_info *info)
{
	struct roster_record r;
	enum err e = roster_record_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_TEXT(r, discussion);
	give_integer(L, "epoch", r.epoch);
	if (r.epoch > 0)
		GIVE_RAW(r, previous);
	GIVE_RAW(r, charter);
	lua_newtable(L);
	for (size_t i = 0; i < r.count; i++) {
		lua_newtable(L);
		GIVE_TEXT(r.members[i], fingerprint);
		GIVE_RAW(r.members[i], certificate);
		GIVE_TEXT(r.members[i], key);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "members");
	return OK;
}

// --- payloads ------------------------------------------------------------------------------------

static void take_items(lua_State *L, struct payload *p)
{
	p->item_count = open_list(L, "items", 2000);
	p->items = mem_alloc_array(p->item_count + 1, sizeof *p->items);
	for (size_t i = 0; i < p->item_count; i++) {
		struct payload_item *item = &p->items[i];
		lua_geti(L, -1, (lua_Integer)i + 1);
		item->type = (enum payload_item_type)take_integer(L, "type");
		TAKE_RAW(*item, nonce);
		item->time_ms = take_integer(L, "time_ms");
		TAKE_BYTES(*item, text);
		TAKE_BYTES(*item, certificate);
		TAKE_TEXT(*item, about);
		item->sequence = (uint64_t)take_integer(L, "sequence");
		TAKE_RAW(*item, hash);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static enum err encode_payload(lua_State *L, struct buf *out, struct err_info *info)
{
	struct payload p = {.epoch = (uint32_t)take_integer(L, "epoch"),
			    .sequence = (uint64_t)take_integer(L, "sequence"),
			    .time_ms = take_integer(L, "time_ms")};
	TAKE_TEXT(p, discussion);
	TAKE_RAW(p, roster_hash);
	TAKE_TEXT(p, sender);
	TAKE_RAW(p, previous);
	p.seen_count = open_list(L, "seen", 100);
	for (size_t i = 0; i < p.seen_count && i < RECORD_MEMBERS_MAX; i++) {
		lua_geti(L, -1, (lua_Integer)i + 1);
		TAKE_TEXT(p.seen[i], fingerprint);
		p.seen[i].sequence = (uint64_t)take_integer(L, "sequence");
		TAKE_RAW(p.seen[i], hash);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	take_items(L, &p);
	enum err e = payload_encode(&p, out, info);
	size_t bound = payload_size_base(p.seen_count);
	for (size_t i = 0; i < p.item_count; i++)
		bound += p.items[i].type == PAYLOAD_UNKNOWN || (p.items[i].type == PAYLOAD_REKEY && !p.items[i].certificate)
				 ? 0
				 : payload_size_item(&p.items[i]);
	payload_fini(&p);
	if (!e && out->len > bound)
		luaL_error(L, "%d bytes, announced as at most %d", (int)out->len, (int)bound);
	return e;
}

static void give_items(lua_State *L, const struct payload *p)
{
	lua_newtable(L);
	for (size_t i = 0; i < p->item_count; i++) {
		const struct payload_item *item = &p->items[i];
		lua_newtable(L);
		give_integer(L, "type", item->type);
		if (item->type == PAYLOAD_TEXT) {
			GIVE_RAW(*item, nonce);
			give_integer(L, "time_ms", item->time_ms);
			give_boolean(L, "wiped", item->text->wipe);
		}
		GIVE_BYTES(*item, text);
		GIVE_BYTES(*item, certificate);
		if (item->type == PAYLOAD_COMPLAINT) {
			GIVE_TEXT(*item, about);
			give_integer(L, "sequence", (int64_t)item->sequence);
			GIVE_RAW(*item, hash);
		}
		GIVE_BYTES(*item, unknown);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "items");
}

static enum err decode_payload(lua_State *L, struct span text, struct err_info *info)
{
	struct payload p;
	enum err e = payload_decode(&p, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_TEXT(p, discussion);
	give_integer(L, "epoch", p.epoch);
	GIVE_RAW(p, roster_hash);
	GIVE_TEXT(p, sender);
	give_integer(L, "sequence", (int64_t)p.sequence);
	GIVE_RAW(p, previous);
	give_integer(L, "time_ms", p.time_ms);
	lua_newtable(L);
	for (size_t i = 0; i < p.seen_count; i++) {
		lua_newtable(L);
		GIVE_TEXT(p.seen[i], fingerprint);
		give_integer(L, "sequence", (int64_t)p.seen[i].sequence);
		GIVE_RAW(p.seen[i], hash);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "seen");
	give_items(L, &p);
	payload_fini(&p);
	return OK;
}

// --- envelopes -----------------------------------------------------------------------------------

static enum err encode_envelope(lua_State *L, struct buf *out, struct err_info *info)
{
	struct envelope r = {0};
	TAKE_TEXT(r, type);
	TAKE_BYTES(r, body);
	TAKE_BYTES(r, signature);
	enum err e = envelope_encode(&r, out, info);
	envelope_fini(&r);
	return e;
}

static enum err decode_envelope(lua_State *L, struct span text, struct err_info *info)
{
	struct envelope r;
	enum err e = envelope_decode(&r, text, info);
	if (e)
		return e;
	lua_newtable(L);
	GIVE_TEXT(r, type);
	GIVE_BYTES(r, body);
	GIVE_BYTES(r, signature);
	envelope_fini(&r);
	return OK;
}

// --- the module ----------------------------------------------------------------------------------

static const struct codec codecs[] = {
	{"link", encode_link, decode_link},
	{"link-answer", encode_link_answer, decode_link_answer},
	{"link-proof", encode_link_proof, decode_link_proof},
	{"seen", encode_seen, decode_seen},
	{"delivery", encode_delivery, decode_delivery},
	{"roster", encode_roster, decode_roster},
	{"payload", encode_payload, decode_payload},
	{"envelope", encode_envelope, decode_envelope},
};

int luaopen_support_wire_links(lua_State *L)
{
	return give_codecs(L, codecs, sizeof codecs / sizeof *codecs);
}
