// SPDX-License-Identifier: GPL-3.0-or-later
// Into the background. The parent stays until the child has said that it is ready, or why it is not, so that who started it knows.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "bindings/common.h"
#include "bindings/sys.h"

#define DAEMON_TYPE "sotto.sys.daemon"

struct daemon {
	int report; // write end of the parent's pipe; 0: closed
};

// the child's report: "0" for ready, or the exit status and the line to print
static void wait_and_exit(int fd, pid_t child)
{
	char text[1024];
	size_t len = 0;
	ssize_t n;
	while (len < sizeof text && ((n = read(fd, text + len, sizeof text - len)) > 0 || (n < 0 && errno == EINTR)))
		len += n > 0 ? (size_t)n : 0;
	if (len == 1 && text[0] == 0)
		_exit(0);
	if (len > 1) {
		if (write(STDERR_FILENO, text + 1, len - 1) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
			_exit(1);
		_exit(text[0]);
	}
	// it ended without a word, and has said on standard error what it could
	int status = 0;
	waitpid(child, &status, 0);
	_exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 1);
}

static void detach(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, fd);
		close(null);
	}
}

static int sys_daemonise(lua_State *L)
{
	struct err_info info;
	int ends[2];
	if (binding_loop_made(L))
		return luaL_error(L, "daemonise before the first use of the loop");
	struct daemon *d = binding_new(L, DAEMON_TYPE, sizeof *d, 0);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return binding_fail(L, err_set_errno(&info, errno, "cannot make a pipe"), &info);
	pid_t child = fork();
	if (child < 0) {
		enum err e = err_set_errno(&info, errno, "cannot start a process");
		close(ends[0]);
		close(ends[1]);
		return binding_fail(L, e, &info);
	}
	if (child > 0) {
		close(ends[1]);
		wait_and_exit(ends[0], child);
	}
	close(ends[0]);
	d->report = ends[1];
	setsid();
	// standard error stays until ready: it is where a crash in between would show
	detach(STDIN_FILENO);
	detach(STDOUT_FILENO);
	// nothing on a file system that somebody wants to unmount
	if (chdir("/") != 0)
		detach(STDERR_FILENO);
	return 1;
}

static void daemon_close(struct daemon *d)
{
	if (d->report)
		close(d->report);
	d->report = 0;
}

static int daemon_gc(lua_State *L)
{
	daemon_close(luaL_checkudata(L, 1, DAEMON_TYPE));
	return 0;
}

static int daemon_ready(lua_State *L)
{
	struct daemon *d = luaL_checkudata(L, 1, DAEMON_TYPE);
	// the parent may be gone: that is no reason to stop
	if (d->report && write(d->report, "", 1) < 0)
		errno = 0;
	daemon_close(d);
	detach(STDERR_FILENO);
	return 0;
}

static int daemon_fail(lua_State *L)
{
	struct daemon *d = luaL_checkudata(L, 1, DAEMON_TYPE);
	size_t len;
	const char *text = luaL_checklstring(L, 2, &len);
	lua_Integer status = luaL_optinteger(L, 3, 1);
	luaL_argcheck(L, status >= 1 && status <= 125, 3, "an exit status");
	char line[512];
	if (len > sizeof line - 1)
		len = sizeof line - 1;
	line[0] = (char)status;
	memcpy(line + 1, text, len);
	// in one write, shorter than PIPE_BUF: it arrives whole
	if (d->report && write(d->report, line, len + 1) < 0)
		errno = 0;
	daemon_close(d);
	return 0;
}

const luaL_Reg sys_daemon_functions[] = {
	{"daemonise", sys_daemonise},
	{NULL, NULL},
};

void sys_daemon_register(lua_State *L)
{
	static const luaL_Reg methods[] = {{"ready", daemon_ready}, {"fail", daemon_fail}, {NULL, NULL}};
	static const luaL_Reg meta[] = {{"__gc", daemon_gc}, {NULL, NULL}};
	binding_type(L, DAEMON_TYPE, methods, meta);
}
