// SPDX-License-Identifier: GPL-3.0-or-later
// Which certificates were put into a home's keyring since the core started, by their hashes: an opening need not wait for gpg to find
// that a certificate is there already. Of the newest few; what is not known is imported once more, which changes nothing.
#ifndef SOTTO_SHELL_IMPORTED_H
#define SOTTO_SHELL_IMPORTED_H

#include "base/hash.h"
#include "openpgp/home.h"

#define IMPORTED_MAX 64

struct imported {
	char home[HOME_NAME_LEN + 1]; // of which home this is known
	size_t count, next;
	struct hash hashes[IMPORTED_MAX];
};

bool imported_has(const struct imported *i, const struct home *home, const struct hash *certificate);
void imported_add(struct imported *i, const struct home *home, const struct hash *certificate);
void imported_forget(struct imported *i); // something was not as expected: all are imported anew

#endif
