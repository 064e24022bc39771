// SPDX-License-Identifier: GPL-3.0-or-later
// What the other members say: sealed messages from links → payloads that P3.4 accepts → the
// store → front ends (P3.4, P3.7, P3.11), as a pure machine: one for a discussion and epoch, for
// 2 to 64 members.
//
// Use: transcript_new with what the store holds, then events as they come. Carry out the actions of
// a step in their order, then transcript_actions_fini. Results may be handed back while a list is
// carried out (with another list), or later; never from inside transcript_step. At most one COMMIT
// is under way, and TRANSCRIPT_OPENING_MAX OPENs. Members are positions in the roster.
//
// What holds:
//  - A payload is accepted if its signer is the sender's discussion key (that is what OPEN with
//    code OK says), discussion, epoch and H_e are these, the sender is another member, its sequence
//    is the next, and its `previous` is the hash of the one before. The clear header of a frame
//    only says whose key to check, and which frames need not be opened.
//  - It is acknowledged after its COMMIT, never before, and so are repetitions of it.
//  - Payloads that came over one link are applied in the order in which they came.
//  - A payload that brings its sender's new key (P4.2) is committed, and so seen by others, only once
//    that key can be sealed to: whoever has seen it never seals to an older one.
//  - Of each link at most TRANSCRIPT_HELD_MAX frames and TRANSCRIPT_HELD_BYTES wait here: PAUSE
//    tells the shell to read no more from it. Twice as much is dropped.
#ifndef SOTTO_DISCUSSION_TRANSCRIPT_H
#define SOTTO_DISCUSSION_TRANSCRIPT_H

#include "base/secret.h"
#include "discussion/rekey.h"
#include "discussion/roster.h"
#include "wire/payload.h"

#define TRANSCRIPT_OPENING_MAX 4
#define TRANSCRIPT_HELD_MAX 8
#define TRANSCRIPT_HELD_BYTES (2 << 20)
#define TRANSCRIPT_HELD_BYTES_ALL (16 << 20) // of all links; over it each one that sends is paused
#define TRANSCRIPT_CANNOT_OPEN_MAX 4         // answers for one payload on one link
#define TRANSCRIPT_RETRY_FIRST_MS 100        // after a failure of gpg or the disk; doubles
#define TRANSCRIPT_RETRY_LAST_MS 30000
#define TRANSCRIPT_RECENT 16 // hashes kept per member, to know equivocation by

struct transcript_head {
	uint64_t sequence; // 0: none yet, and the hash is zero
	struct hash hash;
};

// Everything is copied.
struct transcript_config {
	char own[FINGERPRINT_SIZE];
	const struct roster_record *roster; // R_e
	struct hash roster_hash;     // H_e
	// Borrowed for the machine's life; whoever carries out COMMIT adds to it. NULL: not looked at.
	const struct rekeys *keys;
	struct transcript_head heads[ROSTER_MAX]; // per position: what is on disk; own: ignored
	bool closed[ROSTER_MAX];                  // per position: its CLOSE is on disk
	// An epoch that has ended: per position the last payload that counts (P5.3). NULL: it goes on. No
	// head is beyond it.
	const struct transcript_head *cut;
};

enum transcript_event_type {
	TRANSCRIPT_EVENT_RECEIVED,  // .received
	TRANSCRIPT_EVENT_OPENED,    // .opened: result of OPEN
	TRANSCRIPT_EVENT_COMMITTED, // .committed: result of COMMIT
	TRANSCRIPT_EVENT_REKEYED,   // .rekeyed: result of REKEY
	TRANSCRIPT_EVENT_LINK_UP,   // .member: a new link of that member; it is read from
	// .member: what came over it is still worked on; how far that got is in the next link's L4
	TRANSCRIPT_EVENT_LINK_DOWN,
	TRANSCRIPT_EVENT_RETRY, // a RETRY_IN has passed, or the store or the key was unlocked
	// The discussion ends here: what is held goes, and nothing more is accepted. What was is
	// still acknowledged again, and all else is answered with CLOSED: so who has closed as well
	// learns that it is known, or that nobody can take it any more.
	TRANSCRIPT_EVENT_END,
};

