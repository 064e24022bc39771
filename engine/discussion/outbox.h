// SPDX-License-Identifier: GPL-3.0-or-later
// Own messages → payloads → sealed messages → every other member, exactly once and in order (P3.3,
// P3.7, P3.9, P3.10), as a pure machine: one for a discussion and epoch, for 2 to 64 members.
//
// Use: outbox_new with what the store holds, then START, then events as they come. Carry out the
// actions of a step in their order, then outbox_actions_fini. Results may be handed back while a
// list is carried out (with another list), or later; never from inside outbox_step. At most one
// each of COMMIT, SEAL, STORE_SEALED, STORE_ACK, FAILED and LOAD is under way at a time. Members
// are positions in the roster.
//
// What holds at every point, so also after a crash between any two actions:
//  - A payload is on disk before it is sealed, and is sealed again only from those bytes (P3.10).
//  - A message is accepted (ACCEPTED) only when it is on disk. Idle, it goes into a payload in the
//    same commit; while a seal is under way messages gather, and the next payload carries them all.
//  - Sealed bytes are made once and serve every re-send and every member, but for CANNOT_OPEN, and
//    for those that were lost between SEALED and the disk.
//  - Nothing is kept in memory for a member without a link. What a link is not given yet is read
//    from the disk when its turn comes.
//  - From FREEZE on, until the epoch ends, no payload is built (§5, 4): what is submitted is taken,
//    and waits. DRAINED comes once all that is built is sealed and on disk: only then may the head
//    be told to the others, as the discussion's keys may serve another roster from then on.
#ifndef SOTTO_DISCUSSION_OUTBOX_H
#define SOTTO_DISCUSSION_OUTBOX_H

#include "discussion/roster.h"
#include "discussion/transcript.h"
#include "wire/payload.h"

#define OUTBOX_SUBMIT_MAX 1000            // messages in one SUBMIT
#define OUTBOX_SUBMITS_MAX 256            // SUBMITs that wait for a commit
#define OUTBOX_QUEUED_MAX 10000           // messages that wait for a payload
#define OUTBOX_QUEUED_BYTES_MAX (8 << 20) // of their text; the one that passes it is still taken
#define OUTBOX_KEPT_MAX 64                // payloads in memory
#define OUTBOX_KEPT_BYTES_MAX (16 << 20)  // likewise, but for one LOAD and one seal
#define OUTBOX_IN_FLIGHT_MAX 8            // transmitted and not acknowledged, per member
#define OUTBOX_LOAD_MAX 8                 // payloads in one LOAD
#define OUTBOX_RESEALS_MAX 3              // of one payload for one member (CANNOT_OPEN)
#define OUTBOX_ACK_MS 30000               // P5.8: how long what others say goes without a signed acknowledgement
#define OUTBOX_COMPLAINTS_MAX 8           // that wait for a payload
#define OUTBOX_RETRY_FIRST_MS 100         // after a failure; doubles
#define OUTBOX_RETRY_LAST_MS 30000

// An own message. Nonce: 16 random bytes; id: message_id_make of it.
struct outbox_message {
	char id[MESSAGE_ID_SIZE];
	uint8_t nonce[PAYLOAD_NONCE_LEN];
	int64_t time_ms;
	struct bytes *text; // payload_text_check was OK
};

// Everything is copied, texts are referenced. Zero where the discussion has just been opened.
struct outbox_config {
	char own[FINGERPRINT_SIZE];
	const struct roster_record *roster; // R_e
	struct hash roster_hash;            // H_e
	// Its members' heads are the `seen` of own payloads. Borrowed for the machine's life.
	const struct transcript *transcript;
	uint64_t built;   // own head: the last payload on disk
	struct hash head; // its hash
	uint64_t acknowledged[ROSTER_MAX]; // per position: what that member's store has of mine
	bool closing;                      // a COMMIT with .closes is on disk
	bool keyless;                      // and the discussion key is destroyed
	bool heard;  // others have said something that no own payload's `seen` covers; of three and more members
	bool frozen; // from the start: an epoch that has ended, or whose end had begun
	// Messages on disk without a place, oldest first; at most OUTBOX_QUEUED_MAX (asserted).
	size_t queued_count;
	const struct outbox_message *queued;
};

