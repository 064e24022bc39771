// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/table.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "peers/entry.h"
#include "peers/find.h"

#define TIME_MAX_MS ((int64_t)1 << 53) // the largest integer of a record (P0.1)

const struct peer_table_config peer_table_standard = {
	.entries = 4096,
	.per_source = 32,
	.per_host = 1024,
	.online_ms = 100 * 1000,
	.lifetime_ms = 2 * 3600 * 1000,
};

struct peer_table {
	struct peer_table_config config;
	char self[PEER_FINGERPRINT_SIZE];
	struct entry **entries; // by fingerprint
	size_t count;
	struct strangers *strangers;
};

static const char *const source_names[PEER_SOURCE_COUNT] = {
	[PEER_LAN] = "lan",           [PEER_FILE] = "file",
	[PEER_EXCHANGE] = "exchange", [PEER_RENDEZVOUS] = "rendezvous",
	[PEER_DHT] = "dht",           [PEER_MANUAL] = "manual",
};

static const char *const verdict_names[PEER_VERDICT_COUNT] = {
	[PEER_TAKEN] = "taken", [PEER_BESIDE] = "beside",       [PEER_REPEATED] = "repeated",
	[PEER_OLDER] = "older", [PEER_EXPIRED] = "expired",     [PEER_FULL] = "full",
	[PEER_SELF] = "self",   [PEER_MALFORMED] = "malformed",
};

const char *peer_source_name(enum peer_source source)
{
	return source_names[source];
}

enum err peer_source_parse(const char *name, enum peer_source *out)
{
	for (size_t i = 0; i < PEER_SOURCE_COUNT; i++)
		if (strcmp(name, source_names[i]) == 0) {
			*out = (enum peer_source)i;
			return OK;
		}
	return ERR_BAD_PARAMS;
}

const char *peer_verdict_name(enum peer_verdict verdict)
{
	return verdict_names[verdict];
}

struct peer_table *peer_table_new(const struct peer_table_config *config)
{
	struct peer_table *t = mem_alloc(sizeof *t);
	t->config = config ? *config : peer_table_standard;
	t->entries = mem_alloc_array(t->config.entries, sizeof t->entries[0]);
	t->strangers = strangers_new(t->config.per_source, t->config.per_host, t->config.entries);
	return t;
}

void peer_table_free(struct peer_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++) {
		strangers_remove(t->strangers, &t->entries[i]->stranger);
		entry_free(t->entries[i]);
	}
	strangers_free(t->strangers);
	free(t->entries);
	free(t);
}

static bool is_fingerprint(const char *text)
{
	size_t i = 0;
	while (i < PEER_FINGERPRINT_SIZE - 1 &&
	       ((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'A' && text[i] <= 'F')))
		i++;
	return i == PEER_FINGERPRINT_SIZE - 1 && text[i] == 0;
}

void peer_table_set_self(struct peer_table *t, const char *fingerprint)
{
	bool given = fingerprint && fingerprint[0];
	assert(!given || is_fingerprint(fingerprint));
	memset(t->self, 0, sizeof t->self);
	if (given)
		memcpy(t->self, fingerprint, sizeof t->self);
}

// --- the entries ---------------------------------------------------------------------------------

