// SPDX-License-Identifier: GPL-3.0-or-later
// The schema, as a list of steps that is only ever appended to. Internal to engine/store, but for
// specs, which run lists of their own.
#ifndef SOTTO_STORE_MIGRATIONS_H
#define SOTTO_STORE_MIGRATIONS_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define STORE_APPLICATION_ID 0x736f7474 // "sott"

struct migration {
	const char *sql; // brings the schema from its place in the list to the next; never edited
};

extern const struct migration migrations[];
extern const size_t migration_count; // the newest schema this program knows

// Runs what the file lacks, each step in a transaction of its own. ERR_UNSUPPORTED: the file is
// newer than the list. ERR_BAD_INPUT: a database, but not a store of ours.
MUST_CHECK enum err migrations_run(sqlite3 *db, const struct migration *list, size_t count,
				   struct err_info *info);
// ERR_UNSUPPORTED: a store of that version is newer than this program.
MUST_CHECK enum err migrations_may_open(int64_t version, struct err_info *info);

#endif
