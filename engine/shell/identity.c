// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "shell/identity_parts.h"
#include "shell/shell.h"

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
	bool adopted = identity_is_adopted(i);
	char user_id[USER_ID_MAX + 1];
	listing_harmless((const char *)i->info.user_id, user_id, sizeof user_id);
	return json_pack("{s:s, s:s, s:b, s:b, s:b, s:b, s:s*}", "fingerprint", i->row.fingerprint, "name", i->row.name,
			 "locked", i->state == IDENTITY_LOCKED, "passphrase", i->row.has_passphrase, "adopted", adopted,
			 "card", i->row.card, "user_id", adopted ? user_id : NULL);
}

bool identity_is_adopted(const struct identity *i)
{
	return i->row.signer[0] != 0;
}

struct key_call identity_key_call(struct identity *i, key_done *done)
{
	return (struct key_call){.gpg = i->engine->gpg, .homes = i->engine->homes, .done = done, .arg = i};
}

struct gpg_call identity_gpg_call(struct identity *i, gpg_done *done)
{
	return (struct gpg_call){
		.gpg = i->engine->gpg, .home = i->home, .done = done, .arg = i, .session = i->session};
}

void identity_settle(struct identity *i)
{
	secret_unref(i->store_key);
	secret_unref(i->passphrase);
	session_unref(i->session);
	i->store_key = i->passphrase = NULL;
	i->session = NULL;
	i->job = NULL;
	i->op = NULL;
	i->busy = false;
}

static void forget_pending(void *owner)
{
	struct identity *i = owner;
	i->pending = NULL;
}

void identity_begin(struct identity *i, struct call *c, struct session *session)
{
	i->busy = true;
	i->given_up = false;
	i->session = session_ref(session);
	i->pending = call_defer(c, forget_pending, i);
}

