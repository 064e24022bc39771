// SPDX-License-Identifier: GPL-3.0-or-later
// How this core comes into a discussion of others (§5, 1; P5.4), as a pure machine: an invitation, the person's answer, the JOIN, and
// the chain from R_0 to the first roster that names this core with the certificate of its JOIN.
//
// Use: joining_new; after a restart RESTORE, then the events as they come. Carry out the actions of a step in their order, then
// joining_actions_fini. Results may be handed back while a list is carried out (with another list), or later; never from inside
// joining_step. FOUNDED or REFUSED comes as the last action of all; from then on every event is ignored.
//
// What holds:
//  - The sponsor is believed in nothing but who is invited, and that is the word of the link of the two-person discussion. What the
//    invitation says of the members proves itself against its roster; the chain is checked from R_0, whose hash it names, and must
//    contain that roster.
//  - The chain is taken from one member at a time, the guide; who sends what does not hold is asked no more. At most JOINING_QUEUE_MAX
//    of its statements wait, at most JOINING_QUEUE_BYTES, and of an epoch there may be four a member and a few; so a liar costs
//    a bounded number of operations of gpg.
//  - All signatures are checked before the machine that follows an epoch (epoch.h) sees what they are under.
#ifndef SOTTO_DISCUSSION_JOINING_H
#define SOTTO_DISCUSSION_JOINING_H

#include "discussion/epoch.h"
#include "wire/join.h"

#define JOINING_QUEUE_MAX 1024
#define JOINING_QUEUE_BYTES (16 * 1024 * 1024)
#define JOINING_FULL_AT 256 // that wait: read no more until fewer do
#define JOINING_EPOCHS_MAX 4096
#define JOINING_PEOPLE_MAX 1024 // certificates of members, past ones too
#define JOINING_STALL_MS 30000  // a guide with which nothing goes on

// Everything is copied.
struct joining_config {
	char own[FINGERPRINT_SIZE], sponsor[FINGERPRINT_SIZE];
	char discussion[DISCUSSION_ID_SIZE];
};

enum joining_event_type {
	JOINING_EVENT_RESTORE, // .invite (what is on disk), and .key where the person has accepted it: as INVITE and ACCEPT
	JOINING_EVENT_INVITE,  // .invite: came on the sponsor's link
	JOINING_EVENT_WITHDRAWN, // .withdrawn: the sponsor says that the invitation stands no more
	JOINING_EVENT_ACCEPT,  // .key: by the person or a policy
	JOINING_EVENT_SPONSOR_UP, // the link to the sponsor is there (again)
	JOINING_EVENT_RESULT,  // .result of an action with a ticket
	JOINING_EVENT_CHAIN,   // .chain: a founding, or a statement, from a member
	JOINING_EVENT_LINK_DOWN, // .member has no link any more
	JOINING_EVENT_DEADLINE, // the last DEADLINE has passed
};

// What an event points to is borrowed for the call; bytes are referenced.
struct joining_event {
	enum joining_event_type type;
	// Own presence record, for a JOIN that is made in this step: in every event but RESTORE of an invitation that waits
	const struct presence_parts *presence;
	struct span invite; // the record
	struct {
		struct bytes *certificate; // own, of this discussion; NULL at RESTORE: the person has not accepted
		struct bytes *general;     // own general certificate
	} key; // where there was an ACCEPT before, the first one counts
	struct {
		int64_t time_ms;
	} withdrawn;
	struct {
		uint64_t ticket;
		enum err code;
		struct bytes *bytes;                // SIGN_…: the signature
		const char *fingerprint, *id; // IMPORT: primary key and encryption key of the certificate
	} result;
	struct {
		const char *member; // whose link it came on
		struct bytes *record;
	} chain;
	const char *member;
};

