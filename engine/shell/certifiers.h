// SPDX-License-Identifier: GPL-3.0-or-later
// peers.certifiers: whose OpenPGP signatures on somebody's general key the user's own GnuPG can check. It has the certificates, of
// the key and of who signed it, that the user has given it; nothing is written there.
#ifndef SOTTO_SHELL_CERTIFIERS_H
#define SOTTO_SHELL_CERTIFIERS_H

#include "shell/call.h"

struct certifying;

MUST_CHECK enum err certifiers_call(struct call *c, const char *fingerprint);
void certifiers_cancel(struct engine *e); // those under way; their calls are answered elsewhere

#endif
