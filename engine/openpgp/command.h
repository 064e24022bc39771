// SPDX-License-Identifier: GPL-3.0-or-later
// A program of GnuPG's run on the loop, for what gpgme does not do: its output is kept up to a cap, its standard input is empty, and
// it is killed when it is too late.
#ifndef SOTTO_OPENPGP_COMMAND_H
#define SOTTO_OPENPGP_COMMAND_H

#include "base/buf.h"
#include "loop/loop.h"
#include "openpgp/session.h"

struct command;

// Borrowed. `code` is OK where it ended by itself, whatever `status` it gave; ERR_TIMEOUT, ERR_TOO_LARGE, ERR_IO (a signal ended it),
// ERR_CANCELED. `complaint` is the last line that it wrote to standard error, "" where there is none.
struct command_result {
	enum err code;
	int status;
	struct span output;
	const char *complaint;
};
typedef void command_done(void *arg, const struct command_result *result);

// arguments[0] is the program's path; they are ended by NULL. `session` NULL: the core's own environment. Fails, or `done` comes
// exactly once, never before this returns. Cancel: on the next turn.
MUST_CHECK enum err command_start(struct command **out, struct loop *l, const char *const *arguments,
				  const struct session *session, size_t output_max, int64_t timeout_ms, command_done *done,
				  void *arg, struct err_info *info);
void command_cancel(struct command *c); // the handle is dead once `done` was called

#endif
