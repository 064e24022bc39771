// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/internal.h"
#include "store/longpath.h"
#include "store/migrations.h"

#define BUSY_WAIT_MS 2000 // as long as a killed core may take to be gone
#define NO_PAGE_LIMIT 0xfffffffe

// The errno behind an SQLITE_IOERR. sqlite3_system_errno has often been overwritten by the time a
// commit has failed; the WAL's own handle remembers.
static int system_error(sqlite3 *db)
{
	int number = sqlite3_system_errno(db);
	sqlite3_file *wal = NULL;
	if (number == 0)
		sqlite3_file_control(db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &wal);
	if (wal && wal->pMethods)
		wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &number);
	return number;
}

static bool disk_is_full(sqlite3 *db, int rc)
{
	if ((rc & 0xff) != SQLITE_IOERR)
		return (rc & 0xff) == SQLITE_FULL;
	int number = system_error(db);
	return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

// For who has to look after it; of a path that is too long for SQLite only the last part means something.
static const char *file_name(sqlite3 *db)
{
	const char *name = sqlite3_db_filename(db, "main");
	return name && *name ? name : "the file";
}

static enum err translate(sqlite3 *db, int rc, struct err_info *info)
{
	if (disk_is_full(db, rc))
		return err_set(info, ERR_IO, "the disk is full");
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(info, ERR_BUSY, "another process holds the store");
	case SQLITE_CONSTRAINT:
		if (sqlite3_extended_errcode(db) == SQLITE_CONSTRAINT_FOREIGNKEY)
			return err_set(info, ERR_NOT_FOUND, "no such discussion");
		return err_set(info, ERR_WRONG_STATE, "%s", sqlite3_errmsg(db));
	case SQLITE_NOTADB:
		return err_set(info, ERR_BAD_INPUT, "%s is not a store", file_name(db));
	case SQLITE_CORRUPT:
		return err_set(info, ERR_IO, "the store %s is damaged: %s", file_name(db),
			       sqlite3_errmsg(db));
	case SQLITE_IOERR:
		return err_set(info, ERR_IO, "the store cannot be read or written: %s",
			       strerror(system_error(db)));
	default:
		return err_set(info, ERR_IO, "the store failed: %s", sqlite3_errmsg(db));
	}
}

static void roll_back(struct store *s)
{
	// of some errors SQLite has rolled back by itself
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	// a data key made in this transaction is gone from the file
	keyring_clear(&s->keyring);
}

enum err store_fail(struct store *s, int rc, struct err_info *info)
{
	struct err_info why;
	enum err e = translate(s->db, rc, &why);
	if (info)
		*info = why;
	if (s->in_transaction && !s->failed && (rc & 0xff) != SQLITE_CONSTRAINT) {
		s->failed = true;
		s->failure = why;
	}
	return e;
}

void store_end_failed(struct store *s)
{
	if (s->failed && !s->readers && !sqlite3_get_autocommit(s->db))
		roll_back(s);
}

enum err store_may_write(const struct store *s, struct err_info *info)
{
	if (s->in_transaction && s->failed)
		return err_set(info, s->failure.code, "%s", s->failure.text);
	if (s->readers)
		return err_set(info, ERR_WRONG_STATE, "the store is being read: no writing now");
	return OK;
}

// --- opening ------------------------------------------------------------------------------------

static enum err make_file(const char *path, struct err_info *info)
{
	// O_EXCL: an existing file is never opened here, since closing it would drop the locks of a
	// store that this process has open. SQLite gives the WAL the mode of the file.
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0) {
		close(fd);
		return OK;
	}
	if (errno != EEXIST || chmod(path, 0600) != 0)
		return err_set_errno(info, errno, "cannot open the store %s", path);
	return OK;
}

static enum err open_file(struct store *s, const char *path, struct err_info *info)
{
	struct longpath place;
	char *copy = mem_dup_string(path);
	enum err e = directory_make_private(dirname(copy), info);
	free(copy);
	if (!e)
		e = longpath_open(&place, path, info);
	if (e)
		return e;
	s->path = place.path;
	s->directory = place.directory;
	e = make_file(s->path, info);
	if (e)
		return e;
	int rc = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
				 place.vfs);
	if (!s->db)
		return err_set(info, ERR_IO, "cannot open the store %s", path);
	if (rc)
		return translate(s->db, rc, info);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, BUSY_WAIT_MS);
	return OK;
}

static enum err configure(struct store *s, struct err_info *info)
{
	// EXCLUSIVE: one core per store; and the WAL's index then lives in memory, not in a file.
	// DEFENSIVE and an untrusted schema: a file made by someone else cannot run code in here.
	static const char pragmas[] = "PRAGMA locking_mode = EXCLUSIVE;"
				      "PRAGMA journal_mode = WAL;"
				      "PRAGMA synchronous = FULL;"
				      "PRAGMA secure_delete = ON;"
				      "PRAGMA foreign_keys = ON;"
				      "PRAGMA temp_store = MEMORY;"
				      "PRAGMA cell_size_check = ON;"
				      "PRAGMA journal_size_limit = 4194304;"
				      "PRAGMA cache_size = -4096;";
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	struct query q;
	char mode[16] = "";
	int rc = sqlite3_exec(s->db, pragmas, NULL, NULL, NULL);
	if (rc)
		return translate(s->db, rc, info);
	query_begin(&q, s, "PRAGMA journal_mode");
	if (query_step(&q))
		query_take_text(&q, mode, sizeof mode);
	enum err e = query_end(&q, info);
	if (!e && strcmp(mode, "wal") != 0)
		e = err_set(info, ERR_UNSUPPORTED, "SQLite cannot keep a WAL beside %s", s->path);
	return e;
}

