// SPDX-License-Identifier: GPL-3.0-or-later
// Carries out what a handshake machine asks for (discussion/handshake.h): the link, gpg, the disk, the clock. It decides nothing but
// where to dial.
#ifndef SOTTO_SHELL_OPENING_H
#define SOTTO_SHELL_OPENING_H

#include "discussion/handshake.h"
#include "net/link.h"
#include "peers/table.h"
#include "shell/spare.h"

struct engine;
struct discussion;
struct opening;

// --- the side that asks --------------------------------------------------------------------------------------------------

struct opening_request {
	const char *other;       // fingerprint
	enum handshake_mode mode;
	const char *charter;
	struct secret *password; // prepared; NULL in mode pinned. A reference is taken
	struct fresh_key *key;   // taken, emptied
};
// Makes the discussion (state requesting, on disk) and begins to dial on a later turn. *out is borrowed.
MUST_CHECK enum err opening_ask(struct engine *e, const struct opening_request *request, struct discussion **out,
				struct err_info *info);

// --- the side that answers -----------------------------------------------------------------------------------------------

// Takes an accepted link whose first frame is a "hello" record, handed over here. `source` holds a half-open slot of the limits,
// given back when the request is shown or the opening ends.
void opening_answer(struct engine *e, struct link *link, const struct addr *source, bool known, struct span hello);
// The person's or policy's decision about a request; the password is prepared. The key comes later, on its own.
MUST_CHECK enum err opening_accept(struct opening *o, struct secret *password, struct err_info *info);

// --- both ------------------------------------------------------------------------------------------------------------------

// The person refuses, calls the own request back, or it is superseded.
void opening_end(struct opening *o, enum handshake_reason reason);
// Without a word to the other side: the core stops or is locked. The discussion is not touched.
void opening_free(struct opening *o);

// A peer's certification turned out good or bad: requests to it may go on.
void openings_peer_proven(struct engine *e, const char *fingerprint);

// Requests of that person that were held back are decided anew (P2.9).
void openings_decide_again(struct engine *e, const char *fingerprint);

enum handshake_mode opening_mode(const struct opening *o);
const char *opening_other(const struct opening *o);
struct bytes *opening_general(const struct opening *o); // the other's general certificate, borrowed; NULL: not known yet
struct discussion *opening_discussion(const struct opening *o); // NULL: not shown yet
struct opening *opening_next(const struct opening *o);
bool opening_asks(const struct opening *o);       // an own request, unfinished
bool opening_is_request(const struct opening *o); // shown, and waits for the person

#endif
