// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/certifiers.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "openpgp/certified.h"
#include "openpgp/users.h"
#include "shell/shell.h"

struct certifying {
	struct engine *engine;
	struct certifying *next, **link;
	struct command *command;
	struct pending *pending; // NULL: nobody waits any more
	char key[FINGERPRINT_TEXT];
	struct certifiers found;
	size_t looked, asked; // those before `looked` are valid; `asked` behind them are being looked at
};

static json_t *view(const char *key, const struct certifiers *found)
{
	json_t *list = json_array();
	for (size_t i = 0; found && i < found->count; i++)
		json_array_append_new(list, json_string(found->list[i]));
	return json_pack("{s:s, s:o}", "fingerprint", key, "certifiers", list);
}

// info NULL: done
static void end(struct certifying *k, const struct err_info *info)
{
	*k->link = k->next;
	if (k->next)
		k->next->link = k->link;
	if (k->pending && info)
		pending_fail(k->pending, info->code, info);
	else if (k->pending)
		pending_reply(k->pending, view(k->key, &k->found));
	free(k);
}

static void go_on(struct certifying *k);

// gpg fails where it lacks one of the keys, and has listed the others all the same
static enum err outcome(const struct command_result *result, struct err_info *info)
{
	enum err e = users_outcome(result, "look at signatures on keys", info);
	return e == ERR_IO && result->code == OK ? OK : e;
}

// Else it has ended.
static bool has_listed(struct certifying *k, const struct command_result *result)
{
	struct err_info info;
	k->command = NULL;
	if (outcome(result, &info) == OK)
		return true;
	end(k, &info);
	return false;
}

static void on_keys(void *arg, const struct command_result *result)
{
	struct certifying *k = arg;
	if (!has_listed(k, result))
		return;
	k->looked += certified_keep_valid(result->output, &k->found, k->looked, k->looked + k->asked);
	go_on(k);
}

// The signers' own keys, some at a time.
static void go_on(struct certifying *k)
{
	const char *list[USERS_KEYS_MAX];
	struct err_info info;
	k->asked = 0;
	while (k->asked < USERS_KEYS_MAX && k->looked + k->asked < k->found.count) {
		list[k->asked] = k->found.list[k->looked + k->asked];
		k->asked++;
	}
	if (k->asked == 0 || !k->pending)
		end(k, NULL);
	else if (users_keys_start(&k->command, k->engine->loop, list, k->asked, on_keys, k, &info))
		end(k, &info);
}

static void on_signatures(void *arg, const struct command_result *result)
{
	struct certifying *k = arg;
	if (!has_listed(k, result))
		return;
	certified_read(result->output, k->key, clock_now_ms(k->engine->clock) / 1000, &k->found);
	go_on(k);
}

static void forget_pending(void *owner)
{
	struct certifying *k = owner;
	k->pending = NULL;
}

enum err certifiers_call(struct call *c, const char *fingerprint)
{
	struct engine *e = c->engine;
	struct err_info none;
	if (users_exist(&none)) {
		*c->out = view(fingerprint, NULL);
		return OK;
	}
	struct certifying *k = mem_alloc(sizeof *k);
	enum err code = users_signatures_start(&k->command, e->loop, fingerprint, on_signatures, k, c->info);
	if (code) {
		free(k);
		return code;
	}
	k->engine = e;
	memcpy(k->key, fingerprint, sizeof k->key);
	k->next = e->certifying;
	k->link = &e->certifying;
	if (k->next)
		k->next->link = &k->next;
	e->certifying = k;
	k->pending = call_defer(c, forget_pending, k);
	return OK;
}

void certifiers_cancel(struct engine *e)
{
	for (struct certifying *k = e->certifying; k; k = k->next)
		if (k->command)
			command_cancel(k->command);
}
