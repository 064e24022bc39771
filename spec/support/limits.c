// SPDX-License-Identifier: GPL-3.0-or-later
// Limits and proving for specs: require "support.limits".
//   limits(config?): take(kind, from, known, now), wait(…), half_open_take(from, known) …
//   prove(limits, config?): submit{…} → answer, next(now) → check or nil, wait; done(check,
//   verdict)
#include "spec/support/endpoint_values.h"

#include "peers/prove.h"

#define LIMITS "support.limits"
#define PROVE "support.limits.prove"

int luaopen_support_limits(lua_State *L);

static const char *const kinds[] = {"hear", "lan", "probe", "gpg", "list", "introduce", "fetch", "invite", "tell", NULL};
static const char *const answers[] = {"pass", "source", "host", "all"};

static void set_size(lua_State *L, int index, const char *name, size_t *out)
{
	if (!lua_istable(L, index))
		return;
	lua_getfield(L, index, name);
	if (!lua_isnil(L, -1))
		*out = (size_t)luaL_checkinteger(L, -1);
	lua_pop(L, 1);
}

// --- limits --------------------------------------------------------------------------------------

static struct limits *check_limits(lua_State *L, int index)
{
	struct limits **l = luaL_checkudata(L, index, LIMITS);
	return *l;
}

static int limits_make(lua_State *L)
{
	struct limits_config c = limits_standard;
	set_size(L, 1, "sources", &c.sources);
	set_size(L, 1, "half_open", &c.half_open);
	set_size(L, 1, "half_open_source", &c.half_open_source);
	set_size(L, 1, "half_open_known", &c.half_open_known);
	set_size(L, 1, "requests", &c.requests);
	set_size(L, 1, "requests_known", &c.requests_known);
	if (lua_istable(L, 1) && lua_getfield(L, 1, "unlimited") == LUA_TBOOLEAN)
		for (size_t i = c.answers_all.most = 0; i < LIMIT_KIND_COUNT; i++)
			c.all[i].period_ms = 0;
	struct limits **l = lua_newuserdatauv(L, sizeof *l, 0);
	*l = limits_new(&c);
	luaL_setmetatable(L, LIMITS);
	return 1;
}

static int limits_gc(lua_State *L)
{
	struct limits **l = luaL_checkudata(L, 1, LIMITS);
	limits_free(*l);
	*l = NULL;
	return 0;
}

static enum limit_kind check_kind(lua_State *L, int index)
{
	return (enum limit_kind)luaL_checkoption(L, index, NULL, kinds);
}

static int push_answer(lua_State *L, enum limit_answer answer)
{
	lua_pushstring(L, answers[answer]);
	return 1;
}

static int take(lua_State *L)
{
	struct addr from = check_endpoint(L, 3);
	return push_answer(L, limits_take(check_limits(L, 1), check_kind(L, 2), &from,
					  lua_toboolean(L, 4), luaL_checkinteger(L, 5)));
}

static int wait_ms(lua_State *L)
{
	struct addr from = check_endpoint(L, 3);
	lua_pushinteger(L, limits_wait_ms(check_limits(L, 1), check_kind(L, 2), &from,
					  lua_toboolean(L, 4), luaL_checkinteger(L, 5)));
	return 1;
}

static int half_open_take(lua_State *L)
{
	struct addr from = check_endpoint(L, 2);
	return push_answer(L,
			   limits_half_open_take(check_limits(L, 1), &from, lua_toboolean(L, 3)));
}

static int half_open_give(lua_State *L)
{
	struct addr from = check_endpoint(L, 2);
	limits_half_open_give(check_limits(L, 1), &from, lua_toboolean(L, 3));
	return 0;
}

static int request_take(lua_State *L)
{
	return push_answer(L, limits_request_take(check_limits(L, 1), luaL_checkstring(L, 2),
						  lua_toboolean(L, 3)));
}

static int request_give(lua_State *L)
{
	limits_request_give(check_limits(L, 1), luaL_checkstring(L, 2));
	return 0;
}

static int sizes(lua_State *L)
{
	struct limits *l = check_limits(L, 1);
	lua_newtable(L);
	for (size_t i = 0; i < LIMIT_KIND_COUNT; i++)
		set_integer(L, kinds[i], limits_sources(l, (enum limit_kind)i));
	set_integer(L, "half_open", limits_half_open(l));
	set_integer(L, "requests", limits_requests(l));
	return 1;
}

// --- proving -------------------------------------------------------------------------------------

