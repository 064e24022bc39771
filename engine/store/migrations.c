// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/migrations.h"

#include <stdbool.h>
#include <stdio.h>

// Rowid tables where blobs are large, WITHOUT ROWID where rows are small and found by their key.
// Numbers that others remember (a data key's row, a read marker) are never given twice:
// AUTOINCREMENT. Sealed columns: presence_secret, proof, wrapped, payload, message, session_key,
// body.
static const char schema_1[] =
	"CREATE TABLE vault ("
	" only INTEGER PRIMARY KEY CHECK (only = 1),"
	" proof BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE identity ("
	" only INTEGER PRIMARY KEY CHECK (only = 1),"
	" fingerprint TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" home TEXT NOT NULL,"
	" has_passphrase INTEGER NOT NULL,"
	" certificate BLOB NOT NULL,"
	" store_key BLOB NOT NULL,"
	" presence_key BLOB NOT NULL,"
	" presence_secret BLOB NOT NULL,"
	" presence_since INTEGER NOT NULL,"
	" certification BLOB NOT NULL,"
	" presence_sequence INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE settings ("
	" key TEXT PRIMARY KEY,"
	" value BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE peers ("
	" fingerprint TEXT PRIMARY KEY,"
	" name TEXT NOT NULL,"
	" certificate BLOB,"
	" presence_key BLOB,"
	" presence_since INTEGER NOT NULL,"
	" certification BLOB,"
	" record BLOB,"
	" record_signature BLOB NOT NULL,"
	" record_sequence INTEGER NOT NULL,"
	" record_expiry INTEGER NOT NULL,"
	" addresses BLOB NOT NULL,"
	" source TEXT NOT NULL,"
	" proven INTEGER NOT NULL,"
	" pinned INTEGER NOT NULL,"
	" known INTEGER NOT NULL,"
	" last_seen INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE budgets ("
	" fingerprint TEXT PRIMARY KEY,"
	" guesses INTEGER NOT NULL,"
	" refills INTEGER NOT NULL,"
	" next_refill INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE discussions ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL UNIQUE,"
	" state TEXT NOT NULL,"
	" reason TEXT NOT NULL,"
	" mode TEXT NOT NULL,"
	" role TEXT NOT NULL,"
	" charter TEXT NOT NULL,"
	" created INTEGER NOT NULL,"
	" opened INTEGER NOT NULL,"
	" ended INTEGER NOT NULL,"
	" suspended_at INTEGER NOT NULL,"
	" home TEXT NOT NULL,"
	" certificate BLOB,"
	" h0 BLOB,"
	" epoch INTEGER NOT NULL,"
	" read_marker INTEGER NOT NULL,"
	" hints BLOB NOT NULL,"
	" other TEXT NOT NULL,"
	" closing INTEGER NOT NULL,"
	" told INTEGER NOT NULL"
	") STRICT;"
	// no foreign key here: it would keep SQLite from emptying the table page by page
	"CREATE TABLE data_keys ("
	" discussion INTEGER PRIMARY KEY,"
	" wrapped BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE epochs ("
	" discussion INTEGER NOT NULL REFERENCES discussions ON DELETE CASCADE,"
	" epoch INTEGER NOT NULL,"
	" roster BLOB NOT NULL,"
	" roster_hash BLOB NOT NULL,"
	" head BLOB NOT NULL,"
	" PRIMARY KEY (discussion, epoch)"
	") STRICT;"
	"CREATE TABLE members ("
	" discussion INTEGER NOT NULL REFERENCES discussions ON DELETE CASCADE,"
	" epoch INTEGER NOT NULL,"
	" fingerprint TEXT NOT NULL,"
	" position INTEGER NOT NULL,"
	" certificate BLOB NOT NULL,"
	" certificate_fingerprint TEXT NOT NULL,"
	" key_id TEXT NOT NULL,"
	" binding BLOB NOT NULL,"
	" general BLOB NOT NULL,"
	" addresses BLOB NOT NULL,"
	" verified INTEGER NOT NULL,"
	" PRIMARY KEY (discussion, epoch, fingerprint)"
	") STRICT;"
	"CREATE TABLE payloads ("
	" number INTEGER PRIMARY KEY,"
	" discussion INTEGER NOT NULL REFERENCES discussions ON DELETE CASCADE,"
	" epoch INTEGER NOT NULL,"
	" sender TEXT NOT NULL,"
	" sequence INTEGER NOT NULL,"
	" hash BLOB NOT NULL,"
	" time INTEGER NOT NULL,"
	" payload BLOB NOT NULL,"
	" UNIQUE (discussion, epoch, sender, sequence)"
	") STRICT;"
	// apart from the payload, so that sealing it does not write the payload a second time
	"CREATE TABLE envelopes ("
	" payload INTEGER PRIMARY KEY REFERENCES payloads ON DELETE CASCADE,"
	" message BLOB NOT NULL,"
	" session_key BLOB"
	") STRICT;"
	"CREATE TABLE heads ("
	" discussion INTEGER NOT NULL REFERENCES discussions ON DELETE CASCADE,"
	" epoch INTEGER NOT NULL,"
	" sender TEXT NOT NULL,"
	" sequence INTEGER NOT NULL,"
	" hash BLOB NOT NULL,"
	" PRIMARY KEY (discussion, epoch, sender)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE acks ("
	" discussion INTEGER NOT NULL REFERENCES discussions ON DELETE CASCADE,"
	" epoch INTEGER NOT NULL,"
	" member TEXT NOT NULL,"
	" sequence INTEGER NOT NULL,"
	" PRIMARY KEY (discussion, epoch, member)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE messages ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL UNIQUE,"
	" discussion INTEGER NOT NULL REFERENCES discussions ON DELETE CASCADE,"
	" sender TEXT NOT NULL,"
	" own INTEGER NOT NULL,"
	" state TEXT NOT NULL,"
	" epoch INTEGER,"
	" sequence INTEGER,"
	" place INTEGER,"
	" time INTEGER NOT NULL,"
	" nonce BLOB NOT NULL,"
	" body BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX messages_in_order ON messages (discussion);"
	"CREATE INDEX messages_of_others ON messages (discussion) WHERE own = 0;"
	"CREATE INDEX messages_waiting ON messages (discussion, state) WHERE sequence IS NULL;"
	"CREATE UNIQUE INDEX messages_placed ON messages"
	" (discussion, sender, epoch, sequence, place) WHERE sequence IS NOT NULL;";

