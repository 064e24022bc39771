// SPDX-License-Identifier: GPL-3.0-or-later
// Addresses, resolving, UDP, listening and UNIX sockets of engine/net for specs: require
// "support.net". Addresses are their texts. Failure returns nil, the error's name and its text.
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "net/addr.h"
#include "net/listener.h"
#include "net/resolve.h"
#include "net/udp.h"
#include "net/unix.h"
#include "spec/support/object.h"

#define RESOLVER "support.resolver"
#define UDP "support.udp"
#define LISTENER "support.listener"

int luaopen_support_net(lua_State *L);

// --- addresses
// ------------------------------------------------------------------------------------

static struct addr check_addr(lua_State *L, int index)
{
	struct addr a;
	const char *text = luaL_checkstring(L, index);
	if (addr_parse(&a, text, NULL) != OK)
		luaL_error(L, "not an address: %s", text);
	return a;
}

static void push_addr(lua_State *L, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];
	lua_pushstring(L, addr_format(a, text));
}

static int parse(lua_State *L)
{
	struct addr a;
	struct err_info info = {0};
	enum err e = addr_parse(&a, luaL_checkstring(L, 1), &info);
	if (e)
		return answer_error(L, e, &info);
	push_addr(L, &a);
	return 1;
}

static int parse_host(lua_State *L)
{
	struct addr a;
	if (!addr_parse_host(&a, luaL_checkstring(L, 1), 1))
		return 0;
	push_addr(L, &a);
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
	struct addr a = check_addr(L, 1);
	lua_pushstring(L, names[addr_class_of(&a)]);
	lua_pushboolean(L, addr_port_is_low(&a));
	return 2;
}

// compare(a, b): equal, same host, same network, same hash under one key
static int compare(lua_State *L)
{
	static const uint8_t key[16] = "0123456789abcde";
	struct addr a = check_addr(L, 1), b = check_addr(L, 2);
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
	struct addr a = check_addr(L, 1), back;
	struct sockaddr_storage s;
	unsigned len;
	enum err e = addr_to_sockaddr(&a, families[luaL_checkoption(L, 2, "any", names)], &s, &len);
	if (e == OK)
		e = addr_from_sockaddr(&back, (struct sockaddr *)&s);
	if (e)
		return answer_error(L, e, NULL);
	push_addr(L, &back);
	lua_pushstring(L, s.ss_family == AF_INET ? "v4" : "v6");
	return 2;
}

// --- resolver
// -------------------------------------------------------------------------------------

struct support_resolver {
	struct object object;
	struct resolver *resolver;
};

struct support_resolve {
	struct support_resolver *owner;
	struct resolve *request;
	int done; // registry reference of the callback
};

static enum err look_up_many(const char *host, struct addr found[RESOLVE_FOUND_MAX], size_t *count)
{
	(void)host;
	for (unsigned i = 0; i < RESOLVE_FOUND_MAX; i++) {
		char text[ADDR_TEXT_MAX];
		snprintf(text, sizeof text, "127.0.1.%u:0", i);
		if (addr_parse(&found[i], text, NULL) != OK)
			return ERR_INTERNAL;
	}
	*count = RESOLVE_FOUND_MAX;
	return OK;
}

static enum err look_up_nothing(const char *host, struct addr found[RESOLVE_FOUND_MAX],
				size_t *count)
{
	(void)host;
	(void)found;
	(void)count;
	return ERR_NOT_FOUND;
}

static enum err look_up_slowly(const char *host, struct addr found[RESOLVE_FOUND_MAX],
			       size_t *count)
{
	const struct timespec pause = {.tv_nsec = 200000000};
	nanosleep(&pause, NULL);
	return look_up_many(host, found, count);
}

static int new_resolver(lua_State *L)
{
	static const char *const names[] = {"system", "many", "nothing", "slow", NULL};
	static resolve_lookup *const lookups[] = {NULL, look_up_many, look_up_nothing,
						  look_up_slowly};
	resolve_lookup *lookup = lookups[luaL_checkoption(L, 1, "system", names)];
	lua_newtable(L);
	struct support_resolver *r = object_new(L, RESOLVER, sizeof *r, -1);
	r->resolver = resolver_new(support_loop(L));
	if (lookup)
		resolver_set_lookup(r->resolver, lookup);
	object_keep(L, &r->object);
	return 1;
}

