// SPDX-License-Identifier: GPL-3.0-or-later
// The inside of the transcript machine, shared by its files.
#ifndef SOTTO_DISCUSSION_TRANSCRIPT_MACHINE_H
#define SOTTO_DISCUSSION_TRANSCRIPT_MACHINE_H

#include "discussion/transcript.h"
#include "wire/sealed.h"

enum held_stage { HELD_WAITING, HELD_OPENING, HELD_OPENED };

// A frame on its way, in the order of arrival.
struct held {
	size_t member; // whose link it came over
	size_t sender; // as its header says, as is sequence
	uint64_t sequence;
	struct bytes *frame;
	enum held_stage stage;
	uint64_t ticket; // OPENING
	enum err code;   // OPENED
	struct bytes *payload;
	struct secret *session_key;
	uint64_t *recipients; // or NULL
	bool rekeyed;         // what it brings can be sealed to: .key
	uint64_t key;
};

struct transcript_link {
	size_t held, held_bytes;
	bool paused;
	uint64_t refused; // sequence last answered "cannot open"; 0: none. And how often
	unsigned refusals;
	// What DISPUTE was about; sequence 0: nothing
	size_t disputed_sender;
	uint64_t disputed;
};

struct transcript_chain {
	struct transcript_head head; // on disk
	bool closed;
	uint64_t complained; // of that sequence, once
	struct hash refused; // the message that could not be opened first
	bool cut; // nothing counts that comes after .last
	struct transcript_head last;
	uint64_t covered; // of mine, as its payloads say
	// the last TRANSCRIPT_RECENT ones of this run, at sequence % TRANSCRIPT_RECENT
	struct transcript_head recent[TRANSCRIPT_RECENT];
};

struct transcript {
	char own[FINGERPRINT_SIZE];
	size_t self; // own position
	struct roster_record roster;
	struct hash roster_hash;
	const struct rekeys *keys;
	struct transcript_chain *chains; // one for each member
	struct transcript_link *links;   // likewise
	struct held *held;
	size_t held_count, held_room, held_bytes;
	uint64_t last_ticket;
	uint64_t opening[TRANSCRIPT_OPENING_MAX]; // tickets without a result; 0: free
	bool ended, end_wanted; // the latter: once the commit under way is known to stand or not
	// The payload of the COMMIT under way is that of held[committing]; its sender and rows.
	bool commits;
	size_t committing;
	struct {
		size_t count;
		struct transcript_message *messages;
		bool closes;
		uint64_t sequence;
		struct hash hash;
		size_t seen_count, complaint_count;
		struct payload_seen *seen;
		struct payload_item *complaints; // of its own; they own nothing
		uint64_t covered;
	} commit;
	uint64_t rekeying; // the ticket of a REKEY under way, for held[rekeying_at]; 0: none
	size_t rekeying_at;
	// Something failed that was nobody's fault: until RETRY nothing of that kind is begun.
	bool hold_opens, hold_commits, retry_is_set;
	int64_t retry_ms;
	struct transcript_counters counters;
	struct transcript_actions *out; // during a step
};

struct transcript_action *transcript_act(struct transcript *t, enum transcript_action_type type);
void transcript_drop(struct transcript *t, size_t member, enum transcript_reason reason,
		     bool close_link);
void transcript_acknowledge(struct transcript *t, size_t member, size_t sender); // all on disk
// After END: what is there of that member's chain, and that no more will be.
void transcript_refuse(struct transcript *t, size_t member);
void transcript_messages_free(struct transcript_message *messages, size_t count);
void transcript_payload_set(struct transcript_payload *out, const struct held *h,
			    const struct payload *p, const struct hash *hash);
void transcript_payload_fini(struct transcript_payload *p);

// --- what a payload says (transcript_commit.c) --------------------------------------------------

// The COMMIT of held[i], which is that payload and was accepted.
void transcript_commit(struct transcript *t, size_t i, const struct payload *p,
		       const struct hash *hash);
void transcript_commit_forget(struct transcript *t);
// It is on disk: its messages, complaints and disputes are told, and it is held no longer.
void transcript_committed(struct transcript *t, const bool *skipped);
const struct payload_item *transcript_find_rekey(const struct payload *p); // NULL: it has none

// --- what is held (transcript_held.c) -----------------------------------------------------------

// Takes a frame in, or drops it by what its header says.
void transcript_held_receive(struct transcript *t, size_t member, struct span frame);
void transcript_held_remove(struct transcript *t, size_t i);
// Drops what cannot be accepted any more, since something before it is missing.
void transcript_held_drop_gaps(struct transcript *t, size_t member, size_t sender);
void transcript_held_clear(struct transcript *t);
// The first that may be applied now: opened, and the first of its link. False: none.
bool transcript_held_next(const struct transcript *t, size_t *i);
void transcript_held_opened(struct transcript *t, const struct transcript_event *event);
void transcript_held_open_more(struct transcript *t);
bool transcript_is_nobodys_fault(enum err code); // a failure that is retried
void transcript_held_link_up(struct transcript *t, size_t member);
void transcript_held_resume(struct transcript *t);

// Asks for a RETRY, unless that is done already.
void transcript_retry_later(struct transcript *t);

#endif
