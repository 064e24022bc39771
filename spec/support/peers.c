// SPDX-License-Identifier: GPL-3.0-or-later
// The neighbours' table for specs: require "support.peers".
//   table(config?): feed(record, source, from?, direct, now), proven, disproven, sweep(now) → lost
//   …
#include "spec/support/endpoint_values.h"

#include "peers/table.h"

#define TABLE "support.peers.table"

int luaopen_support_peers(lua_State *L);

// --- values --------------------------------------------------------------------------------------

static int64_t field_integer(lua_State *L, int index, const char *name, int64_t standard)
{
	lua_getfield(L, index, name);
	int64_t value = luaL_optinteger(L, -1, standard);
	lua_pop(L, 1);
	return value;
}

static bool field_boolean(lua_State *L, int index, const char *name)
{
	lua_getfield(L, index, name);
	bool value = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return value;
}

// Copies all of the string, without adding a NUL where it fills the field: hostile rows are wanted.
static void field_bytes(lua_State *L, int index, const char *name, void *out, size_t size)
{
	size_t len = 0;
	lua_getfield(L, index, name);
	const char *text = luaL_optlstring(L, -1, "", &len);
	memset(out, 0, size);
	memcpy(out, text, len < size ? len : size);
	lua_pop(L, 1);
}

static void set_bool(lua_State *L, const char *name, bool value)
{
	lua_pushboolean(L, value);
	lua_setfield(L, -2, name);
}

static void set_string(lua_State *L, const char *name, const char *value)
{
	lua_pushstring(L, value);
	lua_setfield(L, -2, name);
}

// --- the table -----------------------------------------------------------------------------------

static struct peer_table *check_table(lua_State *L)
{
	struct peer_table **t = luaL_checkudata(L, 1, TABLE);
	return *t;
}

static int table_new(lua_State *L)
{
	struct peer_table_config c = peer_table_standard;
	if (lua_istable(L, 1)) {
		c.entries = (size_t)field_integer(L, 1, "entries", (int64_t)c.entries);
		c.per_source = (size_t)field_integer(L, 1, "per_source", (int64_t)c.per_source);
		c.per_host = (size_t)field_integer(L, 1, "per_host", (int64_t)c.per_host);
		c.online_ms = field_integer(L, 1, "online_ms", c.online_ms);
		c.lifetime_ms = field_integer(L, 1, "lifetime_ms", c.lifetime_ms);
	}
	struct peer_table **t = lua_newuserdatauv(L, sizeof *t, 0);
	*t = peer_table_new(&c);
	luaL_setmetatable(L, TABLE);
	return 1;
}

static int table_free(lua_State *L)
{
	struct peer_table **t = luaL_checkudata(L, 1, TABLE);
	peer_table_free(*t);
	*t = NULL;
	return 0;
}

static int table_set_self(lua_State *L)
{
	peer_table_set_self(check_table(L), luaL_optstring(L, 2, NULL));
	return 0;
}

static enum peer_source check_source(lua_State *L, int index)
{
	enum peer_source source;
	if (peer_source_parse(luaL_checkstring(L, index), &source))
		luaL_argerror(L, index, "no such source");
	return source;
}

static void check_record(lua_State *L, int index, struct peer_record *r)
{
	memset(r, 0, sizeof *r);
	field_bytes(L, index, "fingerprint", r->fingerprint, sizeof r->fingerprint);
	field_bytes(L, index, "name", r->name, sizeof r->name);
	field_bytes(L, index, "key", r->key, sizeof r->key);
	field_bytes(L, index, "certification", r->certification.bytes, HASH_LEN);
	r->since_ms = field_integer(L, index, "since", 0);
	r->sequence = (uint64_t)field_integer(L, index, "sequence", 0);
	r->issued_ms = field_integer(L, index, "issued", 0);
	r->expires_ms = field_integer(L, index, "expires", 0);
	r->listed = field_boolean(L, index, "listed");
	lua_getfield(L, index, "endpoints");
	if (lua_istable(L, -1))
		r->endpoint_count =
			check_endpoints(L, lua_gettop(L), r->endpoints, PEER_ENDPOINTS_MAX);
	lua_pop(L, 1);
}

