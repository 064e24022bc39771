// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/discussion.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "discussion/member_link.h"
#include "shell/conversation.h"
#include "shell/export.h"
#include "shell/holding.h"
#include "shell/joining.h"
#include "shell/opening.h"
#include "shell/shell.h"

static void copy_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

// --- life ------------------------------------------------------------------------------------------------------------------------

static struct discussion *discussion_new(struct engine *e)
{
	struct discussion *d = mem_alloc(sizeof *d);
	d->engine = e;
	return d;
}

static void free_list(struct store_member **list, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		store_member_fini(&(*list)[i]);
	free(*list);
	*list = NULL;
	*count = 0;
}

static void free_members(struct discussion *d)
{
	free_list(&d->members, &d->member_count);
	free_list(&d->former, &d->former_count);
}

void discussion_free(struct discussion *d)
{
	export_cancel(d->export, ERR_CANCELED);
	joining_sleep(d);
	conversation_stop(d);
	holding_forget(d);
	free_members(d);
	store_discussion_fini(&d->row);
	free(d);
}

enum err discussion_create(struct engine *e, const struct discussion_birth *birth, struct discussion **out,
			   struct err_info *info)
{
	struct discussion *d = discussion_new(e);
	bool requested = birth->responder || birth->candidate;
	const char *role = birth->candidate ? DISCUSSION_CANDIDATE : birth->responder ? "responder" : "initiator";
	d->life = lifecycle_begin(requested ? LIFECYCLE_REQUESTED : LIFECYCLE_REQUESTING,
				  e->options.resume_window_s * 1000, e->options.opening_timeout_s * 1000);
	d->held_back = requested;
	copy_text(d->row.id, sizeof d->row.id, birth->id);
	copy_text(d->row.other, sizeof d->row.other, birth->other);
	copy_text(d->row.state, sizeof d->row.state, lifecycle_state_name(d->life.state));
	copy_text(d->row.mode, sizeof d->row.mode, birth->mode == HANDSHAKE_PINNED ? "pinned" : "password");
	copy_text(d->row.role, sizeof d->row.role, role);
	copy_text(d->row.charter, sizeof d->row.charter, birth->charter);
	d->row.created = clock_now_ms(e->clock);
	if (birth->key)
		discussion_take_key(d, birth->key);
	enum err code = store_discussion_create(e->store, &d->row, info);
	if (code) {
		d->home = NULL; // still the caller's
		discussion_free(d);
		return code;
	}
	discussions_add(&e->discussions, d);
	*out = d;
	return OK;
}

static bool keep_member(void *arg, const struct store_member *m)
{
	struct discussion *d = arg;
	store_member_copy(&d->members[d->member_count++], m);
	return d->member_count < STORE_MEMBERS_MAX;
}

// Of more than there is room for the last ones stay: who went long ago has been told, or never will be.
static bool keep_former(void *arg, const struct store_member *m)
{
	struct discussion *d = arg;
	if (d->former_count == STORE_MEMBERS_MAX) {
		store_member_fini(&d->former[0]);
		memmove(d->former, d->former + 1, --d->former_count * sizeof *d->former);
	}
	store_member_copy(&d->former[d->former_count++], m);
	return true;
}

static enum err load_members(struct discussion *d, struct err_info *info)
{
	struct store *s = d->engine->store;
	free_members(d);
	d->members = mem_alloc_array(STORE_MEMBERS_MAX, sizeof *d->members);
	enum err code = store_member_each(s, d->row.id, d->row.epoch, keep_member, d, info);
	if (code == OK && d->member_count != d->roster.count)
		code = err_set(info, ERR_CRYPTO, "the discussion %s has lost members on disk", d->row.id);
	if (code || d->row.epoch == 0)
		return code;
	d->former = mem_alloc_array(STORE_MEMBERS_MAX, sizeof *d->former);
	return store_member_each_former(s, d->row.id, d->row.epoch, keep_former, d, info);
}

