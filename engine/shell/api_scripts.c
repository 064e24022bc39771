// SPDX-License-Identifier: GPL-3.0-or-later
// What the core's Lua keeps of scripts in the store. These methods stand in no API table: nobody but it calls them.
#include <string.h>

#include "base/mem.h"
#include "shell/call.h"
#include "shell/shell.h"
#include "store/scripts.h"

static void add_row(void *arg, const char *name, struct span row)
{
	json_t *parsed = json_loadb((const char *)row.data, row.len, 0, NULL);
	(void)name;
	if (parsed)
		json_array_append_new(arg, parsed);
}

static enum err rows(struct call *c)
{
	json_t *list = json_array();
	enum err code = store_scripts_each(c->engine->store, add_row, list, c->info);
	if (code)
		json_decref(list);
	else
		*c->out = list;
	return code;
}

static enum err answer_empty(struct call *c, enum err code)
{
	if (code == OK)
		*c->out = json_object();
	return code;
}

static enum err put_row(struct call *c)
{
	const char *name, *row;
	enum err code = call_need_string(c, "name", &name);
	if (code == OK)
		code = call_need_string(c, "row", &row);
	if (code == OK)
		code = store_script_put(c->engine->store, name, span(row, strlen(row)), c->info);
	return answer_empty(c, code);
}

static enum err drop_row(struct call *c)
{
	const char *name;
	enum err code = call_need_string(c, "name", &name);
	if (code == OK)
		code = store_script_drop(c->engine->store, name, c->info);
	return answer_empty(c, code);
}

static void add_leaf(void *arg, struct span path, struct span value)
{
	json_array_append_new(arg, json_pack("{s:s%, s:s%}", "path", (const char *)path.data, path.len, "value",
					     (const char *)value.data, value.len));
}

static enum err values(struct call *c)
{
	const char *name;
	json_t *list = json_array();
	enum err code = call_need_string(c, "name", &name);
	if (code == OK)
		code = store_script_values(c->engine->store, name, add_leaf, list, c->info);
	if (code)
		json_decref(list);
	else
		*c->out = list;
	return code;
}

static struct span text_of(const json_t *value)
{
	return json_is_string(value) ? span(json_string_value(value), json_string_length(value)) : span(NULL, 0);
}

// drops first: what is set after that stands
static enum err put_values(struct call *c)
{
	const char *name;
	const json_t *set = call_value(c, "set"), *drop = call_value(c, "drop");
	size_t drops = json_array_size(drop), count = drops + json_array_size(set);
	struct store_script_change *changes = mem_alloc_array(count + 1, sizeof *changes);
	enum err code = call_need_string(c, "name", &name);
	for (size_t i = 0; i < count; i++) {
		const json_t *leaf = i < drops ? NULL : json_array_get(set, i - drops);
		changes[i].path = text_of(leaf ? json_object_get(leaf, "path") : json_array_get(drop, i));
		changes[i].value = leaf ? text_of(json_object_get(leaf, "value")) : span(NULL, 0);
		if (code == OK && (!changes[i].path.data || (leaf && !changes[i].value.data)))
			code = err_set(c->info, ERR_BAD_PARAMS, "a path or a value is missing");
	}
	if (code == OK)
		code = store_script_change(c->engine->store, name, changes, count, c->info);
	free(changes);
	return answer_empty(c, code);
}

const struct method methods_scripts[] = {
	{"scripts.rows", rows},	    {"scripts.put_row", put_row},	{"scripts.drop_row", drop_row},
	{"scripts.values", values}, {"scripts.put_values", put_values}, {NULL, NULL},
};
