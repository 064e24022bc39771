// SPDX-License-Identifier: GPL-3.0-or-later
// Where GnuPG keeps the sockets of a home: in the home itself; or, where the system has a runtime directory of the user's
// (/run/user/UID), in a directory there that is named by a hash of the home's path.
#ifndef SOTTO_OPENPGP_SOCKETS_H
#define SOTTO_OPENPGP_SOCKETS_H

#include <stdbool.h>

// Both ask gpgme, which knows it from its start (gpg_new). True also where gpgme cannot say.
bool sockets_in_homes(void);
// The directory for a home's sockets; `home` is the path that GNUPGHOME takes, absolute. gpg makes it when it is first needed.
// Freed by the caller.
char *sockets_directory(const char *home) __attribute__((malloc, returns_nonnull));
// Removes that directory, where it is not the home: its agent has ended.
void sockets_remove(const char *home);

// The user's own GnuPG, as GNUPGHOME or the standard has it: its directory, which may be missing, and its agent's socket. Static;
// NULL where gpgme cannot say.
const char *sockets_users_home(void);
const char *sockets_users_agent(void);

#endif
