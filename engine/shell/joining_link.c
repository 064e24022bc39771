// SPDX-License-Identifier: GPL-3.0-or-later
// Links of a core that joins (P2.12): members dial it once their roster names it, and it dials its sponsor. It proves itself with the key
// of its JOIN, and says in SEEN that it has seen nothing: so it gets the chain.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "discussion/member_link.h"
#include "openpgp/gpg.h"
#include "shell/chain.h"
#include "shell/conversation_parts.h"
#include "shell/joining_parts.h"
#include "shell/own_presence.h"
#include "shell/shell.h"
#include "wire/frame.h"

#define DIAL_TIMEOUT_MS 5000

struct joining_link {
	struct engine *engine;
	struct candidacy *candidacy; // NULL once it is over
	struct joining_link *next, **link_in_list;
	char member[41];
	bool dialled, linked, paused;
	struct link *link;
	struct member_link *machine; // until it is linked
	struct seen_record *seen;    // from then on: what the other has
	struct timer deadline;
	struct deferred burial;
	struct gpg_op *signing, *verifying;
	unsigned works; // under way
	struct addr source;
	bool source_known, half_open;
};

static void feed(struct joining_link *l, const struct member_link_event *event);

// --- life -------------------------------------------------------------------------------------------------------------------

static void bury(void *arg)
{
	struct joining_link *l = arg;
	member_link_free(l->machine);
	link_free(l->link);
	if (l->seen)
		seen_fini(l->seen);
	free(l->seen);
	free(l);
}

static void release(struct joining_link *l)
{
	if (!l->candidacy && l->works == 0)
		loop_defer(l->engine->loop, &l->burial, bury, l);
}

static void let_half_open_go(struct joining_link *l)
{
	if (l->half_open)
		limits_half_open_give(l->engine->neighbours.limits, &l->source, l->source_known);
	l->half_open = false;
}

static void finish(struct joining_link *l)
{
	if (!l->candidacy)
		return;
	l->candidacy = NULL;
	*l->link_in_list = l->next;
	if (l->next)
		l->next->link_in_list = l->link_in_list;
	timer_cancel(l->engine->loop, &l->deadline);
	let_half_open_go(l);
	if (l->signing)
		gpg_op_cancel(l->signing);
	if (l->verifying)
		gpg_op_cancel(l->verifying);
	release(l);
}

static void close_link(struct joining_link *l)
{
	if (l->link)
		network_let_go(&l->engine->network, l->link);
	l->link = NULL;
}

// The link is gone. The machine asks somebody else; a dial is tried again.
static void lost(struct joining_link *l, const char *reason)
{
	struct candidacy *c = l->candidacy;
	struct joining_event event = {.type = JOINING_EVENT_LINK_DOWN};
	bool linked = l->linked, dialled = l->dialled;
	char member[41];
	if (!c)
		return;
	memcpy(member, l->member, sizeof member);
	log_info("no link with %.8s, of a discussion that is joined: %s", member, reason);
	close_link(l);
	finish(l);
	if (dialled && !linked)
		dialer_failed(&c->dialer);
	else if (!strcmp(member, c->discussion->row.other))
		dialer_start(&c->dialer);
	event.member = member;
	if (linked)
		candidacy_feed(c, &event);
}

static struct joining_link *joining_link_new(struct candidacy *c, const char *member, bool dials)
{
	const struct roster_record *roster = joining_roster(c->machine);
	size_t at = roster_position(roster, member);
	const struct joining_person *p = joining_person(c->machine, &roster->members[at].certificate);
	if (!p || !p->key_fingerprint[0])
		return NULL; // its certificate is not in the home yet
	struct member_link_config config = {.side = dials ? MEMBER_LINK_DIALS : MEMBER_LINK_ANSWERS,
					    .random = c->engine->random,
					    .first = joining_invite(c->machine)->first,
					    .roster = roster,
					    .roster_hash = joining_roster_hash(c->machine),
					    .idle_ms = c->engine->options.handshake_timeout_s * 1000};
	memcpy(config.own, discussion_own(c->discussion), sizeof config.own);
	memcpy(config.other, member, sizeof config.other);
	memcpy(config.other_key, p->key_fingerprint, sizeof config.other_key);
	struct joining_link *l = mem_alloc(sizeof *l);
	l->engine = c->engine;
	l->candidacy = c;
	l->dialled = dials;
	memcpy(l->member, member, sizeof l->member);
	l->machine = member_link_new(&config);
	l->next = c->links;
	l->link_in_list = &c->links;
	if (l->next)
		l->next->link_in_list = &l->next;
	c->links = l;
	return l;
}

