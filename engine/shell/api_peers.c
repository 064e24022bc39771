// SPDX-License-Identifier: GPL-3.0-or-later
// The noun "peers".
#include <string.h>

#include "shell/call.h"
#include "shell/certifiers.h"
#include "shell/probe.h"
#include "shell/shell.h"

static enum err list(struct call *c)
{
	struct neighbours *n = &c->engine->neighbours;
	json_t *all = json_array();
	for (size_t i = 0; i < peer_table_count(n->table); i++)
		json_array_append_new(all, neighbours_view(peer_table_at(n->table, i)));
	*c->out = all;
	return OK;
}

static enum err find(struct call *c, const struct peer **out)
{
	const char *text;
	enum err code = call_need_string(c, "peer", &text);
	return code ? code : neighbours_find(&c->engine->neighbours, text, out, c->info);
}

static enum err show(struct call *c)
{
	const struct peer *p;
	enum err code = find(c, &p);
	if (code)
		return code;
	*c->out = neighbours_view(p);
	int64_t wait_ms = discussions_guess_wait_ms(c->engine, p->fingerprint);
	json_object_set_new(*c->out, "guesses", json_integer(discussions_guesses_left(c->engine, p->fingerprint)));
	if (wait_ms > 0)
		json_object_set_new(*c->out, "next_guess", json_integer(clock_now_ms(c->engine->clock) + wait_ms));
	return OK;
}

static enum err probe(struct call *c)
{
	const char *address;
	enum err code = call_need_string(c, "address", &address);
	return code ? code : probe_call(&c->engine->neighbours, c, address);
}

static enum err import(struct call *c)
{
	const char *path;
	enum err code = call_need_string(c, "path", &path);
	return code ? code : probe_import(&c->engine->neighbours, c, path);
}

static enum err export(struct call *c)
{
	const char *path;
	enum err code = call_need_string(c, "path", &path);
	return code ? code : probe_export(&c->engine->neighbours, c, path);
}

static enum err forget(struct call *c)
{
	const struct peer *p;
	enum err code = find(c, &p);
	if (code)
		return code;
	for (struct discussion *d = c->engine->discussions.first; d; d = d->next)
		if (!discussion_has_ended(d) &&
		    (strcmp(d->row.other, p->fingerprint) == 0 || discussion_member(d, p->fingerprint)))
			return err_set(c->info, ERR_WRONG_STATE, "there is a discussion with %s: close it first",
				       p->name[0] ? p->name : p->fingerprint);
	code = neighbours_forget(&c->engine->neighbours, p, c->info);
	if (code == OK)
		*c->out = json_object();
	return code;
}

// also of somebody who is no peer yet
static enum err certifiers(struct call *c)
{
	const struct peer *p;
	const char *text;
	enum err code = call_need_string(c, "peer", &text);
	if (code == OK && fingerprint_valid(text))
		return certifiers_call(c, text);
	if (code == OK)
		code = neighbours_find(&c->engine->neighbours, text, &p, c->info);
	return code ? code : certifiers_call(c, p->fingerprint);
}

const struct method methods_peers[] = {
	{"peers.list", list},	  {"peers.show", show},	    {"peers.probe", probe}, {"peers.import", import},
	{"peers.export", export}, {"peers.forget", forget}, {"peers.certifiers", certifiers}, {NULL, NULL},
};
