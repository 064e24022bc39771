// SPDX-License-Identifier: GPL-3.0-or-later
// Finding each other on the LAN, for specs: require "support.lan".
//   place(text?): {off, v4, v6, only, group, port} or nil, name, text
//   paths(text, listen, interfaces): paths, left_out
//   reaches(interface, address)
//   new{discover, listen, interval, seed, limits}: step(event, now) → actions, wait; awaits, paths
// An interface is {index, name, address = "10.0.0.1:0", prefix, broadcast?, loopback?, multicast?}.
#include "spec/support/endpoint_values.h"
#include "spec/support/fields.h"

#include "peers/lan.h"

#define LAN "support.lan.machine"

int luaopen_support_lan(lua_State *L);

struct support_lan {
	struct lan *lan;
	struct limits *limits;
	struct random random;
	struct random_seeded seeded;
};

// --- values --------------------------------------------------------------------------------------

static struct addr field_addr(lua_State *L, int table, const char *name)
{
	struct addr a = {0};
	struct span text = field_span(L, table, name);
	if (text.data && addr_parse(&a, (const char *)text.data, NULL))
		luaL_error(L, "field '%s' is no address", name);
	return a;
}

static void check_interface(lua_State *L, int table, struct interface *out)
{
	*out = (struct interface){0};
	out->index = (uint32_t)field_integer(L, table, "index", 0);
	field_text(L, table, "name", out->name, sizeof out->name);
	out->loopback = field_bool(L, table, "loopback");
	out->multicast = field_bool(L, table, "multicast");
	out->address = field_addr(L, table, "address");
	out->broadcast = field_addr(L, table, "broadcast");
	out->prefix = (unsigned)field_integer(L, table, "prefix", 24);
}

static size_t check_interfaces(lua_State *L, int index, struct interface out[INTERFACES_MAX])
{
	size_t count = (size_t)luaL_len(L, index);
	luaL_argcheck(L, count <= INTERFACES_MAX, index, "too many interfaces");
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, index, (lua_Integer)i + 1);
		check_interface(L, lua_gettop(L), &out[i]);
		lua_pop(L, 1);
	}
	return count;
}

static void put_addr(lua_State *L, const char *name, const struct addr *a)
{
	if (addr_class_of(a) == ADDR_UNSPECIFIED)
		return;
	push_endpoint(L, a);
	lua_setfield(L, -2, name);
}

static void push_path(lua_State *L, const struct lan_path *p)
{
	lua_newtable(L);
	put_integer(L, "interface", p->interface);
	put_text(L, "name", p->name);
	put_addr(L, "own", &p->own);
	put_addr(L, "group", &p->group);
}

static struct lan_place check_place(lua_State *L, const char *text)
{
	struct err_info info;
	struct lan_place place;
	if (lan_place_parse(text, &place, &info))
		luaL_error(L, "%s", info.text);
	return place;
}

// --- where ---------------------------------------------------------------------------------------

static int place_of(lua_State *L)
{
	struct err_info info = {0};
	struct lan_place p;
	enum err e = lan_place_parse(luaL_optstring(L, 1, NULL), &p, &info);
	if (e)
		return answer_error(L, e, &info);
	lua_newtable(L);
	put_bool(L, "off", p.off);
	put_bool(L, "v4", p.v4);
	put_bool(L, "v6", p.v6);
	put_addr(L, "only", &p.only);
	put_addr(L, "group", &p.group);
	put_integer(L, "scope", p.only.scope);
	put_integer(L, "port", p.port);
	return 1;
}

