// SPDX-License-Identifier: GPL-3.0-or-later
// Which GnuPG there is on this machine, and whether it will do.
#ifndef SOTTO_OPENPGP_GNUPG_H
#define SOTTO_OPENPGP_GNUPG_H

#include "base/err.h"

#define GNUPG_LEAST "2.2.0" // homes that need no secring, gpg-agent for every secret key, ed25519

// NULL: not found, or (version) it does not run. The texts live as long as the process, and stay what they were at the first look.
struct gnupg {
	const char *gpg, *version;
	const char *agent; // the program
};

// The first call runs gpgconf and gpg, and blocks for some 20 ms: at the start of a process only.
void gnupg_look(struct gnupg *out);
// ERR_UNSUPPORTED, where the text says what is missing or too old, and what to install.
MUST_CHECK enum err gnupg_check(const struct gnupg *g, struct err_info *info);

#endif
