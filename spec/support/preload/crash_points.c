// SPDX-License-Identifier: GPL-3.0-or-later
// Loaded into a core by LD_PRELOAD, for specs only: a kill -9 right before one of the calls by which it changes what is on
// disk. SOTTO_CRASH_FILE names a file; while it exists, calls are counted, and the one whose number (from 1)
// stands in it does not happen. What was counted is written to that name with ".count" behind it.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long counted;

// Only the core itself: what it starts inherits the environment.
static const char *crash_file(void)
{
	const char *path = getenv("SOTTO_CRASH_FILE");
	return path && strcmp(program_invocation_short_name, "sottod") == 0 ? path : NULL;
}

// The number that stands in the file; 0: there is none.
static long read_limit(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	return n > 0 ? atol(text) : 0;
}

static void tell_count(const char *path)
{
	char name[4096], text[32];
	snprintf(name, sizeof name, "%s.count", path);
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	// of one width, for who reads it meanwhile
	int len = snprintf(text, sizeof text, "%12ld\n", counted);
	if (fd < 0 || write(fd, text, (size_t)len) != len)
		abort();
	close(fd);
}

static void point(void)
{
	int number = errno;
	const char *path = crash_file();
	long limit = path ? read_limit(path) : 0;
	counted = limit ? counted + 1 : 0;
	if (limit)
		tell_count(path);
	if (limit && counted == limit)
		kill(getpid(), SIGKILL);
	errno = number;
}

// The next one of that name in the order of loading: the real one.
#define REAL(name, result, ...)                                                                    \
	static result (*real)(__VA_ARGS__);                                                        \
	if (!real)                                                                                 \
		*(void **)&real = dlsym(RTLD_NEXT, #name);                                         \
	point()

int fsync(int fd)
{
	REAL(fsync, int, int);
	return real(fd);
}

int fdatasync(int fd)
{
	REAL(fdatasync, int, int);
	return real(fd);
}

int unlink(const char *path)
{
	REAL(unlink, int, const char *);
	return real(path);
}

int unlinkat(int directory, const char *path, int flags)
{
	REAL(unlinkat, int, int, const char *, int);
	return real(directory, path, flags);
}

int rmdir(const char *path)
{
	REAL(rmdir, int, const char *);
	return real(path);
}

int rename(const char *from, const char *to)
{
	REAL(rename, int, const char *, const char *);
	return real(from, to);
}

int ftruncate64(int fd, off_t length)
{
	REAL(ftruncate64, int, int, off_t);
	return real(fd, length);
}

int ftruncate(int fd, off_t length)
{
	REAL(ftruncate, int, int, off_t);
	return real(fd, length);
}

int mkdir(const char *path, mode_t mode)
{
	REAL(mkdir, int, const char *, mode_t);
	return real(path, mode);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at)
{
	REAL(pwrite64, ssize_t, int, const void *, size_t, off_t);
	return real(fd, data, len, at);
}
