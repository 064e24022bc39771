// SPDX-License-Identifier: GPL-3.0-or-later
// Operations that wait for somebody else: for a person who can be asked, or for a newer certificate of a key that has expired.
#include "openpgp/gpg_internal.h"

// --- a person ---------------------------------------------------------------------------------------------------------------

static void on_late(void *arg)
{
	struct gpg_op *op = arg;
	op->quiet = true; // it does not wait once more
	op_stop(op);
}

static void park(struct gpg_op *op)
{
	gpg_retried(op);
	op->retry = NULL;
	op_go_back(op, OP_AMONG_PARKED);
	timer_start(gpg_loop(op->gpg), &op->timer, GPG_TIMEOUT_MAX_MS, on_late, op);
	gpg_pump_soon(op->gpg);
}

void op_park_again(struct gpg_op *op)
{
	session_unref(op->session);
	op->session = NULL;
	op->relaunched = true; // also where the agent has just gone: nobody wants it to ask
	op->code = err_set(&op->info, ERR_LOCKED, "nobody wants to be asked now");
	op_stop(op);
}

static void begin_again(struct gpg_op *op)
{
	timer_cancel(gpg_loop(op->gpg), &op->timer);
	op->code = OK;
	op->relaunched = false;
	gpg_place(op, OP_IN_QUEUE);
}

void op_unpark(struct gpg_op *op, struct session *session)
{
	op->session = session_ref(session);
	begin_again(op);
}

// --- a certificate ------------------------------------------------------------------------------------------------------------

void op_renew(struct gpg_op *op, bool renewed)
{
	op->stale = false;
	if (renewed)
		begin_again(op);
	else
		op_stop(op);
}

// --- both ---------------------------------------------------------------------------------------------------------------------

bool op_parks(struct gpg_op *op)
{
	if (op->code == OK || op->code == ERR_CANCELED || !op->user.home || op->quiet)
		return false;
	if (op->notes.expired && !op->renewed) {
		op->renewed = op->stale = true; // once is enough
		park(op);
		home_expire(op->home);
		return true;
	}
	if (op->code != ERR_LOCKED || op->session)
		return false;
	park(op);
	home_want(op->home);
	return true;
}
