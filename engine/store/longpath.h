// SPDX-License-Identifier: GPL-3.0-or-later
// SQLite's UNIX VFS takes paths of up to 512 bytes, also after it has resolved links. A longer one
// is reached through a descriptor of its directory. Internal to engine/store.
#ifndef SOTTO_STORE_LONGPATH_H
#define SOTTO_STORE_LONGPATH_H

#include "base/err.h"

struct longpath {
	char *path;      // for sqlite3_open_v2; the owner's
	const char *vfs; // likewise; static, or NULL for SQLite's default
	int directory;   // to keep open as long as the database is, or -1
};

// The directory must exist.
MUST_CHECK enum err longpath_open(struct longpath *out, const char *path, struct err_info *info);
void longpath_close(struct longpath *l);

#endif
