// SPDX-License-Identifier: GPL-3.0-or-later
// The opening of a discussion, M1 to M7 (protocol §2: P2.1–P2.7, P2.10, P2.11), as a pure machine
// of either role. It touches no socket, clock, disk or gpg: what it wants done are actions, and
// what came of them are events.
//
// Use: handshake_new; event START once the link is up; then every frame, result, deadline and
// decision as it comes. After each handshake_step carry out the actions in order, then
// handshake_actions_fini. A result may be handed back in any order and from inside the carrying out
// (with another list); what is left of the outer list is then carried out after the inner one, or
// not at all where that one ended the machine. Each action that has a result is issued at most once
// in a machine's life, so results need no numbers. Exactly one of OPENED, LEFT and REFUSED comes,
// as the last action of all; from then on the deadline is void, every event is ignored, and the
// machine may be freed (the owner cancels what is still under way).
#ifndef SOTTO_DISCUSSION_HANDSHAKE_H
#define SOTTO_DISCUSSION_HANDSHAKE_H

#include "base/hash.h"
#include "base/random.h"
#include "base/secret.h"
#include "wire/presence.h"

enum handshake_role { HANDSHAKE_INITIATOR, HANDSHAKE_RESPONDER };
enum handshake_mode { HANDSHAKE_PASSWORD, HANDSHAKE_PINNED }; // P2.7

// Why it ended. The first four travel in a refuse record; handshake_reason_name gives the API's
// names.
enum handshake_reason {
	HANDSHAKE_REASON_REFUSED,    // a person or policy said no, or called its own request back
	HANDSHAKE_REASON_BUSY,       // no room for another request, or no guess left
	HANDSHAKE_REASON_EXPIRED,    // nobody decided in time
	HANDSHAKE_REASON_SUPERSEDED, // P2.9
	HANDSHAKE_REASON_FAILED,     // a check did not hold, or the link ended while the password
				     // was being proved: no detail, on purpose
	HANDSHAKE_REASON_LOST,       // the link ended or was idle before that
	HANDSHAKE_REASON_COUNT
};
const char *handshake_reason_name(enum handshake_reason reason);

#define HANDSHAKE_IDLE_MS 30000    // P2.6
#define HANDSHAKE_PERSON_MS 600000 // P2.6; the initiator waits IDLE longer, to hear "expired"
#define HANDSHAKE_WORK_MS 150000   // for own work: longer than gpg may take with a card (P3.5)
#define HANDSHAKE_MEMBERS 2        // what a handshake makes; a roster may hold more

// A discussion key's public side.
struct handshake_key {
	struct span certificate; // exact bytes: every hash is over them
	char fingerprint[41];    // of its primary key
	char key[17];            // key id of its encryption subkey, 16 upper-case hex digits
};

// Everything is copied; secrets and bytes are referenced.
struct handshake_config {
	enum handshake_role role;
	const struct random *random; // borrowed for the machine's life
	char own[41];                // own general fingerprint
	struct span general;         // own general certificate
	int64_t idle_ms, person_ms;  // 0: HANDSHAKE_IDLE_MS, HANDSHAKE_PERSON_MS
	// Of the initiator only:
	char other[41];            // whom it asks
	struct span other_general; // that general certificate, where known and checked; else empty
	enum handshake_mode mode;
	const char *charter;     // "all", or "1" to "64"
	struct secret *password; // prepared (P2.4), 1 to 1024 bytes; NULL in mode pinned
	struct handshake_key key;        // own discussion key, fresh
	struct presence_parts presence;  // own presence record
	struct secret *presence_key;     // its Ed25519 secret key, 64 bytes
};

enum handshake_event_type {
	HANDSHAKE_EVENT_START, // the link is up
	HANDSHAKE_EVENT_FRAME, // .frame
	// A frame that does not open under the link's keys. The link must still be up: what happens
	// to it next tells the other side that its guess was wrong, so the guess is counted first
	// (P2.2).
	HANDSHAKE_EVENT_UNREADABLE,
	HANDSHAKE_EVENT_LINK_ENDED,
	HANDSHAKE_EVENT_DEADLINE, // the last DEADLINE has passed
	HANDSHAKE_EVENT_ACCEPT,   // .accept: after REQUEST
	// .end: the person refuses a request, calls its own back, P2.9 ends it, or the core stops
	HANDSHAKE_EVENT_END,
	// Results; in .result for all but LOOKED_UP and IMPORTED.
	HANDSHAKE_EVENT_LOOKED_UP, // .looked_up
	HANDSHAKE_EVENT_CERTIFICATE_CHECKED,
	HANDSHAKE_EVENT_PROVED,
	HANDSHAKE_EVENT_GENERAL_SEALED, // bytes: the OpenPGP message
	HANDSHAKE_EVENT_GENERAL_OPENED, // bytes: the plaintext; OK only with that signature
	HANDSHAKE_EVENT_BINDING_SIGNED, // bytes: the detached signature, at most 4 KiB
	HANDSHAKE_EVENT_BINDING_VERIFIED,
	HANDSHAKE_EVENT_IMPORTED,    // .imported
	HANDSHAKE_EVENT_GUESS_SPENT, // ERR_REFUSED where no guess was left
	HANDSHAKE_EVENT_COMMITTED,   // an error: nothing of it is on disk
	HANDSHAKE_EVENT_DISCUSSION_SEALED, // bytes: the OpenPGP message
	HANDSHAKE_EVENT_DISCUSSION_OPENED, // bytes: the plaintext; as GENERAL_OPENED
};

