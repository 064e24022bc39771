// SPDX-License-Identifier: GPL-3.0-or-later
// A newcomer takes the chain (P5.4): R_0 and who its members are, then what each epoch's end is proven by, from one member at a time.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/admission.h"
#include "discussion/joining_machine.h"

// --- the guide --------------------------------------------------------------------------------------------------------------

bool joining_is_liar(const struct joining *j, const char *member)
{
	for (size_t i = 0; i < j->liar_count; i++)
		if (!strcmp(j->liars[i], member))
			return true;
	return false;
}

static void clear_queue(struct joining *j)
{
	for (size_t i = 0; i < j->queue_count; i++)
		bytes_unref(j->queue[i].envelope);
	j->queue_count = j->queue_bytes = 0;
}

static void clear_founding(struct joining *j)
{
	if (j->founding_is)
		founding_fini(&j->founding);
	j->founding_is = false;
	j->founders_left = 0;
}

// What is decided stays: it proves itself. What was said of the epoch that goes on is forgotten, so that it fills nobody's room.
static void watch(struct joining *j)
{
	struct epoch_actions none;
	const struct joining_epoch *last = &j->epochs[j->epoch_count - 1];
	struct epoch_config config = {.roster = &j->now, .roster_hash = last->hash};
	const struct epoch_event start = {.type = EPOCH_EVENT_START};
	memcpy(config.charter, last->charter, sizeof config.charter);
	epoch_free(j->observer);
	j->observer = epoch_new(&config);
	j->said = 0;
	epoch_actions_init(&none);
	epoch_step(j->observer, &start, &none);
	epoch_actions_fini(&none);
}

void joining_lose_guide(struct joining *j, const char *why, bool lies)
{
	if (!j->guide[0] || j->phase != JOINING_ACCEPTED)
		return;
	if (why) {
		struct joining_action *x = joining_act(j, JOINING_DROP);
		memcpy(x->member, j->guide, sizeof x->member);
		(void)err_set(&x->why, ERR_BAD_INPUT, "%s", why);
	}
	if (lies && j->liar_count < JOINING_LIARS_MAX)
		memcpy(j->liars[j->liar_count++], j->guide, FINGERPRINT_SIZE);
	j->guide[0] = 0;
	clear_queue(j);
	clear_founding(j);
	if (j->epoch_count)
		watch(j);
	joining_act(j, JOINING_WANT_CHAIN);
}

void joining_lies(struct joining *j, const char *why)
{
	joining_lose_guide(j, why, true);
}

void joining_chain_clear(struct joining *j)
{
	clear_queue(j);
	clear_founding(j);
	epoch_free(j->observer);
	for (size_t i = 0; i < j->epoch_count; i++) {
		bytes_unref(j->epochs[i].roster);
		for (size_t k = 0; k < j->epochs[i].count; k++)
			bytes_unref(j->epochs[i].proof[k]);
		free(j->epochs[i].proof);
	}
	free(j->epochs);
}

void joining_patience(struct joining *j)
{
	joining_act(j, JOINING_DEADLINE)->ms = JOINING_STALL_MS;
}

// --- epochs -----------------------------------------------------------------------------------------------------------------

// An invitation that was accepted says what roster that epoch had.
static bool fits_invitations(struct joining *j, const struct hash *hash)
{
	for (size_t i = 0; i < j->head_count; i++) {
		if (j->heads[i].epoch != j->now.epoch)
			continue;
		if (!hash_equal(&j->heads[i].hash, hash)) {
			joining_fail(j, "the chain does not contain the roster of the invitation: epoch %u had another", j->now.epoch);
			return false;
		}
		j->passed = true;
	}
	return true;
}

// Everyone else's certificate is in the home, and has the key that the roster says. Members that came in the epoch before: not yet.
static bool others_are_there(struct joining *j)
{
	for (size_t i = 0; i < j->now.count; i++) {
		const struct roster_record_member *m = &j->now.members[i];
		struct person *p = joining_find(j, &m->certificate);
		if (!strcmp(m->fingerprint, j->config.own))
			continue;
		if (p && p->import == JOINING_IMPORTED && strcmp(p->is.key, m->key)) {
			joining_fail(j, "the roster has another key of %.8s than its certificate", m->fingerprint);
			return false;
		}
		if (!p || p->import != JOINING_IMPORTED)
			return false;
	}
	return true;
}