// --- gpg --------------------------------------------------------------------------------------------------------------------

static void result(struct joining_link *l, enum member_link_event_type type, enum err code, struct span bytes)
{
	const struct member_link_event event = {.type = type, .result = {.code = code, .bytes = bytes}};
	l->works--;
	feed(l, &event);
	release(l);
}

static void signed_(void *arg, enum err code, const struct err_info *info, const struct gpg_result *r)
{
	struct joining_link *l = arg;
	l->signing = NULL;
	if (code && code != ERR_CANCELED)
		log_warn("a link could not be signed: %s", info->text);
	struct bytes *signature = code ? NULL : bytes_ref(r->output);
	result(l, MEMBER_LINK_EVENT_SIGNED, code, bytes_span(signature));
	bytes_unref(signature);
}

static void verified(void *arg, enum err code, const struct err_info *info, const struct gpg_result *r)
{
	struct joining_link *l = arg;
	(void)info;
	(void)r;
	l->verifying = NULL;
	result(l, MEMBER_LINK_EVENT_VERIFIED, code, span(NULL, 0));
}

static void work(struct joining_link *l, const struct member_link_action *a)
{
	struct err_info info;
	bool signs = a->type == MEMBER_LINK_SIGN;
	struct home *home = l->candidacy->discussion->home;
	const struct gpg_call call = {
		.gpg = l->engine->gpg, .home = home, .done = signs ? signed_ : verified, .arg = l};
	enum err code = ERR_WRONG_STATE;
	l->works++;
	if (home && signs)
		code = gpg_sign_start(&call, a->sign.body, &l->signing, &info);
	else if (home)
		code = gpg_verify_start(&call, a->verify.body, a->verify.signature, a->verify.signer, &l->verifying, &info);
	if (code)
		result(l, signs ? MEMBER_LINK_EVENT_SIGNED : MEMBER_LINK_EVENT_VERIFIED, code, span(NULL, 0));
}

// --- actions ----------------------------------------------------------------------------------------------------------------

static void on_deadline(void *arg)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_DEADLINE};
	feed(arg, &event);
}

// Nothing was seen yet: who joins says so by a SEEN without rows.
static void want_seen(struct joining_link *l)
{
	struct err_info info;
	const struct presence_parts *own;
	struct seen_record *none = mem_alloc(sizeof *none);
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_SEEN, .seen = {.record = none}};
	if (own_presence_get(&l->engine->neighbours, &own, &info) == OK)
		none->presence = *own;
	feed(l, &event);
	free(none);
}

// Of two links to the same member the one dialled by the lower fingerprint stays.
static bool is_wanted(const struct joining_link *l)
{
	for (struct joining_link *o = l->candidacy->links; o; o = o->next) {
		if (o == l || !o->linked || strcmp(o->member, l->member) != 0)
			continue;
		if (o->dialled != l->dialled &&
		    !member_link_stays(discussion_own(l->candidacy->discussion), l->member, l->dialled))
			return false;
		close_link(o);
		finish(o);
		break;
	}
	return true;
}

static void linked(struct joining_link *l, const struct member_link_action *a)
{
	struct engine *e = l->engine;
	if (!is_wanted(l)) {
		close_link(l);
		finish(l);
		return;
	}
	timer_cancel(e->loop, &l->deadline);
	let_half_open_go(l);
	l->linked = true;
	l->seen = mem_dup(a->linked.seen, sizeof *l->seen);
	bytes_ref(l->seen->presence.record);
	bytes_ref(l->seen->presence.certification);
	link_set_authenticated(l->link);
	link_set_idle(l->link, 0);
	if (!strcmp(l->member, l->candidacy->discussion->row.other))
		dialer_stop(&l->candidacy->dialer);
	if (l->seen->presence.record)
		neighbours_learn(&e->neighbours, l->member, &l->seen->presence, link_remote(l->link));
}

