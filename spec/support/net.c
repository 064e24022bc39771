// SPDX-License-Identifier: GPL-3.0-or-later
// Addresses, UDP, listening and UNIX sockets of engine/net for specs: require
// "support.net". Addresses are their texts. Failure returns nil, the error's name and its text.
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "net/listener.h"
#include "net/udp.h"
#include "net/unix.h"
#include "spec/support/endpoint_values.h"

#define UDP "support.udp"
#define LISTENER "support.listener"

int luaopen_support_net(lua_State *L);

// --- addresses
// ------------------------------------------------------------------------------------

static int parse(lua_State *L)
{
	struct addr a;
	struct err_info info = {0};
	enum err e = addr_parse(&a, luaL_checkstring(L, 1), &info);
	if (e)
		return answer_error(L, e, &info);
	push_endpoint(L, &a);
	return 1;
}

static int parse_host(lua_State *L)
{
	struct addr a;
	if (!addr_parse_host(&a, luaL_checkstring(L, 1), 1))
		return 0;
	push_endpoint(L, &a);
	return 1;
}

static int split(lua_State *L)
{
	char host[ADDR_HOST_MAX];
	uint16_t port;
	bool numeric;
	struct err_info info = {0};
	enum err e = addr_split(luaL_checkstring(L, 1), host, &port, &numeric, &info);
	if (e)
		return answer_error(L, e, &info);
	lua_pushstring(L, host);
	lua_pushinteger(L, port);
	lua_pushboolean(L, numeric);
	return 3;
}

static int class_of(lua_State *L)
{
	static const char *const names[] = {"ordinary",  "private",     "loopback", "link-local",
					    "multicast", "unspecified", "reserved"};
	struct addr a = check_endpoint(L, 1);
	lua_pushstring(L, names[addr_class_of(&a)]);
	lua_pushboolean(L, addr_port_is_low(&a));
	return 2;
}

// compare(a, b): equal, same host, same network, same hash under one key
static int compare(lua_State *L)
{
	static const uint8_t key[16] = "0123456789abcde";
	struct addr a = check_endpoint(L, 1), b = check_endpoint(L, 2);
	lua_pushboolean(L, addr_equal(&a, &b));
	lua_pushboolean(L, addr_same_host(&a, &b));
	lua_pushboolean(L, addr_same_network(&a, &b));
	lua_pushboolean(L, addr_hash(&a, key) == addr_hash(&b, key));
	return 4;
}

// through(addr, "v4" | "v6" | "any"): to a socket address and back
static int through(lua_State *L)
{
	static const char *const names[] = {"any", "v4", "v6", NULL};
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
	struct addr a = check_endpoint(L, 1), back;
	struct sockaddr_storage s;
	unsigned len;
	enum err e = addr_to_sockaddr(&a, families[luaL_checkoption(L, 2, "any", names)], &s, &len);
	if (e == OK)
		e = addr_from_sockaddr(&back, (struct sockaddr *)&s);
	if (e)
		return answer_error(L, e, NULL);
	push_endpoint(L, &back);
	lua_pushstring(L, s.ss_family == AF_INET ? "v4" : "v6");
	return 2;
}

// --- UDP
// ------------------------------------------------------------------------------------------

struct support_udp {
	struct object object;
	struct udp *udp;
};

static void received(void *arg, const struct udp_arrival *a)
{
	struct support_udp *u = arg;
	lua_State *L = u->object.L;
	if (!object_push(&u->object, "received"))
		return;
	push_endpoint(L, &a->from);
	lua_pushlstring(L, (const char *)a->datagram.data, a->datagram.len);
	lua_pushboolean(L, a->to_all);
	lua_pushinteger(L, a->interface);
	object_call(L, 4);
}

// udp(addr or descriptor, function(udp, from, datagram, to_all, interface))
static int open_udp(lua_State *L)
{
	struct err_info info = {0};
	enum err e;
	struct support_udp *u = object_new(L, UDP, sizeof *u, 2);
	if (lua_isinteger(L, 1)) {
		e = udp_adopt(&u->udp, support_loop(L), (int)lua_tointeger(L, 1), received, u,
			      &info);
	} else {
		struct addr at = check_endpoint(L, 1);
		e = udp_open(&u->udp, support_loop(L), &at, received, u, &info);
	}
	if (e)
		return answer_error(L, e, &info);
	object_keep(L, &u->object);
	return 1;
}

// ear(group, interface, function as above)
static int open_ear(lua_State *L)
{
	struct err_info info = {0};
	struct addr group = check_endpoint(L, 1);
	struct support_udp *u = object_new(L, UDP, sizeof *u, 3);
	enum err e = udp_open_ear(&u->udp, support_loop(L), &group,
				  (uint32_t)luaL_checkinteger(L, 2), received, u, &info);
	if (e)
		return answer_error(L, e, &info);
	object_keep(L, &u->object);
	return 1;
}

// udp:send_to_all(group, interface, datagram, own?)
static int send_to_all(lua_State *L)
{
	struct support_udp *u = luaL_checkudata(L, 1, UDP);
	struct addr group = check_endpoint(L, 2), own = {0};
	if (!lua_isnoneornil(L, 5))
		own = check_endpoint(L, 5);
	lua_pushboolean(L, udp_send_to_all(u->udp, &group, &own, (uint32_t)luaL_checkinteger(L, 3),
					   check_span(L, 4)));
	return 1;
}

static int send_datagram(lua_State *L)
{
	struct support_udp *u = luaL_checkudata(L, 1, UDP);
	struct addr to = check_endpoint(L, 2);
	lua_pushboolean(L, udp_send(u->udp, &to, check_span(L, 3)));
	return 1;
}

