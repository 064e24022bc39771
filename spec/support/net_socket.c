// SPDX-License-Identifier: GPL-3.0-or-later
// Raw descriptors for the specs of engine/net: require "support.net_socket". Failure returns nil
// and strerror's text.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/addr.h"

int luaopen_support_net_socket(lua_State *L);

static int failed(lua_State *L)
{
	int number = errno;
	lua_pushnil(L);
	lua_pushstring(L, strerror(number));
	return 2;
}

static int check_fd(lua_State *L, int index)
{
	return (int)luaL_checkinteger(L, index);
}

static int answer(lua_State *L, bool ok)
{
	if (!ok)
		return failed(L);
	lua_pushboolean(L, 1);
	return 1;
}

// pair(): two connected UNIX sockets, non-blocking
static int make_pair(lua_State *L)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
		return failed(L);
	lua_pushinteger(L, fds[0]);
	lua_pushinteger(L, fds[1]);
	return 2;
}

static struct sockaddr_storage check_addr(lua_State *L, int index, unsigned *len)
{
	struct sockaddr_storage out;
	struct addr a;
	luaL_argcheck(L, addr_parse(&a, luaL_checkstring(L, index), NULL) == OK, index, "address");
	luaL_argcheck(L, addr_to_sockaddr(&a, AF_UNSPEC, &out, len) == OK, index, "address");
	return out;
}

static int new_inet(const struct sockaddr_storage *at)
{
	return socket(at->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

// connect("127.0.0.1:1"): a TCP descriptor, perhaps still connecting
static int connect_to(lua_State *L)
{
	unsigned len;
	struct sockaddr_storage at = check_addr(L, 1, &len);
	int fd = new_inet(&at);
	if (fd < 0)
		return failed(L);
	if (connect(fd, (struct sockaddr *)&at, len) != 0 && errno != EINPROGRESS) {
		close(fd);
		return failed(L);
	}
	lua_pushinteger(L, fd);
	return 1;
}

static int push_name(lua_State *L, int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;
	struct addr a;
	char text[ADDR_TEXT_MAX];
	if (getsockname(fd, (struct sockaddr *)&name, &len) != 0 ||
	    addr_from_sockaddr(&a, (struct sockaddr *)&name) != OK)
		return failed(L);
	lua_pushstring(L, addr_format(&a, text));
	return 1;
}

// find(addr): the descriptor that is bound there
static int find(lua_State *L)
{
	const char *wanted = luaL_checkstring(L, 1);
	for (int fd = 0; fd < 1024; fd++) {
		lua_settop(L, 1);
		if (push_name(L, fd) == 1 && strcmp(lua_tostring(L, -1), wanted) == 0) {
			lua_pushinteger(L, fd);
			return 1;
		}
	}
	return 0;
}

// listen(addr, backlog): descriptor, where
static int listen_at(lua_State *L)
{
	unsigned len;
	struct sockaddr_storage at = check_addr(L, 1, &len);
	int fd = new_inet(&at);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) != 0 ||
	    listen(fd, (int)luaL_checkinteger(L, 2)) != 0)
		return failed(L);
	lua_pushinteger(L, fd);
	return 1 + push_name(L, fd);
}

// udp(addr): a bound datagram socket, where
static int udp_at(lua_State *L)
{
	unsigned len;
	struct sockaddr_storage at = check_addr(L, 1, &len);
	int fd = socket(at.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) != 0)
		return failed(L);
	lua_pushinteger(L, fd);
	return 1 + push_name(L, fd);
}

static int send_to(lua_State *L)
{
	unsigned len;
	size_t size;
	const char *data = luaL_checklstring(L, 3, &size);
	struct sockaddr_storage at = check_addr(L, 2, &len);
	return answer(L, sendto(check_fd(L, 1), data, size, 0, (struct sockaddr *)&at, len) >= 0);
}

