// SPDX-License-Identifier: GPL-3.0-or-later
// The contact file for specs: require "support.contacts".
//   new(): parse(text), put{host, port, fingerprint, note}, remove(fingerprint), print(cap?),
//          contacts() → {{host, port, fingerprint, note, line}…}, errors() → count, {{line, text}…}
//   address(text) → host, port
#include "spec/support/object.h"

#include "peers/contact_file.h"

#define CONTACTS "support.contacts"

int luaopen_support_contacts(lua_State *L);

static struct contact_file *check_file(lua_State *L)
{
	struct contact_file **f = luaL_checkudata(L, 1, CONTACTS);
	return *f;
}

static int file_new(lua_State *L)
{
	struct contact_file **f = lua_newuserdatauv(L, sizeof *f, 0);
	*f = contact_file_new();
	luaL_setmetatable(L, CONTACTS);
	return 1;
}

static int file_gc(lua_State *L)
{
	struct contact_file **f = luaL_checkudata(L, 1, CONTACTS);
	contact_file_free(*f);
	*f = NULL;
	return 0;
}

static int parse(lua_State *L)
{
	struct err_info info = {0};
	return answer_ok(L, contact_file_parse(check_file(L), check_span(L, 2), &info), &info);
}

static const char *field_string(lua_State *L, const char *name)
{
	lua_getfield(L, 2, name);
	return luaL_optstring(L, -1, "");
}

static int put(lua_State *L)
{
	struct contact c = {0};
	struct err_info info = {0};
	strncpy(c.host, field_string(L, "host"), sizeof c.host - 1);
	strncpy(c.fingerprint, field_string(L, "fingerprint"), sizeof c.fingerprint - 1);
	c.note = field_string(L, "note");
	lua_getfield(L, 2, "port");
	c.port = (uint16_t)luaL_checkinteger(L, -1);
	return answer_ok(L, contact_file_put(check_file(L), &c, &info), &info);
}

static int remove_line(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)contact_file_remove(check_file(L), luaL_checkstring(L, 2)));
	return 1;
}

static int print(lua_State *L)
{
	struct buf out;
	buf_init(&out, (size_t)luaL_optinteger(L, 2, 2 * CONTACT_FILE_MAX));
	enum err e = contact_file_print(check_file(L), &out);
	if (!e)
		lua_pushlstring(L, (const char *)out.data, out.len);
	buf_fini(&out);
	return e ? answer_error(L, e, NULL) : 1;
}

static int contacts(lua_State *L)
{
	struct contact_file *f = check_file(L);
	lua_newtable(L);
	for (size_t i = 0; i < contact_file_count(f); i++) {
		const struct contact *c = contact_file_at(f, i);
		lua_newtable(L);
		lua_pushstring(L, c->host);
		lua_setfield(L, -2, "host");
		set_integer(L, "port", c->port);
		lua_pushstring(L, c->fingerprint);
		lua_setfield(L, -2, "fingerprint");
		lua_pushstring(L, c->note);
		lua_setfield(L, -2, "note");
		set_integer(L, "line", c->line);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int errors(lua_State *L)
{
	struct contact_file *f = check_file(L);
	const struct contact_error *e;
	lua_pushinteger(L, (lua_Integer)contact_file_error_count(f));
	lua_newtable(L);
	for (size_t i = 0; (e = contact_file_error_at(f, i)); i++) {
		lua_newtable(L);
		set_integer(L, "line", e->line);
		lua_pushstring(L, e->text);
		lua_setfield(L, -2, "text");
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 2;
}

static int address(lua_State *L)
{
	char host[CONTACT_HOST_SIZE];
	uint16_t port;
	struct err_info info = {0};
	enum err e = contact_parse_address(luaL_checkstring(L, 1), host, &port, &info);
	if (e)
		return answer_error(L, e, &info);
	lua_pushstring(L, host);
	lua_pushinteger(L, port);
	return 2;
}

static const luaL_Reg methods[] = {
	{"parse", parse}, {"put", put},           {"remove", remove_line},
	{"print", print}, {"contacts", contacts}, {"errors", errors},
	{NULL, NULL},
};

static const luaL_Reg functions[] = {
	{"new", file_new},
	{"address", address},
	{NULL, NULL},
};

int luaopen_support_contacts(lua_State *L)
{
	object_type(L, CONTACTS, methods, file_gc);
	luaL_newlib(L, functions);
	return 1;
}
