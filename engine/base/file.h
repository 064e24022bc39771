// SPDX-License-Identifier: GPL-3.0-or-later
// Files and directories: whole-file reads with a cap, atomic private writes, trees removed without following links.
#ifndef SOTTO_BASE_FILE_H
#define SOTTO_BASE_FILE_H

#include <sys/types.h>

#include "base/buf.h"

// "a/b"; freed by the caller.
char *path_join(const char *directory, const char *name) __attribute__((malloc, returns_nonnull));

// Appends the whole file to out, up to out's cap (ERR_TOO_LARGE).
MUST_CHECK enum err file_read(const char *path, struct buf *out, struct err_info *info);
// All of it, in as many writes as that takes. ERR_IO: errno says why.
MUST_CHECK enum err file_write_all(int fd, struct span data);
// Writes path.tmp-XXXXXX (0600), fsyncs, renames over path, fsyncs the directory: the old or the new content, never a mixture.
MUST_CHECK enum err file_write(const char *path, struct span data, struct err_info *info);
// As file_write with the given mode, e.g. 0644 for an export meant for others.
MUST_CHECK enum err file_write_mode(const char *path, struct span data, mode_t mode, struct err_info *info);

// mkdir -p with 0700 for what it makes. An existing last component must be a directory of ours; its mode is set to 0700.
MUST_CHECK enum err directory_make_private(const char *path, struct err_info *info);
// Removes a file, link or whole tree; never follows a link. Nothing there is OK. ERR_IO names what is left.
MUST_CHECK enum err tree_remove(const char *path, struct err_info *info);

#endif
