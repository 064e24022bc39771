// SPDX-License-Identifier: GPL-3.0-or-later
// Files beneath a folder, for whoever was given that folder and nothing else: the kernel walks the path and lets nothing lead out of
// it, no "..", no link, no mount of /proc. Only regular files are opened, and nobody waits for one.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "bindings/common.h"
#include "bindings/sys.h"

#define READ_MAX (1 << 20)
#define LIST_MAX 1000

// the folder at index 1 and the path within it at index 2
struct place {
	const char *root, *path;
};

static struct place check_place(lua_State *L)
{
	return (struct place){.root = binding_check_path(L, 1), .path = binding_check_path(L, 2)};
}

static int open_beneath(const struct place *p, const char *path, uint64_t flags)
{
	const struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		.mode = flags & O_CREAT ? 0600 : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int root = open(p->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how), number = errno;
	close(root);
	errno = number;
	return fd;
}

static enum err refuse(const struct place *p, const char *what, struct err_info *info)
{
	if (errno == EXDEV || errno == ELOOP)
		return err_set(info, ERR_REFUSED, "cannot %s %s: it leads out of what was granted", what, p->path);
	return err_set_errno(info, errno, "cannot %s %s", what, p->path);
}

static enum err open_regular(const struct place *p, const char *what, uint64_t flags, int *out, struct stat *st, struct err_info *info)
{
	int fd = open_beneath(p, p->path, flags);
	if (fd < 0)
		return refuse(p, what, info);
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode)) {
		*out = fd;
		return OK;
	}
	close(fd);
	return err_set(info, ERR_WRONG_STATE, "cannot %s %s: it is no file", what, p->path);
}

// beneath_read(root, path, offset, most) → text, size of the file
static int beneath_read(lua_State *L)
{
	struct err_info info;
	struct stat st;
	const struct place p = check_place(L);
	lua_Integer offset = luaL_checkinteger(L, 3), most = luaL_checkinteger(L, 4);
	int fd = -1;
	luaL_argcheck(L, offset >= 0, 3, "not negative");
	luaL_argcheck(L, most >= 0 && most <= READ_MAX, 4, "at most 1 MiB");
	enum err e = open_regular(&p, "read", O_RDONLY, &fd, &st, &info);
	if (e)
		return binding_fail(L, e, &info);
	char *text = mem_alloc((size_t)most + 1);
	ssize_t n = pread(fd, text, (size_t)most, (off_t)offset);
	int number = errno;
	close(fd);
	if (n < 0) {
		free(text);
		return binding_fail(L, err_set_errno(&info, number, "cannot read %s", p.path), &info);
	}
	lua_pushlstring(L, text, (size_t)n);
	free(text);
	lua_pushinteger(L, st.st_size);
	return 2;
}

static enum err write_text(int fd, const char *text, size_t len, const struct place *p, struct err_info *info)
{
	return file_write_all(fd, span(text, len)) ? err_set_errno(info, errno, "cannot write %s", p->path) : OK;
}

// beneath_append(root, path, text, most): the file has at most so many bytes afterwards
static int beneath_append(lua_State *L)
{
	struct err_info info;
	struct stat st;
	size_t len;
	const struct place p = check_place(L);
	const char *text = luaL_checklstring(L, 3, &len);
	lua_Integer most = luaL_checkinteger(L, 4);
	int fd = -1;
	enum err e = open_regular(&p, "write", O_WRONLY | O_APPEND | O_CREAT, &fd, &st, &info);
	if (!e && (lua_Integer)len > most - st.st_size)
		e = err_set(&info, ERR_TOO_LARGE, "%s would be larger than a script's file may be", p.path);
	if (!e)
		e = write_text(fd, text, len, &p, &info);
	if (fd >= 0)
		close(fd);
	return binding_result(L, e, &info);
}