enum err store_open(struct store **out, const char *path, struct err_info *info)
{
	struct store *s = mem_alloc(sizeof *s);
	struct err_info left;
	s->directory = -1;
	keyring_init(&s->keyring);
	enum err e = open_file(s, path, info);
	if (!e)
		e = configure(s, info);
	if (!e)
		e = migrations_run(s->db, migrations, migration_count, info);
	if (e) {
		store_close(s);
		return e;
	}
	// its key is gone: what is left of it cannot be read, and is no reason not to start
	if (discussions_finish_forgetting(s, &left))
		log_warn("a forgotten discussion cannot be removed yet: %s", left.text);
	*out = s;
	return OK;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	assert(s->readers == 0);
	store_rollback(s);
	statements_fini(&s->statements);
	int rc = sqlite3_close(s->db);
	assert(rc == SQLITE_OK);
	(void)rc;
	if (s->directory >= 0)
		close(s->directory);
	keyring_fini(&s->keyring);
	free(s->path);
	free(s);
}

// --- transactions -------------------------------------------------------------------------------

static enum err truncate_wal(struct store *s, struct err_info *info)
{
	struct err_info why;
	int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (rc)
		return err_set(info, translate(s->db, rc, &why),
			       "what was forgotten is not erased from the disk yet: %s", why.text);
	s->truncate_due = false;
	return OK;
}

enum err store_begin(struct store *s, struct err_info *info)
{
	if (s->in_transaction)
		return err_set(info, ERR_WRONG_STATE, "a transaction is open already");
	enum err e = store_may_write(s, info);
	if (e)
		return e;
	int rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc)
		return translate(s->db, rc, info);
	s->in_transaction = true;
	s->failed = false;
	return OK;
}

enum err store_commit(struct store *s, struct err_info *info)
{
	if (!s->in_transaction)
		return err_set(info, ERR_WRONG_STATE, "no transaction is open");
	if (s->readers)
		return err_set(info, ERR_WRONG_STATE, "the store is being read: no writing now");
	if (!s->failed) {
		int rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
		if (rc)
			store_fail(s, rc, NULL);
	}
	s->in_transaction = false;
	if (s->failed) {
		s->failed = false;
		roll_back(s);
		return err_set(info, s->failure.code, "%s", s->failure.text);
	}
	return s->truncate_due ? truncate_wal(s, info) : OK;
}

void store_rollback(struct store *s)
{
	assert(s->readers == 0);
	if (!s->in_transaction)
		return;
	s->in_transaction = s->failed = false;
	roll_back(s);
}

enum err store_end(struct store *s, enum err code, struct err_info *info)
{
	if (code == OK)
		return store_commit(s, info);
	store_rollback(s);
	return code;
}

bool store_in_transaction(const struct store *s)
{
	return s->in_transaction;
}

enum err scope_enter(struct scope *scope, struct store *s, struct err_info *info)
{
	scope->own = !s->in_transaction;
	return scope->own ? store_begin(s, info) : store_may_write(s, info);
}

enum err scope_leave(struct scope *scope, struct store *s, enum err e, struct err_info *info)
{
	return scope->own ? store_end(s, e, info) : e;
}

// --- the key ------------------------------------------------------------------------------------

static const struct seal_place proof_place = {"vault", "proof", {"1"}};
#define PROOF "the store key"

static enum err check_key(struct store *s, const uint8_t *key, bool *known, struct err_info *info)
{
	struct query q;
	struct buf plain;
	enum err opened = OK;
	buf_init_wiped(&plain, sizeof PROOF);
	*known = false;
	query_begin(&q, s, "SELECT proof FROM vault");
	if (query_step(&q)) {
		*known = true;
		opened = seal_open(key, &proof_place, query_take_span(&q), &plain, info);
	}
	enum err e = query_end(&q, info);
	buf_fini(&plain);
	return e ? e : opened;
}

static enum err keep_proof(struct store *s, const uint8_t *key, struct err_info *info)
{
	struct query q;
	struct buf sealed;
	buf_init(&sealed, sizeof PROOF + SEAL_OVERHEAD);
	enum err e = seal_close(key, &proof_place, span(PROOF, sizeof PROOF), &sealed);
	if (!e) {
		query_begin(&q, s, "INSERT INTO vault (only, proof) VALUES (1, ?)");
		query_bind_span(&q, buf_span(&sealed));
		e = query_run(&q, NULL, info);
	}
	buf_fini(&sealed);
	return e;
}

enum err store_unlock(struct store *s, struct secret *key, struct err_info *info)
{
	bool known;
	struct span bytes = secret_span(key);
	if (bytes.len != STORE_KEY_LEN)
		return err_set(info, ERR_BAD_PARAMS, "a store key has %d bytes", STORE_KEY_LEN);
	enum err e = check_key(s, bytes.data, &known, info);
	if (!e && !known)
		e = keep_proof(s, bytes.data, info);
	if (e)
		return e;
	secret_ref(key);
	secret_unref(s->keyring.store_key);
	s->keyring.store_key = key;
	return OK;
}

void store_lock(struct store *s)
{
	keyring_lock(&s->keyring);
}

bool store_unlocked(const struct store *s)
{
	return s->keyring.store_key != NULL;
}