void joining_finish(struct joining *j)
{
	if (j->named && j->phase == JOINING_ACCEPTED && others_are_there(j)) {
		j->phase = JOINING_OVER;
		joining_act(j, JOINING_FOUNDED);
	}
}

// Whether this core is in it as its JOIN wants it. A core that was a member before finds itself in earlier rosters, too.
static void look_for_oneself(struct joining *j)
{
	size_t own = roster_position(&j->now, j->config.own);
	if (own == ROSTER_NOBODY)
		return;
	if (hash_equal(&j->now.members[own].certificate, &j->certificate_hash)) {
		j->named = j->passed;
		if (!j->passed)
			joining_fail(j, "the chain does not contain the roster of the invitation");
	} else if (j->passed) {
		joining_fail(j, "the roster names you with a key that is not the one you joined with");
	}
}

static void begin_epoch(struct joining *j, struct bytes *roster, const struct hash *hash, const char *charter)
{
	if (j->epoch_count == j->epoch_room) {
		j->epoch_room = j->epoch_room ? 2 * j->epoch_room : 4;
		j->epochs = mem_realloc(j->epochs, j->epoch_room * sizeof *j->epochs);
	}
	struct joining_epoch *e = &j->epochs[j->epoch_count++];
	*e = (struct joining_epoch){.roster = bytes_ref(roster), .hash = *hash};
	memcpy(e->charter, charter, sizeof e->charter);
	joining_patience(j);
	watch(j);
	if (!fits_invitations(j, hash))
		return;
	look_for_oneself(j);
	joining_finish(j);
}

// Who was admitted: the JOIN was checked when it was proposed.
static bool meet_newcomer(struct joining *j, struct bytes *op_bytes)
{
	struct op op;
	struct admission a;
	const struct joining_epoch *before = &j->epochs[j->epoch_count - 1];
	bool fine = true;
	if (op_decode(&op, bytes_span(op_bytes), NULL))
		return false;
	if (op.kind == OP_ADMIT) {
		fine = admission_read(&op, &j->now, &before->hash, &a, NULL) == OK;
		struct person *p = fine ? joining_meet(j, op.candidate.fingerprint, a.join.certificate) : NULL;
		if (p && !p->is.binding) {
			p->is.binding = bytes_ref(a.join.binding);
			p->is.general = bytes_ref(a.join.general);
		}
		// an earlier key of this person, too: the chain has what it said then
		if (p && !hash_equal(&p->is.hash, &j->certificate_hash))
			joining_import(j, p);
		fine = p != NULL;
		admission_fini(&a);
	}
	op_fini(&op);
	return fine;
}

void joining_decided(struct joining *j, const struct epoch_decision *d)
{
	struct joining_epoch *e = &j->epochs[j->epoch_count - 1];
	struct roster_record next;
	struct err_info info;
	if (j->epoch_count == JOINING_EPOCHS_MAX || !meet_newcomer(j, d->op) ||
	    roster_decode(&next, bytes_span(d->next), &info)) {
		joining_fail(j, "the chain is longer than can be followed");
		return;
	}
	e->count = d->count;
	e->proof = mem_alloc_array(d->count + 1, sizeof *e->proof);
	for (size_t i = 0; i < d->count; i++)
		e->proof[i] = bytes_ref(d->proof[i]);
	j->now = next;
	begin_epoch(j, d->next, &d->next_hash, d->charter);
}

// --- R_0 --------------------------------------------------------------------------------------------------------------------