enum outbox_event_type {
	OUTBOX_EVENT_START,      // once, first
	OUTBOX_EVENT_SUBMIT,     // .submit: ACCEPTED or REJECTED with that ticket follows
	// .submit: the same for messages that are on disk in state "held"; up to OUTBOX_QUEUED_MAX
	OUTBOX_EVENT_RELEASE,
	OUTBOX_EVENT_COMMITTED,  // .result of COMMIT
	OUTBOX_EVENT_SEALED,     // .sealed: result of SEAL
	OUTBOX_EVENT_STORED,     // .result of STORE_SEALED
	OUTBOX_EVENT_ACK_STORED, // .result of STORE_ACK
	OUTBOX_EVENT_LOADED,     // .loaded: result of LOAD
	OUTBOX_EVENT_FAILED_STORED, // .result of FAILED
	// .link: also a link on which this side, having closed, delivers its farewell
	OUTBOX_EVENT_LINK_UP,
	OUTBOX_EVENT_LINK_DOWN,   // .member
	OUTBOX_EVENT_ACK,         // .delivery: that member's store has all up to that sequence
	OUTBOX_EVENT_CANNOT_OPEN, // .delivery
	OUTBOX_EVENT_CONGESTED,   // .member: no TRANSMIT for it until WRITABLE
	OUTBOX_EVENT_WRITABLE,    // .member: as a new link is
	OUTBOX_EVENT_RETRY, // a RETRY_IN has passed, or the store or the key was unlocked
	// Others have said something, and it is on disk: where nothing own covers it within OUTBOX_ACK_MS, a payload
	// without messages does (P5.8). Not for payloads that only acknowledge: those are not acknowledged.
	OUTBOX_EVENT_HEARD,
	OUTBOX_EVENT_ACK_DUE,  // an ACK_IN has passed
	OUTBOX_EVENT_COMPLAIN, // .complaint: goes into a payload at once
	// .rekey: the own new key (P4.2), to be told in the next payload; idle, in one of its own. One
	// that was not told yet gives way. Nothing after CLOSE.
	OUTBOX_EVENT_REKEY,
	OUTBOX_EVENT_KEY_LEARNED, // .member has a new key: what it could not open it may open now
	OUTBOX_EVENT_FREEZE, // the epoch is about to end; DRAINED follows, once
	// By this person: what is queued goes into payloads, CLOSE last, in one commit; then
	// CLOSED. Nothing can be submitted any more. Retried as long as the disk fails.
	OUTBOX_EVENT_CLOSE,
	// By another's hand, or as this key may sign no more: nobody is told. Messages that no
	// member has are FAILED.
	OUTBOX_EVENT_ABANDON,
};

struct outbox_loaded {
	uint64_t sequence;
	struct bytes *payload; // exact bytes
	struct bytes *message; // NULL: not sealed yet
};

// What an event points to is borrowed for the call; bytes are referenced.
struct outbox_event {
	enum outbox_event_type type;
	int64_t now_ms; // wall clock, goes into payloads; in every event
	union {
		struct {
			uint64_t ticket;
			size_t count; // 1 to OUTBOX_SUBMIT_MAX: all of them, or none
			const struct outbox_message *messages;
		} submit;
		struct {
			enum err code;
		} result;
		struct {
			size_t sender;
			uint64_t sequence;
			struct hash hash; // of the OpenPGP message
		} complaint;
		struct {
			enum err code;
			struct bytes *message; // OpenPGP
		} sealed;
		struct {
			enum err code;
			size_t count; // rising sequences, none left out
			const struct outbox_loaded *rows;
		} loaded;
		struct {
			size_t member;
			bool known;        // the rest is what it says it has of mine (L4);
			uint32_t epoch;    // not known: what it last acknowledged
			uint64_t sequence; // 0: none
			struct hash hash;
		} link;
		struct {
			size_t member;
			uint32_t epoch;
			uint64_t sequence;
		} delivery;
		struct {
			struct bytes *certificate;
		} rekey;
		size_t member;
	};
};

