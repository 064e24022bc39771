// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/key.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <utf8proc.h>

#include "base/log.h"
#include "base/mem.h"
#include "openpgp/gpg_internal.h"
#include "openpgp/key_internal.h"

#define DISCUSSION_USER_ID "sotto"
#define NAME_MAX_BYTES 64

// --- beginning and end ----------------------------------------------------------------------------------------------------

struct key_job *key_job_new(const struct key_call *call)
{
	struct key_job *job = mem_alloc(sizeof *job);
	job->gpg = call->gpg;
	job->done = call->done;
	job->arg = call->arg;
	job->verdict = VERDICT_GPG_ERROR;
	return job;
}

static void on_destroyed(void *arg, enum err code, const struct err_info *info)
{
	(void)arg;
	if (code)
		log_error("%s", info->text);
}

void key_job_free(struct key_job *job)
{
	if (job->own_home && job->home)
		home_destroy_start(job->home, on_destroyed, NULL);
	home_leave(&job->user);
	secret_unref(job->passphrase);
	secret_unref(job->fresh);
	session_unref(job->session);
	bytes_unref(job->certificate);
	bytes_unref(job->text);
	bytes_unref(job->signature);
	bytes_unref(job->plaintext);
	free(job->path);
	free(job->alias);
	free(job);
}

void key_job_end(struct key_job *job, enum err code, const struct err_info *info)
{
	struct err_info none = {.code = code};
	struct key_result result = {.verdict = job->verdict};
	if (code == OK) {
		if (!job->throw_away) {
			result.home = job->own_home ? job->home : NULL;
			job->home = NULL;
		}
		result.certificate = job->certificate;
		result.certificate_info = &job->info;
		result.listed = &job->listed;
		result.plaintext = job->plaintext;
	}
	job->done(job->arg, code, info ? info : &none, &result);
	key_job_free(job);
}

// The outcome of a start function: the handle, or nothing at all.
enum err key_job_started(struct key_job *job, enum err code, struct key_job **out)
{
	if (code)
		key_job_free(job);
	else if (out)
		*out = job;
	return code;
}

struct gpg_call key_job_step(struct key_job *job, gpg_done *done)
{
	job->op = NULL;
	return (struct gpg_call){
		.gpg = job->gpg,
		.home = job->home,
		.done = done,
		.arg = job,
		.stranger = job->stranger,
		// a protected key costs a deliberately slow derivation
		.timeout_ms = job->passphrase || job->fresh ? GPG_TIMEOUT_MAX_MS : 0,
		.passphrase = job->passphrase,
		.session = job->session,
	};
}

void key_job_tell_canceled(struct key_job *job)
{
	struct err_info info;
	enum err code = err_set(&info, ERR_CANCELED, "canceled");
	key_done *done = job->done;
	job->done = NULL; // the job itself may have to wait for an agent
	done(job->arg, code, &info, &(struct key_result){.verdict = VERDICT_GPG_ERROR});
}

static void on_canceled(void *arg)
{
	key_job_tell_canceled(arg);
}

void key_job_cancel(struct key_job *job)
{
	job->canceled = true;
	if (job->op) {
		gpg_op_cancel(job->op);
		return;
	}
	if (job->command) {
		command_cancel(job->command);
		return;
	}
	// what it waits for may outlast the home's handle, where all homes are being closed
	if (job->own_home && job->home)
		home_destroy_start(job->home, on_destroyed, NULL);
	if (job->own_home)
		job->home = NULL;
	loop_defer(gpg_loop(job->gpg), &job->deferred, on_canceled, job);
}

bool key_job_gone(struct key_job *job)
{
	if (!job->canceled)
		return false;
	deferred_cancel(gpg_loop(job->gpg), &job->deferred);
	if (job->done)
		key_job_tell_canceled(job);
	key_job_free(job);
	return true;
}

// --- making keys ----------------------------------------------------------------------------------------------------------

static void on_generated(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result);
static void on_exported(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result);
static void on_imported(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result);
static void on_sealed(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result);
static void on_opened(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result);