static int udp_where(lua_State *L)
{
	struct support_udp *u = luaL_checkudata(L, 1, UDP);
	push_endpoint(L, udp_addr(u->udp));
	return 1;
}

static int udp_count(lua_State *L)
{
	struct support_udp *u = luaL_checkudata(L, 1, UDP);
	const struct udp_counters *c = udp_counters(u->udp);
	lua_newtable(L);
	set_integer(L, "received", c->received);
	set_integer(L, "received_bytes", c->received_bytes);
	set_integer(L, "sent", c->sent);
	set_integer(L, "sent_bytes", c->sent_bytes);
	set_integer(L, "truncated", c->truncated);
	set_integer(L, "overflowed", c->overflowed);
	set_integer(L, "dropped", c->dropped);
	return 1;
}

static int close_udp(lua_State *L)
{
	struct support_udp *u = luaL_checkudata(L, 1, UDP);
	udp_close(u->udp);
	u->udp = NULL;
	object_drop(&u->object);
	return 0;
}

// --- listener
// -------------------------------------------------------------------------------------

struct support_listener {
	struct object object;
	struct listener *listener;
};

static void accepted(void *arg, int fd, const struct addr *from)
{
	struct support_listener *l = arg;
	lua_State *L = l->object.L;
	if (!object_push(&l->object, "accepted"))
		return;
	lua_pushinteger(L, fd);
	push_endpoint(L, from);
	object_call(L, 2);
}

// listen(addr or descriptor, function(listener, fd, from))
static int open_listener(lua_State *L)
{
	struct err_info info = {0};
	enum err e;
	struct support_listener *l = object_new(L, LISTENER, sizeof *l, 2);
	if (lua_isinteger(L, 1)) {
		e = listener_adopt(&l->listener, support_loop(L), (int)lua_tointeger(L, 1),
				   accepted, l, &info);
	} else {
		struct addr at = check_endpoint(L, 1);
		e = listener_open(&l->listener, support_loop(L), &at, accepted, l, &info);
	}
	if (e)
		return answer_error(L, e, &info);
	object_keep(L, &l->object);
	return 1;
}

static int listener_where(lua_State *L)
{
	struct support_listener *l = luaL_checkudata(L, 1, LISTENER);
	push_endpoint(L, listener_addr(l->listener));
	return 1;
}

static int listener_count(lua_State *L)
{
	struct support_listener *l = luaL_checkudata(L, 1, LISTENER);
	const struct listener_counters *c = listener_counters(l->listener);
	lua_newtable(L);
	set_integer(L, "accepted", c->accepted);
	set_integer(L, "failed", c->failed);
	set_integer(L, "rested", c->rested);
	return 1;
}

static int close_listener(lua_State *L)
{
	struct support_listener *l = luaL_checkudata(L, 1, LISTENER);
	listener_close(l->listener);
	l->listener = NULL;
	object_drop(&l->object);
	return 0;
}

// bind_pair(addr, preferred): tcp, udp, addr
static int bind_both(lua_State *L)
{
	struct addr at = check_endpoint(L, 1);
	struct bound_pair pair;
	struct err_info info = {0};
	enum err e = bind_pair(&pair, &at, (uint16_t)luaL_optinteger(L, 2, 0), &info);
	if (e)
		return answer_error(L, e, &info);
	lua_pushinteger(L, pair.tcp);
	lua_pushinteger(L, pair.udp);
	push_endpoint(L, &pair.addr);
	return 3;
}

// --- UNIX sockets
// ---------------------------------------------------------------------------------

static int listen_unix(lua_State *L)
{
	struct err_info info = {0};
	int fd;
	enum err e = unix_listen(luaL_checkstring(L, 1), &fd, &info);
	if (e)
		return answer_error(L, e, &info);
	lua_pushinteger(L, fd);
	return 1;
}

static int connect_unix(lua_State *L)
{
	struct err_info info = {0};
	int fd;
	enum err e = unix_connect(luaL_checkstring(L, 1), &fd, &info);
	if (e)
		return answer_error(L, e, &info);
	lua_pushinteger(L, fd);
	return 1;
}

static int peer_uid(lua_State *L)
{
	struct err_info info = {0};
	uid_t uid;
	enum err e = unix_peer_uid((int)luaL_checkinteger(L, 1), &uid, &info);
	if (e)
		return answer_error(L, e, &info);
	lua_pushinteger(L, uid);
	return 1;
}

int luaopen_support_net(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"parse", parse},
		{"parse_host", parse_host},
		{"split", split},
		{"class", class_of},
		{"compare", compare},
		{"through", through},
		{"udp", open_udp},
		{"ear", open_ear},
		{"listen", open_listener},
		{"bind_pair", bind_both},
		{"unix_listen", listen_unix},
		{"unix_connect", connect_unix},
		{"unix_peer_uid", peer_uid},
		{NULL, NULL},
	};
	static const luaL_Reg udp_methods[] = {{"send", send_datagram},
					       {"send_to_all", send_to_all},
					       {"addr", udp_where},
					       {"counters", udp_count},
					       {"free", close_udp},
					       {NULL, NULL}};
	static const luaL_Reg listener_methods[] = {{"addr", listener_where},
						    {"counters", listener_count},
						    {"free", close_listener},
						    {NULL, NULL}};
	object_type(L, UDP, udp_methods, close_udp);
	object_type(L, LISTENER, listener_methods, close_listener);
	luaL_newlib(L, functions);
	lua_pushinteger(L, UDP_DATAGRAM_MAX);
	lua_setfield(L, -2, "DATAGRAM_MAX");
	return 1;
}