// What an event points to is borrowed for the call; bytes and secrets are referenced.
struct transcript_event {
	enum transcript_event_type type;
	union {
		struct {
			size_t member;     // whose link it is
			struct span frame; // payload of a frame of kind SEALED
		} received;
		struct {
			uint64_t ticket; // of the OPEN
			// OK: opened, and signed by exactly the sender's key. ERR_LOCKED, ERR_IO,
			// ERR_TIMEOUT, ERR_BUSY, ERR_CANCELED, ERR_INTERNAL: no fault of the
			// message, retried. All others: refused.
			enum err code;
			struct bytes *payload;      // the plaintext
			struct secret *session_key; // may be NULL
			// The key ids that it was sealed to, one for each other member. NULL: not looked at
			const uint64_t *recipients;
		} opened;
		struct {
			uint64_t ticket; // of the REKEY
			// OK: it can be sealed to. As in .opened: the codes of nobody's fault are retried;
			// all others are the sender's, whose payload is refused.
			enum err code;
			uint64_t key; // its id
		} rekeyed;
		struct {
			enum err code;
			// One for each of the COMMIT's rows: the store had a message of that id,
			// and left it alone. NULL: none of them.
			const bool *skipped;
		} committed;
		size_t member;
	};
};

// Why something was dropped.
enum transcript_reason {
	TRANSCRIPT_MALFORMED_FRAME,
	TRANSCRIPT_OTHER_EPOCH,
	TRANSCRIPT_NO_MEMBER,  // its header names a sender that is none
	TRANSCRIPT_REFLECTED,  // an own payload
	TRANSCRIPT_DUPLICATE,  // is here already
	TRANSCRIPT_GAP,        // an earlier one is missing: it comes again after the next LINK_UP
	TRANSCRIPT_OVERFLOW,   // the link was to be paused
	TRANSCRIPT_NOT_OPENED, // gpg, the packet walk or the signature said no
	TRANSCRIPT_MALFORMED,  // signed, but no payload
	TRANSCRIPT_OLD_KEY,    // sealed to one that its sender had seen to be replaced (P3.1)
	TRANSCRIPT_OTHER_DISCUSSION,
	TRANSCRIPT_OTHER_ROSTER,
	TRANSCRIPT_OTHER_SENDER,  // than the one whose key signed
	TRANSCRIPT_BROKEN_CHAIN,  // `previous` is not the hash of what is here
	TRANSCRIPT_EQUIVOCATED,   // another payload of that sequence is here
	TRANSCRIPT_AFTER_CLOSE,   // its sender has closed, or END
	TRANSCRIPT_BEYOND_CUT,    // the epoch has ended before it, or with another payload in its place
	TRANSCRIPT_REPEATED_ITEM, // one message, not its payload: the nonce was used before
	TRANSCRIPT_REASON_COUNT
};
const char *transcript_reason_name(enum transcript_reason reason); // for counters

enum transcript_action_type {
	// .open: signed by .sender's discussion key alone, sealed to all members but .sender in
	// roster order (P3.1, P3.2, P3.4). Result OPENED.
	TRANSCRIPT_OPEN,
	// .rekey: the sender's new key, to be checked and imported; nothing else is committed
	// meanwhile. Result REKEYED.
	TRANSCRIPT_REKEY,
	// .commit: payload, head and rows in one transaction. A row whose message id is there
	// already is left out, and reported. Result COMMITTED; after a failure nothing of it may be
	// on disk.
	TRANSCRIPT_COMMIT,
	TRANSCRIPT_DELIVER,     // .deliver: message.received for these, which are on disk
	TRANSCRIPT_ACK,         // .delivery: an ack record on that member's link, if it has one
	TRANSCRIPT_CANNOT_OPEN, // .delivery: likewise
	// .complaint: of three and more members, .sender's message cannot be opened here, also sealed anew (P5.8). Once for each
	// of them. .by: this member
	TRANSCRIPT_COMPLAIN,
	TRANSCRIPT_COMPLAINT, // .complaint: .by says so of .sender's; on disk, as it is in .by's chain
	// .delivery: .member says in a payload that .sender's payload of that sequence is another than the one here. It is to be
	// asked for that one: opened, it is the proof (EQUIVOCATION), or no such thing exists.
	TRANSCRIPT_DISPUTE,
	TRANSCRIPT_CLOSED, // .member: a closed record on its link
	TRANSCRIPT_DROP,        // .drop; counted already
	TRANSCRIPT_PAUSE,       // .member: do not read from its link
	TRANSCRIPT_RESUME,      // .member
	TRANSCRIPT_CLOSED_BY,   // .member: its CLOSE is on disk
	// .proof: .sender signed two payloads of one sequence (P5.7). Not on disk yet: keep it
	// beside the one that is.
	TRANSCRIPT_EQUIVOCATION,
	TRANSCRIPT_RETRY_IN, // .ms: event RETRY after that time; replaces the last one
};

