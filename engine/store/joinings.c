// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/joinings.h"

#include <assert.h>
#include <string.h>

#include "store/internal.h"

void store_joining_fini(struct store_joining *j)
{
	bytes_unref(j->invite);
	memset(j, 0, sizeof *j);
}

static struct seal_place place_of(const struct data_key *key)
{
	return (struct seal_place){"joinings", "invite", {key->discussion}};
}

static enum err put(struct store *s, const struct data_key *key, const struct store_joining *j, struct err_info *info)
{
	struct query q;
	struct buf sealed;
	const struct seal_place place = place_of(key);
	buf_init(&sealed, STORE_INVITE_MAX + SEAL_OVERHEAD);
	enum err e = seal_close(key->key, &place, bytes_span(j->invite), &sealed);
	if (!e) {
		query_begin(&q, s, "INSERT OR REPLACE INTO joinings (discussion, accepted, invite) VALUES (?, ?, ?)");
		query_bind_int(&q, key->number);
		query_bind_int(&q, j->accepted);
		query_bind_span(&q, buf_span(&sealed));
		e = query_run(&q, NULL, info);
	}
	buf_fini(&sealed);
	return e;
}

enum err store_joining_put(struct store *s, const char *discussion, const struct store_joining *joining, struct err_info *info)
{
	struct data_key *key;
	assert(joining->invite);
	enum err e = check_bytes("an invitation", joining->invite, STORE_INVITE_MAX, info);
	if (!e)
		e = keyring_pin(s, discussion, &key, info);
	if (e)
		return e;
	e = put(s, key, joining, info);
	keyring_unpin(key);
	return e;
}

static enum err take(struct query *q, const struct data_key *key, struct store_joining *out, struct err_info *info)
{
	const struct seal_place place = place_of(key);
	out->accepted = query_take_int(q) != 0;
	return keyring_take_sealed(q, key, &place, STORE_INVITE_MAX, &out->invite, info);
}

enum err store_joining_get(struct store *s, const char *discussion, struct store_joining *out, struct err_info *info)
{
	struct data_key *key;
	struct query q;
	struct store_joining found = {0};
	enum err e = keyring_pin(s, discussion, &key, info);
	if (e)
		return e;
	query_begin(&q, s, "SELECT accepted, invite FROM joinings WHERE discussion = ?");
	query_bind_int(&q, key->number);
	bool there = query_step(&q);
	enum err opened = there ? take(&q, key, &found, info) : OK;
	e = query_end(&q, opened ? NULL : info);
	keyring_unpin(key);
	if (opened || e) {
		store_joining_fini(&found);
		return opened ? opened : e;
	}
	if (!there)
		return err_set(info, ERR_NOT_FOUND, "the discussion %s did not begin with an invitation", discussion);
	*out = found;
	return OK;
}

enum err store_joining_drop(struct store *s, const char *discussion, struct err_info *info)
{
	struct query q;
	enum err e = query_begin_in(&q, s, discussion, "DELETE FROM joinings WHERE discussion = ?", info);
	if (e)
		return e;
	return query_run(&q, NULL, info);
}
