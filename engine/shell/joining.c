// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/joining.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "discussion/words.h"
#include "shell/conversation.h"
#include "shell/invitation.h"
#include "shell/joining_parts.h"
#include "shell/own_presence.h"
#include "shell/shell.h"
#include "store/joinings.h"
#include "wire/join.h"

#define AGAIN_MS 1000 // after a founding that the disk did not take

// --- life -------------------------------------------------------------------------------------------------------------------

static void dial_round(void *arg, struct endpoint_list *out)
{
	struct candidacy *c = arg;
	const struct peer *p = neighbours_get(&c->engine->neighbours, c->discussion->row.other);
	*out = p ? p->addresses : (struct endpoint_list){0};
}

static void dial_one(void *arg, const struct addr *to)
{
	joining_link_dial(arg, to);
}

struct candidacy *candidacy_new(struct discussion *d)
{
	struct candidacy *c = mem_alloc(sizeof *c);
	struct joining_config config = {0};
	c->engine = d->engine;
	c->discussion = d;
	c->dialer = (struct dialer){.loop = d->engine->loop,
				    .random = d->engine->random,
				    .round = dial_round,
				    .dial = dial_one,
				    .arg = c};
	memcpy(config.own, discussion_own(d), sizeof config.own);
	memcpy(config.sponsor, d->row.other, sizeof config.sponsor);
	memcpy(config.discussion, d->row.id, sizeof config.discussion);
	c->machine = joining_new(&config);
	d->candidacy = c;
	return c;
}

void candidacy_free(struct candidacy *c)
{
	struct loop *loop = c->engine->loop;
	c->discussion->candidacy = NULL;
	spare_cancel(&c->waiter);
	dialer_stop(&c->dialer);
	timer_cancel(loop, &c->deadline);
	timer_cancel(loop, &c->announcement);
	deferred_cancel(loop, &c->end_turn);
	joining_work_cancel(c);
	joining_links_drop(c, "the end of joining");
	joining_free(c->machine);
	free(c);
}

bool joining_is(const struct discussion *d)
{
	return strcmp(d->row.role, DISCUSSION_CANDIDATE) == 0 && !d->row.has_h0;
}

// Who the members are: by name at once, proven once the chain has told their general certificates.
static void learn(struct candidacy *c)
{
	const struct invite_record *r = joining_invite(c->machine);
	const struct roster_record *roster = joining_roster(c->machine);
	const struct peer *sponsor = neighbours_get(&c->engine->neighbours, c->discussion->row.other);
	if (!sponsor || !sponsor->addresses.count)
		return;
	const struct addr from = sponsor->addresses.at[0].endpoint;
	for (size_t i = 0; i < r->count; i++) {
		const struct joining_person *p = joining_person(c->machine, &roster->members[i].certificate);
		if (r->members[i].presence.record)
			neighbours_introduce(&c->engine->neighbours, roster->members[i].fingerprint, &r->members[i].presence,
					     bytes_span(p ? p->general : NULL), &from);
	}
}

void candidacy_vanish(struct candidacy *c)
{
	struct discussion *d = c->discussion;
	struct engine *e = c->engine;
	struct err_info info;
	candidacy_free(c);
	if (store_discussion_forget(e->store, d->row.id, &info))
		health_store_failed(e, &info, "an invitation that is none any more is still there");
	discussions_remove(&e->discussions, d);
}

// --- its end ----------------------------------------------------------------------------------------------------------------

static void end(void *arg)
{
	struct candidacy *c = arg;
	struct discussion *d = c->discussion;
	struct engine *e = c->engine;
	struct err_info info;
	if (!c->founded && discussion_is_held_back(d)) {
		candidacy_vanish(c);
		return;
	}
	if (!c->founded) {
		enum lifecycle_reason reason = c->reason;
		if (c->why[0])
			engine_warn(e, "the discussion %.8s could not be joined: %s", d->row.id, c->why);
		candidacy_free(c);
		discussion_happens(d, LIFECYCLE_END, reason);
		return;
	}
	if (joining_found(c, &info)) {
		health_store_failed(e, &info, "a discussion that was joined could not be stored");
		timer_start(e->loop, &c->deadline, AGAIN_MS, end, c);
		return;
	}
	learn(c);
	conversation_start(d);
	joining_links_hand_over(c, d->row.epoch);
	candidacy_free(c);
	if (d->life.state == LIFECYCLE_OPENING)
		discussion_happens(d, LIFECYCLE_ALONE, LIFECYCLE_NO_REASON);
	conversation_dial(d->conversation);
}

static void end_later(struct candidacy *c, bool founded, enum lifecycle_reason reason, const char *why)
{
	c->founded = founded;
	c->reason = reason;
	snprintf(c->why, sizeof c->why, "%s", why);
	dialer_stop(&c->dialer);
	timer_cancel(c->engine->loop, &c->deadline);
	loop_defer(c->engine->loop, &c->end_turn, end, c);
}

// --- actions ----------------------------------------------------------------------------------------------------------------

