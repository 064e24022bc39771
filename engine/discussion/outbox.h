// SPDX-License-Identifier: GPL-3.0-or-later
// Own messages → payloads → sealed messages → every other member, exactly once and in order (P3.3,
// P3.7, P3.9, P3.10), as a pure machine: one for a discussion and epoch, for 2 to 64 members.
//
// Use: outbox_new with what the store holds, then START, then events as they come. Carry out the
// actions of a step in their order, then outbox_actions_fini. Results may be handed back while a
// list is carried out (with another list), or later; never from inside outbox_step. COMMIT, STORE
// and LOAD may simply be done at once, and their results handed back before the next action: at
// most one of each, and one SEAL, is under way at a time. Members are positions in the roster.
//
// What holds at every point, so also after a crash between any two actions:
//  - A payload is on disk before it is sealed, and is sealed again only from those bytes (P3.10).
//  - A message is accepted (ACCEPTED) only when it is on disk. Idle, it goes into a payload in the
//    same commit; while a seal is under way messages gather, and the next payload carries them all.
//  - Sealed bytes are made once and serve every re-send and every member, but for CANNOT_OPEN, and
//    for those that were lost between SEALED and the disk.
//  - Nothing is kept in memory for a member without a link. What a link is not given yet is read
//    from the disk when its turn comes.
#ifndef SOTTO_DISCUSSION_OUTBOX_H
#define SOTTO_DISCUSSION_OUTBOX_H

#include "discussion/roster.h"
#include "discussion/transcript.h"
#include "wire/payload.h"

#define OUTBOX_SUBMIT_MAX 1000            // messages in one SUBMIT
#define OUTBOX_QUEUED_MAX 10000           // messages that wait for a payload
#define OUTBOX_QUEUED_BYTES_MAX (8 << 20) // of text, likewise; the first one over it is still taken
#define OUTBOX_KEPT_MAX 64                // unacknowledged payloads in memory
#define OUTBOX_KEPT_BYTES_MAX (16 << 20)  // likewise; one payload is always kept
#define OUTBOX_IN_FLIGHT_MAX 8            // transmitted and not acknowledged, per member
#define OUTBOX_LOAD_MAX 8                 // payloads in one LOAD
#define OUTBOX_RESEALS_MAX 3              // of one payload in a row for one member (CANNOT_OPEN)
#define OUTBOX_RETRY_FIRST_MS 100         // after a failure; doubles
#define OUTBOX_RETRY_LAST_MS 30000

// An own message. Nonce: 16 random bytes; id: message_id_make of it.
struct outbox_message {
	char id[MESSAGE_ID_SIZE];
	uint8_t nonce[PAYLOAD_NONCE_LEN];
	int64_t time_ms;
	struct bytes *text; // referenced; payload_text_check was OK
};

// Everything is copied. Zero where the discussion has just been opened.
struct outbox_config {
	char own[FINGERPRINT_SIZE];
	const struct roster *roster; // R_e
	struct hash roster_hash;     // H_e
	// Its members' heads are the `seen` of own payloads. Borrowed for the machine's life.
	const struct transcript *transcript;
	uint64_t built;   // own head: the last payload on disk
	struct hash head; // its hash
	uint64_t acknowledged[ROSTER_MAX]; // per position: what that member's store has of mine
	bool closing;     // the CLOSE payload is on disk (COMMIT with .closes)
	bool keyless;     // and the discussion key is destroyed
	// Messages on disk without a place, oldest first; at most OUTBOX_QUEUED_MAX (asserted).
	size_t queued_count;
	const struct outbox_message *queued;
};

enum outbox_event_type {
	OUTBOX_EVENT_START,     // once, first
	OUTBOX_EVENT_SUBMIT,    // .submit. ACCEPTED or REJECTED with that ticket follows, now or later
	OUTBOX_EVENT_COMMITTED, // .result of COMMIT
	OUTBOX_EVENT_SEALED,    // .sealed: result of SEAL
	OUTBOX_EVENT_STORED,    // .result of STORE_SEALED
	OUTBOX_EVENT_LOADED,    // .loaded: result of LOAD
	OUTBOX_EVENT_LINK_UP,   // .link: also where this side has closed and delivers its farewell
	OUTBOX_EVENT_LINK_DOWN, // .member
	OUTBOX_EVENT_ACK,       // .delivery: that member has everything up to and with that sequence
	OUTBOX_EVENT_CANNOT_OPEN, // .delivery
	// .member: no TRANSMIT for it until WRITABLE. A new link is writable.
	OUTBOX_EVENT_CONGESTED,
	OUTBOX_EVENT_WRITABLE,
	OUTBOX_EVENT_RETRY, // a RETRY_IN has passed, or the store or the key was unlocked
	// By this person: what is queued goes into payloads, CLOSE last, in one commit (CLOSED says that
	// it is done; a failing disk is retried). Nothing can be submitted any more.
	OUTBOX_EVENT_CLOSE,
	// By another's hand: there is nobody left to tell. What no member has is FAILED.
	OUTBOX_EVENT_ABANDON,
};