// the folder that the path's last part is in, opened; *name: that part
static enum err open_parent(const struct place *p, const char **name, int *out, struct err_info *info)
{
	const char *slash = strrchr(p->path, '/');
	char *folder = slash ? mem_dup(p->path, (size_t)(slash - p->path) + 1) : mem_dup_string(".");
	if (slash)
		folder[slash - p->path] = 0;
	*name = slash ? slash + 1 : p->path;
	int fd = open_beneath(p, *folder ? folder : ".", O_RDONLY | O_DIRECTORY);
	enum err e = fd < 0 ? refuse(p, "write", info) : OK;
	free(folder);
	if (!e && (**name == 0 || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)) {
		close(fd);
		return err_set(info, ERR_BAD_PARAMS, "%s is no name of a file", p->path);
	}
	if (!e)
		*out = fd;
	return e;
}

static enum err replace(const struct place *p, const char *text, size_t len, struct err_info *info)
{
	static unsigned count;
	const char *name;
	char fresh[64];
	struct stat st;
	int folder = -1;
	enum err e = open_parent(p, &name, &folder, info);
	if (e)
		return e;
	snprintf(fresh, sizeof fresh, ".sotto-%d-%u", (int)getpid(), count++);
	bool there = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (there && !S_ISREG(st.st_mode))
		e = err_set(info, ERR_WRONG_STATE, "cannot write %s: it is no file", p->path);
	int fd = e ? -1 : openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (!e && fd < 0)
		e = err_set_errno(info, errno, "cannot write %s", p->path);
	if (!e)
		e = write_text(fd, text, len, p, info);
	if (!e && there && fchmod(fd, st.st_mode & 0777) != 0)
		e = err_set_errno(info, errno, "cannot write %s", p->path);
	if (fd >= 0 && close(fd) != 0 && !e)
		e = err_set_errno(info, errno, "cannot write %s", p->path);
	if (!e && renameat(folder, fresh, folder, name) != 0)
		e = err_set_errno(info, errno, "cannot write %s", p->path);
	if (e && fd >= 0)
		unlinkat(folder, fresh, 0);
	close(folder);
	return e;
}

// beneath_write(root, path, text): the old or the new content, never a mixture
static int beneath_write(lua_State *L)
{
	struct err_info info;
	size_t len;
	const struct place p = check_place(L);
	const char *text = luaL_checklstring(L, 3, &len);
	enum err e = replace(&p, text, len, &info);
	return binding_result(L, e, &info);
}

static int beneath_remove(lua_State *L)
{
	struct err_info info;
	struct stat st;
	const struct place p = check_place(L);
	const char *name;
	int folder = -1;
	enum err e = open_parent(&p, &name, &folder, &info);
	if (!e && (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || unlinkat(folder, name, 0) != 0))
		e = err_set_errno(&info, errno, "cannot remove %s", p.path);
	if (folder >= 0)
		close(folder);
	return binding_result(L, e, &info);
}

static void push_entry(lua_State *L, int folder, const char *name)
{
	struct stat st;
	bool known = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	const char *kind = known && S_ISREG(st.st_mode) ? "file" : known && S_ISDIR(st.st_mode) ? "directory" : "other";
	lua_createtable(L, 0, 4);
	lua_pushstring(L, name);
	lua_setfield(L, -2, "name");
	lua_pushstring(L, kind);
	lua_setfield(L, -2, "kind");
	lua_pushinteger(L, known ? st.st_size : 0);
	lua_setfield(L, -2, "size");
	lua_pushinteger(L, known ? st.st_mtime : 0);
	lua_setfield(L, -2, "modified");
}

// beneath_list(root, path) → {name, kind, size, modified}[], in the directory's own order
static int beneath_list(lua_State *L)
{
	struct err_info info;
	const struct place p = check_place(L);
	const struct dirent *entry;
	int fd = open_beneath(&p, p.path, O_RDONLY | O_DIRECTORY);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (!directory) {
		enum err e = refuse(&p, "list", &info);
		if (fd >= 0)
			close(fd);
		return binding_fail(L, e, &info);
	}
	lua_newtable(L);
	for (lua_Integer i = 1; i <= LIST_MAX && (entry = readdir(directory));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		push_entry(L, dirfd(directory), entry->d_name);
		lua_rawseti(L, -2, i++);
	}
	closedir(directory);
	return 1;
}

const luaL_Reg sys_beneath_functions[] = {
	{"beneath_read", beneath_read},	    {"beneath_append", beneath_append}, {"beneath_write", beneath_write},
	{"beneath_remove", beneath_remove}, {"beneath_list", beneath_list},	{NULL, NULL},
};
