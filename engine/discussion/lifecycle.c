// SPDX-License-Identifier: GPL-3.0-or-later
#include "discussion/lifecycle.h"

#include <assert.h>
#include <string.h>

static const char *const state_names[LIFECYCLE_STATE_COUNT] = {
	"requesting", "requested", "opening", "open", "suspended", "frozen", "closed", "refused",
};

static const char *const reason_names[LIFECYCLE_REASON_COUNT] = {
	"",
	"refused",
	"busy",
	"expired",
	"superseded",
	"failed",
	"lost",
	"closed",
	"closed_by_member",
	"resume_window",
	"equivocation",
	"rolled_back",
	"unreachable",
	"unproven",
	"restart",
	"locked",
	"left",
	"removed",
};

static bool find_name(const char *const *names, unsigned count, const char *name, unsigned *out)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

const char *lifecycle_state_name(enum lifecycle_state state)
{
	return state_names[state];
}

bool lifecycle_state_parse(const char *name, enum lifecycle_state *out)
{
	unsigned i;
	bool found = find_name(state_names, LIFECYCLE_STATE_COUNT, name, &i);
	if (found)
		*out = (enum lifecycle_state)i;
	return found;
}

const char *lifecycle_reason_name(enum lifecycle_reason reason)
{
	return reason_names[reason];
}

bool lifecycle_reason_parse(const char *name, enum lifecycle_reason *out)
{
	unsigned i;
	bool found = find_name(reason_names, LIFECYCLE_REASON_COUNT, name, &i);
	if (found)
		*out = (enum lifecycle_reason)i;
	return found;
}

// --- transitions --------------------------------------------------------------------------------

enum condition {
	ALWAYS,
	FOUNDED,
	UNFOUNDED,
	LINKED, // still, to someone
	FOUNDED_PAIR, // of two members; with more, absence ends nothing
	FOUNDED_MANY,
	STRICT, // two members, and no window to come back in
	PAIR,   // two members
};

// What each way to an end asks for.
#define NEVER_BEGAN (LIFECYCLE_SAVE | LIFECYCLE_END_HANDSHAKE | LIFECYCLE_DESTROY_KEY)
#define GONE \
	(LIFECYCLE_SAVE | LIFECYCLE_END_HANDSHAKE | LIFECYCLE_END_TRANSCRIPT | \
	 LIFECYCLE_CLEAR_DEADLINE)
#define CLOSE_IT (GONE | LIFECYCLE_CLOSE_OUTBOX | LIFECYCLE_TELL_CLOSED)
#define LEAVE_IT (GONE | LIFECYCLE_ABANDON_OUTBOX | LIFECYCLE_TELL_CLOSED)
#define SWEEP_IT (GONE | LIFECYCLE_ABANDON_OUTBOX | LIFECYCLE_TELL_REFUSED)

// What is sealed is told to the others by what is on disk.
#define DEPART (GONE | LIFECYCLE_DESTROY_KEY | LIFECYCLE_TELL_CLOSED)

#define SUSPEND_PAIR \
	(LIFECYCLE_SAVE | LIFECYCLE_DIAL | LIFECYCLE_SET_DEADLINE | LIFECYCLE_TELL_SUSPENDED)
#define SUSPEND_MANY (LIFECYCLE_SAVE | LIFECYCLE_DIAL | LIFECYCLE_TELL_SUSPENDED)

// The first row that fits is taken. Reason: of the state gone to; OF_EVENT takes the event's.
#define OF_EVENT LIFECYCLE_REASON_COUNT

