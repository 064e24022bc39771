// SPDX-License-Identifier: GPL-3.0-or-later
// A look at a store's file from outside, for the doctor: it takes no lock and writes nothing, so
// that it may be looked at while a core works with it, and also where the disk is read-only.
#ifndef SOTTO_STORE_INSPECT_H
#define SOTTO_STORE_INSPECT_H

#include "base/err.h"

// Reads the whole file (about 4 ms for a MB): in a process of its own. What waits in the WAL is not
// looked at, and a file whose WAL was not brought in may look damaged for a moment.
// ERR_NOT_FOUND: there is none. ERR_BAD_INPUT: not a store. ERR_UNSUPPORTED: of a newer sotto.
// ERR_IO: damaged, or unreadable; the text says where.
MUST_CHECK enum err store_inspect(const char *path, struct err_info *info);

#endif
