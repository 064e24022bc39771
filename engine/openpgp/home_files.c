// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/home_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define KEYS "private-keys-v1.d"
#define KEPT "private-keys-kept"     // complete once it has this name
#define KEEPING "private-keys-keeping"
#define KEY_FILE_MAX 65536

// measured.md says which of these cost time. Validity is never asked (P3.4 decides), nothing is ever fetched (P3.6), and what
// is sealed names nothing but its recipients (P3.1). Times decide nothing (P0.6): a key that was made a moment ago where the clock is
// ahead is from the future here, and of use all the same. Locks are left to the engine, which serialises writers.
static const char gpg_conf[] = "# written by sotto at every start\n"
			       "no-greeting\n"
			       "no-tty\n"
			       "no-random-seed-file\n"
			       "no-auto-check-trustdb\n"
			       "lock-never\n"
			       "trust-model always\n"
			       "ignore-time-conflict\n"
			       "ignore-valid-from\n"
			       "no-auto-key-retrieve\n"
			       "no-auto-key-locate\n"
			       "disable-dirmngr\n"
			       "no-symkey-cache\n"
			       "no-encrypt-to\n"
			       "no-throw-keyids\n"
			       "no-emit-version\n"
			       "no-comments\n"
			       "set-filename \"\"\n"
			       "compress-algo none\n"
			       "cipher-algo AES256\n"
			       "digest-algo SHA512\n"
			       "cert-digest-algo SHA512\n"
			       "max-output 2097152\n"
			       "import-options import-minimal\n"
			       "export-options export-minimal\n";

// Passphrases stay until the agent is ended: locking is ours to decide. No card, no pinentry, no second door. The derivation is
// the largest that RFC 4880 can write, and fixed: gpg-agent would measure the machine instead (and settle for less on a busy
// one), and it derives anew for each use of a key, also of one whose passphrase it knows.
static const char agent_conf[] = "# written by sotto at every start\n"
				 "disable-scdaemon\n"
				 "no-allow-external-cache\n"
				 "allow-loopback-pinentry\n"
				 "pinentry-program /bin/false\n"
				 "extra-socket none\n"
				 "browser-socket none\n"
				 "s2k-count 65011712\n"
				 "default-cache-ttl 315360000\n"
				 "max-cache-ttl 315360000\n";

static enum err write_text(const char *home, const char *name, const char *text, const char *more, struct err_info *info)
{
	char *path = path_join(home, name);
	size_t len = strlen(text);
	size_t more_len = strlen(more);
	enum err e = OK;
	// not through to the disk: it is written at every start, and a throw-away home must be cheap
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len || write(fd, more, more_len) != (ssize_t)more_len)
		e = err_set_errno(info, errno, "cannot write %s", path);
	if (fd >= 0)
		close(fd);
	free(path);
	return e;
}

enum err home_files_configure(const char *home, enum home_kind kind, const char *signer, struct err_info *info)
{
	// an agent that gpg started for an adopted key's home would sit down on the user's own socket; and importing a public key asks the
	// agent whether it has the secret one, and would start it for that
	char *more = kind == HOME_OWN	    ? mem_dup_string("")
		     : kind == HOME_ADOPTED ? mem_format("no-autostart\nlocal-user %s!\n", signer)
					    : mem_dup_string("no-autostart\n");
	enum err e = write_text(home, "gpg.conf", gpg_conf, more, info);
	free(more);
	if (e == OK && kind != HOME_ADOPTED)
		e = write_text(home, "gpg-agent.conf", agent_conf, "", info);
	return e;
}

// Calls `each` for every regular file of a directory, until it says no. False where it did, or where there is no such
// directory.
static bool each_file(const char *home, const char *name, bool (*each)(int directory, const char *file, void *arg),
		      void *arg)
{
	char *path = path_join(home, name);
	DIR *d = opendir(path);
	bool going = d != NULL;
	free(path);
	for (struct dirent *entry; going && (entry = readdir(d));) {
		struct stat st;
		if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			going = each(dirfd(d), entry->d_name, arg);
	}
	if (d)
		closedir(d);
	return going;
}