// What an event points to is borrowed for the call; bytes are referenced.
struct outbox_event {
	enum outbox_event_type type;
	int64_t now_ms; // wall clock, goes into payloads; in every event
	union {
		struct {
			uint64_t ticket;
			size_t count; // 1 to OUTBOX_SUBMIT_MAX; all of them or none
			const struct outbox_message *messages;
		} submit;
		struct {
			enum err code;
		} result;
		struct {
			enum err code;
			uint64_t sequence;
			struct bytes *message; // OpenPGP
		} sealed;
		struct {
			enum err code;
			size_t count; // rising sequences
			const struct outbox_loaded *rows;
		} loaded;
		struct {
			size_t member;
			bool known;        // .epoch, .sequence and .hash are what it says it has of mine
			uint32_t epoch;    // (L4); not known: what it last acknowledged
			uint64_t sequence;
			struct hash hash;
		} link;
		struct {
			size_t member;
			uint32_t epoch;
			uint64_t sequence;
		} delivery;
		size_t member;
	};
};

struct outbox_loaded {
	uint64_t sequence;
	struct bytes *payload; // exact bytes
	struct bytes *message; // NULL: not sealed yet
};

enum outbox_action_type {
	// .commit, all of it in one transaction. Result COMMITTED. After a failure nothing of it may be
	// on disk.
	OUTBOX_COMMIT,
	OUTBOX_ACCEPTED, // .ticket: committed
	// .rejected: ERR_BUSY (queue full), ERR_WRONG_STATE (closed), ERR_TOO_LARGE, or what COMMIT said
	OUTBOX_REJECTED,
	// .seal: signed with the own discussion key, to all other members in roster order (P3.1). Result
	// SEALED.
	OUTBOX_SEAL,
	OUTBOX_STORE_SEALED, // .store: over an older one if there is one. Result STORED
	OUTBOX_LOAD,         // .load: own payloads with sequences above .after. Result LOADED
	OUTBOX_TRANSMIT,     // .transmit: payload of a frame of kind SEALED, on that member's link
	// .ack, in one transaction; a higher one on disk stays. Then message.sent for messages of
	// payloads first_sent to last_sent, and message.delivered likewise; 0: none.
	OUTBOX_STORE_ACK,
	OUTBOX_RETRY_IN,  // .ms: event RETRY after that time; replaces the last one
	OUTBOX_CLOSED,    // CLOSE is on disk: the person's decision stands
	// .failed: in one transaction, every own message without a place and those of payloads first to
	// last (0: none) becomes "failed".
	OUTBOX_FAILED,
	// Everything that has to be sealed is sealed and on disk, or need not be: the discussion's secret
	// key is to be destroyed. Once.
	OUTBOX_KEY_MAY_DIE,
	OUTBOX_CLOSED_DELIVERED, // .member has it all, CLOSE included. At every LINK_UP of it anew
	// .trouble: its link shows payloads of mine that I do not have (P5.9). The machine does nothing
	// any more, but for ABANDON.
	OUTBOX_ROLLED_BACK,
	// .trouble: that member cannot open that payload, also sealed anew. It is sent nothing until its
	// next link.
	OUTBOX_UNDELIVERABLE,
};

// A row of the store. Whether it is new, or gets the place of an earlier COMMIT's row.
struct outbox_row {
	struct outbox_message message;
	bool fresh;
	bool placed;
	uint64_t sequence;
	uint32_t index; // in the payload
};

struct outbox_payload {
	uint64_t sequence;
	struct hash hash, previous;
	struct bytes *bytes; // exact; wiped at the last unref
};

struct outbox_action {
	enum outbox_action_type type;
	union {
		struct {
			int64_t time_ms;
			size_t row_count;
			struct outbox_row *rows; // in order of submission; state "queued"
			size_t payload_count;    // own, of this epoch; rising, the first is the head's next
			struct outbox_payload *payloads;
			bool closes; // from now on the discussion is `closing`
		} commit;
		uint64_t ticket;
		struct {
			uint64_t ticket;
			enum err code;
		} rejected;
		struct {
			uint64_t sequence;
			struct bytes *payload;
		} seal;
		struct {
			uint64_t sequence;
			struct span message; // in .frame
			struct bytes *frame;
		} store;
		struct {
			uint64_t after;
			size_t count; // at most
		} load;
		struct {
			size_t member;
			uint64_t sequence;
			struct bytes *frame;
		} transmit;
		struct {
			size_t member;
			uint64_t sequence;
			uint64_t first_sent, last_sent;
			uint64_t first_delivered, last_delivered;
		} ack;
		int64_t ms;
		struct {
			uint64_t first, last;
		} failed;
		size_t member;
		struct {
			size_t member;
			uint64_t sequence;
		} trouble;
	};
};

// Owns what its actions point to; whoever wants to keep bytes takes a reference.
#define OUTBOX_ACTIONS_MAX 1024
struct outbox_actions {
	size_t count, room;
	struct outbox_action *list;
};
void outbox_actions_init(struct outbox_actions *a);
void outbox_actions_fini(struct outbox_actions *a); // also empties it for the next step

struct outbox;

struct outbox *outbox_new(const struct outbox_config *config);
void outbox_free(struct outbox *o); // NULL is allowed; wipes
// Appends to an empty list.
void outbox_step(struct outbox *o, const struct outbox_event *event, struct outbox_actions *out);

// The last payload that is on disk, for L4; 0: none, and a zero hash.
uint64_t outbox_head(const struct outbox *o, struct hash *hash);

struct outbox_counters {
	uint64_t accepted, rejected;       // messages
	uint64_t built, sealed, resealed;  // payloads; resealed: again, after CANNOT_OPEN or a crash
	uint64_t transmitted, loaded;      // payloads
	uint64_t failures;                 // of COMMIT, SEAL, STORE_SEALED, LOAD
	uint64_t bad_acks;                 // of what was never built, or of another epoch
	size_t queued, kept, kept_bytes;   // now
};
struct outbox_counters outbox_counters(const struct outbox *o);

#endif
