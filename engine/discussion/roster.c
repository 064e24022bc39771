// SPDX-License-Identifier: GPL-3.0-or-later
#include "discussion/roster.h"

#include <stdlib.h>
#include <string.h>

static int by_fingerprint(const void *a, const void *b)
{
	return strcmp(((const struct roster_record_member *)a)->fingerprint,
		      ((const struct roster_record_member *)b)->fingerprint);
}

static const char *shared(const struct roster_record_member *a,
			  const struct roster_record_member *b)
{
	if (!strcmp(a->fingerprint, b->fingerprint))
		return "fingerprint";
	if (hash_equal(&a->certificate, &b->certificate))
		return "certificate";
	if (!strcmp(a->key, b->key))
		return "key id";
	return NULL;
}

enum err roster_begin(struct roster_record *out, const char *discussion, const struct hash *charter,
		      const struct roster_record_member *members, size_t count,
		      struct err_info *info)
{
	if (count < ROSTER_MIN || count > ROSTER_MAX)
		return err_set(info, ERR_BAD_PARAMS, "a roster has 2 to 64 members");
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++) {
			const char *what = shared(&members[i], &members[j]);
			if (what)
				return err_set(info, ERR_BAD_PARAMS, "two members share a %s",
					       what);
		}
	*out = (struct roster_record){.charter = *charter, .count = count};
	memcpy(out->discussion, discussion, sizeof out->discussion);
	memcpy(out->members, members, count * sizeof *members);
	qsort(out->members, count, sizeof *members, by_fingerprint);
	return OK;
}

enum err roster_decode(struct roster_record *out, struct span bytes, struct err_info *info)
{
	struct roster_record r;
	enum err e = roster_record_decode(&r, bytes, info);
	if (e)
		return e;
	for (size_t i = 1; r.epoch == 0 && i < r.count; i++)
		if (by_fingerprint(&r.members[i - 1], &r.members[i]) >= 0)
			return err_set(info, ERR_BAD_INPUT, "members out of order");
	*out = r;
	return OK;
}

const char *roster_difference(const struct roster_record *a, const struct roster_record *b)
{
	if (strcmp(a->discussion, b->discussion))
		return "discussion";
	if (a->epoch != b->epoch)
		return "epoch";
	if (!hash_equal(&a->previous, &b->previous))
		return "previous";
	if (!hash_equal(&a->charter, &b->charter))
		return "charter";
	if (a->count != b->count)
		return "members";
	for (size_t i = 0; i < a->count; i++) {
		const struct roster_record_member *x = &a->members[i], *y = &b->members[i];
		if (strcmp(x->fingerprint, y->fingerprint))
			return "fingerprint";
		if (!hash_equal(&x->certificate, &y->certificate))
			return "certificate";
		if (strcmp(x->key, y->key))
			return "key";
	}
	return NULL;
}

size_t roster_position(const struct roster_record *r, const char *fingerprint)
{
	for (size_t i = 0; i < r->count; i++)
		if (!strcmp(r->members[i].fingerprint, fingerprint))
			return i;
	return ROSTER_NOBODY;
}

size_t roster_same(const struct roster_record *r, const struct roster_record_member *m)
{
	size_t at = roster_position(r, m->fingerprint);
	return at != ROSTER_NOBODY && hash_equal(&r->members[at].certificate, &m->certificate) ? at : ROSTER_NOBODY;
}

size_t roster_keys_without(const struct roster_record *r, const char *fingerprint,
			   const char *keys[ROSTER_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->members[i].fingerprint, fingerprint))
			keys[count++] = r->members[i].key;
	return count;
}