// Where it is, or where it would be.
static size_t position(const struct peer_table *t, const char *fingerprint)
{
	size_t low = 0, high = t->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(t->entries[middle]->shown.fingerprint, fingerprint) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *entry_of(const struct peer_table *t, const char *fingerprint)
{
	size_t i = position(t, fingerprint);
	if (i == t->count || strcmp(t->entries[i]->shown.fingerprint, fingerprint) != 0)
		return NULL;
	return t->entries[i];
}

static struct entry *entry_insert(struct peer_table *t, const char *fingerprint)
{
	size_t i = position(t, fingerprint);
	assert(t->count < t->config.entries);
	memmove(&t->entries[i + 1], &t->entries[i], (t->count - i) * sizeof t->entries[0]);
	t->count++;
	return t->entries[i] = entry_new(fingerprint);
}

static void entry_remove(struct peer_table *t, struct entry *e)
{
	size_t i = position(t, e->shown.fingerprint);
	assert(i < t->count && t->entries[i] == e);
	t->count--;
	memmove(&t->entries[i], &t->entries[i + 1], (t->count - i) * sizeof t->entries[0]);
	strangers_remove(t->strangers, &e->stranger);
	entry_free(e);
}

static struct entry *entry_of_stranger(struct stranger *x)
{
	return x ? (struct entry *)(void *)((char *)x - offsetof(struct entry, stranger)) : NULL;
}

// A new entry for a known peer; a stranger makes room for it. NULL: all are known.
static struct entry *insert_known(struct peer_table *t, const char *fingerprint)
{
	if (t->count == t->config.entries) {
		struct entry *victim = entry_of_stranger(strangers_first(t->strangers));
		if (!victim)
			return NULL;
		entry_remove(t, victim);
	}
	return entry_insert(t, fingerprint);
}

static struct entry *insert_stranger(struct peer_table *t, const char *fingerprint,
				     const struct addr *from, struct peer_outcome *outcome)
{
	struct entry *victim = entry_of_stranger(strangers_over_cap(t->strangers, from));
	if (!victim && t->count == t->config.entries) {
		victim = entry_of_stranger(strangers_first(t->strangers));
		if (!victim)
			return NULL;
	}
	if (victim) {
		memcpy(outcome->evicted, victim->shown.fingerprint, sizeof outcome->evicted);
		outcome->evicted_online = victim->shown.online;
		entry_remove(t, victim);
	}
	struct entry *e = entry_insert(t, fingerprint);
	strangers_add(t->strangers, &e->stranger, from);
	return e;
}

static bool is_there(const struct peer_table *t, const struct peer *p, int64_t now_ms)
{
	bool heard = p->has_key && p->expires_ms > now_ms && p->last_seen_ms > 0 &&
		     now_ms - p->last_seen_ms < t->config.online_ms;
	return p->linked || heard;
}

static bool same_addresses(const struct endpoint_list *a, const struct endpoint_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!addr_equal(&a->at[i].endpoint, &b->at[i].endpoint))
			return false;
	return true;
}

static void finish(const struct peer_table *t, struct entry *e, const struct peer *before,
		   int64_t now_ms, struct peer_outcome *outcome)
{
	struct peer *p = &e->shown;
	// only news makes online: a row of the store may have been seen a moment before the restart
	bool may_rise = before->online || outcome->verdict == PEER_TAKEN;
	p->online = may_rise && is_there(t, p, now_ms);
	outcome->seen = p->online && !before->online;
	outcome->changed = strcmp(p->name, before->name) != 0 || p->proven != before->proven ||
			   p->has_key != before->has_key || p->listed != before->listed ||
			   p->since_ms != before->since_ms || p->source != before->source ||
			   memcmp(p->key, before->key, sizeof p->key) != 0 ||
			   !same_addresses(&p->addresses, &before->addresses);
}

// --- records in ----------------------------------------------------------------------------------

// PEER_TAKEN: it may go on to the entry.
static enum peer_verdict examine(const struct peer_table *t, const struct peer_record *r,
				 int64_t now_ms)
{
	if (!is_fingerprint(r->fingerprint) || !memchr(r->name, 0, sizeof r->name) ||
	    r->endpoint_count > PEER_ENDPOINTS_MAX || r->issued_ms < 0 || r->since_ms < 0 ||
	    r->issued_ms > TIME_MAX_MS || r->expires_ms > TIME_MAX_MS)
		return PEER_MALFORMED;
	if (strcmp(r->fingerprint, t->self) == 0)
		return PEER_SELF;
	if (r->expires_ms <= now_ms || r->expires_ms <= r->issued_ms ||
	    r->expires_ms - r->issued_ms > t->config.lifetime_ms)
		return PEER_EXPIRED;
	return PEER_TAKEN;
}

