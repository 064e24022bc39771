// SPDX-License-Identifier: GPL-3.0-or-later
// Changing a key's passphrase, so that a crash or a failure at any point leaves the old one or the new one, for both halves.
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "openpgp/agent.h"
#include "openpgp/gpg_internal.h"
#include "openpgp/home_files.h"
#include "openpgp/key_internal.h"

static void on_changed(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result);

// Nothing begins in the home while its agent is on its way out.
static void pause_home(struct key_job *job)
{
	if (job->home)
		home_pause(job->home, &job->pause);
}

static void on_home_gone(struct home_user *u)
{
	struct key_job *job = (struct key_job *)((char *)u - offsetof(struct key_job, user));
	job->home = NULL;
}

// The last step, whatever came before. Only now nobody writes to the keys any more.
static void on_change_ended(void *arg, enum err code, const struct err_info *info)
{
	struct key_job *job = arg;
	struct err_info lost;
	if (job->code && home_files_restore_keys(job->path, &lost))
		log_error("%s", lost.text);
	home_resume(&job->pause);
	if (code && job->code == OK) {
		job->code = code;
		job->why = *info;
	}
	if (key_job_gone(job))
		return;
	if (job->done)
		key_job_end(job, job->code, &job->why);
	else
		key_job_free(job);
}

// An agent that knows the old passphrase, or half of the new, is not kept. The home may have gone by now.
static void end_change(struct key_job *job, enum err code, const struct err_info *info)
{
	job->code = code;
	job->why = *info;
	job->op = NULL;
	pause_home(job);
	if (code == ERR_CANCELED)
		key_job_tell_canceled(job);
	agent_end_start(gpg_loop(job->gpg), job->path, job->alias, false, on_change_ended, job);
}

static void change(struct key_job *job)
{
	struct err_info why;
	enum err e = home_files_keep_keys(job->path, &why);
	if (e == OK) {
		struct gpg_call next = key_job_step(job, on_changed);
		e = gpg_passphrase_start(&next, job->fingerprint, job->fresh, &job->op, &why);
	}
	if (e)
		end_change(job, e, &why);
}

static void on_changed(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	struct err_info why = *info;
	(void)result;
	if (code == OK && home_files_unprotected(job->path))
		code = err_set(&why, ERR_INTERNAL, "gpg has stored a key without its passphrase");
	if (code == OK)
		code = home_files_settle(job->path, &why);
	if (code == OK)
		home_files_forget_kept_keys(job->path);
	end_change(job, code, &why);
}

static void on_old_tried(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	(void)result;
	job->op = NULL;
	if (code)
		end_change(job, code, info);
	else
		change(job);
}

// The old one is tried against an agent that knows nothing: while it changes a passphrase gpg does not say which one it asks for.
static void on_forgotten(void *arg, enum err code, const struct err_info *info)
{
	struct key_job *job = arg;
	struct err_info why = *info;
	home_resume(&job->pause);
	if (key_job_gone(job))
		return;
	if (!job->home)
		code = err_set(&why, ERR_CANCELED, "canceled");
	if (code == OK && !job->passphrase) {
		change(job);
		return;
	}
	if (code == OK) {
		struct gpg_call next = key_job_step(job, on_old_tried);
		struct bytes *probe = bytes_new_span(span_string("sotto"));
		code = gpg_sign_start(&next, probe, &job->op, &why);
		bytes_unref(probe);
	}
	if (code)
		key_job_end(job, code, &why);
}

enum err key_passphrase_start(const struct key_call *call, struct home *home, const char *fingerprint, struct secret *old,
			      struct secret *fresh, struct key_job **out, struct err_info *info)
{
	const char *alias;
	enum err e = passphrase_check(fresh, info);
	if (e == OK && old)
		e = passphrase_check(old, info);
	if (e == OK && !fingerprint_valid(fingerprint))
		e = err_set(info, ERR_BAD_PARAMS, "not a fingerprint");
	if (e == OK && home_has_unprotected_key(home) != (old == NULL))
		e = err_set(info, ERR_REFUSED, old ? "the key has no passphrase" : "the key has a passphrase");
	if (e == OK)
		e = home_gnupg_path(home, &alias, info);
	if (e)
		return e;
	struct key_job *job = key_job_new(call);
	job->home = home;
	job->path = mem_dup_string(home_path(home));
	job->alias = mem_dup_string(alias);
	job->passphrase = secret_ref(old);
	job->fresh = secret_ref(fresh);
	memcpy(job->fingerprint, fingerprint, sizeof job->fingerprint);
	job->user.cancel = on_home_gone;
	home_enter(home, &job->user);
	pause_home(job);
	agent_end_start(gpg_loop(call->gpg), job->path, job->alias, false, on_forgotten, job);
	return key_job_started(job, OK, out);
}
