// SPDX-License-Identifier: GPL-3.0-or-later
// The transcript machine for specs: transcript.new{…} → machine; machine:step{type = "received", …}
// → list of actions as tables.
#include "spec/support/messages.h"
#include "spec/support/object.h"

static const char *const events[] = {
	"received", "opened", "committed", "rekeyed", "link_up", "link_down", "retry", "end", NULL,
};
static const char *const actions[] = {
	"open",	 "rekey",  "commit", "deliver",	"ack",		"cannot_open", "complain", "complaint", "dispute", "closed", "drop",
	"pause", "resume", "closed_by", "equivocation", "retry_in",
};

struct machine {
	struct transcript *transcript;
	struct rekeys *keys;
};

struct transcript *transcript_check(lua_State *L, int index)
{
	struct machine *m = luaL_checkudata(L, index, TRANSCRIPT_TYPE);
	if (!m->transcript)
		luaL_error(L, "the machine is freed");
	return m->transcript;
}

// NAME = {[position] = {sequence =, hash =}}; whether it is there
static bool chain_ends_get(lua_State *L, int table, const char *name, struct transcript_head *out)
{
	bool given = lua_getfield(L, table, name) == LUA_TTABLE;
	for (int i = 0; given && i < ROSTER_MAX; i++) {
		if (lua_geti(L, -1, i + 1) == LUA_TTABLE) {
			int t = lua_gettop(L);
			out[i].sequence = (uint64_t)field_integer(L, t, "sequence", 0);
			if (out[i].sequence)
				field_hash(L, t, "hash", &out[i].hash);
		}
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return given;
}

static void heads_get(lua_State *L, int table, struct transcript_config *c)
{
	(void)chain_ends_get(L, table, "heads", c->heads);
	if (lua_getfield(L, table, "closed") == LUA_TTABLE) {
		for (int i = 0; i < ROSTER_MAX; i++) {
			lua_geti(L, -1, i + 1);
			c->closed[i] = lua_toboolean(L, -1);
			lua_pop(L, 1);
		}
	}
	lua_pop(L, 1);
}

// keys = {{member, sequence, id}, …}: looked at only where they are given
static void keys_get(lua_State *L, int table, struct machine *m, struct transcript_config *c)
{
	if (lua_getfield(L, table, "keys") == LUA_TTABLE) {
		m->keys = rekeys_new(c->roster->count);
		for (int i = 1; lua_geti(L, -1, i) == LUA_TTABLE; i++) {
			lua_geti(L, -1, 1);
			lua_geti(L, -2, 2);
			lua_geti(L, -3, 3);
			if (!rekeys_add(m->keys, (size_t)luaL_checkinteger(L, -3) - 1, (uint64_t)luaL_checkinteger(L, -2),
					(uint64_t)luaL_checkinteger(L, -1)))
				luaL_error(L, "a key that cannot be");
			lua_pop(L, 4);
		}
		lua_pop(L, 1);
		c->keys = m->keys;
	}
	lua_pop(L, 1);
}

static int machine_new(lua_State *L)
{
	struct roster_record roster;
	struct transcript_config c = {.roster = &roster};
	luaL_checktype(L, 1, LUA_TTABLE);
	struct machine *m = lua_newuserdatauv(L, sizeof *m, 0);
	m->transcript = NULL;
	m->keys = NULL;
	luaL_setmetatable(L, TRANSCRIPT_TYPE);
	field_text(L, 1, "own", c.own, sizeof c.own);
	field_hash(L, 1, "roster_hash", &c.roster_hash);
	roster_get(L, 1, &roster);
	heads_get(L, 1, &c);
	struct transcript_head cut[ROSTER_MAX] = {{0}};
	c.cut = chain_ends_get(L, 1, "cut", cut) ? cut : NULL;
	keys_get(L, 1, m, &c);
	m->transcript = transcript_new(&c);
	return 1;
}

static int machine_free(lua_State *L)
{
	struct machine *m = luaL_checkudata(L, 1, TRANSCRIPT_TYPE);
	transcript_free(m->transcript);
	rekeys_free(m->keys);
	m->transcript = NULL;
	m->keys = NULL;
	return 0;
}

// --- events -------------------------------------------------------------------------------------

static struct bytes *bytes_get(lua_State *L, int table, const char *name)
{
	struct span s = field_span(L, table, name);
	return s.data ? bytes_new_span(s) : NULL;
}

static void opened_get(lua_State *L, int t, struct transcript_event *e, uint64_t *ids)
{
	if (lua_getfield(L, t, "recipients") == LUA_TTABLE) {
		for (int i = 0; i < ROSTER_MAX && lua_geti(L, -1, i + 1) == LUA_TNUMBER; i++, lua_pop(L, 1))
			ids[i] = (uint64_t)lua_tointeger(L, -1);
		lua_pop(L, 1);
		e->opened.recipients = ids;
	}
	lua_pop(L, 1);
	struct span key = field_span(L, t, "session_key");
	e->opened.ticket = (uint64_t)field_integer(L, t, "ticket", 0);
	e->opened.code = field_code(L, t, "code");
	e->opened.payload = bytes_get(L, t, "payload");
	e->opened.session_key = key.data ? secret_copy(key) : NULL;
}

// skipped = {true, false, …} is read into `room`.
static void committed_get(lua_State *L, int t, struct transcript_event *e, bool *room)
{
	e->committed.code = field_code(L, t, "code");
	if (lua_getfield(L, t, "skipped") == LUA_TTABLE) {
		for (int i = 0; i < PAYLOAD_ITEMS_MAX; i++) {
			lua_geti(L, -1, i + 1);
			room[i] = lua_toboolean(L, -1);
			lua_pop(L, 1);
		}
		e->committed.skipped = room;
	}
	lua_pop(L, 1);
}

static void event_get(lua_State *L, int t, struct transcript_event *e, bool *room, uint64_t *ids)
{
	e->type = (enum transcript_event_type)field_choice(L, t, "type", events);
	switch (e->type) {
	case TRANSCRIPT_EVENT_RECEIVED:
		e->received.member = member_get(L, t);
		e->received.frame = field_need(L, t, "frame");
		break;
	case TRANSCRIPT_EVENT_OPENED:
		opened_get(L, t, e, ids);
		break;
	case TRANSCRIPT_EVENT_COMMITTED:
		committed_get(L, t, e, room);
		break;
	case TRANSCRIPT_EVENT_REKEYED:
		e->rekeyed.ticket = (uint64_t)field_integer(L, t, "ticket", 0);
		e->rekeyed.code = field_code(L, t, "code");
		e->rekeyed.key = (uint64_t)field_integer(L, t, "key", 0);
		break;
	case TRANSCRIPT_EVENT_LINK_UP:
	case TRANSCRIPT_EVENT_LINK_DOWN:
		e->member = member_get(L, t);
		break;
	case TRANSCRIPT_EVENT_RETRY:
	case TRANSCRIPT_EVENT_END:
		break;
	}
}

// --- actions ------------------------------------------------------------------------------------

static void messages_push(lua_State *L, const struct transcript_message *list, size_t count)
{
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_newtable(L);
		put_text(L, "id", list[i].id);
		put_integer(L, "index", list[i].index);
		put_integer(L, "time", list[i].time_ms);
		put_bytes(L, "text", list[i].text);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "messages");
}

