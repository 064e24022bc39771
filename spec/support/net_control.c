// SPDX-License-Identifier: GPL-3.0-or-later
// The control listener for specs: require "support.net_control". Callbacks come in a table; each
// gets the control, then the client's number.
#include "net/control.h"
#include "spec/support/object.h"

#define CONTROL "support.control"

int luaopen_support_net_control(lua_State *L);

struct support_control {
	struct object object;
	struct control *control;
	struct control_client *clients[256]; // by number
};

static struct control_client *client_at(lua_State *L, struct support_control *s, int index)
{
	lua_Integer id = luaL_checkinteger(L, index);
	luaL_argcheck(L, id > 0 && id < 256 && s->clients[id], index, "no such client");
	return s->clients[id];
}

static void callback(struct support_control *s, const char *name, struct control_client *c)
{
	lua_State *L = s->object.L;
	if (!object_push(&s->object, name))
		return;
	lua_pushinteger(L, (lua_Integer)control_client_id(c));
	object_call(L, 1);
}

static void accepted(void *arg, struct control_client *c)
{
	struct support_control *s = arg;
	s->clients[control_client_id(c) % 256] = c;
	callback(s, "accepted", c);
}

static void line_came(void *arg, struct control_client *c, struct span line)
{
	struct support_control *s = arg;
	lua_State *L = s->object.L;
	if (!object_push(&s->object, "line"))
		return;
	lua_pushinteger(L, (lua_Integer)control_client_id(c));
	lua_pushlstring(L, (const char *)line.data, line.len);
	object_call(L, 2);
}

static void too_long(void *arg, struct control_client *c)
{
	callback(arg, "line_too_long", c);
}

static void drained(void *arg, struct control_client *c)
{
	callback(arg, "drained", c);
}

static void gone(void *arg, struct control_client *c)
{
	struct support_control *s = arg;
	s->clients[control_client_id(c) % 256] = NULL;
	callback(s, "gone", c);
}

// open(path, callbacks, uid)
static int open_control(lua_State *L)
{
	static const struct control_callbacks callbacks = {
		.accepted = accepted,
		.line = line_came,
		.line_too_long = too_long,
		.drained = drained,
		.gone = gone,
	};
	struct err_info info = {0};
	const char *path = luaL_checkstring(L, 1);
	uid_t uid = (uid_t)luaL_checkinteger(L, 3);
	struct support_control *s = object_new(L, CONTROL, sizeof *s, 2);
	enum err e = control_open(&s->control, support_loop(L), path, uid, &callbacks, s, &info);
	if (e)
		return answer_error(L, e, &info);
	object_keep(L, &s->object);
	return 1;
}

static int free_control(lua_State *L)
{
	struct support_control *s = luaL_checkudata(L, 1, CONTROL);
	struct control *control = s->control;
	s->control = NULL;
	control_close(control);
	memset(s->clients, 0, sizeof s->clients);
	object_drop(&s->object);
	return 0;
}

static int adopt(lua_State *L)
{
	struct support_control *s = luaL_checkudata(L, 1, CONTROL);
	struct control_client *c = control_adopt(s->control, (int)luaL_checkinteger(L, 2));
	s->clients[control_client_id(c) % 256] = c;
	lua_pushinteger(L, (lua_Integer)control_client_id(c));
	return 1;
}

// send({client, …}, line): one copy for all of them; the last error
static int send_line(lua_State *L)
{
	struct support_control *s = luaL_checkudata(L, 1, CONTROL);
	struct bytes *line = bytes_new_span(check_span(L, 3));
	enum err e = OK;
	luaL_checktype(L, 2, LUA_TTABLE);
	for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
		enum err one = control_send(client_at(L, s, -1), line);
		e = one ? one : e;
		lua_pop(L, 1);
	}
	bytes_unref(line);
	return answer_ok(L, e, NULL);
}

static int pause_client(lua_State *L)
{
	control_client_pause(client_at(L, luaL_checkudata(L, 1, CONTROL), 2));
	return 0;
}

static int resume_client(lua_State *L)
{
	control_client_resume(client_at(L, luaL_checkudata(L, 1, CONTROL), 2));
	return 0;
}

static int close_client(lua_State *L)
{
	control_client_close(client_at(L, luaL_checkudata(L, 1, CONTROL), 2));
	return 0;
}

// data(client, value): remembers an integer, and returns the one from before
static int data(lua_State *L)
{
	struct control_client *c = client_at(L, luaL_checkudata(L, 1, CONTROL), 2);
	lua_pushinteger(L, (lua_Integer)(intptr_t)control_client_data(c));
	control_client_set_data(c, (void *)(intptr_t)luaL_checkinteger(L, 3));
	return 1;
}

static int queue(lua_State *L)
{
	struct control_client *c = client_at(L, luaL_checkudata(L, 1, CONTROL), 2);
	lua_pushinteger(L, (lua_Integer)control_queued(c));
	lua_pushinteger(L, (lua_Integer)control_room(c));
	return 2;
}

static int counters(lua_State *L)
{
	struct support_control *s = luaL_checkudata(L, 1, CONTROL);
	const struct control_counters *c = control_counters(s->control);
	lua_newtable(L);
	set_integer(L, "clients", control_count(s->control));
	set_integer(L, "accepted", c->accepted);
	set_integer(L, "strangers", c->strangers);
	set_integer(L, "over_cap", c->over_cap);
	set_integer(L, "lines", c->lines);
	set_integer(L, "too_long", c->too_long);
	set_integer(L, "refused", c->refused);
	return 1;
}

int luaopen_support_net_control(lua_State *L)
{
	static const luaL_Reg functions[] = {{"open", open_control}, {NULL, NULL}};
	static const luaL_Reg methods[] = {
		{"free", free_control},
		{"adopt", adopt},
		{"send", send_line},
		{"pause", pause_client},
		{"resume", resume_client},
		{"close", close_client},
		{"data", data},
		{"queue", queue},
		{"counters", counters},
		{NULL, NULL},
	};
	object_type(L, CONTROL, methods, free_control);
	luaL_newlib(L, functions);
	set_integer(L, "LINE_MAX", CONTROL_LINE_MAX);
	set_integer(L, "QUEUE_MAX", CONTROL_QUEUE_MAX);
	set_integer(L, "CLIENTS_MAX", CONTROL_CLIENTS_MAX);
	return 1;
}