struct transcript_message {
	char id[MESSAGE_ID_SIZE];
	uint32_t index;     // in the payload
	int64_t time_ms;    // as its author says
	struct bytes *text; // wiped at the last unref
};

struct transcript_payload {
	size_t sender;
	uint64_t sequence;
	struct hash hash;
	struct bytes *payload; // exact bytes
	struct span message;   // OpenPGP, as it came; in .frame
	struct bytes *frame;
	struct secret *session_key; // or NULL
};

// A member's new key.
struct transcript_rekey {
	struct bytes *certificate; // NULL: none
	uint64_t key; // its id
};

struct transcript_action {
	enum transcript_action_type type;
	union {
		struct {
			uint64_t ticket;
			size_t sender;
			struct span message; // in .frame
			struct bytes *frame;
		} open;
		struct {
			struct transcript_payload payload;
			size_t count;
			struct transcript_message *messages; // to be "received"
			bool closes; // its sender has closed: to be remembered, too (.closed)
			bool speaks; // it has items: a payload that only acknowledges is not acknowledged (P5.8)
			size_t seen_count; // what its sender has of others
			struct payload_seen *seen;
			struct transcript_rekey rekey; // likewise: sealed to from now on
		} commit;
		struct {
			size_t by, sender;
			uint64_t sequence;
			struct hash hash; // of the OpenPGP message, as it came first
		} complaint;
		struct {
			uint64_t ticket;
			size_t sender;
			struct bytes *certificate;
		} rekey;
		struct {
			size_t sender;
			uint64_t sequence;
			size_t count;
			struct transcript_message *messages;
		} deliver;
		struct {
			size_t member; // whose link
			size_t sender; // whose payload
			uint64_t sequence;
		} delivery;
		struct {
			size_t member;
			enum transcript_reason reason;
			bool close_link; // P0.3: no core of ours sends that
		} drop;
		struct transcript_payload proof;
		size_t member;
		int64_t ms;
	};
};

// Owns what its actions point to; whoever wants to keep bytes takes a reference.
#define TRANSCRIPT_ACTIONS_MAX 4096
struct transcript_actions {
	size_t count, room;
	struct transcript_action *list;
};
void transcript_actions_init(struct transcript_actions *a);
void transcript_actions_fini(struct transcript_actions *a); // empties it for the next step, too

struct transcript;

struct transcript *transcript_new(const struct transcript_config *config);
void transcript_free(struct transcript *t); // NULL is allowed
// Appends to an empty list.
void transcript_step(struct transcript *t, const struct transcript_event *event,
		     struct transcript_actions *out);

// What is on disk of that member's chain; of oneself: nothing.
struct transcript_head transcript_head(const struct transcript *t, size_t member);
// The highest own sequence that an accepted payload of that member says it has seen, in this run.
uint64_t transcript_covered(const struct transcript *t, size_t member);
// The same of all who have one, for own payloads. Returns how many.
size_t transcript_seen(const struct transcript *t, struct payload_seen out[RECORD_MEMBERS_MAX]);

struct transcript_counters {
	uint64_t accepted, messages;
	uint64_t failures; // of OPEN and COMMIT, retried
	uint64_t dropped[TRANSCRIPT_REASON_COUNT];
	size_t held, held_bytes; // now
};
struct transcript_counters transcript_counters(const struct transcript *t);

#endif
