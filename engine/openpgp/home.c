// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/home_internal.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "openpgp/agent.h"
#include "openpgp/home_files.h"
#include "openpgp/sockets.h"

// --- the directory --------------------------------------------------------------------------------------------------------

enum err homes_open(struct homes **out, struct loop *loop, const char *directory, const struct random *random,
		    struct err_info *info)
{
	char real[PATH_MAX];
	enum err e = directory_make_private(directory, info);
	if (e)
		return e;
	if (!realpath(directory, real))
		return err_set_errno(info, errno, "cannot find %s", directory);
	struct homes *h = mem_alloc(sizeof *h);
	h->loop = loop;
	h->directory = mem_dup_string(real);
	h->random = *random;
	*out = h;
	return OK;
}

static void release(struct homes *h)
{
	homes_forget_graves(h);
	aliases_fini(&h->aliases);
	free(h->directory);
	free(h);
}

void homes_free_unused(struct homes *h)
{
	if (h && !h->first && h->ending == 0)
		release(h);
}

static void homes_free(void *arg)
{
	struct homes *h = arg;
	home_done *done = h->done;
	void *done_arg = h->arg;
	struct err_info info = {.code = OK};
	release(h);
	done(done_arg, OK, &info);
}

void homes_free_when_idle(struct homes *h)
{
	if (h->closing && !h->first && h->ending == 0)
		loop_defer(h->loop, &h->deferred, homes_free, h);
}

static void ignore_end(void *arg, enum err code, const struct err_info *info)
{
	(void)arg;
	if (code)
		log_warn("%s", info->text);
}

static void close_all(void *arg)
{
	struct homes *h = arg;
	h->closing = true;
	homes_bury(h);
	while (h->first)
		home_close_start(h->first, ignore_end, NULL);
	homes_free_when_idle(h);
}

void homes_close_start(struct homes *h, home_done *done, void *arg)
{
	assert(!h->done);
	h->done = done;
	h->arg = arg;
	for (struct home *home = h->first; home; home = home->next)
		home_cancel_users(home);
	// a job that was cancelled destroys the home it was making, and is told of that before this turn's end
	loop_defer(h->loop, &h->deferred, close_all, h);
}

// --- handles --------------------------------------------------------------------------------------------------------------

static struct home *find_open(struct homes *h, const char *name)
{
	for (struct home *home = h->first; home; home = home->next)
		if (strcmp(home->name, name) == 0)
			return home;
	return NULL;
}

static struct home *home_new(struct homes *h, const char *name)
{
	struct home *home = mem_alloc(sizeof *home);
	home->homes = h;
	snprintf(home->name, sizeof home->name, "%s", name);
	home->path = path_join(h->directory, name);
	home->next = h->first;
	home->link = &h->first;
	if (h->first)
		h->first->link = &home->next;
	h->first = home;
	return home;
}

static void home_free(struct home *h)
{
	home_adopted_fini(h);
	home_forget_pauses(h);
	*h->link = h->next;
	if (h->next)
		h->next->link = h->link;
	free(h->path);
	free(h->alias);
	free(h);
}

static bool name_valid(const char *name)
{
	return strlen(name) == HOME_NAME_LEN && strspn(name, "0123456789abcdef") == HOME_NAME_LEN;
}

static enum err create(struct homes *h, enum home_kind kind, const char *signer, struct home **out, struct err_info *info)
{
	uint8_t raw[HOME_NAME_LEN / 2];
	char name[HOME_NAME_LEN + 1];
	random_fill(&h->random, raw, sizeof raw);
	hex_encode_lower(span(raw, sizeof raw), name);
	char *path = path_join(h->directory, name);
	enum err e = OK;
	if (mkdir(path, 0700) != 0)
		e = err_set_errno(info, errno, "cannot make the directory %s", path);
	else
		e = home_files_configure(path, kind, signer, info);
	// on a full disk the directory was made and its files were not: nobody would ever ask for it
	if (e && tree_remove(path, NULL))
		log_warn("%s could not be removed", path);
	free(path);
	if (e == OK)
		*out = home_new(h, name);
	return e;
}

enum err home_create(struct homes *h, struct home **out, struct err_info *info)
{
	return create(h, HOME_OWN, NULL, out, info);
}

enum err home_create_public(struct homes *h, struct home **out, struct err_info *info)
{
	return create(h, HOME_PUBLIC, NULL, out, info);
}

static enum err open_existing(struct homes *h, const char *name, enum home_kind kind, const char *signer, struct home **out,
			      struct err_info *info)
{
	struct stat st;
	if (!name_valid(name))
		return err_set(info, ERR_BAD_PARAMS, "not the name of a home");
	if (find_open(h, name))
		return err_set(info, ERR_WRONG_STATE, "the home %s is open already", name);
	char *path = path_join(h->directory, name);
	enum err e = OK;
	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		e = err_set(info, ERR_NOT_FOUND, "there is no home %s", path);
	if (e == OK)
		e = directory_make_private(path, info);
	if (e == OK)
		e = home_files_restore_keys(path, info);
	if (e == OK)
		e = home_files_configure(path, kind, signer, info);
	free(path);
	if (e == OK)
		*out = home_new(h, name);
	return e;
}

enum err home_open(struct homes *h, const char *name, struct home **out, struct err_info *info)
{
	return open_existing(h, name, HOME_OWN, NULL, out, info);
}

static void be_adopted(struct home *h, const char *signer)
{
	snprintf(h->signer, sizeof h->signer, "%s", signer);
	h->session = session_without_terminal(NULL);
}

