// SPDX-License-Identifier: GPL-3.0-or-later
// One more subkey for a discussion key (P4.2): made in a staging home with a copy of the primary key, taken over from there.
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "openpgp/gpg_internal.h"
#include "openpgp/home_files.h"
#include "openpgp/key_internal.h"
#include "openpgp/keygrip.h"

static void on_live_gone(struct home_user *u)
{
	struct key_job *job = (struct key_job *)((char *)u - offsetof(struct key_job, user));
	job->live = NULL; // what runs in the staging home comes to its end
}

// The outcome of a step, where the next one needs the live home.
static enum err go_on(struct key_job *job, enum err code, struct err_info *info)
{
	if (code == OK && !job->live)
		return err_set(info, ERR_CANCELED, "canceled");
	return code;
}

static void on_settled(void *arg, enum err code, const struct err_info *info)
{
	struct key_job *job = arg;
	if (key_job_gone(job))
		return;
	struct err_info why = *info;
	key_job_end(job, go_on(job, code, &why), &why);
}

static void on_imported(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	struct err_info why = *info;
	(void)result;
	code = go_on(job, code, &why);
	job->op = NULL;
	if (code == OK)
		code = home_settle_start(job->live, on_settled, job, &why);
	if (code)
		key_job_end(job, code, &why);
}

// The secret is on the disk before anybody can hear of it.
static enum err take_over(struct key_job *job, struct err_info *info)
{
	struct keygrips grips;
	enum err e = discussion_certificate_grips(bytes_span(job->certificate), &grips, info);
	if (e == OK)
		e = home_files_copy_key(home_path(job->home), home_path(job->live), grips.subkey, info);
	if (e)
		return e;
	struct gpg_call next = key_job_step(job, on_imported);
	next.home = job->live;
	return gpg_import_start(&next, job->certificate, &job->op, info);
}

static enum err cut(struct key_job *job, struct bytes *exported, struct err_info *info)
{
	struct buf out;
	buf_init(&out, DISCUSSION_CERTIFICATE_MAX);
	enum err e = certificate_cut(bytes_span(exported), job->fingerprint, &out, info);
	if (e == OK)
		e = discussion_certificate_check(buf_span(&out), &job->info, info);
	if (e == OK) {
		bytes_unref(job->certificate);
		job->certificate = buf_take(&out);
	}
	buf_fini(&out);
	return e;
}

static void on_exported(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	struct err_info why = *info;
	code = go_on(job, code, &why);
	if (code == OK)
		code = cut(job, result->output, &why);
	if (code == OK)
		code = take_over(job, &why);
	if (code)
		key_job_end(job, code, &why);
}

static void on_made(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	struct err_info why = *info;
	code = go_on(job, code, &why);
	if (code == OK) {
		struct gpg_call next = key_job_step(job, on_exported);
		memcpy(job->fingerprint, result->fingerprint, sizeof job->fingerprint);
		code = gpg_export_start(&next, job->info.primary.fingerprint, &job->op, &why);
	}
	if (code)
		key_job_end(job, code, &why);
}

static void on_staged(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	struct err_info why = *info;
	(void)result;
	code = go_on(job, code, &why);
	if (code == OK) {
		struct gpg_call next = key_job_step(job, on_made);
		code = gpg_subkey_start(&next, job->info.primary.fingerprint, &job->op, &why);
	}
	if (code)
		key_job_end(job, code, &why);
}

static enum err stage(struct key_job *job, const struct key_call *call, const char *grip, struct err_info *info)
{
	enum err e = home_create(call->homes, &job->home, info);
	if (e)
		return e;
	job->own_home = job->throw_away = true;
	e = home_files_copy_key(home_path(job->live), home_path(job->home), grip, info);
	if (e)
		return e;
	struct gpg_call next = key_job_step(job, on_staged);
	return gpg_import_start(&next, job->certificate, &job->op, info);
}

enum err key_subkey_start(const struct key_call *call, struct home *home, struct bytes *certificate, struct key_job **out,
			  struct err_info *info)
{
	struct keygrips grips;
	struct certificate_info found;
	enum err e = discussion_certificate_check(bytes_span(certificate), &found, info);
	if (e == OK)
		e = discussion_certificate_grips(bytes_span(certificate), &grips, info);
	if (e)
		return e;
	struct key_job *job = key_job_new(call);
	job->discussion = true;
	job->info = found;
	job->certificate = bytes_ref(certificate);
	job->live = home;
	job->user.cancel = on_live_gone;
	home_enter(home, &job->user);
	return key_job_started(job, stage(job, call, grips.primary, info), out);
}
