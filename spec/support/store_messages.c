// SPDX-License-Identifier: GPL-3.0-or-later
// The part of support.store for messages and their search (store.c).
#include "spec/support/store_values.h"
#include "store/holding.h"
#include "store/search.h"

#define SEARCH "sotto.spec.search"

// --- messages, search ---------------------------------------------------------------------------

static bool get_place(lua_State *L, int index, struct store_place *place)
{
	lua_getfield(L, index, "sequence");
	bool given = !lua_isnil(L, -1);
	lua_pop(L, 1);
	place->epoch = (uint32_t)get_int(L, index, "epoch");
	place->sequence = (uint64_t)get_int(L, index, "sequence");
	place->index = (uint32_t)get_int(L, index, "index");
	return given;
}

static int message_insert(lua_State *L)
{
	struct err_info info = {0};
	struct store_message m = {.time = get_int(L, 2, "time")};
	size_t len;
	get_text(L, 2, "id", m.id, sizeof m.id);
	get_text(L, 2, "discussion", m.discussion, sizeof m.discussion);
	get_text(L, 2, "sender", m.sender, sizeof m.sender);
	get_text(L, 2, "state", m.state, sizeof m.state);
	m.placed = get_place(L, 2, &m.place);
	lua_getfield(L, 2, "text");
	const char *text = luaL_checklstring(L, -1, &len);
	m.text = span(text, len);
	lua_getfield(L, 2, "nonce");
	const char *nonce = luaL_optlstring(L, -1, "", &len);
	m.nonce = span(nonce, len);
	return answer(L, store_message_insert(to_store(L), &m, &info), &info);
}

static bool visit_message(void *arg, const struct store_message *m)
{
	struct visit *v = arg;
	lua_State *L = v->L;
	lua_newtable(L);
	set_text(L, "id", m->id);
	set_text(L, "discussion", m->discussion);
	set_text(L, "sender", m->sender);
	set_text(L, "state", m->state);
	if (m->placed) {
		set_int(L, "epoch", m->place.epoch);
		set_int(L, "sequence", (int64_t)m->place.sequence);
		set_int(L, "index", m->place.index);
	}
	set_int(L, "time", m->time);
	if (m->nonce.len)
		set_span(L, "nonce", m->nonce);
	set_span(L, "text", m->text);
	return visited(v);
}

// message_place(id, state, place?)
static int message_place(lua_State *L)
{
	struct err_info info = {0};
	struct store_place place;
	bool given = lua_istable(L, 4) && get_place(L, 4, &place);
	return answer(L,
		      store_message_place(to_store(L), luaL_checkstring(L, 2),
					  given ? &place : NULL, luaL_checkstring(L, 3), &info),
		      &info);
}

static int message_set_state(lua_State *L)
{
	struct err_info info = {0};
	return answer(L,
		      store_message_set_state(to_store(L), luaL_checkstring(L, 2),
					      luaL_checkstring(L, 3), &info),
		      &info);
}

// message_set_states(discussion, epoch, sender, first, last, state)
static int message_set_states(lua_State *L)
{
	struct err_info info = {0};
	return answer(L,
		      store_message_set_states(to_store(L), luaL_checkstring(L, 2),
					       (uint32_t)luaL_checkinteger(L, 3),
					       luaL_checkstring(L, 4),
					       (uint64_t)luaL_checkinteger(L, 5),
					       (uint64_t)luaL_checkinteger(L, 6),
					       luaL_checkstring(L, 7), &info),
		      &info);
}

static int message_delete(lua_State *L)
{
	struct err_info info = {0};
	return answer(L, store_message_delete(to_store(L), luaL_checkstring(L, 2), &info), &info);
}

static int message_get(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	const char *id = luaL_checkstring(L, 2);
	struct visit v = begin_visit(L, 3);
	enum err e = store_message_get(s, id, visit_message, &v, &info);
	if (!e && !v.failed)
		lua_rawgeti(L, -1, 1);
	return end_visit(&v, e, &info);
}

// message_list(discussion, {after =, before =, limit =}, function?)
static int message_list(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	const char *discussion = luaL_checkstring(L, 2);
	struct store_range range = {.limit = (size_t)get_int(L, 3, "limit")};
	lua_settop(L, 4);
	lua_getfield(L, 3, "after");
	range.after = lua_tostring(L, -1);
	lua_getfield(L, 3, "before");
	range.before = lua_tostring(L, -1);
	struct visit v = begin_visit(L, 4);
	return end_visit(&v, store_message_list(s, discussion, &range, visit_message, &v, &info),
			 &info);
}

static int message_each_waiting(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	const char *discussion = luaL_checkstring(L, 2), *state = luaL_checkstring(L, 3);
	size_t limit = (size_t)luaL_checkinteger(L, 4);
	struct visit v = begin_visit(L, 5);
	return end_visit(&v,
			 store_message_each_waiting(s, discussion, state, limit, visit_message, &v,
						    &info),
			 &info);
}

// message_each_placed(discussion, epoch, sender, first, last, limit)
static int message_each_placed(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	struct visit v = begin_visit(L, 8);
	return end_visit(&v,
			 store_message_each_placed(
				 s, luaL_checkstring(L, 2), (uint32_t)luaL_checkinteger(L, 3),
				 luaL_checkstring(L, 4), (uint64_t)luaL_checkinteger(L, 5),
				 (uint64_t)luaL_checkinteger(L, 6), (size_t)luaL_checkinteger(L, 7),
				 visit_message, &v, &info),
			 &info);
}