// the general key may be one of the user's own GnuPG
static const char schema_2[] =
	"ALTER TABLE identity ADD COLUMN signer TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE identity ADD COLUMN card INTEGER NOT NULL DEFAULT 0;";

// Sealed column: leaf; the key is a keyed hash of its path.
static const char schema_3[] =
	"CREATE TABLE scripts ("
	" name TEXT PRIMARY KEY,"
	" row BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE script_values ("
	" script TEXT NOT NULL,"
	" key BLOB NOT NULL,"
	" bytes INTEGER NOT NULL,"
	" leaf BLOB NOT NULL,"
	" PRIMARY KEY (script, key)"
	") STRICT;";

// How the members change (§5). Sealed columns: statements.envelope, proposals.op and answers. A cut is not secret: numbers and hashes.
static const char schema_4[] =
	"ALTER TABLE epochs ADD COLUMN cut BLOB;"
	"CREATE TABLE statements ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" discussion INTEGER NOT NULL REFERENCES discussions ON DELETE CASCADE,"
	" epoch INTEGER NOT NULL,"
	" name BLOB NOT NULL,"
	" own INTEGER NOT NULL,"
	" signed INTEGER NOT NULL,"
	" proof INTEGER NOT NULL,"
	" envelope BLOB NOT NULL,"
	" UNIQUE (discussion, epoch, name)"
	") STRICT;"
	"CREATE TABLE proposals ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL UNIQUE,"
	" discussion INTEGER NOT NULL REFERENCES discussions ON DELETE CASCADE,"
	" epoch INTEGER NOT NULL,"
	" kind TEXT NOT NULL,"
	" candidate TEXT NOT NULL,"
	" proposer TEXT NOT NULL,"
	" state TEXT NOT NULL,"
	" created INTEGER NOT NULL,"
	" ended INTEGER NOT NULL,"
	" name BLOB,"
	" op BLOB,"
	" answers BLOB"
	") STRICT;"
	"CREATE INDEX proposals_in_order ON proposals (discussion, number);";

