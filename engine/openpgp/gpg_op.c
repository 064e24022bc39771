// SPDX-License-Identifier: GPL-3.0-or-later
// The life of one operation.
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "openpgp/gpg_internal.h"

#define IO_BUFFER "65536" // of gpgme's, for what is large; 512 bytes else, and a turn of the loop for each

static void finish(void *arg);
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
	op->soon_again = call->soon_again;
	op->by_self = call->by_self;
	bool asks = home_is_adopted(call->home) && operation->agent && !operation->exclusive;
	op->timeout_ms = call->timeout_ms ? call->timeout_ms : asks ? GPG_TIMEOUT_MAX_MS : GPG_TIMEOUT_MS;
	op->quiet = !asks;
	op->pinentry = -1;
	op->session = session_ref(call->session);
	op->done = call->done;
	op->arg = call->arg;
	op->passphrase = secret_ref(call->passphrase);
	op->user.exclusive = operation->exclusive;
	op->user.agent = operation->agent;
	op->user.cancel = cancel_user;
	op->user.ready = pump_user;
	buf_init_wiped(&op->output, GPG_PLAINTEXT_MAX);
	gpg_count_ops(op->gpg, 1);
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
	gpg_count_ops(op->gpg, -1);
	release_data(op);
	if (op->key)
		gpgme_key_unref(op->key);
	result_clear(&op->result);
	buf_fini(&op->output);
	bytes_unref(op->input);
	bytes_unref(op->signature);
	secret_unref(op->passphrase);
	secret_unref(op->fresh);
	session_unref(op->session);
	free(op->text);
	free(op);
}

enum err op_queue(struct gpg_op *op, struct gpg_op **out, struct err_info *info)
{
	if (!gpg_has_room(op)) {
		op_free(op);
		return err_set(info, ERR_BUSY, "too many gpg operations wait");
	}
	op->state = OP_QUEUED;
	home_enter(op->home, &op->user);
	gpg_place(op, OP_IN_QUEUE);
	if (out)
		*out = op;
	return OK;
}

// --- its process --------------------------------------------------------------------------------------------------------------

void op_end(struct gpg_op *op, enum err code)
{
	op->state = OP_ENDING;
	op->code = code;
	loop_defer(gpg_loop(op->gpg), &op->deferred, finish, op);
}

// Its question goes from the screen with it, also one of which gpg has just told.
static void stop_process(struct gpg_op *op)
{
	if (!op->quiet && op->pinentry < 0)
		runner_drain(op->runner);
	op_end_pinentry(op);
	runner_kill(op->runner); // ends it through on_gpgme_done
}

void op_stop(struct gpg_op *op)
{
	if (op->state == OP_QUEUED) {
		timer_cancel(gpg_loop(op->gpg), &op->timer);
		gpg_place(op, OP_NOWHERE);
		op_end(op, op->code);
	} else if (op->state == OP_RUNNING) {
		stop_process(op);
	}
}

static void on_late(void *arg)
{
	struct gpg_op *op = arg;
	gpg_counters(op->gpg)->timeouts++;
	op->code = err_set(&op->info, ERR_TIMEOUT, "gpg did not %s within %lld ms", op->operation->name,
			   (long long)op->timeout_ms);
	op_stop(op);
}

static void on_gpgme_done(void *arg, gpgme_error_t failure, gpgme_error_t refusal)
{
	struct gpg_op *op = arg;
	op->failure = failure;
	op->refusal = refusal;
	if (!failure)
		home_warm(&op->user);
	timer_cancel(gpg_loop(op->gpg), &op->timer);
	op_forget_pinentry(op);
	op_end(op, op->code);
}

static gpgme_pinentry_mode_t pinentry_mode(const struct gpg_op *op)
{
	if (op->passphrase || op->fresh)
		return GPGME_PINENTRY_MODE_LOOPBACK;
	return op->quiet ? GPGME_PINENTRY_MODE_ERROR : GPGME_PINENTRY_MODE_ASK;
}

static gpgme_error_t prepare(struct gpg_op *op)
{
	gpgme_ctx_t context = runner_context(op->runner);
	gpgme_pinentry_mode_t mode = pinentry_mode(op);
	op->questions = 0;
	op->notes = (struct status_notes){0};
	gpgme_set_status_cb(context, op_on_status, op);
	gpgme_set_passphrase_cb(context, mode == GPGME_PINENTRY_MODE_LOOPBACK ? op_on_passphrase : NULL, op);
	return gpgme_set_pinentry_mode(context, mode);
}

static enum err launch(struct gpg_op *op)
{
	const char *home;
	enum err code = home_gnupg_path(op->home, &home, &op->info);
	if (code)
		return code;
	const struct session *session = op->session ? op->session : home_session(op->home);
	op->state = OP_RUNNING;
	gpgme_error_t e = prepare(op);
	if (!e)
		e = runner_start(op->runner, home, session, op->waits, op->operation->start, on_gpgme_done, op);
	if (e)
		return op_translate(op, e);
	if (op->state == OP_RUNNING && !op->waits)
		timer_start(gpg_loop(op->gpg), &op->timer, op->timeout_ms, on_late, op);
	return OK;
}

static void give_runner(struct gpg_op *op)
{
	// one that was cut off in the middle is not trusted with another operation
	if (op->runner)
		gpg_give_runner(op->gpg, op->runner, !op->failure);
	op->runner = NULL;
}

void op_start(struct gpg_op *op)
{
	op->runner = gpg_take_runner(op->gpg, &op->info);
	enum err code = op->runner ? launch(op) : ERR_INTERNAL;
	if (code)
		op_end(op, code);
}

