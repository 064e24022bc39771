// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define FILE_MAX (8 << 20)

static struct {
	int fd;
	char *path;
	size_t size;
	enum log_level level;
} sink = {.fd = STDERR_FILENO, .level = LOG_WARN};

static enum err open_file(const char *path, struct err_info *info)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;
	if (fd < 0)
		return err_set_errno(info, errno, "cannot open the log %s", path);
	sink.size = fstat(fd, &st) == 0 ? (size_t)st.st_size : 0;
	sink.fd = fd;
	return OK;
}

enum err log_open(const char *path, enum log_level level, struct err_info *info)
{
	log_close();
	sink.level = level;
	if (!path)
		return OK;
	enum err e = open_file(path, info);
	if (e)
		return e;
	sink.path = mem_dup_string(path);
	return OK;
}

void log_close(void)
{
	if (sink.path)
		close(sink.fd);
	free(sink.path);
	sink.path = NULL;
	sink.fd = STDERR_FILENO;
}

void log_set_level(enum log_level level)
{
	sink.level = level;
}

static void rotate(void)
{
	char *old = mem_format("%s.1", sink.path);
	int previous = sink.fd;
	if (rename(sink.path, old) == 0) {
		if (open_file(sink.path, NULL) == OK)
			close(previous);
		else
			sink.fd = previous;
	}
	sink.size = 0;
	free(old);
}

// C0, DEL, and either byte of C1 (U+0080 to U+009F, in UTF-8 c2 80 to c2 9f), of which terminals
// obey some, too.
static int is_control(const unsigned char *at, const unsigned char *begin)
{
	int leads = at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f;
	int follows = at > begin && at[-1] == 0xc2 && at[0] >= 0x80 && at[0] <= 0x9f;
	return at[0] < 0x20 || at[0] == 0x7f || leads || follows;
}

void log_write(enum log_level level, const char *format, ...)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	char text[1024], line[4200], stamp[32];
	if (level > sink.level)
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
	int n = snprintf(line, sizeof line, "%s.%03ldZ %s ", stamp, now.tv_nsec / 1000000, names[level]);
	size_t at = (size_t)n;
	for (const unsigned char *p = (const unsigned char *)text; *p && at + 6 < sizeof line; p++) {
		if (is_control(p, (const unsigned char *)text))
			at += (size_t)snprintf(line + at, sizeof line - at, "\\x%02x", *p);
		else
			line[at++] = (char)*p;
	}
	line[at++] = '\n';
	if (sink.path && sink.size + at > FILE_MAX)
		rotate();
	// a log that cannot be written must not stop the core
	ssize_t done = write(sink.fd, line, at);
	if (done > 0)
		sink.size += (size_t)done;
}
