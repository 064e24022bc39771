// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/identity.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "shell/shell.h"
#include "wire/presence.h"

void identity_init(struct identity *i, struct engine *e)
{
	i->engine = e;
}

enum err identity_need(const struct identity *i, struct err_info *info)
{
	switch (i->state) {
	case IDENTITY_NONE:
		return err_set(info, ERR_WRONG_STATE, "there is no identity yet: identity.create makes one");
	case IDENTITY_LOCKED:
		return err_set(info, ERR_LOCKED, "the identity is locked: identity.unlock takes its passphrase");
	case IDENTITY_READY:
		break;
	}
	return OK;
}

json_t *identity_view(const struct identity *i)
{
	if (i->state == IDENTITY_NONE)
		return json_pack("{s:n, s:b}", "fingerprint", "locked", 0);
	return json_pack("{s:s, s:s, s:b, s:b}", "fingerprint", i->row.fingerprint, "name", i->row.name, "locked",
			 i->state == IDENTITY_LOCKED, "passphrase", i->row.has_passphrase);
}

static struct key_call key_call(struct identity *i, key_done *done)
{
	return (struct key_call){.gpg = i->engine->gpg, .homes = i->engine->homes, .done = done, .arg = i};
}

static struct gpg_call gpg_call(struct identity *i, gpg_done *done)
{
	return (struct gpg_call){.gpg = i->engine->gpg, .home = i->home, .done = done, .arg = i};
}

// Everything that is only needed while a job runs.
static void settle(struct identity *i)
{
	secret_unref(i->store_key);
	secret_unref(i->passphrase);
	i->store_key = i->passphrase = NULL;
	i->job = NULL;
	i->op = NULL;
	i->busy = false;
}

static void forget_pending(void *owner)
{
	struct identity *i = owner;
	i->pending = NULL;
}

static void begin(struct identity *i, struct call *c)
{
	i->busy = true;
	i->pending = call_defer(c, forget_pending, i);
}

static void answer(struct identity *i, enum err code, const struct err_info *info)
{
	struct pending *p = i->pending;
	i->pending = NULL;
	settle(i);
	if (p && code)
		pending_fail(p, code, info);
	else if (p)
		pending_reply(p, identity_view(i));
}

static enum err read_row(struct identity *i, struct err_info *info)
{
	enum err e = store_identity_get(i->engine->store, &i->row, info);
	if (e)
		return e;
	e = certificate_check(bytes_span(i->row.certificate), &i->info, info);
	if (e)
		return e;
	i->certificate_hash = hash_of(bytes_span(i->row.certificate));
	return OK;
}

// The store key is at hand: from here on the core works.
static enum err become_ready(struct identity *i, struct secret *store_key, struct err_info *info)
{
	struct engine *e = i->engine;
	enum err code = store_unlock(e->store, store_key, info);
	if (code == OK)
		code = store_identity_presence_secret(e->store, &i->presence_secret, info);
	if (code) {
		store_lock(e->store);
		return code;
	}
	i->state = IDENTITY_READY;
	engine_wake(e);
	return OK;
}

static enum err take_store_key(struct identity *i, struct bytes *plaintext, struct err_info *info)
{
	if (!plaintext || plaintext->len != STORE_KEY_LEN)
		return err_set(info, ERR_CRYPTO, "the store key does not have its length");
	struct secret *key = secret_copy(bytes_span(plaintext));
	enum err code = become_ready(i, key, info);
	secret_unref(key);
	return code;
}

// --- load --------------------------------------------------------------------------------------------------------------------

static void report_loaded(struct identity *i, enum err code, const struct err_info *info)
{
	settle(i);
	i->loaded(i->engine, code, info);
}

static void store_key_opened(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	if (code == ERR_CANCELED) {
		settle(i);
		return;
	}
	if (code == ERR_LOCKED) {
		// the row says "no passphrase", the key says otherwise: believe the key
		i->state = IDENTITY_LOCKED;
		report_loaded(i, OK, NULL);
		return;
	}
	if (code == OK) {
		info = &own;
		code = take_store_key(i, result->output, &own);
	}
	report_loaded(i, code, info);
}

static void nothing_to_unwrap(void *arg)
{
	report_loaded(arg, OK, NULL);
}

