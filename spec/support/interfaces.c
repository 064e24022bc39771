// SPDX-License-Identifier: GPL-3.0-or-later
// The machine's interfaces for specs, and network namespaces to change them in: require
// "support.interfaces".
//   list(max?): {{index, name, loopback, multicast, address, prefix, broadcast?} …}
//   watch(function): told?, free
//   enter(): a new, empty network for this process and what it starts, until leave(). nil and why
//   where it may not. It is gone with the last socket in it: nothing is to be cleared away.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "net/interfaces.h"
#include "spec/support/endpoint_values.h"
#include "spec/support/fields.h"

#define WATCH "support.interfaces.watch"

int luaopen_support_interfaces(lua_State *L);

static int list(lua_State *L)
{
	struct interface found[INTERFACES_MAX];
	size_t count =
		interfaces_list(found, (size_t)luaL_optinteger(L, 1, INTERFACES_MAX));
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		const struct interface *f = &found[i];
		lua_newtable(L);
		put_integer(L, "index", f->index);
		put_text(L, "name", f->name);
		put_bool(L, "loopback", f->loopback);
		put_bool(L, "multicast", f->multicast);
		put_integer(L, "prefix", f->prefix);
		push_endpoint(L, &f->address);
		lua_setfield(L, -2, "address");
		if (addr_class_of(&f->broadcast) != ADDR_UNSPECIFIED) {
			push_endpoint(L, &f->broadcast);
			lua_setfield(L, -2, "broadcast");
		}
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

// --- the watch -----------------------------------------------------------------------------------

struct support_watch {
	struct object object;
	struct interfaces_watch *watch;
};

static void changed(void *arg)
{
	struct support_watch *w = arg;
	if (object_push(&w->object, "changed"))
		object_call(w->object.L, 0);
}

static int watch(lua_State *L)
{
	struct support_watch *w = object_new(L, WATCH, sizeof *w, 1);
	w->watch = interfaces_watch_open(support_loop(L), changed, w);
	object_keep(L, &w->object);
	return 1;
}

static int watch_free(lua_State *L)
{
	struct support_watch *w = luaL_checkudata(L, 1, WATCH);
	interfaces_watch_close(w->watch);
	w->watch = NULL;
	object_drop(&w->object);
	return 0;
}

static int is_told(lua_State *L)
{
	struct support_watch *w = luaL_checkudata(L, 1, WATCH);
	lua_pushboolean(L, interfaces_watch_is_told(w->watch));
	return 1;
}

// --- namespaces ----------------------------------------------------------------------------------

static int outside = -1;

static int enter(lua_State *L)
{
	if (outside < 0)
		outside = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (outside < 0 || unshare(CLONE_NEWNET) != 0) {
		lua_pushnil(L);
		lua_pushstring(L, strerror(errno));
		return 2;
	}
	lua_pushboolean(L, 1);
	return 1;
}

static int leave(lua_State *L)
{
	lua_pushboolean(L, outside < 0 || setns(outside, CLONE_NEWNET) == 0);
	if (outside >= 0)
		close(outside);
	outside = -1;
	return 1;
}

int luaopen_support_interfaces(lua_State *L)
{
	static const luaL_Reg methods[] = {{"told", is_told}, {"free", watch_free}, {NULL, NULL}};
	static const luaL_Reg functions[] = {
		{"list", list}, {"watch", watch}, {"enter", enter}, {"leave", leave}, {NULL, NULL}};
	object_type(L, WATCH, methods, watch_free);
	luaL_newlib(L, functions);
	return 1;
}
