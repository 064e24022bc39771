// SPDX-License-Identifier: GPL-3.0-or-later
// What the machine gives this process: disk, limits, network, GnuPG. Nothing here changes anything; it is what a doctor asks.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/secret.h"
#include "bindings/common.h"
#include "bindings/sys.h"
#include "net/interfaces.h"
#include "net/listener.h"
#include "openpgp/gnupg.h"

static void set_integer(lua_State *L, const char *key, lua_Integer value)
{
	lua_pushinteger(L, value);
	lua_setfield(L, -2, key);
}

static void set_boolean(lua_State *L, const char *key, bool value)
{
	lua_pushboolean(L, value);
	lua_setfield(L, -2, key);
}

static void set_string(lua_State *L, const char *key, const char *value)
{
	lua_pushstring(L, value); // NULL is nil
	lua_setfield(L, -2, key);
}

static int sys_disk(lua_State *L)
{
	struct err_info info;
	struct statvfs st;
	const char *path = binding_check_path(L, 1);
	if (statvfs(path, &st) != 0)
		return binding_fail(L, err_set_errno(&info, errno, "cannot look at the disk of %s", path), &info);
	lua_createtable(L, 0, 5);
	set_integer(L, "size", (lua_Integer)st.f_blocks * (lua_Integer)st.f_frsize);
	set_integer(L, "free", (lua_Integer)st.f_bavail * (lua_Integer)st.f_frsize);
	set_integer(L, "files", (lua_Integer)st.f_files);
	set_integer(L, "files_free", (lua_Integer)st.f_favail);
	set_boolean(L, "read_only", st.f_flag & ST_RDONLY);
	return 1;
}

static int sys_may_write(lua_State *L)
{
	struct err_info info;
	const char *path = binding_check_path(L, 1);
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
		return binding_fail(L, err_set_errno(&info, errno, "cannot write in %s", path), &info);
	lua_pushboolean(L, true);
	return 1;
}

static lua_Integer count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	lua_Integer count = 0;
	while (d && readdir(d))
		count++;
	if (d)
		closedir(d);
	return count > 3 ? count - 3 : 0; // ".", "..", and the directory itself
}

static int sys_descriptors(lua_State *L)
{
	struct rlimit limit;
	struct err_info info;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return binding_fail(L, err_set_errno(&info, errno, "cannot read the limit of descriptors"), &info);
	lua_createtable(L, 0, 3);
	set_integer(L, "limit", (lua_Integer)limit.rlim_cur);
	set_integer(L, "most", (lua_Integer)limit.rlim_max);
	set_integer(L, "used", count_descriptors());
	return 1;
}

static int sys_locks_memory(lua_State *L)
{
	lua_pushboolean(L, secret_memory_locks());
	return 1;
}

static int sys_try_listen(lua_State *L)
{
	struct err_info info;
	struct addr at;
	struct bound_pair pair;
	enum err e = addr_parse(&at, luaL_checkstring(L, 1), &info);
	if (e == OK)
		e = bind_pair(&pair, &at, 0, &info);
	if (e == OK) {
		close(pair.tcp);
		close(pair.udp);
	}
	return binding_result(L, e, &info);
}

static void push_interface(lua_State *L, const struct interface *i)
{
	char text[ADDR_TEXT_MAX];
	lua_createtable(L, 0, 5);
	set_string(L, "name", i->name);
	set_string(L, "address", addr_format(&i->address, text));
	set_boolean(L, "loopback", i->loopback);
	set_boolean(L, "multicast", i->multicast);
	if (addr_class_of(&i->broadcast) != ADDR_UNSPECIFIED)
		set_string(L, "broadcast", addr_format(&i->broadcast, text));
}

static int sys_interfaces(lua_State *L)
{
	struct interface list[INTERFACES_MAX];
	size_t count = interfaces_list(list, INTERFACES_MAX);
	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		push_interface(L, &list[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int sys_gnupg(lua_State *L)
{
	struct gnupg found;
	struct err_info info;
	gnupg_look(&found);
	lua_createtable(L, 0, 5);
	set_string(L, "gpg", found.gpg);
	set_string(L, "version", found.version);
	set_string(L, "agent", found.agent);
	set_string(L, "least", GNUPG_LEAST);
	if (gnupg_check(&found, &info))
		set_string(L, "problem", info.text);
	return 1;
}

const luaL_Reg sys_machine_functions[] = {
	{"disk", sys_disk},
	{"may_write", sys_may_write},
	{"descriptors", sys_descriptors},
	{"locks_memory", sys_locks_memory},
	{"try_listen", sys_try_listen},
	{"interfaces", sys_interfaces},
	{"gnupg", sys_gnupg},
	{NULL, NULL},
};
