// SPDX-License-Identifier: GPL-3.0-or-later
// One gpgme context driven by the loop: starts one gpg process at a time and says when it is done. Internal to gpg.c.
#ifndef SOTTO_OPENPGP_RUNNER_H
#define SOTTO_OPENPGP_RUNNER_H

#include <gpgme.h>
#include <sys/types.h>

#include "base/err.h"
#include "loop/loop.h"
#include "openpgp/session.h"

struct runner;

// Called from inside gpgme: it notes and defers, and calls neither gpgme nor the runner. `failure` is gpgme's own (I/O, cancel),
// `refusal` the operation's; both are looked at.
typedef void runner_done(void *arg, gpgme_error_t failure, gpgme_error_t refusal);

MUST_CHECK enum err runner_new(struct runner **out, struct loop *l, struct err_info *info);
void runner_free(struct runner *r); // not while it runs

gpgme_ctx_t runner_context(struct runner *r);

// Runs `start` with GNUPGHOME set to `home`, and for a person at `session` (NULL: nobody is asked there). Where it succeeds, `done`
// comes exactly once: later, or from inside runner_kill. With `hold` what is to be read by gpg waits for runner_release, and so does
// gpg.
gpgme_error_t runner_start(struct runner *r, const char *home, const struct session *session, bool hold,
			   gpgme_error_t (*start)(gpgme_ctx_t context, void *arg), runner_done *done, void *arg);
void runner_release(struct runner *r); // not from inside gpgme
// Takes what gpg has written by now, which may end it. Not from inside gpgme.
void runner_drain(struct runner *r);
// Kills the gpg process. The context is not to be used again: free the runner once `done` was called.
void runner_kill(struct runner *r);
// A child of ours with this number has been reaped.
void runner_reaped(struct runner *r, pid_t pid);

// For gpgme_op_keylist_start: each key found is given away, with a reference.
void runner_on_key(struct runner *r, void (*found)(void *arg, gpgme_key_t key));

#endif
