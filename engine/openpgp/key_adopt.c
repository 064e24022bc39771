// SPDX-License-Identifier: GPL-3.0-or-later
// Adopting a key of the user's own GnuPG: its agent is started, the key listed and judged, its certificate exported, checked, and
// imported into a home of ours.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "openpgp/gpg_internal.h"
#include "openpgp/key_internal.h"
#include "openpgp/sockets.h"
#include "openpgp/users.h"

static void on_imported(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	(void)result;
	key_job_end(arg, code, info);
}

static enum err make_home(struct key_job *job, struct err_info *info)
{
	enum err e = home_create_adopted(job->homes, job->listed.signer, &job->home, info);
	if (e)
		return e;
	job->own_home = true;
	struct gpg_call next = key_job_step(job, on_imported);
	return gpg_import_start(&next, job->certificate, &job->op, info);
}

// The certificate goes to strangers, and must be what they take (P1.7).
static enum err check_certificate(struct key_job *job, struct err_info *info)
{
	struct err_info why;
	enum err e = certificate_check(bytes_span(job->certificate), &job->info, &why);
	if (e)
		return err_set(info, e == ERR_TOO_LARGE ? e : ERR_BAD_PARAMS, "the key %s cannot be adopted: %.150s",
			       job->fingerprint, why.text);
	const char *decrypter = job->info.subkeys[job->info.encryption].fingerprint;
	if (strcmp(job->info.primary.fingerprint, job->fingerprint) != 0 || strcmp(decrypter, job->listed.decrypter) != 0)
		return err_set(info, ERR_INTERNAL, "gpg has exported another key");
	return OK;
}

static void on_exported(void *arg, const struct command_result *result)
{
	struct key_job *job = arg;
	struct err_info info;
	job->command = NULL;
	enum err e = users_outcome(result, "export your key", &info);
	if (e == OK && result->output.len == 0)
		e = err_set(&info, ERR_NOT_FOUND, "gpg has exported nothing of the key %s", job->fingerprint);
	if (e == OK) {
		job->certificate = bytes_new_span(result->output);
		e = check_certificate(job, &info);
	}
	if (e == OK)
		e = make_home(job, &info);
	if (e)
		key_job_end(job, e, &info);
}

static bool secret_missing(enum key_obstacle obstacle)
{
	return obstacle == KEY_SIGNING_SECRET_MISSING || obstacle == KEY_DECRYPTION_SECRET_MISSING;
}

static enum err judge(struct key_job *job, struct span listing, struct err_info *info)
{
	struct listed_key *keys = mem_alloc_array(LISTED_KEYS_MAX, sizeof *keys);
	size_t count = listing_read(listing, keys, LISTED_KEYS_MAX), at = 0;
	enum err e = OK;
	while (at < count && strcmp(keys[at].fingerprint, job->fingerprint) != 0)
		at++;
	if (at == count) {
		e = err_set(info, ERR_NOT_FOUND, "there is no key %s in your GnuPG (%s)", job->fingerprint,
			    sockets_users_home());
	} else if (keys[at].obstacle) {
		e = err_set(info, secret_missing(keys[at].obstacle) ? ERR_NOT_FOUND : ERR_BAD_PARAMS,
			    "the key %s cannot be adopted: %s", job->fingerprint, key_obstacle_text(keys[at].obstacle));
	}
	if (e == OK)
		job->listed = keys[at];
	free(keys);
	return e;
}

static void on_listed(void *arg, const struct command_result *result)
{
	struct key_job *job = arg;
	struct err_info info;
	job->command = NULL;
	enum err e = users_outcome(result, "list your keys", &info);
	// where there is no such key gpg fails, and has listed none
	if (e == OK || (e == ERR_IO && result->code == OK))
		e = judge(job, result->output, &info);
	if (e == OK)
		e = users_export_start(&job->command, gpg_loop(job->gpg), &job->listed, on_exported, job, &info);
	if (e)
		key_job_end(job, e, &info);
}

static void on_launched(void *arg, const struct command_result *result)
{
	struct key_job *job = arg;
	struct err_info info;
	job->command = NULL;
	enum err e = users_outcome(result, "start your GnuPG's agent", &info);
	if (e == OK)
		e = users_list_start(&job->command, gpg_loop(job->gpg), job->fingerprint, on_listed, job, &info);
	if (e)
		key_job_end(job, e, &info);
}

enum err key_adopt_start(const struct key_call *call, const char *fingerprint, struct session *session, struct key_job **out,
			 struct err_info *info)
{
	if (!fingerprint_valid(fingerprint))
		return err_set(info, ERR_BAD_PARAMS, "a fingerprint is 40 upper-case hex digits");
	enum err e = users_exist(info);
	if (e)
		return e;
	struct key_job *job = key_job_new(call);
	job->homes = call->homes;
	job->session = session_ref(session);
	memcpy(job->fingerprint, fingerprint, sizeof job->fingerprint);
	e = users_launch_start(&job->command, gpg_loop(call->gpg), on_launched, job, info);
	return key_job_started(job, e, out);
}
