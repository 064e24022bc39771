// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shell/shell.h"

struct pending {
	struct engine *engine;
	struct pending *next, **link;
	engine_done *done;
	void *arg;
	void (*forgotten)(void *owner);
	void *owner;
};

json_t *call_value(const struct call *c, const char *name)
{
	return json_object_get(c->params->values, name);
}

const char *call_string(const struct call *c, const char *name)
{
	return json_string_value(call_value(c, name));
}

int64_t call_integer(const struct call *c, const char *name, int64_t fallback)
{
	const json_t *value = call_value(c, name);
	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

struct secret *call_secret(const struct call *c, const char *name)
{
	for (size_t i = 0; i < c->params->secret_count; i++)
		if (strcmp(c->params->secrets[i].name, name) == 0)
			return c->params->secrets[i].value;
	return NULL;
}

enum err call_need_string(const struct call *c, const char *name, const char **out)
{
	const char *text = call_string(c, name);
	if (!text)
		return err_set(c->info, ERR_BAD_PARAMS, "the parameter '%s' is missing", name);
	*out = text;
	return OK;
}

struct pending *call_defer(struct call *c, void (*forgotten)(void *owner), void *owner)
{
	struct engine *e = c->engine;
	struct pending *p = mem_alloc(sizeof *p);
	*p = (struct pending){.engine = e, .done = c->done, .arg = c->arg, .forgotten = forgotten, .owner = owner};
	p->next = e->pending;
	p->link = &e->pending;
	if (p->next)
		p->next->link = &p->next;
	e->pending = p;
	return p;
}

static void finish(struct pending *p, enum err code, const struct err_info *info, json_t *result)
{
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	p->done(p->arg, code, info, result);
	free(p);
}

void pending_reply(struct pending *p, json_t *result)
{
	finish(p, OK, NULL, result);
	json_decref(result);
}

void pending_fail(struct pending *p, enum err code, const struct err_info *info)
{
	struct err_info own;
	if (!info || info->code != code) {
		err_set(&own, code, "%s", err_name(code));
		info = &own;
	}
	finish(p, code, info, NULL);
}

void pending_cancel_all(struct engine *e)
{
	while (e->pending) {
		struct pending *p = e->pending;
		struct err_info info;
		if (p->forgotten)
			p->forgotten(p->owner);
		err_set(&info, ERR_CANCELED, "the core is stopping");
		pending_fail(p, ERR_CANCELED, &info);
	}
}