static int push_outcome(lua_State *L, const struct peer_outcome *o)
{
	lua_newtable(L);
	set_string(L, "verdict", peer_verdict_name(o->verdict));
	set_bool(L, "seen", o->seen);
	set_bool(L, "changed", o->changed);
	set_bool(L, "known", o->known);
	set_bool(L, "wants_proof", o->wants_proof);
	set_string(L, "evicted", o->evicted);
	set_bool(L, "evicted_online", o->evicted_online);
	return 1;
}

static int table_feed(lua_State *L)
{
	struct peer_record r;
	struct addr from;
	bool sent = !lua_isnoneornil(L, 4);
	check_record(L, 2, &r);
	if (sent)
		from = check_endpoint(L, 4);
	struct peer_outcome o =
		peer_table_feed(check_table(L), &r, check_source(L, 3), sent ? &from : NULL,
				lua_toboolean(L, 5), luaL_checkinteger(L, 6));
	return push_outcome(L, &o);
}

static const uint8_t *check_key(lua_State *L, int index)
{
	struct span key = check_span(L, index);
	luaL_argcheck(L, key.len == PEER_KEY_LEN, index, "32 bytes");
	return key.data;
}

static int table_proven(lua_State *L)
{
	struct peer_outcome o =
		peer_table_proven(check_table(L), luaL_checkstring(L, 2), check_key(L, 3),
				  luaL_checkinteger(L, 4), luaL_checkinteger(L, 5));
	return push_outcome(L, &o);
}

static int table_disproven(lua_State *L)
{
	struct hash certification;
	bool was_online;
	memcpy(certification.bytes, check_key(L, 4), HASH_LEN);
	lua_pushboolean(L, peer_table_disproven(check_table(L), luaL_checkstring(L, 2),
						check_key(L, 3), &certification, &was_online));
	lua_pushboolean(L, was_online);
	return 2;
}

static void note_lost(void *arg, const struct peer *p)
{
	lua_State *L = arg;
	lua_pushstring(L, p->fingerprint);
	lua_rawseti(L, -2, luaL_len(L, -2) + 1);
}

static int table_sweep(lua_State *L)
{
	struct peer_table *t = check_table(L);
	int64_t now_ms = luaL_checkinteger(L, 2);
	lua_newtable(L);
	peer_table_sweep(t, now_ms, note_lost, L);
	return 1;
}

static int table_know(lua_State *L)
{
	return answer_ok(
		L, peer_table_know(check_table(L), luaL_checkstring(L, 2), check_source(L, 3)),
		NULL);
}

static int table_pin(lua_State *L)
{
	return answer_ok(
		L, peer_table_pin(check_table(L), luaL_checkstring(L, 2), lua_toboolean(L, 3)),
		NULL);
}

static int table_linked(lua_State *L)
{
	lua_pushboolean(L, peer_table_linked(check_table(L), luaL_checkstring(L, 2),
					     lua_toboolean(L, 3), luaL_checkinteger(L, 4)));
	return 1;
}

static int table_confirm(lua_State *L)
{
	struct addr e = check_endpoint(L, 3);
	lua_pushboolean(L, peer_table_confirm(check_table(L), luaL_checkstring(L, 2), &e,
					      luaL_checkinteger(L, 4)));
	return 1;
}

static int table_fail(lua_State *L)
{
	struct addr e = check_endpoint(L, 3);
	lua_pushboolean(L, peer_table_fail(check_table(L), luaL_checkstring(L, 2), &e));
	return 1;
}

static int table_forget(lua_State *L)
{
	return answer_ok(L, peer_table_forget(check_table(L), luaL_checkstring(L, 2)), NULL);
}