static enum err make_start(struct key_job *job, const struct key_call *call, const char *user_id, struct key_job **out,
			   struct err_info *info)
{
	enum err e = home_create(call->homes, &job->home, info);
	if (e == OK) {
		job->own_home = true;
		struct gpg_call next = key_job_step(job, on_generated);
		e = gpg_generate_start(&next, user_id, &job->op, info);
	}
	return key_job_started(job, e, out);
}

// All that gpg gets here is our own: what it cannot use afterwards it has not kept. Its words for a full disk depend on where
// it met it.
static void end_making(struct key_job *job, enum err code, const struct err_info *info)
{
	struct err_info told;
	struct statvfs st;
	bool damage = code == ERR_BAD_INPUT || code == ERR_CRYPTO || code == ERR_INTERNAL || code == ERR_IO;
	if (damage && statvfs(home_path(job->home), &st) == 0 && st.f_bavail == 0) {
		code = err_set(&told, ERR_IO, "gpg could not keep the key: the disk is full");
		info = &told;
	} else if (code == ERR_BAD_INPUT) {
		code = err_set(&told, ERR_IO, "gpg could not keep the key: %.200s", info->text);
		info = &told;
	}
	key_job_end(job, code, info);
}

static void on_generated(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	struct err_info why = *info;
	if (code == OK) {
		struct gpg_call next = key_job_step(job, on_exported);
		memcpy(job->fingerprint, result->fingerprint, sizeof job->fingerprint);
		code = gpg_export_start(&next, job->fingerprint, &job->op, &why);
	}
	if (code)
		end_making(job, code, &why);
}

static void on_exported(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	struct err_info why = *info;
	if (code == OK) {
		struct span certificate = bytes_span(result->output);
		job->certificate = bytes_ref(result->output);
		code = job->discussion ? discussion_certificate_check(certificate, &job->info, &why)
				       : certificate_check(certificate, &job->info, &why);
	}
	if (code == OK) {
		struct gpg_call next = key_job_step(job, on_imported);
		home_drop_keyring(job->home);
		code = gpg_import_start(&next, job->certificate, &job->op, &why);
	}
	if (code)
		end_making(job, code, &why);
}

static void on_settled(void *arg, enum err code, const struct err_info *info)
{
	struct key_job *job = arg;
	if (key_job_gone(job))
		return;
	job->verdict = VERDICT_ACCEPTED;
	end_making(job, code, info);
}

static void finish_making(struct key_job *job)
{
	struct err_info why;
	enum err code = OK;
	job->op = NULL;
	if (job->passphrase && home_has_unprotected_key(job->home))
		code = err_set(&why, ERR_INTERNAL, "gpg has stored the key without its passphrase");
	if (code == OK)
		code = home_settle_start(job->home, on_settled, job, &why);
	if (code)
		end_making(job, code, &why);
}

static void on_imported(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	struct err_info why = *info;
	(void)result;
	if (code == OK && !job->passphrase) {
		finish_making(job);
		return;
	}
	if (code == OK) {
		// making a key leaves its agent without the passphrase; using both halves once teaches it
		struct gpg_call next = key_job_step(job, on_sealed);
		struct bytes *probe = bytes_new_span(span_string("sotto"));
		code = gpg_seal_start(&next, probe, &job->info.subkeys[job->info.encryption].id, 1, &job->op, &why);
		bytes_unref(probe);
	}
	if (code)
		end_making(job, code, &why);
}

static void on_sealed(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	struct err_info why = *info;
	if (code == OK) {
		struct gpg_call next = key_job_step(job, on_opened);
		code = gpg_open_start(&next, result->output, &job->info.subkeys[job->info.encryption].id, 1,
				      job->info.primary.fingerprint, &job->op, &why);
	}
	if (code)
		end_making(job, code, &why);
}

static void on_opened(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	(void)result;
	if (code)
		end_making(job, code, info);
	else
		finish_making(job);
}

enum err key_make_discussion_start(const struct key_call *call, struct key_job **out, struct err_info *info)
{
	struct key_job *job = key_job_new(call);
	job->discussion = true;
	return make_start(job, call, DISCUSSION_USER_ID, out, info);
}

static bool fits_user_id(utf8proc_int32_t point)
{
	if (point < 128 && strchr("<>()@", (int)point))
		return false;
	switch (utf8proc_category(point)) {
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return false;
	default:
		return true;
	}
}

