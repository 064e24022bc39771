// SPDX-License-Identifier: GPL-3.0-or-later
// UNIX sockets at paths of any length: a path that does not fit in sun_path is reached through
// /proc/self/fd/N/NAME, so that only its last component (at most 80 bytes) is limited.
#ifndef SOTTO_NET_UNIX_H
#define SOTTO_NET_UNIX_H

#include <sys/types.h>

#include "base/err.h"

// A listening, non-blocking socket of mode 0600 in a directory of its own that is made if missing,
// and made 0700. What is there already is replaced only if it is a socket and nobody answers on it:
// ERR_BUSY where somebody does, ERR_IO where it is something else. Two processes that try at once
// do not both succeed.
MUST_CHECK enum err unix_listen(const char *path, int *out, struct err_info *info);
// A connected, non-blocking socket. ERR_NOT_FOUND where nobody listens; ERR_BUSY where the backlog
// is full.
MUST_CHECK enum err unix_connect(const char *path, int *out, struct err_info *info);
// Whom the kernel says is at the other end (SO_PEERCRED).
MUST_CHECK enum err unix_peer_uid(int fd, uid_t *out, struct err_info *info);

#endif
