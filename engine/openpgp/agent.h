// SPDX-License-Identifier: GPL-3.0-or-later
// Ending a home's gpg-agent, on the loop: it is told through its socket, waited for, and killed where it does not listen.
#ifndef SOTTO_OPENPGP_AGENT_H
#define SOTTO_OPENPGP_AGENT_H

#include "base/err.h"
#include "loop/loop.h"

#define AGENT_ANSWER_MS 1500 // then it is killed
#define AGENT_END_MS 2000    // after which ERR_IO says that it cannot be ended

typedef void agent_done(void *arg, enum err code, const struct err_info *info);

// `directory` is the home itself, of any length; `alias` the other path that its agent may know it by, or NULL (both copied).
// `done` comes exactly once, never before this returns; OK where no agent is left, also where there was none. `orphan`: the
// agent may be one of an earlier core, and is looked for among all processes where it does not answer. Cannot be cancelled.
void agent_end_start(struct loop *l, const char *directory, const char *alias, bool orphan, agent_done *done, void *arg);

#endif