static const struct transition {
	enum lifecycle_state state;
	enum lifecycle_event_type event;
	enum condition condition;
	enum lifecycle_state next;
	enum lifecycle_reason reason;
	unsigned actions;
} transitions[] = {
	{LIFECYCLE_REQUESTING, LIFECYCLE_FOUNDED, ALWAYS, LIFECYCLE_OPENING, 0,
	 LIFECYCLE_SAVE | LIFECYCLE_SET_DEADLINE},
	{LIFECYCLE_REQUESTING, LIFECYCLE_END, ALWAYS, LIFECYCLE_REFUSED, OF_EVENT,
	 NEVER_BEGAN | LIFECYCLE_TELL_REFUSED},
	{LIFECYCLE_REQUESTING, LIFECYCLE_CLOSE, ALWAYS, LIFECYCLE_CLOSED, LIFECYCLE_REASON_CLOSED,
	 NEVER_BEGAN | LIFECYCLE_TELL_CLOSED},
	{LIFECYCLE_REQUESTING, LIFECYCLE_RESTORE, ALWAYS, LIFECYCLE_REFUSED,
	 LIFECYCLE_REASON_LOST, NEVER_BEGAN | LIFECYCLE_TELL_REFUSED},

	{LIFECYCLE_REQUESTED, LIFECYCLE_ACCEPT, ALWAYS, LIFECYCLE_OPENING, 0, LIFECYCLE_SAVE},
	{LIFECYCLE_REQUESTED, LIFECYCLE_END, ALWAYS, LIFECYCLE_REFUSED, OF_EVENT,
	 NEVER_BEGAN | LIFECYCLE_TELL_REFUSED},
	{LIFECYCLE_REQUESTED, LIFECYCLE_CLOSE, ALWAYS, LIFECYCLE_REFUSED, LIFECYCLE_REASON_REFUSED,
	 NEVER_BEGAN | LIFECYCLE_TELL_REFUSED},
	{LIFECYCLE_REQUESTED, LIFECYCLE_RESTORE, ALWAYS, LIFECYCLE_REFUSED, LIFECYCLE_REASON_LOST,
	 NEVER_BEGAN | LIFECYCLE_TELL_REFUSED},

	{LIFECYCLE_OPENING, LIFECYCLE_ASK_AGAIN, UNFOUNDED, LIFECYCLE_REQUESTED, 0, LIFECYCLE_SAVE},
	{LIFECYCLE_OPENING, LIFECYCLE_FOUNDED, UNFOUNDED, LIFECYCLE_OPENING, 0,
	 LIFECYCLE_SAVE | LIFECYCLE_SET_DEADLINE},
	{LIFECYCLE_OPENING, LIFECYCLE_ALONE, FOUNDED_MANY, LIFECYCLE_SUSPENDED, 0,
	 LIFECYCLE_SAVE | LIFECYCLE_DIAL | LIFECYCLE_CLEAR_DEADLINE | LIFECYCLE_TELL_OPENED},
	{LIFECYCLE_OPENING, LIFECYCLE_LEFT, FOUNDED, LIFECYCLE_OPENING, 0, LIFECYCLE_DIAL},
	{LIFECYCLE_OPENING, LIFECYCLE_END, UNFOUNDED, LIFECYCLE_REFUSED, OF_EVENT,
	 NEVER_BEGAN | LIFECYCLE_TELL_REFUSED},
	{LIFECYCLE_OPENING, LIFECYCLE_LINK_UP, FOUNDED, LIFECYCLE_OPEN, 0,
	 LIFECYCLE_SAVE | LIFECYCLE_CLEAR_DEADLINE | LIFECYCLE_TELL_OPENED},
	// the other side may be open already, so it is told as from an open one
	{LIFECYCLE_OPENING, LIFECYCLE_CLOSE, FOUNDED, LIFECYCLE_CLOSED, LIFECYCLE_REASON_CLOSED,
	 CLOSE_IT},
	{LIFECYCLE_OPENING, LIFECYCLE_CLOSE, UNFOUNDED, LIFECYCLE_CLOSED, LIFECYCLE_REASON_CLOSED,
	 NEVER_BEGAN | LIFECYCLE_TELL_CLOSED},
	{LIFECYCLE_OPENING, LIFECYCLE_CLOSED_BY, FOUNDED, LIFECYCLE_CLOSED,
	 LIFECYCLE_REASON_CLOSED_BY_MEMBER, LEAVE_IT},
	{LIFECYCLE_OPENING, LIFECYCLE_DEADLINE, FOUNDED_PAIR, LIFECYCLE_REFUSED,
	 LIFECYCLE_REASON_EXPIRED, SWEEP_IT},
	{LIFECYCLE_OPENING, LIFECYCLE_RESTORE, FOUNDED_MANY, LIFECYCLE_SUSPENDED, 0,
	 LIFECYCLE_SAVE | LIFECYCLE_DIAL | LIFECYCLE_TELL_OPENED},
	{LIFECYCLE_OPENING, LIFECYCLE_RESTORE, FOUNDED, LIFECYCLE_OPENING, 0,
	 LIFECYCLE_DIAL | LIFECYCLE_SET_DEADLINE},
	{LIFECYCLE_OPENING, LIFECYCLE_RESTORE, UNFOUNDED, LIFECYCLE_REFUSED, LIFECYCLE_REASON_LOST,
	 NEVER_BEGAN | LIFECYCLE_TELL_REFUSED},

	{LIFECYCLE_OPEN, LIFECYCLE_LINK_DOWN, LINKED, LIFECYCLE_OPEN, 0, LIFECYCLE_DIAL},
	{LIFECYCLE_OPEN, LIFECYCLE_LINK_DOWN, STRICT, LIFECYCLE_CLOSED,
	 LIFECYCLE_REASON_RESUME_WINDOW, CLOSE_IT},
	{LIFECYCLE_OPEN, LIFECYCLE_LINK_DOWN, PAIR, LIFECYCLE_SUSPENDED, 0, SUSPEND_PAIR},
	{LIFECYCLE_OPEN, LIFECYCLE_LINK_DOWN, ALWAYS, LIFECYCLE_SUSPENDED, 0, SUSPEND_MANY},
	{LIFECYCLE_OPEN, LIFECYCLE_CLOSE, ALWAYS, LIFECYCLE_CLOSED, LIFECYCLE_REASON_CLOSED,
	 CLOSE_IT},
	{LIFECYCLE_OPEN, LIFECYCLE_CLOSED_BY, ALWAYS, LIFECYCLE_CLOSED,
	 LIFECYCLE_REASON_CLOSED_BY_MEMBER, LEAVE_IT},
	{LIFECYCLE_OPEN, LIFECYCLE_FREEZE, ALWAYS, LIFECYCLE_FROZEN, LIFECYCLE_REASON_EQUIVOCATION,
	 LIFECYCLE_SAVE | LIFECYCLE_TELL_FROZEN},
	{LIFECYCLE_OPEN, LIFECYCLE_LEAVE, ALWAYS, LIFECYCLE_CLOSED, LIFECYCLE_REASON_LEFT, DEPART},
	{LIFECYCLE_OPEN, LIFECYCLE_REMOVED, ALWAYS, LIFECYCLE_CLOSED, LIFECYCLE_REASON_REMOVED,
	 LEAVE_IT},
	{LIFECYCLE_OPEN, LIFECYCLE_ROLLED_BACK, ALWAYS, LIFECYCLE_CLOSED,
	 LIFECYCLE_REASON_ROLLED_BACK, LEAVE_IT},
	// a crash: when the links were lost is not known
	{LIFECYCLE_OPEN, LIFECYCLE_RESTORE, STRICT, LIFECYCLE_CLOSED,
	 LIFECYCLE_REASON_RESUME_WINDOW, CLOSE_IT},
	{LIFECYCLE_OPEN, LIFECYCLE_RESTORE, PAIR, LIFECYCLE_SUSPENDED, 0, SUSPEND_PAIR},
	{LIFECYCLE_OPEN, LIFECYCLE_RESTORE, ALWAYS, LIFECYCLE_SUSPENDED, 0, SUSPEND_MANY},

	{LIFECYCLE_SUSPENDED, LIFECYCLE_LINK_UP, ALWAYS, LIFECYCLE_OPEN, 0,
	 LIFECYCLE_SAVE | LIFECYCLE_CLEAR_DEADLINE | LIFECYCLE_TELL_RESUMED},
	{LIFECYCLE_SUSPENDED, LIFECYCLE_DEADLINE, PAIR, LIFECYCLE_CLOSED,
	 LIFECYCLE_REASON_RESUME_WINDOW, CLOSE_IT},
	{LIFECYCLE_SUSPENDED, LIFECYCLE_CLOSE, ALWAYS, LIFECYCLE_CLOSED, LIFECYCLE_REASON_CLOSED,
	 CLOSE_IT},
	{LIFECYCLE_SUSPENDED, LIFECYCLE_CLOSED_BY, ALWAYS, LIFECYCLE_CLOSED,
	 LIFECYCLE_REASON_CLOSED_BY_MEMBER, LEAVE_IT},
	{LIFECYCLE_SUSPENDED, LIFECYCLE_FREEZE, ALWAYS, LIFECYCLE_FROZEN,
	 LIFECYCLE_REASON_EQUIVOCATION,
	 LIFECYCLE_SAVE | LIFECYCLE_CLEAR_DEADLINE | LIFECYCLE_TELL_FROZEN},
	{LIFECYCLE_SUSPENDED, LIFECYCLE_LEAVE, ALWAYS, LIFECYCLE_CLOSED, LIFECYCLE_REASON_LEFT, DEPART},
	{LIFECYCLE_SUSPENDED, LIFECYCLE_REMOVED, ALWAYS, LIFECYCLE_CLOSED, LIFECYCLE_REASON_REMOVED,
	 LEAVE_IT},
	{LIFECYCLE_SUSPENDED, LIFECYCLE_ROLLED_BACK, ALWAYS, LIFECYCLE_CLOSED,
	 LIFECYCLE_REASON_ROLLED_BACK, LEAVE_IT},
	{LIFECYCLE_SUSPENDED, LIFECYCLE_RESTORE, PAIR, LIFECYCLE_SUSPENDED, 0,
	 LIFECYCLE_DIAL | LIFECYCLE_SET_DEADLINE},
	{LIFECYCLE_SUSPENDED, LIFECYCLE_RESTORE, ALWAYS, LIFECYCLE_SUSPENDED, 0, LIFECYCLE_DIAL},

	// no window here: what is frozen waits for the person
	{LIFECYCLE_FROZEN, LIFECYCLE_LINK_DOWN, ALWAYS, LIFECYCLE_FROZEN, 0, LIFECYCLE_DIAL},
	{LIFECYCLE_FROZEN, LIFECYCLE_CLOSE, ALWAYS, LIFECYCLE_CLOSED, LIFECYCLE_REASON_CLOSED,
	 CLOSE_IT},
	{LIFECYCLE_FROZEN, LIFECYCLE_CLOSED_BY, ALWAYS, LIFECYCLE_CLOSED,
	 LIFECYCLE_REASON_CLOSED_BY_MEMBER, LEAVE_IT},
	{LIFECYCLE_FROZEN, LIFECYCLE_THAW, LINKED, LIFECYCLE_OPEN, 0,
	 LIFECYCLE_SAVE | LIFECYCLE_TELL_RESUMED},
	{LIFECYCLE_FROZEN, LIFECYCLE_THAW, PAIR, LIFECYCLE_SUSPENDED, 0, SUSPEND_PAIR},
	{LIFECYCLE_FROZEN, LIFECYCLE_THAW, ALWAYS, LIFECYCLE_SUSPENDED, 0, SUSPEND_MANY},
	{LIFECYCLE_FROZEN, LIFECYCLE_LEAVE, ALWAYS, LIFECYCLE_CLOSED, LIFECYCLE_REASON_LEFT, DEPART},
	{LIFECYCLE_FROZEN, LIFECYCLE_REMOVED, ALWAYS, LIFECYCLE_CLOSED, LIFECYCLE_REASON_REMOVED,
	 LEAVE_IT},
	{LIFECYCLE_FROZEN, LIFECYCLE_ROLLED_BACK, ALWAYS, LIFECYCLE_CLOSED,
	 LIFECYCLE_REASON_ROLLED_BACK, LEAVE_IT},
	{LIFECYCLE_FROZEN, LIFECYCLE_RESTORE, ALWAYS, LIFECYCLE_FROZEN, 0, LIFECYCLE_DIAL},
};

