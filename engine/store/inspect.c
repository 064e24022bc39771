// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/inspect.h"

#include <ctype.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/longpath.h"
#include "store/migrations.h"

// "immutable" is what keeps SQLite from locking, from reading the WAL and from writing.
static char *uri_of(const char *path)
{
	char *uri = mem_alloc(strlen(path) * 3 + sizeof "file:?immutable=1");
	char *at = uri + sprintf(uri, "file:");
	for (; *path; path++) {
		if (isalnum((unsigned char)*path) || strchr("/._-", *path))
			*at++ = *path;
		else
			at += sprintf(at, "%%%02x", (unsigned char)*path);
	}
	strcpy(at, "?immutable=1");
	return uri;
}

static enum err fail(sqlite3 *db, struct err_info *info)
{
	int code = sqlite3_errcode(db);
	if (code == SQLITE_NOTADB)
		return err_set(info, ERR_BAD_INPUT, "the file is not a store");
	return err_set(info, ERR_IO, "%s", sqlite3_errmsg(db));
}

// The first row's first column, as a number or as text.
static enum err ask(sqlite3 *db, const char *sql, int64_t *number, char *text, size_t size, struct err_info *info)
{
	sqlite3_stmt *stmt = NULL;
	enum err e = OK;
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
		e = fail(db, info);
	else if (number)
		*number = sqlite3_column_int64(stmt, 0);
	else
		snprintf(text, size, "%s", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return e;
}

static enum err look(sqlite3 *db, struct err_info *info)
{
	int64_t application = 0, version = 0;
	char verdict[200] = "";
	enum err e = ask(db, "PRAGMA application_id", &application, NULL, 0, info);
	if (e == OK)
		e = ask(db, "PRAGMA user_version", &version, NULL, 0, info);
	if (e == OK && application != STORE_APPLICATION_ID && (application || version))
		e = err_set(info, ERR_BAD_INPUT, "the file is a database, but not a store");
	if (e == OK)
		e = migrations_may_open(version, info);
	if (e == OK)
		e = ask(db, "PRAGMA quick_check(1)", NULL, verdict, sizeof verdict, info);
	if (e == OK && strcmp(verdict, "ok") != 0)
		e = err_set(info, ERR_IO, "%s", verdict);
	return e;
}

enum err store_inspect(const char *path, struct err_info *info)
{
	const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
	struct longpath place;
	sqlite3 *db = NULL;
	if (access(path, R_OK) != 0)
		return err_set_errno(info, errno, "cannot read %s", path);
	enum err e = longpath_open(&place, path, info);
	if (e)
		return e;
	char *uri = uri_of(place.path);
	if (sqlite3_open_v2(uri, &db, flags, place.vfs) != SQLITE_OK)
		e = err_set(info, ERR_IO, "%s", db ? sqlite3_errmsg(db) : "no memory");
	if (e == OK) {
		sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		sqlite3_exec(db, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
		e = look(db, info);
	}
	sqlite3_close(db);
	free(uri);
	longpath_close(&place);
	return e;
}
