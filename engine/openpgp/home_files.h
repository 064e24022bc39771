// SPDX-License-Identifier: GPL-3.0-or-later
// The files of a home: configuration, secret keys, and what gpg leaves about. Blocking, small, and below a directory of ours.
#ifndef SOTTO_OPENPGP_HOME_FILES_H
#define SOTTO_OPENPGP_HOME_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

// Writes gpg.conf and gpg-agent.conf.
enum home_kind {
	HOME_OWN,     // it has an agent of its own
	HOME_PUBLIC,  // it never holds a secret key, and gpg starts no agent for it
	HOME_ADOPTED, // its agent is the user's, and whatever is signed is signed by `signer`
};
MUST_CHECK enum err home_files_configure(const char *home, enum home_kind kind, const char *signer, struct err_info *info);
// Overwrites the secret keys and unlinks them. Best effort: what the file system keeps elsewhere is out of reach.
void home_files_erase_keys(const char *home);
// Removes revocation certificates and backups.
MUST_CHECK enum err home_files_tidy(const char *home, struct err_info *info);
// What has to reach the disk for the keys to be safe, in this order, and writing one of them through. Freed by the caller.
#define HOME_SYNC_MAX 16
size_t home_files_to_sync(const char *home, char *paths[HOME_SYNC_MAX]);
MUST_CHECK enum err home_files_sync(const char *path, struct err_info *info);
// All of it at once.
MUST_CHECK enum err home_files_settle(const char *home, struct err_info *info);
void home_files_drop_keyring(const char *home);
// Any secret key without a passphrase?
bool home_files_unprotected(const char *home);

// One secret key each, by its keygrip (P4.2). Copied from one home to another: through to the disk, or not at all.
MUST_CHECK enum err home_files_copy_key(const char *from, const char *to, const char *grip, struct err_info *info);
bool home_files_has_key(const char *home, const char *grip);
// Overwritten and unlinked, and the directory through to the disk. One that is not there: OK.
MUST_CHECK enum err home_files_erase_key(const char *home, const char *grip, struct err_info *info);
// Every other secret key is erased, and what a killed core left half written. ERR_IO where one is left.
MUST_CHECK enum err home_files_keep_only(const char *home, const char *const *grips, size_t count, struct err_info *info);

// gpg-agent changes passphrases in place, one key after the other: a crash would leave half a key, or two passphrases. So the keys
// are kept aside first. Restore brings them back where they are kept (OK where they are not), forget erases them.
MUST_CHECK enum err home_files_keep_keys(const char *home, struct err_info *info);
MUST_CHECK enum err home_files_restore_keys(const char *home, struct err_info *info);
void home_files_forget_kept_keys(const char *home);

#endif
