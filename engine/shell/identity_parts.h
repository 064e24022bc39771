// SPDX-License-Identifier: GPL-3.0-or-later
// What identity.c and identity_make.c share.
#ifndef SOTTO_SHELL_IDENTITY_PARTS_H
#define SOTTO_SHELL_IDENTITY_PARTS_H

#include "shell/identity.h"

struct key_call identity_key_call(struct identity *i, key_done *done);
// In the general home, and for an adopted key at the call's session.
struct gpg_call identity_gpg_call(struct identity *i, gpg_done *done);
// Takes the call, which waits for a job or an operation; `session` may be NULL.
void identity_begin(struct identity *i, struct call *c, struct session *session);
// Whatever ran has ended: answers the call that waits, if one does.
void identity_answer(struct identity *i, enum err code, const struct err_info *info);
void identity_settle(struct identity *i); // lets go of everything that is only needed while something runs
void identity_report_loaded(struct identity *i, enum err code, const struct err_info *info); // once; later ones are nothing

// identity_renewal.c: looks whether the user's GnuPG has another certificate of an adopted key by now. Fine while it looks already.
void identity_renew(struct identity *i);
void identity_renewal_cancel(struct identity *i);

MUST_CHECK enum err identity_open_store_key(struct identity *i, gpg_done *done, struct err_info *info);
// The plaintext of that: the store is unlocked, and the core awake.
MUST_CHECK enum err identity_take_store_key(struct identity *i, struct bytes *plaintext, struct err_info *info);
// The same with a passphrase or at the call's session, for identity_answer. Where it is unlocked already the agent is asked all the same.
MUST_CHECK enum err identity_unlock_start(struct identity *i, struct secret *passphrase, struct err_info *info);
// An adopted key's home is open: whoever it wants is told.
void identity_adopted_home(struct identity *i, struct home *home);
// identity_load's part for an adopted key.
MUST_CHECK enum err identity_ask_at_start(struct identity *i, bool *waits, struct err_info *info);

#endif