static struct candidate candidate_make(const struct peer_table *t, const struct peer_record *r,
				       enum peer_source source, const struct addr *from,
				       bool direct, int64_t now_ms)
{
	struct candidate c = {.record = *r, .source = source};
	int64_t latest = now_ms + t->config.lifetime_ms;
	// the sender's clock may be ahead of ours; its record lives no longer for that
	if (c.record.expires_ms > latest)
		c.record.expires_ms = latest;
	c.seen_ms = direct || r->issued_ms > now_ms ? now_ms : r->issued_ms;
	c.has_sender = direct && from && endpoint_may_take(from, from, &c.sender);
	c.record.endpoint_count = 0;
	for (size_t i = 0; i < r->endpoint_count; i++)
		if (endpoint_may_take(&r->endpoints[i], from,
				      &c.record.endpoints[c.record.endpoint_count]))
			c.record.endpoint_count++;
	return c;
}

struct peer_outcome peer_table_feed(struct peer_table *t, const struct peer_record *record,
				    enum peer_source source, const struct addr *from, bool direct,
				    int64_t now_ms)
{
	struct peer_outcome outcome = {.verdict = examine(t, record, now_ms)};
	if (outcome.verdict != PEER_TAKEN)
		return outcome;
	struct candidate c = candidate_make(t, record, source, from, direct, now_ms);
	struct entry *e = entry_of(t, record->fingerprint);
	if (!e)
		e = insert_stranger(t, record->fingerprint, from, &outcome);
	if (!e) {
		outcome.verdict = PEER_FULL;
		return outcome;
	}
	struct peer before = e->shown;
	entry_expire(e, now_ms);
	outcome.verdict = entry_take(e, &c, &outcome.wants_proof);
	if (outcome.verdict == PEER_TAKEN)
		strangers_touch(t->strangers, &e->stranger);
	// anybody can name a known peer, or send its last record on
	outcome.known = outcome.verdict == PEER_TAKEN && e->shown.known && e->shown.proven;
	finish(t, e, &before, now_ms, &outcome);
	return outcome;
}

struct peer_outcome peer_table_proven(struct peer_table *t, const char *fingerprint,
				      const uint8_t key[PEER_KEY_LEN], int64_t since_ms,
				      int64_t now_ms)
{
	struct peer_outcome outcome = {.verdict = PEER_EXPIRED};
	struct entry *e = entry_of(t, fingerprint);
	if (!e)
		return outcome;
	struct peer before = e->shown;
	outcome.verdict = entry_prove(e, key, since_ms, now_ms, &outcome.wants_proof);
	if (e->shown.proven)
		strangers_prove(t->strangers, &e->stranger);
	finish(t, e, &before, now_ms, &outcome);
	return outcome;
}

bool peer_table_disproven(struct peer_table *t, const char *fingerprint,
			  const uint8_t key[PEER_KEY_LEN], const struct hash *certification,
			  bool *was_online)
{
	struct entry *e = entry_of(t, fingerprint);
	if (was_online)
		*was_online = false;
	if (!e)
		return false;
	entry_disprove(e, key, certification);
	if (e->candidate_count || e->shown.proven || e->shown.known || e->shown.linked)
		return false;
	if (was_online)
		*was_online = e->shown.online;
	entry_remove(t, e);
	return true;
}

void peer_table_sweep(struct peer_table *t, int64_t now_ms,
		      void (*lost)(void *arg, const struct peer *p), void *arg)
{
	for (size_t i = t->count; i-- > 0;) {
		struct entry *e = t->entries[i];
		struct peer *p = &e->shown;
		bool was_online = p->online;
		entry_expire(e, now_ms);
		if (p->linked)
			p->last_seen_ms = now_ms;
		bool dead = entry_is_dead(e, now_ms);
		p->online = was_online && !dead && is_there(t, p, now_ms);
		if (was_online && !p->online && lost)
			lost(arg, p);
		if (dead)
			entry_remove(t, e);
	}
}

// --- what the shell knows ------------------------------------------------------------------------

static struct entry *make_known(struct peer_table *t, const char *fingerprint)
{
	struct entry *e = entry_of(t, fingerprint);
	if (!e)
		e = insert_known(t, fingerprint);
	if (!e)
		return NULL;
	e->shown.known = true;
	strangers_remove(t->strangers, &e->stranger);
	return e;
}

