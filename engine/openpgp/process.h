// SPDX-License-Identifier: GPL-3.0-or-later
// Which processes are ours, from /proc: gpgme tells nobody the process id of the gpg it starts, and gpg none of its agent's.
#ifndef SOTTO_OPENPGP_PROCESS_H
#define SOTTO_OPENPGP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROCESS_MAX 4096

// This process's children (a subreaper's orphaned grandchildren too), zombies included; at most PROCESS_MAX. 0 where the kernel
// does not say.
size_t process_children(pid_t out[PROCESS_MAX]);
bool process_has_children(void);
// Gpg-agents of our user whose --homedir is `path`, leads there, or is `alias` (may be NULL, may be gone): among our children,
// or with `everywhere` in the system. At most `max`; the dead are not counted.
size_t process_agents(const char *path, const char *alias, bool everywhere, pid_t *out, size_t max);
bool process_is_agent(pid_t pid); // of whatever home
// Living children with that GNUPGHOME (`path` or `alias`, which may be NULL): a gpg that was killed in this moment, or what it
// forked to become its agent and does not bear that name yet. *nameless: some child is just becoming another program, and nobody can
// say which.
size_t process_workers(const char *path, const char *alias, pid_t *out, size_t max, bool *nameless);
// Whether /proc can be read just now: with no descriptor left, nobody would be found.
bool process_can_look(void);

#endif
