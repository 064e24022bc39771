// SPDX-License-Identifier: GPL-3.0-or-later
// The member link machine for specs: member_link.new{…} → machine; machine:step{type = "frame", …} →
// list of actions as tables.
#include "discussion/member_link.h"
#include "spec/support/fields.h"
#include "spec/support/object.h"

#define MACHINE "support.member_link"

static const char *const sides[] = {"dials", "answers", NULL};
static const char *const events[] = {
	"start",    "frame", "unreadable", "link_ended", "deadline", "signed",
	"verified", "seen",  "ack",	   "farewell_done", NULL,
};
static const char *const actions[] = {
	"send", "set_cipher", "deadline", "close_link", "sign", "verify", "want_seen",
	"deliver", "send_farewell", "acked", "linked", "ended",
};
static const char *const ends[] = {
	"lost", "failed", "rolled_back", "told", "heard", "both_closed",
};

struct machine {
	struct member_link *link;
	struct random random;
	struct random_seeded seed;
};

static struct roster_record roster_get(lua_State *L, struct span bytes)
{
	struct roster_record r;
	if (roster_decode(&r, bytes, NULL))
		luaL_error(L, "no roster");
	return r;
}

static int machine_new(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	struct machine *m = lua_newuserdatauv(L, sizeof *m, 0);
	memset(m, 0, sizeof *m);
	luaL_setmetatable(L, MACHINE);
	m->random = random_from_seed(&m->seed, (uint64_t)field_integer(L, 1, "seed", 1));
	struct span bytes = field_need(L, 1, "roster");
	struct roster_record roster = roster_get(L, bytes);
	struct member_link_config c = {.random = &m->random, .roster = &roster};
	c.side = (enum member_link_side)field_choice(L, 1, "side", sides);
	field_hash(L, 1, "first", &c.first);
	c.roster_hash = hash_of(bytes);
	field_text(L, 1, "own", c.own, sizeof c.own);
	field_text(L, 1, "other", c.other, sizeof c.other);
	field_text(L, 1, "other_key", c.other_key, sizeof c.other_key);
	c.closed = field_bool(L, 1, "closed");
	c.ended = field_bool(L, 1, "ended");
	c.held = (uint64_t)field_integer(L, 1, "held", 0);
	c.idle_ms = field_integer(L, 1, "idle_ms", 0);
	c.rekeys = field_span(L, 1, "rekeys");
	m->link = member_link_new(&c);
	return 1;
}

static int machine_free(lua_State *L)
{
	struct machine *m = luaL_checkudata(L, 1, MACHINE);
	member_link_free(m->link);
	m->link = NULL;
	return 0;
}

// --- events ---------------------------------------------------------------------------------

static void presence_get(lua_State *L, int t, struct presence_parts *p)
{
	struct span record = field_span(L, t, "presence_record");
	if (!record.data)
		return;
	struct span signature = field_need(L, t, "presence_signature");
	luaL_argcheck(L, signature.len == sizeof p->signature, t, "presence_signature");
	memcpy(p->signature, signature.data, signature.len);
	p->record = bytes_new_span(record);
	p->certification = bytes_new_span(field_need(L, t, "presence_certification"));
}

