// SPDX-License-Identifier: GPL-3.0-or-later
// Streams and links for specs: require "support.net_stream". Callbacks come
// in a table; each gets the object first. Failure returns nil, the error's name and its text.
#include <stdlib.h>

#include "base/mem.h"
#include "net/link.h"
#include "net/stream.h"
#include "spec/support/endpoint_values.h"
#include "wire/frame.h"

#define STREAM "support.stream"
#define LINK "support.link"
#define CONNECT_MS 5000

int luaopen_support_net_stream(lua_State *L);

// As support/patience.lua has it.
static size_t patience(void)
{
	const char *text = getenv("SOTTO_SPEC_PATIENCE");
	double factor = text ? strtod(text, NULL) : 1;
	return factor > 1 ? (size_t)factor : 1;
}

static void plain_callback(struct object *o, const char *name)
{
	lua_State *L = o->L;
	if (object_push(o, name))
		object_call(L, 0);
}

static void ended_callback(struct object *o, const char *why, const struct err_info *info)
{
	lua_State *L = o->L;
	if (!object_push(o, "ended"))
		return;
	lua_pushstring(L, why);
	lua_pushstring(L, err_name(info->code));
	lua_pushstring(L, info->text);
	object_call(L, 3);
}

static bool has_callback(lua_State *L, int index, const char *name)
{
	bool found = lua_getfield(L, index, name) == LUA_TFUNCTION;
	lua_pop(L, 1);
	return found;
}

// --- streams
// --------------------------------------------------------------------------------------

struct support_stream {
	struct object object;
	struct stream *stream;
};

static void stream_connected(void *arg)
{
	plain_callback(arg, "connected");
}

static void stream_input_came(void *arg)
{
	plain_callback(arg, "input");
}

static void stream_input_ended(void *arg)
{
	plain_callback(arg, "input_ended");
}

static void stream_drained(void *arg)
{
	plain_callback(arg, "drained");
}

static void stream_ended(void *arg, enum stream_end why, const struct err_info *info)
{
	ended_callback(arg, stream_end_name(why), info);
}

static struct stream_callbacks stream_callbacks_of(lua_State *L, int index)
{
	return (struct stream_callbacks){
		.connected = has_callback(L, index, "connected") ? stream_connected : NULL,
		.input = stream_input_came,
		.input_ended = has_callback(L, index, "input_ended") ? stream_input_ended : NULL,
		.drained = has_callback(L, index, "drained") ? stream_drained : NULL,
		.ended = stream_ended,
	};
}

static size_t size_field(lua_State *L, int index, const char *name, size_t otherwise)
{
	lua_getfield(L, index, name);
	size_t value = (size_t)luaL_optinteger(L, -1, (lua_Integer)otherwise);
	lua_pop(L, 1);
	return value;
}

static struct stream_options stream_options_of(lua_State *L, int index)
{
	lua_getfield(L, index, "wipe_input");
	bool wipe = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return (struct stream_options){
		.input_max = size_field(L, index, "input_max", 65536),
		.queue_max = size_field(L, index, "queue_max", 1 << 20),
		.wipe_input = wipe,
	};
}

// stream(descriptor, table) or stream(addr, table): the table holds callbacks and options
static int open_stream(lua_State *L)
{
	struct err_info info = {0};
	luaL_checktype(L, 2, LUA_TTABLE);
	struct stream_callbacks callbacks = stream_callbacks_of(L, 2);
	struct stream_options options = stream_options_of(L, 2);
	struct support_stream *s = object_new(L, STREAM, sizeof *s, 2);
	if (lua_isinteger(L, 1)) {
		s->stream = stream_adopt(support_loop(L), (int)lua_tointeger(L, 1), &options,
					 &callbacks, s);
	} else {
		struct addr to = check_endpoint(L, 1);
		enum err e = stream_connect(&s->stream, support_loop(L), &to,
					    (int64_t)size_field(L, 2, "timeout", CONNECT_MS * patience()), &options,
					    &callbacks, s, &info);
		if (e)
			return answer_error(L, e, &info);
	}
	object_keep(L, &s->object);
	return 1;
}

static struct stream *check_stream(lua_State *L)
{
	struct support_stream *s = luaL_checkudata(L, 1, STREAM);
	luaL_argcheck(L, s->stream, 1, "the stream was freed");
	return s->stream;
}

