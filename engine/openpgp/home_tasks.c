// SPDX-License-Identifier: GPL-3.0-or-later
// What takes a home, or all of them, several turns of the loop: settling and sweeping.
#include <assert.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "openpgp/home_files.h"
#include "openpgp/home_internal.h"

// --- settling -------------------------------------------------------------------------------------------------------------

struct settling {
	struct homes *homes;
	char *paths[HOME_SYNC_MAX];
	size_t count, at;
	struct timer timer;
	home_done *done;
	void *arg;
};

static void end_settling(struct settling *s, enum err code, const struct err_info *info)
{
	struct homes *h = s->homes;
	h->ending--;
	s->done(s->arg, code, info);
	while (s->count)
		free(s->paths[--s->count]);
	free(s);
	homes_free_when_idle(h);
}

static void sync_next(void *arg)
{
	struct settling *s = arg;
	struct err_info info = {.code = OK};
	enum err code = OK;
	if (s->at < s->count)
		code = home_files_sync(s->paths[s->at++], &info);
	if (code || s->at == s->count)
		end_settling(s, code, &info);
	else
		timer_start(s->homes->loop, &s->timer, 0, sync_next, s); // a turn each, as long as a commit of the store's
}

enum err home_settle_start(struct home *h, home_done *done, void *arg, struct err_info *info)
{
	enum err e = home_files_tidy(h->path, info);
	if (e)
		return e;
	struct settling *s = mem_alloc(sizeof *s);
	s->homes = h->homes;
	s->done = done;
	s->arg = arg;
	s->count = home_files_to_sync(h->path, s->paths);
	s->homes->ending++;
	timer_start(s->homes->loop, &s->timer, 0, sync_next, s);
	return OK;
}

// --- what could not be removed --------------------------------------------------------------------------------------------

#define BURIAL_MS 5000

struct grave {
	struct grave *next;
	char *path;
};

static void on_buried(void *arg, enum err code, const struct err_info *info)
{
	(void)arg;
	if (code)
		log_debug("a home is still not gone: %s", info->text);
	else
		log_info("a home that could not be removed is gone now");
}

static void bury(void *arg)
{
	homes_bury(arg);
}

void homes_bury_later(struct homes *h, const char *path)
{
	if (h->closing)
		return; // the next start sweeps it
	struct grave *g = mem_alloc(sizeof *g);
	*g = (struct grave){.next = h->graves, .path = mem_dup_string(path)};
	h->graves = g;
	if (!timer_running(&h->burial))
		timer_start(h->loop, &h->burial, BURIAL_MS, bury, h);
}

void homes_bury(struct homes *h)
{
	struct grave *list = h->graves;
	h->graves = NULL;
	timer_cancel(h->loop, &h->burial);
	for (struct grave *next; list; list = next) {
		next = list->next;
		// without a descriptor the keys could not be overwritten the first time
		home_files_erase_keys(list->path);
		homes_end_agent(h, list->path, NULL, true, true, on_buried, NULL);
		free(list->path);
		free(list);
	}
}

void homes_forget_graves(struct homes *h)
{
	timer_cancel(h->loop, &h->burial);
	for (struct grave *g; (g = h->graves);) {
		h->graves = g->next;
		free(g->path);
		free(g);
	}
}

// --- sweeping -------------------------------------------------------------------------------------------------------------

struct sweep {
	struct homes *homes;
	char **names; // sorted: what may stay
	size_t count;
	char **entries; // what is there
	size_t entry_count, at;
	enum err code; // the first failure
	struct err_info info;
	home_done *done;
	void *arg;
	struct deferred deferred;
};

static void sweep_next(void *arg);

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sweep_free(struct sweep *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->names[i]);
	for (size_t i = 0; i < s->entry_count; i++)
		free(s->entries[i]);
	free(s->names);
	free(s->entries);
	free(s);
}

static void sweep_note(struct sweep *s, enum err code, const struct err_info *info)
{
	if (code && !s->code) {
		s->code = code;
		s->info = *info;
	}
}

static void on_swept(void *arg, enum err code, const struct err_info *info)
{
	struct sweep *s = arg;
	sweep_note(s, code, info);
	loop_defer(s->homes->loop, &s->deferred, sweep_next, s);
}

static void sweep_entry(struct sweep *s, char *name)
{
	struct homes *h = s->homes;
	struct stat st;
	struct err_info info;
	char *path = path_join(h->directory, name);
	bool keep = bsearch(&name, s->names, s->count, sizeof *s->names, compare_names) != NULL;
	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		sweep_note(s, tree_remove(path, &info), &info);
		loop_defer(h->loop, &s->deferred, sweep_next, s);
	} else {
		if (!keep)
			home_files_erase_keys(path);
		homes_end_agent(h, path, NULL, true, !keep, on_swept, s);
	}
	free(path);
}

static void sweep_next(void *arg)
{
	struct sweep *s = arg;
	struct homes *h = s->homes;
	if (s->at < s->entry_count) {
		sweep_entry(s, s->entries[s->at++]);
		return;
	}
	aliases_sweep(&h->aliases, h->directory);
	h->ending--;
	s->done(s->arg, s->code, &s->info);
	sweep_free(s);
	homes_free_when_idle(h);
}

static void list_entries(struct sweep *s)
{
	DIR *d = opendir(s->homes->directory);
	size_t room = 0;
	for (struct dirent *entry; d && s->entry_count < HOMES_SWEEP_MAX && (entry = readdir(d));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (s->entry_count == room) {
			room = room ? room * 2 : 64;
			s->entries = mem_realloc(s->entries, room * sizeof *s->entries);
		}
		s->entries[s->entry_count++] = mem_dup_string(entry->d_name);
	}
	if (d)
		closedir(d);
}

void homes_sweep_start(struct homes *h, const char *const *names, size_t count, home_done *done, void *arg)
{
	struct sweep *s = mem_alloc(sizeof *s);
	assert(!h->first);
	s->homes = h;
	s->done = done;
	s->arg = arg;
	s->names = mem_alloc_array(count, sizeof *s->names);
	s->count = count;
	for (size_t i = 0; i < count; i++)
		s->names[i] = mem_dup_string(names[i]);
	qsort(s->names, count, sizeof *s->names, compare_names);
	list_entries(s);
	h->ending++; // the sweep as a whole, so that a close waits for it
	loop_defer(h->loop, &s->deferred, sweep_next, s);
}
