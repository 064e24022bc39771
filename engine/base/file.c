// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

char *path_join(const char *directory, const char *name)
{
	return mem_format("%s/%s", directory, name);
}

enum err file_read(const char *path, struct buf *out, struct err_info *info)
{
	// a FIFO without a writer must not hang the core
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	enum err e = OK;
	if (fd < 0)
		return err_set_errno(info, errno, "cannot open %s", path);
	for (;;) {
		uint8_t block[16384];
		ssize_t n = read(fd, block, sizeof block);
		if (n == 0)
			break;
		if (n < 0) {
			if (errno == EINTR)
				continue;
			e = err_set_errno(info, errno, "cannot read %s", path);
			break;
		}
		if (buf_append(out, block, (size_t)n)) {
			e = err_set(info, ERR_TOO_LARGE, "%s is larger than %zu bytes", path, out->max);
			break;
		}
	}
	close(fd);
	return e;
}

enum err file_write_all(int fd, struct span data)
{
	while (data.len) {
		ssize_t n = write(fd, data.data, data.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		data.data += n;
		data.len -= (size_t)n;
	}
	return OK;
}

static void sync_directory_of(const char *path)
{
	char *copy = mem_dup_string(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(copy);
}

enum err file_write_mode(const char *path, struct span data, mode_t mode, struct err_info *info)
{
	char *temporary = mem_format("%s.tmp-XXXXXX", path);
	enum err e = OK;
	int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		e = err_set_errno(info, errno, "cannot write %s", path);
		free(temporary);
		return e;
	}
	if (file_write_all(fd, data) != OK || fchmod(fd, mode) != 0 || fsync(fd) != 0)
		e = err_set_errno(info, errno, "cannot write %s", path);
	if (close(fd) != 0 && e == OK)
		e = err_set_errno(info, errno, "cannot write %s", path);
	if (e == OK && rename(temporary, path) != 0)
		e = err_set_errno(info, errno, "cannot replace %s", path);
	if (e == OK)
		sync_directory_of(path);
	else
		unlink(temporary);
	free(temporary);
	return e;
}

enum err file_write(const char *path, struct span data, struct err_info *info)
{
	return file_write_mode(path, data, 0600, info);
}

enum err directory_make_private(const char *path, struct err_info *info)
{
	struct stat st;
	enum err e = OK;
	if (!*path)
		return err_set(info, ERR_BAD_PARAMS, "a directory without a name");
	char *copy = mem_dup_string(path);
	for (char *p = copy + 1; e == OK; p++) {
		if (*p != '/' && *p != 0)
			continue;
		char kept = *p;
		*p = 0;
		if (mkdir(copy, 0700) != 0 && errno != EEXIST)
			e = err_set_errno(info, errno, "cannot make the directory %s", copy);
		*p = kept;
		if (kept == 0)
			break;
	}
	free(copy);
	if (e)
		return e;
	if (lstat(path, &st) != 0)
		return err_set_errno(info, errno, "cannot look at %s", path);
	if (S_ISLNK(st.st_mode) && stat(path, &st) != 0)
		return err_set_errno(info, errno, "cannot look at %s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(info, ERR_IO, "%s is not a directory", path);
	if (st.st_uid != geteuid())
		return err_set(info, ERR_IO, "%s belongs to another user", path);
	if ((st.st_mode & 0777) != 0700 && chmod(path, 0700) != 0)
		return err_set_errno(info, errno, "cannot make %s private", path);
	return OK;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)where;
	int r = type == FTW_DP || type == FTW_D || type == FTW_DNR ? rmdir(path) : unlink(path);
	return r != 0 && errno != ENOENT ? -1 : 0;
}

enum err tree_remove(const char *path, struct err_info *info)
{
	struct stat st;
	// a second pass catches what an ending agent still created or removed under our hands
	for (int pass = 0; pass < 3; pass++) {
		nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		if (lstat(path, &st) != 0 && errno == ENOENT)
			return OK;
	}
	return err_set(info, ERR_IO, "cannot remove all of %s", path);
}