enum joining_action_type {
	// There is something for the person to answer, or it is another (also after ACCEPT: other members, or another charter).
	JOINING_ASK,
	JOINING_KEEP,         // the invitation, and whether it is accepted, as joining_invite_bytes and joining_phase say
	JOINING_IMPORT,       // .import: a member's certificate into the discussion's home. Result with the key's names
	JOINING_SIGN_BINDING, // .sign: by the general key. Result
	JOINING_SIGN_JOIN,    // .sign: by the discussion key. Result
	JOINING_SEND,         // .record: on the sponsor's link, if there is one
	JOINING_VET,    // .check: against the certificate, in a throw-away home, which must be that of `signer`. Result
	JOINING_VERIFY, // .check: by `signer`, a primary key whose certificate was imported. Result
	JOINING_WANT_CHAIN, // .member: its core is to be asked for the chain; "": everybody's that has a link
	JOINING_DEADLINE,   // .ms: event DEADLINE after that time; replaces the last one
	JOINING_DROP,       // .why: what came from .member is of no use
	JOINING_FOUNDED,    // this core is a member: joining_epochs, joining_person
	JOINING_REFUSED,    // .why: ERR_REFUSED where the sponsor has said so, else what is wrong
};

struct joining_action {
	enum joining_action_type type;
	uint64_t ticket;
	struct {
		struct bytes *certificate;
	} import;
	struct {
		struct bytes *body; // complete signature input (P0.2)
	} sign;
	struct bytes *record;
	struct {
		char signer[FINGERPRINT_SIZE];
		struct bytes *certificate; // VET
		char id[KEY_ID_SIZE];      // VET: and this is its encryption key; "": any
		struct bytes *body, *signature;
	} check;
	char member[FINGERPRINT_SIZE];
	int64_t ms;
	struct err_info why;
};

// Owns what its actions point to.
struct joining_actions {
	size_t count, room;
	struct joining_action *list;
};
void joining_actions_init(struct joining_actions *a);
void joining_actions_fini(struct joining_actions *a); // also empties it for the next step

struct joining;

struct joining *joining_new(const struct joining_config *config);
void joining_free(struct joining *j); // NULL is allowed
// Appends to an empty list.
void joining_step(struct joining *j, const struct joining_event *event, struct joining_actions *out);

enum joining_phase {
	JOINING_WAITS,    // for an invitation
	JOINING_INVITED,  // the person is asked
	JOINING_ACCEPTED, // the JOIN is made, or sent
	JOINING_OVER,
};
enum joining_phase joining_phase(const struct joining *j);
bool joining_is_full(const struct joining *j); // links are to be paused: a long chain comes faster than it is checked

// Borrowed until the next step. From the first invitation on:
const struct invite_record *joining_invite(const struct joining *j);
struct bytes *joining_invite_bytes(const struct joining *j);
const struct roster_record *joining_roster(const struct joining *j); // the invitation's: who may link
struct hash joining_roster_hash(const struct joining *j);
struct bytes *joining_own_binding(const struct joining *j); // NULL: not made yet

// A member of an epoch: what is known of it.
struct joining_person {
	struct hash hash; // of .certificate
	char fingerprint[FINGERPRINT_SIZE];
	struct bytes *certificate;
	struct bytes *binding, *general; // NULL: only the invitation speaks of it so far
	char key_fingerprint[FINGERPRINT_SIZE]; // primary key of .certificate; "": not imported yet
	char key[KEY_ID_SIZE];
};
// Who in any roster of the chain, or in the invitation's, has that certificate; NULL.
const struct joining_person *joining_person(const struct joining *j, const struct hash *certificate);

// The chain so far. After FOUNDED its last roster is the first that names this core.
struct joining_epoch {
	struct bytes *roster;
	struct hash hash;
	char charter[RECORD_CHARTER_SIZE];
	size_t count; // what proves its end; of the last one nothing
	struct bytes **proof;
};
size_t joining_epochs(const struct joining *j, const struct joining_epoch **list);

#endif
