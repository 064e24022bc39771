// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/users.h"

#include <gpgme.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "openpgp/packets.h"
#include "openpgp/sockets.h"

#define REDIRECT "%Assuan%\n" // libassuan's mark of a file that stands for a socket elsewhere
#define REDIRECT_MAX 4096

enum err users_exist(struct err_info *info)
{
	static const char *const rings[] = {"pubring.kbx", "pubring.gpg", "public-keys.d"};
	const char *home = sockets_users_home();
	bool found = false;
	if (!home || !sockets_users_agent())
		return err_set(info, ERR_UNSUPPORTED, "gpgconf does not say where your GnuPG is");
	for (size_t i = 0; i < sizeof rings / sizeof *rings; i++) {
		char *path = path_join(home, rings[i]);
		found = found || access(path, R_OK) == 0;
		free(path);
	}
	return found ? OK : err_set(info, ERR_NOT_FOUND, "there are no keys in your GnuPG: %s", home);
}

// A user may have moved the socket of its agent in the same way: libassuan follows one such file, and not two.
static enum err users_own_redirect(const char *path, struct buf *out, struct err_info *info)
{
	struct stat st;
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return OK;
	enum err e = file_read(path, out, info);
	if (e == OK && (out->len < strlen(REDIRECT) || memcmp(out->data, REDIRECT, strlen(REDIRECT)) != 0))
		e = err_set(info, ERR_BAD_INPUT, "%s is not a socket", path);
	return e;
}

enum err users_redirect(struct buf *out, struct err_info *info)
{
	const char *path = sockets_users_agent();
	struct buf own;
	buf_init(&own, REDIRECT_MAX);
	enum err e = users_own_redirect(path, &own, info);
	if (e == OK && own.len == 0) {
		// what looks like a variable would be replaced
		if (strchr(path, '$') || strchr(path, '\n'))
			e = err_set(info, ERR_UNSUPPORTED, "the path of your agent's socket cannot be used: %s", path);
		char *text = mem_format("%ssocket=%s\n", REDIRECT, path);
		if (e == OK)
			e = buf_append_string(&own, text);
		free(text);
	}
	if (e == OK)
		e = buf_append_span(out, buf_span(&own));
	buf_fini(&own);
	return e;
}

// --- its programs ---------------------------------------------------------------------------------------------------------

#define ARGUMENTS_MAX (24 + USERS_KEYS_MAX)

struct arguments {
	const char *list[ARGUMENTS_MAX];
	size_t count;
};

static void add(struct arguments *a, const char *argument)
{
	a->list[a->count++] = argument;
}

static void add_gpg(struct arguments *a)
{
	static const char *const common[] = {"--no-options", "--batch", "--no-tty", "--quiet", "--no-auto-check-trustdb",
					     // no trust database is made, and disabled keys are told all the same
					     "--trust-model", "always", "--no-auto-key-locate", "--disable-dirmngr",
					     "--display-charset", "utf-8"};
	add(a, gpgme_get_dirinfo("gpg-name"));
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		add(a, common[i]);
}

// An agent that is started by the way must not take a terminal of ours for its own.
static enum err run(struct command **out, struct loop *l, const struct arguments *a, size_t output_max, command_done *done,
		    void *arg, struct err_info *info)
{
	if (!a->list[0])
		return err_set(info, ERR_UNSUPPORTED, "gpgconf does not say where its programs are");
	struct session *nobody = session_without_terminal(NULL);
	enum err e = command_start(out, l, a->list, nobody, output_max, USERS_TIMEOUT_MS, done, arg, info);
	session_unref(nobody);
	return e;
}

enum err users_launch_start(struct command **out, struct loop *l, command_done *done, void *arg, struct err_info *info)
{
	struct arguments a = {0};
	add(&a, gpgme_get_dirinfo("gpgconf-name"));
	add(&a, "--launch");
	add(&a, "gpg-agent");
	return run(out, l, &a, 4096, done, arg, info);
}

enum err users_list_start(struct command **out, struct loop *l, const char *fingerprint, command_done *done, void *arg,
			  struct err_info *info)
{
	struct arguments a = {0};
	if (fingerprint && !fingerprint_valid(fingerprint))
		return err_set(info, ERR_BAD_PARAMS, "not a fingerprint");
	add_gpg(&a);
	add(&a, "--with-colons");
	add(&a, "--with-secret");
	add(&a, fingerprint ? "--list-keys" : "--list-secret-keys");
	if (fingerprint)
		add(&a, fingerprint);
	return run(out, l, &a, USERS_LISTING_MAX, done, arg, info);
}

// what follows is read as the keys that are meant
static enum err list_public(struct command **out, struct loop *l, const char *how, const char *const *fingerprints, size_t count,
			    command_done *done, void *arg, struct err_info *info)
{
	struct arguments a = {0};
	add_gpg(&a);
	add(&a, "--with-colons");
	add(&a, how);
	for (size_t i = 0; i < count; i++) {
		if (!fingerprint_valid(fingerprints[i]))
			return err_set(info, ERR_BAD_PARAMS, "not a fingerprint");
		add(&a, fingerprints[i]);
	}
	return run(out, l, &a, USERS_LISTING_MAX, done, arg, info);
}

enum err users_signatures_start(struct command **out, struct loop *l, const char *fingerprint, command_done *done, void *arg,
				struct err_info *info)
{
	return list_public(out, l, "--check-signatures", &fingerprint, 1, done, arg, info);
}

enum err users_keys_start(struct command **out, struct loop *l, const char *const *fingerprints, size_t count, command_done *done,
			  void *arg, struct err_info *info)
{
	if (count == 0 || count > USERS_KEYS_MAX)
		return err_set(info, ERR_BAD_PARAMS, "too many keys at a time");
	return list_public(out, l, "--list-keys", fingerprints, count, done, arg, info);
}

enum err users_export_start(struct command **out, struct loop *l, const struct listed_key *key, command_done *done, void *arg,
			    struct err_info *info)
{
	struct arguments a = {0};
	char *subkeys = mem_format("drop-subkey=fpr <> %s && fpr <> %s", key->signer, key->decrypter);
	add_gpg(&a);
	add(&a, "--export-options");
	add(&a, "export-minimal,no-export-attributes");
	add(&a, "--export-filter");
	add(&a, "keep-uid=primary = 1");
	add(&a, "--export-filter");
	add(&a, subkeys);
	add(&a, "--export");
	add(&a, key->fingerprint);
	// a byte more than is allowed: whoever checks says so
	enum err e = run(out, l, &a, CERTIFICATE_MAX + 1, done, arg, info);
	free(subkeys);
	return e;
}

enum err users_outcome(const struct command_result *result, const char *what, struct err_info *info)
{
	switch (result->code) {
	case OK:
		break;
	case ERR_TIMEOUT:
		return err_set(info, ERR_TIMEOUT, "cannot %s: your GnuPG's agent does not answer", what);
	case ERR_CANCELED:
		return err_set(info, ERR_CANCELED, "canceled");
	default:
		return err_set(info, result->code, "cannot %s: %s", what, err_name(result->code));
	}
	if (result->status == 0)
		return OK;
	return err_set(info, ERR_IO, "cannot %s: %s", what, result->complaint[0] ? result->complaint : "gpg has failed");
}
