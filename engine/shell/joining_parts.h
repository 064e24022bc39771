// SPDX-License-Identifier: GPL-3.0-or-later
// What joining.c, joining_invited.c, joining_work.c, joining_link.c and joining_founded.c share.
#ifndef SOTTO_SHELL_JOINING_PARTS_H
#define SOTTO_SHELL_JOINING_PARTS_H

#include "discussion/joining.h"
#include "shell/dialer.h"
#include "shell/discussion.h"
#include "shell/joining.h"
#include "shell/spare.h"

struct joining_task; // of gpg; outlives the candidacy by a turn when that is stopped
struct joining_link;

struct candidacy {
	struct engine *engine;
	struct discussion *discussion;
	struct joining *machine;
	struct key_waiter waiter; // the person has accepted, and there was no key at hand
	struct timer deadline;
	struct dialer dialer; // of the sponsor, while this side waits to be brought in
	struct joining_task *tasks;
	struct joining_link *links; // to members, the newest first
	struct timer announcement; // the person is asked then
	bool waking;
	struct deferred end_turn;
	bool founded; // what end_turn is for: else it was refused
	enum lifecycle_reason reason;
	char why[256];
};

struct candidacy *candidacy_new(struct discussion *d); // d->candidacy
void candidacy_feed(struct candidacy *c, struct joining_event *event); // sets its presence
void candidacy_free(struct candidacy *c); // tasks and links go; the discussion stays
void candidacy_vanish(struct candidacy *c); // the discussion goes, too: nobody has seen it, and nobody is to

// joining_invited.c: the sponsor is told that this INVITE leads to nothing; "": without a reason.
void joining_decline(struct engine *e, const char *sponsor, const char *discussion, int64_t time_ms, const char *reason);

// joining_work.c: what the machine asks of gpg; a result comes, now or later.
void joining_work_begin(struct candidacy *c, const struct joining_action *a);
void joining_work_cancel(struct candidacy *c);

// joining_link.c
void joining_link_dial(struct candidacy *c, const struct addr *to); // the sponsor's core
void joining_links_drop(struct candidacy *c, const char *reason);    // all: members dial again
void joining_links_pause(struct candidacy *c, bool pause); // no chain is read from any
// The links that stand, of members that are in that epoch, go over to the conversation.
void joining_links_hand_over(struct candidacy *c, uint32_t epoch);

// joining_founded.c: one transaction. The discussion goes on as any other, once that is OK.
MUST_CHECK enum err joining_found(struct candidacy *c, struct err_info *info);

#endif