// What an event points to is borrowed for the call.
struct handshake_event {
	enum handshake_event_type type;
	union {
		struct {
			uint8_t kind; // enum frame_kind; the inner one where the link has keys
			struct span payload;
			bool encrypted; // it came under the link's keys
		} frame;
		struct {
			struct secret *password;  // referenced; NULL in mode pinned
			struct handshake_key key; // own discussion key, fresh
		} accept;
		struct {
			enum handshake_reason reason; // one of the first four
		} end;
		struct {
			bool refuse; // caps (P2.6), budget (P2.2): ends with reason
			enum handshake_reason reason; // one of the first four
			bool held;   // the id is held already (P2.3)
			bool pinned; // the peer is pinned (P2.7)
			struct span general; // the certificate with that hash where it is known and
					     // checked; else empty
		} looked_up;
		struct {
			enum err code;
			struct span bytes;
		} result;
		struct {
			enum err code;
			char fingerprint[41]; // the certificate's primary key
			char key[17];         // its encryption subkey
		} imported;
	};
};

enum handshake_action_type {
	HANDSHAKE_SEND,       // .send
	HANDSHAKE_SET_CIPHER, // .cipher: from here on both directions are under these keys
	HANDSHAKE_DEADLINE,   // .deadline: replaces the last one
	HANDSHAKE_CLOSE_LINK, // what was sent before is still written out
	// Read no more from it. Whoever is open speaks at once, while this side may still open its M7:
	// what comes behind that is for who takes the link over at OPENED, and reads again.
	HANDSHAKE_HOLD_LINK,
	// Responder, on M1: caps, budget, what is known. Result LOOKED_UP. Nothing is proven yet:
	// anybody who has .other's certificate and presence record can bring this about, so what is
	// .other's share of something (its pending request) is taken at REQUEST.
	HANDSHAKE_LOOK_UP, // .look_up
	// P1.7: walk, one primary key with that fingerprint, fit to encrypt to. Result
	// CERTIFICATE_CHECKED.
	HANDSHAKE_CHECK_CERTIFICATE, // .certificate
	// Responder: the record has not expired, and the certification is the general key's
	// detached signature over .body; the rest (form, fingerprint, signature by its presence
	// key) holds already. Result PROVED.
	HANDSHAKE_PROVE, // .prove
	// Responder: show the request; ACCEPT or END is the answer. No general secret key was used
	// until now (P2.6).
	HANDSHAKE_REQUEST, // .request
	// With the general keys: sealed to .other and signed by the own key. Result GENERAL_SEALED.
	HANDSHAKE_SEAL_GENERAL, // .seal_general
	// One OpenPGP message to the own general key alone, signed by .other alone. Result
	// GENERAL_OPENED.
	HANDSHAKE_OPEN_GENERAL, // .open_general
	// Detached signature by the own general key (P2.10). Result BINDING_SIGNED.
	HANDSHAKE_SIGN_BINDING, // .sign
	// Detached signature by .other's general key. Result BINDING_VERIFIED.
	HANDSHAKE_VERIFY_BINDING, // .verify
	// Puts a member's certificate into the discussion's home, after the walk: one primary, one
	// encryption subkey. Result IMPORTED.
	HANDSHAKE_IMPORT_MEMBER, // .import
	// One guess less for .other, on disk before the result (P2.2). Result GUESS_SPENT.
	HANDSHAKE_SPEND_GUESS, // .budget
	HANDSHAKE_RESTORE_GUESSES, // .budget: P2.2 after a success; no result
	// The discussion in state opening, on disk before the result (P2.11). Result COMMITTED.
	HANDSHAKE_COMMIT_OPENING, // .opening
	// With the discussion keys, as P3.1. Result DISCUSSION_SEALED.
	HANDSHAKE_SEAL_DISCUSSION, // .seal_discussion
	// As P3.2 and the signature rules of P3.4. Result DISCUSSION_OPENED.
	HANDSHAKE_OPEN_DISCUSSION, // .open_discussion
	HANDSHAKE_OPENED, // open; the link goes on as the discussion's link, under the same keys
	// Committed, but unfinished: state opening, for member links or the sweep (P2.11).
	HANDSHAKE_LEFT,
	HANDSHAKE_REFUSED, // .refused
};

