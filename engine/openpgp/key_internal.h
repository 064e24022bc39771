// SPDX-License-Identifier: GPL-3.0-or-later
// A key job's insides, for key.c, key_adopt.c, key_passphrase.c and key_subkey.c.
#ifndef SOTTO_OPENPGP_KEY_INTERNAL_H
#define SOTTO_OPENPGP_KEY_INTERNAL_H

#include "openpgp/command.h"
#include "openpgp/key.h"

// One job is a chain of gpg operations; each step's callback starts the next.
struct key_job {
	struct gpg *gpg;
	key_done *done;
	void *arg;
	struct gpg_op *op; // the step under way, or NULL while an agent is waited for
	struct command *command; // or this one: adopt
	struct homes *homes;     // adopt
	struct home *live;       // subkey: the one that it is for; NULL once that is gone
	struct home *home;
	bool own_home;     // made by the job: destroyed unless handed over
	bool throw_away;   // never handed over
	bool only_open;    // unlock
	bool stranger, discussion, canceled;
	struct secret *passphrase, *fresh;
	struct session *session;
	struct bytes *certificate, *text, *signature, *plaintext;
	struct certificate_info info;
	char fingerprint[FINGERPRINT_TEXT];
	struct listed_key listed; // adopt
	enum verdict verdict;
	struct home_user user; // passphrase, subkey: says when the home goes
	struct home_pause pause; // passphrase: while the agent goes
	char *path, *alias;    // passphrase: its home's, also after that has gone
	enum err code;      // passphrase: how it ended, while the agent goes
	struct err_info why;
	struct deferred deferred;
};

struct key_job *key_job_new(const struct key_call *call);
void key_job_free(struct key_job *job);
// The outcome of a start function: the handle, or nothing at all.
enum err key_job_started(struct key_job *job, enum err code, struct key_job **out);
// The call of the job's next operation.
struct gpg_call key_job_step(struct key_job *job, gpg_done *done);
// Calls back and frees. `info` may be NULL.
void key_job_end(struct key_job *job, enum err code, const struct err_info *info);
// Calls back with ERR_CANCELED; the job itself may still have to wait for an agent.
void key_job_tell_canceled(struct key_job *job);
// For a job that has waited for an agent: was it cancelled meanwhile? Then it is gone.
bool key_job_gone(struct key_job *job);

#endif
