// SPDX-License-Identifier: GPL-3.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "bindings/common.h"
#include "bindings/sys.h"

#define LOCK_TYPE "sotto.sys.lock"
#define BOX_TYPE "sotto.sys.buffer"
#define READ_MAX (16u << 20)
#define LIST_MAX 10000
#define LOCK_PATIENCE_MS 1000
#define LOCK_PAUSE_MS 5

static int sys_make_private_directory(lua_State *L)
{
	struct err_info info;
	enum err e = directory_make_private(binding_check_path(L, 1), &info);
	return binding_result(L, e, &info);
}

static int sys_make_temporary_directory(lua_State *L)
{
	struct err_info info;
	const char *prefix = binding_check_path(L, 1);
	char path[PATH_MAX];
	if ((size_t)snprintf(path, sizeof path, "%sXXXXXX", prefix) >= sizeof path)
		return binding_fail(L, err_set(&info, ERR_TOO_LARGE, "the path is too long"), &info);
	if (!mkdtemp(path))
		return binding_fail(L, err_set_errno(&info, errno, "cannot make the directory %s", path), &info);
	lua_pushstring(L, path);
	return 1;
}

static const char *kind_name(mode_t mode)
{
	if (S_ISREG(mode))
		return "file";
	if (S_ISDIR(mode))
		return "directory";
	if (S_ISLNK(mode))
		return "link";
	if (S_ISSOCK(mode))
		return "socket";
	return "other";
}

static void set_integer(lua_State *L, const char *key, lua_Integer value)
{
	lua_pushinteger(L, value);
	lua_setfield(L, -2, key);
}

static int sys_stat(lua_State *L)
{
	struct stat st;
	struct err_info info;
	const char *path = binding_check_path(L, 1);
	bool follow = lua_isnoneornil(L, 2) || lua_toboolean(L, 2);
	if ((follow ? stat(path, &st) : lstat(path, &st)) != 0)
		return binding_fail(L, err_set_errno(&info, errno, "cannot look at %s", path), &info);
	lua_createtable(L, 0, 6);
	lua_pushstring(L, kind_name(st.st_mode));
	lua_setfield(L, -2, "kind");
	set_integer(L, "size", st.st_size);
	set_integer(L, "mode", st.st_mode & 07777);
	set_integer(L, "uid", st.st_uid);
	set_integer(L, "modified", st.st_mtime);
	set_integer(L, "changed", st.st_ctime);
	return 1;
}

static int sys_exists(lua_State *L)
{
	struct stat st;
	lua_pushboolean(L, stat(binding_check_path(L, 1), &st) == 0);
	return 1;
}

static int sys_realpath(lua_State *L)
{
	char path[PATH_MAX];
	struct err_info info;
	const char *given = binding_check_path(L, 1);
	if (!realpath(given, path))
		return binding_fail(L, err_set_errno(&info, errno, "cannot find %s", given), &info);
	lua_pushstring(L, path);
	return 1;
}