enum err peer_table_know(struct peer_table *t, const char *fingerprint, enum peer_source source)
{
	if (!is_fingerprint(fingerprint))
		return ERR_BAD_PARAMS;
	bool is_new = !entry_of(t, fingerprint);
	struct entry *e = make_known(t, fingerprint);
	if (!e)
		return ERR_TOO_LARGE;
	if (is_new)
		e->shown.source = source;
	return OK;
}

enum err peer_table_pin(struct peer_table *t, const char *fingerprint, bool pinned)
{
	enum err code = peer_table_know(t, fingerprint, PEER_MANUAL);
	if (code)
		return code;
	entry_pin(entry_of(t, fingerprint), pinned);
	return OK;
}

bool peer_table_linked(struct peer_table *t, const char *fingerprint, bool linked, int64_t now_ms)
{
	struct entry *e = entry_of(t, fingerprint);
	if (!e)
		return false;
	bool before = e->shown.online;
	e->shown.linked = linked;
	e->shown.last_seen_ms = now_ms;
	e->shown.online = (linked || before) && is_there(t, &e->shown, now_ms);
	return e->shown.online != before;
}

bool peer_table_confirm(struct peer_table *t, const char *fingerprint, const struct addr *e,
			int64_t now_ms)
{
	struct entry *entry = entry_of(t, fingerprint);
	return entry && endpoint_list_confirm(&entry->shown.addresses, e, now_ms);
}

bool peer_table_fail(struct peer_table *t, const char *fingerprint, const struct addr *e)
{
	struct entry *entry = entry_of(t, fingerprint);
	return entry && endpoint_list_fail(&entry->shown.addresses, e);
}

enum err peer_table_forget(struct peer_table *t, const char *fingerprint)
{
	struct entry *e = entry_of(t, fingerprint);
	if (!e)
		return ERR_NOT_FOUND;
	entry_remove(t, e);
	return OK;
}

// --- reading -------------------------------------------------------------------------------------

size_t peer_table_count(const struct peer_table *t)
{
	return t->count;
}

const struct peer *peer_table_at(const struct peer_table *t, size_t i)
{
	assert(i < t->count);
	return &t->entries[i]->shown;
}

const struct peer *peer_table_get(const struct peer_table *t, const char *fingerprint)
{
	const struct entry *e = entry_of(t, fingerprint);
	return e ? &e->shown : NULL;
}

static void item_at(void *arg, size_t i, struct find_item *item)
{
	const struct peer_table *t = arg;
	*item = (struct find_item){t->entries[i]->shown.fingerprint, t->entries[i]->shown.name};
}

enum err peer_table_find(const struct peer_table *t, const char *text, const struct peer **out,
			 struct err_info *info)
{
	size_t i;
	enum err code = find_by_text("peer", PEER_FINGERPRINT_SIZE - 1, text, item_at, (void *)t,
				     t->count, &i, info);
	if (!code)
		*out = &t->entries[i]->shown;
	return code;
}

size_t peer_table_candidates(const struct peer_table *t, const char *fingerprint)
{
	const struct entry *e = entry_of(t, fingerprint);
	return e ? e->candidate_count : 0;
}

enum err peer_table_load(struct peer_table *t, const struct peer *row)
{
	if (!is_fingerprint(row->fingerprint) || !memchr(row->name, 0, sizeof row->name) ||
	    row->addresses.count > ENDPOINT_LIST_MAX ||
	    (unsigned)row->source >= PEER_SOURCE_COUNT || (row->proven && !row->has_key) ||
	    !(row->known || row->pinned || row->proven))
		return ERR_BAD_PARAMS;
	struct entry *e = entry_of(t, row->fingerprint);
	if (e)
		entry_remove(t, e);
	e = insert_known(t, row->fingerprint);
	if (!e)
		return ERR_TOO_LARGE;
	e->shown = *row;
	e->shown.known = row->known || row->pinned;
	e->shown.linked = e->shown.online = false;
	if (!row->proven)
		e->shown.has_key = e->shown.listed = false; // it is heard again, or it is gone
	if (!e->shown.known) {
		strangers_add(t->strangers, &e->stranger, NULL);
		strangers_prove(t->strangers, &e->stranger);
	}
	return OK;
}
