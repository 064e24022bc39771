// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/longpath.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define DIRECT_MAX 480 // SQLite appends "-journal" and the like

static int keep_name(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	size_t len = strlen(name);
	if (len >= (size_t)size)
		return SQLITE_CANTOPEN;
	memcpy(out, name, len + 1);
	return SQLITE_OK;
}

// SQLite's own VFS, but for one thing: it would resolve /proc/self/fd/N back to the long path.
static const char *register_vfs(void)
{
	static sqlite3_vfs vfs;
	if (vfs.zName)
		return vfs.zName;
	vfs = *sqlite3_vfs_find(NULL);
	vfs.pNext = NULL;
	vfs.zName = "sotto-longpath";
	vfs.xFullPathname = keep_name;
	if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
		vfs.zName = NULL;
	return vfs.zName;
}

enum err longpath_open(struct longpath *out, const char *path, struct err_info *info)
{
	char *copy = mem_dup_string(path), *copy2 = mem_dup_string(path);
	const char *name = basename(copy2);
	char *directory = realpath(dirname(copy), NULL);
	struct longpath l = {.directory = -1};
	enum err e = OK;
	if (!directory) {
		e = err_set_errno(info, errno, "cannot open the directory of %s", path);
		goto out;
	}
	l.path = path_join(directory, name);
	if (strlen(l.path) > DIRECT_MAX) {
		free(l.path);
		l.directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		l.path = mem_format("/proc/self/fd/%d/%s", l.directory, name);
		l.vfs = register_vfs();
		if (l.directory < 0 || !l.vfs) {
			e = err_set_errno(info, errno, "cannot open %s", directory);
			free(l.path);
			goto out;
		}
	}
	*out = l;
out:
	free(directory);
	free(copy);
	free(copy2);
	return e;
}

void longpath_close(struct longpath *l)
{
	if (l->directory >= 0)
		close(l->directory);
	free(l->path);
	*l = (struct longpath){.directory = -1};
}
