// SPDX-License-Identifier: GPL-3.0-or-later
// Loaded into a core by LD_PRELOAD, for specs only: a disk that its kernel has made read-only, as it does after an error, with
// files open on it for writing (which no mount command does). SOTTO_READ_ONLY names a directory; while a file of that name with
// ".read-only" behind it exists, whatever would write below it fails with EROFS, in the core and in what it starts.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *switched_on(void)
{
	char name[4096];
	const char *place = getenv("SOTTO_READ_ONLY");
	if (!place)
		return NULL;
	snprintf(name, sizeof name, "%s.read-only", place);
	return access(name, F_OK) == 0 ? place : NULL;
}

static bool lies_below(const char *path, const char *place)
{
	size_t len = strlen(place);
	return strncmp(path, place, len) == 0 && (path[len] == '/' || path[len] == 0);
}

static bool refuses_fd(int fd)
{
	char name[64], path[4096];
	int number = errno;
	const char *place = switched_on();
	ssize_t len = 0;
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	if (place)
		len = readlink(name, path, sizeof path - 1);
	errno = number;
	if (len <= 0)
		return false;
	path[len] = 0;
	return lies_below(path, place);
}

static bool refuses(int directory, const char *path)
{
	int number = errno;
	const char *place = switched_on();
	errno = number;
	if (!place)
		return false;
	if (path[0] != '/' && directory != AT_FDCWD)
		return refuses_fd(directory);
	char *whole = path[0] == '/' ? NULL : realpath(".", NULL);
	bool refused = lies_below(whole ? whole : path, place);
	// a way through /proc/self/fd, and the like
	char *real = realpath(path, NULL), *parent = strrchr(path, '/') ? strndup(path, (size_t)(strrchr(path, '/') - path)) : NULL;
	char *real_parent = parent && *parent ? realpath(parent, NULL) : NULL;
	refused = refused || (real && lies_below(real, place)) || (real_parent && lies_below(real_parent, place));
	free(whole);
	free(real);
	free(parent);
	free(real_parent);
	errno = number;
	return refused;
}

static int refuse(void)
{
	errno = EROFS;
	return -1;
}

// The next one of that name in the order of loading: the real one.
#define REAL(name, result, ...)                                                                                                    \
	static result (*real)(__VA_ARGS__);                                                                                        \
	if (!real)                                                                                                                 \
	*(void **)&real = dlsym(RTLD_NEXT, #name)

static bool writes(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
}

#define OPEN(name)                                                                                                                 \
	int name(const char *path, int flags, ...)                                                                                 \
	{                                                                                                                          \
		REAL(name, int, const char *, int, ...);                                                                           \
		va_list args;                                                                                                      \
		va_start(args, flags);                                                                                             \
		mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;                                            \
		va_end(args);                                                                                                      \
		return writes(flags) && refuses(AT_FDCWD, path) ? refuse() : real(path, flags, mode);                              \
	}

#define OPENAT(name)                                                                                                               \
	int name(int directory, const char *path, int flags, ...)                                                                  \
	{                                                                                                                          \
		REAL(name, int, int, const char *, int, ...);                                                                      \
		va_list args;                                                                                                      \
		va_start(args, flags);                                                                                             \
		mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;                                            \
		va_end(args);                                                                                                      \
		return writes(flags) && refuses(directory, path) ? refuse() : real(directory, path, flags, mode);                  \
	}

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, const void *data, size_t len)
{
	REAL(write, ssize_t, int, const void *, size_t);
	return refuses_fd(fd) ? refuse() : real(fd, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	REAL(pwrite, ssize_t, int, const void *, size_t, off_t);
	return refuses_fd(fd) ? refuse() : real(fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at)
{
	REAL(pwrite64, ssize_t, int, const void *, size_t, off_t);
	return refuses_fd(fd) ? refuse() : real(fd, data, len, at);
}

int ftruncate(int fd, off_t length)
{
	REAL(ftruncate, int, int, off_t);
	return refuses_fd(fd) ? refuse() : real(fd, length);
}

int ftruncate64(int fd, off_t length)
{
	REAL(ftruncate64, int, int, off_t);
	return refuses_fd(fd) ? refuse() : real(fd, length);
}

int access(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, 0);
}

int faccessat(int directory, const char *path, int mode, int flags)
{
	static __thread bool inside;
	REAL(faccessat, int, int, const char *, int, int);
	if (!(mode & W_OK) || inside)
		return real(directory, path, mode, flags);
	inside = true;
	bool refused = refuses(directory, path);
	inside = false;
	return refused ? refuse() : real(directory, path, mode, flags);
}

int unlink(const char *path)
{
	REAL(unlink, int, const char *);
	return refuses(AT_FDCWD, path) ? refuse() : real(path);
}

int unlinkat(int directory, const char *path, int flags)
{
	REAL(unlinkat, int, int, const char *, int);
	return refuses(directory, path) ? refuse() : real(directory, path, flags);
}

int rmdir(const char *path)
{
	REAL(rmdir, int, const char *);
	return refuses(AT_FDCWD, path) ? refuse() : real(path);
}

int rename(const char *from, const char *to)
{
	REAL(rename, int, const char *, const char *);
	return refuses(AT_FDCWD, to) ? refuse() : real(from, to);
}

int mkdir(const char *path, mode_t mode)
{
	REAL(mkdir, int, const char *, mode_t);
	return refuses(AT_FDCWD, path) ? refuse() : real(path, mode);
}

int mkdirat(int directory, const char *path, mode_t mode)
{
	REAL(mkdirat, int, int, const char *, mode_t);
	return refuses(directory, path) ? refuse() : real(directory, path, mode);
}

int symlink(const char *target, const char *path)
{
	REAL(symlink, int, const char *, const char *);
	return refuses(AT_FDCWD, path) ? refuse() : real(target, path);
}