static bool holds(const struct lifecycle *l, enum condition c)
{
	switch (c) {
	case ALWAYS:
		return true;
	case FOUNDED:
		return l->founded;
	case UNFOUNDED:
		return !l->founded;
	case FOUNDED_PAIR:
		return l->founded && l->members == 2;
	case FOUNDED_MANY:
		return l->founded && l->members > 2;
	case LINKED:
		return l->links > 0;
	case STRICT:
		return l->members == 2 && l->window_ms == 0;
	case PAIR:
		return l->members == 2;
	}
	return false;
}

static const struct transition *find(const struct lifecycle *l, enum lifecycle_event_type event)
{
	for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++) {
		const struct transition *t = &transitions[i];
		if (t->state == l->state && t->event == event && holds(l, t->condition))
			return t;
	}
	return NULL;
}

// Whether the event is real: the end of a link that nobody had is none.
static bool count_links(struct lifecycle *l, enum lifecycle_event_type event)
{
	if (event == LIFECYCLE_LINK_UP)
		l->links++;
	if (event == LIFECYCLE_LINK_DOWN && l->links == 0)
		return false;
	if (event == LIFECYCLE_LINK_DOWN)
		l->links--;
	if (event == LIFECYCLE_RESTORE)
		l->links = 0;
	return true;
}