enum outbox_action_type {
	// .commit: all of it in one transaction. Result COMMITTED; after a failure nothing of it
	// may be on disk.
	OUTBOX_COMMIT,
	OUTBOX_ACCEPTED, // .ticket: on disk
	// .rejected: ERR_BUSY (queue full), ERR_WRONG_STATE (closed), ERR_TOO_LARGE (over
	// OUTBOX_SUBMIT_MAX), or what COMMIT said.
	OUTBOX_REJECTED,
	OUTBOX_DRAINED, // after FREEZE: all that is built is sealed and on disk, or need not be
	// .seal: signed with the own discussion key, to all other members in roster order (P3.1).
	// Result SEALED.
	OUTBOX_SEAL,
	OUTBOX_STORE_SEALED, // .store: replaces an older one. Result STORED
	OUTBOX_LOAD,         // .load: own payloads with sequences above .after. Result LOADED
	OUTBOX_TRANSMIT,     // .transmit: payload of a frame of kind SEALED, for that member's link
	// .ack, in one transaction; then message.sent for what is in payloads first_sent to
	// last_sent, and message.delivered likewise. 0: none. Result ACK_STORED.
	OUTBOX_STORE_ACK,
	OUTBOX_ACK_IN,   // .ms: event ACK_DUE after that time; replaces the last one
	OUTBOX_RETRY_IN, // .ms: event RETRY after that time; replaces the last one
	OUTBOX_CLOSED,   // CLOSE is on disk: the person's decision stands
	// .failed, in one transaction: every own message without a place, and those in payloads
	// first to last (0: none), become "failed". Result FAILED_STORED.
	OUTBOX_FAILED,
	// What has to be sealed is sealed and on disk, or need not be any more: the discussion's
	// secret key is to be destroyed. Once.
	OUTBOX_KEY_MAY_DIE,
	// .member has it all, CLOSE included, and that is stored. Again at each LINK_UP of it.
	OUTBOX_CLOSED_DELIVERED,
	// .trouble: that member has payloads of mine that I do not have (P5.9). From now on only
	// ABANDON does anything.
	OUTBOX_ROLLED_BACK,
	// .trouble: that member cannot open it, also sealed anew. Until its next LINK_UP it is sent
	// nothing more.
	OUTBOX_UNDELIVERABLE,
};

// A message as the store is to have it, in state "queued".
struct outbox_row {
	struct outbox_message message;
	bool fresh;    // to be inserted; else it is there, and gets its place now,
	bool released; // or was "held", and is "queued" now
	bool placed;   // then:
	uint64_t sequence;
	uint32_t index; // in the payload
};

struct outbox_payload {
	uint64_t sequence;
	struct hash hash;
	struct bytes *bytes; // exact; wiped at the last unref
};

struct outbox_action {
	enum outbox_action_type type;
	union {
		struct {
			int64_t time_ms;
			size_t row_count;
			struct outbox_row *rows; // in order of submission
			size_t payload_count;
			struct outbox_payload *payloads; // own, rising from the head's next
			bool closes;                     // to be remembered: .closing
			struct bytes *rekey; // certificate; NULL: none. In the first payload
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
			size_t count; // at most; there are fewer only if the head comes first
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
#define OUTBOX_ACTIONS_MAX 2048
struct outbox_actions {
	size_t count, room;
	struct outbox_action *list;
};
void outbox_actions_init(struct outbox_actions *a);
void outbox_actions_fini(struct outbox_actions *a); // empties it for the next step, too
// Out of its list, to be carried out later: the caller owns what it points to.
struct outbox_action outbox_action_take(struct outbox_action *a);
void outbox_action_fini(struct outbox_action *a);

struct outbox;

struct outbox *outbox_new(const struct outbox_config *config);
void outbox_free(struct outbox *o); // NULL is allowed
// Appends to an empty list.
void outbox_step(struct outbox *o, const struct outbox_event *event, struct outbox_actions *out);

// Whether an end has nothing left to write down: neither what was acknowledged nor what failed.
bool outbox_is_settled(const struct outbox *o);

// The last payload that is on disk, for L4. 0: none, and a zero hash.
uint64_t outbox_head(const struct outbox *o, struct hash *hash);
// A key that REKEY has brought is not on disk in a payload yet.
bool outbox_is_rekeying(const struct outbox *o);
// Whether that member's store lacks something that is on disk here.
bool outbox_owes(const struct outbox *o, size_t member);
// And is being sent it, on a link on which it takes it.
bool outbox_delivers(const struct outbox *o, size_t member);

struct outbox_counters {
	uint64_t accepted, rejected;      // messages
	uint64_t built, sealed, resealed; // payloads; resealed: not for the first time in this run
	uint64_t transmitted, loaded;     // payloads
	uint64_t failures;                // of what has a result
	uint64_t bad_records;             // ACK or CANNOT_OPEN of what was never there
	size_t queued, kept, kept_bytes;  // now
};
struct outbox_counters outbox_counters(const struct outbox *o);

#endif
