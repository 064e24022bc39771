// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/candidates.h"

#include <stdlib.h>

#include "base/mem.h"
#include "openpgp/sockets.h"
#include "openpgp/users.h"
#include "shell/shell.h"

#define NAME_SIZE 33

struct candidates {
	struct engine *engine;
	struct candidates *next, **link;
	struct command *command;
	struct pending *pending; // NULL: nobody waits any more
};

static json_t *key_view(const struct listed_key *key)
{
	char name[NAME_SIZE], *user_id = mem_alloc(sizeof key->user_id);
	bool fits = key->obstacle == KEY_FITS;
	listing_name(key->user_id, name, sizeof name);
	listing_harmless(key->user_id, user_id, sizeof key->user_id);
	json_t *view = json_pack("{s:s, s:s, s:s, s:s, s:I, s:b, s:b, s:s?}", "fingerprint", key->fingerprint, "name", name,
				 "user_id", user_id, "algorithm", key->algorithm, "created",
				 (json_int_t)key->created * 1000, "card", key->card, "usable", fits, "reason",
				 fits ? NULL : key_obstacle_text(key->obstacle));
	json_object_set_new(view, "expires", key->expires ? json_integer(key->expires * 1000) : json_null());
	free(user_id);
	return view;
}

static json_t *view(struct span listing)
{
	struct listed_key *keys = mem_alloc_array(LISTED_KEYS_MAX, sizeof *keys);
	size_t count = listing_read(listing, keys, LISTED_KEYS_MAX);
	json_t *list = json_array();
	// those that can be adopted first
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < count; i++)
			if ((keys[i].obstacle == KEY_FITS) == (pass == 0))
				json_array_append_new(list, key_view(&keys[i]));
	free(keys);
	return list;
}

static void listed(void *arg, const struct command_result *result)
{
	struct candidates *k = arg;
	struct err_info info;
	struct pending *pending = k->pending;
	*k->link = k->next;
	if (k->next)
		k->next->link = k->link;
	free(k);
	if (!pending)
		return;
	if (users_outcome(result, "list your keys", &info))
		pending_fail(pending, info.code, &info);
	else
		pending_reply(pending, view(result->output));
}

static void forget_pending(void *owner)
{
	struct candidates *k = owner;
	k->pending = NULL;
}

enum err candidates_call(struct call *c)
{
	struct engine *e = c->engine;
	struct err_info none;
	if (users_exist(&none)) {
		*c->out = json_array();
		return OK;
	}
	struct candidates *k = mem_alloc(sizeof *k);
	enum err code = users_list_start(&k->command, e->loop, NULL, listed, k, c->info);
	if (code) {
		free(k);
		return code;
	}
	k->engine = e;
	k->next = e->candidates;
	k->link = &e->candidates;
	if (k->next)
		k->next->link = &k->next;
	e->candidates = k;
	k->pending = call_defer(c, forget_pending, k);
	return OK;
}

void candidates_cancel(struct engine *e)
{
	for (struct candidates *k = e->candidates; k; k = k->next)
		command_cancel(k->command);
}
