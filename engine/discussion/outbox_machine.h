// SPDX-License-Identifier: GPL-3.0-or-later
// The inside of the outbox machine, shared by its files.
#ifndef SOTTO_DISCUSSION_OUTBOX_MACHINE_H
#define SOTTO_DISCUSSION_OUTBOX_MACHINE_H

#include "discussion/outbox.h"
#include "wire/sealed.h"

// --- messages that wait for a payload (outbox_queue.c) ------------------------------------------

struct outbox_submit {
	uint64_t ticket;
	size_t count;
	bool held; // RELEASE
};

struct outbox_queue {
	struct outbox_message *list; // oldest at list[head]
	size_t head, count, room, bytes;
	size_t on_disk; // so many of the oldest; the rest is of the submits below, in their order
	struct outbox_submit submits[OUTBOX_SUBMITS_MAX];
	size_t submit_count;
};

// A COMMIT under way, and what it covers of the queue, from the front.
struct outbox_commit {
	bool under_way;
	bool closes;
	size_t messages, placed, submits;
	size_t payload_count;
	size_t complaints;           // so many of the oldest are in them
	bool heard, ack_due;         // as they were before
	struct bytes *rekey;         // or NULL
	struct outbox_payload first; // to be sealed next
	uint64_t sequence;           // of the last
	struct hash hash;
};

// --- payloads on their way (outbox_window.c) ----------------------------------------------------

struct outbox_kept {
	uint64_t sequence;
	struct bytes *payload; // waits for its seal
	struct bytes *frame;   // is sealed
	bool fresh;            // built in this run, and not sealed since
	bool stored;           // the frame is what the disk has
};

struct outbox_member {
	bool up, congested;
	bool stuck;     // UNDELIVERABLE
	uint64_t acked; // the highest ever
	uint64_t acked_on_disk;
	uint64_t have;  // what it said on this link
	uint64_t next;  // to transmit on this link
	// CANNOT_OPEN: which payload, how often, and whether it is still to be sealed anew
	uint64_t refused;
	unsigned refusals;
	bool reseal;
};

enum outbox_mode { OUTBOX_LIVE, OUTBOX_LOST, OUTBOX_ABANDONED };

struct outbox {
	char own[FINGERPRINT_SIZE];
	size_t self; // own position
	struct roster_record roster;
	struct hash roster_hash;
	const struct transcript *transcript;
	enum outbox_mode mode;
	bool closing, keyless;
	uint64_t built;
	struct hash head;
	uint64_t stored_through; // all up to it are sealed on disk, or need not be
	bool close_wanted, abandon_wanted;
	bool frozen, drained; // drained: said
	bool heard, ack_is_set, ack_due; // P5.8
	size_t complaint_count;
	struct payload_item complaints[OUTBOX_COMPLAINTS_MAX]; // oldest first
	struct bytes *rekey; // certificate, to be told; NULL: none
	struct outbox_queue queue;
	struct outbox_commit commit;
	struct outbox_member members[ROSTER_MAX];
	struct outbox_kept *kept; // rising
	size_t kept_count, kept_room, kept_bytes;
	uint64_t sealing; // sequence, 0: none
	uint64_t storing; // likewise
	struct bytes *storing_frame;
	size_t acking; // whose ack is being stored, and up to where; the own position: nobody's
	uint64_t acking_to;
	bool fails, failing; // ABANDON: FAILED is still to be stored; is being stored
	uint64_t first_failed, last_failed;
	bool loading;
	uint64_t load_after;
	size_t load_turn; // whose turn it is
	// Something failed: until RETRY nothing of that kind is begun.
	bool hold_commits, hold_seals, hold_stores, hold_acks, hold_loads, hold_failed, retry_is_set;
	int64_t retry_ms;
	struct outbox_counters counters;
	struct outbox_actions *out; // during a step
};

struct outbox_action *outbox_act(struct outbox *o, enum outbox_action_type type);
// Counts a failure, and asks for a RETRY unless that is done already.
void outbox_retry_later(struct outbox *o);
void outbox_went_well(struct outbox *o); // the next failure waits shortly again
uint64_t outbox_least_acked(const struct outbox *o); // what all others have, as the disk says

void outbox_queue_init(struct outbox *o, const struct outbox_config *config);
void outbox_queue_fini(struct outbox *o);
void outbox_queue_submit(struct outbox *o, const struct outbox_event *event);
// A commit, if there is reason for one now.
void outbox_queue_commit(struct outbox *o, int64_t now_ms);
void outbox_queue_committed(struct outbox *o, enum err code);
void outbox_queue_reject_all(struct outbox *o, enum err code);

void outbox_window_init(struct outbox *o, const struct outbox_config *config);
void outbox_window_fini(struct outbox *o);
void outbox_window_add_built(struct outbox *o, const struct outbox_payload *p);
bool outbox_window_awaits_seal(const struct outbox *o);
// All that is built is to be sealed, whoever waits for it.
bool outbox_seals_all(const struct outbox *o);
bool outbox_window_is_sealed(const struct outbox *o); // and is, or need not be any more
void outbox_window_link_up(struct outbox *o, const struct outbox_event *event);
// On its link that member shows to have all up to that sequence.
void outbox_window_has(struct outbox *o, size_t member, uint64_t sequence);
void outbox_window_cannot_open(struct outbox *o, const struct outbox_event *event);
void outbox_window_transmit(struct outbox *o);
void outbox_window_seal(struct outbox *o);
void outbox_window_sealed(struct outbox *o, const struct outbox_event *event);
void outbox_window_store(struct outbox *o);
void outbox_window_stored(struct outbox *o, enum err code);
void outbox_window_load(struct outbox *o);
void outbox_window_loaded(struct outbox *o, const struct outbox_event *event);
void outbox_window_trim(struct outbox *o);
void outbox_window_key_dies(struct outbox *o);

#endif
