// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/control.h"

#include <string.h>
#include <unistd.h>

#include "bindings/common.h"
#include "bindings/json.h"
#include "net/control.h"
#include "wire/json.h"

#define SERVER_TYPE "sotto.control"
#define CLIENT_TYPE "sotto.control.client"
#define LINE_TYPE "sotto.control.line"

enum { SLOT_OPEN = 1, SLOT_REQUEST, SLOT_DRAINED, SLOT_GONE, SLOTS = SLOT_GONE };

struct server {
	struct anchor self; // held while the socket is open
	struct control *control;
	struct client *first;
};

struct client {
	struct anchor self; // held until the client is gone
	struct control_client *client; // NULL afterwards
	struct client *next, **link;
};

// --- lines that many clients share ----------------------------------------------------------------------------------------------

static struct bytes *line_new(lua_State *L, int index)
{
	size_t len;
	const char *text = luaL_checklstring(L, index, &len);
	luaL_argcheck(L, !memchr(text, '\n', len), index, "a line holds no newline");
	struct bytes *line = bytes_new(text, len + 1);
	line->data[len] = '\n';
	return line;
}

static int line_make(lua_State *L)
{
	struct bytes **box = binding_new(L, LINE_TYPE, sizeof *box, 0);
	*box = line_new(L, 1);
	return 1;
}

static int line_len(lua_State *L)
{
	struct bytes **box = luaL_checkudata(L, 1, LINE_TYPE);
	lua_pushinteger(L, (lua_Integer)(*box)->len);
	return 1;
}

static int line_gc(lua_State *L)
{
	struct bytes **box = luaL_checkudata(L, 1, LINE_TYPE);
	bytes_unref(*box);
	*box = NULL;
	return 0;
}

// --- from the socket into Lua ---------------------------------------------------------------------------------------------------

static struct client *push_new_client(struct server *s, struct control_client *c)
{
	lua_State *L = s->self.L;
	struct client *client = binding_new(L, CLIENT_TYPE, sizeof *client, 0);
	client->client = c;
	client->next = s->first;
	client->link = &s->first;
	if (client->next)
		client->next->link = &client->next;
	s->first = client;
	control_client_set_data(c, client);
	anchor_set(&client->self, L, -1);
	return client;
}

// Pushes the server's callback and the client; false, and nothing pushed, where there is no callback.
static bool push_callback(struct server *s, struct control_client *c, int slot)
{
	struct client *client = control_client_data(c);
	return client && anchor_push_callback(&s->self, slot) && anchor_push(&client->self);
}

static void client_accepted(void *arg, struct control_client *c)
{
	struct server *s = arg;
	lua_State *L = s->self.L;
	if (!lua_checkstack(L, LUA_MINSTACK))
		return;
	push_new_client(s, c);
	lua_pop(L, 1);
	if (push_callback(s, c, SLOT_OPEN))
		binding_call(L, 1, 0, "a client's beginning");
}

static void tell_failure(lua_State *L, enum err code, const struct err_info *info)
{
	binding_fail(L, code, info);
	binding_call(L, 4, 0, "a bad request");
}

static void client_line(void *arg, struct control_client *c, struct span line)
{
	struct server *s = arg;
	lua_State *L = s->self.L;
	struct err_info info = {0};
	if (!push_callback(s, c, SLOT_REQUEST))
		return;
	enum err e = binding_request_push(L, line, &info);
	if (e)
		tell_failure(L, e, &info);
	else
		binding_call(L, 2, 0, "a request");
}

static void client_line_too_long(void *arg, struct control_client *c)
{
	struct server *s = arg;
	struct err_info info;
	if (push_callback(s, c, SLOT_REQUEST))
		tell_failure(s->self.L, err_set(&info, ERR_TOO_LARGE, "a line has at most %u bytes", CONTROL_LINE_MAX),
			     &info);
}

static void client_drained(void *arg, struct control_client *c)
{
	struct server *s = arg;
	if (push_callback(s, c, SLOT_DRAINED))
		binding_call(s->self.L, 1, 0, "a client's queue");
}

static void forget_client(struct client *client)
{
	if (!client->client)
		return;
	control_client_set_data(client->client, NULL);
	client->client = NULL;
	*client->link = client->next;
	if (client->next)
		client->next->link = client->link;
	anchor_clear(&client->self);
}

static void client_gone(void *arg, struct control_client *c)
{
	struct server *s = arg;
	// on the stack the userdata outlives its anchor
	bool tell = push_callback(s, c, SLOT_GONE);
	if (control_client_data(c))
		forget_client(control_client_data(c));
	if (tell)
		binding_call(s->self.L, 1, 0, "a client's end");
}

// --- the server -----------------------------------------------------------------------------------------------------------------

static int server_close(lua_State *L)
{
	struct server *s = luaL_checkudata(L, 1, SERVER_TYPE);
	// control_close tells nobody
	while (s->first)
		forget_client(s->first);
	control_close(s->control);
	s->control = NULL;
	anchor_clear(&s->self);
	return 0;
}