enum err discussion_load_roster(struct discussion *d, struct err_info *info)
{
	struct store_epoch epoch;
	enum err code = store_epoch_get(d->engine->store, d->row.id, d->row.epoch, &epoch, info);
	if (code)
		return code;
	d->roster_hash = epoch.roster_hash;
	code = roster_decode(&d->roster, bytes_span(epoch.roster), info);
	store_epoch_fini(&epoch);
	return code ? code : load_members(d, info);
}

enum err discussion_restore(struct engine *e, struct store_discussion *row, struct discussion **out, struct err_info *info)
{
	struct discussion *d = discussion_new(e);
	d->row = *row;
	memset(row, 0, sizeof *row);
	enum err code = OK;
	if (!lifecycle_state_parse(d->row.state, &d->life.state))
		code = err_set(info, ERR_CRYPTO, "the discussion %s is in no known state", d->row.id);
	if (!lifecycle_reason_parse(d->row.reason, &d->life.reason))
		d->life.reason = LIFECYCLE_NO_REASON;
	d->life.founded = d->row.has_h0;
	d->life.window_ms = e->options.resume_window_s * 1000;
	d->life.opening_ms = e->options.opening_timeout_s * 1000;
	d->life.since = d->row.suspended_at;
	if (code == OK && d->row.has_h0)
		code = discussion_load_roster(d, info);
	d->life.members = d->member_count;
	if (code) {
		discussion_free(d);
		return code;
	}
	*out = d;
	return OK;
}

// --- states ------------------------------------------------------------------------------------------------------------------------

static enum err save(struct discussion *d, struct err_info *info)
{
	int64_t now = clock_now_ms(d->engine->clock);
	copy_text(d->row.state, sizeof d->row.state, lifecycle_state_name(d->life.state));
	copy_text(d->row.reason, sizeof d->row.reason, lifecycle_reason_name(d->life.reason));
	d->row.suspended_at = d->life.since;
	if ((d->life.state == LIFECYCLE_OPEN || d->life.state == LIFECYCLE_SUSPENDED) && !d->row.opened)
		d->row.opened = now;
	if (discussion_has_ended(d) && !d->row.ended)
		d->row.ended = now;
	return store_discussion_update(d->engine->store, &d->row, info);
}

void discussion_keep(struct discussion *d)
{
	struct err_info info;
	d->row_waits = store_discussion_update(d->engine->store, &d->row, &info) != OK;
	if (d->row_waits)
		health_store_failed(d->engine, &info, "a discussion could not be stored");
}

void discussion_destroy_key(struct discussion *d)
{
	if (d->home)
		home_destroy_start(d->home, engine_ignore_result, NULL);
	d->home = NULL;
	if (!d->row.home[0])
		return;
	d->row.home[0] = 0;
	discussion_keep(d);
}

static void on_deadline(void *arg)
{
	discussion_happens(arg, LIFECYCLE_DEADLINE, LIFECYCLE_NO_REASON);
}

static void tell(struct discussion *d, unsigned set)
{
	static const struct {
		unsigned bit;
		const char *type;
	} events[] = {
		{LIFECYCLE_TELL_OPENED, "discussion.opened"},	{LIFECYCLE_TELL_SUSPENDED, "discussion.suspended"},
		{LIFECYCLE_TELL_RESUMED, "discussion.resumed"}, {LIFECYCLE_TELL_CLOSED, "discussion.closed"},
		{LIFECYCLE_TELL_REFUSED, "discussion.refused"}, {LIFECYCLE_TELL_FROZEN, "discussion.frozen"},
	};
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		if (set & events[i].bit)
			discussion_emit(d, events[i].type);
}

// Refused requests pile up where strangers knock: the list keeps the newest.
static void prune(struct discussion *d)
{
	struct engine *e = d->engine;
	struct err_info info;
	if (store_discussion_prune(e->store, (size_t)e->options.ended_kept, &info))
		health_store_failed(e, &info, "old requests could not be dropped");
	loop_defer(e->loop, &e->discussions.prune_turn, discussions_prune, &e->discussions);
}

