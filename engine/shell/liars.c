// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/liars.h"

#include <string.h>

#include "base/log.h"
#include "shell/change.h"
#include "shell/conversation_parts.h"
#include "shell/past.h"
#include "shell/shell.h"
#include "store/proofs.h"
#include "store/statements.h"
#include "wire/signed.h"
#include "wire/statement.h"

struct look {
	struct discussion *discussion;
	bool found;
	enum err code;
	struct err_info *info;
};

bool liars_is_member(const struct discussion *d, const struct roster_record_member *m)
{
	return roster_same(&d->roster, m) != ROSTER_NOBODY;
}

// Somebody who has lied in that epoch.
static void look_at(struct look *l, uint32_t epoch, const char *liar)
{
	struct past_epoch in;
	if (roster_position(&l->discussion->roster, liar) == ROSTER_NOBODY)
		return;
	l->code = past_epoch_read(l->discussion, epoch, &in, l->info);
	size_t at = l->code ? ROSTER_NOBODY : roster_position(&in.roster, liar);
	l->found = at != ROSTER_NOBODY && liars_is_member(l->discussion, &in.roster.members[at]);
}

static bool goes_on(const struct look *l)
{
	return !l->found && l->code == OK;
}

static bool look_at_payload(void *arg, const struct store_payload_key *key)
{
	struct look *l = arg;
	look_at(l, key->epoch, key->sender);
	return goes_on(l);
}

static bool look_at_statement(void *arg, const struct store_statement *row)
{
	struct look *l = arg;
	struct envelope e;
	struct statement s;
	if (envelope_decode(&e, bytes_span(row->envelope), NULL))
		return true;
	if (statement_decode(&s, bytes_span(e.body), NULL) == OK) {
		look_at(l, row->epoch, s.author);
		statement_fini(&s);
	}
	envelope_fini(&e);
	return goes_on(l);
}

static enum err look(struct discussion *d, bool *found, struct err_info *info)
{
	struct store *s = d->engine->store;
	struct look l = {.discussion = d, .code = OK, .info = info};
	const struct epoch *machine = change_machine(d->conversation);
	for (size_t i = 0; machine && i < d->member_count; i++)
		l.found = l.found || epoch_equivocates(machine, i);
	enum err code = l.found ? OK : store_proof_each(s, d->row.id, look_at_payload, &l, info);
	if (code == OK && goes_on(&l))
		code = store_statement_each_lie(s, d->row.id, d->row.epoch, look_at_statement, &l, info);
	*found = l.found;
	return code ? code : l.code;
}

void liars_settle(struct discussion *d)
{
	struct err_info info;
	bool found;
	enum err code = look(d, &found, &info);
	// what cannot be read thaws nothing
	if (code)
		log_warn("who has lied in %.8s could not be read: %s", d->row.id, info.text);
	else
		discussion_happens(d, found ? LIFECYCLE_FREEZE : LIFECYCLE_THAW, LIFECYCLE_NO_REASON);
}
