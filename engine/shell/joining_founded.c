// SPDX-License-Identifier: GPL-3.0-or-later
// A newcomer becomes a member: all epochs with what proves them, their members, and the state, in one transaction.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/joining_parts.h"
#include "shell/shell.h"
#include "store/joinings.h"
#include "store/statements.h"
#include "wire/signed.h"

static void add_address(struct store_addresses *out, const char *text)
{
	for (size_t i = 0; i < out->count; i++)
		if (!strcmp(out->text[i], text))
			return;
	if (out->count < STORE_ADDRESSES_MAX)
		snprintf(out->text[out->count++], sizeof out->text[0], "%s", text);
}

// Where the member is: what is known of it, and what the invitation said.
static void member_addresses(struct candidacy *c, const char *member, struct store_addresses *out)
{
	const struct peer *p = neighbours_get(&c->engine->neighbours, member);
	const struct invite_record *invite = joining_invite(c->machine);
	size_t at = roster_position(joining_roster(c->machine), member);
	char text[ADDR_TEXT_MAX];
	struct presence_record r;
	for (size_t i = 0; p && i < p->addresses.count; i++) {
		addr_format(&p->addresses.at[i].endpoint, text);
		add_address(out, text);
	}
	if (at == ROSTER_NOBODY || !invite->members[at].presence.record ||
	    presence_parts_open(&invite->members[at].presence, &r, NULL) || strcmp(r.fingerprint, member) != 0)
		return;
	for (size_t i = 0; i < r.endpoint_count; i++) {
		struct addr address;
		if (addr_parse(&address, r.endpoints[i], NULL))
			continue;
		addr_format(&address, text);
		add_address(out, text);
	}
}

// The own row is made of the own key: nobody sends it back.
static enum err put_own(struct candidacy *c, uint32_t epoch, struct store_member *m, struct err_info *info)
{
	struct discussion *d = c->discussion;
	struct certificate_info walked;
	enum err code = discussion_certificate_check(bytes_span(d->row.certificate), &walked, info);
	if (code)
		return code;
	m->verified = true;
	m->certificate = d->row.certificate;
	m->binding = joining_own_binding(c->machine);
	m->general = c->engine->identity.row.certificate;
	memcpy(m->certificate_fingerprint, walked.primary.fingerprint, sizeof m->certificate_fingerprint);
	key_id_format(walked.subkeys[walked.encryption].id, m->key_id);
	return store_member_put(c->engine->store, d->row.id, epoch, m, info);
}

static enum err put_member(struct candidacy *c, uint32_t epoch, uint32_t position, const struct roster_record_member *r,
			   struct err_info *info)
{
	struct engine *e = c->engine;
	struct store_member m = {.position = position};
	const struct joining_person *p = joining_person(c->machine, &r->certificate);
	memcpy(m.fingerprint, r->fingerprint, sizeof m.fingerprint);
	struct hash own = hash_of(bytes_span(c->discussion->row.certificate));
	if (hash_equal(&own, &r->certificate))
		return put_own(c, epoch, &m, info);
	if (!p || !p->general || !p->key_fingerprint[0])
		return err_set(info, ERR_CRYPTO, "the chain does not say who %.8s is", r->fingerprint);
	m.certificate = p->certificate;
	m.binding = p->binding;
	m.general = p->general;
	m.verified = !strcmp(r->fingerprint, e->identity.row.fingerprint) || neighbours_is_pinned(&e->neighbours, r->fingerprint);
	memcpy(m.certificate_fingerprint, p->key_fingerprint, sizeof m.certificate_fingerprint);
	memcpy(m.key_id, p->key, sizeof m.key_id);
	member_addresses(c, r->fingerprint, &m.addresses);
	return store_member_put(e->store, c->discussion->row.id, epoch, &m, info);
}

static enum err put_proof(struct candidacy *c, uint32_t epoch, const struct joining_epoch *from, struct err_info *info)
{
	struct store_statement *rows = mem_alloc_array(from->count + 1, sizeof *rows);
	enum err code = OK;
	for (size_t i = 0; code == OK && i < from->count; i++) {
		struct envelope parts;
		code = envelope_decode(&parts, bytes_span(from->proof[i]), info);
		if (code)
			break;
		rows[i] = (struct store_statement){.name = hash_of(bytes_span(parts.body)), .envelope = from->proof[i]};
		envelope_fini(&parts);
	}
	if (code == OK && from->count)
		code = store_statement_decide(c->engine->store, c->discussion->row.id, epoch, rows, from->count, info);
	free(rows);
	return code;
}

static enum err put_epoch(struct candidacy *c, const struct joining_epoch *from, struct err_info *info)
{
	struct roster_record roster;
	enum err code = roster_decode(&roster, bytes_span(from->roster), info);
	if (code)
		return code;
	const struct store_epoch epoch = {
		.epoch = roster.epoch, .roster = from->roster, .roster_hash = from->hash, .head = from->hash};
	code = store_epoch_create(c->engine->store, c->discussion->row.id, &epoch, info);
	for (size_t i = 0; code == OK && i < roster.count; i++)
		code = put_member(c, roster.epoch, (uint32_t)i, &roster.members[i], info);
	return code ? code : put_proof(c, roster.epoch, from, info);
}

static enum err write_chain(void *arg, struct err_info *info)
{
	struct candidacy *c = arg;
	const struct joining_epoch *list;
	size_t count = joining_epochs(c->machine, &list);
	enum err code = OK;
	for (size_t i = 0; code == OK && i < count; i++)
		code = put_epoch(c, &list[i], info);
	return code ? code : store_joining_drop(c->engine->store, c->discussion->row.id, info);
}

enum err joining_found(struct candidacy *c, struct err_info *info)
{
	struct discussion *d = c->discussion;
	const struct joining_epoch *list;
	struct roster_record roster;
	size_t count = joining_epochs(c->machine, &list);
	enum err code = roster_decode(&roster, bytes_span(list[count - 1].roster), info);
	if (code)
		return code;
	const struct discussion_founding founding = {.first = list[0].hash,
						     .epoch = roster.epoch,
						     .charter = list[count - 1].charter,
						     .members = roster.count,
						     .write = write_chain,
						     .arg = c};
	return discussion_found(d, &founding, info);
}