// A wall clock that was set back prolongs nothing.
static int64_t time_left(struct lifecycle *l, int64_t now_ms)
{
	int64_t span = l->state == LIFECYCLE_OPENING ? l->opening_ms : l->window_ms;
	if (l->since > now_ms)
		l->since = now_ms;
	int64_t passed = now_ms - l->since;
	return passed < span ? span - passed : 0;
}

struct lifecycle lifecycle_begin(enum lifecycle_state state, int64_t window_ms, int64_t opening_ms)
{
	assert(state == LIFECYCLE_REQUESTING || state == LIFECYCLE_REQUESTED);
	return (struct lifecycle){
		.state = state, .members = 2, .window_ms = window_ms, .opening_ms = opening_ms};
}

struct lifecycle_actions lifecycle_step(struct lifecycle *l, const struct lifecycle_event *event)
{
	struct lifecycle_actions out = {0};
	if (!count_links(l, event->type))
		return out;
	const struct transition *t = find(l, event->type);
	if (!t)
		return out;
	bool moved = t->next != l->state;
	l->state = t->next;
	if (moved)
		l->reason = t->reason == OF_EVENT ? event->reason : t->reason;
	if (event->type == LIFECYCLE_FOUNDED)
		l->founded = true;
	if (event->type == LIFECYCLE_FOUNDED || (moved && t->next == LIFECYCLE_SUSPENDED))
		l->since = event->now_ms;
	out.set = t->actions;
	if (out.set & LIFECYCLE_SET_DEADLINE)
		out.deadline_ms = time_left(l, event->now_ms);
	return out;
}

