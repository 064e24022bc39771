// SPDX-License-Identifier: GPL-3.0-or-later
// What change.c, change_sign.c, statements.c and succession.c share.
#ifndef SOTTO_SHELL_CHANGE_PARTS_H
#define SOTTO_SHELL_CHANGE_PARTS_H

#include "openpgp/gpg.h"
#include "shell/call.h"
#include "shell/change.h"
#include "store/statements.h"

// As the store has it, until the machine is restored from it.
struct change_row {
	struct store_statement row; // its envelope is a reference of this
};

struct change {
	struct conversation *conversation;
	struct epoch *machine; // NULL: the discussion has ended
	struct timer deadline, retry;

	// own statements: the one that is being signed
	struct job *signing;
	struct hash signing_name;
	struct bytes *signing_body;
	char signing_type[RECORD_TYPE_SIZE];
	size_t row_count, row_room, row_next; // until `ready`
	struct change_row *rows;
	struct timer sign_retry;

	// statements.c
	struct statement_check *checks;
	struct timer check_retry;
	struct timer rest; // then what is not needed is checked, too

	// this person's call under way
	uint64_t ticket;
	struct err_info why;	 // where `rejected`
	struct pending *leaving; // discussions.leave

	// what proves that members lie in this epoch (P5.7): the machine tells it once of each
	size_t lie_count;
	struct bytes *lies[2 * ROSTER_MAX];

	struct epoch_decision decision; // where `decided`
	struct bytes *leave;		// the own LEAVE's envelope, where the discussion has ended by it
	struct job *importing;		// a newcomer's certificate
	struct deferred end_turn;
	struct timer end_retry;
	int64_t end_retry_ms;

	unsigned checking; // statements
	bool ready;	   // START was fed
	bool going_on;	   // statements.c is at it
	bool at_rest;	   // and checks whatever comes
	bool rejected, wants_heads, decided, left, imported;
};

// change.c
void change_feed(struct change *ch, const struct epoch_event *event);
void change_take(struct change *ch, struct bytes *envelope); // its signature holds
// Another's statement as a row. False: it is none.
bool change_row(struct bytes *envelope, struct store_statement *out);
void change_begin(struct change *ch);                        // every own statement is signed: RESTORE, START

// change_sign.c
void change_sign(struct change *ch, const struct epoch_action *a);
void change_sign_rows(struct change *ch); // what was decided before the core ended; then change_begin
void change_sign_fini(struct change *ch);

// succession.c: on this turn's end
void succession_decided(struct change *ch);
void succession_left(struct change *ch);
void succession_fini(struct change *ch);

#endif