static int push_peer(lua_State *L, const struct peer *p)
{
	if (!p)
		return 0;
	lua_newtable(L);
	set_string(L, "fingerprint", p->fingerprint);
	set_string(L, "name", p->name);
	set_string(L, "source", peer_source_name(p->source));
	lua_pushlstring(L, (const char *)p->key, PEER_KEY_LEN);
	lua_setfield(L, -2, "key");
	set_bool(L, "has_key", p->has_key);
	set_bool(L, "listed", p->listed);
	set_bool(L, "proven", p->proven);
	set_bool(L, "pinned", p->pinned);
	set_bool(L, "known", p->known);
	set_bool(L, "linked", p->linked);
	set_bool(L, "online", p->online);
	set_integer(L, "since", (uint64_t)p->since_ms);
	set_integer(L, "sequence", p->sequence);
	set_integer(L, "expires", (uint64_t)p->expires_ms);
	set_integer(L, "last_seen", (uint64_t)p->last_seen_ms);
	push_list(L, &p->addresses);
	lua_setfield(L, -2, "addresses");
	return 1;
}

static int table_count(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)peer_table_count(check_table(L)));
	return 1;
}

static int table_at(lua_State *L)
{
	return push_peer(L, peer_table_at(check_table(L), (size_t)luaL_checkinteger(L, 2) - 1));
}

static int table_get(lua_State *L)
{
	return push_peer(L, peer_table_get(check_table(L), luaL_checkstring(L, 2)));
}

static int table_find(lua_State *L)
{
	struct err_info info = {0};
	const struct peer *p;
	enum err e = peer_table_find(check_table(L), luaL_checkstring(L, 2), &p, &info);
	return e ? answer_error(L, e, &info) : push_peer(L, p);
}

static int table_candidates(lua_State *L)
{
	lua_pushinteger(L,
			(lua_Integer)peer_table_candidates(check_table(L), luaL_checkstring(L, 2)));
	return 1;
}

static int table_load(lua_State *L)
{
	struct peer row = {0};
	field_bytes(L, 2, "fingerprint", row.fingerprint, sizeof row.fingerprint);
	field_bytes(L, 2, "name", row.name, sizeof row.name);
	field_bytes(L, 2, "key", row.key, sizeof row.key);
	row.has_key = field_boolean(L, 2, "has_key");
	row.proven = field_boolean(L, 2, "proven");
	row.pinned = field_boolean(L, 2, "pinned");
	row.known = field_boolean(L, 2, "known");
	row.linked = field_boolean(L, 2, "linked");
	row.online = field_boolean(L, 2, "online");
	row.since_ms = field_integer(L, 2, "since", 0);
	row.sequence = (uint64_t)field_integer(L, 2, "sequence", 0);
	row.expires_ms = field_integer(L, 2, "expires", 0);
	row.last_seen_ms = field_integer(L, 2, "last_seen", 0);
	row.addresses.count = (size_t)field_integer(L, 2, "address_count", 0);
	row.source = (enum peer_source)field_integer(L, 2, "source", PEER_LAN);
	return answer_ok(L, peer_table_load(check_table(L), &row), NULL);
}

static const luaL_Reg table_methods[] = {
	{"set_self", table_set_self},
	{"feed", table_feed},
	{"proven", table_proven},
	{"disproven", table_disproven},
	{"sweep", table_sweep},
	{"know", table_know},
	{"pin", table_pin},
	{"linked", table_linked},
	{"confirm", table_confirm},
	{"fail", table_fail},
	{"forget", table_forget},
	{"count", table_count},
	{"at", table_at},
	{"get", table_get},
	{"find", table_find},
	{"candidates", table_candidates},
	{"load", table_load},
	{NULL, NULL},
};

static const luaL_Reg functions[] = {{"table", table_new}, {NULL, NULL}};

int luaopen_support_peers(lua_State *L)
{
	object_type(L, TABLE, table_methods, table_free);
	luaL_newlib(L, functions);
	return 1;
}
