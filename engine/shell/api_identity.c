// SPDX-License-Identifier: GPL-3.0-or-later
// The noun "identity".
#include "shell/call.h"
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

static enum err unlock(struct call *c)
{
	struct secret *passphrase = call_secret(c, "passphrase");
	if (!passphrase)
		return err_set(c->info, ERR_BAD_PARAMS, "the parameter 'passphrase' is missing");
	return identity_unlock(&c->engine->identity, c, passphrase);
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
	{"identity.unlock", unlock},
	{"identity.lock", lock},
	{"identity.passphrase", passphrase},
	{NULL, NULL},
};
