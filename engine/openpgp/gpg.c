// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/gpg.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "base/mem.h"
#include "openpgp/gnupg.h"
#include "openpgp/gpg_internal.h"
#include "openpgp/warm.h"

struct queue {
	struct gpg_op *first, **tail;
	unsigned count;
};

struct gpg {
	struct loop *loop;
	struct ev_child children;
	struct runner *idle[GPG_RUNNING_MAX];
	size_t idle_count;
	struct gpg_op *running;
	struct gpg_op *waiting; // started ahead
	struct gpg_op *parked;  // until a person can be asked
	struct warm *warm;
	unsigned running_count, strangers_running;
	struct queue own, strangers;
	struct deferred pump;
	struct timer next; // after a start, until the next may follow
	unsigned limit;    // of those that run
	unsigned ops; // in any state
	struct gpg_load load;
};

// --- the engine -----------------------------------------------------------------------------------------------------------

static void on_child(struct ev_loop *ev, struct ev_child *watcher, int events)
{
	struct gpg *g = watcher->data;
	(void)ev;
	(void)events;
	for (size_t i = 0; i < 2; i++)
		for (struct gpg_op *op = i ? g->waiting : g->running; op; op = op->next)
			if (op->runner)
				runner_reaped(op->runner, watcher->rpid);
}

enum err gpg_new(struct gpg **out, struct loop *loop, struct err_info *info)
{
	struct runner *first = NULL;
	if (!gpgme_check_version("1.18.0"))
		return err_set(info, ERR_UNSUPPORTED, "gpgme is older than 1.18");
	struct gnupg programs;
	gnupg_look(&programs);
	enum err code = gnupg_check(&programs, info);
	if (code)
		return code;
	gpgme_error_t e = gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP);
	if (e)
		return err_set(info, ERR_UNSUPPORTED, "GnuPG cannot be used: %s", gpgme_strerror(e));
	code = runner_new(&first, loop, info);
	if (code)
		return code;
	// gpgme waits for the child it forks and orphans gpg; so do gpg and its agent: they become ours to reap, and to kill
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		log_warn("cannot become a subreaper: %s", strerror(errno));
	struct gpg *g = mem_alloc(sizeof *g);
	g->loop = loop;
	g->limit = GPG_RUNNING_MAX;
	g->warm = warm_new(g, message_start_ahead);
	g->idle[g->idle_count++] = first;
	g->own.tail = &g->own.first;
	g->strangers.tail = &g->strangers.first;
	ev_child_init(&g->children, on_child, 0, 0);
	ev_set_priority(&g->children, EV_MAXPRI);
	g->children.data = g;
	ev_child_start(loop_ev(loop), &g->children);
	ev_unref(loop_ev(loop));
	*out = g;
	return OK;
}

void gpg_free(struct gpg *g)
{
	if (!g)
		return;
	warm_free(g->warm);
	assert(g->ops == 0);
	deferred_cancel(g->loop, &g->pump);
	timer_cancel(g->loop, &g->next);
	ev_ref(loop_ev(g->loop));
	ev_child_stop(loop_ev(g->loop), &g->children);
	while (g->idle_count)
		runner_free(g->idle[--g->idle_count]);
	free(g);
}

struct loop *gpg_loop(const struct gpg *g)
{
	return g->loop;
}

struct gpg_load gpg_load(const struct gpg *g)
{
	struct gpg_load load = g->load;
	load.running = g->running_count;
	load.queued = g->own.count;
	load.queued_strangers = g->strangers.count;
	load.warm = warm_count(g->warm);
	return load;
}

struct warm *gpg_warm(struct gpg *g)
{
	return g->warm;
}

void gpg_limit(struct gpg *g, unsigned running)
{
	g->limit = running < 1 ? 1 : running > GPG_RUNNING_MAX ? GPG_RUNNING_MAX : running;
}

void gpg_keep_warm(struct gpg *g, unsigned max, int64_t idle_ms)
{
	warm_limit(g->warm, max < GPG_WARM_MAX ? max : GPG_WARM_MAX, idle_ms);
}

void gpg_cool(struct gpg *g)
{
	warm_forget_all(g->warm);
}

// --- runners --------------------------------------------------------------------------------------------------------------

struct runner *gpg_take_runner(struct gpg *g, struct err_info *info)
{
	struct runner *r = NULL;
	if (g->idle_count)
		return g->idle[--g->idle_count];
	return runner_new(&r, g->loop, info) == OK ? r : NULL;
}

void gpg_give_runner(struct gpg *g, struct runner *r, bool usable)
{
	gpgme_set_passphrase_cb(runner_context(r), NULL, NULL);
	if (!usable || g->idle_count == GPG_RUNNING_MAX)
		runner_free(r);
	else
		g->idle[g->idle_count++] = r;
}

