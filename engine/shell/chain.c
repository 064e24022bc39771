// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/conversation_parts.h"
#include "shell/shell.h"
#include "store/statements.h"
#include "wire/join.h"

// How long somebody who is behind waits for what is under way before it asks for the chain.
#define ASK_AFTER_MS 500

#define SEEN_MAX (32 * 1024)

// --- what is sent -----------------------------------------------------------------------------------------------------------

static bool send_proof(void *arg, const struct store_statement *s)
{
	struct line *l = arg;
	if (s->proof)
		line_change(l, s->envelope);
	return l->link != NULL;
}

// The charter with that hash; false where none is known.
static bool charter_of(const struct hash *hash, char out[RECORD_CHARTER_SIZE])
{
	for (unsigned k = 0; k <= RECORD_MEMBERS_MAX; k++) {
		snprintf(out, RECORD_CHARTER_SIZE, k ? "%u" : "all", k);
		struct hash h = hash_of(span_string(out));
		if (hash_equal(&h, hash))
			return true;
	}
	return false;
}

static bool add_founder(void *arg, const struct store_member *m)
{
	struct founding_record *r = arg;
	r->members[r->count++] = (struct founding_member){bytes_ref(m->certificate), bytes_ref(m->binding),
							  bytes_ref(m->general)};
	return r->count < RECORD_MEMBERS_MAX;
}

static enum err make_founding(struct discussion *d, struct founding_record *r, struct err_info *info)
{
	struct store *s = d->engine->store;
	struct store_epoch epoch;
	struct roster_record roster;
	enum err code = store_epoch_get(s, d->row.id, 0, &epoch, info);
	if (code)
		return code;
	r->roster = epoch.roster;
	bytes_unref(epoch.cut);
	code = roster_decode(&roster, bytes_span(r->roster), info);
	if (code == OK && !charter_of(&roster.charter, r->charter))
		code = err_set(info, ERR_CRYPTO, "the first charter of %.8s is not known", d->row.id);
	return code ? code : store_member_each(s, d->row.id, 0, add_founder, r, info);
}

static void send_founding(struct line *l)
{
	struct err_info info;
	struct buf text;
	struct founding_record r = {.members = mem_alloc_array(RECORD_MEMBERS_MAX, sizeof *r.members)};
	enum err code = make_founding(l->conversation->discussion, &r, &info);
	buf_init(&text, FOUNDING_MAX);
	if (code == OK)
		code = founding_encode(&r, &text, &info);
	if (code == OK) {
		struct bytes *record = buf_take(&text);
		line_change(l, record);
		bytes_unref(record);
	} else {
		log_warn("the beginning of a discussion cannot be told: %s", info.text);
	}
	buf_fini(&text);
	founding_fini(&r);
}

// Once on a link: what was sent there comes.
static void send_chain(struct line *l, uint32_t from, bool founding)
{
	struct discussion *d = l->conversation->discussion;
	struct err_info info;
	if (l->chain_sent && l->chain_from <= from)
		return;
	l->chain_sent = true;
	l->chain_from = from;
	log_info("%.8s is told of %.8s from epoch %u on", line_other(l)->fingerprint, d->row.id, from);
	if (founding)
		send_founding(l);
	for (uint32_t epoch = from; l->link && epoch < d->row.epoch; epoch++)
		if (store_statement_each(d->engine->store, d->row.id, epoch, send_proof, l, &info))
			log_warn("the end of epoch %u of %.8s cannot be told: %s", epoch, d->row.id, info.text);
}

void chain_part(struct line *l, uint32_t from)
{
	send_chain(l, from, false);
	line_part(l);
}

void chain_say_seen(struct line *l)
{
	struct err_info info;
	struct buf text;
	struct seen_record *own = mem_alloc(sizeof *own);
	conversation_fill_seen(l->conversation, own);
	own->presence = (struct presence_parts){0}; // known since the link began
	buf_init(&text, SEEN_MAX);
	if (seen_encode(own, &text, &info) == OK)
		line_send_record(l, buf_span(&text));
	else
		log_error("the own state could not be written: %s", info.text);
	buf_fini(&text);
	free(own);
}

// --- what is heard ----------------------------------------------------------------------------------------------------------

static void ask(void *arg)
{
	struct conversation *c = arg;
	for (size_t i = 0; i < c->count; i++)
		if (c->lines[i].link && c->lines[i].ahead)
			chain_say_seen(&c->lines[i]);
}

static const struct seen_row *row_of(const struct seen_record *seen, const char *fingerprint)
{
	for (size_t i = 0; seen && i < seen->count; i++)
		if (strcmp(seen->rows[i].fingerprint, fingerprint) == 0)
			return &seen->rows[i];
	return NULL;
}

static uint32_t epoch_of(const struct seen_record *seen)
{
	uint32_t epoch = 0;
	for (size_t i = 0; i < seen->count; i++)
		if (seen->rows[i].epoch > epoch)
			epoch = seen->rows[i].epoch;
	return epoch;
}

static void is_ahead(struct line *l, uint32_t epoch, const struct seen_row *row)
{
	struct conversation *c = l->conversation;
	line_down(l);
	l->ahead = true;
	l->ahead_row = row ? *row : (struct seen_row){.epoch = epoch};
	if (!timer_running(&c->chain_timer))
		timer_start(c->engine->loop, &c->chain_timer, ASK_AFTER_MS, ask, c);
}

static void is_here(struct line *l, const struct seen_record *seen)
{
	struct conversation *c = l->conversation;
	if (!l->in_epoch)
		line_up(l, row_of(seen, discussion_own(c->discussion)));
	if (seen && l->in_epoch)
		catching_up_seen(c, l->member, seen);
}

void chain_seen(struct line *l, const struct seen_record *seen)
{
	struct discussion *d = l->conversation->discussion;
	bool joins = seen && !seen->count;
	uint32_t theirs = seen ? epoch_of(seen) : d->row.epoch;
	l->ahead = false;
	if (line_is_former(l) && (joins || theirs >= d->row.epoch))
		line_drop(l, "no_member");
	else if (line_is_former(l))
		chain_part(l, theirs);
	else if (joins)
		send_chain(l, 0, true);
	else if (theirs < d->row.epoch)
		send_chain(l, theirs, false);
	else if (theirs > d->row.epoch)
		is_ahead(l, theirs, row_of(seen, discussion_own(d)));
	else
		is_here(l, seen);
}

void chain_moved(struct line *l)
{
	const struct seen_row row = l->ahead_row;
	uint32_t own = l->conversation->discussion->row.epoch;
	if (!l->ahead || row.epoch > own)
		return;
	l->ahead = false;
	if (row.epoch == own && !l->in_epoch)
		line_up(l, &row);
}

static bool is_of(const struct seen_record *seen, const struct roster_record *roster)
{
	for (size_t i = 0; i < seen->count; i++)
		if (i >= roster->count || strcmp(seen->rows[i].fingerprint, roster->members[i].fingerprint) != 0)
			return false;
	return seen->count == roster->count;
}

void chain_heard(struct line *l, struct span record)
{
	const struct discussion *d = l->conversation->discussion;
	struct seen_record *seen = mem_alloc(sizeof *seen);
	if (seen_decode(seen, record, NULL)) {
		line_drop(l, "malformed_record");
	} else {
		if (seen->count && epoch_of(seen) == d->row.epoch && !is_of(seen, &d->roster))
			line_drop(l, "other_roster");
		else
			chain_seen(l, seen);
		seen_fini(seen);
	}
	free(seen);
}