static bool erase_file(int directory, const char *name, void *arg)
{
	static const uint8_t zeroes[4096];
	struct stat st;
	(void)arg;
	int fd = openat(directory, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0) {
		for (off_t left = st.st_size; left > 0;) {
			ssize_t n = write(fd, zeroes, left < (off_t)sizeof zeroes ? (size_t)left : sizeof zeroes);
			if (n <= 0)
				break;
			left -= n;
		}
		fdatasync(fd); // or the zeroes would never leave the cache
	}
	if (fd >= 0)
		close(fd);
	unlinkat(directory, name, 0);
	return true;
}

void home_files_erase_keys(const char *home)
{
	each_file(home, KEYS, erase_file, NULL);
	each_file(home, KEPT, erase_file, NULL);
	each_file(home, KEEPING, erase_file, NULL);
}

static enum err remove_below(const char *home, const char *name, struct err_info *info)
{
	char *path = path_join(home, name);
	enum err e = tree_remove(path, info);
	free(path);
	return e;
}

void home_files_drop_keyring(const char *home)
{
	(void)!remove_below(home, "pubring.kbx", NULL);
	(void)!remove_below(home, "pubring.kbx~", NULL);
}

enum err home_files_tidy(const char *home, struct err_info *info)
{
	enum err e = remove_below(home, "openpgp-revocs.d", info);
	return e ? e : remove_below(home, "pubring.kbx~", info);
}

struct path_list {
	const char *home;
	char **paths;
	size_t count;
};

static bool add_key(int directory, const char *name, void *arg)
{
	struct path_list *list = arg;
	(void)directory;
	if (list->count == HOME_SYNC_MAX - 3)
		return false;
	list->paths[list->count++] = mem_format("%s/" KEYS "/%s", list->home, name);
	return true;
}

size_t home_files_to_sync(const char *home, char *paths[HOME_SYNC_MAX])
{
	struct path_list list = {.home = home, .paths = paths};
	each_file(home, KEYS, add_key, &list);
	char *keys = path_join(home, KEYS);
	if (access(keys, F_OK) == 0) // there are none in an adopted key's home
		paths[list.count++] = keys;
	else
		free(keys);
	paths[list.count++] = path_join(home, "pubring.kbx");
	paths[list.count++] = mem_dup_string(home);
	return list.count;
}

enum err home_files_sync(const char *path, struct err_info *info)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	enum err e = OK;
	if (fd < 0 || fsync(fd) != 0)
		e = err_set_errno(info, errno, "cannot write %s through to the disk", path);
	if (fd >= 0)
		close(fd);
	return e;
}

enum err home_files_settle(const char *home, struct err_info *info)
{
	char *paths[HOME_SYNC_MAX];
	enum err e = home_files_tidy(home, info);
	size_t count = e ? 0 : home_files_to_sync(home, paths);
	for (size_t i = 0; i < count; i++) {
		if (e == OK)
			e = home_files_sync(paths[i], info);
		free(paths[i]);
	}
	return e;
}

static enum err read_key_file(int directory, const char *name, struct buf *out)
{
	enum err e = ERR_IO;
	uint8_t *room;
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return e;
	if (buf_reserve(out, KEY_FILE_MAX, &room) == OK) {
		ssize_t n = read(fd, room, KEY_FILE_MAX);
		if (n > 0 && n < KEY_FILE_MAX) {
			out->len = (size_t)n;
			e = OK;
		}
	}
	close(fd);
	return e;
}

static bool is_protected(int directory, const char *name, void *arg)
{
	static const char *const marks[] = {"protected-private-key", "shadowed-private-key"};
	struct buf content;
	bool found = false;
	(void)arg;
	buf_init_wiped(&content, KEY_FILE_MAX);
	if (read_key_file(directory, name, &content) == OK)
		for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
			found = found || memmem(content.data, content.len, marks[i], strlen(marks[i]));
	buf_fini(&content);
	return found;
}

bool home_files_unprotected(const char *home)
{
	char *keys = path_join(home, KEYS);
	bool any = access(keys, F_OK) == 0;
	free(keys);
	return any && !each_file(home, KEYS, is_protected, NULL);
}

// --- one key --------------------------------------------------------------------------------------------------------------

static char *key_path(const char *home, const char *grip)
{
	return mem_format("%s/" KEYS "/%s.key", home, grip);
}

bool home_files_has_key(const char *home, const char *grip)
{
	char *path = key_path(home, grip);
	bool has = access(path, F_OK) == 0;
	free(path);
	return has;
}