// What the last run left is not for the next one: half an output, say, or what gpg has told.
void op_go_back(struct gpg_op *op, enum op_place place)
{
	release_data(op);
	result_clear(&op->result);
	buf_fini(&op->output);
	buf_init_wiped(&op->output, GPG_PLAINTEXT_MAX);
	give_runner(op);
	op->notes = (struct status_notes){0};
	op->failure = op->refusal = 0;
	op->given = 0;
	op->overflow = false;
	home_leave(&op->user);
	home_enter(op->home, &op->user);
	op->state = OP_QUEUED;
	gpg_place(op, place);
}

// --- started ahead ----------------------------------------------------------------------------------------------------------

enum err op_start_ahead(struct gpg_op *op)
{
	op->waits = true;
	op->runner = gpg_take_runner(op->gpg, &op->info);
	enum err code = op->runner ? launch(op) : ERR_INTERNAL;
	if (code)
		give_runner(op);
	else
		gpg_place(op, OP_AMONG_WAITING);
	return code;
}

static void ignore(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	(void)arg;
	(void)code;
	(void)info;
	(void)result;
}

void op_discard(struct gpg_op *op)
{
	op->done = ignore;
	gpg_op_cancel(op);
}

void op_feed(struct gpg_op *op, const struct gpg_call *call, struct bytes *input, struct gpg_op **out)
{
	assert(op->waits);
	op->waits = false;
	op->ahead = true;
	op->input = bytes_ref(input);
	op->done = call->done;
	op->arg = call->arg;
	op->soon_again = call->soon_again;
	op->timeout_ms = call->timeout_ms ? call->timeout_ms : GPG_TIMEOUT_MS;
	home_enter(op->home, &op->user);
	gpg_place(op, OP_AMONG_RUNNING);
	gpg_counters(op->gpg)->ahead++;
	if (op->state == OP_RUNNING) {
		timer_start(gpg_loop(op->gpg), &op->timer, op->timeout_ms, on_late, op);
		runner_release(op->runner);
	} else {
		op->failure = gpgme_error(GPG_ERR_EOF); // it has just ended, and nobody has been told yet
	}
	if (out)
		*out = op;
}

// Whatever it was that failed: without its being started ahead it would perhaps not have.
static bool failed_ahead(const struct gpg_op *op)
{
	return op->ahead && op->code == OK && (op->failure || op->refusal) && !op->overflow;
}

static void start_anew(struct gpg_op *op)
{
	log_debug("%s: gpg was started ahead in vain: once more", op->operation->name);
	gpg_counters(op->gpg)->ahead_in_vain++;
	op->ahead = false;
	op_go_back(op, OP_IN_QUEUE);
}

// --- the user's own agent -----------------------------------------------------------------------------------------------------

// Somebody may have ended it since it was last spoken to: it is started, and the operation once more. gpg does not always tell a
// missing agent from one that lacks the key.
static bool lost_agent(const struct gpg_op *op)
{
	return op->code && op->code != ERR_CANCELED && op->code != ERR_TIMEOUT && !op->quiet && !op->relaunched &&
	       op->user.home && !op->notes.expired && (op->notes.no_agent || op->notes.no_secret_key);
}

static void relaunch(struct gpg_op *op)
{
	op->relaunched = true;
	op->code = OK;
	home_lost_agent(op->home);
	op_go_back(op, OP_IN_QUEUE);
}

// --- the end of an operation ------------------------------------------------------------------------------------------------

static void count(const struct gpg_op *op)
{
	struct gpg_load *load = gpg_counters(op->gpg);
	if (op->waits)
		return;
	load->done++;
	load->failed += op->code != OK;
	if (op->operation->keeps_result && op->code != ERR_CANCELED)
		load->verdicts[op->result.verdict]++;
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
	if (failed_ahead(op)) {
		start_anew(op);
		return;
	}
	if (op->waits && op->code == OK)
		op->code = err_set(&op->info, ERR_IO, "%s: gpg has ended before it was wanted", op->operation->name);
	if (op->runner && op->code == OK)
		collect(op);
	release_data(op);
	if (lost_agent(op)) {
		relaunch(op);
		return;
	}
	if (op_parks(op))
		return;
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
	gpg_place(op, OP_NOWHERE);
	give_runner(op);
	home_leave(&op->user);
	count(op);
	gpg_pump_soon(op->gpg);
	op->info.code = op->code;
	op->done(op->arg, op->code, &op->info, &op->result);
	gpg_retried(op);
	op_free(op);
}

void gpg_op_cancel(struct gpg_op *op)
{
	op->code = err_set(&op->info, ERR_CANCELED, "canceled");
	op_stop(op);
}

static void cancel_user(struct home_user *u)
{
	gpg_op_cancel((struct gpg_op *)((char *)u - offsetof(struct gpg_op, user)));
}

static void pump_user(struct home_user *u)
{
	gpg_pump_soon(((struct gpg_op *)((char *)u - offsetof(struct gpg_op, user)))->gpg);
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

// Read by gpgme once somebody has released the runner: then the input is there.
static ssize_t read_input(void *handle, void *buffer, size_t size)
{
	struct gpg_op *op = handle;
	struct span left = bytes_span(op->input);
	size_t len = left.len - op->given < size ? left.len - op->given : size;
	if (len)
		memcpy(buffer, left.data + op->given, len);
	op->given += len;
	return (ssize_t)len;
}

gpgme_error_t op_input_later(struct gpg_op *op, gpgme_data_t *out)
{
	static struct gpgme_data_cbs reader = {.read = read_input};
	gpgme_data_t data;
	gpgme_error_t e = gpgme_data_new_from_cbs(&data, &reader, op);
	return e ? e : keep_data(op, data, true, out);
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
