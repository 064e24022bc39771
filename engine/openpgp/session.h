// SPDX-License-Identifier: GPL-3.0-or-later
// Where the user's pinentry finds its person: the variables that name a terminal or a display. A front end knows its own; the core,
// which may have been started from anywhere, has none of its own to offer but a display.
#ifndef SOTTO_OPENPGP_SESSION_H
#define SOTTO_OPENPGP_SESSION_H

#include <stddef.h>

#include "base/err.h"

#define SESSION_VARIABLES_MAX 32
#define SESSION_VALUE_MAX 4096 // bytes

struct session;

// From "NAME=value" each, copied. Only names that a pinentry is known to look at are taken, without controls in their values, none
// twice (ERR_BAD_PARAMS). Without GPG_TTY there is no terminal. One reference, the caller's.
MUST_CHECK enum err session_new(struct session **out, const char *const *variables, size_t count, struct err_info *info);
// The same without a terminal, `from` NULL: what the process itself was started with. A pinentry that can only use a terminal then
// fails at once, and does not write over one that somebody else is using.
struct session *session_without_terminal(const struct session *from);
struct session *session_ref(struct session *s); // NULL is passed through
void session_unref(struct session *s);          // NULL is allowed

// The environment of a process to be started: this process's own, with those variables instead of its own where `s` is not NULL,
// and GNUPGHOME where `gnupg_home` is not NULL. Its strings are borrowed from both and from the process's environment.
struct environment {
	char **variables; // ended by NULL
	char *home;
};
struct environment environment_make(const struct session *s, const char *gnupg_home);
void environment_fini(struct environment *e);

#endif