static void seen_get(lua_State *L, int t, struct seen_record *s)
{
	if (lua_getfield(L, t, "rows") != LUA_TTABLE)
		luaL_error(L, "field 'rows' is missing");
	s->count = lua_rawlen(L, -1);
	luaL_argcheck(L, s->count <= RECORD_MEMBERS_MAX, t, "too many rows");
	for (size_t i = 0; i < s->count; i++) {
		lua_rawgeti(L, -1, (lua_Integer)i + 1);
		int row = lua_gettop(L);
		field_text(L, row, "fingerprint", s->rows[i].fingerprint,
			   sizeof s->rows[i].fingerprint);
		s->rows[i].epoch = (uint32_t)field_integer(L, row, "epoch", 0);
		s->rows[i].sequence = (uint64_t)field_integer(L, row, "sequence", 0);
		if (s->rows[i].sequence)
			field_hash(L, row, "hash", &s->rows[i].hash);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	presence_get(L, t, &s->presence);
}

static void event_get(lua_State *L, int t, struct member_link_event *e, struct seen_record *seen)
{
	memset(e, 0, sizeof *e);
	e->type = (enum member_link_event_type)field_choice(L, t, "type", events);
	switch (e->type) {
	case MEMBER_LINK_EVENT_FRAME:
		e->frame.kind = (uint8_t)field_integer(L, t, "kind", 0);
		e->frame.payload = field_need(L, t, "payload");
		e->frame.encrypted = field_bool(L, t, "encrypted");
		break;
	case MEMBER_LINK_EVENT_SIGNED:
	case MEMBER_LINK_EVENT_VERIFIED:
		e->result.code = field_code(L, t, "code");
		e->result.bytes = field_span(L, t, "bytes");
		break;
	case MEMBER_LINK_EVENT_SEEN:
		seen_get(L, t, seen);
		e->seen.record = seen;
		break;
	case MEMBER_LINK_EVENT_ACK:
		e->ack.record = field_need(L, t, "record");
		break;
	default:
		break;
	}
}

// --- actions --------------------------------------------------------------------------------

static void put_seen(lua_State *L, const struct seen_record *s)
{
	lua_newtable(L);
	for (size_t i = 0; i < s->count; i++) {
		lua_newtable(L);
		put_text(L, "fingerprint", s->rows[i].fingerprint);
		put_integer(L, "epoch", s->rows[i].epoch);
		put_integer(L, "sequence", (lua_Integer)s->rows[i].sequence);
		put_hash(L, "hash", &s->rows[i].hash);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "rows");
	put_bytes(L, "presence_record", s->presence.record);
	put_bytes(L, "presence_certification", s->presence.certification);
}

static void put_action(lua_State *L, const struct member_link_action *x)
{
	lua_newtable(L);
	put_text(L, "type", actions[x->type]);
	switch (x->type) {
	case MEMBER_LINK_SEND:
		put_integer(L, "kind", x->send.kind);
		put_bool(L, "encrypted", x->send.encrypted);
		put_bytes(L, "payload", x->send.payload);
		break;
	case MEMBER_LINK_SET_CIPHER:
		put_span(L, "tx", span(x->cipher.tx, sizeof x->cipher.tx));
		put_span(L, "rx", span(x->cipher.rx, sizeof x->cipher.rx));
		break;
	case MEMBER_LINK_DEADLINE:
		put_integer(L, "ms", x->deadline.ms);
		break;
	case MEMBER_LINK_SIGN:
		put_bytes(L, "body", x->sign.body);
		break;
	case MEMBER_LINK_VERIFY:
		put_text(L, "signer", x->verify.signer);
		put_bytes(L, "body", x->verify.body);
		put_bytes(L, "signature", x->verify.signature);
		break;
	case MEMBER_LINK_DELIVER:
	case MEMBER_LINK_ACKED:
		put_bytes(L, "payload", x->frame.payload);
		break;
	case MEMBER_LINK_LINKED:
		put_seen(L, x->linked.seen);
		put_integer(L, "other_epoch", x->linked.epoch);
		put_bytes(L, "rekeys", x->linked.rekeys);
		break;
	case MEMBER_LINK_ENDED:
		put_text(L, "ending", ends[x->ended.end]);
		put_text(L, "detail", x->ended.detail);
		put_integer(L, "sequence", (lua_Integer)x->ended.sequence);
		break;
	case MEMBER_LINK_CLOSE_LINK:
	case MEMBER_LINK_WANT_SEEN:
	case MEMBER_LINK_SEND_FAREWELL:
		break;
	}
}

static struct machine *machine_check(lua_State *L)
{
	struct machine *m = luaL_checkudata(L, 1, MACHINE);
	if (!m->link)
		luaL_error(L, "the machine is freed");
	return m;
}

static int machine_step(lua_State *L)
{
	struct machine *m = machine_check(L);
	struct member_link_event e;
	struct member_link_actions out;
	struct seen_record seen = {0};
	luaL_checktype(L, 2, LUA_TTABLE);
	event_get(L, 2, &e, &seen);
	member_link_actions_init(&out);
	member_link_step(m->link, &e, &out);
	seen_fini(&seen);
	lua_newtable(L);
	for (size_t i = 0; i < out.count; i++) {
		put_action(L, &out.list[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	member_link_actions_fini(&out);
	return 1;
}

static int machine_over(lua_State *L)
{
	lua_pushboolean(L, member_link_is_over(machine_check(L)->link));
	return 1;
}

// match(L1, first, roster, own) → position from 1, or nil
static int support_match(lua_State *L)
{
	struct hash first;
	size_t l1_len, first_len, roster_len, who;
	const char *l1 = luaL_checklstring(L, 1, &l1_len);
	const char *hash = luaL_checklstring(L, 2, &first_len);
	const char *bytes = luaL_checklstring(L, 3, &roster_len);
	luaL_argcheck(L, first_len == HASH_LEN, 2, "hash");
	memcpy(first.bytes, hash, HASH_LEN);
	struct roster_record roster = roster_get(L, span(bytes, roster_len));
	if (member_link_match(span(l1, l1_len), &first, &roster, luaL_checkstring(L, 4), &who))
		lua_pushinteger(L, (lua_Integer)who + 1);
	else
		lua_pushnil(L);
	return 1;
}

// stays(own, other, own_dialled)
static int support_stays(lua_State *L)
{
	lua_pushboolean(L, member_link_stays(luaL_checkstring(L, 1), luaL_checkstring(L, 2),
					     lua_toboolean(L, 3)));
	return 1;
}

int luaopen_support_member_link(lua_State *L);
int luaopen_support_member_link(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"step", machine_step}, {"over", machine_over}, {"free", machine_free}, {NULL, NULL},
	};
	static const luaL_Reg functions[] = {
		{"new", machine_new},
		{"match", support_match},
		{"stays", support_stays},
		{NULL, NULL},
	};
	object_type(L, MACHINE, methods, machine_free);
	luaL_newlib(L, functions);
	return 1;
}
