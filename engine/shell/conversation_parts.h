// SPDX-License-Identifier: GPL-3.0-or-later
// What conversation.c, line.c, sending.c, sending_disk.c, submission.c and receiving.c share.
#ifndef SOTTO_SHELL_CONVERSATION_PARTS_H
#define SOTTO_SHELL_CONVERSATION_PARTS_H

#include "discussion/catchup.h"
#include "discussion/confirmation.h"
#include "discussion/outbox.h"
#include "discussion/transcript.h"
#include "openpgp/gpg.h"
#include "shell/conversation.h"
#include "shell/dialer.h"
#include "shell/rekeying.h"

// Payloads of frames CHANGE: that wait for room on a link, or to be checked.
struct line_queue {
	size_t first, count, room;
	struct bytes **list;
};
void line_queue_add(struct line_queue *q, struct bytes *record); // a reference is taken
struct bytes *line_queue_take(struct line_queue *q);             // the oldest: the caller's; NULL
void line_queue_clear(struct line_queue *q);

enum { LINE_PAUSED_BY_MESSAGES = 1, LINE_PAUSED_BY_STATEMENTS = 2, LINE_PAUSED_BY_PAST = 4 };

// To one other member, or to somebody who was one: who does not know yet that it is none any more is told on a link (chain.h).
struct line {
	struct conversation *conversation;
	char fingerprint[FINGERPRINT_SIZE]; // of the other
	size_t member; // position in the roster; from the roster's count on: one of the former (discussion_anyone)
	struct link *link; // NULL: none
	bool in_epoch; // the other is in this epoch too: the machines know of the link
	bool ahead;      // the other is in a later epoch, as it has said:
	struct seen_row ahead_row; // what it has of mine there
	bool parts;      // the link ends once `changes` is empty
	unsigned paused; // LINE_PAUSED_BY_…
	struct line_queue changes;
	struct line_queue statements; // that came, and are not checked yet
	struct line_queue aside; // of them, that the epoch does not need
	bool chain_sent; // then: the proofs of the epochs from that one on were sent on this link
	uint32_t chain_from;
	bool dialled;      // by this side
	bool congested;
	bool heard;            // the transcript was told of a link
	bool waits;            // the outbox was not: own messages of earlier epochs go first (past.h)
	struct outbox_event up; // what it is told then
	struct meeting *farewell; // frames go through it instead
	struct dialer dialer;
	const char *problem; // of the last dial, as link_end_name; NULL: none
	struct addr tried;
};

// A gpg operation for one of the machines; outlives the conversation by a turn when that is stopped.
struct job {
	struct conversation *conversation; // NULL: stopped
	struct job *next, **link;
	struct gpg_op *op;
	uint64_t ticket; // of a seal: the sequence
	uint64_t recipients[ROSTER_MAX]; // of an open
};

struct submission;

#define SENDING_POSTPONED_MAX 2 // a commit, and a sealed message to be stored

struct conversation {
	struct engine *engine;
	struct discussion *discussion;
	struct conversation *present; // of an earlier epoch (past.h): whose lines it uses; NULL: this is the present one
	uint32_t epoch;
	const struct roster_record *roster; // of that epoch, as are
	const struct hash *roster_hash;
	const struct store_member *members;
	const struct transcript_head *cut; // of an earlier one: where each chain ends; else NULL
	struct past *past;                 // of an earlier one: what else past.c has of it
	struct past *pasts;                // of the present one: earlier ones that are not complete, oldest first
	struct deferred past_turn;
	struct outbox *outbox;
	struct transcript *transcript;
	size_t count, own; // members, own position
	size_t line_count; // members and former ones
	struct rekeying *rekeying; // whose encryption keys are which
	struct line *lines;        // one for each member, the own unused, then one for each former
	struct change *change;
	struct timer chain_timer;
	struct timer sending_retry, receiving_retry, ack_timer, catchup_timer;
	struct catchup *catchup; // NULL: of two there is nobody to ask
	struct confirmation confirmation;
	struct outbox_action delayed_seal; // until what a member has said of its key is imported
	bool seal_is_delayed;
	struct outbox_action postponed[SENDING_POSTPONED_MAX]; // to the end of the turn
	bool is_postponed[SENDING_POSTPONED_MAX];
	struct deferred postponed_turn;
	struct deferred wind_down_turn;
	bool is_quiet; // after sending_freeze
	struct job *jobs;
	struct meeting *meetings; // member links being made
	struct submission *submissions;
	uint64_t next_ticket;
	struct err_info unstored; // why the last commit of own messages failed
	bool told;                // nobody is to be told of the end any more: the row says so once all else is written
};

struct job *job_new(struct conversation *c, uint64_t ticket);
struct conversation *job_end(struct job *j); // frees it; NULL: the conversation was stopped meanwhile

