// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/alias.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define LONGEST_SOCKET "/S.gpg-agent.browser"
#define BASE_MAX 40 // bytes of XDG_RUNTIME_DIR, so that the alias itself is short enough
#define PREFIX "sotto-"
#define RANDOM_LEN 6 // mkdtemp's

bool alias_needed(const char *home)
{
	return strlen(home) + sizeof LONGEST_SOCKET > sizeof ((struct sockaddr_un *)0)->sun_path;
}

static bool is_private_directory(int at, const char *path)
{
	struct stat st;
	return fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & 077) == 0;
}

static const char *runtime_base(void)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	return base && base[0] == '/' && strlen(base) <= BASE_MAX && is_private_directory(AT_FDCWD, base) ? base : NULL;
}

// mkdtemp makes it new, 0700 and ours: nobody can have laid it out before.
static enum err make_directory(struct aliases *a, struct err_info *info)
{
	const char *base = runtime_base();
	// the old name if it can be had: running agents know their homes by it
	if (a->directory && mkdir(a->directory, 0700) == 0)
		return OK;
	free(a->directory);
	a->directory = mem_format("%s/" PREFIX "XXXXXX", base ? base : "/tmp");
	if (mkdtemp(a->directory))
		return OK;
	enum err e = err_set_errno(info, errno, "cannot make the directory %s", a->directory);
	free(a->directory);
	a->directory = NULL;
	return e;
}

static bool leads_to(const char *alias, const char *home)
{
	char target[PATH_MAX];
	ssize_t n = readlink(alias, target, sizeof target);
	return n >= 0 && (size_t)n == strlen(home) && memcmp(target, home, (size_t)n) == 0;
}

enum err alias_make(struct aliases *a, const char *name, const char *home, char **out, struct err_info *info)
{
	// twice: a cleaner of /tmp, or another core's sweep of empty directories, may have taken ours
	for (int pass = 0; pass < 2; pass++) {
		if (!a->directory || !is_private_directory(AT_FDCWD, a->directory)) {
			enum err e = make_directory(a, info);
			if (e)
				return e;
		}
		char *alias = path_join(a->directory, name);
		if (leads_to(alias, home) || symlink(home, alias) == 0) {
			free(*out);
			*out = alias;
			return OK;
		}
		enum err e = err_set_errno(info, errno, "cannot make the link %s", alias);
		free(alias);
		if (pass)
			return e;
	}
	return ERR_IO;
}

void alias_remove(const char *alias)
{
	if (alias)
		unlink(alias);
}

void aliases_fini(struct aliases *a)
{
	if (a->directory)
		rmdir(a->directory);
	free(a->directory);
	a->directory = NULL;
}

static bool is_left_over(int directory, const char *name, const char *homes)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t n = readlinkat(directory, name, target, sizeof target - 1);
	if (n < 0)
		return false;
	target[n] = 0;
	size_t len = strlen(homes);
	bool below = strncmp(target, homes, len) == 0 && target[len] == '/';
	return below || (stat(target, &st) != 0 && errno == ENOENT);
}

static void sweep_directory(int base, const char *name, const char *homes)
{
	int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(d));)
		if (is_left_over(fd, entry->d_name, homes))
			unlinkat(fd, entry->d_name, 0);
	closedir(d);
	unlinkat(base, name, AT_REMOVEDIR); // fails, as it should, where something else is in it
}

static void sweep_base(const struct aliases *a, const char *base, const char *homes)
{
	DIR *d = opendir(base);
	for (struct dirent *entry; d && (entry = readdir(d));) {
		const char *name = entry->d_name;
		if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || strlen(name) != strlen(PREFIX) + RANDOM_LEN ||
		    !is_private_directory(dirfd(d), name))
			continue;
		if (a->directory && strcmp(strrchr(a->directory, '/') + 1, name) == 0)
			continue;
		sweep_directory(dirfd(d), name, homes);
	}
	if (d)
		closedir(d);
}

void aliases_sweep(const struct aliases *a, const char *homes)
{
	const char *base = runtime_base();
	if (base)
		sweep_base(a, base, homes);
	sweep_base(a, "/tmp", homes);
}
