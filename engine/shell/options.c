// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/options.h"

#include <stddef.h>
#include <string.h>

#include "engine.h"

const struct engine_option engine_options[] = {
	{"resume_window", 86400, 0, 30 * 86400,
	 "seconds that a discussion of two outlives a lost link; 0 closes it at once"},
	{"request_timeout", 600, 1, 3600, "seconds that a request waits for a person"},
	{"handshake_timeout", 30, 2, 300, "seconds that a silent handshake lives"},
	{"opening_timeout", 600, 10, 3600, "seconds until a half-finished opening is given up"},
	{"presence_lifetime", 3600, 60, 7200, "seconds that the own presence record is valid"},
	{"probe_timeout", 5000, 500, 60000, "milliseconds that a probe waits for an answer"},
	{"ended_kept", 100, 0, 10000, "refused requests that stay in the list"},
	{"gpg_parallel", 4, 1, 8, "gpg operations at one time"},
	{NULL, 0, 0, 0, NULL},
};

static const size_t places[] = {
	offsetof(struct options, resume_window_s),   offsetof(struct options, request_timeout_s),
	offsetof(struct options, handshake_timeout_s), offsetof(struct options, opening_timeout_s),
	offsetof(struct options, presence_lifetime_s), offsetof(struct options, probe_timeout_ms),
	offsetof(struct options, ended_kept),	     offsetof(struct options, gpg_parallel),
};

static int64_t *place(struct options *o, size_t i)
{
	return (int64_t *)(void *)((char *)o + places[i]);
}

enum err options_load(struct options *out, const json_t *values, struct err_info *info)
{
	const char *key;
	json_t *value;
	for (size_t i = 0; engine_options[i].name; i++)
		*place(out, i) = engine_options[i].standard;
	json_object_foreach((json_t *)values, key, value) {
		size_t i = 0;
		while (engine_options[i].name && strcmp(engine_options[i].name, key) != 0)
			i++;
		const struct engine_option *o = &engine_options[i];
		if (!o->name)
			return err_set(info, ERR_BAD_PARAMS, "there is no option '%s'", key);
		if (!json_is_integer(value) || json_integer_value(value) < o->least ||
		    json_integer_value(value) > o->most)
			return err_set(info, ERR_BAD_PARAMS, "the option '%s' takes a number from %lld to %lld", key,
				       (long long)o->least, (long long)o->most);
		*place(out, i) = json_integer_value(value);
	}
	return OK;
}
