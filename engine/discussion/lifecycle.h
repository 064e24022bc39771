// SPDX-License-Identifier: GPL-3.0-or-later
// A discussion's state (interface.md: discussion.state) as transitions of a plain value, from a
// table (P2.11, P3.8). What to do about them are actions.
#ifndef SOTTO_DISCUSSION_LIFECYCLE_H
#define SOTTO_DISCUSSION_LIFECYCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LIFECYCLE_OPENING_MS INT64_C(600000)         // P2.11, the default
#define LIFECYCLE_RESUME_WINDOW_MS INT64_C(86400000) // P3.8, the default

enum lifecycle_state {
	LIFECYCLE_REQUESTING, // this person asked; the handshake runs, or dials
	LIFECYCLE_REQUESTED,  // another asks this person
	LIFECYCLE_OPENING,    // accepted; founded (on disk with R_0) or not yet
	LIFECYCLE_OPEN,
	LIFECYCLE_SUSPENDED, // no link to anyone
	LIFECYCLE_FROZEN,    // P5.7
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
	LIFECYCLE_REASON_CLOSED, // by this person
	LIFECYCLE_REASON_CLOSED_BY_MEMBER,
	LIFECYCLE_REASON_RESUME_WINDOW,
	LIFECYCLE_REASON_EQUIVOCATION,
	LIFECYCLE_REASON_ROLLED_BACK, // P5.9: this disk holds less than another member's shows
	LIFECYCLE_REASON_UNREACHABLE, // no address of the one who is asked answered
	LIFECYCLE_REASON_UNPROVEN,    // that one's presence key could not be proven
	LIFECYCLE_REASON_RESTART,     // the core ended before the handshake did
	LIFECYCLE_REASON_LOCKED,      // the identity was locked before the handshake ended
	LIFECYCLE_REASON_LEFT,        // by this person, a discussion of many
	LIFECYCLE_REASON_REMOVED,     // by the others
	LIFECYCLE_REASON_COUNT
};
const char *lifecycle_reason_name(enum lifecycle_reason reason); // "" for none
bool lifecycle_reason_parse(const char *name, enum lifecycle_reason *out);

// A plain value. The owner keeps state, reason, founded and since on disk.
struct lifecycle {
	enum lifecycle_state state;
	enum lifecycle_reason reason;
	bool founded;      // R_0 is on disk
	size_t members;    // of the roster; 2 until there is one
	size_t links;      // members linked now
	int64_t window_ms; // P3.8
	int64_t opening_ms; // P2.11: how long a founded one may wait for its first link
	int64_t since;     // wall clock: when it was suspended; while opening, when it was founded
};

// What an event says, and what happens in a state where it means anything.
enum lifecycle_event_type {
	LIFECYCLE_ACCEPT,  // requested: the person or policy accepted
	LIFECYCLE_ASK_AGAIN, // of what is not founded: it has become another thing to accept
	LIFECYCLE_FOUNDED, // the handshake's COMMIT_OPENING has been carried out
	LIFECYCLE_ALONE, // what others have founded was joined, and no member is linked now
	// The handshake ended after that, unfinished: a link between members may still open it.
	LIFECYCLE_LEFT,
	// .reason: the handshake ended before that; the person refused; another request won (P2.9).
	LIFECYCLE_END,
	LIFECYCLE_LINK_UP,   // of a member that had none; the handshake's OPENED counts as one
	LIFECYCLE_LINK_DOWN, // of a member that has no other
	// By this person; lifecycle_allows was OK. The outbox of what is founded tells the others,
	// now or when they are back.
	LIFECYCLE_CLOSE,
	LIFECYCLE_CLOSED_BY,   // the only other member's CLOSE is on disk
	LIFECYCLE_DEADLINE,    // the last DEADLINE has passed
	LIFECYCLE_FREEZE,      // proof of equivocation is on disk
	LIFECYCLE_THAW,        // no member is proven to lie any more: the liars are removed, or have left
	LIFECYCLE_LEAVE,       // the own LEAVE is on disk and signed
	LIFECYCLE_REMOVED,     // the others have ordered an epoch without this person
	LIFECYCLE_ROLLED_BACK, // OUTBOX_ROLLED_BACK: this core's key may sign nothing any more
	LIFECYCLE_RESTORE,     // once after a restart, on what the disk says
	LIFECYCLE_EVENT_COUNT
};
struct lifecycle_event {
	enum lifecycle_event_type type;
	enum lifecycle_reason reason; // END
	int64_t now_ms;               // wall clock; in every event
};

// What to do, in the order of these bits.
enum lifecycle_action {
	LIFECYCLE_SAVE = 1 << 0,           // on disk before what follows
	LIFECYCLE_END_HANDSHAKE = 1 << 1,  // if one is under way; the other side is told
	LIFECYCLE_END_TRANSCRIPT = 1 << 2, // TRANSCRIPT_EVENT_END
	LIFECYCLE_CLOSE_OUTBOX = 1 << 3,   // OUTBOX_EVENT_CLOSE; the key dies at its KEY_MAY_DIE
	LIFECYCLE_ABANDON_OUTBOX = 1 << 4, // OUTBOX_EVENT_ABANDON; likewise
	LIFECYCLE_DESTROY_KEY = 1 << 5,    // if there is one yet: no outbox will ask for it
	LIFECYCLE_DIAL = 1 << 6,           // P2.13: reach the members that have no link
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

// REQUESTING or REQUESTED, of two. window_ms 0 is the strict rule: a lost link closes.
struct lifecycle lifecycle_begin(enum lifecycle_state state, int64_t window_ms, int64_t opening_ms);
// An event that means nothing in that state changes nothing.
struct lifecycle_actions lifecycle_step(struct lifecycle *l, const struct lifecycle_event *event);

enum lifecycle_call {
	LIFECYCLE_CALL_ACCEPT,
	LIFECYCLE_CALL_REFUSE,
	LIFECYCLE_CALL_SEND,
	LIFECYCLE_CALL_CLOSE, // of two members
	LIFECYCLE_CALL_FORGET,
	LIFECYCLE_CALL_PROPOSE, // that the members change
	LIFECYCLE_CALL_LEAVE,   // of three and more
	LIFECYCLE_CALL_COUNT
};
// ERR_WRONG_STATE, with a text that names call and state.
MUST_CHECK enum err lifecycle_allows(const struct lifecycle *l, enum lifecycle_call call,
				     struct err_info *info);

#endif
