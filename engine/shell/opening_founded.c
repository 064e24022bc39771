// SPDX-License-Identifier: GPL-3.0-or-later
// What a handshake founds: R_0 and its two members.
#include <string.h>

#include "shell/discussion.h"
#include "shell/shell.h"

static void member_addresses(struct discussion *d, const char *fingerprint, struct store_addresses *out)
{
	const struct peer *p = neighbours_get(&d->engine->neighbours, fingerprint);
	for (size_t i = 0; p && i < p->addresses.count && i < STORE_ADDRESSES_MAX; i++)
		addr_format(&p->addresses.at[i].endpoint, out->text[out->count++]);
}

static enum err put_members(struct discussion *d, const struct handshake_action *a, struct err_info *info)
{
	struct engine *e = d->engine;
	enum err code = OK;
	for (size_t i = 0; code == OK && i < a->opening.count; i++) {
		const struct handshake_member *from = &a->opening.members[i];
		bool own = strcmp(from->fingerprint, e->identity.row.fingerprint) == 0;
		struct store_member m = {.position = (uint32_t)i,
					 .certificate = from->certificate,
					 .binding = from->binding,
					 .general = from->general,
					 .verified = own || a->opening.mode == HANDSHAKE_PASSWORD ||
						     neighbours_is_pinned(&e->neighbours, from->fingerprint)};
		memcpy(m.fingerprint, from->fingerprint, sizeof m.fingerprint);
		memcpy(m.certificate_fingerprint, from->key_fingerprint, sizeof m.certificate_fingerprint);
		memcpy(m.key_id, from->key, sizeof m.key_id);
		member_addresses(d, from->fingerprint, &m.addresses);
		code = store_member_put(e->store, d->row.id, 0, &m, info);
	}
	return code;
}

struct opening_write {
	struct discussion *discussion;
	const struct handshake_action *opening;
};

static enum err write_opening(void *arg, struct err_info *info)
{
	const struct opening_write *w = arg;
	const struct handshake_action *a = w->opening;
	const struct store_epoch epoch = {
		.roster = a->opening.roster, .roster_hash = a->opening.hash, .head = a->opening.hash};
	enum err code = store_epoch_create(w->discussion->engine->store, w->discussion->row.id, &epoch, info);
	return code ? code : put_members(w->discussion, a, info);
}

enum err discussion_commit_opening(struct discussion *d, const struct handshake_action *a, struct err_info *info)
{
	struct opening_write write = {.discussion = d, .opening = a};
	char charter[sizeof d->row.charter];
	memcpy(charter, d->row.charter, sizeof charter);
	const struct discussion_founding founding = {.first = a->opening.hash,
						     .charter = charter,
						     .members = a->opening.count,
						     .write = write_opening,
						     .arg = &write};
	return discussion_found(d, &founding, info);
}
