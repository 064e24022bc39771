// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/common.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define LOOP_TYPE "sotto.loop.owner"

// addresses of these are keys of the registry
static const char loop_key, handler_key;

lua_State *binding_main(lua_State *L)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
	lua_State *main = lua_tothread(L, -1);
	lua_pop(L, 1);
	return main;
}

static int owner_gc(lua_State *L)
{
	struct loop **owner = luaL_checkudata(L, 1, LOOP_TYPE);
	loop_free(*owner);
	*owner = NULL;
	return 0;
}

struct loop *binding_loop(lua_State *L)
{
	static const luaL_Reg meta[] = {{"__gc", owner_gc}, {NULL, NULL}};
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &loop_key) == LUA_TNIL) {
		lua_pop(L, 1);
		binding_type(L, LOOP_TYPE, NULL, meta);
		struct loop **owner = binding_new(L, LOOP_TYPE, sizeof(struct loop *), 0);
		*owner = loop_new();
		lua_pushvalue(L, -1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &loop_key);
	}
	struct loop **owner = lua_touserdata(L, -1);
	lua_pop(L, 1);
	return *owner;
}

bool binding_loop_made(lua_State *L)
{
	bool made = lua_rawgetp(L, LUA_REGISTRYINDEX, &loop_key) != LUA_TNIL;
	lua_pop(L, 1);
	return made;
}

static int add_traceback(lua_State *L)
{
	const char *text = luaL_tolstring(L, 1, NULL);
	luaL_traceback(L, L, text, 1);
	return 1;
}

void binding_log_lines(const char *what, const char *text)
{
	log_error("%s failed:", what);
	while (*(text += strspn(text, "\t\n"))) {
		size_t len = strcspn(text, "\n");
		log_error("  %.*s", (int)(len > 900 ? 900 : len), text);
		text += len;
	}
}

void binding_set_error_handler(lua_State *L, int index)
{
	lua_pushvalue(L, index);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &handler_key);
}

// the error's text is on top of the stack, and is popped
static void report(lua_State *L, const char *what)
{
	const char *text = lua_tostring(L, -1);
	if (!text)
		text = "an error that is no text";
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &handler_key) == LUA_TFUNCTION) {
		lua_pushfstring(L, "%s failed: %s", what, text);
		if (lua_pcall(L, 1, 0, 0) == LUA_OK) {
			lua_pop(L, 1);
			return;
		}
	}
	lua_pop(L, 1);
	binding_log_lines(what, text);
	lua_pop(L, 1);
}

bool binding_call(lua_State *L, int arguments, int results, const char *what)
{
	int base = lua_gettop(L) - arguments;
	lua_pushcfunction(L, add_traceback);
	lua_insert(L, base);
	int status = lua_pcall(L, arguments, results, base);
	lua_remove(L, base);
	if (status == LUA_OK)
		return true;
	report(L, what);
	return false;
}

int binding_fail(lua_State *L, enum err code, const struct err_info *info)
{
	lua_pushnil(L);
	lua_pushstring(L, info && info->code == code && info->text[0] ? info->text : err_name(code));
	lua_pushstring(L, err_name(code));
	return 3;
}

int binding_result(lua_State *L, enum err code, const struct err_info *info)
{
	if (code)
		return binding_fail(L, code, info);
	lua_pushboolean(L, 1);
	return 1;
}

void binding_type(lua_State *L, const char *type, const luaL_Reg *methods, const luaL_Reg *metamethods)
{
	if (luaL_newmetatable(L, type)) {
		if (metamethods)
			luaL_setfuncs(L, metamethods, 0);
		lua_newtable(L);
		if (methods)
			luaL_setfuncs(L, methods, 0);
		lua_setfield(L, -2, "__index");
	}
	lua_pop(L, 1);
}

void *binding_new(lua_State *L, const char *type, size_t size, int values)
{
	void *p = lua_newuserdatauv(L, size, values);
	memset(p, 0, size);
	luaL_setmetatable(L, type);
	return p;
}

void binding_keep_callback(lua_State *L, int options, const char *name, int slot)
{
	if (lua_getfield(L, options, name) != LUA_TNIL)
		luaL_argcheck(L, lua_isfunction(L, -1), options, name);
	lua_setiuservalue(L, -2, slot);
}

const char *binding_check_path(lua_State *L, int index)
{
	size_t len;
	const char *path = luaL_checklstring(L, index, &len);
	luaL_argcheck(L, len > 0 && strlen(path) == len, index, "not a path");
	return path;
}

void anchor_set(struct anchor *a, lua_State *L, int index)
{
	lua_State *main = binding_main(L);
	lua_pushvalue(L, index);
	int ref = luaL_ref(L, LUA_REGISTRYINDEX);
	anchor_clear(a);
	*a = (struct anchor){.L = main, .ref = ref};
}

void anchor_clear(struct anchor *a)
{
	if (anchor_held(a))
		luaL_unref(a->L, LUA_REGISTRYINDEX, a->ref);
	a->ref = LUA_NOREF;
}

bool anchor_held(const struct anchor *a)
{
	return a->L && a->ref != LUA_NOREF;
}

bool anchor_push(const struct anchor *a)
{
	if (!anchor_held(a) || !lua_checkstack(a->L, LUA_MINSTACK))
		return false;
	lua_rawgeti(a->L, LUA_REGISTRYINDEX, a->ref);
	return true;
}

bool anchor_push_callback(const struct anchor *a, int slot)
{
	if (!anchor_push(a))
		return false;
	int type = lua_getiuservalue(a->L, -1, slot);
	lua_remove(a->L, -2);
	if (type == LUA_TFUNCTION)
		return true;
	lua_pop(a->L, 1);
	return false;
}
