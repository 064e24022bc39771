// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static enum err make(int *out, const struct addr *at, int type, bool shared, struct err_info *info)
{
	struct sockaddr_storage where;
	unsigned len;
	char text[ADDR_TEXT_MAX];
	int on = 1, off = 0;
	enum err e = addr_to_sockaddr(at, AF_UNSPEC, &where, &len);
	if (e)
		return e;
	int fd = socket(where.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set_errno(info, errno, "cannot make a socket");
	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	// [::] takes both families, whatever the system's default
	if (where.ss_family == AF_INET6 && addr_class_of(at) == ADDR_UNSPECIFIED)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, (struct sockaddr *)&where, len) == 0) {
		*out = fd;
		return OK;
	}
	int number = errno;
	close(fd);
	addr_format(at, text);
	if (number == EADDRINUSE)
		return err_set(info, ERR_BUSY, "%s is taken by another program", text);
	return err_set_errno(info, number, "cannot listen at %s", text);
}

enum err socket_bind(int *out, const struct addr *at, int type, struct err_info *info)
{
	// a restarted core takes its TCP port at once, though old connections still linger there
	return make(out, at, type, type == SOCK_STREAM, info);
}

enum err socket_bind_shared(int *out, const struct addr *at, struct err_info *info)
{
	return make(out, at, SOCK_DGRAM, true, info);
}

enum err socket_bind_ear(int *out, const struct addr *group, uint32_t interface,
			 struct err_info *info)
{
	struct addr at = *group;
	int fd;
	at.scope = addr_is_v4(group) ? 0 : interface;
	enum err e = make(&fd, &at, SOCK_DGRAM, true, info);
	if (e)
		return e;
	struct ipv6_mreq membership = {.ipv6mr_interface = interface};
	memcpy(&membership.ipv6mr_multiaddr, group->ip, sizeof group->ip);
	if (!addr_is_v4(group) && setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &membership,
					     sizeof membership) != 0) {
		int number = errno;
		close(fd);
		return err_set_errno(info, number, "cannot join a group of the interface %u",
				     (unsigned)interface);
	}
	*out = fd;
	return OK;
}

enum err socket_local(int fd, struct addr *out, struct err_info *info)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;
	if (getsockname(fd, (struct sockaddr *)&name, &len) != 0)
		return err_set_errno(info, errno, "not a socket");
	if (addr_from_sockaddr(out, (struct sockaddr *)&name) != OK)
		*out = (struct addr){0};
	return OK;
}

enum err socket_remote(int fd, struct addr *out)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;
	if (getpeername(fd, (struct sockaddr *)&name, &len) != 0)
		return ERR_IO;
	return addr_from_sockaddr(out, (struct sockaddr *)&name);
}

int socket_family(int fd)
{
	int family;
	socklen_t len = sizeof family;
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) == 0 ? family : AF_UNSPEC;
}

int socket_error(int fd)
{
	int number = 0;
	socklen_t len = sizeof number;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) == 0 ? number : errno;
}

void socket_set_tcp_options(int fd)
{
	const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, SOCKET_KEEPALIVE_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, SOCKET_KEEPALIVE_INTERVAL_S},
		{IPPROTO_TCP, TCP_KEEPCNT, SOCKET_KEEPALIVE_PROBES},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, SOCKET_USER_TIMEOUT_MS},
	};
	int family = socket_family(fd);
	if (family != AF_INET && family != AF_INET6)
		return;
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}
