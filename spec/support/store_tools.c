// SPDX-License-Identifier: GPL-3.0-or-later
// What the store's specs do behind its back: look into its files with plain SQLite, run a child
// that can be killed, fill the disk. require "support.store_tools"
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "store/inspect.h"
#include "store/migrations.h"
#include "store/seal.h"

int luaopen_support_store_tools(lua_State *L);

static int failure(lua_State *L, enum err e, const struct err_info *info)
{
	lua_pushnil(L);
	lua_pushstring(L, err_name(e));
	lua_pushstring(L, info->text);
	return 3;
}

// --- plain SQLite -------------------------------------------------------------------------------

// inspect(path) → true; or nil, code, text
static int tools_inspect(lua_State *L)
{
	struct err_info info;
	enum err e = store_inspect(luaL_checkstring(L, 1), &info);
	if (e)
		return failure(L, e, &info);
	lua_pushboolean(L, true);
	return 1;
}

static sqlite3 *open_plain(lua_State *L, const char *path)
{
	sqlite3 *db;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL)) {
		lua_pushstring(L, sqlite3_errmsg(db));
		sqlite3_close(db);
		lua_error(L);
	}
	return db;
}

static void push_column(lua_State *L, sqlite3_stmt *stmt, int column)
{
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		lua_pushboolean(L, 0);
	else if (sqlite3_column_type(stmt, column) == SQLITE_INTEGER)
		lua_pushinteger(L, sqlite3_column_int64(stmt, column));
	else
		lua_pushlstring(L, sqlite3_column_blob(stmt, column),
				(size_t)sqlite3_column_bytes(stmt, column));
}

// sql(path, text, blob…) → rows, each a list of columns
static int tools_sql(lua_State *L)
{
	sqlite3_stmt *stmt;
	int rc, top = lua_gettop(L);
	sqlite3 *db = open_plain(L, luaL_checkstring(L, 1));
	rc = sqlite3_prepare_v2(db, luaL_checkstring(L, 2), -1, &stmt, NULL);
	for (int i = 3; i <= top && !rc; i++) {
		size_t len;
		const char *blob = luaL_checklstring(L, i, &len);
		sqlite3_bind_blob64(stmt, i - 2, blob, len, SQLITE_STATIC);
	}
	lua_newtable(L);
	while (!rc && sqlite3_step(stmt) == SQLITE_ROW) {
		lua_newtable(L);
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			push_column(L, stmt, i);
			lua_rawseti(L, -2, i + 1);
		}
		lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
	}
	int ended = sqlite3_finalize(stmt); // of what was never prepared: OK
	lua_pushstring(L, sqlite3_errmsg(db));
	sqlite3_close(db);
	if (rc || ended)
		return lua_error(L);
	lua_pop(L, 1);
	return 1;
}

// migrate(path, {sql…}) → schema version
static int tools_migrate(lua_State *L)
{
	struct migration list[16];
	struct err_info info = {0};
	size_t count = lua_rawlen(L, 2);
	luaL_argcheck(L, count <= 16, 2, "too many");
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, 2, (lua_Integer)i + 1);
		list[i].sql = lua_tostring(L, -1);
	}
	sqlite3 *db = open_plain(L, luaL_checkstring(L, 1));
	enum err e = migrations_run(db, list, count, &info);
	sqlite3_close(db);
	if (e)
		return failure(L, e, &info);
	lua_pushinteger(L, (lua_Integer)count);
	return 1;
}

static int tools_schema(lua_State *L)
{
	lua_newtable(L);
	for (size_t i = 0; i < migration_count; i++) {
		lua_pushstring(L, migrations[i].sql);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

// --- seals --------------------------------------------------------------------------------------

static struct seal_place check_seal_place(lua_State *L, int index)
{
	struct seal_place place = {0};
	size_t count = lua_rawlen(L, index);
	luaL_argcheck(L, count >= 2 && count <= 8, index, "table, column, row…");
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, index, (lua_Integer)i + 1);
		const char *text = lua_tostring(L, -1);
		if (i == 0)
			place.table = text;
		else if (i == 1)
			place.column = text;
		else
			place.row[i - 2] = text;
		lua_pop(L, 1); // the list keeps it
	}
	return place;
}

static const uint8_t *check_seal_key(lua_State *L, int index)
{
	size_t len;
	const char *key = luaL_checklstring(L, index, &len);
	luaL_argcheck(L, len == SEAL_KEY_LEN, index, "32 bytes");
	return (const uint8_t *)key;
}

typedef enum err seal_function(const uint8_t *key, const struct seal_place *place, struct span in,
			       struct buf *out, struct err_info *info);

static enum err close_seal(const uint8_t *key, const struct seal_place *place, struct span in,
			   struct buf *out, struct err_info *info)
{
	enum err e = seal_close(key, place, in, out);
	return e ? err_set(info, e, "seal_close") : OK;
}