void identity_answer(struct identity *i, enum err code, const struct err_info *info)
{
	struct pending *p = i->pending;
	i->pending = NULL;
	identity_settle(i);
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

// From here on the core works.
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

enum err identity_take_store_key(struct identity *i, struct bytes *plaintext, struct err_info *info)
{
	if (!plaintext || plaintext->len != STORE_KEY_LEN)
		return err_set(info, ERR_CRYPTO, "the store key does not have its length");
	struct secret *key = secret_copy(bytes_span(plaintext));
	enum err code = become_ready(i, key, info);
	secret_unref(key);
	return code;
}

// --- load --------------------------------------------------------------------------------------------------------------------

void identity_report_loaded(struct identity *i, enum err code, const struct err_info *info)
{
	void (*loaded)(struct engine *e, enum err c, const struct err_info *why) = i->loaded;
	timer_cancel(i->engine->loop, &i->patience);
	i->loaded = NULL;
	if (loaded)
		loaded(i->engine, code, info);
}

static void store_key_opened(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	if (code == OK) {
		info = &own;
		code = identity_take_store_key(i, result->output, &own);
	}
	identity_settle(i);
	// the row says "no passphrase", the key says otherwise: believe the key
	if (code != ERR_CANCELED)
		identity_report_loaded(i, code == ERR_LOCKED ? OK : code, info);
}

static void nothing_to_unwrap(void *arg)
{
	identity_settle(arg);
	identity_report_loaded(arg, OK, NULL);
}

enum err identity_open_store_key(struct identity *i, gpg_done *done, struct err_info *info)
{
	struct gpg_call call = identity_gpg_call(i, done);
	call.by_self = true;
	const uint64_t own[] = {i->info.subkeys[i->info.encryption].id};
	return gpg_open_start(&call, i->row.store_key, own, 1, i->row.fingerprint, &i->op, info);
}

static enum err load(struct identity *i, bool *waits, struct err_info *info)
{
	struct engine *e = i->engine;
	enum err code = read_row(i, info);
	if (code == ERR_NOT_FOUND)
		return OK;
	if (code == OK)
		code = identity_is_adopted(i) ? home_open_adopted(e->homes, i->row.home, i->row.signer, &i->home, info)
					      : home_open(e->homes, i->row.home, &i->home, info);
	if (code)
		return code;
	i->state = IDENTITY_LOCKED;
	if (identity_is_adopted(i))
		return identity_ask_at_start(i, waits, info);
	if (i->row.has_passphrase)
		return OK;
	code = identity_open_store_key(i, store_key_opened, info);
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
	if (code) {
		identity_settle(i);
		identity_report_loaded(i, code, &info);
	} else if (!waits) {
		loop_defer(i->engine->loop, &i->engine->identity_turn, nothing_to_unwrap, i);
	}
}

void identity_fini(struct identity *i)
{
	deferred_cancel(i->engine->loop, &i->engine->identity_turn);
	timer_cancel(i->engine->loop, &i->patience);
	if (i->job)
		key_job_cancel(i->job);
	if (i->op)
		gpg_op_cancel(i->op);
	identity_renewal_cancel(i);
	secret_unref(i->presence_secret);
	i->presence_secret = NULL;
	identity_settle(i);
	i->state = IDENTITY_NONE;
	store_identity_fini(&i->row);
}

// --- unlock, lock, passphrase ---------------------------------------------------------------------------------------------------

static void unlocked(void *arg, enum err code, const struct err_info *info, const struct key_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	i->job = NULL;
	if (code == OK && i->state != IDENTITY_READY) {
		info = &own;
		code = identity_take_store_key(i, result->plaintext, &own);
	}
	identity_answer(i, code, info);
}

enum err identity_unlock_start(struct identity *i, struct secret *passphrase, struct err_info *info)
{
	const struct key_call call = identity_key_call(i, unlocked);
	const struct key_unlock unlock = {.home = i->home,
					  .own = &i->info,
					  .message = i->row.store_key,
					  .passphrase = passphrase,
					  .session = i->session,
					  // many a card wants its PIN for each signature
					  .only_open = i->row.card};
	return key_unlock_start(&call, &unlock, &i->job, info);
}

enum err identity_unlock(struct identity *i, struct call *c, struct secret *passphrase)
{
	if (i->state == IDENTITY_NONE)
		return identity_need(i, c->info);
	if (identity_is_adopted(i))
		return err_set(c->info, ERR_BAD_PARAMS,
			       "your key is one of your GnuPG's, whose own pinentry asks for its passphrase");
	if (i->busy)
		return err_set(c->info, ERR_BUSY, "the identity is being unlocked or locked");
	if (i->state == IDENTITY_READY) {
		*c->out = identity_view(i);
		return OK;
	}
	enum err code = identity_unlock_start(i, passphrase, c->info);
	if (code == OK)
		identity_begin(i, c, NULL);
	return code;
}

static void agent_ended(void *arg, enum err code, const struct err_info *info)
{
	identity_answer(arg, code, info);
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
	identity_begin(i, c, NULL);
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
		code = identity_unlock_start(i, i->passphrase, &own);
	if (code)
		identity_answer(i, code, info);
}

enum err identity_change_passphrase(struct identity *i, struct call *c, struct secret *old, struct secret *fresh)
{
	enum err code = identity_need(i, c->info);
	if (code)
		return code;
	if (identity_is_adopted(i))
		return err_set(c->info, ERR_WRONG_STATE,
			       "your key is one of your GnuPG's: 'gpg --change-passphrase' changes its passphrase");
	if (i->busy)
		return err_set(c->info, ERR_BUSY, "the identity is being changed");
	if (i->row.has_passphrase && !old)
		return err_set(c->info, ERR_BAD_PARAMS, "the parameter 'old' is missing");
	const struct key_call call = identity_key_call(i, passphrase_changed);
	code = key_passphrase_start(&call, i->home, i->row.fingerprint, i->row.has_passphrase ? old : NULL, fresh,
				    &i->job, c->info);
	if (code)
		return code;
	i->passphrase = secret_ref(fresh);
	identity_begin(i, c, NULL);
	return OK;
}
