// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/invitation.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "discussion/admission.h"
#include "openpgp/packets.h"
#include "shell/conversation_parts.h"
#include "shell/joining.h"
#include "shell/own_presence.h"
#include "shell/proposals.h"
#include "shell/shell.h"
#include "wire/join.h"

struct invitation {
	struct engine *engine;
	struct invitation *next, **link;
	char proposal[33], discussion[33], candidate[41];
	int64_t time_ms;
	// a JOIN that is looked at, before it is proposed
	struct admission_check *check;
	struct op op;
	struct bytes *op_bytes;
};

// --- the list ---------------------------------------------------------------------------------------------------------------

static struct invitation *invitation_new(struct engine *e, const char *proposal, const char *discussion, const char *candidate,
					 int64_t time_ms)
{
	struct invitation *i = mem_alloc(sizeof *i);
	i->engine = e;
	i->time_ms = time_ms;
	memcpy(i->proposal, proposal, sizeof i->proposal);
	memcpy(i->discussion, discussion, sizeof i->discussion);
	memcpy(i->candidate, candidate, sizeof i->candidate);
	i->next = e->invitations.first;
	i->link = &e->invitations.first;
	if (i->next)
		i->next->link = &i->next;
	e->invitations.first = i;
	return i;
}

static void end_check(struct invitation *i)
{
	if (i->check)
		admission_check_cancel(i->check);
	i->check = NULL;
	op_fini(&i->op);
	bytes_unref(i->op_bytes);
	i->op_bytes = NULL;
}

static void invitation_free(struct invitation *i)
{
	end_check(i);
	*i->link = i->next;
	if (i->next)
		i->next->link = i->link;
	free(i);
}

static struct invitation *find(struct engine *e, const char *discussion, const char *candidate)
{
	for (struct invitation *i = e->invitations.first; i; i = i->next)
		if (!strcmp(i->discussion, discussion) && !strcmp(i->candidate, candidate))
			return i;
	return NULL;
}

static bool load_row(void *arg, const struct store_proposal *p)
{
	struct engine *e = arg;
	if (!strcmp(p->state, "open") && p->candidate[0] && !strcmp(p->proposer, e->identity.row.fingerprint))
		(void)invitation_new(e, p->id, p->discussion, p->candidate, p->created);
	return true;
}

void invitations_load(struct engine *e)
{
	struct err_info info;
	if (e->invitations.loaded)
		return;
	e->invitations.loaded = true;
	if (store_proposal_each(e->store, NULL, load_row, e, &info))
		engine_warn(e, "your invitations could not be read: %s", info.text);
}

void invitations_fini(struct engine *e)
{
	while (e->invitations.first)
		invitation_free(e->invitations.first);
	e->invitations.loaded = false;
}

// --- the link to a candidate, or to a sponsor -----------------------------------------------------------------------------------

// The line to that peer of an open discussion of two; NULL: there is no such discussion, or (linked) no link.
static struct line *line_to(struct engine *e, const char *peer, bool linked)
{
	for (struct discussion *d = e->discussions.first; d; d = d->next) {
		struct conversation *c = d->conversation;
		bool open = d->life.state == LIFECYCLE_OPEN || d->life.state == LIFECYCLE_SUSPENDED;
		if (!c || !open || c->count != 2)
			continue;
		struct line *l = &c->lines[c->own == 0 ? 1 : 0];
		if (!strcmp(d->members[l->member].fingerprint, peer) && (!linked || l->link))
			return l;
	}
	return NULL;
}

bool invitation_say(struct engine *e, const char *peer, struct bytes *record)
{
	struct line *l = line_to(e, peer, true);
	if (l)
		line_change(l, record);
	return l != NULL;
}

// --- INVITE -----------------------------------------------------------------------------------------------------------------

