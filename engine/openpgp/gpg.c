// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/gpg.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "base/mem.h"
#include "openpgp/gnupg.h"
#include "openpgp/gpg_internal.h"

#define IO_BUFFER "65536" // of gpgme's, for what is large; 512 bytes else, and a turn of the loop for each

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
	unsigned running_count, strangers_running;
	struct queue own, strangers;
	struct deferred pump;
	unsigned ops; // in any state
	struct gpg_load load;
};

static void pump(void *arg);
static void finish(void *arg);

// --- the engine -----------------------------------------------------------------------------------------------------------

static void on_child(struct ev_loop *ev, struct ev_child *watcher, int events)
{
	struct gpg *g = watcher->data;
	(void)ev;
	(void)events;
	for (struct gpg_op *op = g->running; op; op = op->next)
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
	assert(g->ops == 0);
	deferred_cancel(g->loop, &g->pump);
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
	return load;
}

// --- lists ----------------------------------------------------------------------------------------------------------------

static void queue_push(struct queue *q, struct gpg_op *op)
{
	op->next = NULL;
	op->link = q->tail;
	*q->tail = op;
	q->tail = &op->next;
	q->count++;
}

static void queue_remove(struct queue *q, struct gpg_op *op)
{
	*op->link = op->next;
	if (op->next)
		op->next->link = op->link;
	else
		q->tail = op->link;
	op->link = NULL;
	q->count--;
}

static struct queue *queue_of(struct gpg_op *op)
{
	return op->stranger ? &op->gpg->strangers : &op->gpg->own;
}

static void running_add(struct gpg *g, struct gpg_op *op)
{
	op->next = g->running;
	op->link = &g->running;
	if (g->running)
		g->running->link = &op->next;
	g->running = op;
	g->running_count++;
	g->strangers_running += op->stranger;
}

static void running_remove(struct gpg *g, struct gpg_op *op)
{
	*op->link = op->next;
	if (op->next)
		op->next->link = op->link;
	op->link = NULL;
	g->running_count--;
	g->strangers_running -= op->stranger;
}

// --- one operation's life -------------------------------------------------------------------------------------------------

static void cancel_user(struct home_user *u);
static void pump_user(struct home_user *u);

enum err op_new(struct gpg_op **out, const struct operation *operation, const struct gpg_call *call, struct err_info *info)
{
	assert(call->gpg && call->home && call->done);
	if (call->timeout_ms < 0 || call->timeout_ms > GPG_TIMEOUT_MAX_MS)
		return err_set(info, ERR_BAD_PARAMS, "a time-out of more than %d ms", GPG_TIMEOUT_MAX_MS);
	enum err e = call->passphrase ? passphrase_check(call->passphrase, info) : OK;
	if (e)
		return e;
	struct gpg_op *op = mem_alloc(sizeof *op);
	op->gpg = call->gpg;
	op->operation = operation;
	op->home = call->home;
	op->stranger = call->stranger;
	op->timeout_ms = call->timeout_ms ? call->timeout_ms : GPG_TIMEOUT_MS;
	op->done = call->done;
	op->arg = call->arg;
	op->passphrase = secret_ref(call->passphrase);
	op->user.exclusive = operation->exclusive;
	op->user.agent = operation->agent;
	op->user.cancel = cancel_user;
	op->user.ready = pump_user;
	buf_init_wiped(&op->output, GPG_PLAINTEXT_MAX);
	op->gpg->ops++;
	*out = op;
	return OK;
}

static void release_data(struct gpg_op *op)
{
	while (op->data_count)
		gpgme_data_release(op->data[--op->data_count]);
}

static void result_clear(struct gpg_result *r)
{
	bytes_unref(r->output);
	secret_unref(r->session_key);
	*r = (struct gpg_result){.verdict = r->verdict};
}

void op_free(struct gpg_op *op)
{
	op->gpg->ops--;
	release_data(op);
	if (op->key)
		gpgme_key_unref(op->key);
	result_clear(&op->result);
	buf_fini(&op->output);
	bytes_unref(op->input);
	bytes_unref(op->signature);
	secret_unref(op->passphrase);
	secret_unref(op->fresh);
	free(op->text);
	free(op);
}

