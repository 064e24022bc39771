// SPDX-License-Identifier: GPL-3.0-or-later
// A discussion as files that stock gpg can check (P3.11), also after its keys are gone. A long history takes long: it is
// written a file, or a page of messages, a turn of the loop.
#ifndef SOTTO_SHELL_EXPORT_H
#define SOTTO_SHELL_EXPORT_H

#include "shell/call.h"
#include "shell/discussion.h"

struct export;

// Takes the call. Makes the directory `path` (which must not exist, or be empty) with
//   messages.jsonl          every message, as messages.list shows it, a line each
//   roster.json             R_e, exact bytes
//   certificates/FPR.*      the discussion and general certificate of each member that there is or was, and the binding with its
//                           signature; FPR-EPOCH.* where that member came again, with another key
//   sealed/FPR-EPOCH-SEQ.pgp and .key   what others sent in each epoch, as it travelled, with its session key for
//                           gpg --override-session-key
//   sealed/….other.pgp and .other.key   a second message that was signed under that number (P5.7)
//   README                  how to check one; the last to be written
// and answers {path, messages, sealed}. What comes in meanwhile may be in it or not. After a failure nothing of it is left.
// ERR_WRONG_STATE: never opened, or the directory is not empty; ERR_BUSY: one of this discussion is being written.
MUST_CHECK enum err export_start(struct discussion *d, struct call *c, const char *path);
// Answers with that code, and removes what was written. NULL is allowed.
void export_cancel(struct export *x, enum err code);

#endif
