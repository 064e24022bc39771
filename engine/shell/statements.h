// SPDX-License-Identifier: GPL-3.0-or-later
// Statements that come from links (§5) on their way to the epoch machine: a bounded queue a line, each signature checked once with its
// author's discussion key, of an ADMIT the JOIN too. What the epoch needs to end comes first (epoch_needs); the rest when nothing of
// that is left, and no more once the epoch is over.
#ifndef SOTTO_SHELL_STATEMENTS_H
#define SOTTO_SHELL_STATEMENTS_H

#include "shell/conversation.h"

#define STATEMENTS_CHECKING_MAX 4 // signatures at a time, of one conversation
#define STATEMENTS_PAUSE_AT 128   // that wait, of one line: no more is read from it
#define STATEMENTS_RESUME_AT 32

struct line;
struct statement_check;

// An envelope of a statement's type, as it came on that line. A malformed one drops it.
void statements_take(struct line *l, struct span envelope);
// Checks what waits: the machine is ready, or in another epoch, or something that failed can be tried again.
void statements_go_on(struct conversation *c);
void statements_line_down(struct line *l);
void statements_stop(struct conversation *c);

#endif
