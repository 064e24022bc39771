// SPDX-License-Identifier: GPL-3.0-or-later
// Links of a core that joins (P2.12): members dial it once their roster names it, and it dials its sponsor. It proves itself with the key
// of its JOIN, and says in SEEN that it has seen nothing: so it gets the chain.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/chain.h"
#include "shell/conversation_parts.h"
#include "shell/joining_parts.h"
#include "shell/linking.h"
#include "shell/own_presence.h"
#include "shell/shell.h"
#include "wire/frame.h"

struct joining_link {
	struct linking linking;
	struct candidacy *candidacy; // NULL once it is over
	struct joining_link *next, **link_in_list;
	char member[41];
	bool linked, paused;
	struct seen_record *seen; // once it is linked: what the other has
};

// --- life -------------------------------------------------------------------------------------------------------------------

static void gone(void *arg)
{
	struct joining_link *l = arg;
	if (l->seen)
		seen_fini(l->seen);
	free(l->seen);
	free(l);
}

static void finish(struct joining_link *l)
{
	if (!l->candidacy)
		return;
	l->candidacy = NULL;
	*l->link_in_list = l->next;
	if (l->next)
		l->next->link_in_list = l->link_in_list;
	linking_end(&l->linking);
}

static void part(struct joining_link *l)
{
	linking_let_go(&l->linking);
	finish(l);
}

// The link is gone. The machine asks somebody else; a dial is tried again.
static void lost(struct joining_link *l, const char *reason)
{
	struct candidacy *c = l->candidacy;
	struct joining_event event = {.type = JOINING_EVENT_LINK_DOWN};
	bool linked = l->linked, dialled = l->linking.dialled;
	char member[41];
	if (!c)
		return;
	memcpy(member, l->member, sizeof member);
	log_info("no link with %.8s, of a discussion that is joined: %s", member, reason);
	part(l);
	if (dialled && !linked)
		dialer_failed(&c->dialer);
	else if (!strcmp(member, c->discussion->row.other))
		dialer_start(&c->dialer);
	event.member = member;
	if (linked)
		candidacy_feed(c, &event);
}

// --- once it stands ----------------------------------------------------------------------------------------------------------

// The other is in another epoch than it said at first.
static void take_seen(struct joining_link *l, struct span record)
{
	struct seen_record *seen = mem_alloc(sizeof *seen);
	if (seen_decode(seen, record, NULL)) {
		free(seen);
		return;
	}
	seen_fini(l->seen);
	free(l->seen);
	l->seen = seen;
}

static void on_frame(void *arg, uint8_t kind, struct span payload, bool encrypted)
{
	struct joining_link *l = arg;
	char type[RECORD_TYPE_SIZE];
	(void)encrypted;
	if (!l->candidacy)
		return;
	if (kind == FRAME_CHANGE) {
		struct bytes *record = bytes_new_span(payload);
		struct joining_event chain = {.type = JOINING_EVENT_CHAIN, .chain = {.member = l->member, .record = record}};
		candidacy_feed(l->candidacy, &chain);
		bytes_unref(record);
	} else if (kind == FRAME_RECORD && record_peek_type(payload, type, NULL) == OK && !strcmp(type, "seen")) {
		take_seen(l, payload);
	}
	// anything else is for a member, which this side is none of yet
}

static void on_unreadable(void *arg)
{
	lost(arg, "unreadable");
}

static void on_ended(void *arg, enum link_end why, const struct err_info *info)
{
	(void)info;
	lost(arg, link_end_name(why));
}

static const struct link_callbacks callbacks = {.frame = on_frame, .unreadable = on_unreadable, .ended = on_ended};

// --- while it is made -------------------------------------------------------------------------------------------------------

// Nothing was seen yet: who joins says so by a SEEN without rows.
static void want_seen(struct joining_link *l)
{
	struct err_info info;
	const struct presence_parts *own;
	struct seen_record *none = mem_alloc(sizeof *none);
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_SEEN, .seen = {.record = none}};
	if (own_presence_get(&l->candidacy->engine->neighbours, &own, &info) == OK)
		none->presence = *own;
	linking_feed(&l->linking, &event);
	free(none);
}

// Of two links to the same member the one dialled by the lower fingerprint stays.
static bool is_wanted(const struct joining_link *l)
{
	for (struct joining_link *o = l->candidacy->links; o; o = o->next) {
		if (o == l || !o->linked || strcmp(o->member, l->member) != 0)
			continue;
		if (o->linking.dialled != l->linking.dialled &&
		    !member_link_stays(discussion_own(l->candidacy->discussion), l->member, l->linking.dialled))
			return false;
		part(o);
		break;
	}
	return true;
}

static void linked(struct joining_link *l, const struct member_link_action *a)
{
	struct engine *e = l->candidacy->engine;
	if (!is_wanted(l)) {
		part(l);
		return;
	}
	l->linked = true;
	l->seen = mem_dup(a->linked.seen, sizeof *l->seen);
	bytes_ref(l->seen->presence.record);
	bytes_ref(l->seen->presence.certification);
	link_set_callbacks(l->linking.link, &callbacks, l);
	link_set_idle(l->linking.link, 0);
	if (!strcmp(l->member, l->candidacy->discussion->row.other))
		dialer_stop(&l->candidacy->dialer);
	if (l->seen->presence.record)
		neighbours_learn(&e->neighbours, l->member, &l->seen->presence, link_remote(l->linking.link));
}

