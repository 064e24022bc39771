// SPDX-License-Identifier: GPL-3.0-or-later
// What conversation.c, line.c, sending.c, sending_disk.c, submission.c and receiving.c share.
#ifndef SOTTO_SHELL_CONVERSATION_PARTS_H
#define SOTTO_SHELL_CONVERSATION_PARTS_H

#include "discussion/outbox.h"
#include "discussion/transcript.h"
#include "openpgp/gpg.h"
#include "shell/conversation.h"
#include "shell/dialer.h"

// To one other member.
struct line {
	struct conversation *conversation;
	size_t member; // position in the roster
	struct link *link; // NULL: none
	bool dialled;      // by this side
	bool congested;
	bool heard;            // the transcript was told of a link
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
	struct outbox *outbox;
	struct transcript *transcript;
	size_t count, own; // members, own position
	uint64_t keys[ROSTER_MAX]; // encryption key ids in roster order
	struct line *lines;        // one for each member, the own unused
	struct timer sending_retry, receiving_retry;
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
// The machines are told of a way to that member; seen: what it says it has, NULL for a farewell or a handshake's link.
void line_up(struct line *l, const struct seen_row *seen);
void line_down(struct line *l);
// A record on that member's line, whatever it is: a link or a farewell.
void line_send_record(struct line *l, struct span record);
void line_transmit(struct line *l, struct bytes *frame); // of kind SEALED
void line_pause(struct line *l, bool pause);
void line_drop(struct line *l, const char *reason); // its link, as lost
void conversation_wind_down(struct conversation *c); // after an end: lets links go once nothing is left to say
void conversation_settle(struct conversation *c);    // the outbox has written something down: an end may have waited for it

// sending.c
MUST_CHECK enum err sending_open(struct conversation *c, struct err_info *info);
void sending_feed(struct conversation *c, struct outbox_event *event); // sets its time
void sending_fini(struct conversation *c);
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

#endif
