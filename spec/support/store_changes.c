// SPDX-License-Identifier: GPL-3.0-or-later
// The part of support.store for what changes the members: statements, proposals, the end of an epoch (store.c).
#include "spec/support/store_values.h"
#include "store/epochs.h"
#include "store/proposals.h"
#include "store/statements.h"

// --- statements -------------------------------------------------------------------------------------------------------------

static void get_statement(lua_State *L, int index, struct store_statement *s)
{
	*s = (struct store_statement){.own = get_bool(L, index, "own"),
				      .is_signed = get_bool(L, index, "signed"),
				      .envelope = get_bytes(L, index, "envelope")};
	get_exact(L, index, "name", s->name.bytes, sizeof s->name.bytes);
}

// statement_append(discussion, epoch, {name, own, signed, envelope})
static int statement_append(lua_State *L)
{
	struct err_info info = {0};
	struct store_statement s;
	get_statement(L, 4, &s);
	enum err e = store_statement_append(to_store(L), luaL_checkstring(L, 2), (uint32_t)luaL_checkinteger(L, 3), &s,
					    &info);
	bytes_unref(s.envelope);
	return answer(L, e, &info);
}

// statement_sign(discussion, epoch, {name, envelope})
static int statement_sign(lua_State *L)
{
	struct err_info info = {0};
	struct store_statement s;
	get_statement(L, 4, &s);
	enum err e = store_statement_sign(to_store(L), luaL_checkstring(L, 2), (uint32_t)luaL_checkinteger(L, 3), &s.name,
					  s.envelope, &info);
	bytes_unref(s.envelope);
	return answer(L, e, &info);
}

static bool visit_statement(void *arg, const struct store_statement *s)
{
	struct visit *v = arg;
	lua_newtable(v->L);
	set_span(v->L, "name", hash_span(&s->name));
	set_bool(v->L, "own", s->own);
	set_bool(v->L, "signed", s->is_signed);
	set_bool(v->L, "proof", s->proof);
	set_bytes(v->L, "envelope", s->envelope);
	return visited(v);
}

// statement_each(discussion, epoch, function)
static int statement_each(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	const char *discussion = luaL_checkstring(L, 2);
	uint32_t epoch = (uint32_t)luaL_checkinteger(L, 3);
	struct visit v = begin_visit(L, 4);
	return end_visit(&v, store_statement_each(s, discussion, epoch, visit_statement, &v, &info), &info);
}

static bool visit_lie(void *arg, const struct store_statement *s)
{
	struct visit *v = arg;
	lua_newtable(v->L);
	set_int(v->L, "epoch", s->epoch);
	set_span(v->L, "name", hash_span(&s->name));
	set_bytes(v->L, "envelope", s->envelope);
	return visited(v);
}

// statement_each_lie(discussion, before, function)
static int statement_each_lie(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	const char *discussion = luaL_checkstring(L, 2);
	uint32_t before = (uint32_t)luaL_checkinteger(L, 3);
	struct visit v = begin_visit(L, 4);
	return end_visit(&v, store_statement_each_lie(s, discussion, before, visit_lie, &v, &info), &info);
}

// statement_decide(discussion, epoch, {statement…})
static int statement_decide(lua_State *L)
{
	struct err_info info = {0};
	struct store_statement list[16];
	size_t count = lua_rawlen(L, 4);
	luaL_argcheck(L, count <= 16, 4, "more than this helper takes");
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, 4, (lua_Integer)i + 1);
		get_statement(L, lua_gettop(L), &list[i]);
		lua_pop(L, 1);
	}
	enum err e = store_statement_decide(to_store(L), luaL_checkstring(L, 2), (uint32_t)luaL_checkinteger(L, 3), list,
					    count, &info);
	for (size_t i = 0; i < count; i++)
		bytes_unref(list[i].envelope);
	return answer(L, e, &info);
}

// --- proposals --------------------------------------------------------------------------------------------------------------