static int server_listen(lua_State *L)
{
	static const struct control_callbacks callbacks = {
		.accepted = client_accepted,
		.line = client_line,
		.line_too_long = client_line_too_long,
		.drained = client_drained,
		.gone = client_gone,
	};
	struct err_info info;
	const char *path = binding_check_path(L, 1);
	luaL_checktype(L, 2, LUA_TTABLE);
	struct loop *loop = binding_loop(L);
	struct server *s = binding_new(L, SERVER_TYPE, sizeof *s, SLOTS);
	binding_keep_callback(L, 2, "open", SLOT_OPEN);
	binding_keep_callback(L, 2, "request", SLOT_REQUEST);
	binding_keep_callback(L, 2, "drained", SLOT_DRAINED);
	binding_keep_callback(L, 2, "gone", SLOT_GONE);
	enum err e = control_open(&s->control, loop, path, geteuid(), &callbacks, s, &info);
	if (e)
		return binding_fail(L, e, &info);
	anchor_set(&s->self, L, -1);
	return 1;
}

static int server_adopt(lua_State *L)
{
	struct server *s = luaL_checkudata(L, 1, SERVER_TYPE);
	int fd = (int)luaL_checkinteger(L, 2);
	luaL_argcheck(L, s->control, 1, "the control socket is closed");
	lua_State *main = s->self.L;
	push_new_client(s, control_adopt(s->control, fd));
	lua_xmove(main, L, main == L ? 0 : 1);
	return 1;
}

// --- a client -------------------------------------------------------------------------------------------------------------------

static struct client *check_client(lua_State *L)
{
	return luaL_checkudata(L, 1, CLIENT_TYPE);
}

static int client_send(lua_State *L)
{
	struct client *c = check_client(L);
	struct bytes **box = luaL_testudata(L, 2, LINE_TYPE);
	struct bytes *line = box ? bytes_ref(*box) : line_new(L, 2);
	enum err e = c->client ? control_send(c->client, line) : ERR_WRONG_STATE;
	bytes_unref(line);
	return binding_result(L, e, NULL);
}

static int client_room(lua_State *L)
{
	struct client *c = check_client(L);
	lua_pushinteger(L, c->client ? (lua_Integer)control_room(c->client) : 0);
	return 1;
}

static int client_queued(lua_State *L)
{
	struct client *c = check_client(L);
	lua_pushinteger(L, c->client ? (lua_Integer)control_queued(c->client) : 0);
	return 1;
}

static int client_pause(lua_State *L)
{
	struct client *c = check_client(L);
	if (c->client)
		control_client_pause(c->client);
	return 0;
}

static int client_resume(lua_State *L)
{
	struct client *c = check_client(L);
	if (c->client)
		control_client_resume(c->client);
	return 0;
}

static int client_close(lua_State *L)
{
	struct client *c = check_client(L);
	if (c->client)
		control_client_close(c->client);
	return 0;
}

static int client_gc(lua_State *L)
{
	forget_client(check_client(L));
	return 0;
}

// --- the module -----------------------------------------------------------------------------------------------------------------

static int parse(lua_State *L)
{
	size_t len;
	struct err_info info = {0};
	const char *text = luaL_checklstring(L, 1, &len);
	enum err e = binding_request_push(L, span(text, len), &info);
	return e ? binding_fail(L, e, &info) : 1;
}

static void register_types(lua_State *L)
{
	static const luaL_Reg line_meta[] = {{"__gc", line_gc}, {"__len", line_len}, {NULL, NULL}};
	static const luaL_Reg server_methods[] = {{"adopt", server_adopt}, {"close", server_close}, {NULL, NULL}};
	static const luaL_Reg server_meta[] = {{"__gc", server_close}, {"__close", server_close}, {NULL, NULL}};
	static const luaL_Reg client_methods[] = {
		{"send", client_send},	 {"room", client_room},	    {"queued", client_queued}, {"pause", client_pause},
		{"resume", client_resume}, {"close", client_close}, {NULL, NULL},
	};
	static const luaL_Reg client_meta[] = {{"__gc", client_gc}, {NULL, NULL}};
	binding_type(L, LINE_TYPE, NULL, line_meta);
	binding_type(L, SERVER_TYPE, server_methods, server_meta);
	binding_type(L, CLIENT_TYPE, client_methods, client_meta);
}

int luaopen_sotto_control(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"listen", server_listen}, {"line", line_make}, {"parse", parse},
		{"secrets", binding_request_set_secrets}, {NULL, NULL},
	};
	json_wipe_on_free();
	// for the marks of arrays and null
	luaL_requiref(L, "sotto.json", luaopen_sotto_json, 0);
	lua_pop(L, 1);
	register_types(L);
	luaL_newlib(L, functions);
	// at which `drained` comes, once there was more
	lua_pushinteger(L, CONTROL_QUEUE_MAX / 2);
	lua_setfield(L, -2, "queue_mark");
	lua_pushinteger(L, CONTROL_LINE_MAX);
	lua_setfield(L, -2, "line_max");
	return 1;
}
