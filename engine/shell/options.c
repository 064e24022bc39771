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
	{"opening_timeout", 600, 1, 3600, "seconds until a half-finished opening is given up"},
	{"rekey_payloads", 200, 0, 1000000, "received payloads after which a discussion gets a fresh encryption key; 0: however many"},
	{"rekey_minutes", 30, 0, 10080, "minutes of use after which it does; 0: however long"},
	{"presence_lifetime", 3600, 6, 7200, "seconds that the own presence record is valid"},
	{"lan_interval", 30, 2, 3600,
	 "seconds between announcements on the LAN; shorter where a third of presence_lifetime is"},
	{"peers_max", 4096, 16, 65536, "peers in the list; strangers make room"},
	{"peers_per_source", 32, 1, 4096, "unproven strangers from one address and port"},
	{"peers_per_host", 1024, 1, 65536, "unproven strangers from one address"},
	{"datagrams_per_second", 333, 10, 1000, "datagrams of strangers that are looked into"},
	{"datagrams_per_host", 100, 1, 1000, "of these, from one address in a second"},
	{"datagrams_per_source", 5, 1, 1000, "of these, from one address and port in a second"},
	{"answers_per_second", 20, 1, 256, "presence answers to strangers"},
	{"answer_pause", 5, 1, 3600, "seconds between two answers to one who asks on the LAN"},
	{"checks_per_second", 5, 1, 100, "certifications of strangers that gpg checks"},
	{"check_pause", 5, 1, 3600, "seconds between two of them from one address and port"},
	{"probe_timeout", 5000, 500, 60000, "milliseconds that a probe waits for an answer"},
	{"ended_kept", 100, 0, 10000, "refused requests that stay in the list"},
	{"gpg_parallel", 4, 1, 8, "gpg operations at one time"},
	{"gpg_ahead", 6, 0, 16, "gpg processes, of half a megabyte each, that wait for the next message of a lively discussion; 0: none"},
	{"gpg_ahead_idle", 600, 1, 86400, "seconds that such a process waits"},
	{NULL, 0, 0, 0, NULL},
};

#define PLACE(field) offsetof(struct options, field)
static const size_t places[] = {
	PLACE(resume_window_s),	     PLACE(request_timeout_s),	   PLACE(handshake_timeout_s),	PLACE(opening_timeout_s),
	PLACE(rekey_payloads),	     PLACE(rekey_minutes),
	PLACE(presence_lifetime_s),  PLACE(lan_interval_s),	   PLACE(peers_max),		PLACE(peers_per_source),
	PLACE(peers_per_host),	     PLACE(datagrams_per_second),  PLACE(datagrams_per_host),	PLACE(datagrams_per_source),
	PLACE(answers_per_second),   PLACE(answer_pause_s),	   PLACE(checks_per_second),	PLACE(check_pause_s),
	PLACE(probe_timeout_ms),     PLACE(ended_kept),		   PLACE(gpg_parallel),
	PLACE(gpg_ahead),	     PLACE(gpg_ahead_idle_s),
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
