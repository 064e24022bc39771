// SPDX-License-Identifier: GPL-3.0-or-later
// The joining machine's life; the invitation, and what is made to answer it. The chain is joining_chain.c's.
#include "discussion/joining.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/admission.h"
#include "discussion/joining_machine.h"

// --- life -------------------------------------------------------------------------------------------------------------------

struct joining *joining_new(const struct joining_config *config)
{
	struct joining *j = mem_alloc(sizeof *j);
	j->config = *config;
	j->queue = mem_alloc_array(JOINING_QUEUE_MAX, sizeof *j->queue);
	return j;
}

void joining_free(struct joining *j)
{
	if (!j)
		return;
	joining_chain_clear(j);
	for (size_t i = 0; i < j->people_count; i++) {
		bytes_unref(j->people[i].is.certificate);
		bytes_unref(j->people[i].is.binding);
		bytes_unref(j->people[i].is.general);
	}
	free(j->people);
	free(j->works);
	free(j->queue);
	invite_fini(&j->invite);
	bytes_unref(j->invite_bytes);
	bytes_unref(j->certificate);
	bytes_unref(j->general);
	bytes_unref(j->binding);
	bytes_unref(j->join);
	bytes_unref(j->join_body);
	free(j);
}

// --- the JOIN ---------------------------------------------------------------------------------------------------------------

static void send_join(struct joining *j)
{
	joining_act(j, JOINING_SEND)->record = bytes_ref(j->join);
}

// Whether all members' certificates are in the home, and are what the roster says.
static bool members_are_there(struct joining *j)
{
	bool all = true;
	for (size_t i = 0; i < j->roster.count; i++) {
		const struct roster_record_member *m = &j->roster.members[i];
		struct person *p = joining_meet(j, m->fingerprint, j->invite.members[i].certificate);
		if (!p) {
			joining_fail(j, "more members have come and gone than can be kept");
			return false;
		}
		joining_import(j, p);
		all = all && p->import == JOINING_IMPORTED;
		if (p->import == JOINING_IMPORTED && strcmp(p->is.key, m->key)) {
			joining_fail(j, "the invitation's roster has another key of %.8s than its certificate", m->fingerprint);
			return false;
		}
	}
	return all;
}

static void sign_binding(struct joining *j)
{
	struct bytes *body = admission_binding(j->config.discussion, &j->roster.charter, &j->certificate_hash, j->config.own);
	if (!body) {
		joining_fail(j, "a binding that cannot be made");
		return;
	}
	struct joining_action *x = joining_act(j, JOINING_SIGN_BINDING);
	x->sign.body = body;
	x->ticket = j->binding_ticket = joining_work(j, WORK_BINDING, 0);
}

static enum err join_body(struct joining *j, struct buf *out, struct err_info *info)
{
	struct join_record r = {.roster = j->roster_hash,
				.charter = j->roster.charter,
				.certificate = j->certificate,
				.binding = j->binding,
				.general = j->general,
				.presence = *j->presence};
	memcpy(r.discussion, j->config.discussion, sizeof r.discussion);
	memcpy(r.author, j->config.own, sizeof r.author);
	return join_encode(&r, out, info);
}

static void sign_join(struct joining *j)
{
	struct buf body, input;
	struct err_info info;
	if (!j->presence)
		return; // with the next event that brings one
	buf_init(&body, JOIN_MAX);
	buf_init(&input, JOIN_MAX + RECORD_TYPE_SIZE);
	enum err code = join_body(j, &body, &info);
	if (code == OK)
		code = signed_input(&input, JOIN_TYPE, buf_span(&body));
	if (code) {
		joining_fail(j, "a JOIN that cannot be made");
	} else {
		bytes_unref(j->join_body);
		j->join_body = buf_take(&body);
		struct joining_action *x = joining_act(j, JOINING_SIGN_JOIN);
		x->sign.body = buf_take(&input);
		x->ticket = j->join_ticket = joining_work(j, WORK_JOIN, 0);
	}
	buf_fini(&body);
	buf_fini(&input);
}

// Whatever is missing for a JOIN to the invitation's epoch is begun.
static void prepare(struct joining *j)
{
	if (j->phase != JOINING_ACCEPTED || j->join || !members_are_there(j))
		return;
	if (j->binding && !j->join_ticket)
		sign_join(j);
	else if (!j->binding && !j->binding_ticket)
		sign_binding(j);
}

static void join_signed(struct joining *j, struct bytes *signature)
{
	struct envelope e = {.type = JOIN_TYPE, .body = j->join_body, .signature = signature};
	struct buf b;
	struct err_info info;
	buf_init(&b, OP_JOIN_MAX);
	if (envelope_encode(&e, &b, &info)) {
		joining_fail(j, "a JOIN that cannot be made: %s", info.text);
	} else {
		j->join = buf_take(&b);
		send_join(j);
	}
	buf_fini(&b);
}