static void keep(struct candidacy *c)
{
	struct err_info info;
	const struct store_joining row = {.accepted = joining_phase(c->machine) == JOINING_ACCEPTED,
					  .invite = joining_invite_bytes(c->machine)};
	if (store_joining_put(c->engine->store, c->discussion->row.id, &row, &info))
		health_store_failed(c->engine, &info, "an invitation could not be stored");
	snprintf(c->discussion->row.charter, sizeof c->discussion->row.charter, "%s", joining_invite(c->machine)->charter);
	discussion_keep(c->discussion);
}

// A peer may invite ever anew; people are asked a few times, and then of what there is by then.
static void announce(void *arg)
{
	struct candidacy *c = arg;
	struct engine *e = c->engine;
	struct limits *limits = e->neighbours.limits;
	const struct peer *sponsor = neighbours_get(&e->neighbours, c->discussion->row.other);
	const struct addr from = sponsor && sponsor->addresses.count ? sponsor->addresses.at[0].endpoint : (struct addr){0};
	int64_t now = loop_now_ms(e->loop);
	if (c->discussion->life.state != LIFECYCLE_REQUESTED)
		return; // answered meanwhile
	timer_cancel(e->loop, &c->announcement);
	if (limits_take(limits, LIMIT_INVITE, &from, false, now) == LIMIT_PASS) {
		discussion_announce_request(c->discussion);
		return;
	}
	metrics_count(&e->metrics, "events_withheld", "discussion.requested");
	timer_start(e->loop, &c->announcement, limits_wait_ms(limits, LIMIT_INVITE, &from, false, now), announce, c);
}

// Who has accepted may have to be asked again: then it is a request once more.
static void ask(struct candidacy *c)
{
	struct discussion *d = c->discussion;
	dialer_stop(&c->dialer);
	joining_links_drop(c, "the person is asked again");
	learn(c);
	if (c->waking)
		return;
	if (d->life.state == LIFECYCLE_OPENING)
		discussion_happens(d, LIFECYCLE_ASK_AGAIN, LIFECYCLE_NO_REASON);
	announce(c);
}

static void on_deadline(void *arg)
{
	struct joining_event event = {.type = JOINING_EVENT_DEADLINE};
	candidacy_feed(arg, &event);
}

static void drop(struct candidacy *c, const struct joining_action *a)
{
	log_info("what %.8s sent of %.8s is of no use: %s", a->member, c->discussion->row.id, a->why.text);
	metrics_count(&c->engine->metrics, "joining_dropped", NULL);
}

static void refused(struct candidacy *c, const struct joining_action *a)
{
	end_later(c, false, a->why.code == ERR_REFUSED ? LIFECYCLE_REASON_REFUSED : LIFECYCLE_REASON_FAILED,
		  a->why.code == ERR_REFUSED ? "" : a->why.text);
}

static void carry_out(struct candidacy *c, const struct joining_action *a)
{
	switch (a->type) {
	case JOINING_ASK:
		ask(c);
		break;
	case JOINING_KEEP:
		keep(c);
		break;
	case JOINING_IMPORT:
	case JOINING_SIGN_BINDING:
	case JOINING_SIGN_JOIN:
	case JOINING_VET:
	case JOINING_VERIFY:
		joining_work_begin(c, a);
		break;
	case JOINING_SEND:
		(void)invitation_say(c->engine, c->discussion->row.other, a->record);
		dialer_start(&c->dialer);
		break;
	case JOINING_WANT_CHAIN:
		// each is sent it once on a link: so there are to be others
		joining_links_drop(c, "the chain is asked for anew");
		dialer_start(&c->dialer);
		break;
	case JOINING_DEADLINE:
		timer_start(c->engine->loop, &c->deadline, a->ms, on_deadline, c);
		break;
	case JOINING_DROP:
		drop(c, a);
		break;
	case JOINING_FOUNDED:
		end_later(c, true, LIFECYCLE_NO_REASON, "");
		break;
	case JOINING_REFUSED:
		refused(c, a);
		break;
	}
}

void candidacy_feed(struct candidacy *c, struct joining_event *event)
{
	struct joining_actions actions;
	struct err_info info;
	const struct presence_parts *own = NULL;
	event->presence = own_presence_get(&c->engine->neighbours, &own, &info) == OK ? own : NULL;
	joining_actions_init(&actions);
	joining_step(c->machine, event, &actions);
	for (size_t i = 0; i < actions.count; i++)
		carry_out(c, &actions.list[i]);
	joining_actions_fini(&actions);
	joining_links_pause(c, joining_is_full(c->machine));
}

// --- the person -------------------------------------------------------------------------------------------------------------

static void accept(struct candidacy *c)
{
	struct joining_event event = {.type = JOINING_EVENT_ACCEPT,
				      .key = {.certificate = c->discussion->row.certificate,
					      .general = c->engine->identity.row.certificate}};
	candidacy_feed(c, &event);
}

