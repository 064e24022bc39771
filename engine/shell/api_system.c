// SPDX-License-Identifier: GPL-3.0-or-later
// The noun "system". system.methods is the API table's own affair, in Lua.
#include <stdlib.h>
#include <unistd.h>

#include "discussion/words.h"
#include "shell/call.h"
#include "shell/shell.h"

#define API_VERSION 1
#define PASSWORD_WORDS 4

static enum err info(struct call *c)
{
	struct engine *e = c->engine;
	const struct identity *i = &e->identity;
	char endpoints[PRESENCE_ENDPOINTS_MAX][PRESENCE_ENDPOINT_SIZE];
	json_t *listen = json_pack("{s:s, s:s}", "tcp", network_address(&e->network), "udp", network_address(&e->network));
	json_t *addresses = json_array();
	size_t count = network_endpoints(&e->network, endpoints, PRESENCE_ENDPOINTS_MAX);
	for (size_t k = 0; k < count; k++)
		json_array_append_new(addresses, json_string(endpoints[k]));
	*c->out = json_pack("{s:s, s:i, s:i, s:I, s:s?, s:s?, s:b, s:o, s:o, s:o}", "version", SOTTO_VERSION, "api", API_VERSION,
			    "pid", (int)getpid(), "uptime", (json_int_t)((loop_now_ms(e->loop) - e->started_ms) / 1000),
			    "home", e->home, "fingerprint", i->state == IDENTITY_NONE ? NULL : i->row.fingerprint, "locked",
			    i->state == IDENTITY_LOCKED, "listen", listen, "addresses", addresses, "discover", lan_shell_view(&e->lan));
	return OK;
}

static enum err metrics(struct call *c)
{
	struct engine *e = c->engine;
	engine_gather_metrics(e);
	char *text = metrics_text(&e->metrics, loop_turns(e->loop), loop_now(e->loop));
	*c->out = json_pack("{s:s}", "text", text);
	free(text);
	return OK;
}

static enum err password(struct call *c)
{
	struct secret *made;
	unsigned words = (unsigned)call_integer(c, "words", PASSWORD_WORDS);
	if (words_make_password(c->engine->random, words, &made))
		return err_set(c->info, ERR_BAD_PARAMS, "the parameter 'words' is a number from %d to %d",
			       WORDS_PASSWORD_MIN, WORDS_PASSWORD_MAX);
	struct span text = secret_span(made);
	*c->out = json_pack("{s:s#}", "password", (const char *)text.data, text.len);
	secret_unref(made);
	return OK;
}

static enum err stop(struct call *c)
{
	engine_stop(c->engine);
	*c->out = json_object();
	return OK;
}

static enum err checkup(struct call *c)
{
	return checkup_call(c->engine, c);
}

const struct method methods_system[] = {
	{"system.checkup", checkup},
	{"system.info", info},
	{"system.metrics", metrics},
	{"system.password", password},
	{"system.stop", stop},
	{NULL, NULL},
};
