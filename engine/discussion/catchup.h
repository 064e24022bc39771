// SPDX-License-Identifier: GPL-3.0-or-later
// What a member lacks of others' payloads, and whom it asks for it (P5.6), as a pure machine: one for a discussion and epoch of three
// and more members. Whoever wrote a payload delivers it (outbox.h); where that member is away, or does not, any other one is asked.
//
// Use: catchup_new, then events as they come; carry out the actions of a step in their order. Members are positions in the roster.
//
//  - Of each chain at most one request is under way. It is answered with up to CATCHUP_BATCH payloads, and with `lacks` where there
//    are no more.
//  - Who does not answer for CATCHUP_PATIENCE_MS is passed over until its next link; so is an author that delivers nothing.
//  - Where nobody is left to ask, nothing happens: what is missing blocks nothing.
#ifndef SOTTO_DISCUSSION_CATCHUP_H
#define SOTTO_DISCUSSION_CATCHUP_H

#include "discussion/roster.h"

#define CATCHUP_BATCH 8 // what a link holds in the transcript
#define CATCHUP_PATIENCE_MS 10000

struct catchup_config {
	size_t count, own;
	uint64_t heads[ROSTER_MAX]; // what is here
	// An epoch that has ended: where each chain ends. NULL: it goes on, and ends where members say that they have it to.
	const uint64_t *cut;
	bool waits; // it asks nobody before GO: what came earlier comes first
};

enum catchup_event_type {
	CATCHUP_EVENT_LINK_UP,   // .member
	CATCHUP_EVENT_LINK_DOWN, // .member
	CATCHUP_EVENT_HAS,       // .chain: that member says that it has that sender's chain up to there
	CATCHUP_EVENT_LACKS,     // .chain: and no further
	CATCHUP_EVENT_HEAD,      // .chain, without its member: it is here up to there
	CATCHUP_EVENT_TIMEOUT,   // a TIMER has passed
	CATCHUP_EVENT_GO,
};

struct catchup_event {
	enum catchup_event_type type;
	struct {
		size_t member, sender;
		uint64_t sequence;
	} chain; // .member alone for links; nothing for TIMEOUT and GO
};

enum catchup_action_type {
	CATCHUP_WANT,  // .want: to be said on that member's link
	CATCHUP_TIMER, // event TIMEOUT after CATCHUP_PATIENCE_MS; at most one at a time
};

struct catchup_action {
	enum catchup_action_type type;
	struct {
		size_t member, sender;
		uint64_t after;
	} want;
};

#define CATCHUP_ACTIONS_MAX (ROSTER_MAX + 1)
struct catchup_actions {
	size_t count;
	struct catchup_action list[CATCHUP_ACTIONS_MAX];
};

struct catchup;

struct catchup *catchup_new(const struct catchup_config *config);
void catchup_free(struct catchup *c); // NULL is allowed
void catchup_step(struct catchup *c, const struct catchup_event *event, struct catchup_actions *out);

// What is known to be there and is not here of that sender's chain.
uint64_t catchup_missing(const struct catchup *c, size_t sender);
bool catchup_is_busy(const struct catchup *c); // something is expected of somebody

#endif
