// SPDX-License-Identifier: GPL-3.0-or-later
// An identity whose key is one of the user's own GnuPG: that agent is asked, and its pinentry asks the person (P3.6).
#include "base/log.h"
#include "shell/identity_parts.h"
#include "shell/shell.h"

#define PATIENCE_MS 1500 // so long the start waits for an answer that needs nobody

static void tell_needed(void *arg)
{
	struct identity *i = arg;
	engine_emit(i->engine, "passphrase.needed", "identity", identity_view(i));
}

static void on_expired(void *arg)
{
	identity_renew(arg);
}

void identity_adopted_home(struct identity *i, struct home *home)
{
	home_on_wanted(home, tell_needed, i);
	home_on_expired(home, on_expired, i);
	if (i->session)
		home_set_session(home, i->session);
}

// It goes on without: somebody may be looking for a card.
static void patience_over(void *arg)
{
	identity_report_loaded(arg, OK, NULL);
}

static void go_on_unlocking(struct identity *i, bool is_unlocked);

static void asked_at_start(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	i->op = NULL;
	if (i->engine->stopping)
		return;
	if (code == OK) {
		info = &own;
		code = identity_take_store_key(i, result->output, &own);
	}
	bool told = i->loaded == NULL;
	if (code && code != ERR_CANCELED)
		log_info("the adopted key stays locked: %s", info->text);
	if (i->pending) { // identity.unlock has come meanwhile
		go_on_unlocking(i, code == OK);
		return;
	}
	identity_settle(i);
	identity_report_loaded(i, OK, NULL);
	if (code && told)
		tell_needed(i);
}

// A pinentry may appear, on a display. Where that is not answered the identity stays locked.
enum err identity_ask_at_start(struct identity *i, bool *waits, struct err_info *info)
{
	identity_adopted_home(i, i->home);
	identity_renew(i);
	i->session = session_without_terminal(NULL);
	enum err code = identity_open_store_key(i, asked_at_start, info);
	*waits = code == OK;
	if (code == OK)
		timer_start(i->engine->loop, &i->patience, PATIENCE_MS, patience_over, i);
	return code;
}

// --- unlocking ----------------------------------------------------------------------------------------------------------------

static void answer_given_up(struct identity *i)
{
	struct err_info info;
	enum err code = err_set(&info, ERR_CANCELED, "given up");
	identity_answer(i, code, &info);
}

static void retried(void *arg)
{
	struct identity *i = arg;
	if (i->given_up)
		answer_given_up(i);
	else
		identity_answer(i, OK, NULL);
}

static enum err ask(struct identity *i, struct err_info *info)
{
	struct gpg *gpg = i->engine->gpg;
	home_set_session(i->home, i->session);
	if (i->state == IDENTITY_READY && gpg_retry(gpg, i->home, i->session, retried, i))
		return OK;
	return identity_unlock_start(i, NULL, info);
}

static void go_on_unlocking(struct identity *i, bool is_unlocked)
{
	struct err_info info;
	if (i->given_up) {
		answer_given_up(i);
		return;
	}
	enum err code = is_unlocked ? OK : ask(i, &info);
	if (is_unlocked || code)
		identity_answer(i, code, &info);
}

enum err identity_ask(struct identity *i, struct call *c, struct session *session)
{
	if (i->state == IDENTITY_NONE)
		return identity_need(i, c->info);
	if (i->pending || (i->busy && !i->op))
		return err_set(c->info, ERR_BUSY, "the identity is being unlocked or locked");
	if (i->busy) {
		// who asks now is looking at a screen: the question of the core's start is taken back
		session_unref(i->session);
		identity_begin(i, c, session);
		gpg_op_cancel(i->op);
		return OK;
	}
	i->session = session_ref(session);
	enum err code = ask(i, c->info);
	session_unref(i->session);
	i->session = NULL;
	if (code == OK)
		identity_begin(i, c, session);
	return code;
}

enum err identity_give_up(struct identity *i, struct call *c)
{
	if (i->pending && i->session) {
		i->given_up = true;
		if (i->job)
			key_job_cancel(i->job);
		else if (i->op)
			gpg_op_cancel(i->op);
		else
			gpg_retry_stop(i->engine->gpg, i->home);
	}
	*c->out = identity_view(i);
	return OK;
}

enum err identity_reach_start(struct identity *i, key_done *done, void *arg, struct key_job **out, struct err_info *info)
{
	const struct key_call call = {.gpg = i->engine->gpg, .homes = i->engine->homes, .done = done, .arg = arg};
	const struct key_unlock unlock = {
		.home = i->home, .own = &i->info, .message = i->row.store_key, .only_open = i->row.card};
	return key_unlock_start(&call, &unlock, out, info);
}
