// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/runner.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "openpgp/process.h"

#define DRAIN_MAX 100

struct watch {
	struct runner *runner;
	struct ev_io watcher;
	gpgme_io_cb_t callback;
	void *data;
	bool outbound;
	struct watch *next, **link;
};

struct runner {
	struct loop *loop;
	gpgme_ctx_t context;
	struct watch *watches;
	bool started; // GPGME_EVENT_START has come
	bool running;
	bool held;    // what is outbound waits
	pid_t pid;    // of gpg; 0 where unknown, or reaped
	runner_done *done;
	void (*found)(void *arg, gpgme_key_t key);
	void *arg;
};

// --- gpgme's I/O ----------------------------------------------------------------------------------------------------------

static void on_ready(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct watch *w = watcher->data;
	(void)ev;
	(void)events;
	// the callback may remove this very watch: nothing of it is touched afterwards
	w->callback(w->data, w->watcher.fd);
}

static void watch_start(struct watch *w)
{
	if (w->runner->started && !(w->outbound && w->runner->held))
		ev_io_start(loop_ev(w->runner->loop), &w->watcher);
}

static gpgme_error_t add(void *arg, int fd, int inbound, gpgme_io_cb_t callback, void *data, void **tag)
{
	struct runner *r = arg;
	struct watch *w = mem_alloc(sizeof *w);
	w->runner = r;
	w->callback = callback;
	w->data = data;
	w->outbound = !inbound;
	ev_io_init(&w->watcher, on_ready, fd, inbound ? EV_READ : EV_WRITE);
	w->watcher.data = w;
	w->next = r->watches;
	w->link = &r->watches;
	if (r->watches)
		r->watches->link = &w->next;
	r->watches = w;
	watch_start(w);
	*tag = w;
	return 0;
}

static void drop(void *tag)
{
	struct watch *w = tag;
	ev_io_stop(loop_ev(w->runner->loop), &w->watcher);
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	free(w);
}

static void on_event(void *arg, gpgme_event_io_t type, void *data)
{
	struct runner *r = arg;
	switch (type) {
	case GPGME_EVENT_START:
		r->started = true;
		for (struct watch *w = r->watches; w; w = w->next)
			watch_start(w);
		break;
	case GPGME_EVENT_DONE: {
		const struct gpgme_io_event_done_data *end = data;
		if (!r->running)
			break; // gpgme repeats itself where an operation fails while it is cancelled
		r->running = r->started = r->held = false;
		if (!end->err)
			r->pid = 0; // it hung up by itself
		r->done(r->arg, end->err, end->op_err);
		break;
	}
	case GPGME_EVENT_NEXT_KEY:
		if (r->found)
			r->found(r->arg, data);
		else
			gpgme_key_unref(data);
		break;
	default:
		break;
	}
}

// --- life -----------------------------------------------------------------------------------------------------------------

static gpgme_error_t set_up(struct runner *r)
{
	struct gpgme_io_cbs io = {.add = add, .add_priv = r, .remove = drop, .event = on_event, .event_priv = r};
	gpgme_error_t e = gpgme_set_protocol(r->context, GPGME_PROTOCOL_OpenPGP);
	gpgme_set_armor(r->context, 0);
	gpgme_set_textmode(r->context, 0);
	gpgme_set_offline(r->context, 1);
	gpgme_set_keylist_mode(r->context, GPGME_KEYLIST_MODE_LOCAL);
	gpgme_set_io_cbs(r->context, &io);
	return e ? e : gpgme_set_ctx_flag(r->context, "full-status", "1");
}

enum err runner_new(struct runner **out, struct loop *l, struct err_info *info)
{
	struct runner *r = mem_alloc(sizeof *r);
	r->loop = l;
	gpgme_error_t e = gpgme_new(&r->context);
	if (!e)
		e = set_up(r);
	if (e) {
		if (r->context)
			gpgme_release(r->context);
		free(r);
		return err_set(info, ERR_INTERNAL, "gpgme: %s", gpgme_strerror(e));
	}
	*out = r;
	return OK;
}

// Cannot hit a stranger: a number stays the child's until this process has reaped it, and then runner_reaped is told.
static void kill_process(struct runner *r)
{
	if (r->pid > 0)
		kill(r->pid, SIGKILL);
	r->pid = 0;
}

void runner_free(struct runner *r)
{
	if (!r)
		return;
	assert(!r->running);
	kill_process(r);
	gpgme_release(r->context);
	free(r);
}

gpgme_ctx_t runner_context(struct runner *r)
{
	return r->context;
}

void runner_on_key(struct runner *r, void (*found)(void *arg, gpgme_key_t key))
{
	r->found = found;
}

// --- one operation --------------------------------------------------------------------------------------------------------

static bool contains(const pid_t *list, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == pid)
			return true;
	return false;
}

// The gpg that was just started is the child that was not there before: gpgme forks twice and says nothing of the second. An agent
// of another operation may have become ours in the same moment.
static pid_t find_new_child(const pid_t *before, size_t count_before)
{
	static pid_t after[PROCESS_MAX];
	size_t count = process_children(after);
	for (size_t i = count; i-- > 0;)
		if (!contains(before, count_before, after[i]) && !process_is_agent(after[i]))
			return after[i];
	return 0;
}

gpgme_error_t runner_start(struct runner *r, const char *home, const struct session *session, bool hold,
			   gpgme_error_t (*start)(gpgme_ctx_t context, void *arg), runner_done *done, void *arg)
{
	static pid_t before[PROCESS_MAX];
	static struct environment environment; // kept: a thread that looks a name up may be reading it
	assert(!r->running);
	r->done = done;
	r->arg = arg;
	r->found = NULL;
	r->started = false;
	r->held = hold;
	r->running = true;
	size_t count = process_children(before);
	// gpgme has forked when it returns: what it reads of the environment, and what gpg inherits, is this
	environment_fini(&environment);
	environment = environment_make(session, home);
	char **own = environ;
	environ = environment.variables;
	gpgme_error_t e = start(r->context, arg);
	environ = own;
	if (e)
		r->running = r->started = r->held = false;
	else
		r->pid = find_new_child(before, count);
	return e;
}

void runner_release(struct runner *r)
{
	r->held = false;
	for (struct watch *w = r->watches; w; w = w->next)
		watch_start(w);
}

static bool is_readable(const struct watch *w)
{
	struct pollfd fd = {.fd = w->watcher.fd, .events = POLLIN};
	return !w->outbound && poll(&fd, 1, 0) == 1;
}

void runner_drain(struct runner *r)
{
	for (int rounds = 0; rounds < DRAIN_MAX && r->running; rounds++) {
		struct watch *w = r->watches;
		while (w && !is_readable(w))
			w = w->next;
		if (!w)
			break;
		w->callback(w->data, w->watcher.fd);
	}
}

void runner_kill(struct runner *r)
{
	if (!r->running)
		return;
	if (r->pid <= 0)
		log_debug("a gpg process has ended by itself, or is not known: it is only hung up on");
	kill_process(r);
	gpgme_cancel(r->context);
	if (r->running) {
		r->running = r->started = r->held = false;
		r->done(r->arg, gpgme_error(GPG_ERR_CANCELED), 0);
	}
}

void runner_reaped(struct runner *r, pid_t pid)
{
	if (r->pid == pid)
		r->pid = 0;
}