// accept(fd): nil where nobody waits
static int accept_one(lua_State *L)
{
	int fd = accept4(check_fd(L, 1), NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return failed(L);
	lua_pushinteger(L, fd);
	return 1;
}

// read(fd, most): what is there; "" at the end; nil and why otherwise
static int read_some(lua_State *L)
{
	size_t most = (size_t)luaL_optinteger(L, 2, 65536);
	char *room = mem_alloc(most);
	ssize_t n = read(check_fd(L, 1), room, most);
	if (n < 0) {
		free(room);
		return failed(L);
	}
	lua_pushlstring(L, room, (size_t)n);
	free(room);
	return 1;
}

// write(fd, data): how many bytes the socket took
static int write_some(lua_State *L)
{
	size_t len;
	const char *data = luaL_checklstring(L, 2, &len);
	ssize_t n = send(check_fd(L, 1), data, len, MSG_NOSIGNAL);
	if (n < 0)
		return failed(L);
	lua_pushinteger(L, n);
	return 1;
}

static int close_fd(lua_State *L)
{
	return answer(L, close(check_fd(L, 1)) == 0);
}

// finish(fd): no more will be written
static int finish(lua_State *L)
{
	return answer(L, shutdown(check_fd(L, 1), SHUT_WR) == 0);
}

// reset(fd): closes with a TCP reset
static int reset(lua_State *L)
{
	int fd = check_fd(L, 1);
	const struct linger now = {1, 0};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	return answer(L, close(fd) == 0);
}

// buffers(fd, bytes): smallest send and receive buffers
static int set_buffers(lua_State *L)
{
	int fd = check_fd(L, 1), size = (int)luaL_checkinteger(L, 2);
	return answer(L, setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0 &&
				 setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
}

// options(fd): what stream sets on TCP
static int options(lua_State *L)
{
	static const struct {
		const char *name;
		int level, option;
	} list[] = {
		{"nodelay", IPPROTO_TCP, TCP_NODELAY},
		{"keepalive", SOL_SOCKET, SO_KEEPALIVE},
		{"idle", IPPROTO_TCP, TCP_KEEPIDLE},
		{"interval", IPPROTO_TCP, TCP_KEEPINTVL},
		{"probes", IPPROTO_TCP, TCP_KEEPCNT},
		{"user_timeout", IPPROTO_TCP, TCP_USER_TIMEOUT},
	};
	lua_newtable(L);
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		int value;
		socklen_t len = sizeof value;
		if (getsockopt(check_fd(L, 1), list[i].level, list[i].option, &value, &len) != 0)
			continue;
		lua_pushinteger(L, value);
		lua_setfield(L, -2, list[i].name);
	}
	return 1;
}

// flags(fd): non-blocking?, close-on-exec?
static int flags(lua_State *L)
{
	int fd = check_fd(L, 1);
	lua_pushboolean(L, (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	lua_pushboolean(L, (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	return 2;
}

// open_fds(): how many descriptors this process has
static int open_fds(lua_State *L)
{
	DIR *d = opendir("/proc/self/fd");
	lua_Integer count = 0;
	while (d && readdir(d))
		count++;
	if (d)
		closedir(d);
	lua_pushinteger(L, count - 3); // ".", "..", and the directory's own
	return 1;
}

// starve(): no further descriptor can be opened, until feed()
static rlim_t before_starving;
static int starve(lua_State *L)
{
	struct rlimit limit;
	int next = dup(0);
	close(next);
	getrlimit(RLIMIT_NOFILE, &limit);
	before_starving = limit.rlim_cur;
	limit.rlim_cur = (rlim_t)next;
	return answer(L, setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static int feed(lua_State *L)
{
	struct rlimit limit;
	if (!before_starving)
		return 0;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = before_starving;
	before_starving = 0;
	return answer(L, setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static int temporary(lua_State *L)
{
	char path[] = "/tmp/sotto-spec-XXXXXX";
	if (!mkdtemp(path))
		return failed(L);
	lua_pushstring(L, path);
	return 1;
}

static int make_directory(lua_State *L)
{
	mode_t mode = (mode_t)luaL_checkinteger(L, 2);
	const char *path = luaL_checkstring(L, 1);
	return answer(L, mkdir(path, mode) == 0 && chmod(path, mode) == 0);
}

// mode(path): kind ("socket", "directory", "file", "other") and permissions
static int mode_of(lua_State *L)
{
	struct stat st;
	if (lstat(luaL_checkstring(L, 1), &st) != 0)
		return failed(L);
	lua_pushstring(L, S_ISSOCK(st.st_mode)  ? "socket"
			  : S_ISDIR(st.st_mode) ? "directory"
			  : S_ISREG(st.st_mode) ? "file"
						: "other");
	lua_pushinteger(L, st.st_mode & 07777);
	return 2;
}

static int uid(lua_State *L)
{
	lua_pushinteger(L, geteuid());
	return 1;
}

int luaopen_support_net_socket(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"pair", make_pair},    {"connect", connect_to},
		{"listen", listen_at},  {"udp", udp_at},
		{"send_to", send_to},   {"accept", accept_one},
		{"read", read_some},    {"write", write_some},
		{"close", close_fd},    {"finish", finish},
		{"reset", reset},       {"buffers", set_buffers},
		{"options", options},   {"flags", flags},
		{"open_fds", open_fds}, {"starve", starve},
		{"feed", feed},         {"temporary", temporary},
		{"find", find},         {"mkdir", make_directory},
		{"mode", mode_of},      {"uid", uid},
		{NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}