// How an operation for messages ended: what is GnuPG's fault, and not the message's, is trouble (health.h). Own messages that are
// sealed are never at fault.
void gpg_went(struct conversation *c, enum err code, const struct err_info *info, bool sealing);

// Everyone's key ids but that member's, in roster order; how many.
size_t conversation_keys_without(const struct conversation *c, size_t member, uint64_t out[ROSTER_MAX]);
void line_init(struct conversation *c, size_t member);
// To that member of the conversation's epoch; NULL: none, it is no member any more.
struct line *conversation_line(struct conversation *c, size_t member);
// For succession.c: the discussion's next conversation in the place of the last, with machines and no links; NULL: it cannot be.
struct conversation *conversation_next(struct discussion *d, struct err_info *info);
void conversation_begin(struct conversation *c); // its machines are started
void conversation_bury(struct conversation *c);  // the last one, whose links have moved
// The machines are told of a way to that member, which is in this epoch; seen: what it says it has, NULL for a farewell or a handshake's link.
void line_up(struct line *l, const struct seen_row *seen);
void line_down(struct line *l);
void line_passed(struct line *l); // what it waited for with own messages is done
// A record on that member's line, whatever it is: a link or a farewell.
void line_send_record(struct line *l, struct span record);
void line_transmit(struct line *l, struct bytes *frame); // of kind SEALED
void line_pause(struct line *l, unsigned by, bool pause); // by: one of LINE_PAUSED_BY_…
void line_change(struct line *l, struct bytes *record); // a frame of kind CHANGE, now or when there is room
void line_part(struct line *l); // its link ends once what waits in `changes` is sent
const struct store_member *line_other(const struct line *l);
bool line_is_former(const struct line *l); // to somebody who is no member any more
// The link is another line's from now on: of the same person, in the next epoch.
void line_move(struct line *from, struct line *to);
void line_drop(struct line *l, const char *reason); // its link, as lost
void conversation_wind_down(struct conversation *c); // after an end: lets links go once nothing is left to say
void conversation_settle(struct conversation *c);    // the outbox has written something down: an end may have waited for it

// sending.c
MUST_CHECK enum err sending_open(struct conversation *c, struct err_info *info);
void sending_feed(struct conversation *c, struct outbox_event *event); // sets its time
void sending_fini(struct conversation *c);
void sending_seal_delayed(struct conversation *c); // rekeying_delays has ended
// What waited for the end of the turn is written now, until nothing is: before another transaction is to see it.
void sending_flush(struct conversation *c);
void sending_heard(struct conversation *c, size_t member, struct span record); // ack, cannot-open, closed
// The members are about to change (change.h). From now on no payload is built in this epoch: what is submitted is on disk without a
// place, and waits for the next. change_quiet follows, on this turn or later, once every payload that was built is sealed and stored.
void sending_freeze(struct conversation *c);

// sending_disk.c
void sending_disk(struct conversation *c, struct outbox_action *a);
void sending_disk_fini(struct conversation *c);

// submission.c
// A SUBMIT or RELEASE whose ticket is set here; the call is answered with `result`, which is taken, once all of it is on disk.
MUST_CHECK enum err submission_begin(struct conversation *c, struct call *call, struct outbox_event *event, json_t *result);
void submission_resolve(struct conversation *c, uint64_t ticket, enum err code); // ACCEPTED, or why not
void submissions_cancel(struct conversation *c);

// receiving.c
MUST_CHECK enum err receiving_open(struct conversation *c, struct err_info *info);
void receiving_feed(struct conversation *c, const struct transcript_event *event);
void receiving_fini(struct conversation *c);
struct delivery_record;
void receiving_say(struct conversation *c, size_t member, struct delivery_record *r); // on its line; the discussion is filled in

// catching_up.c
void catching_up_open(struct conversation *c, bool waits); // after receiving_open; waits: for catching_up_go
void catching_up_fini(struct conversation *c);
void catching_up_go(struct conversation *c);
void catching_up_link(struct conversation *c, size_t member, bool up);
void catching_up_seen(struct conversation *c, size_t member, const struct seen_record *seen);              // on a link
void catching_up_has(struct conversation *c, size_t member, const char *sender, uint64_t sequence); // that member says so
void catching_up_got(struct conversation *c, size_t sender, uint64_t sequence);                     // it is on disk
void catching_up_heard(struct conversation *c, size_t member, const struct delivery_record *r);     // want, lacks

// confirming.c
// After receiving_open. Whether others have said something that no own payload covers.
bool confirming_open(struct conversation *c);
void confirming_start(struct conversation *c); // what was confirmed before is told, should the core have ended too early
void confirming_heard(struct conversation *c, const struct transcript_action *commit); // it is on disk
void confirming_forget(struct conversation *c, size_t member); // is no member any more: nobody waits for what it signs
void confirming_complain(struct conversation *c, const struct transcript_action *a);
void confirming_complaint(struct conversation *c, const struct transcript_action *a);

#endif
