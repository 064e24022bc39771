// SPDX-License-Identifier: GPL-3.0-or-later
// A discussion as files that stock gpg can check (P3.11), also after its keys are gone.
#ifndef SOTTO_SHELL_EXPORT_H
#define SOTTO_SHELL_EXPORT_H

#include <jansson.h>

#include "shell/discussion.h"

// Makes the directory `path` (which must not exist, or be empty) with
//   messages.jsonl          every message, as messages.list shows it, a line each
//   roster.json             R_e, exact bytes
//   certificates/FPR.asc    each member's discussion certificate and general certificate, binary OpenPGP
//   sealed/FPR-EPOCH-SEQ.gpg and .key   what others sent, as it travelled, with its session key for gpg --override-session-key
//   README                  how to check one
// *out: {path, messages, sealed}.
MUST_CHECK enum err export_discussion(struct discussion *d, const char *path, json_t **out, struct err_info *info);

#endif
