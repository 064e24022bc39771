// SPDX-License-Identifier: GPL-3.0-or-later
// A discussion's state (interface.md: discussion.state) as transitions of a plain value, table-driven
// (P2.11, P3.8). What to do about them are actions.
#ifndef SOTTO_DISCUSSION_LIFECYCLE_H
#define SOTTO_DISCUSSION_LIFECYCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LIFECYCLE_OPENING_MS 600000              // P2.11
#define LIFECYCLE_RESUME_WINDOW_MS INT64_C(86400000) // P3.8, the default

enum lifecycle_state {
	LIFECYCLE_REQUESTING, // this person asked; the handshake runs, or dials
	LIFECYCLE_REQUESTED,  // another asks this person
	LIFECYCLE_OPENING,    // accepted; founded (on disk with R_0) or not yet
	LIFECYCLE_OPEN,
	LIFECYCLE_SUSPENDED,  // no link to anyone
	LIFECYCLE_FROZEN,     // P5.7
	LIFECYCLE_CLOSED,
	LIFECYCLE_REFUSED,
	LIFECYCLE_STATE_COUNT
};
const char *lifecycle_state_name(enum lifecycle_state state); // as in the API, and on disk
bool lifecycle_state_parse(const char *name, enum lifecycle_state *out);

// Why it is refused, closed or frozen.
enum lifecycle_reason {
	LIFECYCLE_NO_REASON,
	LIFECYCLE_REASON_REFUSED,
	LIFECYCLE_REASON_BUSY,
	LIFECYCLE_REASON_EXPIRED,
	LIFECYCLE_REASON_SUPERSEDED,
	LIFECYCLE_REASON_FAILED,
	LIFECYCLE_REASON_LOST,
	LIFECYCLE_REASON_CLOSED,        // by this person
	LIFECYCLE_REASON_CLOSED_BY_MEMBER,
	LIFECYCLE_REASON_RESUME_WINDOW,
	LIFECYCLE_REASON_EQUIVOCATION,
	LIFECYCLE_REASON_ROLLED_BACK,   // P5.9: this disk holds less than another member's shows
	LIFECYCLE_REASON_COUNT
};
const char *lifecycle_reason_name(enum lifecycle_reason reason); // "" for none
bool lifecycle_reason_parse(const char *name, enum lifecycle_reason *out);

// A plain value. The owner keeps state, reason, founded and suspended_at on disk.
struct lifecycle {
	enum lifecycle_state state;
	enum lifecycle_reason reason;
	bool founded;         // R_0 is on disk; false only in requesting, requested, opening, refused, closed
	size_t members;       // of the roster
	size_t links;         // members linked now
	int64_t window_ms;    // P3.8
	int64_t since;        // wall clock, ms: of suspended, when it began; of opening, when it was founded
};

enum lifecycle_event_type {
	LIFECYCLE_ACCEPT,    // requested: the person or policy accepted
	LIFECYCLE_FOUNDED,   // the handshake's COMMIT_OPENING is being carried out
	LIFECYCLE_LEFT,      // the handshake ended after that, unfinished: a link between members may finish it
	LIFECYCLE_END,       // .reason: the handshake ended before that, the person refused, or it is superseded
	LIFECYCLE_LINK_UP,   // of a member that had none; the handshake's OPENED counts as one
	LIFECYCLE_LINK_DOWN, // the last one of a member
	LIFECYCLE_CLOSE,     // by this person; check lifecycle_allows first
	LIFECYCLE_CLOSED_BY, // a member's CLOSE is on disk (two members)
	LIFECYCLE_DEADLINE,  // the last DEADLINE has passed
	LIFECYCLE_FREEZE,    // proof of equivocation
	LIFECYCLE_ROLLED_BACK,
	LIFECYCLE_RESTORE,   // after a restart, on what the disk says; links is then 0
	LIFECYCLE_EVENT_COUNT
};
struct lifecycle_event {
	enum lifecycle_event_type type;
	enum lifecycle_reason reason; // END
	int64_t now_ms;               // wall clock
};

// What to do, in this order; a set of bits.
enum lifecycle_action {
	LIFECYCLE_SAVE = 1 << 0, // state, reason, founded, since: on disk before what follows
	LIFECYCLE_CLOSE_OUTBOX = 1 << 1,   // OUTBOX_EVENT_CLOSE; the key dies with its KEY_MAY_DIE
	LIFECYCLE_ABANDON_OUTBOX = 1 << 2, // OUTBOX_EVENT_ABANDON; likewise
	LIFECYCLE_END_TRANSCRIPT = 1 << 3, // TRANSCRIPT_EVENT_END
	LIFECYCLE_END_HANDSHAKE = 1 << 4,  // if one is under way: HANDSHAKE_EVENT_END
	LIFECYCLE_DESTROY_KEY = 1 << 5,    // no outbox was ever there
	LIFECYCLE_DIAL = 1 << 6,           // P2.13: reach the members
	LIFECYCLE_SET_DEADLINE = 1 << 7,   // replaces the last one, see deadline_ms
	LIFECYCLE_CLEAR_DEADLINE = 1 << 8,
	LIFECYCLE_TELL_OPENED = 1 << 9, // events of the API
	LIFECYCLE_TELL_SUSPENDED = 1 << 10,
	LIFECYCLE_TELL_RESUMED = 1 << 11,
	LIFECYCLE_TELL_CLOSED = 1 << 12,
	LIFECYCLE_TELL_REFUSED = 1 << 13,
	LIFECYCLE_TELL_FROZEN = 1 << 14,
};
struct lifecycle_actions {
	unsigned set;
	int64_t deadline_ms; // from now, 0 or more
};

// REQUESTING or REQUESTED. window_ms 0 is the strict rule.
struct lifecycle lifecycle_begin(enum lifecycle_state state, int64_t window_ms);
// Events that mean nothing in that state change nothing.
struct lifecycle_actions lifecycle_step(struct lifecycle *l, const struct lifecycle_event *event);

enum lifecycle_call {
	LIFECYCLE_CALL_ACCEPT,
	LIFECYCLE_CALL_REFUSE,
	LIFECYCLE_CALL_SEND,
	LIFECYCLE_CALL_CLOSE, // two members, or none yet
	LIFECYCLE_CALL_LEAVE, // with two members it is CLOSE
	LIFECYCLE_CALL_FORGET,
	LIFECYCLE_CALL_COUNT
};
// ERR_WRONG_STATE, with a text that names call and state.
MUST_CHECK enum err lifecycle_allows(const struct lifecycle *l, enum lifecycle_call call,
				     struct err_info *info);

#endif
