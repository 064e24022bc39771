// SPDX-License-Identifier: GPL-3.0-or-later
// Short names for homes whose path is too long for an agent's sockets (a UNIX socket's name has 107 bytes): symbolic links in a
// private directory of this process, below XDG_RUNTIME_DIR or /tmp.
#ifndef SOTTO_OPENPGP_ALIAS_H
#define SOTTO_OPENPGP_ALIAS_H

#include <stdbool.h>

#include "base/err.h"

// Embedded, zero-initialised; the directory is made with the first alias.
struct aliases {
	char *directory;
};

bool alias_needed(const char *home);
// Makes the link `name` to `home`, anew where it is gone; *out is the caller's to free, and NULL at first or what it was before.
MUST_CHECK enum err alias_make(struct aliases *a, const char *name, const char *home, char **out, struct err_info *info);
void alias_remove(const char *alias); // NULL is allowed
void aliases_fini(struct aliases *a); // removes the directory; its aliases are gone

// Removes what a killed core has left below any of our user's alias directories: links to a home in `homes`, or to nowhere.
void aliases_sweep(const struct aliases *a, const char *homes);

#endif