enum err home_create_adopted(struct homes *h, const char *signer, struct home **out, struct err_info *info)
{
	struct home *home;
	if (!fingerprint_valid(signer))
		return err_set(info, ERR_BAD_PARAMS, "not a fingerprint");
	enum err e = create(h, HOME_ADOPTED, signer, &home, info);
	if (e)
		return e;
	be_adopted(home, signer);
	e = home_redirect(home, true, info);
	if (e)
		home_destroy_start(home, ignore_end, NULL);
	else
		*out = home;
	return e;
}

enum err home_open_adopted(struct homes *h, const char *name, const char *signer, struct home **out, struct err_info *info)
{
	struct home *home;
	if (!fingerprint_valid(signer))
		return err_set(info, ERR_BAD_PARAMS, "not a fingerprint");
	enum err e = open_existing(h, name, HOME_ADOPTED, signer, &home, info);
	if (e)
		return e;
	be_adopted(home, signer);
	e = home_redirect(home, true, info);
	if (e)
		home_close_start(home, ignore_end, NULL);
	else
		*out = home;
	return e;
}

const char *home_name(const struct home *h)
{
	return h->name;
}

const char *home_path(const struct home *h)
{
	return h->path;
}

struct home *homes_first(const struct homes *h)
{
	return h->first;
}

struct home *home_next(const struct home *h)
{
	return h->next;
}

bool homes_ending(const struct homes *h)
{
	return h->ending > 0;
}

char *home_agent_socket(struct home *h)
{
	char *directory = sockets_directory(h->path);
	char *path = path_join(directory, "S.gpg-agent");
	free(directory);
	return path;
}

enum err home_gnupg_path(struct home *h, const char **out, struct err_info *info)
{
	enum err e = OK;
	bool aliased = sockets_in_homes() && alias_needed(h->path);
	if (aliased)
		e = alias_make(&h->homes->aliases, h->name, h->path, &h->alias, info);
	if (e == OK && h->signer[0])
		e = home_redirect(h, false, info);
	if (e == OK)
		*out = aliased ? h->alias : h->path;
	return e;
}

enum err home_settle(struct home *h, struct err_info *info)
{
	return home_files_settle(h->path, info);
}

bool home_has_unprotected_key(const struct home *h)
{
	return home_files_unprotected(h->path);
}

enum err home_erase_key(struct home *h, const char *grip, struct err_info *info)
{
	return home_files_erase_key(h->path, grip, info);
}

bool home_has_key(const struct home *h, const char *grip)
{
	return home_files_has_key(h->path, grip);
}

enum err home_keep_only(struct home *h, const char *const *grips, size_t count, struct err_info *info)
{
	return home_files_keep_only(h->path, grips, count, info);
}

void home_drop_keyring(struct home *h)
{
	home_files_drop_keyring(h->path);
}

// --- ends -----------------------------------------------------------------------------------------------------------------

// The agent of one home on its way out; with `remove` the home follows it.
struct ending {
	struct homes *homes;
	char *path, *alias;
	bool remove;
	home_done *done;
	void *arg;
};

static void on_agent_ended(void *arg, enum err code, const struct err_info *info)
{
	struct ending *e = arg;
	struct homes *h = e->homes;
	struct err_info removed = *info;
	if (e->remove) {
		// also below an agent that would not go: its home is what must not stay
		enum err left = tree_remove(e->path, &removed);
		if (left) {
			code = left;
			homes_bury_later(h, e->path);
		}
	}
	sockets_remove(e->path);
	if (e->alias)
		alias_remove(e->alias);
	h->ending--;
	e->done(e->arg, code, &removed);
	free(e->path);
	free(e->alias);
	free(e);
	homes_free_when_idle(h);
}

void homes_end_agent(struct homes *h, const char *path, char *alias, bool orphan, bool remove, home_done *done, void *arg)
{
	struct ending *e = mem_alloc(sizeof *e);
	*e = (struct ending){.homes = h, .path = mem_dup_string(path), .alias = alias, .remove = remove, .done = done, .arg = arg};
	h->ending++;
	agent_end_start(h->loop, path, alias, orphan, on_agent_ended, e);
}

static char *take_alias(struct home *h)
{
	char *alias = h->alias;
	h->alias = NULL;
	return alias;
}

void home_destroy_start(struct home *h, home_done *done, void *arg)
{
	home_cancel_users(h);
	home_files_erase_keys(h->path);
	homes_end_agent(h->homes, h->path, take_alias(h), false, true, done, arg);
	home_free(h);
}

void home_close_start(struct home *h, home_done *done, void *arg)
{
	home_cancel_users(h);
	homes_end_agent(h->homes, h->path, take_alias(h), false, false, done, arg);
	home_free(h);
}

// A home that waits for the end of its agent. It may go meanwhile, or be locked once more.
struct locking {
	struct home_pause pause;
	home_done *done;
	void *arg;
};

static void on_locked(void *arg, enum err code, const struct err_info *info)
{
	struct locking *l = arg;
	home_resume(&l->pause);
	l->done(l->arg, code, info);
	free(l);
}

void home_lock_start(struct home *h, home_done *done, void *arg)
{
	struct locking *l = mem_alloc(sizeof *l);
	home_cancel_users(h);
	*l = (struct locking){.done = done, .arg = arg};
	home_pause(h, &l->pause);
	// the next operation makes its alias anew
	homes_end_agent(h->homes, h->path, take_alias(h), false, false, on_locked, l);
}
