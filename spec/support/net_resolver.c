// SPDX-License-Identifier: GPL-3.0-or-later
// Host names to addresses, for specs: require "support.net_resolver". Failure returns nil, the error's name and its text.
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "net/resolve.h"
#include "spec/support/endpoint_values.h"

#define RESOLVER "support.resolver"

int luaopen_support_net_resolver(lua_State *L);

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

// Look-ups of a resolver "held" wait until the spec lets them go on.
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned generation; // of resolvers "held": those of an earlier one wait no more
	unsigned begun, permits;
	bool open;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void gate_hold(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.generation++;
	gate.begun = gate.permits = 0;
	gate.open = false;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static enum err look_up_held(const char *host, struct addr found[RESOLVE_FOUND_MAX], size_t *count)
{
	// a thread of an earlier spec may begin only now: it has another name
	bool counted = strncmp(host, "counted", strlen("counted")) == 0;
	pthread_mutex_lock(&gate.lock);
	unsigned generation = gate.generation;
	gate.begun += counted;
	while (generation == gate.generation && !gate.open && !(counted && gate.permits))
		pthread_cond_wait(&gate.changed, &gate.lock);
	if (counted && generation == gate.generation && gate.permits)
		gate.permits--;
	pthread_mutex_unlock(&gate.lock);
	return look_up_many(host, found, count);
}

// let_go([count]): so many held look-ups of hosts "counted…" go on; without a number all, and those that come
static int let_go(lua_State *L)
{
	pthread_mutex_lock(&gate.lock);
	gate.open = gate.open || lua_isnoneornil(L, 1);
	gate.permits += (unsigned)luaL_optinteger(L, 1, 0);
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
	return 0;
}

// held_begun(): how many look-ups of hosts "counted…" have begun since the last resolver "held"
static int held_begun(lua_State *L)
{
	pthread_mutex_lock(&gate.lock);
	lua_pushinteger(L, gate.begun);
	pthread_mutex_unlock(&gate.lock);
	return 1;
}

static int new_resolver(lua_State *L)
{
	static const char *const names[] = {"system", "many", "nothing", "held", NULL};
	static resolve_lookup *const lookups[] = {NULL, look_up_many, look_up_nothing,
						  look_up_held};
	resolve_lookup *lookup = lookups[luaL_checkoption(L, 1, "system", names)];
	lua_newtable(L);
	struct support_resolver *r = object_new(L, RESOLVER, sizeof *r, -1);
	r->resolver = resolver_new(support_loop(L));
	if (lookup == look_up_held)
		gate_hold();
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
		push_endpoint(L, &found[i]);
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

int luaopen_support_net_resolver(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"new", new_resolver}, {"let_go", let_go}, {"held_begun", held_begun}, {NULL, NULL}};
	static const luaL_Reg methods[] = {
		{"start", start}, {"cancel", cancel}, {"free", free_resolver}, {NULL, NULL}};
	object_type(L, RESOLVER, methods, free_resolver);
	luaL_newlib(L, functions);
	set_integer(L, "WAITING_MAX", RESOLVE_WAITING_MAX);
	return 1;
}
