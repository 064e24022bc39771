// SPDX-License-Identifier: GPL-3.0-or-later
// Invitations that come: which are shown to the person, and which are declined for it.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "shell/invitation.h"
#include "shell/joining_parts.h"
#include "shell/shell.h"
#include "store/joinings.h"
#include "wire/join.h"

void joining_decline(struct engine *e, const char *sponsor, const char *discussion, int64_t time_ms, const char *reason)
{
	struct decline_record r = {.time_ms = time_ms};
	struct buf out;
	memcpy(r.discussion, discussion, sizeof r.discussion);
	snprintf(r.reason, sizeof r.reason, "%s", reason);
	buf_init(&out, 4096);
	if (decline_encode(&r, &out, NULL) == OK) {
		struct bytes *record = buf_take(&out);
		(void)invitation_say(e, sponsor, record);
		bytes_unref(record);
	}
	buf_fini(&out);
}

// Of which one a row that has ended is.
static int64_t time_of_last(const struct discussion *d)
{
	struct store_joining kept;
	struct invite_record r;
	struct err_info info;
	int64_t time_ms = -1;
	if (store_joining_get(d->engine->store, d->row.id, &kept, &info))
		return -1;
	if (invite_decode(&r, bytes_span(kept.invite), &info) == OK) {
		time_ms = r.time_ms;
		invite_fini(&r);
	}
	store_joining_fini(&kept);
	return time_ms;
}

// A place for the invitation: false where none is to be had, and the sponsor was told or is not to be.
static bool make_room(struct engine *e, const char *sponsor, const struct invite_record *r)
{
	struct discussion *d = discussions_get(&e->discussions, r->discussion);
	struct err_info info;
	if (!d)
		return true;
	if (!joining_is(d) && !discussion_has_ended(d))
		return false; // a member: the sponsor will see
	if (!joining_is(d)) {
		joining_decline(e, sponsor, r->discussion, r->time_ms, "still keeps what it has of that discussion from before");
		return false;
	}
	if (!discussion_has_ended(d)) {
		// one is enough to come in; should it come to nothing, the other may ask again
		if (strcmp(d->row.other, sponsor) != 0)
			joining_decline(e, sponsor, r->discussion, r->time_ms, "is invited into that discussion by another member");
		return false;
	}
	if (time_of_last(d) >= r->time_ms) {
		joining_decline(e, sponsor, r->discussion, r->time_ms, "");
		return false;
	}
	if (d->export || store_discussion_forget(e->store, d->row.id, &info))
		return false;
	discussions_remove(&e->discussions, d);
	return true;
}

static bool too_many(struct engine *e)
{
	size_t count = 0;
	for (struct discussion *d = e->discussions.first; d; d = d->next)
		count += joining_is(d) && !discussion_has_ended(d);
	return count >= JOINING_AT_ONCE_MAX;
}

static void begin(struct engine *e, const char *sponsor, const struct invite_record *r, struct span record)
{
	struct joining_event event = {.type = JOINING_EVENT_INVITE, .invite = record};
	const struct discussion_birth birth = {
		.id = r->discussion, .other = sponsor, .candidate = true, .mode = HANDSHAKE_PINNED, .charter = r->charter};
	struct discussion *d;
	struct err_info info;
	if (too_many(e)) {
		joining_decline(e, sponsor, r->discussion, r->time_ms, "has more invitations than can be kept");
		return;
	}
	if (discussion_create(e, &birth, &d, &info)) {
		health_store_failed(e, &info, "an invitation could not be stored");
		return;
	}
	struct candidacy *c = candidacy_new(d);
	candidacy_feed(c, &event);
	if (joining_phase(c->machine) == JOINING_INVITED)
		return;
	candidacy_vanish(c); // it does not hold
}

enum err joining_invited(struct engine *e, const char *sponsor, struct span record, struct err_info *info)
{
	struct joining_event event = {.type = JOINING_EVENT_INVITE, .invite = record};
	struct invite_record r;
	enum err code = invite_decode(&r, record, info);
	if (code)
		return code;
	struct discussion *d = discussions_get(&e->discussions, r.discussion);
	if (d && d->candidacy && !strcmp(d->row.other, sponsor))
		candidacy_feed(d->candidacy, &event);
	else if (make_room(e, sponsor, &r))
		begin(e, sponsor, &r, record);
	invite_fini(&r);
	return OK;
}

enum err joining_withdrawn(struct engine *e, const char *sponsor, struct span record, struct err_info *info)
{
	struct decline_record r;
	enum err code = decline_decode(&r, record, info);
	if (code)
		return code;
	struct discussion *d = discussions_get(&e->discussions, r.discussion);
	struct joining_event event = {.type = JOINING_EVENT_WITHDRAWN, .withdrawn = {.time_ms = r.time_ms}};
	if (d && d->candidacy && !strcmp(d->row.other, sponsor))
		candidacy_feed(d->candidacy, &event);
	return OK;
}

void joining_sponsor_up(struct engine *e, const char *sponsor)
{
	struct joining_event event = {.type = JOINING_EVENT_SPONSOR_UP};
	for (struct discussion *d = e->discussions.first; d; d = d->next)
		if (d->candidacy && !strcmp(d->row.other, sponsor))
			candidacy_feed(d->candidacy, &event);
}