static void carry_out(struct joining_link *l, const struct member_link_action *a)
{
	switch (a->type) {
	case MEMBER_LINK_SEND:
		if (l->link && link_send(l->link, a->send.kind, a->send.payload))
			log_info("a frame of a new link could not be sent");
		break;
	case MEMBER_LINK_SET_CIPHER:
		link_set_cipher(l->link, a->cipher.tx, a->cipher.rx);
		link_set_authenticated(l->link); // whoever has these keys knows H_0
		break;
	case MEMBER_LINK_DEADLINE:
		timer_start(l->engine->loop, &l->deadline, a->deadline.ms, on_deadline, l);
		break;
	case MEMBER_LINK_CLOSE_LINK:
		close_link(l);
		break;
	case MEMBER_LINK_SIGN:
	case MEMBER_LINK_VERIFY:
		work(l, a);
		break;
	case MEMBER_LINK_WANT_SEEN:
		want_seen(l);
		break;
	case MEMBER_LINK_LINKED:
		linked(l, a);
		break;
	case MEMBER_LINK_ENDED:
		lost(l, a->ended.detail);
		break;
	case MEMBER_LINK_DELIVER: // of who has left: nothing of it is for this core
	case MEMBER_LINK_SEND_FAREWELL:
	case MEMBER_LINK_ACKED:
		break;
	}
}

static void feed(struct joining_link *l, const struct member_link_event *event)
{
	struct member_link_actions actions;
	if (!l->candidacy)
		return;
	member_link_actions_init(&actions);
	member_link_step(l->machine, event, &actions);
	for (size_t i = 0; i < actions.count && l->candidacy; i++)
		carry_out(l, &actions.list[i]);
	member_link_actions_fini(&actions);
}

// --- the link ---------------------------------------------------------------------------------------------------------------

static void on_connected(void *arg)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_START};
	feed(arg, &event);
}

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
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_FRAME,
						.frame = {.kind = kind, .payload = payload, .encrypted = encrypted}};
	char type[RECORD_TYPE_SIZE];
	if (!l->candidacy)
		return;
	if (!l->linked) {
		feed(l, &event);
	} else if (kind == FRAME_CHANGE) {
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
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_UNREADABLE};
	struct joining_link *l = arg;
	if (l->linked)
		lost(l, "unreadable");
	else
		feed(l, &event);
}

static void on_ended(void *arg, enum link_end why, const struct err_info *info)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_LINK_ENDED};
	struct joining_link *l = arg;
	(void)info;
	if (l->linked)
		lost(l, link_end_name(why));
	else
		feed(l, &event);
}

static const struct link_callbacks callbacks = {
	.connected = on_connected, .frame = on_frame, .unreadable = on_unreadable, .ended = on_ended};

void joining_link_dial(struct candidacy *c, const struct addr *to)
{
	struct err_info info;
	struct joining_link *l = joining_link_new(c, c->discussion->row.other, true);
	if (!l) {
		dialer_failed(&c->dialer);
		return;
	}
	l->source = *to;
	if (link_connect(&l->link, c->engine->loop, to, DIAL_TIMEOUT_MS, &callbacks, l, &info) == OK)
		return;
	finish(l);
	dialer_failed(&c->dialer);
}

bool joining_answer(struct engine *e, struct link *link, const struct addr *source, bool known, struct span l1)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_FRAME,
						.frame = {.kind = FRAME_RECORD, .payload = l1}};
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
		l->link = link;
		l->source = *source;
		l->source_known = known;
		l->half_open = true;
		link_set_callbacks(link, &callbacks, l);
		link_set_idle(link, 0);
		feed(l, &event);
		return true;
	}
	return false;
}

void joining_links_drop(struct candidacy *c, const char *reason)
{
	while (c->links) {
		struct joining_link *l = c->links;
		log_info("the link with %.8s, of a discussion that is joined, ends: %s", l->member, reason);
		close_link(l);
		finish(l);
	}
}

static void pause_one(struct joining_link *l, bool pause)
{
	if (!l->linked || !l->link || l->paused == pause)
		return;
	l->paused = pause;
	if (pause)
		link_pause(l->link);
	else
		link_resume(l->link);
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
		struct link *link = l->link;
		struct seen_record seen;
		char member[41];
		memcpy(member, l->member, sizeof member);
		if (!stays) {
			close_link(l);
			finish(l);
			continue;
		}
		pause_one(l, false);
		// presence was learnt when the link began
		seen = *l->seen;
		seen.presence = (struct presence_parts){0};
		bool dialled = l->dialled;
		l->link = NULL;
		finish(l);
		conversation_take_link(d->conversation, link, member, dialled, &seen);
		if (d->conversation)
			say_seen(d->conversation, member);
	}
}