static int run_seal(lua_State *L, seal_function *function)
{
	struct err_info info = {0};
	struct buf out;
	size_t len;
	const uint8_t *key = check_seal_key(L, 1);
	const struct seal_place place = check_seal_place(L, 2);
	const char *in = luaL_checklstring(L, 3, &len);
	buf_init(&out, (size_t)luaL_optinteger(L, 4, 1 << 20));
	enum err e = function(key, &place, span(in, len), &out, &info);
	if (!e)
		lua_pushlstring(L, (const char *)out.data, out.len);
	buf_fini(&out);
	return e ? failure(L, e, &info) : 1;
}

static int tools_seal(lua_State *L)
{
	return run_seal(L, close_seal);
}

static int tools_unseal(lua_State *L)
{
	return run_seal(L, seal_open);
}

// --- processes, limits, files -------------------------------------------------------------------

// fork(function(report) … end) → pid, fd of what the child reports (strings). The child ends with
// status 0, or 1 after an error.
static int report(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	int fd = (int)lua_tointeger(L, lua_upvalueindex(1));
	if (write(fd, text, len) != (ssize_t)len)
		return luaL_error(L, "report: %s", strerror(errno));
	return 0;
}

static int tools_fork(lua_State *L)
{
	int pipes[2];
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return luaL_error(L, "pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0) {
		close(pipes[0]);
		lua_pushvalue(L, 1);
		lua_pushinteger(L, pipes[1]);
		lua_pushcclosure(L, report, 1);
		int status = lua_pcall(L, 1, 0, 0);
		if (status)
			fprintf(stderr, "child: %s\n", luaL_tolstring(L, -1, NULL));
		_exit(status ? 1 : 0);
	}
	close(pipes[1]);
	lua_pushinteger(L, pid);
	lua_pushinteger(L, pipes[0]);
	return 2;
}

// read(fd, n) → up to n bytes, blocking; "" at the end
static int tools_read(lua_State *L)
{
	char block[4096];
	size_t want = (size_t)luaL_optinteger(L, 2, sizeof block);
	ssize_t n = read((int)luaL_checkinteger(L, 1), block,
			 want < sizeof block ? want : sizeof block);
	lua_pushlstring(L, block, n > 0 ? (size_t)n : 0);
	return 1;
}

static int tools_close(lua_State *L)
{
	close((int)luaL_checkinteger(L, 1));
	return 0;
}

// kill(pid): SIGKILL; wait(pid) → exit status, or minus the signal
static int tools_kill(lua_State *L)
{
	kill((pid_t)luaL_checkinteger(L, 1), SIGKILL);
	return 0;
}

static int tools_wait(lua_State *L)
{
	int status;
	if (waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0) < 0)
		return luaL_error(L, "waitpid: %s", strerror(errno));
	lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	return 1;
}

// limit_file(bytes): no file of this process grows beyond that, as on a full disk. nil: no limit.
static int tools_limit_file(lua_State *L)
{
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = lua_isnil(L, 1) ? limit.rlim_max : (rlim_t)luaL_checkinteger(L, 1);
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return luaL_error(L, "setrlimit: %s", strerror(errno));
	return 0;
}

static int tools_directory(lua_State *L)
{
	char path[] = "/tmp/sotto-store-XXXXXX";
	if (!mkdtemp(path))
		return luaL_error(L, "mkdtemp: %s", strerror(errno));
	lua_pushstring(L, path);
	return 1;
}

static int tools_make_directory(lua_State *L)
{
	struct err_info info = {0};
	enum err e = directory_make_private(luaL_checkstring(L, 1), &info);
	if (e)
		return failure(L, e, &info);
	lua_pushboolean(L, 1);
	return 1;
}

static int tools_remove(lua_State *L)
{
	struct err_info info = {0};
	enum err e = tree_remove(luaL_checkstring(L, 1), &info);
	if (e)
		return failure(L, e, &info);
	lua_pushboolean(L, 1);
	return 1;
}

static int tools_mode(lua_State *L)
{
	struct stat st;
	if (stat(luaL_checkstring(L, 1), &st) != 0)
		return 0;
	lua_pushinteger(L, st.st_mode & 07777);
	lua_pushinteger(L, st.st_size);
	return 2;
}

static int tools_chmod(lua_State *L)
{
	lua_pushboolean(L, chmod(luaL_checkstring(L, 1), (mode_t)luaL_checkinteger(L, 2)) == 0);
	return 1;
}

static int tools_now(lua_State *L)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	lua_pushnumber(L, (lua_Number)t.tv_sec + (lua_Number)t.tv_nsec / 1e9);
	return 1;
}

int luaopen_support_store_tools(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"sql", tools_sql},
		{"inspect", tools_inspect},
		{"migrate", tools_migrate},
		{"schema", tools_schema},
		{"seal", tools_seal},
		{"unseal", tools_unseal},
		{"fork", tools_fork},
		{"read", tools_read},
		{"close", tools_close},
		{"kill", tools_kill},
		{"wait", tools_wait},
		{"limit_file", tools_limit_file},
		{"directory", tools_directory},
		{"make_directory", tools_make_directory},
		{"remove", tools_remove},
		{"mode", tools_mode},
		{"chmod", tools_chmod},
		{"now", tools_now},
		{NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}