// New encryption keys within an epoch (P4.2).
static const char schema_5[] =
	"CREATE TABLE rekeys ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" discussion INTEGER NOT NULL REFERENCES discussions ON DELETE CASCADE,"
	" epoch INTEGER NOT NULL,"
	" member TEXT NOT NULL,"
	" sequence INTEGER NOT NULL,"
	" key TEXT NOT NULL,"
	" time INTEGER NOT NULL,"
	" certificate BLOB NOT NULL,"
	" UNIQUE (discussion, epoch, member, sequence)"
	") STRICT;";

// How this core came into a discussion of others. Sealed column: invite.
static const char schema_6[] =
	"CREATE TABLE joinings ("
	" discussion INTEGER PRIMARY KEY REFERENCES discussions ON DELETE CASCADE,"
	" accepted INTEGER NOT NULL,"
	" invite BLOB NOT NULL"
	") STRICT;";

// Second payloads of one number (P5.7). Sealed columns: message, session_key.
static const char schema_7[] =
	"CREATE TABLE proofs ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" discussion INTEGER NOT NULL REFERENCES discussions ON DELETE CASCADE,"
	" epoch INTEGER NOT NULL,"
	" sender TEXT NOT NULL,"
	" sequence INTEGER NOT NULL,"
	" time INTEGER NOT NULL,"
	" message BLOB NOT NULL,"
	" session_key BLOB NOT NULL,"
	" UNIQUE (discussion, epoch, sender)"
	") STRICT;";

const struct migration migrations[] = {{schema_1}, {schema_2}, {schema_3}, {schema_4}, {schema_5}, {schema_6}, {schema_7}};
const size_t migration_count = sizeof migrations / sizeof *migrations;

static enum err database_error(sqlite3 *db, struct err_info *info)
{
	int code = sqlite3_errcode(db);
	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return err_set(info, ERR_BUSY, "another process holds the store");
	if (code == SQLITE_NOTADB)
		return err_set(info, ERR_BAD_INPUT, "the file is not a store");
	if (code == SQLITE_FULL)
		return err_set(info, ERR_IO, "the disk is full");
	return err_set(info, ERR_IO, "%s", sqlite3_errmsg(db));
}

static enum err read_number(sqlite3 *db, const char *sql, int64_t *out, struct err_info *info)
{
	sqlite3_stmt *stmt = NULL;
	enum err e = OK;
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	else
		e = database_error(db, info);
	sqlite3_finalize(stmt);
	return e;
}

static enum err recognise(sqlite3 *db, int64_t *version, struct err_info *info)
{
	int64_t application, tables;
	enum err e = read_number(db, "PRAGMA application_id", &application, info);
	if (!e)
		e = read_number(db, "PRAGMA user_version", version, info);
	if (!e)
		e = read_number(db, "SELECT count(*) FROM sqlite_master", &tables, info);
	if (e)
		return e;
	bool fresh = application == 0 && *version == 0 && tables == 0;
	if (!fresh && application != STORE_APPLICATION_ID)
		return err_set(info, ERR_BAD_INPUT, "the file is a database, but not a store");
	return OK;
}

static enum err run_step(sqlite3 *db, const char *sql, size_t number, struct err_info *info)
{
	char stamp[96];
	snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %zu;",
		 STORE_APPLICATION_ID, number);
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(db, stamp, NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return OK;
	enum err e = database_error(db, info);
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return e;
}

static enum err check_version(int64_t version, size_t count, struct err_info *info)
{
	if (version >= 0 && (uint64_t)version <= count)
		return OK;
	return err_set(info, ERR_UNSUPPORTED,
		       "the store has schema %lld, and this version of sotto knows up to %zu: install a newer one",
		       (long long)version, count);
}

enum err migrations_may_open(int64_t version, struct err_info *info)
{
	return check_version(version, migration_count, info);
}

enum err migrations_run(sqlite3 *db, const struct migration *list, size_t count,
			struct err_info *info)
{
	int64_t version;
	enum err e = recognise(db, &version, info);
	if (e)
		return e;
	e = check_version(version, count, info);
	if (e)
		return e;
	for (size_t i = (size_t)version; i < count && !e; i++)
		e = run_step(db, list[i].sql, i + 1, info);
	return e;
}