enum err home_files_copy_key(const char *from, const char *to, const char *grip, struct err_info *info)
{
	struct buf content;
	char *source = key_path(from, grip), *target = key_path(to, grip), *directory = path_join(to, KEYS);
	buf_init_wiped(&content, KEY_FILE_MAX);
	enum err e = file_read(source, &content, info);
	if (e == OK)
		e = directory_make_private(directory, info);
	if (e == OK)
		e = file_write(target, buf_span(&content), info);
	buf_fini(&content);
	free(source);
	free(target);
	free(directory);
	return e;
}

// Keys by their grips, or with `others` all files but those.
struct chosen {
	const char *const *grips;
	size_t count;
	bool others;
	bool erased; // one at least
};

static bool has_grip(const struct chosen *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++) {
		size_t len = strlen(c->grips[i]);
		if (strncmp(name, c->grips[i], len) == 0 && strcmp(name + len, ".key") == 0)
			return true;
	}
	return false;
}

static bool erase_chosen(int directory, const char *name, void *arg)
{
	struct chosen *c = arg;
	if (has_grip(c, name) == c->others)
		return true;
	c->erased = true;
	return erase_file(directory, name, NULL) && faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

static enum err sync_keys(const char *home, struct err_info *info)
{
	char *keys = path_join(home, KEYS);
	enum err e = home_files_sync(keys, info);
	free(keys);
	return e;
}

enum err home_files_erase_key(const char *home, const char *grip, struct err_info *info)
{
	struct chosen c = {.grips = &grip, .count = 1};
	if (!each_file(home, KEYS, erase_chosen, &c))
		return err_set(info, ERR_IO, "the secret key %s in %s cannot be erased", grip, home);
	return sync_keys(home, info);
}

enum err home_files_keep_only(const char *home, const char *const *grips, size_t count, struct err_info *info)
{
	struct chosen c = {.grips = grips, .count = count, .others = true};
	if (!each_file(home, KEYS, erase_chosen, &c))
		return err_set(info, ERR_IO, "old secret keys in %s cannot be erased", home);
	return c.erased ? sync_keys(home, info) : OK;
}

// --- keys kept aside ------------------------------------------------------------------------------------------------------

static bool copy_file(int directory, const char *name, void *arg)
{
	const char *to = arg;
	struct buf content;
	char *path = path_join(to, name);
	buf_init_wiped(&content, KEY_FILE_MAX);
	bool ok = read_key_file(directory, name, &content) == OK && file_write(path, buf_span(&content), NULL) == OK;
	buf_fini(&content);
	free(path);
	return ok;
}

static enum err copy_keys(const char *home, const char *from, const char *to, struct err_info *info)
{
	char *path = path_join(home, to);
	enum err e = directory_make_private(path, info);
	if (e == OK && !each_file(home, from, copy_file, path))
		e = err_set(info, ERR_IO, "cannot copy the keys of %s", home);
	free(path);
	return e;
}

static void erase_directory(const char *home, const char *name)
{
	each_file(home, name, erase_file, NULL);
	(void)!remove_below(home, name, NULL);
}

enum err home_files_keep_keys(const char *home, struct err_info *info)
{
	char *keeping = path_join(home, KEEPING), *kept = path_join(home, KEPT);
	erase_directory(home, KEEPING);
	enum err e = copy_keys(home, KEYS, KEEPING, info);
	if (e == OK && rename(keeping, kept) != 0)
		e = err_set_errno(info, errno, "cannot keep the keys of %s", home);
	if (e == OK)
		e = home_files_sync(home, info);
	else
		erase_directory(home, KEEPING);
	free(keeping);
	free(kept);
	return e;
}

void home_files_forget_kept_keys(const char *home)
{
	char *keeping = path_join(home, KEEPING), *kept = path_join(home, KEPT);
	// first the name, at once: what is half erased must never be restored
	if (rename(kept, keeping) == 0)
		(void)!home_files_sync(home, NULL);
	erase_directory(home, KEEPING);
	free(keeping);
	free(kept);
}

enum err home_files_restore_keys(const char *home, struct err_info *info)
{
	char *kept = path_join(home, KEPT);
	bool any = access(kept, F_OK) == 0;
	enum err e = OK;
	free(kept);
	erase_directory(home, KEEPING);
	if (any)
		e = copy_keys(home, KEPT, KEYS, info);
	if (any && e == OK)
		home_files_forget_kept_keys(home);
	return e;
}