static struct prove *check_prove(lua_State *L)
{
	struct prove **p = luaL_checkudata(L, 1, PROVE);
	return *p;
}

static int prove_make(lua_State *L)
{
	struct prove_config c = prove_standard;
	struct limits *limits = check_limits(L, 1);
	set_size(L, 2, "queue", &c.queue);
	set_size(L, 2, "queue_known", &c.queue_known);
	set_size(L, 2, "per_source", &c.per_source);
	set_size(L, 2, "per_host", &c.per_host);
	set_size(L, 2, "parallel", &c.parallel);
	set_size(L, 2, "remembered", &c.remembered);
	set_size(L, 2, "size_max", &c.size_max);
	struct prove **p = lua_newuserdatauv(L, sizeof *p, 1);
	*p = prove_new(&c, limits);
	luaL_setmetatable(L, PROVE);
	lua_pushvalue(L, 1); // the limits live as long
	lua_setiuservalue(L, -2, 1);
	return 1;
}

static int prove_gc(lua_State *L)
{
	struct prove **p = luaL_checkudata(L, 1, PROVE);
	prove_free(*p);
	*p = NULL;
	return 0;
}

static struct bytes *field_bytes(lua_State *L, int index, const char *name)
{
	lua_getfield(L, index, name);
	struct bytes *b = check_bytes(L, -1);
	lua_pop(L, 1);
	return b;
}

static int submit(lua_State *L)
{
	static const char *const names[] = {"good", "bad", "queued", "waiting", "full"};
	struct prove_check c = {0};
	struct prove *p = check_prove(L);
	lua_getfield(L, 2, "fingerprint");
	memcpy(c.fingerprint, luaL_checkstring(L, -1), PEER_FINGERPRINT_SIZE);
	lua_getfield(L, 2, "key");
	memcpy(c.key, luaL_checkstring(L, -1), PEER_KEY_LEN);
	lua_getfield(L, 2, "since");
	c.since_ms = luaL_checkinteger(L, -1);
	lua_getfield(L, 2, "from");
	c.source = check_endpoint(L, lua_gettop(L));
	lua_getfield(L, 2, "known");
	c.known = lua_toboolean(L, -1);
	c.certification = field_bytes(L, 2, "certification");
	c.certificate = field_bytes(L, 2, "certificate");
	lua_pushstring(L, names[prove_submit(p, &c)]);
	bytes_unref(c.certification);
	bytes_unref(c.certificate);
	return 1;
}

static int next_check(lua_State *L)
{
	int64_t wait;
	const struct prove_check *c = prove_next(check_prove(L), luaL_checkinteger(L, 2), &wait);
	if (!c) {
		lua_pushnil(L);
		lua_pushinteger(L, wait);
		return 2;
	}
	lua_newtable(L);
	lua_pushlightuserdata(L, (void *)c);
	lua_setfield(L, -2, "handle");
	lua_pushstring(L, c->fingerprint);
	lua_setfield(L, -2, "fingerprint");
	lua_pushlstring(L, (const char *)c->certification->data, c->certification->len);
	lua_setfield(L, -2, "certification");
	return 1;
}

static int done(lua_State *L)
{
	static const char *const verdicts[] = {"good", "bad", "undecided", NULL};
	lua_getfield(L, 2, "handle");
	prove_done(check_prove(L), lua_touserdata(L, -1),
		   (enum prove_verdict)luaL_checkoption(L, 3, NULL, verdicts));
	return 0;
}

static int counts(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)prove_queued(check_prove(L)));
	lua_pushinteger(L, (lua_Integer)prove_running(check_prove(L)));
	return 2;
}

static const luaL_Reg limits_methods[] = {
	{"take", take},
	{"wait", wait_ms},
	{"half_open_take", half_open_take},
	{"half_open_give", half_open_give},
	{"request_take", request_take},
	{"request_give", request_give},
	{"sizes", sizes},
	{NULL, NULL},
};

static const luaL_Reg prove_methods[] = {
	{"submit", submit}, {"next", next_check}, {"done", done}, {"counts", counts}, {NULL, NULL},
};

static const luaL_Reg functions[] = {
	{"limits", limits_make},
	{"prove", prove_make},
	{NULL, NULL},
};

int luaopen_support_limits(lua_State *L)
{
	object_type(L, LIMITS, limits_methods, limits_gc);
	object_type(L, PROVE, prove_methods, prove_gc);
	luaL_newlib(L, functions);
	return 1;
}