// With the members' presence records, so that the candidate sees names, and knows where they are.
static void add_presence(struct engine *e, const char *member, struct presence_parts *out)
{
	struct err_info info;
	const struct presence_parts *own;
	const struct certificate_entry *keys = certificates_get(&e->neighbours.certificates, member);
	if (!strcmp(member, e->identity.row.fingerprint)) {
		if (own_presence_get(&e->neighbours, &own, &info) == OK) {
			*out = *own;
			bytes_ref(out->record);
			bytes_ref(out->certification);
		}
	} else if (keys && keys->record && keys->certification) {
		out->record = bytes_ref(keys->record);
		out->certification = bytes_ref(keys->certification);
		memcpy(out->signature, keys->signature, sizeof out->signature);
	}
}

static enum err encode(const struct invitation *i, struct discussion *d, bool presence, struct buf *out, struct err_info *info)
{
	struct invite_record r = {.time_ms = i->time_ms, .first = d->row.h0, .count = d->member_count};
	struct buf roster;
	buf_init(&roster, ROSTER_RECORD_MAX);
	memcpy(r.discussion, d->row.id, sizeof r.discussion);
	snprintf(r.charter, sizeof r.charter, "%.*s", (int)sizeof r.charter - 1, d->row.charter);
	r.members = mem_alloc_array(d->member_count, sizeof *r.members);
	for (size_t k = 0; k < d->member_count; k++) {
		r.members[k].certificate = bytes_ref(d->members[k].certificate);
		if (presence)
			add_presence(i->engine, d->members[k].fingerprint, &r.members[k].presence);
	}
	// what our own encoder makes of R_e is R_e: every member has compared the bytes
	enum err code = roster_record_encode(&d->roster, &roster, info);
	r.roster = buf_take(&roster);
	struct hash hash = hash_of(bytes_span(r.roster));
	if (code == OK && !hash_equal(&hash, &d->roster_hash))
		code = err_set(info, ERR_CRYPTO, "the roster is not the one that was agreed on");
	if (code == OK)
		code = invite_encode(&r, out, info);
	buf_fini(&roster);
	invite_fini(&r);
	return code;
}

static void invite(struct invitation *i)
{
	struct discussion *d = discussions_get(&i->engine->discussions, i->discussion);
	struct err_info info;
	struct buf out;
	if (!d || !d->conversation || discussion_has_ended(d) || !line_to(i->engine, i->candidate, true))
		return;
	buf_init(&out, INVITE_MAX);
	enum err code = encode(i, d, true, &out, &info);
	if (code == ERR_TOO_LARGE)
		code = encode(i, d, false, &out, &info);
	if (code == OK) {
		struct bytes *record = buf_take(&out);
		(void)invitation_say(i->engine, i->candidate, record);
		bytes_unref(record);
	} else {
		log_error("an invitation into %.8s could not be written: %s", d->row.id, info.text);
	}
	buf_fini(&out);
}

// For people, who have named somebody.
static const char *name_of(struct engine *e, const char *fingerprint)
{
	const char *name = neighbours_name(&e->neighbours, fingerprint);
	return name[0] ? name : fingerprint;
}

enum err invitation_begin(struct discussion *d, const char *candidate, char proposal[33], struct err_info *info)
{
	struct engine *e = d->engine;
	if (!strcmp(candidate, discussion_own(d)))
		return err_set(info, ERR_BAD_PARAMS, "you are a member already");
	if (discussion_member(d, candidate))
		return err_set(info, ERR_BAD_PARAMS, "%s is a member already", name_of(e, candidate));
	if (d->member_count == ROSTER_MAX)
		return err_set(info, ERR_BAD_PARAMS, "the discussion has %d members: it cannot have more", ROSTER_MAX);
	if (!d->conversation || discussion_has_ended(d))
		return err_set(info, ERR_WRONG_STATE, "a discussion that is %s has nobody come in",
			       lifecycle_state_name(d->life.state));
	if (find(e, d->row.id, candidate))
		return err_set(info, ERR_BAD_PARAMS, "%s is invited already", name_of(e, candidate));
	if (!line_to(e, candidate, false))
		return err_set(info, ERR_WRONG_STATE,
			       "an invitation goes through a discussion of two, and there is none open with %s",
			       name_of(e, candidate));
	enum err code = proposals_invite(d, candidate, proposal, info);
	if (code)
		return code;
	struct store_proposal row;
	int64_t time_ms = clock_now_ms(e->clock);
	if (store_proposal_get(e->store, proposal, &row, info) == OK) {
		time_ms = row.created; // as after a restart
		store_proposal_fini(&row);
	}
	invite(invitation_new(e, proposal, d->row.id, candidate, time_ms));
	return OK;
}