// P2.7, where a discussion opens, and not where its handshake ends: the last step of that may be lost with its link or its core,
// and members' links open the discussion then. The password was proved before it was founded.
static void pin_by_password(struct discussion *d)
{
	if (strcmp(d->row.mode, "password") == 0)
		neighbours_pin(&d->engine->neighbours, d->row.other);
}

static void carry_out(struct discussion *d, const struct lifecycle_actions *actions)
{
	struct engine *e = d->engine;
	unsigned set = actions->set;
	if (set & LIFECYCLE_END_HANDSHAKE && d->opening)
		opening_end(d->opening, HANDSHAKE_REASON_REFUSED);
	if (set & LIFECYCLE_END_TRANSCRIPT)
		conversation_end_transcript(d->conversation);
	if (set & LIFECYCLE_CLOSE_OUTBOX)
		conversation_close(d->conversation);
	if (set & LIFECYCLE_ABANDON_OUTBOX)
		conversation_abandon(d->conversation);
	if (set & LIFECYCLE_DESTROY_KEY)
		discussion_destroy_key(d);
	if (set & LIFECYCLE_DIAL)
		conversation_dial(d->conversation);
	if (set & LIFECYCLE_CLEAR_DEADLINE)
		timer_cancel(e->loop, &d->deadline);
	if (set & LIFECYCLE_SET_DEADLINE)
		timer_start(e->loop, &d->deadline, actions->deadline_ms, on_deadline, d);
	if (set & LIFECYCLE_TELL_OPENED)
		pin_by_password(d);
	tell(d, set);
	if (discussion_has_ended(d) && !d->row.opened)
		prune(d);
}

// The lifecycle's step, as far as the row: what else is to be done is for carry_out, once the row is on disk.
static enum err step(struct discussion *d, const struct lifecycle_event *event, struct lifecycle_actions *out,
		     struct err_info *info)
{
	struct lifecycle before = d->life;
	struct store_discussion row = d->row;
	*out = lifecycle_step(&d->life, event);
	if (!(out->set & LIFECYCLE_SAVE))
		return OK;
	enum err code = save(d, info);
	if (code) {
		d->life = before;
		d->row = row;
	}
	return code;
}

enum err discussion_step(struct discussion *d, enum lifecycle_event_type type, enum lifecycle_reason reason,
			 struct err_info *info)
{
	const struct lifecycle_event event = {.type = type, .reason = reason, .now_ms = clock_now_ms(d->engine->clock)};
	struct lifecycle_actions actions;
	enum err code = step(d, &event, &actions, info);
	if (code == OK)
		carry_out(d, &actions);
	return code;
}

static void step_waiting(struct discussion *d)
{
	struct err_info info;
	enum lifecycle_event_type type;
	enum lifecycle_reason reason;
	while (lifecycle_queue_take(&d->waiting, &type, &reason)) {
		enum err code = discussion_step(d, type, reason, &info);
		if (code)
			health_store_failed(d->engine, &info, "a discussion could not be stored");
		if (code == ERR_IO) {
			lifecycle_queue_put_back(&d->waiting, type, reason);
			return;
		}
	}
}

void discussion_happens(struct discussion *d, enum lifecycle_event_type type, enum lifecycle_reason reason)
{
	lifecycle_queue_add(&d->waiting, type, reason);
	step_waiting(d);
}

void discussion_recover(struct discussion *d)
{
	if (d->row_waits)
		discussion_keep(d);
	step_waiting(d);
	conversation_recover(d->conversation);
}

bool discussion_has_ended(const struct discussion *d)
{
	return d->life.state == LIFECYCLE_CLOSED || d->life.state == LIFECYCLE_REFUSED;
}

bool discussion_ended_here(const struct discussion *d)
{
	return d->life.reason == LIFECYCLE_REASON_CLOSED || d->life.reason == LIFECYCLE_REASON_RESUME_WINDOW;
}