static void resolved(void *arg, enum err code, const struct err_info *info,
		     const struct addr *found, size_t count)
{
	struct support_resolve *q = arg;
	lua_State *L = q->owner->object.L;
	q->request = NULL;
	lua_pushnil(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, q);
	lua_rawgeti(L, LUA_REGISTRYINDEX, q->done);
	luaL_unref(L, LUA_REGISTRYINDEX, q->done);
	lua_pushstring(L, err_name(code));
	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		push_addr(L, &found[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_pushstring(L, info ? info->text : "");
	object_call(L, 2);
}

// start(host, port, ms, function(code, addresses, text)): a request, for cancel
static int start(lua_State *L)
{
	struct support_resolver *r = luaL_checkudata(L, 1, RESOLVER);
	const char *host = luaL_checkstring(L, 2);
	uint16_t port = (uint16_t)luaL_checkinteger(L, 3);
	lua_Integer ms = luaL_checkinteger(L, 4);
	luaL_checktype(L, 5, LUA_TFUNCTION);
	struct err_info info = {0};
	struct support_resolve *q = lua_newuserdatauv(L, sizeof *q, 0);
	q->owner = r;
	enum err e = resolve_start(&q->request, r->resolver, host, port, ms, resolved, q, &info);
	if (e)
		return answer_error(L, e, &info);
	lua_pushvalue(L, 5);
	q->done = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, q);
	return 1;
}

static int cancel(lua_State *L)
{
	struct support_resolve *q = lua_touserdata(L, 2);
	if (q && q->request)
		resolve_cancel(q->request);
	return 0;
}

static int free_resolver(lua_State *L)
{
	struct support_resolver *r = luaL_checkudata(L, 1, RESOLVER);
	resolver_free(r->resolver);
	r->resolver = NULL;
	object_drop(&r->object);
	return 0;
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
	push_addr(L, &a->from);
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
		struct addr at = check_addr(L, 1);
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
	struct addr group = check_addr(L, 1);
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
	struct addr group = check_addr(L, 2), own = {0};
	if (!lua_isnoneornil(L, 5))
		own = check_addr(L, 5);
	lua_pushboolean(L, udp_send_to_all(u->udp, &group, &own, (uint32_t)luaL_checkinteger(L, 3),
					   check_span(L, 4)));
	return 1;
}

static int send_datagram(lua_State *L)
{
	struct support_udp *u = luaL_checkudata(L, 1, UDP);
	struct addr to = check_addr(L, 2);
	lua_pushboolean(L, udp_send(u->udp, &to, check_span(L, 3)));
	return 1;
}

static int udp_where(lua_State *L)
{
	struct support_udp *u = luaL_checkudata(L, 1, UDP);
	push_addr(L, udp_addr(u->udp));
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
	push_addr(L, from);
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
		struct addr at = check_addr(L, 1);
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
	push_addr(L, listener_addr(l->listener));
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
	struct addr at = check_addr(L, 1);
	struct bound_pair pair;
	struct err_info info = {0};
	enum err e = bind_pair(&pair, &at, (uint16_t)luaL_optinteger(L, 2, 0), &info);
	if (e)
		return answer_error(L, e, &info);
	lua_pushinteger(L, pair.tcp);
	lua_pushinteger(L, pair.udp);
	push_addr(L, &pair.addr);
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
		{"resolver", new_resolver},
		{"udp", open_udp},
		{"ear", open_ear},
		{"listen", open_listener},
		{"bind_pair", bind_both},
		{"unix_listen", listen_unix},
		{"unix_connect", connect_unix},
		{"unix_peer_uid", peer_uid},
		{NULL, NULL},
	};
	static const luaL_Reg resolver_methods[] = {
		{"start", start}, {"cancel", cancel}, {"free", free_resolver}, {NULL, NULL}};
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
	object_type(L, RESOLVER, resolver_methods, free_resolver);
	object_type(L, UDP, udp_methods, close_udp);
	object_type(L, LISTENER, listener_methods, close_listener);
	luaL_newlib(L, functions);
	lua_pushinteger(L, UDP_DATAGRAM_MAX);
	lua_setfield(L, -2, "DATAGRAM_MAX");
	lua_pushinteger(L, RESOLVE_WAITING_MAX);
	lua_setfield(L, -2, "RESOLVE_MAX");
	return 1;
}