// What fits of `name`, everything else as single blanks between.
static void make_user_id(const char *name, char out[NAME_MAX_BYTES + 1])
{
	size_t len = 0, left = strlen(name);
	const char *at = name;
	bool blank = false;
	while (left) {
		utf8proc_int32_t point;
		utf8proc_ssize_t n = utf8proc_iterate((const uint8_t *)at, (utf8proc_ssize_t)left, &point);
		size_t used = n > 0 ? (size_t)n : 1;
		bool fits = n > 0 && point != ' ' && fits_user_id(point);
		if (fits) {
			bool gap = blank && len > 0;
			if (len + gap + used > NAME_MAX_BYTES)
				break;
			if (gap)
				out[len++] = ' ';
			memcpy(out + len, at, used);
			len += used;
		}
		blank = !fits;
		at += used;
		left -= used;
	}
	out[len] = 0;
	if (len == 0)
		strcpy(out, DISCUSSION_USER_ID);
}

enum err key_make_general_start(const struct key_call *call, const char *name, struct secret *passphrase,
				struct key_job **out, struct err_info *info)
{
	char user_id[NAME_MAX_BYTES + 1];
	struct key_job *job = key_job_new(call);
	make_user_id(name, user_id);
	job->passphrase = secret_ref(passphrase);
	return make_start(job, call, user_id, out, info);
}

// --- unlocking ------------------------------------------------------------------------------------------------------------

static void on_unlock_signed(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	(void)result;
	key_job_end(arg, code, info);
}

static void on_unlock_opened(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	struct err_info why = *info;
	job->verdict = result->verdict;
	job->plaintext = bytes_ref(result->output);
	if (code == OK && !job->only_open) {
		struct gpg_call next = key_job_step(job, on_unlock_signed);
		struct bytes *probe = bytes_new_span(span_string("sotto"));
		code = gpg_sign_start(&next, probe, &job->op, &why);
		bytes_unref(probe);
	}
	if (code || job->only_open)
		key_job_end(job, code, &why);
}

enum err key_unlock_start(const struct key_call *call, const struct key_unlock *unlock, struct key_job **out,
			  struct err_info *info)
{
	const struct key_info *primary = &unlock->own->primary, *own = &unlock->own->subkeys[unlock->own->encryption];
	struct key_job *job = key_job_new(call);
	job->home = unlock->home;
	job->passphrase = secret_ref(unlock->passphrase);
	job->session = session_ref(unlock->session);
	job->only_open = unlock->only_open;
	struct gpg_call next = key_job_step(job, on_unlock_opened);
	next.by_self = true;
	enum err e = gpg_open_start(&next, unlock->message, &own->id, 1, primary->fingerprint, &job->op, info);
	return key_job_started(job, e, out);
}

// --- strangers ------------------------------------------------------------------------------------------------------------

static void on_vet_verified(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	job->verdict = result->verdict;
	key_job_end(job, code, info);
}

static void on_vet_imported(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct key_job *job = arg;
	struct err_info why = *info;
	(void)result;
	if (code == OK) {
		struct gpg_call next = key_job_step(job, on_vet_verified);
		code = gpg_verify_start(&next, job->text, job->signature, job->info.primary.fingerprint, &job->op, &why);
	}
	if (code)
		key_job_end(job, code, &why);
}

enum err key_vet_start(const struct key_call *call, struct bytes *certificate, struct bytes *text, struct bytes *signature,
		       bool known, struct key_job **out, struct err_info *info)
{
	struct key_job *job = key_job_new(call);
	job->stranger = !known;
	job->text = bytes_ref(text);
	job->signature = bytes_ref(signature);
	enum err e = certificate_check(bytes_span(certificate), &job->info, info);
	if (e == OK)
		e = signature_check(bytes_span(signature), info);
	if (e == OK)
		e = home_create(call->homes, &job->home, info);
	if (e == OK) {
		job->own_home = job->throw_away = true;
		struct gpg_call next = key_job_step(job, on_vet_imported);
		e = gpg_import_start(&next, certificate, &job->op, info);
	}
	return key_job_started(job, e, out);
}
