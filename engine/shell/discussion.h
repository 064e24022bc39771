// SPDX-License-Identifier: GPL-3.0-or-later
// One discussion as the core keeps it: its row, its roster, its home, and from its opening on its conversation.
#ifndef SOTTO_SHELL_DISCUSSION_H
#define SOTTO_SHELL_DISCUSSION_H

#include <jansson.h>

#include "discussion/handshake.h"
#include "discussion/lifecycle_queue.h"
#include "discussion/roster.h"
#include "net/link.h"
#include "shell/spare.h"
#include "store/discussions.h"
#include "store/epochs.h"

struct engine;
struct opening;
struct conversation;
struct candidacy;
struct export;
struct holding;

#define DISCUSSION_CANDIDATE "candidate" // .row.role of what began with an invitation

struct discussion {
	struct engine *engine;
	struct discussion *next, **link;
	struct store_discussion row;
	struct lifecycle life;       // row.state, reason, founded, since
	struct timer deadline;       // of the lifecycle
	struct home *home;           // open while its key lives
	struct opening *opening;     // unfinished
	struct candidacy *candidacy; // an invitation, until a roster names this person
	struct conversation *conversation;
	struct export *export; // being written
	struct holding *holding; // of an epoch's end that is not told yet (holding.h)
	// from R_0 on
	struct roster_record roster; // of the current epoch
	struct hash roster_hash;
	size_t member_count;
	struct store_member *members; // in roster order
	size_t former_count;          // members of earlier epochs that are none any more: the last ones of them
	struct store_member *former;
	int64_t epoch_ended;          // when the last epoch did, as the rows of its proposals say
	bool held_back;               // a request that is not shown yet (P2.9)
	bool row_waits;                 // row is newer than what is on disk
	struct lifecycle_queue waiting; // what could not be written down yet
};

struct discussion_birth {
	const char *id, *other;
	bool responder;
	bool candidate; // it begins with an invitation: `other` is the sponsor, and there is no handshake
	enum handshake_mode mode;
	const char *charter;
	struct fresh_key *key; // borrowed: home and certificate; NULL at the answering side
};
// A new one, on disk. No event yet.
MUST_CHECK enum err discussion_create(struct engine *e, const struct discussion_birth *birth, struct discussion **out,
				      struct err_info *info);
// From the store's row, which is taken. Roster and members are read too where it has them.
MUST_CHECK enum err discussion_restore(struct engine *e, struct store_discussion *row, struct discussion **out,
				       struct err_info *info);
void discussion_free(struct discussion *d);

// Something happened to it: the lifecycle decides, and what it asks for is done: the row is written, events are told, the conversation
// is begun, closed or dropped. ERR_IO: the row could not be written, and nothing has changed.
MUST_CHECK enum err discussion_step(struct discussion *d, enum lifecycle_event_type type, enum lifecycle_reason reason,
				    struct err_info *info);
// The same where nobody can be told of a failure: what cannot be written now is stepped again once the store works (discussion_recover).
void discussion_happens(struct discussion *d, enum lifecycle_event_type type, enum lifecycle_reason reason);
// The row as it is in memory, on disk now or once the store works.
void discussion_keep(struct discussion *d);
void discussion_recover(struct discussion *d); // the store works again
bool discussion_has_ended(const struct discussion *d);
bool discussion_ended_here(const struct discussion *d); // by this person, or as nobody came back: the others are to be told

// The handshake's way through (opening.c).
void discussion_take_key(struct discussion *d, const struct fresh_key *key);
MUST_CHECK enum err discussion_commit_opening(struct discussion *d, const struct handshake_action *opening,
					      struct err_info *info);
// What others have founded, and this person has joined: in one transaction with what `write` writes, which is epochs and members.
struct discussion_founding {
	struct hash first; // H_0
	uint32_t epoch;    // the current one
	const char *charter;
	size_t members;
	enum err (*write)(void *arg, struct err_info *info);
	void *arg;
};
MUST_CHECK enum err discussion_found(struct discussion *d, const struct discussion_founding *founding, struct err_info *info);
void discussion_opened(struct discussion *d, struct link *link, const char *other, bool dialled); // the link is taken
void discussion_announce_request(struct discussion *d);
bool discussion_is_held_back(const struct discussion *d);

struct home *discussion_home(const struct discussion *d); // NULL: its key is gone
const char *discussion_own(const struct discussion *d);   // own general fingerprint
// Whether an L1 payload is for this discussion; who it says it comes from, as for discussion_anyone.
bool discussion_matches(const struct discussion *d, struct span l1, size_t *member);
const struct store_member *discussion_member(const struct discussion *d, const char *fingerprint); // NULL: not one
// By number: a position in the roster, or behind those one of the former.
const struct store_member *discussion_anyone(const struct discussion *d, size_t number);
// From the store, for the epoch of the row: roster, members, former ones.
MUST_CHECK enum err discussion_load_roster(struct discussion *d, struct err_info *info);
// Drops the key: its home is destroyed in the background, and the row says so.
void discussion_destroy_key(struct discussion *d);

void discussion_emit(struct discussion *d, const char *type);
json_t *discussion_view(struct discussion *d);

#endif