static void act(void *arg, const struct member_link_action *a)
{
	struct joining_link *l = arg;
	switch (a->type) {
	case MEMBER_LINK_WANT_SEEN:
		want_seen(l);
		break;
	case MEMBER_LINK_LINKED:
		linked(l, a);
		break;
	case MEMBER_LINK_ENDED:
		lost(l, a->ended.detail);
		break;
	default: // a farewell, of who has left: nothing of it is for this core; the others are linking.c's
		break;
	}
}

static struct joining_link *joining_link_new(struct candidacy *c, const char *member, bool dials)
{
	static const struct linking_owner owner = {.act = act, .gone = gone};
	const struct roster_record *roster = joining_roster(c->machine);
	size_t at = roster_position(roster, member);
	const struct joining_person *p = joining_person(c->machine, &roster->members[at].certificate);
	if (!p || !p->key_fingerprint[0])
		return NULL; // its certificate is not in the home yet
	struct member_link_config config = linking_config(c->discussion, dials, member, p->key_fingerprint);
	config.first = joining_invite(c->machine)->first;
	config.roster = roster;
	config.roster_hash = joining_roster_hash(c->machine);
	struct joining_link *l = mem_alloc(sizeof *l);
	linking_init(&l->linking, c->discussion, &config, NULL, &owner, l);
	l->candidacy = c;
	memcpy(l->member, member, sizeof l->member);
	l->next = c->links;
	l->link_in_list = &c->links;
	if (l->next)
		l->next->link_in_list = &l->next;
	c->links = l;
	return l;
}

void joining_link_dial(struct candidacy *c, const struct addr *to)
{
	struct err_info info;
	struct joining_link *l = joining_link_new(c, c->discussion->row.other, true);
	if (l && linking_dial(&l->linking, to, &info) == OK)
		return;
	if (l)
		finish(l);
	dialer_failed(&c->dialer);
}

bool joining_answer(struct engine *e, struct link *link, const struct addr *source, bool known, struct span l1)
{
	for (struct discussion *d = e->discussions.first; d; d = d->next) {
		struct candidacy *c = d->candidacy;
		size_t who;
		if (!c || joining_phase(c->machine) != JOINING_ACCEPTED)
			continue;
		const struct roster_record *roster = joining_roster(c->machine);
		if (!member_link_match(l1, &joining_invite(c->machine)->first, roster, discussion_own(d), &who))
			continue;
		struct joining_link *l = joining_link_new(c, roster->members[who].fingerprint, false);
		if (!l)
			continue;
		linking_answer(&l->linking, link, source, known, l1);
		return true;
	}
	return false;
}

// --- all of them ------------------------------------------------------------------------------------------------------------

void joining_links_drop(struct candidacy *c, const char *reason)
{
	while (c->links) {
		struct joining_link *l = c->links;
		log_info("the link with %.8s, of a discussion that is joined, ends: %s", l->member, reason);
		part(l);
	}
}

static void pause_one(struct joining_link *l, bool pause)
{
	struct link *link = l->linking.link;
	if (!l->linked || !link || l->paused == pause)
		return;
	l->paused = pause;
	if (pause)
		link_pause(link);
	else
		link_resume(link);
}

void joining_links_pause(struct candidacy *c, bool pause)
{
	for (struct joining_link *l = c->links; l; l = l->next)
		pause_one(l, pause);
}

static uint32_t epoch_of(const struct seen_record *seen)
{
	uint32_t epoch = 0;
	for (size_t i = 0; i < seen->count; i++)
		if (seen->rows[i].epoch > epoch)
			epoch = seen->rows[i].epoch;
	return epoch;
}

static void say_seen(struct conversation *c, const char *member)
{
	for (size_t i = 0; i < c->count; i++)
		if (i != c->own && c->lines[i].link && !strcmp(c->discussion->members[i].fingerprint, member))
			chain_say_seen(&c->lines[i]);
}

void joining_links_hand_over(struct candidacy *c, uint32_t epoch)
{
	struct discussion *d = c->discussion;
	while (c->links) {
		struct joining_link *l = c->links;
		bool stays = l->linked && d->conversation && epoch_of(l->seen) == epoch;
		bool dialled = l->linking.dialled;
		struct seen_record seen;
		char member[41];
		if (!stays) {
			part(l);
			continue;
		}
		memcpy(member, l->member, sizeof member);
		pause_one(l, false);
		// presence was learnt when the link began
		seen = *l->seen;
		seen.presence = (struct presence_parts){0};
		struct link *link = linking_take(&l->linking);
		finish(l);
		conversation_take_link(d->conversation, link, member, dialled, &seen);
		if (d->conversation)
			say_seen(d->conversation, member);
	}
}
