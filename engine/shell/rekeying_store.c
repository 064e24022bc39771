// SPDX-License-Identifier: GPL-3.0-or-later
// Members' keys from the store and to it.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/past.h"
#include "shell/rekeying.h"
#include "shell/rekeying_parts.h"
#include "shell/shell.h"
#include "store/rekeys.h"

#define WINDOW_LEAST_S 60 // where a lost link would close the discussion

enum err rekeying_write(struct conversation *c, size_t member, uint64_t sequence, struct bytes *certificate,
			struct err_info *info)
{
	struct certificate_info found;
	struct store_rekey row = {.epoch = c->epoch,
				  .sequence = sequence,
				  .time = clock_now_ms(c->engine->clock),
				  .certificate = certificate};
	enum err e = discussion_certificate_check(bytes_span(certificate), &found, info);
	if (e)
		return e;
	memcpy(row.member, c->members[member].fingerprint, sizeof row.member);
	key_id_format(found.subkeys[0].id, row.key_id);
	return store_rekey_append(c->engine->store, c->discussion->row.id, &row, info);
}

// --- the own ones -----------------------------------------------------------------------------------------------------------------

void rekeying_drop_own(struct rekeying *r, size_t i)
{
	memmove(&r->own[i], &r->own[i + 1], (--r->own_count - i) * sizeof *r->own);
}

// The oldest gives way where there are too many: its secret is then none that the home keeps.
static void make_room(struct rekeying *r)
{
	if (r->own_count == REKEYING_OWN_MAX)
		rekeying_drop_own(r, 0);
}

enum err rekeying_push_own(struct rekeying *r, struct bytes *certificate, uint64_t sequence, int64_t told, struct err_info *info)
{
	struct keygrips grips;
	struct certificate_info found;
	const struct conversation *c = r->conversation;
	int64_t window = c->engine->options.resume_window_s;
	enum err e = discussion_certificate_check(bytes_span(certificate), &found, info);
	if (e == OK)
		e = discussion_certificate_grips(bytes_span(certificate), &grips, info);
	if (e == OK && !rekeys_add(r->keys, c->own, sequence, found.subkeys[0].id))
		e = err_set(info, ERR_BAD_INPUT, "the key is another member's");
	if (e)
		return e;
	if (r->own_count) {
		struct own_key *before = &r->own[r->own_count - 1];
		before->replaced = sequence;
		before->dies = told + 1000 * (window > WINDOW_LEAST_S ? window : WINDOW_LEAST_S);
	}
	make_room(r);
	struct own_key *k = &r->own[r->own_count++];
	*k = (struct own_key){.id = found.subkeys[0].id, .since = told};
	memcpy(k->grip, grips.subkey, sizeof k->grip);
	memcpy(r->primary_grip, grips.primary, sizeof r->primary_grip);
	bytes_ref(certificate);
	bytes_unref(r->certificate);
	r->certificate = certificate;
	r->is_roster_key = told == 0;
	return OK;
}

// --- from the store -------------------------------------------------------------------------------------------------------------

struct restoring {
	struct rekeying *rekeying;
	struct past_epoch of; // of the row before; rows of one epoch stand together, nearly all of them
	uint32_t epoch;
	bool is_read;
};

// What was told in an epoch that has ended counts up to its cut: beyond it nobody has to know it.
static bool is_beyond_cut(struct restoring *x, const struct store_rekey *row)
{
	struct err_info info;
	if (!x->is_read || x->epoch != row->epoch) {
		x->epoch = row->epoch;
		x->is_read = past_epoch_read(x->rekeying->conversation->discussion, row->epoch, &x->of, &info) == OK;
	}
	if (!x->is_read)
		return true;
	size_t at = roster_position(&x->of.roster, row->member);
	return x->of.ended && (at == ROSTER_NOBODY || row->sequence > x->of.cut[at].sequence);
}

static bool is_bound(const struct store_member *member, const struct store_rekey *row, uint64_t *key)
{
	struct certificate_info found;
	struct err_info info;
	if (discussion_certificate_check(bytes_span(row->certificate), &found, &info) ||
	    strcmp(found.primary.fingerprint, member->certificate_fingerprint) != 0)
		return false; // of a membership before this one
	*key = found.subkeys[0].id;
	return true;
}

static bool restore_one(void *arg, const struct store_rekey *row)
{
	struct restoring *x = arg;
	struct rekeying *r = x->rekeying;
	struct conversation *c = r->conversation;
	struct err_info info;
	uint64_t key, sequence = row->epoch == c->epoch ? row->sequence : 0;
	size_t member = roster_position(c->roster, row->member);
	if (member == ROSTER_NOBODY || !is_bound(&c->members[member], row, &key))
		return true;
	if (row->epoch != c->epoch && is_beyond_cut(x, row))
		return true;
	if (row->epoch > c->epoch) { // of an earlier epoch only what is missing is opened, and sealed anew
		if (!rekeys_add(r->keys, member, REKEY_SAID, key))
			log_warn("a key of %.8s is one too many", row->member);
	} else if (member == c->own) {
		if (rekeying_push_own(r, row->certificate, sequence, row->time, &info))
			log_error("an own key of the discussion %.8s is not usable: %s", c->discussion->row.id, info.text);
	} else if (!rekeys_add(r->keys, member, sequence, key)) {
		log_warn("a key of %.8s is one too many", row->member);
	}
	return true;
}

static enum err restore(struct rekeying *r, struct err_info *info)
{
	struct conversation *c = r->conversation;
	for (size_t i = 0; i < c->count; i++) {
		uint64_t id;
		if (key_id_parse(c->members[i].key_id, &id) || !rekeys_add(r->keys, i, 0, id))
			return err_set(info, ERR_CRYPTO, "the member %.8s has no key id", c->members[i].fingerprint);
	}
	enum err e = rekeying_push_own(r, c->members[c->own].certificate, 0, 0, info);
	if (e)
		return e;
	struct restoring *x = mem_alloc(sizeof *x);
	x->rekeying = r;
	e = store_rekey_each(c->engine->store, c->discussion->row.id, restore_one, x, info);
	free(x);
	return e;
}

// Whatever else is there was made and told nobody of, or has had its day while no core ran.
static void sweep(struct rekeying *r)
{
	struct conversation *c = r->conversation;
	struct err_info info;
	const char *grips[REKEYING_OWN_MAX + 1] = {r->primary_grip};
	for (size_t i = 0; i + 1 < r->own_count;) {
		if (home_has_key(c->discussion->home, r->own[i].grip))
			i++;
		else
			rekeying_drop_own(r, i); // has died before
	}
	rekeying_bury(r);
	for (size_t i = 0; i < r->own_count; i++)
		grips[i + 1] = r->own[i].grip;
	if (home_keep_only(c->discussion->home, grips, r->own_count + 1, &info))
		log_error("old keys of the discussion %.8s are still there: %s", c->discussion->row.id, info.text);
}

enum err rekeying_open(struct conversation *c, struct err_info *info)
{
	struct rekeying *r = mem_alloc(sizeof *r);
	r->conversation = c;
	r->keys = rekeys_new(c->count);
	r->tokens_at = INT64_MIN / 2;
	c->rekeying = r;
	enum err e = restore(r, info);
	if (e == OK && !c->present && c->discussion->home)
		sweep(r);
	if (e == OK) {
		const struct own_key *newest = &r->own[r->own_count - 1];
		r->used_from = newest->since ? newest->since : c->discussion->row.opened;
	}
	return e;
}

const struct rekeys *rekeying_keys(const struct conversation *c)
{
	return c->rekeying->keys;
}