static int proposal_put(lua_State *L)
{
	struct err_info info = {0};
	struct store_proposal p = {.epoch = (uint32_t)get_int(L, 2, "epoch"),
				   .created = get_int(L, 2, "created"),
				   .ended = get_int(L, 2, "ended"),
				   .op = get_bytes(L, 2, "op"),
				   .answers = get_bytes(L, 2, "answers")};
	get_text(L, 2, "id", p.id, sizeof p.id);
	get_text(L, 2, "discussion", p.discussion, sizeof p.discussion);
	get_text(L, 2, "kind", p.kind, sizeof p.kind);
	get_text(L, 2, "candidate", p.candidate, sizeof p.candidate);
	get_text(L, 2, "proposer", p.proposer, sizeof p.proposer);
	get_text(L, 2, "state", p.state, sizeof p.state);
	p.has_name = get_exact(L, 2, "name", p.name.bytes, sizeof p.name.bytes);
	enum err e = store_proposal_put(to_store(L), &p, &info);
	store_proposal_fini(&p);
	return answer(L, e, &info);
}

static void push_proposal(lua_State *L, const struct store_proposal *p)
{
	lua_newtable(L);
	set_text(L, "id", p->id);
	set_text(L, "discussion", p->discussion);
	set_int(L, "epoch", p->epoch);
	set_text(L, "kind", p->kind);
	set_text(L, "candidate", p->candidate);
	set_text(L, "proposer", p->proposer);
	set_text(L, "state", p->state);
	set_int(L, "created", p->created);
	set_int(L, "ended", p->ended);
	if (p->has_name)
		set_span(L, "name", hash_span(&p->name));
	set_bytes(L, "op", p->op);
	set_bytes(L, "answers", p->answers);
}

static int proposal_get(lua_State *L)
{
	struct err_info info = {0};
	struct store_proposal p;
	enum err e = store_proposal_get(to_store(L), luaL_checkstring(L, 2), &p, &info);
	if (e)
		return answer(L, e, &info);
	push_proposal(L, &p);
	store_proposal_fini(&p);
	return 1;
}

static int proposal_drop(lua_State *L)
{
	struct err_info info = {0};
	return answer(L, store_proposal_drop(to_store(L), luaL_checkstring(L, 2), &info), &info);
}

static bool visit_proposal(void *arg, const struct store_proposal *p)
{
	struct visit *v = arg;
	push_proposal(v->L, p);
	return visited(v);
}

// proposal_each(discussion or nil, function)
static int proposal_each(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	const char *discussion = luaL_optstring(L, 2, NULL);
	struct visit v = begin_visit(L, 3);
	return end_visit(&v, store_proposal_each(s, discussion, visit_proposal, &v, &info), &info);
}

// --- the end of an epoch ------------------------------------------------------------------------------------------------------

static int epoch_end(lua_State *L)
{
	struct err_info info = {0};
	size_t len;
	const char *cut = luaL_checklstring(L, 4, &len);
	return answer(L,
		      store_epoch_end(to_store(L), luaL_checkstring(L, 2), (uint32_t)luaL_checkinteger(L, 3), span(cut, len),
				      &info),
		      &info);
}

static int epoch_cut(lua_State *L)
{
	struct err_info info = {0};
	struct store_epoch epoch;
	enum err e = store_epoch_get(to_store(L), luaL_checkstring(L, 2), (uint32_t)luaL_checkinteger(L, 3), &epoch, &info);
	if (e)
		return answer(L, e, &info);
	if (epoch.cut)
		lua_pushlstring(L, (const char *)epoch.cut->data, epoch.cut->len);
	else
		lua_pushnil(L);
	store_epoch_fini(&epoch);
	return 1;
}

static const luaL_Reg methods[] = {
	{"statement_append", statement_append}, {"statement_sign", statement_sign},
	{"statement_each", statement_each},	{"statement_decide", statement_decide},
	{"statement_each_lie", statement_each_lie},
	{"proposal_put", proposal_put},		{"proposal_get", proposal_get},
	{"proposal_drop", proposal_drop},	{"proposal_each", proposal_each},
	{"epoch_end", epoch_end},		{"epoch_cut", epoch_cut},
	{NULL, NULL},
};

int luaopen_support_store_changes(lua_State *L)
{
	luaL_setfuncs(L, methods, 0);
	return 0;
}
