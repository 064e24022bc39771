// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "net/listener.h"

#define NAME_LONGEST 80 // beside "/proc/self/fd/2147483647/" in sun_path

// A path in its two parts; the directory stays open while its socket is being reached.
struct place {
	int directory;
	const char *name; // borrowed from the path
};

static enum err make_directory(const char *path, struct err_info *info)
{
	struct stat st;
	// to make /tmp private would be a disaster
	if (stat(path, &st) == 0 && (st.st_mode & S_ISVTX))
		return err_set(info, ERR_BAD_PARAMS, "%s is for everybody; use a directory in it",
			       path);
	return directory_make_private(path, info);
}

static enum err place_open(struct place *out, const char *path, bool make, struct err_info *info)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	if (!*name || strlen(name) > NAME_LONGEST || !strcmp(name, ".") || !strcmp(name, ".."))
		return err_set(info, ERR_BAD_PARAMS, "not a socket's name: %.80s", name);
	char *directory = slash ? mem_dup(path, (size_t)(slash - path)) : mem_dup_string(".");
	const char *where = *directory ? directory : "/";
	enum err e = make ? make_directory(where, info) : OK;
	if (e == OK) {
		int mode = make ? O_RDONLY : O_PATH; // a lock needs more than a path
		out->directory = open(where, mode | O_DIRECTORY | O_CLOEXEC);
		out->name = name;
		if (out->directory < 0)
			e = err_set_errno(info, errno, "cannot open the directory %s", where);
	}
	free(directory);
	return e;
}

static void address_of(const struct place *p, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%.*s", p->directory,
		 NAME_LONGEST, p->name);
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

// Returns an errno.
static int try_connect(int fd, const struct place *p)
{
	struct sockaddr_un at;
	address_of(p, &at);
	return connect(fd, (struct sockaddr *)&at, sizeof at) == 0 ? 0 : errno;
}

static enum err remove_stale(const struct place *p, const char *path, struct err_info *info)
{
	struct stat st;
	if (fstatat(p->directory, p->name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOENT)
			return OK;
		return err_set_errno(info, errno, "cannot look at %s", path);
	}
	if (!S_ISSOCK(st.st_mode))
		return err_set(info, ERR_IO, "%s is in the way, and is not a socket", path);
	int fd = new_socket();
	if (fd < 0)
		return err_set_errno(info, errno, "cannot make a socket");
	int number = try_connect(fd, p);
	close(fd);
	// only a refusal says that nobody is there; a full backlog, for one, does not
	if (number != ECONNREFUSED && number != ENOENT)
		return err_set(info, ERR_BUSY, "somebody serves %s already", path);
	if (unlinkat(p->directory, p->name, 0) != 0 && errno != ENOENT)
		return err_set_errno(info, errno, "cannot remove the old %s", path);
	return OK;
}

static enum err bind_there(const struct place *p, const char *path, int *out, struct err_info *info)
{
	struct sockaddr_un at;
	int fd = new_socket();
	if (fd < 0)
		return err_set_errno(info, errno, "cannot make a socket");
	address_of(p, &at);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0) {
		int number = errno;
		close(fd);
		return err_set_errno(info, number, "cannot make the socket %s", path);
	}
	// until now the directory alone kept others out
	if (fchmodat(p->directory, p->name, 0600, 0) != 0 || listen(fd, LISTENER_BACKLOG) != 0) {
		int number = errno;
		unlinkat(p->directory, p->name, 0);
		close(fd);
		return err_set_errno(info, number, "cannot listen at %s", path);
	}
	*out = fd;
	return OK;
}

enum err unix_listen(const char *path, int *out, struct err_info *info)
{
	struct place p;
	enum err e = place_open(&p, path, true, info);
	if (e)
		return e;
	// From the look to the listen nobody else may be at it. The lock goes with the descriptor.
	if (flock(p.directory, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		e = err_set(info, ERR_BUSY, "somebody else makes %s just now", path);
	else
		e = remove_stale(&p, path, info);
	if (e == OK)
		e = bind_there(&p, path, out, info);
	close(p.directory);
	return e;
}

enum err unix_connect(const char *path, int *out, struct err_info *info)
{
	struct place p;
	enum err e = place_open(&p, path, false, info);
	if (e)
		return e;
	int fd = new_socket();
	if (fd < 0) {
		e = err_set_errno(info, errno, "cannot make a socket");
		close(p.directory);
		return e;
	}
	int number = try_connect(fd, &p);
	close(p.directory);
	if (number == 0) {
		*out = fd;
		return OK;
	}
	close(fd);
	if (number == ECONNREFUSED || number == ENOENT)
		return err_set(info, ERR_NOT_FOUND, "nobody serves %s", path);
	if (number == EAGAIN)
		return err_set(info, ERR_BUSY, "too many wait at %s", path);
	return err_set_errno(info, number, "cannot reach %s", path);
}

enum err unix_peer_uid(int fd, uid_t *out, struct err_info *info)
{
	struct ucred who;
	socklen_t len = sizeof who;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return err_set_errno(info, errno, "cannot tell who is at the other end");
	if (who.uid == (uid_t)-1)
		return err_set(info, ERR_IO, "nobody is at the other end");
	*out = who.uid;
	return OK;
}