static int free_stream(lua_State *L)
{
	struct support_stream *s = luaL_checkudata(L, 1, STREAM);
	struct stream *stream = s->stream;
	s->stream = NULL;
	stream_free(stream);
	object_drop(&s->object);
	return 0;
}

// take(most): consumes and returns what has come
static int stream_take(lua_State *L)
{
	struct stream *s = check_stream(L);
	struct span in = stream_input(s);
	size_t most = (size_t)luaL_optinteger(L, 2, (lua_Integer)in.len);
	size_t len = most < in.len ? most : in.len;
	lua_pushlstring(L, (const char *)in.data, len);
	stream_consume(s, len);
	return 1;
}

static int stream_buffered(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)stream_input(check_stream(L)).len);
	return 1;
}

static int stream_input_max(lua_State *L)
{
	stream_set_input_max(check_stream(L), (size_t)luaL_checkinteger(L, 2));
	return 0;
}

static int send_on_stream(lua_State *L)
{
	struct stream *s = check_stream(L);
	struct bytes *head = check_bytes(L, 2), *body = check_bytes(L, 3);
	enum err e = body ? stream_send_two(s, head, body) : stream_send(s, head);
	bytes_unref(head);
	bytes_unref(body);
	return answer_ok(L, e, NULL);
}

static int stream_state(lua_State *L)
{
	struct stream *s = check_stream(L);
	const struct stream_counters *c = stream_counters(s);
	lua_newtable(L);
	set_integer(L, "queued", stream_queued(s));
	set_integer(L, "room", stream_room(s));
	set_integer(L, "bytes_in", c->bytes_in);
	set_integer(L, "bytes_out", c->bytes_out);
	set_integer(L, "refused", c->refused);
	lua_pushboolean(L, stream_paused(s));
	lua_setfield(L, -2, "paused");
	push_endpoint(L, stream_remote(s));
	lua_setfield(L, -2, "remote");
	push_endpoint(L, stream_local(s));
	lua_setfield(L, -2, "local");
	return 1;
}

static int pause_stream(lua_State *L)
{
	stream_pause(check_stream(L));
	return 0;
}

static int resume_stream(lua_State *L)
{
	stream_resume(check_stream(L));
	return 0;
}

static int finish_stream(lua_State *L)
{
	stream_finish(check_stream(L));
	return 0;
}

// --- links
// ----------------------------------------------------------------------------------------

struct support_link {
	struct object object;
	struct link *link;
};

static void link_connected(void *arg)
{
	plain_callback(arg, "connected");
}

static void link_frame(void *arg, uint8_t kind, struct span payload, bool encrypted)
{
	struct object *o = arg;
	lua_State *L = o->L;
	if (!object_push(o, "frame"))
		return;
	lua_pushinteger(L, kind);
	lua_pushlstring(L, (const char *)payload.data, payload.len);
	lua_pushboolean(L, encrypted);
	object_call(L, 3);
}

static void link_unreadable(void *arg)
{
	plain_callback(arg, "unreadable");
}

static void link_drained(void *arg)
{
	plain_callback(arg, "drained");
}

static void link_ended(void *arg, enum link_end why, const struct err_info *info)
{
	ended_callback(arg, link_end_name(why), info);
}

static struct link_callbacks link_callbacks_of(lua_State *L, int index)
{
	return (struct link_callbacks){
		.connected = has_callback(L, index, "connected") ? link_connected : NULL,
		.frame = link_frame,
		.unreadable = has_callback(L, index, "unreadable") ? link_unreadable : NULL,
		.drained = has_callback(L, index, "drained") ? link_drained : NULL,
		.ended = link_ended,
	};
}

// link(descriptor, callbacks) or link(addr, callbacks)
static int open_link(lua_State *L)
{
	struct err_info info = {0};
	luaL_checktype(L, 2, LUA_TTABLE);
	struct link_callbacks callbacks = link_callbacks_of(L, 2);
	struct support_link *l = object_new(L, LINK, sizeof *l, 2);
	if (lua_isinteger(L, 1)) {
		l->link = link_adopt(support_loop(L), (int)lua_tointeger(L, 1), &callbacks, l);
	} else {
		struct addr to = check_endpoint(L, 1);
		enum err e = link_connect(&l->link, support_loop(L), &to,
					  (int64_t)size_field(L, 2, "timeout", CONNECT_MS * patience()), &callbacks, l,
					  &info);
		if (e)
			return answer_error(L, e, &info);
	}
	object_keep(L, &l->object);
	return 1;
}

