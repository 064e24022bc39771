// SPDX-License-Identifier: GPL-3.0-or-later
// The noun "identity".
#include "shell/call.h"
#include "shell/candidates.h"
#include "shell/shell.h"

static enum err show(struct call *c)
{
	*c->out = identity_view(&c->engine->identity);
	return OK;
}

static enum err create(struct call *c)
{
	const char *name;
	enum err code = call_need_string(c, "name", &name);
	return code ? code : identity_create(&c->engine->identity, c, name, call_secret(c, "passphrase"));
}

// Where the front end's person is; without it, where the core's own display is. One reference, the caller's.
static enum err take_session(struct call *c, struct session **out)
{
	const char *variables[SESSION_VARIABLES_MAX];
	json_t *list = call_value(c, "session");
	size_t count = json_array_size(list);
	if (!list) {
		*out = session_without_terminal(NULL);
		return OK;
	}
	if (count > SESSION_VARIABLES_MAX)
		return err_set(c->info, ERR_BAD_PARAMS, "too many variables in a session");
	for (size_t i = 0; i < count; i++)
		variables[i] = json_string_value(json_array_get(list, i));
	return session_new(out, variables, count, c->info);
}

static enum err adopt(struct call *c)
{
	const char *fingerprint;
	struct session *session;
	enum err code = call_need_string(c, "fingerprint", &fingerprint);
	if (code == OK)
		code = take_session(c, &session);
	if (code)
		return code;
	code = identity_adopt(&c->engine->identity, c, fingerprint, call_string(c, "name"), session);
	session_unref(session);
	return code;
}

static enum err ask(struct call *c)
{
	struct session *session;
	enum err code = take_session(c, &session);
	if (code)
		return code;
	code = identity_ask(&c->engine->identity, c, session);
	session_unref(session);
	return code;
}

static enum err unlock(struct call *c)
{
	struct secret *passphrase = call_secret(c, "passphrase");
	if (!passphrase && identity_is_adopted(&c->engine->identity))
		return ask(c);
	if (!passphrase)
		return err_set(c->info, ERR_BAD_PARAMS, "the parameter 'passphrase' is missing");
	return identity_unlock(&c->engine->identity, c, passphrase);
}

static enum err cancel(struct call *c)
{
	return identity_give_up(&c->engine->identity, c);
}

static enum err lock(struct call *c)
{
	return identity_lock(&c->engine->identity, c);
}

static enum err passphrase(struct call *c)
{
	struct secret *fresh = call_secret(c, "new");
	if (!fresh)
		return err_set(c->info, ERR_BAD_PARAMS, "the parameter 'new' is missing");
	return identity_change_passphrase(&c->engine->identity, c, call_secret(c, "old"), fresh);
}

const struct method methods_identity[] = {
	{"identity.show", show},
	{"identity.create", create},
	{"identity.adopt", adopt},
	{"identity.candidates", candidates_call},
	{"identity.unlock", unlock},
	{"identity.cancel", cancel},
	{"identity.lock", lock},
	{"identity.passphrase", passphrase},
	{NULL, NULL},
};
