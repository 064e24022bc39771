// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define COMPLAINT_MAX 4096
#define READ_STEP 8192

// One of its two streams.
struct pipe_end {
	struct command *command;
	struct ev_io watcher;
	int fd; // -1: closed
	struct buf text;
	bool drop; // what is too much is not kept, rather than an error
};

struct command {
	struct loop *loop;
	pid_t pid; // 0: has ended
	struct ev_child child;
	struct pipe_end output, errors;
	struct timer timer;
	struct deferred deferred;
	enum err code;
	int status;
	command_done *done;
	void *arg;
};

static void close_end(struct pipe_end *p)
{
	if (p->fd < 0)
		return;
	ev_io_stop(loop_ev(p->command->loop), &p->watcher);
	close(p->fd);
	p->fd = -1;
}

// The last line of it, in place.
static const char *last_line(struct buf *text)
{
	static const uint8_t end = 0;
	size_t from;
	while (text->len && text->data[text->len - 1] == '\n')
		text->len--;
	for (from = text->len; from > 0 && text->data[from - 1] != '\n'; from--)
		;
	buf_consume(text, from);
	buf_put(text, &end, 1);
	return (const char *)text->data;
}

static void finish(void *arg)
{
	struct command *c = arg;
	struct command_result result = {
		.code = c->code, .status = c->status, .output = buf_span(&c->output.text), .complaint = last_line(&c->errors.text)};
	c->done(c->arg, &result);
	buf_fini(&c->output.text);
	buf_fini(&c->errors.text);
	free(c);
}

static void end(struct command *c)
{
	timer_cancel(c->loop, &c->timer);
	close_end(&c->output);
	close_end(&c->errors);
	loop_defer(c->loop, &c->deferred, finish, c);
}

static void stop(struct command *c, enum err code)
{
	if (c->code == OK)
		c->code = code;
	if (c->pid)
		kill(c->pid, SIGKILL); // its end comes as any other's
}

static void take(struct pipe_end *p, const uint8_t *data, size_t len)
{
	if (p->drop && p->text.max - p->text.len < len + 1) // a NUL is still to come
		len = p->text.max - p->text.len - 1;
	if (buf_append(&p->text, data, len) != OK)
		stop(p->command, ERR_TOO_LARGE);
}

static void read_end(struct pipe_end *p)
{
	uint8_t data[READ_STEP];
	for (;;) {
		ssize_t n = read(p->fd, data, sizeof data);
		if (n > 0) {
			take(p, data, (size_t)n);
			continue;
		}
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			close_end(p);
		return;
	}
}

static void on_readable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	(void)ev;
	(void)events;
	read_end(watcher->data);
}

// What it has written is in the pipes by now. Their end is not waited for: an agent that it started may hold them.
static void on_ended(struct ev_loop *ev, struct ev_child *watcher, int events)
{
	struct command *c = watcher->data;
	(void)events;
	ev_child_stop(ev, watcher);
	c->pid = 0;
	if (c->output.fd >= 0)
		read_end(&c->output);
	if (c->errors.fd >= 0)
		read_end(&c->errors);
	if (WIFEXITED(watcher->rstatus))
		c->status = WEXITSTATUS(watcher->rstatus);
	else if (c->code == OK)
		c->code = ERR_IO;
	end(c);
}

static void on_late(void *arg)
{
	stop(arg, ERR_TIMEOUT);
}

void command_cancel(struct command *c)
{
	stop(c, ERR_CANCELED);
	c->code = ERR_CANCELED;
	if (!c->pid)
		return; // its callback is on its way
	ev_child_stop(loop_ev(c->loop), &c->child);
	c->pid = 0; // gpg.c's watcher reaps whatever ends
	end(c);
}

// --- the start ------------------------------------------------------------------------------------------------------------

static void watch(struct command *c, struct pipe_end *p, int fd, size_t max)
{
	p->command = c;
	p->fd = fd;
	buf_init(&p->text, max);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	ev_io_init(&p->watcher, on_readable, fd, EV_READ);
	p->watcher.data = p;
	ev_io_start(loop_ev(c->loop), &p->watcher);
}

static int spawn(pid_t *pid, const char *const *arguments, const struct session *session, int output, int errors)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, standard;
	sigemptyset(&none);
	sigemptyset(&standard);
	sigaddset(&standard, SIGPIPE); // which the core ignores
	struct environment environment = environment_make(session, NULL);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &standard);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int number = posix_spawn(pid, arguments[0], &files, &attributes, (char *const *)arguments, environment.variables);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	environment_fini(&environment);
	return number;
}

static void close_pair(int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

static enum err start(pid_t *pid, const char *const *arguments, const struct session *session, int output[2], int errors[2],
		      struct err_info *info)
{
	if (pipe2(output, O_CLOEXEC) != 0)
		return err_set_errno(info, errno, "cannot run %s", arguments[0]);
	if (pipe2(errors, O_CLOEXEC) != 0) {
		enum err e = err_set_errno(info, errno, "cannot run %s", arguments[0]);
		close_pair(output);
		return e;
	}
	int number = spawn(pid, arguments, session, output[1], errors[1]);
	if (number) {
		close_pair(output);
		close_pair(errors);
		return err_set_errno(info, number, "cannot run %s", arguments[0]);
	}
	close(output[1]);
	close(errors[1]);
	return OK;
}

enum err command_start(struct command **out, struct loop *l, const char *const *arguments, const struct session *session,
		       size_t output_max, int64_t timeout_ms, command_done *done, void *arg, struct err_info *info)
{
	int output[2], errors[2];
	pid_t pid;
	enum err e = start(&pid, arguments, session, output, errors, info);
	if (e)
		return e;
	struct command *c = mem_alloc(sizeof *c);
	*c = (struct command){.loop = l, .pid = pid, .done = done, .arg = arg};
	watch(c, &c->output, output[0], output_max);
	watch(c, &c->errors, errors[0], COMPLAINT_MAX);
	c->errors.drop = true;
	ev_child_init(&c->child, on_ended, pid, 0);
	c->child.data = c;
	ev_child_start(loop_ev(l), &c->child);
	timer_start(l, &c->timer, timeout_ms, on_late, c);
	*out = c;
	return OK;
}