static int paths_of(lua_State *L)
{
	struct lan_place place = check_place(L, luaL_optstring(L, 1, NULL));
	struct addr listen = check_endpoint(L, 2);
	struct interface list[INTERFACES_MAX];
	struct lan_path paths[LAN_PATHS_MAX];
	size_t left_out;
	size_t count = lan_paths(&place, &listen, list, check_interfaces(L, 3, list), paths,
				 &left_out);
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		push_path(L, &paths[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_pushinteger(L, (lua_Integer)left_out);
	return 2;
}

static int reaches(lua_State *L)
{
	struct interface i;
	check_interface(L, 1, &i);
	struct addr a = check_endpoint(L, 2);
	lua_pushboolean(L, interface_reaches(&i, &a));
	return 1;
}

// --- the machine ---------------------------------------------------------------------------------

static int lan_make(lua_State *L)
{
	struct support_lan *s = lua_newuserdatauv(L, sizeof *s, 0);
	*s = (struct support_lan){0};
	luaL_setmetatable(L, LAN);
	struct span discover = field_span(L, 1, "discover");
	struct limits_config limits = limits_standard;
	limits.answers_all.most =
		(size_t)field_integer(L, 1, "answers", (lua_Integer)limits.answers_all.most);
	s->limits = limits_new(&limits);
	s->random = random_from_seed(&s->seeded, (uint64_t)field_integer(L, 1, "seed", 1));
	struct lan_config c = {.place = check_place(L, (const char *)discover.data),
			       .listen = field_addr(L, 1, "listen"),
			       .interval_ms = field_integer(L, 1, "interval", 30000),
			       .random = &s->random,
			       .limits = s->limits};
	s->lan = lan_new(&c);
	return 1;
}

static struct support_lan *check_lan(lua_State *L)
{
	return luaL_checkudata(L, 1, LAN);
}

static int lan_gc(lua_State *L)
{
	struct support_lan *s = check_lan(L);
	lan_free(s->lan);
	limits_free(s->limits);
	s->lan = NULL;
	s->limits = NULL;
	return 0;
}

static void push_action(lua_State *L, const struct lan_action *a)
{
	static const char *const types[] = {"open",	"close",  "renew",  "ask",
					    "announce", "answer", "refused"};
	static const char *const refusals[LAN_REFUSAL_COUNT] = {"source", "same", "all"};
	lua_newtable(L);
	put_text(L, "type", types[a->type]);
	if (a->type == LAN_OPEN || a->type == LAN_ASK || a->type == LAN_ANNOUNCE) {
		push_path(L, &a->path);
		lua_setfield(L, -2, "path");
	}
	if (a->type == LAN_OPEN || a->type == LAN_ASK || a->type == LAN_ANNOUNCE ||
	    a->type == LAN_CLOSE)
		put_integer(L, "slot", (lua_Integer)a->slot);
	if (a->type == LAN_ANSWER)
		put_addr(L, "to", &a->to);
	if (a->type == LAN_REFUSED)
		put_text(L, "why", refusals[a->refused]);
}

// step("interfaces" | "asked" | "unsent" | "deadline", now, …): actions, wait or nil
static int step(lua_State *L)
{
	static const char *const types[] = {"interfaces", "asked", "unsent", "deadline", NULL};
	struct interface list[INTERFACES_MAX];
	struct lan_actions out;
	struct lan_event e = {.type = (enum lan_event_type)luaL_checkoption(L, 2, NULL, types),
			      .now_ms = luaL_checkinteger(L, 3)};
	if (e.type == LAN_EVENT_INTERFACES) {
		e.interfaces.count = check_interfaces(L, 4, list);
		e.interfaces.list = list;
	} else if (e.type == LAN_EVENT_ASKED) {
		e.asked.from = check_endpoint(L, 4);
		e.asked.known = lua_toboolean(L, 5);
		// which record: one of the source's own, unless it is said
		const char *record = luaL_optstring(L, 6, lua_tostring(L, 4));
		const struct hash h = hash_of(span_string(record));
		memcpy(e.asked.record, h.bytes, sizeof e.asked.record);
	} else if (e.type == LAN_EVENT_UNSENT) {
		e.slot = (size_t)luaL_checkinteger(L, 4);
	}
	lan_step(check_lan(L)->lan, &e, &out);
	lua_newtable(L);
	for (size_t i = 0; i < out.count; i++) {
		push_action(L, &out.list[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	if (out.wait_ms < 0)
		lua_pushnil(L);
	else
		lua_pushinteger(L, out.wait_ms);
	return 2;
}

static int awaits(lua_State *L)
{
	struct addr from = check_endpoint(L, 2);
	lua_pushboolean(L, lan_awaits(check_lan(L)->lan, &from, luaL_checkinteger(L, 3)));
	return 1;
}

static int left_out(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)lan_left_out(check_lan(L)->lan));
	return 1;
}

int luaopen_support_lan(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"step", step}, {"awaits", awaits}, {"left_out", left_out}, {NULL, NULL}};
	static const luaL_Reg functions[] = {{"place", place_of},
					     {"paths", paths_of},
					     {"reaches", reaches},
					     {"new", lan_make},
					     {NULL, NULL}};
	object_type(L, LAN, methods, lan_gc);
	luaL_newlib(L, functions);
	return 1;
}
