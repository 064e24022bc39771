// SPDX-License-Identifier: GPL-3.0-or-later
// The user's own GnuPG, as GNUPGHOME or the standard has it (P3.6): its keys are listed and exported, its agent is started where
// none runs, and nothing in it is ever written by us. gpg is run with --no-options, so that the user's settings steer nothing here.
#ifndef SOTTO_OPENPGP_USERS_H
#define SOTTO_OPENPGP_USERS_H

#include "openpgp/command.h"
#include "openpgp/listing.h"

#define USERS_LISTING_MAX (1024 * 1024)
#define USERS_TIMEOUT_MS 10000
#define USERS_KEYS_MAX 32

// ERR_NOT_FOUND where it holds no keys: gpg would make it.
MUST_CHECK enum err users_exist(struct err_info *info);
// What makes a home's gpg speak to the user's agent: the content of its S.gpg-agent. Appends.
MUST_CHECK enum err users_redirect(struct buf *out, struct err_info *info);

// Starts the agent where none runs.
MUST_CHECK enum err users_launch_start(struct command **out, struct loop *l, command_done *done, void *arg,
				       struct err_info *info);
// Output for listing_read: all keys of which the user has something secret; or the one with that fingerprint, secret or not.
MUST_CHECK enum err users_list_start(struct command **out, struct loop *l, const char *fingerprint, command_done *done, void *arg,
				     struct err_info *info);
// Output for certified_read: the signatures on that key, checked. Its status is not 0 where there is no such key.
MUST_CHECK enum err users_signatures_start(struct command **out, struct loop *l, const char *fingerprint, command_done *done,
					   void *arg, struct err_info *info);
// Output for certified_keep_valid: those of the keys that are there, 1 to USERS_KEYS_MAX; likewise.
MUST_CHECK enum err users_keys_start(struct command **out, struct loop *l, const char *const *fingerprints, size_t count,
				     command_done *done, void *arg, struct err_info *info);
// Output: the key's certificate, with one user id, the signatures that it made itself, and of its subkeys only those that
// `key` names (KEY_FITS).
MUST_CHECK enum err users_export_start(struct command **out, struct loop *l, const struct listed_key *key, command_done *done,
				       void *arg, struct err_info *info);
// What came of one of them: OK, or the error with a text. `what` is in the infinitive: "list your keys".
MUST_CHECK enum err users_outcome(const struct command_result *result, const char *what, struct err_info *info);

#endif
