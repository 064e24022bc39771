// SPDX-License-Identifier: GPL-3.0-or-later
// GnuPG homes of our own (P3.6, P4.1): DIRECTORY/<32 hex digits>, 0700, each with its own configuration, its own keyring (own
// key first, exactly one secret key) and its own gpg-agent, which ends with the home. Nothing of the user's GnuPG is touched.
//
// Making and opening a home are file operations. Everything that has to do with an agent is asynchronous: a start function
// calls `done` exactly once, never before it returns.
#ifndef SOTTO_OPENPGP_HOME_H
#define SOTTO_OPENPGP_HOME_H

#include "base/err.h"
#include "base/random.h"
#include "loop/loop.h"
#include "openpgp/session.h"

#define HOME_NAME_LEN 32   // lower-case hex digits
#define HOMES_SWEEP_MAX 65536

struct homes; // the directory; one for each process and directory
struct home;

typedef void home_done(void *arg, enum err code, const struct err_info *info); // info borrowed

// Makes the directory (0700) where it is missing. `loop` is borrowed.
MUST_CHECK enum err homes_open(struct homes **out, struct loop *loop, const char *directory, const struct random *random,
			       struct err_info *info);
// Ends the agents of all open homes (the homes stay on disk and their handles are gone), waits for what is under way in other
// calls, then frees. The callbacks of those other calls come first. Owners have let go of their homes, or their operations end
// by this.
void homes_close_start(struct homes *h, home_done *done, void *arg);
// The handle alone, at once, where no home of it is open: for who could not go on behind homes_open. NULL is allowed.
void homes_free_unused(struct homes *h);
// Which directories may stay: `names` (home_name) of `count` homes. Every other entry is destroyed as by home_destroy_start,
// and aliases of a killed core are removed. The agents of all, kept ones too, are ended: they were a killed core's. Before any
// home is open.
void homes_sweep_start(struct homes *h, const char *const *names, size_t count, home_done *done, void *arg);

// A new empty home; its configuration is written. The handle is the caller's until destroy or close takes it.
MUST_CHECK enum err home_create(struct homes *h, struct home **out, struct err_info *info);
// The same for public keys only, to be thrown away: it never has an agent, which saves the time of starting and ending one.
MUST_CHECK enum err home_create_public(struct homes *h, struct home **out, struct err_info *info);
// An existing one (ERR_NOT_FOUND); its configuration is written anew. A home is open at most once (ERR_WRONG_STATE).
MUST_CHECK enum err home_open(struct homes *h, const char *name, struct home **out, struct err_info *info);

// The home of an adopted key (P3.6): it holds certificates only, and its gpg speaks to the user's own agent (users.h), which is
// started where it is not found, and never ended. `signer` is the fingerprint of the key that signs. To be created, or opened again.
MUST_CHECK enum err home_create_adopted(struct homes *h, const char *signer, struct home **out, struct err_info *info);
MUST_CHECK enum err home_open_adopted(struct homes *h, const char *name, const char *signer, struct home **out,
				      struct err_info *info);
bool home_is_adopted(const struct home *h);
// Where the user's pinentry may appear for an operation that no front end has asked for: on the display of the last front end, never
// in its terminal. Copied; standard: the display that this process was started with.
void home_set_session(struct home *h, const struct session *session);
const struct session *home_session(const struct home *h);
// Who is told that an operation waits for a person (gpg.h), at most once a turn.
void home_on_wanted(struct home *h, void (*wanted)(void *arg), void *arg);
void home_want(struct home *h); // for gpg.c
// Who is told that the key has expired, as far as the home knows; likewise. gpg_renewed is the answer.
void home_on_expired(struct home *h, void (*expired)(void *arg), void *arg);
void home_expire(struct home *h); // for gpg.c
// For gpg.c: gpg did not find the user's agent. What is begun from now on waits until it was started.
void home_lost_agent(struct home *h);

