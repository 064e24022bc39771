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
	bool ready; // START was fed

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
	unsigned checking;
	bool going_on;
	struct timer check_retry;

	// this person's call under way
	uint64_t ticket;
	bool rejected;
	struct err_info why;
	struct pending *leaving; // discussions.leave

	bool wants_heads;
	bool decided; // then:
	struct epoch_decision decision;
	bool left;
	struct bytes *leave; // the own LEAVE's envelope, where the discussion has ended by it
	struct job *importing; // a newcomer's certificate
	bool imported;
	struct deferred end_turn;
	struct timer end_retry;
	int64_t end_retry_ms;
};

// change.c
void change_feed(struct change *ch, const struct epoch_event *event);
void change_take(struct change *ch, struct bytes *envelope); // its signature holds
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