static void seen_push(lua_State *L, const struct payload_seen *seen, size_t count)
{
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_newtable(L);
		put_text(L, "fingerprint", seen[i].fingerprint);
		put_integer(L, "sequence", (lua_Integer)seen[i].sequence);
		put_hash(L, "hash", &seen[i].hash);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
}

static void payload_push(lua_State *L, const struct transcript_payload *p)
{
	put_member(L, "sender", p->sender);
	put_integer(L, "sequence", (lua_Integer)p->sequence);
	put_hash(L, "hash", &p->hash);
	put_bytes(L, "payload", p->payload);
	put_span(L, "message", p->message);
	if (p->session_key)
		put_span(L, "session_key", secret_span(p->session_key));
}

static void delivery_push(lua_State *L, const struct transcript_action *a)
{
	put_member(L, "member", a->delivery.member);
	put_member(L, "sender", a->delivery.sender);
	put_integer(L, "sequence", (lua_Integer)a->delivery.sequence);
}

static void action_push(lua_State *L, const struct transcript_action *a)
{
	lua_newtable(L);
	put_text(L, "type", actions[a->type]);
	switch (a->type) {
	case TRANSCRIPT_OPEN:
		put_integer(L, "ticket", (lua_Integer)a->open.ticket);
		put_member(L, "sender", a->open.sender);
		put_span(L, "message", a->open.message);
		break;
	case TRANSCRIPT_COMMIT:
		payload_push(L, &a->commit.payload);
		messages_push(L, a->commit.messages, a->commit.count);
		put_bool(L, "closes", a->commit.closes);
		put_bool(L, "speaks", a->commit.speaks);
		seen_push(L, a->commit.seen, a->commit.seen_count);
		lua_setfield(L, -2, "seen");
		if (a->commit.rekey.certificate) {
			put_bytes(L, "rekey", a->commit.rekey.certificate);
			put_integer(L, "key", (lua_Integer)a->commit.rekey.key);
		}
		break;
	case TRANSCRIPT_REKEY:
		put_integer(L, "ticket", (lua_Integer)a->rekey.ticket);
		put_member(L, "sender", a->rekey.sender);
		put_bytes(L, "certificate", a->rekey.certificate);
		break;
	case TRANSCRIPT_DELIVER:
		put_member(L, "sender", a->deliver.sender);
		put_integer(L, "sequence", (lua_Integer)a->deliver.sequence);
		messages_push(L, a->deliver.messages, a->deliver.count);
		break;
	case TRANSCRIPT_ACK:
	case TRANSCRIPT_CANNOT_OPEN:
	case TRANSCRIPT_DISPUTE:
		delivery_push(L, a);
		break;
	case TRANSCRIPT_COMPLAIN:
	case TRANSCRIPT_COMPLAINT:
		put_member(L, "by", a->complaint.by);
		put_member(L, "sender", a->complaint.sender);
		put_integer(L, "sequence", (lua_Integer)a->complaint.sequence);
		put_hash(L, "hash", &a->complaint.hash);
		break;
	case TRANSCRIPT_DROP:
		put_member(L, "member", a->drop.member);
		put_text(L, "reason", transcript_reason_name(a->drop.reason));
		put_bool(L, "close_link", a->drop.close_link);
		break;
	case TRANSCRIPT_PAUSE:
	case TRANSCRIPT_RESUME:
	case TRANSCRIPT_CLOSED:
	case TRANSCRIPT_CLOSED_BY:
		put_member(L, "member", a->member);
		break;
	case TRANSCRIPT_EQUIVOCATION:
		payload_push(L, &a->proof);
		break;
	case TRANSCRIPT_RETRY_IN:
		put_integer(L, "ms", a->ms);
		break;
	}
}