const char *home_name(const struct home *h); // what the store remembers; valid as long as the handle
const char *home_path(const struct home *h); // the directory itself
// For a look at them all: the open ones, in no order, and whether others are on their way out.
struct home *homes_first(const struct homes *h); // NULL: none
struct home *home_next(const struct home *h);
bool homes_ending(const struct homes *h);
// Where its agent listens, or would; freed by the caller.
char *home_agent_socket(struct home *h) __attribute__((malloc));
// The path that GNUPGHOME takes: the directory, or a short alias of it where its sockets would be in it (sockets.h) and their
// names too long (200 bytes and more work). Made anew where something has removed it. Valid as long as the handle.
MUST_CHECK enum err home_gnupg_path(struct home *h, const char **out, struct err_info *info);
// Drops the revocation certificate that gpg makes unasked, and writes keys and keyring through to the disk: some fsyncs at
// once, each as long as a commit of the store's. Not needed for what key.h has made.
MUST_CHECK enum err home_settle(struct home *h, struct err_info *info);
// The same, one file in a turn. Cannot be cancelled; goes on where the handle goes.
MUST_CHECK enum err home_settle_start(struct home *h, home_done *done, void *arg, struct err_info *info);
// True where any secret key in it is stored without a passphrase.
bool home_has_unprotected_key(const struct home *h);

// P4.2: one secret key is overwritten and unlinked, by its keygrip (keygrip.h); at once, and through to the disk. Its agent reads keys
// from there each time, so nothing opens with it any more. One that is not there: OK.
MUST_CHECK enum err home_erase_key(struct home *h, const char *grip, struct err_info *info);
bool home_has_key(const struct home *h, const char *grip);
// The same for all but these: what a killed core made and told nobody of.
MUST_CHECK enum err home_keep_only(struct home *h, const char *const *grips, size_t count, struct err_info *info);

// Operations running in the home are cancelled by all three (they complete with ERR_CANCELED on the next turn).
// Destroy: the secret keys are overwritten and unlinked before this returns; then agent and tree go, and both are looked for
// again. ERR_IO where something is left (no descriptor, a disk that fails): that is tried again every few seconds, keys first, and
// at the next start. The handle is gone when this returns.
void home_destroy_start(struct home *h, home_done *done, void *arg);
// Ends the agent; the home stays. The handle is gone when this returns.
void home_close_start(struct home *h, home_done *done, void *arg);
// Ends the agent, and with it every passphrase it knew; the home stays open. Operations started from now on wait for that, and
// the first of them starts an agent anew.
void home_lock_start(struct home *h, home_done *done, void *arg);

// For key.c: drops the keyring (the secret keys stay), so that importing the certificate makes one with cached signatures: half
// the time for each seal, a third for each open.
void home_drop_keyring(struct home *h);
// For gpg.c and key_passphrase.c: who works in the home, or waits to. Homes have no locks of gpg's, so two things are kept apart
// here: an `exclusive` user writes the keyring, alone, since gpg renames the old one away before the new one has its name; those
// that come later do not pass it. And of the users of the agent the first works alone, or each of them would start an agent, and
// the last one would take the socket from the others.
struct home_user {
	void (*cancel)(struct home_user *u); // called by the three above, after the user was taken off
	void (*ready)(struct home_user *u);  // may be NULL: a pause is over
	struct home_user *next, **link;
	struct home *home; // NULL when it is no user
	bool exclusive, agent;
	bool writing, reading, starting; // what it has claimed
	bool wanting;                    // it is exclusive, and had to wait
};
void home_enter(struct home *h, struct home_user *u);
bool home_claim(struct home_user *u); // may it begin? False in a pause, and where it has to wait for another, or for an agent
void home_warm(struct home_user *u);  // its work came to an end: if it needed the agent, there is one now
bool home_has_agent(const struct home *h); // as far as is known, and nobody is about to end it
void home_leave(struct home_user *u); // fine where it is no user
// While its agent is on its way out nothing begins, or it would be killed with it. Pauses add up, and each lasts until whoever began it
// has seen its agent's end: a lock takes users off, but no pauses. Where the home goes they are over.
struct home_pause {
	struct home *home; // NULL when it is none
	struct home_pause *next, **link;
};
void home_pause(struct home *h, struct home_pause *p);
void home_resume(struct home_pause *p); // fine where it is none

#endif