// hand_over(link, callbacks): a new object that owns the link; the old one is of no use any more
static int hand_over(lua_State *L)
{
	struct support_link *old = luaL_checkudata(L, 1, LINK);
	luaL_checktype(L, 2, LUA_TTABLE);
	struct link_callbacks callbacks = link_callbacks_of(L, 2);
	struct support_link *l = object_new(L, LINK, sizeof *l, 2);
	l->link = old->link;
	old->link = NULL;
	object_keep(L, &l->object);
	object_drop(&old->object);
	link_set_callbacks(l->link, &callbacks, l);
	return 1;
}

static struct link *check_link(lua_State *L)
{
	struct support_link *l = luaL_checkudata(L, 1, LINK);
	luaL_argcheck(L, l->link, 1, "the link was freed");
	return l->link;
}

static int free_link(lua_State *L)
{
	struct support_link *l = luaL_checkudata(L, 1, LINK);
	struct link *link = l->link;
	l->link = NULL;
	link_free(link);
	object_drop(&l->object);
	return 0;
}

static int send_on_link(lua_State *L)
{
	struct link *l = check_link(L);
	struct bytes *payload = check_bytes(L, 3);
	enum err e = link_send(l, (uint8_t)luaL_checkinteger(L, 2), payload);
	bytes_unref(payload);
	return answer_ok(L, e, NULL);
}

static int authenticate(lua_State *L)
{
	link_set_authenticated(check_link(L));
	return 0;
}

static int set_cipher(lua_State *L)
{
	link_set_cipher(check_link(L), check_key_or_null(L, 2), check_key_or_null(L, 3));
	return 0;
}

static int set_idle(lua_State *L)
{
	link_set_idle(check_link(L), luaL_checkinteger(L, 2));
	return 0;
}

static int pause_link(lua_State *L)
{
	link_pause(check_link(L));
	return 0;
}

static int resume_link(lua_State *L)
{
	link_resume(check_link(L));
	return 0;
}

static int close_link(lua_State *L)
{
	link_close(check_link(L));
	return 0;
}

static int link_state(lua_State *L)
{
	struct link *l = check_link(L);
	struct link_counters c = link_counters(l);
	lua_newtable(L);
	set_integer(L, "queued", link_queued(l));
	set_integer(L, "room", link_room(l));
	set_integer(L, "bytes_in", c.bytes_in);
	set_integer(L, "bytes_out", c.bytes_out);
	set_integer(L, "frames_in", c.frames_in);
	set_integer(L, "frames_out", c.frames_out);
	set_integer(L, "unreadable", c.unreadable);
	lua_pushboolean(L, link_is_over(l));
	lua_setfield(L, -2, "over");
	set_integer(L, "refused", c.refused);
	push_endpoint(L, link_remote(l));
	lua_setfield(L, -2, "remote");
	push_endpoint(L, link_local(l));
	lua_setfield(L, -2, "local");
	return 1;
}

int luaopen_support_net_stream(lua_State *L)
{
	static const luaL_Reg functions[] = {{"stream", open_stream},  {"link", open_link},
					     {"hand_over", hand_over}, {NULL, NULL}};
	static const luaL_Reg stream_methods[] = {
		{"free", free_stream},
		{"take", stream_take},
		{"buffered", stream_buffered},
		{"send", send_on_stream},
		{"state", stream_state},
		{"pause", pause_stream},
		{"resume", resume_stream},
		{"finish", finish_stream},
		{"set_input_max", stream_input_max},
		{NULL, NULL},
	};
	static const luaL_Reg link_methods[] = {
		{"free", free_link},
		{"send", send_on_link},
		{"authenticate", authenticate},
		{"set_cipher", set_cipher},
		{"set_idle", set_idle},
		{"pause", pause_link},
		{"resume", resume_link},
		{"close", close_link},
		{"state", link_state},
		{NULL, NULL},
	};
	object_type(L, STREAM, stream_methods, free_stream);
	object_type(L, LINK, link_methods, free_link);
	luaL_newlib(L, functions);
	set_integer(L, "STRANGER", FRAME_CAP_STRANGER);
	set_integer(L, "MEMBER", FRAME_CAP_MEMBER);
	set_integer(L, "QUEUE", LINK_QUEUE_MAX);
	return 1;
}