static const char *founding_problem(const struct founding_record *r, const struct roster_record *roster)
{
	struct hash charter = hash_of(span_string(r->charter));
	if (roster->epoch != 0)
		return "a beginning that is none";
	if (!hash_equal(&charter, &roster->charter))
		return "a beginning with another charter";
	if (r->count != roster->count)
		return "a beginning with more or fewer certificates than members";
	for (size_t i = 0; i < r->count; i++) {
		struct hash certificate = hash_of(bytes_span(r->members[i].certificate));
		if (!hash_equal(&certificate, &roster->members[i].certificate))
			return "a beginning with a certificate that its roster does not name";
	}
	return NULL;
}

static bool check_founder(struct joining *j, const struct roster_record *roster, size_t i)
{
	const struct founding_member *m = &j->founding.members[i];
	const struct roster_record_member *r = &roster->members[i];
	struct person *p = joining_meet(j, r->fingerprint, m->certificate);
	struct bytes *body =
		p ? admission_binding(j->config.discussion, &roster->charter, &r->certificate, r->fingerprint) : NULL;
	if (!body)
		return false;
	joining_import(j, p);
	struct joining_action *x = joining_act(j, JOINING_VET);
	memcpy(x->check.signer, r->fingerprint, sizeof x->check.signer);
	x->check.certificate = bytes_ref(m->general);
	x->check.body = body;
	x->check.signature = bytes_ref(m->binding);
	x->ticket = joining_work(j, WORK_FOUNDER, j->founding_serial);
	j->founders_left++;
	return true;
}

void joining_take_founding(struct joining *j, struct bytes *record)
{
	struct err_info info;
	struct founding_record r;
	if (j->epoch_count || j->founding_is)
		return; // known
	if (founding_decode(&r, bytes_span(record), &info)) {
		joining_lies(j, info.text);
		return;
	}
	struct hash hash = hash_of(bytes_span(r.roster));
	const char *why = NULL;
	if (!hash_equal(&hash, &j->invite.first))
		why = "a beginning that is not the one of the invitation";
	else if (roster_decode(&j->founders, bytes_span(r.roster), &info))
		why = info.text;
	else
		why = founding_problem(&r, &j->founders);
	if (why) {
		joining_lies(j, why);
		founding_fini(&r);
		return;
	}
	j->founding = r;
	j->founding_is = true;
	j->founding_serial++;
	// its hash is in the invitation, so that is what is wrong then
	if (strcmp(j->founders.discussion, j->config.discussion)) {
		joining_fail(j, "the invitation is for another discussion than it says");
		return;
	}
	for (size_t i = 0; i < r.count; i++)
		if (!check_founder(j, &j->founders, i)) {
			joining_fail(j, "more members have come and gone than can be kept");
			return;
		}
}

// All bindings hold, and every certificate is in the home.
void joining_begin_chain(struct joining *j)
{
	if (!j->founding_is || j->founders_left || j->epoch_count)
		return;
	for (size_t i = 0; i < j->founders.count; i++) {
		const struct person *p = joining_find(j, &j->founders.members[i].certificate);
		if (!p || p->import != JOINING_IMPORTED)
			return;
		if (strcmp(p->is.key, j->founders.members[i].key)) {
			joining_fail(j, "the first roster has another key of %.8s than its certificate", p->is.fingerprint);
			return;
		}
	}
	for (size_t i = 0; i < j->founders.count; i++) {
		struct person *p = joining_find(j, &j->founders.members[i].certificate);
		bytes_unref(p->is.binding);
		bytes_unref(p->is.general);
		p->is.binding = bytes_ref(j->founding.members[i].binding);
		p->is.general = bytes_ref(j->founding.members[i].general);
	}
	struct hash hash = hash_of(bytes_span(j->founding.roster));
	j->now = j->founders;
	begin_epoch(j, j->founding.roster, &hash, j->founding.charter);
	clear_founding(j);
}

void joining_founder_checked(struct joining *j, uint64_t serial, enum err code)
{
	if (!j->founding_is || serial != j->founding_serial)
		return; // of a guide that was lost
	j->founders_left--;
	if (code && code != ERR_CANCELED && code != ERR_BUSY)
		joining_lies(j, "a founder's binding does not hold");
	else if (code)
		joining_lose_guide(j, "a founder's binding could not be checked", false);
	else
		joining_go_on(j);
}