static int sys_cwd(lua_State *L)
{
	char path[PATH_MAX];
	struct err_info info;
	if (!getcwd(path, sizeof path))
		return binding_fail(L, err_set_errno(&info, errno, "cannot find the current directory"), &info);
	lua_pushstring(L, path);
	return 1;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum err read_names(const char *path, char ***out, size_t *out_count, struct err_info *info)
{
	DIR *directory = opendir(path);
	char **names = NULL;
	size_t count = 0;
	const struct dirent *entry;
	if (!directory)
		return err_set_errno(info, errno, "cannot list %s", path);
	while (count < LIST_MAX && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (count % 64 == 0)
			names = mem_realloc(names, (count + 64) * sizeof *names);
		names[count++] = mem_dup_string(entry->d_name);
	}
	closedir(directory);
	if (count > 1)
		qsort(names, count, sizeof *names, compare_names);
	*out = names;
	*out_count = count;
	return OK;
}

static int sys_list(lua_State *L)
{
	char **names = NULL;
	size_t count = 0;
	struct err_info info;
	enum err e = read_names(binding_check_path(L, 1), &names, &count, &info);
	if (e)
		return binding_fail(L, e, &info);
	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		lua_pushstring(L, names[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
		free(names[i]);
	}
	free(names);
	return 1;
}

static int box_gc(lua_State *L)
{
	buf_fini(lua_touserdata(L, 1));
	return 0;
}

static int sys_read_file(lua_State *L)
{
	struct err_info info;
	const char *path = binding_check_path(L, 1);
	lua_Integer max = luaL_optinteger(L, 2, READ_MAX);
	luaL_argcheck(L, max >= 0 && max <= (lua_Integer)READ_MAX, 2, "at most 16 MiB");
	struct buf *content = binding_new(L, BOX_TYPE, sizeof *content, 0);
	buf_init(content, (size_t)max);
	enum err e = file_read(path, content, &info);
	if (e)
		return binding_fail(L, e, &info);
	lua_pushlstring(L, (const char *)content->data, content->len);
	buf_fini(content);
	return 1;
}

static int sys_write_file(lua_State *L)
{
	struct err_info info;
	size_t len;
	const char *path = binding_check_path(L, 1);
	const char *text = luaL_checklstring(L, 2, &len);
	lua_Integer mode = luaL_optinteger(L, 3, 0600);
	luaL_argcheck(L, mode >= 0 && mode <= 0777, 3, "not a mode");
	enum err e = file_write_mode(path, span(text, len), (mode_t)mode, &info);
	return binding_result(L, e, &info);
}

static int sys_remove_tree(lua_State *L)
{
	struct err_info info;
	enum err e = tree_remove(binding_check_path(L, 1), &info);
	return binding_result(L, e, &info);
}

// --- one process at a time ------------------------------------------------------------------------------------------------

struct lock {
	int fd; // 0: closed
};

static int lock_release(lua_State *L)
{
	struct lock *lock = luaL_checkudata(L, 1, LOCK_TYPE);
	if (lock->fd)
		close(lock->fd);
	lock->fd = 0;
	return 0;
}

// Who wrote that it holds the lock; 0 where nobody can be read.
static pid_t lock_holder(int fd)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	return n > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

// A process that is killed while it starts another leaves the lock with that one until its exec: a moment, which is waited for.
static enum err lock_wait(int fd, const char *path, struct err_info *info)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000};
	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += LOCK_PAUSE_MS) {
		if (errno != EWOULDBLOCK)
			return err_set_errno(info, errno, "cannot lock %s", path);
		pid_t holder = lock_holder(fd);
		if (holder <= 0 || sys_process_lives(holder) || waited >= LOCK_PATIENCE_MS)
			return err_set(info, ERR_BUSY, "the process %d holds %s", (int)holder, path);
		nanosleep(&pause, NULL);
	}
	return OK;
}

static enum err lock_take(int fd, const char *path, struct err_info *info)
{
	char text[32];
	enum err e = lock_wait(fd, path, info);
	if (e)
		return e;
	// the file's content only tells people who holds it; the lock is what counts
	int len = snprintf(text, sizeof text, "%d\n", (int)getpid());
	if (ftruncate(fd, 0) != 0 || write(fd, text, (size_t)len) != len)
		return err_set_errno(info, errno, "cannot write %s", path);
	return OK;
}

static int sys_lock(lua_State *L)
{
	struct err_info info;
	const char *path = binding_check_path(L, 1);
	struct lock *lock = binding_new(L, LOCK_TYPE, sizeof *lock, 0);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return binding_fail(L, err_set_errno(&info, errno, "cannot open %s", path), &info);
	enum err e = lock_take(fd, path, &info);
	if (e) {
		close(fd);
		return binding_fail(L, e, &info);
	}
	lock->fd = fd;
	return 1;
}

const luaL_Reg sys_file_functions[] = {
	{"make_private_directory", sys_make_private_directory},
	{"make_temporary_directory", sys_make_temporary_directory},
	{"stat", sys_stat},
	{"exists", sys_exists},
	{"realpath", sys_realpath},
	{"cwd", sys_cwd},
	{"list", sys_list},
	{"read_file", sys_read_file},
	{"write_file", sys_write_file},
	{"remove_tree", sys_remove_tree},
	{"lock", sys_lock},
	{NULL, NULL},
};

void sys_file_register(lua_State *L)
{
	static const luaL_Reg lock_methods[] = {{"release", lock_release}, {NULL, NULL}};
	static const luaL_Reg lock_meta[] = {{"__gc", lock_release}, {"__close", lock_release}, {NULL, NULL}};
	static const luaL_Reg box_meta[] = {{"__gc", box_gc}, {NULL, NULL}};
	binding_type(L, LOCK_TYPE, lock_methods, lock_meta);
	binding_type(L, BOX_TYPE, NULL, box_meta);
}
