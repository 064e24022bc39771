// SPDX-License-Identifier: GPL-3.0-or-later
// Ops and statements (§5) for specs.
#include <stdlib.h>

#include "base/mem.h"
#include "spec/support/wire_fields.h"
#include "wire/statement.h"

// --- ops --------------------------------------------------------------------------------------------------------------------

static const char *const kinds[] = {"admit", "remove", "depart", "charter", NULL};

static enum err encode_op(lua_State *L, struct buf *out, struct err_info *info)
{
	struct op o = {0};
	lua_getfield(L, -1, "kind");
	o.kind = (enum op_kind)luaL_checkoption(L, -1, NULL, kinds);
	lua_pop(L, 1);
	take_text(L, "fingerprint", o.candidate.fingerprint, sizeof o.candidate.fingerprint);
	take_raw(L, "certificate", &o.candidate.certificate, HASH_LEN);
	take_text(L, "key", o.candidate.key, sizeof o.candidate.key);
	TAKE_BYTES(o, join);
	TAKE_TEXT(o, charter);
	o.count = open_list(L, "subjects", RECORD_MEMBERS_MAX);
	for (size_t i = 0; i < o.count; i++) {
		lua_geti(L, -1, (lua_Integer)i + 1);
		take_text(L, "fingerprint", o.subjects[i], FINGERPRINT_SIZE);
		take_raw(L, "leave", &o.leaves[i], HASH_LEN);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	enum err e = op_encode(&o, out, info);
	op_fini(&o);
	return e;
}

static enum err decode_op(lua_State *L, struct span text, struct err_info *info)
{
	struct op o;
	enum err e = op_decode(&o, text, info);
	if (e)
		return e;
	lua_newtable(L);
	give_text(L, "kind", op_kind_name(o.kind));
	if (o.kind == OP_ADMIT) {
		give_text(L, "fingerprint", o.candidate.fingerprint);
		give_raw(L, "certificate", &o.candidate.certificate, HASH_LEN);
		give_text(L, "key", o.candidate.key);
		GIVE_BYTES(o, join);
	}
	if (o.kind == OP_CHARTER)
		GIVE_TEXT(o, charter);
	lua_newtable(L);
	for (size_t i = 0; i < o.count; i++) {
		lua_newtable(L);
		give_text(L, "fingerprint", o.subjects[i]);
		if (o.kind == OP_DEPART)
			give_raw(L, "leave", &o.leaves[i], HASH_LEN);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "subjects");
	op_fini(&o);
	return OK;
}

// --- statements ---------------------------------------------------------------------------------------------------------------

static void take_names(lua_State *L, const char *name, struct statement_names *names)
{
	names->count = open_list(L, name, 1000);
	names->list = mem_alloc_array(names->count + 1, sizeof *names->list);
	for (size_t i = 0; i < names->count; i++) {
		size_t len;
		lua_geti(L, -1, (lua_Integer)i + 1);
		const char *hash = luaL_checklstring(L, -1, &len);
		luaL_argcheck(L, len == HASH_LEN, 1, "a name");
		memcpy(&names->list[i], hash, HASH_LEN);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static void give_names(lua_State *L, const char *name, const struct statement_names *names)
{
	lua_newtable(L);
	for (size_t i = 0; i < names->count; i++) {
		lua_pushlstring(L, (const char *)&names->list[i], HASH_LEN);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, name);
}

static void take_heads(lua_State *L, const char *name, struct statement_heads *heads)
{
	heads->count = open_list(L, name, 1000);
	heads->list = mem_alloc_array(heads->count + 1, sizeof *heads->list);
	for (size_t i = 0; i < heads->count; i++) {
		lua_geti(L, -1, (lua_Integer)i + 1);
		heads->list[i].sequence = (uint64_t)take_integer(L, "sequence");
		take_raw(L, "hash", &heads->list[i].hash, HASH_LEN);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static void give_heads(lua_State *L, const char *name, const struct statement_heads *heads)
{
	lua_newtable(L);
	for (size_t i = 0; i < heads->count; i++) {
		lua_newtable(L);
		give_integer(L, "sequence", (int64_t)heads->list[i].sequence);
		if (heads->list[i].sequence)
			give_raw(L, "hash", &heads->list[i].hash, HASH_LEN);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, name);
}

static void take_lock(lua_State *L, struct statement_lock *lock)
{
	lua_getfield(L, -1, "lock");
	lock->is = lua_istable(L, -1);
	if (lock->is) {
		lock->round = (uint32_t)take_integer(L, "round");
		take_raw(L, "value", &lock->value, HASH_LEN);
	}
	lua_pop(L, 1);
}

static void give_lock(lua_State *L, const struct statement_lock *lock)
{
	if (!lock->is)
		return;
	lua_newtable(L);
	give_integer(L, "round", lock->round);
	give_raw(L, "value", &lock->value, HASH_LEN);
	lua_setfield(L, -2, "lock");
}

static void take_order(lua_State *L, struct statement *s)
{
	s->order.round = (uint32_t)take_integer(L, "round");
	take_raw(L, "op", &s->order.op, HASH_LEN);
	take_names(L, "consents", &s->order.consents);
	take_names(L, "states", &s->order.states);
	take_lock(L, &s->order.lock);
	take_names(L, "votes", &s->order.votes);
	take_heads(L, "cut", &s->order.cut);
	s->order.next = take_bytes(L, "next");
}

static enum err encode_statement(lua_State *L, struct buf *out, struct err_info *info)
{
	struct statement s = {0};
	lua_getfield(L, -1, "type");
	if (!statement_type_parse(luaL_checkstring(L, -1), &s.type))
		luaL_error(L, "no type of statement");
	lua_pop(L, 1);
	TAKE_RAW(s, roster);
	TAKE_TEXT(s, author);
	switch (s.type) {
	case STATEMENT_PROPOSE:
		s.op = take_bytes(L, "op");
		break;
	case STATEMENT_ANSWER:
		take_raw(L, "op", &s.answer.op, HASH_LEN);
		s.answer.consents = take_boolean(L, "consents");
		s.answer.by_policy = take_boolean(L, "by_policy");
		take_text(L, "reason", s.answer.reason, sizeof s.answer.reason);
		break;
	case STATEMENT_LEAVE:
	case STATEMENT_STATUS:
		s.state.round = (uint32_t)take_integer(L, "round");
		take_heads(L, "heads", &s.state.heads);
		take_lock(L, &s.state.lock);
		break;
	case STATEMENT_ORDER:
		take_order(L, &s);
		break;
	case STATEMENT_VOTE:
	case STATEMENT_COMMIT:
		s.ballot.round = (uint32_t)take_integer(L, "round");
		take_raw(L, "value", &s.ballot.value, HASH_LEN);
		break;
	case STATEMENT_TYPE_COUNT:
		break;
	}
	enum err e = statement_encode(&s, out, info);
	statement_fini(&s);
	return e;
}

static void give_rest(lua_State *L, const struct statement *s)
{
	switch (s->type) {
	case STATEMENT_PROPOSE:
		give_bytes(L, "op", s->op);
		break;
	case STATEMENT_ANSWER:
		give_raw(L, "op", &s->answer.op, HASH_LEN);
		give_boolean(L, "consents", s->answer.consents);
		give_boolean(L, "by_policy", s->answer.by_policy);
		give_text(L, "reason", s->answer.reason);
		break;
	case STATEMENT_LEAVE:
	case STATEMENT_STATUS:
		give_integer(L, "round", s->state.round);
		give_heads(L, "heads", &s->state.heads);
		give_lock(L, &s->state.lock);
		break;
	case STATEMENT_ORDER:
		give_integer(L, "round", s->order.round);
		give_raw(L, "op", &s->order.op, HASH_LEN);
		give_names(L, "consents", &s->order.consents);
		give_names(L, "states", &s->order.states);
		give_lock(L, &s->order.lock);
		give_names(L, "votes", &s->order.votes);
		give_heads(L, "cut", &s->order.cut);
		give_bytes(L, "next", s->order.next);
		break;
	case STATEMENT_VOTE:
	case STATEMENT_COMMIT:
		give_integer(L, "round", s->ballot.round);
		give_raw(L, "value", &s->ballot.value, HASH_LEN);
		break;
	case STATEMENT_TYPE_COUNT:
		break;
	}
}

static enum err decode_statement(lua_State *L, struct span text, struct err_info *info)
{
	struct statement s;
	enum err e = statement_decode(&s, text, info);
	if (e)
		return e;
	lua_newtable(L);
	give_text(L, "type", statement_type_name(s.type));
	GIVE_RAW(s, roster);
	GIVE_TEXT(s, author);
	give_rest(L, &s);
	statement_fini(&s);
	return OK;
}

int luaopen_support_wire_changes(lua_State *L);
int luaopen_support_wire_changes(lua_State *L)
{
	static const struct codec codecs[] = {
		{"op", encode_op, decode_op},
		{"propose", encode_statement, decode_statement},
		{"consent", encode_statement, decode_statement},
		{"leave", encode_statement, decode_statement},
		{"status", encode_statement, decode_statement},
		{"order", encode_statement, decode_statement},
		{"vote", encode_statement, decode_statement},
		{"commit", encode_statement, decode_statement},
	};
	return give_codecs(L, codecs, sizeof codecs / sizeof *codecs);
}