// --- its end ----------------------------------------------------------------------------------------------------------------

static void say_over(struct engine *e, const char *candidate, const char *discussion, int64_t time_ms)
{
	struct decline_record r = {.time_ms = time_ms};
	struct buf out;
	memcpy(r.discussion, discussion, sizeof r.discussion);
	buf_init(&out, 4096);
	if (decline_encode(&r, &out, NULL) == OK) {
		struct bytes *record = buf_take(&out);
		(void)invitation_say(e, candidate, record);
		bytes_unref(record);
	}
	buf_fini(&out);
}

static void withdraw(struct invitation *i)
{
	say_over(i->engine, i->candidate, i->discussion, i->time_ms);
}

void invitation_ended(struct engine *e, const char *proposal)
{
	for (struct invitation *i = e->invitations.first; i; i = i->next)
		if (!strcmp(i->proposal, proposal)) {
			withdraw(i);
			invitation_free(i);
			return;
		}
}

void invitations_epoch_changed(struct discussion *d)
{
	for (struct invitation *i = d->engine->invitations.first, *next; i; i = next) {
		next = i->next;
		if (strcmp(i->discussion, d->row.id) != 0)
			continue;
		end_check(i); // of a JOIN to the epoch before
		if (discussion_has_ended(d)) {
			char proposal[33];
			memcpy(proposal, i->proposal, sizeof proposal);
			withdraw(i);
			invitation_free(i);
			proposals_close(d, proposal, "void", "");
		} else if (discussion_member(d, i->candidate)) {
			invitation_free(i);
		} else {
			invite(i);
		}
	}
}

// --- JOIN -------------------------------------------------------------------------------------------------------------------

// What comes to nothing here: the candidate is told, and people see why.
static void give_up(struct invitation *i, struct discussion *d, const char *state, const char *reason)
{
	char proposal[33];
	memcpy(proposal, i->proposal, sizeof proposal);
	invitation_free(i);
	if (d)
		proposals_close(d, proposal, state, reason);
}

static void checked(void *arg, enum err code, const struct err_info *info)
{
	struct invitation *i = arg;
	struct discussion *d = discussions_get(&i->engine->discussions, i->discussion);
	struct err_info own = *info;
	struct bytes *op = bytes_ref(i->op_bytes);
	i->check = NULL;
	end_check(i);
	if (code == OK && d)
		code = proposals_admit(d, i->proposal, op, &own);
	bytes_unref(op);
	if (code == OK || code == ERR_CANCELED)
		return;
	log_info("a JOIN to %.8s leads to nothing: %s", i->discussion, own.text);
	if (code == ERR_CRYPTO || code == ERR_BAD_INPUT || code == ERR_BAD_PARAMS) {
		withdraw(i);
		give_up(i, d, "refused", own.text);
	}
	// anything else: the candidate says JOIN again at the next link
}

static enum err make_op(struct invitation *i, struct bytes *envelope, const struct join_record *join, struct err_info *info)
{
	struct certificate_info discussion;
	char key[KEY_ID_TEXT];
	struct buf out;
	enum err code = discussion_certificate_check(bytes_span(join->certificate), &discussion, info);
	if (code)
		return code;
	key_id_format(discussion.subkeys[discussion.encryption].id, key);
	buf_init(&out, OP_MAX);
	code = admission_op(envelope, key, &out, info);
	if (code == OK) {
		i->op_bytes = buf_take(&out);
		code = op_decode(&i->op, bytes_span(i->op_bytes), info);
	}
	buf_fini(&out);
	return code;
}

