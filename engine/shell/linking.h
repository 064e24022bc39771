// SPDX-License-Identifier: GPL-3.0-or-later
// A link of two members in the making (P2.12), dialled or accepted by this side: carries out what a member_link machine asks of the
// link, the timer and gpg. What it asks of the discussion its owner does: meeting.c where that stands, joining_link.c where it is joined.
#ifndef SOTTO_SHELL_LINKING_H
#define SOTTO_SHELL_LINKING_H

#include "discussion/member_link.h"
#include "loop/loop.h"
#include "net/link.h"
#include "shell/discussion.h"

struct gpg_op;
struct key_job;

// None but `gone` comes after linking_end; `drained` and `link_ended` may be NULL.
struct linking_owner {
	// WANT_SEEN, DELIVER, SEND_FAREWELL and ACKED, and last of all LINKED or ENDED, upon which the owner calls linking_end, now or
	// later. With LINKED the deadline is void and the half-open slot given back: what comes on the link is the owner's, which sets
	// callbacks of its own.
	void (*act)(void *arg, const struct member_link_action *a);
	void (*drained)(void *arg);                       // the link (net/link.h)
	void (*link_ended)(void *arg, enum link_end why); // before the machine hears of it
	void (*gone)(void *arg); // some time after linking_end: the owner's memory, with this in it, can be freed
};

// Embedded in its owner's memory.
struct linking {
	struct discussion *discussion; // NULL once it is over
	struct link *link;             // NULL: closed or taken
	bool dialled;
	struct addr source; // of the other side: where it came from, or where it was dialled
	// for linking.c alone:
	struct engine *engine;
	const struct linking_owner *owner;
	void *arg;
	struct member_link *machine;
	struct bytes *certificate;
	struct timer deadline;
	struct deferred burial;
	struct gpg_op *signing, *verifying;
	struct key_job *vetting;
	unsigned works; // under way
	bool source_known, half_open;
};

// The side, who the two are, and the time: roster, first payload and what else there is to say are for the caller to fill in.
struct member_link_config linking_config(const struct discussion *d, bool dials, const char *other, const char *other_key);

// `certificate`, of which a reference is taken, is the other's: for a check after the discussion's home has gone with its key (a
// farewell). NULL: without a home nothing is checked, and the link fails.
void linking_init(struct linking *l, struct discussion *d, const struct member_link_config *config, struct bytes *certificate,
		  const struct linking_owner *owner, void *arg);
// This or linking_answer is next. Where it cannot even be begun, nothing is told, and the owner calls linking_end.
MUST_CHECK enum err linking_dial(struct linking *l, const struct addr *to, struct err_info *info);
// An accepted link, which is taken, whose first frame is the record l1. `source` holds a half-open slot of the limits.
void linking_answer(struct linking *l, struct link *link, const struct addr *source, bool known, struct span l1);

void linking_feed(struct linking *l, const struct member_link_event *event); // nothing once it is over
struct link *linking_take(struct linking *l);                                // the link, the caller's from now on; NULL
void linking_let_go(struct linking *l); // of the link, which still brings out what is queued
void linking_end(struct linking *l);    // the link stays; what gpg does for it is cancelled. A second time: nothing

#endif