static int message_set_read(lua_State *L)
{
	struct err_info info = {0};
	return answer(L,
		      store_message_set_read(to_store(L), luaL_checkstring(L, 2),
					     luaL_checkstring(L, 3), &info),
		      &info);
}

static int message_unread(lua_State *L)
{
	struct err_info info = {0};
	uint32_t count;
	enum err e = store_message_unread(to_store(L), luaL_checkstring(L, 2), &count, &info);
	if (e)
		return answer(L, e, &info);
	lua_pushinteger(L, count);
	return 1;
}

static void name_message(void *arg, const char *id)
{
	lua_State *L = arg;
	lua_pushstring(L, id);
	lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

// hold_beyond, void_beyond (discussion, epoch, sender, cut) → ids
static int beyond(lua_State *L, bool voids)
{
	struct err_info info = {0};
	const char *discussion = luaL_checkstring(L, 2), *sender = luaL_checkstring(L, 4);
	uint32_t epoch = (uint32_t)luaL_checkinteger(L, 3);
	uint64_t cut = (uint64_t)luaL_checkinteger(L, 5);
	lua_newtable(L);
	enum err e = voids ? store_void_beyond(to_store(L), discussion, epoch, sender, cut, name_message, L, &info)
			   : store_hold_beyond(to_store(L), discussion, epoch, sender, cut, name_message, L, &info);
	return e ? answer(L, e, &info) : 1;
}

static int hold_beyond(lua_State *L)
{
	return beyond(L, false);
}

static int void_beyond(lua_State *L)
{
	return beyond(L, true);
}

static int hold_waiting(lua_State *L)
{
	struct err_info info = {0};
	const char *discussion = luaL_checkstring(L, 2);
	lua_newtable(L);
	enum err e = store_hold_waiting(to_store(L), discussion, name_message, L, &info);
	return e ? answer(L, e, &info) : 1;
}

// confirm(discussion, epoch, sender, first, last) → ids
static int confirm(lua_State *L)
{
	struct err_info info = {0};
	const char *discussion = luaL_checkstring(L, 2), *sender = luaL_checkstring(L, 4);
	uint32_t epoch = (uint32_t)luaL_checkinteger(L, 3);
	uint64_t first = (uint64_t)luaL_checkinteger(L, 5), last = (uint64_t)luaL_checkinteger(L, 6);
	lua_newtable(L);
	enum err e = store_confirm(to_store(L), discussion, epoch, sender, first, last, name_message, L, &info);
	return e ? answer(L, e, &info) : 1;
}

// void_drop(id, sender) → whether there was one
static int void_drop(lua_State *L)
{
	struct err_info info = {0};
	bool gone;
	enum err e = store_void_drop(to_store(L), luaL_checkstring(L, 2), luaL_checkstring(L, 3), &gone, &info);
	if (e)
		return answer(L, e, &info);
	lua_pushboolean(L, gone);
	return 1;
}

static int search(lua_State *L)
{
	struct err_info info = {0};
	size_t len;
	const char *query = luaL_checklstring(L, 2, &len);
	const char *discussion = luaL_optstring(L, 3, NULL);
	struct store_search **box = lua_newuserdatauv(L, sizeof *box, 1);
	*box = NULL;
	luaL_setmetatable(L, SEARCH);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	enum err e = store_search_new(box, to_store(L), span(query, len), discussion, &info);
	return e ? answer(L, e, &info) : 1;
}

// slice(rows, limit, function?) → hits, done
static int search_slice(lua_State *L)
{
	struct err_info info = {0};
	struct store_search **box = luaL_checkudata(L, 1, SEARCH);
	size_t rows = (size_t)luaL_checkinteger(L, 2), limit = (size_t)luaL_checkinteger(L, 3);
	bool done = false;
	struct visit v = begin_visit(L, 4);
	enum err e = store_search_slice(*box, rows, limit, visit_message, &v, &done, &info);
	if (e || v.failed)
		return end_visit(&v, e, &info);
	lua_pushboolean(L, done);
	return 2;
}

static int search_free(lua_State *L)
{
	struct store_search **box = luaL_checkudata(L, 1, SEARCH);
	store_search_free(*box);
	*box = NULL;
	return 0;
}

// --- the module ---------------------------------------------------------------------------------

static const luaL_Reg methods[] = {
	{"message_insert", message_insert},
	{"message_place", message_place},
	{"message_set_state", message_set_state},
	{"message_set_states", message_set_states},
	{"message_delete", message_delete},
	{"message_get", message_get},
	{"message_list", message_list},
	{"message_each_waiting", message_each_waiting},
	{"message_each_placed", message_each_placed},
	{"message_set_read", message_set_read},
	{"message_unread", message_unread},
	{"hold_beyond", hold_beyond},
	{"hold_waiting", hold_waiting},
	{"void_beyond", void_beyond},
	{"void_drop", void_drop},
	{"confirm", confirm},
	{"search", search},
	{NULL, NULL},
};

int luaopen_support_store_messages(lua_State *L)
{
	luaL_newmetatable(L, SEARCH);
	lua_pushcfunction(L, search_free);
	lua_setfield(L, -2, "__gc");
	lua_pushvalue(L, -1);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, search_slice);
	lua_setfield(L, -2, "slice");
	lua_pushcfunction(L, search_free);
	lua_setfield(L, -2, "free");
	lua_pop(L, 1);
	luaL_setfuncs(L, methods, 0);
	return 0;
}