struct handshake_member {
	char fingerprint[41];
	struct bytes *general;     // general certificate
	struct bytes *certificate; // discussion certificate
	struct bytes *binding;
	char key_fingerprint[41];  // of the discussion certificate's primary key
	char key[17];
};

struct handshake_action {
	enum handshake_action_type type;
	union {
		struct {
			uint8_t kind;   // enum frame_kind
			bool encrypted; // under the link's keys; always so after SET_CIPHER
			struct bytes *payload;
		} send;
		struct {
			uint8_t tx[32], rx[32]; // wiped by handshake_actions_fini
		} cipher;
		struct {
			int64_t ms;
		} deadline;
		struct {
			char other[41], id[33];
			enum handshake_mode mode;
			struct hash general; // H of the certificate it announces
		} look_up;
		struct {
			char other[41];
			struct bytes *certificate;
		} certificate;
		struct {
			char other[41];
			struct bytes *certificate; // general, of .other
			struct bytes *record;      // presence record, exact bytes
			uint8_t signature[PRESENCE_SIGNATURE_LEN]; // of its presence key
			struct bytes *certification;
			struct bytes *body; // complete signature input (P0.2) of the certification
		} prove;
		struct {
			char other[41], id[33];
			enum handshake_mode mode;
			struct bytes *charter; // text
		} request;
		struct {
			char other[41];
			struct bytes *certificate; // general, of .other
			struct bytes *plaintext;
		} seal_general;
		struct {
			char other[41];
			struct bytes *certificate; // general, of .other
			struct bytes *message;
		} open_general;
		struct {
			struct bytes *body; // complete signature input (P0.2)
		} sign;
		struct {
			char other[41];
			struct bytes *certificate; // general, of .other
			struct bytes *body, *signature;
		} verify;
		struct {
			char id[33], other[41];
			struct bytes *certificate;
		} import;
		struct {
			char other[41];
		} budget;
		struct {
			char id[33], other[41];
			enum handshake_mode mode; // password: once open, .other is pinned (P2.7)
			struct bytes *charter;    // text
			struct bytes *roster;     // R_0, exact bytes
			struct hash hash;         // H_0
			size_t count;
			struct handshake_member members[HANDSHAKE_MEMBERS]; // in roster order
		} opening;
		struct {
			char id[33];
			struct bytes *plaintext;
			size_t count; // recipients: everyone but oneself, in roster order
			char keys[HANDSHAKE_MEMBERS][17];
		} seal_discussion;
		struct {
			char id[33];
			struct bytes *message;
			char signer[41]; // primary fingerprint of the sender's discussion key
			size_t count;    // the recipients it must have, in roster order
			char keys[HANDSHAKE_MEMBERS][17];
		} open_discussion;
		struct {
			enum handshake_reason reason;
			const char *detail; // static, for counters and specs; never for the other
					    // side, and not for the person
		} refused;
	};
};

// Owns what its actions point to; who wants to keep a buffer takes a reference.
#define HANDSHAKE_ACTIONS_MAX 16
struct handshake_actions {
	size_t count;
	struct handshake_action list[HANDSHAKE_ACTIONS_MAX];
};
void handshake_actions_init(struct handshake_actions *a);
void handshake_actions_fini(struct handshake_actions *a); // also empties it for the next step

struct handshake;

struct handshake *handshake_new(const struct handshake_config *config);
// Of the initiator, before START: own certificate and presence record are others by now.
void handshake_renew(struct handshake *h, struct span general, const struct presence_parts *presence);
void handshake_free(struct handshake *h); // NULL is allowed; wipes
// Appends to an empty list.
void handshake_step(struct handshake *h, const struct handshake_event *event,
		    struct handshake_actions *out);

// What is known so far; borrowed.
const char *handshake_id(const struct handshake *h);    // "" at a responder until M1
const char *handshake_other(const struct handshake *h); // "" at a responder until M1
enum handshake_mode handshake_mode(const struct handshake *h);
bool handshake_is_over(const struct handshake *h); // OPENED, LEFT or REFUSED was issued

#endif