static enum err load(struct identity *i, bool *waits, struct err_info *info)
{
	struct engine *e = i->engine;
	enum err code = read_row(i, info);
	if (code == ERR_NOT_FOUND)
		return OK;
	if (code == OK)
		code = home_open(e->homes, i->row.home, &i->home, info);
	if (code)
		return code;
	i->state = IDENTITY_LOCKED;
	if (i->row.has_passphrase)
		return OK;
	const struct gpg_call call = gpg_call(i, store_key_opened);
	const uint64_t own[] = {i->info.subkeys[i->info.encryption].id};
	code = gpg_open_start(&call, i->row.store_key, own, 1, i->row.fingerprint, &i->op, info);
	*waits = code == OK;
	return code;
}

void identity_load(struct identity *i, void (*loaded)(struct engine *e, enum err code, const struct err_info *info))
{
	struct err_info info;
	bool waits = false;
	i->loaded = loaded;
	i->busy = true;
	enum err code = load(i, &waits, &info);
	if (code)
		report_loaded(i, code, &info);
	else if (!waits)
		loop_defer(i->engine->loop, &i->engine->identity_turn, nothing_to_unwrap, i);
}

void identity_fini(struct identity *i)
{
	deferred_cancel(i->engine->loop, &i->engine->identity_turn);
	if (i->job)
		key_job_cancel(i->job);
	if (i->op)
		gpg_op_cancel(i->op);
	secret_unref(i->presence_secret);
	i->presence_secret = NULL;
	settle(i);
	i->state = IDENTITY_NONE;
	store_identity_fini(&i->row);
}

// --- create: key → store key sealed to it → presence key certified by it → one row ----------------------------------------------

static void abandon(struct identity *i, enum err code, const struct err_info *info)
{
	if (i->home)
		home_destroy_start(i->home, engine_ignore_result, NULL);
	i->home = NULL;
	store_identity_fini(&i->row);
	memset(&i->row, 0, sizeof i->row);
	secret_unref(i->presence_secret);
	i->presence_secret = NULL;
	i->state = IDENTITY_NONE;
	answer(i, code, info);
}

static enum err keep(struct identity *i, struct err_info *info)
{
	struct engine *e = i->engine;
	// gpg's files must be on disk before the row that names them
	enum err code = home_settle(i->home, info);
	if (code == OK)
		code = store_unlock(e->store, i->store_key, info);
	if (code == OK)
		code = store_identity_create(e->store, &i->row, i->presence_secret, info);
	if (code)
		return code;
	i->state = IDENTITY_READY;
	engine_wake(e);
	return OK;
}

static void presence_certified(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	if (code == OK) {
		i->row.certification = bytes_ref(result->output);
		info = &own;
		code = keep(i, &own);
	}
	if (code)
		abandon(i, code, info);
	else
		answer(i, OK, NULL);
}

static enum err certify_presence(struct identity *i, struct err_info *info)
{
	struct buf body;
	buf_init(&body, 1024);
	enum err code = presence_certification_input(&body, i->row.fingerprint, i->row.presence_key, i->row.presence_since);
	struct bytes *text = buf_take(&body);
	const struct gpg_call call = gpg_call(i, presence_certified);
	if (code == OK)
		code = gpg_sign_start(&call, text, &i->op, info);
	bytes_unref(text);
	return code;
}

static void store_key_sealed(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	if (code == OK) {
		i->row.store_key = bytes_ref(result->output);
		i->presence_secret = secret_new(crypto_sign_SECRETKEYBYTES);
		crypto_sign_keypair(i->row.presence_key, secret_data(i->presence_secret));
		i->row.presence_since = clock_now_ms(i->engine->clock);
		info = &own;
		code = certify_presence(i, &own);
	}
	if (code)
		abandon(i, code, info);
}

static enum err seal_store_key(struct identity *i, struct err_info *info)
{
	const uint64_t own[] = {i->info.subkeys[i->info.encryption].id};
	i->store_key = secret_new(STORE_KEY_LEN);
	random_fill(i->engine->random, secret_data(i->store_key), STORE_KEY_LEN);
	struct bytes *plaintext = bytes_new_span(secret_span(i->store_key));
	plaintext->wipe = true;
	const struct gpg_call call = gpg_call(i, store_key_sealed);
	enum err code = gpg_seal_start(&call, plaintext, own, 1, &i->op, info);
	bytes_unref(plaintext);
	return code;
}

static void general_key_made(void *arg, enum err code, const struct err_info *info, const struct key_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	i->job = NULL;
	if (code == OK) {
		i->home = result->home;
		i->info = *result->certificate_info;
		i->row.certificate = bytes_ref(result->certificate);
		i->certificate_hash = hash_of(bytes_span(i->row.certificate));
		memcpy(i->row.fingerprint, i->info.primary.fingerprint, sizeof i->row.fingerprint);
		memcpy(i->row.name, i->name, sizeof i->row.name);
		strncpy(i->row.home, home_name(i->home), sizeof i->row.home - 1);
		i->row.has_passphrase = i->passphrase != NULL;
		info = &own;
		code = seal_store_key(i, &own);
	}
	if (code)
		abandon(i, code, info);
}

