// SPDX-License-Identifier: GPL-3.0-or-later
// The lifecycle for specs, on plain tables: step(table, {type =, reason =, now =}) → table, actions. queue() → q:add(event,
// reason?), q:take() → event, reason; q:put_back(event, reason?).
#include "discussion/lifecycle_queue.h"
#include "spec/support/fields.h"

static const char *const events[LIFECYCLE_EVENT_COUNT + 1] = {
	"accept", "ask_again", "founded", "alone", "left", "end", "link_up", "link_down", "close",
	"closed_by", "deadline", "freeze", "thaw", "leave", "removed", "rolled_back", "restore", NULL,
};
static const char *const actions[] = {
	"save", "end_handshake", "end_transcript", "close_outbox", "abandon_outbox",
	"destroy_key", "dial", "set_deadline", "clear_deadline", "tell_opened",
	"tell_suspended", "tell_resumed", "tell_closed", "tell_refused", "tell_frozen",
};
static const char *const calls[LIFECYCLE_CALL_COUNT + 1] = {
	"accept", "refuse", "send", "close", "forget", "propose", "leave", NULL,
};

static struct lifecycle get(lua_State *L, int t)
{
	struct lifecycle l = {0};
	luaL_checktype(L, t, LUA_TTABLE);
	if (!lifecycle_state_parse((const char *)field_need(L, t, "state").data, &l.state))
		luaL_error(L, "no such state");
	if (!lifecycle_reason_parse((const char *)field_need(L, t, "reason").data, &l.reason))
		luaL_error(L, "no such reason");
	l.founded = field_bool(L, t, "founded");
	l.members = (size_t)field_integer(L, t, "members", 2);
	l.links = (size_t)field_integer(L, t, "links", 0);
	l.window_ms = field_integer(L, t, "window", 0);
	l.opening_ms = field_integer(L, t, "opening", LIFECYCLE_OPENING_MS);
	l.since = field_integer(L, t, "since", 0);
	return l;
}

static void push(lua_State *L, const struct lifecycle *l)
{
	lua_newtable(L);
	put_text(L, "state", lifecycle_state_name(l->state));
	put_text(L, "reason", lifecycle_reason_name(l->reason));
	put_bool(L, "founded", l->founded);
	put_integer(L, "members", (lua_Integer)l->members);
	put_integer(L, "links", (lua_Integer)l->links);
	put_integer(L, "window", l->window_ms);
	put_integer(L, "opening", l->opening_ms);
	put_integer(L, "since", l->since);
}

static int support_begin(lua_State *L)
{
	enum lifecycle_state state;
	if (!lifecycle_state_parse(luaL_checkstring(L, 1), &state))
		return luaL_error(L, "no such state");
	struct lifecycle l = lifecycle_begin(state, luaL_checkinteger(L, 2), luaL_optinteger(L, 3, LIFECYCLE_OPENING_MS));
	push(L, &l);
	return 1;
}

// The actions: a list of names in their order; deadline = ms.
static int support_step(lua_State *L)
{
	struct lifecycle l = get(L, 1);
	struct lifecycle_event e = {0};
	e.type = (enum lifecycle_event_type)field_choice(L, 2, "type", events);
	e.now_ms = field_integer(L, 2, "now", 0);
	struct span reason = field_span(L, 2, "reason");
	if (reason.data && !lifecycle_reason_parse((const char *)reason.data, &e.reason))
		return luaL_error(L, "no such reason");
	struct lifecycle_actions a = lifecycle_step(&l, &e);
	push(L, &l);
	lua_newtable(L);
	for (int i = 0; i < (int)(sizeof actions / sizeof *actions); i++) {
		if (!(a.set & 1u << i))
			continue;
		lua_pushstring(L, actions[i]);
		lua_seti(L, -2, luaL_len(L, -2) + 1);
	}
	if (a.set & LIFECYCLE_SET_DEADLINE)
		put_integer(L, "deadline", a.deadline_ms);
	return 2;
}

// allows(table, call) → true, or nil, code, text
static int support_allows(lua_State *L)
{
	struct lifecycle l = get(L, 1);
	struct err_info info = {0};
	int call = luaL_checkoption(L, 2, NULL, calls);
	enum err e = lifecycle_allows(&l, (enum lifecycle_call)call, &info);
	if (e) {
		lua_pushnil(L);
		lua_pushstring(L, err_name(e));
		lua_pushstring(L, info.text);
		return 3;
	}
	lua_pushboolean(L, 1);
	return 1;
}

// --- the queue of what could not be stored --------------------------------------------------------------------------------------

#define QUEUE "support.lifecycle.queue"

static int queue_new(lua_State *L)
{
	struct lifecycle_queue *q = lua_newuserdatauv(L, sizeof *q, 0);
	*q = (struct lifecycle_queue){0};
	luaL_setmetatable(L, QUEUE);
	return 1;
}

static enum lifecycle_reason check_reason(lua_State *L, int index)
{
	enum lifecycle_reason reason;
	if (!lifecycle_reason_parse(luaL_optstring(L, index, ""), &reason))
		luaL_error(L, "no such reason");
	return reason;
}

static int queue_add(lua_State *L)
{
	struct lifecycle_queue *q = luaL_checkudata(L, 1, QUEUE);
	lifecycle_queue_add(q, (enum lifecycle_event_type)luaL_checkoption(L, 2, NULL, events), check_reason(L, 3));
	return 0;
}

// → event, reason; nil where it is empty
static int queue_take(lua_State *L)
{
	struct lifecycle_queue *q = luaL_checkudata(L, 1, QUEUE);
	enum lifecycle_event_type type;
	enum lifecycle_reason reason;
	if (!lifecycle_queue_take(q, &type, &reason))
		return 0;
	lua_pushstring(L, events[type]);
	lua_pushstring(L, lifecycle_reason_name(reason));
	return 2;
}

static int queue_put_back(lua_State *L)
{
	struct lifecycle_queue *q = luaL_checkudata(L, 1, QUEUE);
	lifecycle_queue_put_back(q, (enum lifecycle_event_type)luaL_checkoption(L, 2, NULL, events), check_reason(L, 3));
	return 0;
}

static void register_queue(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"add", queue_add}, {"take", queue_take}, {"put_back", queue_put_back}, {NULL, NULL}};
	luaL_newmetatable(L, QUEUE);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}

static void push_names(lua_State *L, const char *const *names)
{
	lua_newtable(L);
	for (int i = 0; names[i]; i++) {
		lua_pushstring(L, names[i]);
		lua_seti(L, -2, i + 1);
	}
}

int luaopen_support_lifecycle(lua_State *L);
int luaopen_support_lifecycle(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"begin", support_begin},
		{"step", support_step},
		{"allows", support_allows},
		{"queue", queue_new},
		{NULL, NULL},
	};
	register_queue(L);
	luaL_newlib(L, functions);
	push_names(L, events);
	lua_setfield(L, -2, "events");
	push_names(L, calls);
	lua_setfield(L, -2, "calls");
	return 1;
}