// --- the handshake's way through --------------------------------------------------------------------------------------------------

void discussion_take_key(struct discussion *d, const struct fresh_key *key)
{
	d->home = key->home;
	copy_text(d->row.home, sizeof d->row.home, home_name(key->home));
	bytes_unref(d->row.certificate);
	d->row.certificate = bytes_ref(key->certificate);
}

// Roster, members and the state in one transaction.
static enum err write_founding(struct discussion *d, const struct discussion_founding *f, struct lifecycle_actions *actions,
			       struct err_info *info)
{
	const struct lifecycle_event founded = {.type = LIFECYCLE_FOUNDED, .now_ms = clock_now_ms(d->engine->clock)};
	d->row.has_h0 = true;
	d->row.h0 = f->first;
	d->row.epoch = f->epoch;
	copy_text(d->row.charter, sizeof d->row.charter, f->charter);
	d->life.members = f->members;
	enum err code = step(d, &founded, actions, info);
	return code ? code : f->write(f->arg, info);
}

enum err discussion_found(struct discussion *d, const struct discussion_founding *f, struct err_info *info)
{
	struct store *s = d->engine->store;
	struct store_discussion row = d->row;
	struct lifecycle life = d->life;
	struct lifecycle_actions actions = {0};
	// gpg's files must be on disk before the row that names them
	enum err code = home_settle(d->home, info);
	if (code == OK)
		code = store_begin(s, info);
	if (code)
		return code;
	code = store_end(s, write_founding(d, f, &actions, info), info);
	if (code) {
		d->row = row;
		d->life = life;
		return code;
	}
	code = discussion_load_roster(d, info);
	if (code == OK)
		carry_out(d, &actions);
	return code;
}

void discussion_opened(struct discussion *d, struct link *link, const char *other, bool dialled)
{
	conversation_start(d);
	if (d->conversation)
		conversation_take_link(d->conversation, link, other, dialled, NULL);
	else
		network_let_go(&d->engine->network, link);
}

void discussion_announce_request(struct discussion *d)
{
	d->held_back = false;
	discussion_emit(d, "discussion.requested");
}

bool discussion_is_held_back(const struct discussion *d)
{
	return d->held_back;
}

// --- reading ---------------------------------------------------------------------------------------------------------------------

struct home *discussion_home(const struct discussion *d)
{
	return d->home;
}

const char *discussion_own(const struct discussion *d)
{
	return d->engine->identity.row.fingerprint;
}

static bool matches_former(const struct discussion *d, struct span l1, size_t *number)
{
	struct roster_record former = {.count = d->former_count};
	memcpy(former.discussion, d->row.id, sizeof former.discussion);
	for (size_t i = 0; i < d->former_count; i++)
		memcpy(former.members[i].fingerprint, d->former[i].fingerprint, sizeof former.members[i].fingerprint);
	if (!member_link_match(l1, &d->row.h0, &former, discussion_own(d), number))
		return false;
	*number += d->member_count;
	return true;
}

bool discussion_matches(const struct discussion *d, struct span l1, size_t *number)
{
	if (!d->row.has_h0)
		return false;
	return member_link_match(l1, &d->row.h0, &d->roster, discussion_own(d), number) ||
	       (d->former_count && matches_former(d, l1, number));
}

const struct store_member *discussion_anyone(const struct discussion *d, size_t number)
{
	return number < d->member_count ? &d->members[number] : &d->former[number - d->member_count];
}

const struct store_member *discussion_member(const struct discussion *d, const char *fingerprint)
{
	for (size_t i = 0; i < d->member_count; i++)
		if (strcmp(d->members[i].fingerprint, fingerprint) == 0)
			return &d->members[i];
	return NULL;
}

void discussion_emit(struct discussion *d, const char *type)
{
	engine_emit(d->engine, type, "discussion", discussion_view(d));
}
