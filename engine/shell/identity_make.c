// SPDX-License-Identifier: GPL-3.0-or-later
// Making an identity, or adopting a key of the user's own GnuPG.
#include <sodium.h>
#include <string.h>

#include "shell/identity_parts.h"
#include "shell/shell.h"
#include "wire/presence.h"

#define FINGERPRINT_SHORT 8 // for a name where there is no other

// --- what both come to: a home with the key → store key sealed to it → presence key certified by it → one row ----------------------------------------------

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
	identity_answer(i, code, info);
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
		identity_answer(i, OK, NULL);
}

static enum err certify_presence(struct identity *i, struct err_info *info)
{
	struct buf body;
	buf_init(&body, 1024);
	enum err code = presence_certification_input(&body, i->row.fingerprint, i->row.presence_key, i->row.presence_since);
	struct bytes *text = buf_take(&body);
	const struct gpg_call call = identity_gpg_call(i, presence_certified);
	if (code == OK)
		code = gpg_sign_start(&call, text, &i->op, info);
	bytes_unref(text);
	return code;
}

static enum err make_presence(struct identity *i, struct err_info *info)
{
	i->presence_secret = secret_new(crypto_sign_SECRETKEYBYTES);
	crypto_sign_keypair(i->row.presence_key, secret_data(i->presence_secret));
	i->row.presence_since = clock_now_ms(i->engine->clock);
	return certify_presence(i, info);
}

// An adopted key's: who can seal is not always who can open, and that must not turn out at the next start.
static void store_key_opened(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	if (code == OK) {
		info = &own;
		code = span_equal(bytes_span(result->output), secret_span(i->store_key))
			       ? make_presence(i, &own)
			       : err_set(&own, ERR_CRYPTO, "the store key does not come back");
	}
	if (code)
		abandon(i, code, info);
}

static void store_key_sealed(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	if (code == OK) {
		i->row.store_key = bytes_ref(result->output);
		info = &own;
		code = identity_is_adopted(i) ? identity_open_store_key(i, store_key_opened, &own) : make_presence(i, &own);
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
	const struct gpg_call call = identity_gpg_call(i, store_key_sealed);
	enum err code = gpg_seal_start(&call, plaintext, own, 1, &i->op, info);
	bytes_unref(plaintext);
	return code;
}

static enum err take_key(struct identity *i, const struct key_result *result, struct err_info *info)
{
	i->home = result->home;
	i->info = *result->certificate_info;
	i->row.certificate = bytes_ref(result->certificate);
	i->certificate_hash = hash_of(bytes_span(i->row.certificate));
	memcpy(i->row.fingerprint, i->info.primary.fingerprint, sizeof i->row.fingerprint);
	memcpy(i->row.name, i->name, sizeof i->row.name);
	strncpy(i->row.home, home_name(i->home), sizeof i->row.home - 1);
	return seal_store_key(i, info);
}

static enum err check_free(const struct identity *i, struct err_info *info)
{
	if (i->state != IDENTITY_NONE)
		return err_set(info, ERR_WRONG_STATE, "there is an identity already: %s", i->row.name);
	if (i->busy)
		return err_set(info, ERR_BUSY, "the identity is being made");
	return OK;
}

static enum err take_name(struct identity *i, const char *name, struct err_info *info)
{
	if (strlen(name) == 0 || strlen(name) >= sizeof i->name)
		return err_set(info, ERR_BAD_PARAMS, "a name is 1 to 32 bytes long");
	memset(i->name, 0, sizeof i->name);
	memcpy(i->name, name, strlen(name));
	return OK;
}

// --- create -------------------------------------------------------------------------------------------------------------------

static void general_key_made(void *arg, enum err code, const struct err_info *info, const struct key_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	i->job = NULL;
	if (code == OK) {
		i->row.has_passphrase = i->passphrase != NULL;
		info = &own;
		code = take_key(i, result, &own);
	}
	if (code)
		abandon(i, code, info);
}

enum err identity_create(struct identity *i, struct call *c, const char *name, struct secret *passphrase)
{
	enum err code = check_free(i, c->info);
	if (code == OK)
		code = take_name(i, name, c->info);
	if (code)
		return code;
	const struct key_call call = identity_key_call(i, general_key_made);
	code = key_make_general_start(&call, name, passphrase, &i->job, c->info);
	if (code)
		return code;
	i->passphrase = secret_ref(passphrase);
	identity_begin(i, c, NULL);
	return OK;
}

// --- adopt --------------------------------------------------------------------------------------------------------------------

static void key_adopted(void *arg, enum err code, const struct err_info *info, const struct key_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	i->job = NULL;
	if (code == OK) {
		identity_adopted_home(i, result->home);
		memcpy(i->row.signer, result->listed->signer, sizeof i->row.signer);
		i->row.card = result->listed->card;
		i->row.has_passphrase = true; // whether it has one is its agent's to know: it can be locked
		if (!i->name[0])
			listing_name(result->listed->user_id, i->name, sizeof i->name);
		if (!i->name[0])
			memcpy(i->name, result->listed->fingerprint, FINGERPRINT_SHORT);
		info = &own;
		code = take_key(i, result, &own);
	}
	if (code)
		abandon(i, code, info);
}

enum err identity_adopt(struct identity *i, struct call *c, const char *fingerprint, const char *name,
			struct session *session)
{
	enum err code = check_free(i, c->info);
	if (code == OK && name)
		code = take_name(i, name, c->info);
	if (code)
		return code;
	if (!name)
		memset(i->name, 0, sizeof i->name);
	const struct key_call call = identity_key_call(i, key_adopted);
	code = key_adopt_start(&call, fingerprint, session, &i->job, c->info);
	if (code == OK)
		identity_begin(i, c, session);
	return code;
}
