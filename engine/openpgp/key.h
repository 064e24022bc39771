// SPDX-License-Identifier: GPL-3.0-or-later
// What is done with keys in several steps of gpg. A job either fails at its start and never calls back, or `done` comes exactly
// once, never before the start has returned; cancel completes with ERR_CANCELED on the next turn. A home that a job made and
// does not hand over is destroyed in the background (homes_close_start waits for that).
#ifndef SOTTO_OPENPGP_KEY_H
#define SOTTO_OPENPGP_KEY_H

#include "openpgp/gpg.h"
#include "openpgp/listing.h"

struct key_job;

// Borrowed but for `home`. On failure all of it is empty but `verdict`.
struct key_result {
	struct home *home;         // make, adopt: the new home, taken by the callback
	struct bytes *certificate; // make, adopt, subkey: minimal, public
	const struct certificate_info *certificate_info; // make, adopt, subkey
	const struct listed_key *listed; // adopt
	struct bytes *plaintext;   // unlock: what the message held (wiped at its last unref)
	enum verdict verdict;      // vet, unlock
};
typedef void key_done(void *arg, enum err code, const struct err_info *info, const struct key_result *result);

struct key_call {
	struct gpg *gpg;
	struct homes *homes; // make, adopt, vet, subkey
	key_done *done;
	void *arg;
};

// A new home with a fresh discussion key, user id "sotto", no passphrase. Its certificate passes discussion_certificate_check.
MUST_CHECK enum err key_make_discussion_start(const struct key_call *call, struct key_job **out, struct err_info *info);
// P4.2: one more subkey for a discussion key, in its home, where its secret is on the disk by then. `certificate` is the key's as it was
// made or last told; the result's is what travels: it passes discussion_certificate_check, with the new subkey in place of all others. The
// old subkeys stay. It is made in a home of its own, from a copy of the primary key that goes with that: sealing and opening go on
// meanwhile, and what is imported has cached signatures. A killed core leaves nothing that anybody was told of (home_keep_only).
MUST_CHECK enum err key_subkey_start(const struct key_call *call, struct home *home, struct bytes *certificate,
				     struct key_job **out, struct err_info *info);
// A new home with a general key of that name (made fit for a user id: controls and <>()@ become blanks; "sotto" where nothing
// is left). `passphrase` may be NULL; no unprotected secret key touches the disk where it is given. Usable at once: its agent
// knows the passphrase.
MUST_CHECK enum err key_make_general_start(const struct key_call *call, const char *name, struct secret *passphrase,
					   struct key_job **out, struct err_info *info);
// A new home for the key with that fingerprint in the user's own GnuPG (P3.6): its certificate is taken, its secret stays where it
// is. The user's agent is started where it does not run; nobody is asked for anything yet. ERR_NOT_FOUND: no such key, or not its
// secret; ERR_BAD_PARAMS: it cannot be adopted (listing.h); ERR_TIMEOUT: the agent does not answer.
MUST_CHECK enum err key_adopt_start(const struct key_call *call, const char *fingerprint, struct session *session,
				    struct key_job **out, struct err_info *info);
// Opens `message`, sealed by the home's key to its own encryption subkey, with the passphrase, and signs something: afterwards
// the home's agent knows the passphrase for both keys. ERR_REFUSED: wrong passphrase. home_lock_start is the way back. All of it
// is borrowed for the call.
struct key_unlock {
	struct home *home;
	const struct certificate_info *own;
	struct bytes *message;
	struct secret *passphrase; // NULL of an adopted key:
	struct session *session;   // that one is asked for there
	bool only_open;            // nothing is signed
};
MUST_CHECK enum err key_unlock_start(const struct key_call *call, const struct key_unlock *unlock, struct key_job **out,
				     struct err_info *info);
// Changes the passphrase (`old` NULL: there is none yet), and ends the agent: unlock afterwards. ERR_REFUSED: wrong old
// passphrase.
MUST_CHECK enum err key_passphrase_start(const struct key_call *call, struct home *home, const char *fingerprint,
					 struct secret *old, struct secret *fresh, struct key_job **out,
					 struct err_info *info);
// A stranger's detached signature over `text`, checked against the certificate in a throw-away home (P1.7), at strangers'
// priority unless `known`. Both are walked at once. `signer` is certificate_check's primary fingerprint.
MUST_CHECK enum err key_vet_start(const struct key_call *call, struct bytes *certificate, struct bytes *text,
				  struct bytes *signature, bool known, struct key_job **out, struct err_info *info);

// A home that goes, or is locked, cancels the jobs that work in it.
void key_job_cancel(struct key_job *job); // the handle is dead once `done` has been called

#endif