// The own key could not be used: where it is only locked, or its card not there, it is tried again.
static bool may_use(struct joining *j, const struct joining_event *event)
{
	enum err code = event->result.code;
	if (code == OK && event->result.bytes)
		return true;
	if (code != ERR_LOCKED && code != ERR_CANCELED && code != ERR_BUSY && code != ERR_TIMEOUT)
		joining_fail(j, "your key could not sign: %s", err_name(code));
	return false;
}

static void own_result(struct joining *j, const struct work *w, const struct joining_event *event)
{
	uint64_t *ticket = w->kind == WORK_BINDING ? &j->binding_ticket : &j->join_ticket;
	if (*ticket != w->ticket)
		return; // of an invitation that was replaced
	*ticket = 0;
	if (j->phase != JOINING_ACCEPTED || !may_use(j, event))
		return;
	if (w->kind == WORK_JOIN) {
		join_signed(j, event->result.bytes);
	} else {
		j->binding = bytes_ref(event->result.bytes);
		prepare(j);
	}
}

static void imported(struct joining *j, size_t index, const struct joining_event *event)
{
	struct person *p = &j->people[index];
	if (event->result.code) {
		p->import = JOINING_NOT_IMPORTED;
		if (event->result.code == ERR_CANCELED || event->result.code == ERR_BUSY)
			return;
		joining_fail(j, "the certificate of %.8s is of no use: %s", p->is.fingerprint, err_name(event->result.code));
		return;
	}
	p->import = JOINING_IMPORTED;
	memcpy(p->is.key_fingerprint, event->result.fingerprint, sizeof p->is.key_fingerprint);
	memcpy(p->is.key, event->result.id, sizeof p->is.key);
	prepare(j);
	joining_go_on(j);
}

static void result(struct joining *j, const struct joining_event *event)
{
	size_t i = 0;
	while (i < j->work_count && j->works[i].ticket != event->result.ticket)
		i++;
	if (i == j->work_count)
		return;
	struct work w = j->works[i];
	j->works[i] = j->works[--j->work_count];
	switch (w.kind) {
	case WORK_IMPORT:
		imported(j, w.index, event);
		break;
	case WORK_BINDING:
	case WORK_JOIN:
		own_result(j, &w, event);
		break;
	case WORK_FOUNDER:
		joining_founder_checked(j, w.index, event->result.code);
		break;
	case WORK_STATEMENT:
		joining_statement_checked(j, w.index, event->result.code);
		break;
	}
}

// --- the invitation ---------------------------------------------------------------------------------------------------------

static void drop(struct joining *j, const char *member, const struct err_info *info)
{
	struct joining_action *x = joining_act(j, JOINING_DROP);
	memcpy(x->member, member, sizeof x->member);
	x->why = *info;
}

static const char *invite_problem(const struct joining *j, const struct invite_record *r, const struct roster_record *roster,
				  const struct hash *hash)
{
	struct hash charter = hash_of(span_string(r->charter));
	if (strcmp(r->discussion, j->config.discussion) || strcmp(roster->discussion, j->config.discussion))
		return "its roster is another discussion's";
	if (!hash_equal(&charter, &roster->charter))
		return "its charter is not the roster's";
	if (roster->epoch == 0 && !hash_equal(hash, &r->first))
		return "it does not begin where its roster does";
	if (r->count != roster->count)
		return "it has more or fewer certificates than members";
	for (size_t i = 0; i < r->count; i++) {
		struct hash certificate = hash_of(bytes_span(r->members[i].certificate));
		if (!hash_equal(&certificate, &roster->members[i].certificate))
			return "a certificate is not the one that its roster names";
	}
	if (roster_position(roster, j->config.sponsor) == ROSTER_NOBODY)
		return "who invites is no member";
	if (roster_position(roster, j->config.own) != ROSTER_NOBODY)
		return "this core is a member already";
	if (j->phase != JOINING_WAITS && !hash_equal(&r->first, &j->invite.first))
		return "the discussion began otherwise before";
	return NULL;
}

// Whether the person, who has accepted the one, need not be asked for the other: nobody has come or gone.
static bool same_people(const struct roster_record *a, const struct roster_record *b)
{
	if (a->count != b->count || !hash_equal(&a->charter, &b->charter))
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (roster_position(b, a->members[i].fingerprint) == ROSTER_NOBODY)
			return false;
	return true;
}

static void agree(struct joining *j)
{
	if (j->head_count == JOINING_HEADS_MAX)
		memmove(j->heads, j->heads + 1, --j->head_count * sizeof *j->heads);
	j->heads[j->head_count++] = (struct joining_head){.epoch = j->roster.epoch, .hash = j->roster_hash};
	joining_act(j, JOINING_KEEP);
	prepare(j);
}

// The newer one is taken; what was made for the older one is not for this.
static void replace(struct joining *j, struct invite_record *r, const struct roster_record *roster, const struct hash *hash,
		    struct span text)
{
	bool agreed = j->phase == JOINING_ACCEPTED && same_people(&j->roster, roster);
	if (!hash_equal(&j->roster.charter, &roster->charter)) {
		bytes_unref(j->binding);
		j->binding = NULL;
		j->binding_ticket = 0;
	}
	bytes_unref(j->join);
	j->join = NULL;
	j->join_ticket = 0;
	invite_fini(&j->invite);
	bytes_unref(j->invite_bytes);
	j->invite = *r;
	j->invite_bytes = bytes_new_span(text);
	j->roster = *roster;
	j->roster_hash = *hash;
	j->phase = agreed ? JOINING_ACCEPTED : JOINING_INVITED;
	if (agreed) {
		agree(j);
		return;
	}
	joining_act(j, JOINING_KEEP);
	joining_act(j, JOINING_ASK);
}