// --- where operations are ---------------------------------------------------------------------------------------------------

static struct queue *queue_of(struct gpg_op *op)
{
	return op->stranger ? &op->gpg->strangers : &op->gpg->own;
}

static void queue_push(struct queue *q, struct gpg_op *op)
{
	op->next = NULL;
	op->link = q->tail;
	*q->tail = op;
	q->tail = &op->next;
	q->count++;
}

static void list_add(struct gpg_op **list, struct gpg_op *op)
{
	op->next = *list;
	op->link = list;
	if (*list)
		(*list)->link = &op->next;
	*list = op;
}

static void list_remove(struct gpg_op *op)
{
	*op->link = op->next;
	if (op->next)
		op->next->link = op->link;
	op->link = NULL;
}

static void pump(void *arg);

void gpg_pump_soon(struct gpg *g)
{
	loop_defer(g->loop, &g->pump, pump, g);
}

void gpg_place(struct gpg_op *op, enum op_place place)
{
	struct gpg *g = op->gpg;
	struct queue *q = queue_of(op);
	if (op->place == OP_IN_QUEUE) {
		if (!op->next)
			q->tail = op->link;
		q->count--;
	} else if (op->place == OP_AMONG_RUNNING) {
		g->running_count--;
		g->strangers_running -= op->stranger;
	}
	if (op->place != OP_NOWHERE)
		list_remove(op);
	op->place = place;
	if (place == OP_IN_QUEUE) {
		queue_push(q, op);
		gpg_pump_soon(g);
	} else if (place == OP_AMONG_RUNNING) {
		list_add(&g->running, op);
		g->running_count++;
		g->strangers_running += op->stranger;
	} else if (place == OP_AMONG_WAITING) {
		list_add(&g->waiting, op);
	} else if (place == OP_AMONG_PARKED) {
		list_add(&g->parked, op);
	}
}

bool gpg_has_room(const struct gpg_op *op)
{
	return queue_of((struct gpg_op *)op)->count < (op->stranger ? GPG_STRANGERS_QUEUE_MAX : GPG_QUEUE_MAX);
}

struct gpg_load *gpg_counters(struct gpg *g)
{
	return &g->load;
}

void gpg_count_ops(struct gpg *g, int more)
{
	g->ops += (unsigned)more;
}

// Starts op, unless its home is in a pause or has another writer: then it stays in the queue.
static bool try_start(struct gpg *g, struct gpg_op *op)
{
	if (!home_claim(&op->user))
		return false;
	gpg_place(op, OP_AMONG_RUNNING);
	if (op->user.exclusive)
		warm_forget_seals(g->warm, op->home);
	op_start(op);
	return true;
}

static bool start_one(struct gpg *g, struct queue *q)
{
	for (struct gpg_op *op = q->first; op && g->running_count < g->limit; op = op->next) {
		if (op->stranger && g->strangers_running == GPG_STRANGERS_RUNNING_MAX)
			break;
		if (try_start(g, op))
			return true;
	}
	return false;
}

// One a turn: each is a fork, as long as a commit of the store's.
static void pump(void *arg)
{
	struct gpg *g = arg;
	if (!timer_running(&g->next) && (start_one(g, &g->own) || start_one(g, &g->strangers)))
		timer_start(g->loop, &g->next, 0, pump, g);
}

// --- once more, where a person is -------------------------------------------------------------------------------------------

struct retry {
	size_t left;
	void (*done)(void *arg);
	void *arg;
};

void gpg_retried(struct gpg_op *op)
{
	struct retry *r = op->retry;
	if (!r || --r->left)
		return;
	r->done(r->arg);
	free(r);
}

size_t gpg_retry(struct gpg *g, struct home *home, struct session *session, void (*done)(void *arg), void *arg)
{
	struct retry *r = mem_alloc(sizeof *r);
	*r = (struct retry){.done = done, .arg = arg};
	for (struct gpg_op *op = g->parked, *next; op; op = next) {
		next = op->next;
		if (op->home != home || op->stale)
			continue;
		op->retry = r;
		r->left++;
		op_unpark(op, session);
	}
	size_t count = r->left;
	if (count == 0)
		free(r);
	return count;
}

static void stop_all(struct gpg_op *first, const struct home *home)
{
	for (struct gpg_op *op = first, *next; op; op = next) {
		next = op->next;
		if (op->home == home && op->retry)
			op_park_again(op);
	}
}

void gpg_retry_stop(struct gpg *g, struct home *home)
{
	stop_all(g->running, home);
	stop_all(g->own.first, home);
	stop_all(g->strangers.first, home);
}

void gpg_renewed(struct gpg *g, struct home *home, bool renewed)
{
	for (struct gpg_op *op = g->parked, *next; op; op = next) {
		next = op->next;
		if (op->home == home && op->stale)
			op_renew(op, renewed);
	}
}
