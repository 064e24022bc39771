// SPDX-License-Identifier: GPL-3.0-or-later
// The epoch machine for specs: epoch.new{own =, roster = bytes of R_e, charter =} → machine; machine:step{type = "start"} → list of
// actions as tables. Statements and ops are bytes (support.wire_changes); members are positions from 1.
#include "discussion/epoch.h"
#include "base/mem.h"
#include "spec/support/fields.h"
#include "spec/support/object.h"
#include "wire/signed.h"

#define EPOCH_TYPE "support.epoch"

static const char *const events[] = {"restore", "start",  "propose",  "answer",  "leave", "statement",
				     "heads",   "signed", "deadline", "link_up", "retry", NULL};
static const char *const actions[] = {"sign", "keep", "send", "want_heads", "deadline", "retry_in", "ask",
				      "tell", "rejected", "equivocation", "drop", "left", "decided"};
static const char *const states[] = {"open", "complete", "refused"};

struct machine {
	struct epoch *epoch;
	size_t members;
};

static struct machine *check(lua_State *L)
{
	struct machine *m = luaL_checkudata(L, 1, EPOCH_TYPE);
	if (!m->epoch)
		luaL_error(L, "the machine is freed");
	return m;
}

static int machine_new(lua_State *L)
{
	struct roster_record roster;
	struct epoch_config c = {.roster = &roster};
	struct err_info info;
	luaL_checktype(L, 1, LUA_TTABLE);
	struct span bytes = field_need(L, 1, "roster"), own = field_span(L, 1, "own");
	if (roster_decode(&roster, bytes, &info))
		return luaL_error(L, "no roster: %s", info.text);
	c.roster_hash = hash_of(bytes);
	if (own.data)
		field_text(L, 1, "own", c.own, sizeof c.own);
	field_text(L, 1, "charter", c.charter, sizeof c.charter);
	c.round_ms = field_integer(L, 1, "round_ms", 0);
	struct machine *m = lua_newuserdatauv(L, sizeof *m, 0);
	*m = (struct machine){0};
	luaL_setmetatable(L, EPOCH_TYPE);
	m->epoch = epoch_new(&c);
	m->members = roster.count;
	return 1;
}

static int machine_free(lua_State *L)
{
	struct machine *m = luaL_checkudata(L, 1, EPOCH_TYPE);
	epoch_free(m->epoch);
	m->epoch = NULL;
	return 0;
}

// --- events -----------------------------------------------------------------------------------------------------------------

// What an event points to.
struct room {
	struct bytes *bytes;
	struct statement_head heads[ROSTER_MAX];
};

