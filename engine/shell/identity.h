// SPDX-License-Identifier: GPL-3.0-or-later
// Who this core is: the general key in its home, the store key that it unwraps (P4.4), and the presence key (P1.1).
#ifndef SOTTO_SHELL_IDENTITY_H
#define SOTTO_SHELL_IDENTITY_H

#include "openpgp/key.h"
#include "shell/call.h"
#include "store/identity.h"

enum identity_state {
	IDENTITY_NONE,   // nothing was created yet
	IDENTITY_LOCKED, // the store key is not unwrapped: the passphrase is wanted
	IDENTITY_READY,
};

struct identity {
	struct engine *engine;
	enum identity_state state;
	bool busy; // a job or operation below is under way
	struct store_identity row;    // not in NONE
	struct certificate_info info; // of row.certificate
	struct hash certificate_hash;
	struct home *home;
	struct secret *presence_secret; // READY only
	struct key_job *job;
	struct gpg_op *op;
	struct secret *store_key;  // only while it is being made or unwrapped
	struct secret *passphrase; // only during create and passphrase
	struct session *session;   // only during a call, of an adopted key: where its person is
	struct timer patience;     // of the start, with an adopted key
	struct command *export;    // of an adopted key: its certificate is being fetched anew
	struct gpg_op *import;     // and taken
	struct bytes *renewed;     // that one
	struct pending *pending;   // the call that waits for the job
	bool given_up;             // by identity_give_up
	char name[33];
	void (*loaded)(struct engine *e, enum err code, const struct err_info *info);
};

void identity_init(struct identity *i, struct engine *e);
// Reads the store's row, and unwraps the store key where the general key has no passphrase, or is an adopted one, which the user's
// agent may open at once, or only after its pinentry has asked. `loaded` comes once, on a later turn: OK in each of the three
// states; an error where the key is gone or does not fit.
void identity_load(struct identity *i, void (*loaded)(struct engine *e, enum err code, const struct err_info *info));
void identity_fini(struct identity *i); // cancels; the home is closed by homes_close_start

// ERR_LOCKED, ERR_WRONG_STATE (none created yet), or OK. For every method that needs the keys.
MUST_CHECK enum err identity_need(const struct identity *i, struct err_info *info);
json_t *identity_view(const struct identity *i);
bool identity_is_adopted(const struct identity *i); // false where there is none

MUST_CHECK enum err identity_create(struct identity *i, struct call *c, const char *name, struct secret *passphrase);
// A key of the user's own GnuPG becomes the general key; `name` NULL: as its user id says. At `session`, which is never NULL here,
// the user's pinentry asks for what the agent does not know.
MUST_CHECK enum err identity_adopt(struct identity *i, struct call *c, const char *fingerprint, const char *name,
				   struct session *session);
MUST_CHECK enum err identity_unlock(struct identity *i, struct call *c, struct secret *passphrase);
// The same of an adopted key. Fine where it is unlocked: then the agent knows for a while what it needs, and whatever waits for a
// person is asked for.
MUST_CHECK enum err identity_ask(struct identity *i, struct call *c, struct session *session);
// Whoever was to be asked by one of these two does not want to be, or has gone: their call fails with ERR_CANCELED.
MUST_CHECK enum err identity_give_up(struct identity *i, struct call *c);
// Before an adopted key is needed while somebody else waits: asks its agent. Whoever has to be found is told by passphrase.needed.
MUST_CHECK enum err identity_reach_start(struct identity *i, key_done *done, void *arg, struct key_job **out, struct err_info *info);
MUST_CHECK enum err identity_lock(struct identity *i, struct call *c);
MUST_CHECK enum err identity_change_passphrase(struct identity *i, struct call *c, struct secret *old, struct secret *fresh);

#endif
