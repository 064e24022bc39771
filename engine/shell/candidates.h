// SPDX-License-Identifier: GPL-3.0-or-later
// identity.candidates: the user's own keys, and why some of them cannot be adopted.
#ifndef SOTTO_SHELL_CANDIDATES_H
#define SOTTO_SHELL_CANDIDATES_H

#include "shell/call.h"

struct candidates;

MUST_CHECK enum err candidates_call(struct call *c);
void candidates_cancel(struct engine *e); // those under way; their calls are answered elsewhere

#endif