static void take_invite(struct joining *j, struct span text)
{
	struct invite_record r;
	struct roster_record roster;
	struct err_info info;
	if (invite_decode(&r, text, &info)) {
		drop(j, j->config.sponsor, &info);
		return;
	}
	struct hash hash = hash_of(bytes_span(r.roster));
	const char *why = NULL;
	if (roster_decode(&roster, bytes_span(r.roster), &info) == OK)
		why = invite_problem(j, &r, &roster, &hash);
	else
		why = info.text;
	bool newer = j->phase == JOINING_WAITS || r.time_ms > j->invite.time_ms ||
		     (r.time_ms == j->invite.time_ms && roster.epoch > j->roster.epoch);
	bool same = j->phase != JOINING_WAITS && r.time_ms == j->invite.time_ms && hash_equal(&hash, &j->roster_hash);
	if (why) {
		struct err_info told = {.code = OK};
		(void)err_set(&told, ERR_BAD_INPUT, "an invitation that does not hold: %s", why);
		drop(j, j->config.sponsor, &told);
	} else if (newer) {
		replace(j, &r, &roster, &hash, text);
		return; // taken
	} else if (same && j->join) {
		send_join(j);
	}
	invite_fini(&r);
}

static void accept(struct joining *j, const struct joining_event *event)
{
	if (j->phase != JOINING_INVITED)
		return;
	if (!j->certificate) {
		j->certificate = bytes_ref(event->key.certificate);
		j->general = bytes_ref(event->key.general);
		j->certificate_hash = hash_of(bytes_span(j->certificate));
	}
	j->phase = JOINING_ACCEPTED;
	agree(j);
}

static void withdrawn(struct joining *j, int64_t time_ms)
{
	if (j->phase == JOINING_WAITS || (time_ms != j->invite.time_ms && time_ms != DECLINE_ANY))
		return;
	joining_fail(j, "the invitation stands no more");
	j->out->list[j->out->count - 1].why.code = ERR_REFUSED;
}

// --- events -----------------------------------------------------------------------------------------------------------------

static void take_event(struct joining *j, const struct joining_event *event)
{
	switch (event->type) {
	case JOINING_EVENT_RESTORE:
		take_invite(j, event->invite);
		if (event->key.certificate)
			accept(j, event);
		break;
	case JOINING_EVENT_INVITE:
		take_invite(j, event->invite);
		break;
	case JOINING_EVENT_WITHDRAWN:
		withdrawn(j, event->withdrawn.time_ms);
		break;
	case JOINING_EVENT_ACCEPT:
		accept(j, event);
		break;
	case JOINING_EVENT_SPONSOR_UP:
		if (j->join)
			send_join(j);
		else
			prepare(j);
		break;
	case JOINING_EVENT_RESULT:
		result(j, event);
		break;
	case JOINING_EVENT_CHAIN:
		joining_chain(j, event->chain.member, event->chain.record);
		break;
	case JOINING_EVENT_LINK_DOWN:
		if (!strcmp(event->member, j->guide))
			joining_lose_guide(j, NULL, false);
		break;
	case JOINING_EVENT_DEADLINE:
		joining_lose_guide(j, "nothing has come of the chain for a while", false);
		break;
	}
}

void joining_step(struct joining *j, const struct joining_event *event, struct joining_actions *out)
{
	if (j->phase == JOINING_OVER)
		return;
	j->out = out;
	j->presence = event->presence;
	take_event(j, event);
	j->presence = NULL;
	j->out = NULL;
}

// --- reading ----------------------------------------------------------------------------------------------------------------

enum joining_phase joining_phase(const struct joining *j)
{
	return j->phase;
}

bool joining_is_full(const struct joining *j)
{
	return j->phase == JOINING_ACCEPTED && j->queue_count >= JOINING_FULL_AT;
}

const struct invite_record *joining_invite(const struct joining *j)
{
	return &j->invite;
}

struct bytes *joining_invite_bytes(const struct joining *j)
{
	return j->invite_bytes;
}

const struct roster_record *joining_roster(const struct joining *j)
{
	return &j->roster;
}

struct hash joining_roster_hash(const struct joining *j)
{
	return j->roster_hash;
}

struct bytes *joining_own_binding(const struct joining *j)
{
	return j->binding;
}

const struct joining_person *joining_person(const struct joining *j, const struct hash *certificate)
{
	const struct person *p = joining_find(j, certificate);
	return p ? &p->is : NULL;
}

size_t joining_epochs(const struct joining *j, const struct joining_epoch **list)
{
	*list = j->epochs;
	return j->epoch_count;
}