enum err identity_create(struct identity *i, struct call *c, const char *name, struct secret *passphrase)
{
	if (i->state != IDENTITY_NONE)
		return err_set(c->info, ERR_WRONG_STATE, "there is an identity already: %s", i->row.name);
	if (i->busy)
		return err_set(c->info, ERR_BUSY, "the identity is being made");
	if (strlen(name) == 0 || strlen(name) >= sizeof i->name)
		return err_set(c->info, ERR_BAD_PARAMS, "a name is 1 to 32 bytes long");
	const struct key_call call = key_call(i, general_key_made);
	enum err code = key_make_general_start(&call, name, passphrase, &i->job, c->info);
	if (code)
		return code;
	i->passphrase = secret_ref(passphrase);
	memset(i->name, 0, sizeof i->name);
	memcpy(i->name, name, strlen(name));
	begin(i, c);
	return OK;
}

// --- unlock, lock, passphrase ---------------------------------------------------------------------------------------------------

static void unlocked(void *arg, enum err code, const struct err_info *info, const struct key_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	i->job = NULL;
	if (code == OK && i->state != IDENTITY_READY) {
		info = &own;
		code = take_store_key(i, result->plaintext, &own);
	}
	answer(i, code, info);
}

static enum err unlock_start(struct identity *i, struct secret *passphrase, struct err_info *info)
{
	const struct key_call call = key_call(i, unlocked);
	return key_unlock_start(&call, i->home, &i->info, passphrase, i->row.store_key, &i->job, info);
}

enum err identity_unlock(struct identity *i, struct call *c, struct secret *passphrase)
{
	if (i->state == IDENTITY_NONE)
		return identity_need(i, c->info);
	if (i->busy)
		return err_set(c->info, ERR_BUSY, "the identity is being unlocked or locked");
	if (i->state == IDENTITY_READY) {
		*c->out = identity_view(i);
		return OK;
	}
	enum err code = unlock_start(i, passphrase, c->info);
	if (code == OK)
		begin(i, c);
	return code;
}

static void agent_ended(void *arg, enum err code, const struct err_info *info)
{
	answer(arg, code, info);
}

enum err identity_lock(struct identity *i, struct call *c)
{
	enum err code = identity_need(i, c->info);
	if (code == ERR_LOCKED) {
		*c->out = identity_view(i);
		return OK;
	}
	if (code)
		return code;
	if (i->busy)
		return err_set(c->info, ERR_BUSY, "the identity is being changed");
	if (!i->row.has_passphrase)
		return err_set(c->info, ERR_WRONG_STATE,
			       "the identity has no passphrase to lock it with: identity.passphrase sets one");
	engine_sleep(i->engine);
	secret_unref(i->presence_secret);
	i->presence_secret = NULL;
	store_lock(i->engine->store);
	i->state = IDENTITY_LOCKED;
	begin(i, c);
	home_lock_start(i->home, agent_ended, i);
	return OK;
}

static void passphrase_changed(void *arg, enum err code, const struct err_info *info, const struct key_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	(void)result;
	i->job = NULL;
	if (code == OK) {
		i->row.has_passphrase = true;
		info = &own;
		code = store_identity_set_passphrase(i->engine->store, true, &own);
	}
	if (code == OK) // the agent has forgotten what it knew
		code = unlock_start(i, i->passphrase, &own);
	if (code)
		answer(i, code, info);
}

enum err identity_change_passphrase(struct identity *i, struct call *c, struct secret *old, struct secret *fresh)
{
	enum err code = identity_need(i, c->info);
	if (code)
		return code;
	if (i->busy)
		return err_set(c->info, ERR_BUSY, "the identity is being changed");
	if (i->row.has_passphrase && !old)
		return err_set(c->info, ERR_BAD_PARAMS, "the parameter 'old' is missing");
	const struct key_call call = key_call(i, passphrase_changed);
	code = key_passphrase_start(&call, i->home, i->row.fingerprint, i->row.has_passphrase ? old : NULL, fresh,
				    &i->job, c->info);
	if (code)
		return code;
	i->passphrase = secret_ref(fresh);
	begin(i, c);
	return OK;
}