static int machine_step(lua_State *L)
{
	struct transcript *t = transcript_check(L, 1);
	struct transcript_event e = {0};
	struct transcript_actions list;
	bool skipped[PAYLOAD_ITEMS_MAX];
	uint64_t ids[ROSTER_MAX + 1] = {0};
	luaL_checktype(L, 2, LUA_TTABLE);
	event_get(L, 2, &e, skipped, ids);
	transcript_actions_init(&list);
	transcript_step(t, &e, &list);
	if (e.type == TRANSCRIPT_EVENT_OPENED) {
		bytes_unref(e.opened.payload);
		secret_unref(e.opened.session_key);
	}
	lua_newtable(L);
	for (size_t i = 0; i < list.count; i++) {
		action_push(L, &list.list[i]);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	transcript_actions_fini(&list);
	return 1;
}

// --- what it knows ------------------------------------------------------------------------------

static int machine_head(lua_State *L)
{
	const struct transcript *t = transcript_check(L, 1);
	struct transcript_head h = transcript_head(t, (size_t)luaL_checkinteger(L, 2) - 1);
	lua_pushinteger(L, (lua_Integer)h.sequence);
	lua_pushlstring(L, (const char *)h.hash.bytes, HASH_LEN);
	return 2;
}

static int machine_covered(lua_State *L)
{
	const struct transcript *t = transcript_check(L, 1);
	lua_pushinteger(L, (lua_Integer)transcript_covered(t, (size_t)luaL_checkinteger(L, 2) - 1));
	return 1;
}

// add_key(member, sequence, id): as whoever carries out a COMMIT does
static int machine_add_key(lua_State *L)
{
	struct machine *m = luaL_checkudata(L, 1, TRANSCRIPT_TYPE);
	lua_pushboolean(L, rekeys_add(m->keys, (size_t)luaL_checkinteger(L, 2) - 1, (uint64_t)luaL_checkinteger(L, 3),
				      (uint64_t)luaL_checkinteger(L, 4)));
	return 1;
}

static int machine_seen(lua_State *L)
{
	struct payload_seen seen[RECORD_MEMBERS_MAX];
	size_t count = transcript_seen(transcript_check(L, 1), seen);
	seen_push(L, seen, count);
	return 1;
}

// Counters by name; those of reasons that never happened are left out.
static int machine_counters(lua_State *L)
{
	struct transcript_counters c = transcript_counters(transcript_check(L, 1));
	lua_newtable(L);
	put_integer(L, "accepted", (lua_Integer)c.accepted);
	put_integer(L, "messages", (lua_Integer)c.messages);
	put_integer(L, "failures", (lua_Integer)c.failures);
	put_integer(L, "held", (lua_Integer)c.held);
	put_integer(L, "held_bytes", (lua_Integer)c.held_bytes);
	lua_newtable(L);
	for (int i = 0; i < TRANSCRIPT_REASON_COUNT; i++)
		if (c.dropped[i])
			put_integer(L, transcript_reason_name((enum transcript_reason)i),
				    (lua_Integer)c.dropped[i]);
	lua_setfield(L, -2, "dropped");
	return 1;
}

int luaopen_support_transcript(lua_State *L);
int luaopen_support_transcript(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"step", machine_step},		{"head", machine_head}, {"seen", machine_seen},
		{"covered", machine_covered},	{"add_key", machine_add_key},
		{"counters", machine_counters}, {"free", machine_free}, {NULL, NULL},
	};
	static const luaL_Reg functions[] = {{"new", machine_new}, {NULL, NULL}};
	object_type(L, TRANSCRIPT_TYPE, methods, machine_free);
	luaL_newlib(L, functions);
	return 1;
}
