// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "openpgp/process.h"
#include "openpgp/sockets.h"

#define LOOK_AGAIN_MS 5
#define LOOK_BLIND_MS 50
#define LOOKS 3 // that find nobody, one after the other
#define AGENTS_MAX 8

enum step { GREETING, ASKED_PID, TOLD_TO_END };

struct ending {
	struct loop *loop;
	char *directory, *alias;
	bool orphan, unanswered;
	int socket, process; // -1: none
	struct ev_io readable, ended;
	struct timer timer;
	struct deferred deferred;
	enum step step;
	pid_t pid;
	int64_t give_up; // once it is only looked for and killed
	unsigned nobody; // how many looks, up to the last one, have found nobody
	char line[256];
	size_t len;
	agent_done *done;
	void *arg;
};

static void look(void *arg);

static void finish(struct ending *e, enum err code)
{
	struct err_info info = {.code = OK};
	if (code)
		err_set(&info, code, "the gpg-agent of %s cannot be ended", e->directory);
	e->done(e->arg, code, &info);
	free(e->directory);
	free(e->alias);
	free(e);
}

static void close_socket(struct ending *e)
{
	if (e->socket < 0)
		return;
	ev_io_stop(loop_ev(e->loop), &e->readable);
	close(e->socket);
	e->socket = -1;
}

static void close_process(struct ending *e)
{
	if (e->process < 0)
		return;
	ev_io_stop(loop_ev(e->loop), &e->ended);
	close(e->process);
	e->process = -1;
}

// What answered is gone, or nothing did: look for what is left by its command line, and kill it.
static void look_soon(struct ending *e)
{
	close_socket(e);
	close_process(e);
	timer_cancel(e->loop, &e->timer);
	e->give_up = loop_now_ms(e->loop) + AGENT_END_MS;
	loop_defer(e->loop, &e->deferred, look, e);
}

static void look(void *arg)
{
	struct ending *e = arg;
	pid_t agents[AGENTS_MAX];
	size_t count = process_agents(e->directory, e->alias, e->orphan && e->unanswered, agents, AGENTS_MAX);
	// an agent that could not be looked for is not one that has ended: it may know a passphrase
	bool blind = count == 0 && !process_can_look();
	// nor is one that a gpg was just starting when it was killed; whoever takes so long about that shall not
	bool coming = false, nameless = false;
	if (count == 0 && !blind) {
		count = process_workers(e->directory, e->alias, agents, AGENTS_MAX, &nameless);
		coming = count > 0;
	}
	// and who forks and ends while it is looked for is seen as little as its own child is, but not time and again
	bool nobody = count == 0 && !blind && !nameless;
	e->nobody = nobody ? e->nobody + 1 : 0;
	if (e->nobody == LOOKS || (nobody && !process_has_children())) {
		finish(e, OK);
		return;
	}
	if (loop_now_ms(e->loop) >= e->give_up) {
		finish(e, ERR_IO);
		return;
	}
	if (coming && loop_now_ms(e->loop) < e->give_up - AGENT_END_MS / 2)
		count = 0;
	for (size_t i = 0; i < count; i++)
		kill(agents[i], SIGKILL);
	timer_start(e->loop, &e->timer, blind ? LOOK_BLIND_MS : LOOK_AGAIN_MS, look, e);
}

static void on_ended(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	(void)ev;
	(void)events;
	look_soon(watcher->data);
}

static void on_late(void *arg)
{
	struct ending *e = arg;
	log_warn("the gpg-agent of %s does not answer: killing it", e->directory);
	e->unanswered = true;
	look_soon(e);
}

static bool tell(struct ending *e, const char *line, enum step step)
{
	e->step = step;
	return send(e->socket, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line);
}

// The process is watched from before it is told to end, so that its number cannot have passed to another one.
static bool on_line(struct ending *e, const char *line)
{
	bool ok = strncmp(line, "OK", 2) == 0;
	switch (e->step) {
	case GREETING:
		return ok && tell(e, "GETINFO pid\n", ASKED_PID);
	case ASKED_PID:
		if (strncmp(line, "D ", 2) == 0) {
			e->pid = (pid_t)strtol(line + 2, NULL, 10);
			return e->pid > 0;
		}
		if (!ok || e->pid <= 0)
			return false;
		e->process = pidfd_open(e->pid, 0);
		if (e->process >= 0) {
			ev_io_init(&e->ended, on_ended, e->process, EV_READ);
			e->ended.data = e;
			ev_io_start(loop_ev(e->loop), &e->ended);
		}
		return tell(e, "KILLAGENT\n", TOLD_TO_END);
	case TOLD_TO_END:
		return true;
	}
	return false;
}

// False where this conversation is over.
static bool read_lines(struct ending *e)
{
	for (;;) {
		char *newline;
		ssize_t n = recv(e->socket, e->line + e->len, sizeof e->line - 1 - e->len, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0)
			return false;
		e->len += (size_t)n;
		while ((newline = memchr(e->line, '\n', e->len))) {
			size_t used = (size_t)(newline - e->line) + 1;
			*newline = 0;
			if (!on_line(e, e->line))
				return false;
			e->len -= used;
			memmove(e->line, e->line + used, e->len);
		}
		if (e->len == sizeof e->line - 1)
			return false;
	}
}

static void on_readable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct ending *e = watcher->data;
	(void)ev;
	(void)events;
	if (read_lines(e))
		return;
	close_socket(e);
	if (e->process < 0)
		look_soon(e); // it hung up before it said who it is
}

// Through the directory's descriptor, for a socket's name holds 107 bytes and a home's path may have more.
static int connect_agent(const char *home)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	char *path = sockets_directory(home);
	int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(path);
	if (directory < 0)
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	snprintf(name.sun_path, sizeof name.sun_path, "/proc/self/fd/%d/S.gpg-agent", directory);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof name) != 0) {
		int number = errno;
		close(fd);
		errno = number;
		fd = -1;
	}
	close(directory);
	return fd;
}

void agent_end_start(struct loop *l, const char *directory, const char *alias, bool orphan, agent_done *done, void *arg)
{
	struct ending *e = mem_alloc(sizeof *e);
	e->loop = l;
	e->directory = mem_dup_string(directory);
	e->alias = alias ? mem_dup_string(alias) : NULL;
	e->orphan = orphan;
	e->done = done;
	e->arg = arg;
	e->process = -1;
	e->socket = connect_agent(directory);
	if (e->socket < 0) {
		e->unanswered = errno == EAGAIN; // alive, but so busy or stopped that its backlog is full
		look_soon(e);
		return;
	}
	ev_io_init(&e->readable, on_readable, e->socket, EV_READ);
	e->readable.data = e;
	ev_io_start(loop_ev(l), &e->readable);
	timer_start(l, &e->timer, AGENT_ANSWER_MS, on_late, e);
}