enum err op_queue(struct gpg_op *op, struct gpg_op **out, struct err_info *info)
{
	struct gpg *g = op->gpg;
	struct queue *q = queue_of(op);
	if (q->count >= (op->stranger ? GPG_STRANGERS_QUEUE_MAX : GPG_QUEUE_MAX)) {
		op_free(op);
		return err_set(info, ERR_BUSY, "too many gpg operations wait");
	}
	op->state = OP_QUEUED;
	home_enter(op->home, &op->user);
	queue_push(q, op);
	loop_defer(g->loop, &g->pump, pump, g);
	if (out)
		*out = op;
	return OK;
}

// From here on it is only its callback that is outstanding, on the next turn.
static void end(struct gpg_op *op, enum err code)
{
	op->state = OP_ENDING;
	op->code = code;
	loop_defer(op->gpg->loop, &op->deferred, finish, op);
}

static void on_late(void *arg)
{
	struct gpg_op *op = arg;
	op->gpg->load.timeouts++;
	op->code = err_set(&op->info, ERR_TIMEOUT, "gpg did not %s within %lld ms", op->operation->name,
			   (long long)op->timeout_ms);
	runner_kill(op->runner);
}

static void on_gpgme_done(void *arg, gpgme_error_t failure, gpgme_error_t refusal)
{
	struct gpg_op *op = arg;
	op->failure = failure;
	op->refusal = refusal;
	if (!failure)
		home_warm(&op->user);
	timer_cancel(op->gpg->loop, &op->timer);
	end(op, op->code);
}

static gpgme_error_t prepare(struct gpg_op *op)
{
	gpgme_ctx_t context = runner_context(op->runner);
	op->questions = 0;
	op->notes = (struct status_notes){0};
	gpgme_set_status_cb(context, op_on_status, op);
	gpgme_set_passphrase_cb(context, op->passphrase || op->fresh ? op_on_passphrase : NULL, op);
	return gpgme_set_pinentry_mode(context, op->passphrase || op->fresh ? GPGME_PINENTRY_MODE_LOOPBACK
									      : GPGME_PINENTRY_MODE_ERROR);
}

static enum err launch(struct gpg_op *op)
{
	const char *home;
	enum err code = home_gnupg_path(op->home, &home, &op->info);
	if (code)
		return code;
	op->state = OP_RUNNING;
	gpgme_error_t e = prepare(op);
	if (!e)
		e = runner_start(op->runner, home, op->operation->start, on_gpgme_done, op);
	if (e)
		return op_translate(op, e);
	if (op->state == OP_RUNNING)
		timer_start(op->gpg->loop, &op->timer, op->timeout_ms, on_late, op);
	return OK;
}

static struct runner *take_runner(struct gpg *g, struct err_info *info)
{
	struct runner *r = NULL;
	if (g->idle_count)
		return g->idle[--g->idle_count];
	return runner_new(&r, g->loop, info) == OK ? r : NULL;
}

static void give_runner(struct gpg *g, struct gpg_op *op)
{
	struct runner *r = op->runner;
	if (!r)
		return;
	op->runner = NULL;
	gpgme_set_passphrase_cb(runner_context(r), NULL, NULL);
	// one that was cut off in the middle is not trusted with another operation
	if (op->failure || g->idle_count == GPG_RUNNING_MAX)
		runner_free(r);
	else
		g->idle[g->idle_count++] = r;
}

// Starts op, unless its home is in a pause or has another writer: then it stays in the queue.
static void try_start(struct gpg *g, struct gpg_op *op)
{
	if (!home_claim(&op->user))
		return;
	queue_remove(queue_of(op), op);
	running_add(g, op);
	op->runner = take_runner(g, &op->info);
	enum err code = op->runner ? launch(op) : ERR_INTERNAL;
	if (code)
		end(op, code);
}

static void pump_queue(struct gpg *g, struct queue *q)
{
	struct gpg_op *next;
	for (struct gpg_op *op = q->first; op && g->running_count < GPG_RUNNING_MAX; op = next) {
		next = op->next;
		if (op->stranger && g->strangers_running == GPG_STRANGERS_RUNNING_MAX)
			break;
		try_start(g, op);
	}
}

