// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/identity.h"

#include <assert.h>
#include <string.h>

#include "store/internal.h"

void store_identity_fini(struct store_identity *i)
{
	bytes_unref(i->certificate);
	bytes_unref(i->store_key);
	bytes_unref(i->certification);
	memset(i, 0, sizeof *i);
}

enum err store_identity_get(struct store *s, struct store_identity *out, struct err_info *info)
{
	struct store_identity i = {0};
	struct query q;
	bool found = false;
	query_begin(&q, s,
		    "SELECT fingerprint, name, home, has_passphrase, certificate, store_key, "
		    "presence_key, presence_since, certification, presence_sequence, signer, card "
		    "FROM identity");
	if (query_step(&q)) {
		found = true;
		query_take_text(&q, i.fingerprint, sizeof i.fingerprint);
		query_take_text(&q, i.name, sizeof i.name);
		query_take_text(&q, i.home, sizeof i.home);
		i.has_passphrase = query_take_int(&q) != 0;
		i.certificate = query_take_bytes(&q);
		i.store_key = query_take_bytes(&q);
		query_take_exact(&q, i.presence_key, sizeof i.presence_key);
		i.presence_since = query_take_int(&q);
		i.certification = query_take_bytes(&q);
		i.presence_sequence = (uint64_t)query_take_int(&q);
		query_take_text(&q, i.signer, sizeof i.signer);
		i.card = query_take_int(&q) != 0;
	}
	enum err e = query_end(&q, info);
	if (!e && !found)
		e = err_set(info, ERR_NOT_FOUND, "there is no identity yet");
	if (e)
		store_identity_fini(&i);
	else
		*out = i;
	return e;
}

// --- the presence secret ------------------------------------------------------------------------

static struct seal_place secret_place(const char *fingerprint)
{
	return (struct seal_place){"identity", "presence_secret", {fingerprint}};
}

static enum err seal_secret(struct store *s, const char *fingerprint, const struct secret *secret,
			    struct buf *out, struct err_info *info)
{
	const struct seal_place place = secret_place(fingerprint);
	const uint8_t *key;
	if (secret_span(secret).len != STORE_PRESENCE_SECRET_LEN)
		return err_set(info, ERR_BAD_PARAMS, "a presence secret has %d bytes",
			       STORE_PRESENCE_SECRET_LEN);
	enum err e = keyring_store_key(s, &key, info);
	return e ? e : seal_close(key, &place, secret_span(secret), out);
}

enum err store_identity_presence_secret(struct store *s, struct secret **out, struct err_info *info)
{
	struct query q;
	struct buf plain;
	const uint8_t *key;
	char fingerprint[41] = "";
	bool found = false;
	enum err opened = OK, e = keyring_store_key(s, &key, info);
	if (e)
		return e;
	buf_init_wiped(&plain, STORE_PRESENCE_SECRET_LEN);
	query_begin(&q, s, "SELECT fingerprint, presence_secret FROM identity");
	if (query_step(&q)) {
		found = true;
		query_take_text(&q, fingerprint, sizeof fingerprint);
		const struct seal_place place = secret_place(fingerprint);
		opened = seal_open(key, &place, query_take_span(&q), &plain, info);
	}
	e = query_end(&q, info);
	if (!e)
		e = opened;
	if (!e && !found)
		e = err_set(info, ERR_NOT_FOUND, "there is no identity yet");
	if (!e)
		*out = secret_copy(buf_span(&plain));
	buf_fini(&plain);
	return e;
}

// --- writing ------------------------------------------------------------------------------------

static enum err check(const struct store_identity *i, struct err_info *info)
{
	assert(i->certificate && i->store_key && i->certification);
	enum err e = check_fingerprint(i->fingerprint, info);
	if (!e)
		e = check_bytes("a certificate", i->certificate, STORE_BLOB_MAX, info);
	if (!e)
		e = check_bytes("a sealed store key", i->store_key, STORE_BLOB_MAX, info);
	if (!e)
		e = check_bytes("a certification", i->certification, STORE_BLOB_MAX, info);
	return e;
}

static enum err insert(struct store *s, const struct store_identity *i, const struct buf *sealed,
		       struct err_info *info)
{
	struct query q;
	query_begin(&q, s,
		    "INSERT INTO identity (only, fingerprint, name, home, has_passphrase, "
		    "certificate, store_key, presence_key, presence_secret, presence_since, "
		    "certification, presence_sequence, signer, card) "
		    "VALUES (1, ?,?,?,?, ?,?,?,?,?, ?,?,?,?)");
	query_bind_text(&q, i->fingerprint);
	query_bind_text(&q, i->name);
	query_bind_text(&q, i->home);
	query_bind_int(&q, i->has_passphrase);
	query_bind_bytes(&q, i->certificate);
	query_bind_bytes(&q, i->store_key);
	query_bind_span(&q, span(i->presence_key, sizeof i->presence_key));
	query_bind_span(&q, buf_span(sealed));
	query_bind_int(&q, i->presence_since);
	query_bind_bytes(&q, i->certification);
	query_bind_int(&q, (int64_t)i->presence_sequence);
	query_bind_text(&q, i->signer);
	query_bind_int(&q, i->card);
	return query_run(&q, NULL, info);
}

enum err store_identity_create(struct store *s, const struct store_identity *identity,
			       const struct secret *presence_secret, struct err_info *info)
{
	struct buf sealed;
	enum err e = check(identity, info);
	if (e)
		return e;
	buf_init(&sealed, STORE_PRESENCE_SECRET_LEN + SEAL_OVERHEAD);
	e = seal_secret(s, identity->fingerprint, presence_secret, &sealed, info);
	if (!e)
		e = insert(s, identity, &sealed, info);
	buf_fini(&sealed);
	return e;
}

// Runs an update of the one row that may find a counter which would not rise.
static enum err run_update(struct store *s, struct query *q, const char *complaint,
			   struct err_info *info)
{
	struct store_identity there;
	int64_t changed;
	enum err e = query_run(q, &changed, info);
	if (e || changed)
		return e;
	e = store_identity_get(s, &there, info);
	if (e)
		return e;
	store_identity_fini(&there);
	return err_set(info, ERR_WRONG_STATE, "%s", complaint);
}

enum err store_identity_set_sequence(struct store *s, uint64_t sequence, struct err_info *info)
{
	struct query q;
	if (sequence > INT64_MAX)
		return err_set(info, ERR_BAD_PARAMS, "a presence sequence is at most 2^63-1");
	query_begin(&q, s,
		    "UPDATE identity SET presence_sequence = ?1 WHERE presence_sequence < ?1");
	query_bind_int(&q, (int64_t)sequence);
	return run_update(s, &q, "the presence sequence only rises", info);
}

enum err store_identity_set_passphrase(struct store *s, bool has_passphrase, struct err_info *info)
{
	struct query q;
	query_begin(&q, s, "UPDATE identity SET has_passphrase = ?");
	query_bind_int(&q, has_passphrase);
	return run_update(s, &q, "the identity is gone", info);
}

enum err store_identity_set_adopted(struct store *s, const struct store_identity *identity,
				    struct err_info *info)
{
	struct query q;
	enum err e = check(identity, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "UPDATE identity SET certificate = ?, store_key = ?, signer = ?, card = ? "
		    "WHERE fingerprint = ? AND signer <> ''");
	query_bind_bytes(&q, identity->certificate);
	query_bind_bytes(&q, identity->store_key);
	query_bind_text(&q, identity->signer);
	query_bind_int(&q, identity->card);
	query_bind_text(&q, identity->fingerprint);
	return run_update(s, &q, "another key is in use", info);
}