// Members that get what does not hold end the sponsor's link: so it is looked at here first.
static void propose(struct invitation *i, struct discussion *d, struct bytes *envelope, const struct join_record *join)
{
	struct err_info info;
	enum err code = make_op(i, envelope, join, &info);
	if (code == OK)
		code = admission_check_start(d, &i->op, checked, i, &i->check, &info);
	if (code == OK)
		return;
	end_check(i);
	log_info("a JOIN to %.8s leads to nothing: %s", i->discussion, info.text);
	if (code == ERR_BAD_INPUT || code == ERR_TOO_LARGE) {
		withdraw(i);
		give_up(i, d, "refused", info.text);
	}
}

static bool is_proposed(struct engine *e, const struct invitation *i, const struct discussion *d)
{
	struct store_proposal row;
	if (store_proposal_get(e->store, i->proposal, &row, NULL))
		return false;
	bool is = row.op && row.epoch == d->row.epoch;
	store_proposal_fini(&row);
	return is;
}

// It ended while the candidate was away.
static void answer_late(struct engine *e, const char *candidate, const char *discussion)
{
	const struct discussion *d = discussions_get(&e->discussions, discussion);
	if (d && d->conversation && !discussion_has_ended(d) && !discussion_member(d, candidate))
		say_over(e, candidate, discussion, DECLINE_ANY);
}

static bool take_join(struct engine *e, const char *candidate, struct span record)
{
	struct envelope parts;
	struct join_record join;
	if (envelope_decode(&parts, record, NULL))
		return false;
	bool good = !strcmp(parts.type, JOIN_TYPE) && join_decode(&join, bytes_span(parts.body), NULL) == OK;
	envelope_fini(&parts);
	if (!good)
		return false;
	struct invitation *i = find(e, join.discussion, candidate);
	struct discussion *d = i ? discussions_get(&e->discussions, join.discussion) : NULL;
	good = !strcmp(join.author, candidate);
	if (good && d && d->conversation && !i->check && !is_proposed(e, i, d)) {
		struct bytes *envelope = bytes_new_span(record);
		if (hash_equal(&join.roster, &d->roster_hash))
			propose(i, d, envelope, &join);
		else
			invite(i); // to the epoch that there is now
		bytes_unref(envelope);
	} else if (good && !i) {
		answer_late(e, candidate, join.discussion);
	}
	join_fini(&join);
	return good;
}

// --- frames -----------------------------------------------------------------------------------------------------------------

// From a candidate, or from a sponsor, whose invitation stands no more.
static bool take_decline(struct engine *e, const char *peer, struct span record)
{
	struct decline_record r;
	struct err_info info;
	if (decline_decode(&r, record, NULL))
		return false;
	struct invitation *i = find(e, r.discussion, peer);
	if (!i)
		return joining_withdrawn(e, peer, record, &info) == OK;
	if (r.time_ms == i->time_ms)
		give_up(i, discussions_get(&e->discussions, i->discussion), "refused", r.reason);
	return true;
}

bool invitation_frame(struct conversation *c, size_t member, const char *type, struct span record)
{
	struct engine *e = c->engine;
	struct err_info info;
	char peer[41];
	if (c->count != 2)
		return false;
	memcpy(peer, c->discussion->members[member].fingerprint, sizeof peer);
	if (!strcmp(type, "join"))
		return take_join(e, peer, record);
	if (!strcmp(type, "decline"))
		return take_decline(e, peer, record);
	return joining_invited(e, peer, record, &info) == OK;
}

void invitation_line_up(struct conversation *c, size_t member)
{
	struct engine *e = c->engine;
	char peer[41];
	if (c->count != 2)
		return;
	memcpy(peer, c->discussion->members[member].fingerprint, sizeof peer);
	for (struct invitation *i = e->invitations.first; i; i = i->next)
		if (!strcmp(i->candidate, peer))
			invite(i);
	joining_sponsor_up(e, peer);
}