// --- calls --------------------------------------------------------------------------------------

#define IN(state) (1u << LIFECYCLE_##state)

static const struct {
	const char *verb;
	unsigned states;
} calls[LIFECYCLE_CALL_COUNT] = {
	[LIFECYCLE_CALL_ACCEPT] = {"accepted", IN(REQUESTED)},
	[LIFECYCLE_CALL_REFUSE] = {"refused", IN(REQUESTED)},
	[LIFECYCLE_CALL_SEND] = {"written to", IN(OPEN) | IN(SUSPENDED)},
	[LIFECYCLE_CALL_CLOSE] = {"closed", IN(REQUESTING) | IN(REQUESTED) | IN(OPENING) |
						    IN(OPEN) | IN(SUSPENDED) | IN(FROZEN)},
	[LIFECYCLE_CALL_FORGET] = {"forgotten", IN(CLOSED) | IN(REFUSED)},
	[LIFECYCLE_CALL_PROPOSE] = {"changed", IN(OPEN) | IN(SUSPENDED) | IN(FROZEN)},
	[LIFECYCLE_CALL_LEAVE] = {"left", IN(OPEN) | IN(SUSPENDED) | IN(FROZEN)},
};

enum err lifecycle_allows(const struct lifecycle *l, enum lifecycle_call call,
			  struct err_info *info)
{
	if (!(calls[call].states & (1u << l->state)))
		return err_set(info, ERR_WRONG_STATE, "a discussion that is %s cannot be %s",
			       state_names[l->state], calls[call].verb);
	if (call == LIFECYCLE_CALL_CLOSE && l->members > 2)
		return err_set(info, ERR_WRONG_STATE,
			       "a discussion of %zu members is left, not closed", l->members);
	return OK;
}