static void pump(void *arg)
{
	struct gpg *g = arg;
	pump_queue(g, &g->own);
	pump_queue(g, &g->strangers);
}

static void count(struct gpg *g, const struct gpg_op *op)
{
	g->load.done++;
	if (op->code)
		g->load.failed++;
	if (op->operation->keeps_result && op->code != ERR_CANCELED)
		g->load.verdicts[op->result.verdict]++;
}

// What gpgme says of the operation; only called where nobody has cancelled it and it was not too late. gpgme ends some operations
// itself because of what gpg says: that is no failure of another kind.
static void collect(struct gpg_op *op)
{
	op->code = op->operation->collect(op, runner_context(op->runner), op->failure ? op->failure : op->refusal);
}

static void finish(void *arg)
{
	struct gpg_op *op = arg;
	struct gpg *g = op->gpg;
	if (op->runner && op->code == OK)
		collect(op);
	release_data(op);
	if (op->again && op->code == OK) {
		op->again = false;
		op->code = launch(op);
		if (op->code == OK)
			return;
	}
	if (op->code) {
		result_clear(&op->result);
		if (op->operation->keeps_result && op->result.verdict == VERDICT_ACCEPTED)
			op->result.verdict = VERDICT_GPG_ERROR;
	}
	if (op->link)
		running_remove(g, op);
	give_runner(g, op);
	home_leave(&op->user);
	count(g, op);
	loop_defer(g->loop, &g->pump, pump, g);
	op->info.code = op->code;
	op->done(op->arg, op->code, &op->info, &op->result);
	op_free(op);
}

void gpg_op_cancel(struct gpg_op *op)
{
	enum op_state state = op->state;
	op->code = err_set(&op->info, ERR_CANCELED, "canceled");
	if (state == OP_QUEUED) {
		queue_remove(queue_of(op), op);
		end(op, ERR_CANCELED);
	} else if (state == OP_RUNNING) {
		runner_kill(op->runner); // ends it through on_gpgme_done
	}
}

static void cancel_user(struct home_user *u)
{
	gpg_op_cancel((struct gpg_op *)((char *)u - offsetof(struct gpg_op, user)));
}

static void pump_user(struct home_user *u)
{
	struct gpg *g = ((struct gpg_op *)((char *)u - offsetof(struct gpg_op, user)))->gpg;
	loop_defer(g->loop, &g->pump, pump, g);
}

// --- data -----------------------------------------------------------------------------------------------------------------

static gpgme_error_t tune(gpgme_data_t data, bool large)
{
	gpgme_error_t e = gpgme_data_set_flag(data, "sensitive", "1");
	if (!e && large)
		e = gpgme_data_set_flag(data, "io-buffer-size", IO_BUFFER);
	return e;
}

static gpgme_error_t keep_data(struct gpg_op *op, gpgme_data_t data, bool large, gpgme_data_t *out)
{
	assert(op->data_count < OP_DATA_MAX);
	op->data[op->data_count++] = data;
	*out = data;
	return tune(data, large);
}

gpgme_error_t op_input(struct gpg_op *op, struct span bytes, gpgme_data_t *out)
{
	gpgme_data_t data;
	gpgme_error_t e = gpgme_data_new_from_mem(&data, (const char *)bytes.data, bytes.len, 0);
	return e ? e : keep_data(op, data, bytes.len > 4096, out);
}

static ssize_t write_output(void *handle, const void *data, size_t len)
{
	struct gpg_op *op = handle;
	if (buf_append(&op->output, data, len) != OK) {
		op->overflow = true;
		errno = EFBIG;
		return -1;
	}
	return (ssize_t)len;
}

gpgme_error_t op_output(struct gpg_op *op, size_t max, gpgme_data_t *out)
{
	static struct gpgme_data_cbs writer = {.write = write_output};
	gpgme_data_t data;
	op->output.max = max;
	gpgme_error_t e = gpgme_data_new_from_cbs(&data, &writer, op);
	return e ? e : keep_data(op, data, max > 65536, out);
}