static void heads_get(lua_State *L, int t, struct epoch_event *e, struct room *r)
{
	lua_getfield(L, t, "heads");
	luaL_checktype(L, -1, LUA_TTABLE);
	e->heads = (struct statement_heads){(size_t)luaL_len(L, -1), r->heads};
	luaL_argcheck(L, e->heads.count <= ROSTER_MAX, 2, "heads");
	for (size_t i = 0; i < e->heads.count; i++) {
		lua_geti(L, -1, (lua_Integer)i + 1);
		int head = lua_gettop(L);
		r->heads[i].sequence = (uint64_t)field_integer(L, head, "sequence", 0);
		if (r->heads[i].sequence)
			field_hash(L, head, "hash", &r->heads[i].hash);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static struct bytes *bytes_get(lua_State *L, int t, const char *name)
{
	struct span s = field_span(L, t, name);
	return s.data ? bytes_new_span(s) : NULL;
}

static void event_get(lua_State *L, int t, struct epoch_event *e, struct room *r)
{
	e->type = (enum epoch_event_type)field_choice(L, t, "type", events);
	switch (e->type) {
	case EPOCH_EVENT_RESTORE:
	case EPOCH_EVENT_STATEMENT:
		e->statement.envelope = r->bytes = bytes_new_span(field_need(L, t, "envelope"));
		break;
	case EPOCH_EVENT_PROPOSE:
		e->propose.ticket = (uint64_t)field_integer(L, t, "ticket", 0);
		e->propose.op = r->bytes = bytes_new_span(field_need(L, t, "op"));
		break;
	case EPOCH_EVENT_ANSWER:
		e->answer.ticket = (uint64_t)field_integer(L, t, "ticket", 0);
		field_hash(L, t, "op", &e->answer.op);
		e->answer.consents = field_bool(L, t, "consents");
		e->answer.by_policy = field_bool(L, t, "by_policy");
		e->answer.reason = (const char *)field_span(L, t, "reason").data;
		break;
	case EPOCH_EVENT_HEADS:
		heads_get(L, t, e, r);
		break;
	case EPOCH_EVENT_SIGNED:
		e->result.code = field_code(L, t, "code");
		e->result.envelope = r->bytes = bytes_get(L, t, "envelope");
		break;
	case EPOCH_EVENT_LINK_UP:
		e->member = (size_t)field_integer(L, t, "member", 1) - 1;
		break;
	case EPOCH_EVENT_START:
	case EPOCH_EVENT_LEAVE:
	case EPOCH_EVENT_DEADLINE:
	case EPOCH_EVENT_RETRY:
		break;
	}
}

// --- actions ------------------------------------------------------------------------------------------------------------------

static void put_member(lua_State *L, const char *name, size_t member)
{
	if (member != ROSTER_NOBODY)
		put_integer(L, name, (lua_Integer)member + 1);
}

static void decided_push(lua_State *L, const struct epoch_decision *d)
{
	put_bytes(L, "op", d->op);
	put_bytes(L, "next", d->next);
	put_hash(L, "next_hash", &d->next_hash);
	put_text(L, "charter", d->charter);
	put_bytes_list(L, "proof", d->proof, d->count);
	lua_newtable(L);
	for (size_t i = 0; i < d->cut.count; i++) {
		lua_pushinteger(L, (lua_Integer)d->cut.list[i].sequence);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "cut");
}

static void action_push(lua_State *L, const struct epoch_action *a)
{
	lua_newtable(L);
	put_text(L, "type", actions[a->type]);
	switch (a->type) {
	case EPOCH_SIGN:
		put_text(L, "kind", statement_type_name(a->sign.type));
		put_bytes(L, "body", a->sign.body);
		put_bytes_list(L, "keep", a->sign.keep, a->sign.keep_count);
		break;
	case EPOCH_KEEP:
		put_bytes(L, "envelope", a->envelope);
		break;
	case EPOCH_SEND:
		put_member(L, "member", a->send.member);
		put_bytes(L, "envelope", a->send.envelope);
		break;
	case EPOCH_DEADLINE:
	case EPOCH_RETRY_IN:
		put_integer(L, "ms", a->ms);
		break;
	case EPOCH_ASK:
	case EPOCH_TELL:
		put_hash(L, "op", &a->op.name);
		put_member(L, "member", a->op.member);
		put_text(L, "state", states[a->op.state]);
		break;
	case EPOCH_REJECTED:
		put_integer(L, "ticket", (lua_Integer)a->rejected.ticket);
		put_text(L, "code", err_name(a->rejected.why.code));
		put_text(L, "why", a->rejected.why.text);
		break;
	case EPOCH_EQUIVOCATION:
		put_member(L, "member", a->proof.member);
		put_bytes(L, "first", a->proof.first);
		put_bytes(L, "second", a->proof.second);
		break;
	case EPOCH_DROP:
		put_text(L, "why", a->drop.why.text);
		break;
	case EPOCH_DECIDED:
		decided_push(L, &a->decided);
		break;
	case EPOCH_WANT_HEADS:
	case EPOCH_LEFT:
		break;
	}
}

static int machine_step(lua_State *L)
{
	struct machine *m = check(L);
	struct epoch_event event = {0};
	struct room room = {0};
	struct epoch_actions out;
	luaL_checktype(L, 2, LUA_TTABLE);
	event_get(L, 2, &event, &room);
	epoch_actions_init(&out);
	epoch_step(m->epoch, &event, &out);
	lua_newtable(L);
	for (size_t i = 0; i < out.count; i++) {
		action_push(L, &out.list[i]);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	epoch_actions_fini(&out);
	bytes_unref(room.bytes);
	return 1;
}

// --- what it knows --------------------------------------------------------------------------------------------------------------

static int machine_state(lua_State *L)
{
	const struct machine *m = check(L);
	lua_newtable(L);
	put_bool(L, "frozen", epoch_is_frozen(m->epoch));
	put_bool(L, "over", epoch_is_over(m->epoch));
	put_integer(L, "round", epoch_round(m->epoch));
	return 1;
}

// needs(envelope)
static int machine_needs(lua_State *L)
{
	const struct machine *m = check(L);
	struct err_info info;
	struct envelope e;
	struct statement s;
	struct span text = check_span(L, 2);
	if (envelope_decode(&e, text, &info))
		return luaL_error(L, "%s", info.text);
	enum err code = statement_decode(&s, bytes_span(e.body), &info);
	struct hash name = hash_of(bytes_span(e.body));
	envelope_fini(&e);
	if (code)
		return luaL_error(L, "%s", info.text);
	lua_pushboolean(L, epoch_needs(m->epoch, &name, &s));
	statement_fini(&s);
	return 1;
}

// op's name → {needs, [member] = "consents", "refuses" or "asked"}; nil: no such op
static int machine_op(lua_State *L)
{
	const struct machine *m = check(L);
	struct hash name;
	size_t len;
	const char *text = luaL_checklstring(L, 2, &len);
	luaL_argcheck(L, len == HASH_LEN, 2, "a name");
	memcpy(&name, text, HASH_LEN);
	lua_newtable(L);
	put_integer(L, "needs", (lua_Integer)epoch_op_needs(m->epoch, &name));
	for (size_t i = 0; i < m->members; i++) {
		struct epoch_answer a;
		if (!epoch_op_answer(m->epoch, &name, i, &a)) {
			lua_pushnil(L);
			return 1;
		}
		if (!a.asked)
			continue;
		lua_pushstring(L, !a.answered ? "asked" : a.consents ? "consents" : "refuses");
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int quorum(lua_State *L)
{
	size_t n = (size_t)luaL_checkinteger(L, 1);
	lua_pushinteger(L, (lua_Integer)epoch_f(n));
	lua_pushinteger(L, (lua_Integer)epoch_q(n));
	return 2;
}

int luaopen_support_epoch(lua_State *L);
int luaopen_support_epoch(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"step", machine_step},	  {"state", machine_state}, {"op", machine_op},
		{"needs", machine_needs}, {"free", machine_free},   {NULL, NULL},
	};
	static const luaL_Reg functions[] = {{"new", machine_new}, {"quorum", quorum}, {NULL, NULL}};
	object_type(L, EPOCH_TYPE, methods, machine_free);
	luaL_newlib(L, functions);
	return 1;
}