static void take_key(struct candidacy *c, struct fresh_key *key)
{
	discussion_take_key(c->discussion, key);
	key->home = NULL;
	fresh_key_fini(key);
}

static void key_came(void *arg, enum err code, const struct err_info *info, struct fresh_key *key)
{
	struct candidacy *c = arg;
	if (code) {
		engine_warn(c->engine, "there is no key for the discussion that you join: %s", info->text);
		return; // at the next start, or when the sponsor is there again
	}
	take_key(c, key);
	discussion_keep(c->discussion);
	accept(c);
}

// The answer is on disk; what it takes to join follows.
static void go_on(struct candidacy *c)
{
	if (c->discussion->home)
		accept(c);
	else
		spare_wait(&c->engine->spare, &c->waiter, key_came, c);
}

enum err joining_accept(struct discussion *d, struct err_info *info)
{
	struct candidacy *c = d->candidacy;
	struct fresh_key key;
	if (!c)
		return err_set(info, ERR_WRONG_STATE, "the invitation is not there any more");
	d->held_back = false; // also one that was not announced yet is there for all to see from now on
	if (!d->home && spare_take(&d->engine->spare, &key))
		take_key(c, &key);
	enum err code = discussion_step(d, LIFECYCLE_ACCEPT, LIFECYCLE_NO_REASON, info);
	if (code == OK)
		go_on(c);
	return code;
}

enum err joining_refuse(struct discussion *d, const char *reason, struct err_info *info)
{
	struct candidacy *c = d->candidacy;
	d->held_back = false;
	enum err code = discussion_step(d, LIFECYCLE_END, LIFECYCLE_REASON_REFUSED, info);
	if (code || !c)
		return code;
	joining_decline(d->engine, d->row.other, d->row.id, joining_invite(c->machine)->time_ms, reason);
	candidacy_free(c);
	return OK;
}

// --- sleep and waking -------------------------------------------------------------------------------------------------------

static enum err open_home(struct discussion *d, struct err_info *info)
{
	return d->home || !d->row.home[0] ? OK : home_open(d->engine->homes, d->row.home, &d->home, info);
}

void joining_wake(struct discussion *d)
{
	struct store_joining kept;
	struct err_info info;
	if (!joining_is(d) || discussion_has_ended(d) || d->candidacy)
		return;
	enum err code = open_home(d, &info);
	if (code == OK)
		code = store_joining_get(d->engine->store, d->row.id, &kept, &info);
	if (code) {
		engine_warn(d->engine, "the invitation into %.8s is lost: %s", d->row.id, info.text);
		discussion_happens(d, LIFECYCLE_END, LIFECYCLE_REASON_LOST);
		return;
	}
	struct candidacy *c = candidacy_new(d);
	struct joining_event event = {.type = JOINING_EVENT_RESTORE, .invite = bytes_span(kept.invite)};
	if (kept.accepted && d->home && d->life.state == LIFECYCLE_OPENING) {
		event.key.certificate = d->row.certificate;
		event.key.general = d->engine->identity.row.certificate;
	}
	c->waking = true; // whoever was asked was told then
	candidacy_feed(c, &event);
	c->waking = false;
	store_joining_fini(&kept);
	// accepted, and the core ended before there was a key
	if (d->candidacy == c && d->life.state == LIFECYCLE_OPENING && joining_phase(c->machine) == JOINING_INVITED)
		go_on(c);
}

void joining_sleep(struct discussion *d)
{
	if (d->candidacy)
		candidacy_free(d->candidacy);
}

// --- as it is shown -----------------------------------------------------------------------------------------------------------

void joining_view(const struct discussion *d, json_t *view)
{
	const struct candidacy *c = d->candidacy;
	struct neighbours *n = &d->engine->neighbours;
	if (strcmp(d->row.role, DISCUSSION_CANDIDATE) != 0)
		return;
	json_object_set_new(view, "sponsor", json_string(d->row.other));
	if (!c || !joining_is(d) || joining_phase(c->machine) == JOINING_WAITS)
		return;
	const struct roster_record *roster = joining_roster(c->machine);
	json_t *members = json_array();
	for (size_t i = 0; i < roster->count; i++) {
		const char *fingerprint = roster->members[i].fingerprint;
		json_array_append_new(members, json_pack("{s:s, s:s, s:b, s:b, s:b}", "fingerprint", fingerprint, "name",
							 neighbours_name(n, fingerprint), "you", 0, "present", 0, "verified",
							 neighbours_is_pinned(n, fingerprint)));
	}
	// what the members read to each other now, so that it can be compared before the answer; there are no words yet for all of them
	const struct hash hash = joining_roster_hash(c->machine);
	char words[WORDS_TEXT_SIZE];
	words_of_hash(&hash, words, sizeof words);
	json_object_set_new(view, "words_of_members", json_string(words));
	json_object_set_new(view, "words", json_string(""));
	json_object_set_new(view, "members", members);
	json_object_set_new(view, "charter", json_string(joining_invite(c->machine)->charter));
	json_object_set_new(view, "epoch", json_integer(roster->epoch));
}
