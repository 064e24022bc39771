// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of the handshake machine, shared by handshake*.c; nobody else includes it.
#ifndef SOTTO_DISCUSSION_HANDSHAKE_MACHINE_H
#define SOTTO_DISCUSSION_HANDSHAKE_MACHINE_H

#include "discussion/handshake.h"
#include "discussion/roster.h"
#include "pake/cpace.h"
#include "wire/frame.h"
#include "wire/handshake.h"

// What the other side may say next. A frame that fits none of it ends the handshake.
enum handshake_stage {
	STAGE_NEW,
	STAGE_I_HELLO,       // M1 sent: M2
	STAGE_I_CERTIFICATE, // CERT? sent: CERT
	STAGE_I_OPENING,     // own work: M3
	STAGE_I_ASKED,       // M3 sent, a person decides over there: M4
	STAGE_I_ANSWERED,    // own work: M4 is opened, a guess is spent
	STAGE_I_CONFIRMING,  // M5 sent: M6
	STAGE_R_HELLO,       // M1
	STAGE_R_LOOKING,     // own work: what is known of it
	STAGE_R_GREETED,     // M2 sent: CERT where it is missing, and M3
	STAGE_R_REQUESTED,   // a person decides here
	STAGE_R_ACCEPTED,    // own work: M3 is opened, M4 made
	STAGE_R_ANSWERED,    // M4 sent: M5
	STAGE_R_CONFIRMING,  // own work: a guess is spent, Ta and all the rest checked
	STAGE_FINISHING,     // either: R_0 is there, state is committed, M7 goes and comes
	STAGE_OVER,
};

// One side's discussion key, owned.
struct side_key {
	struct bytes *certificate, *binding;
	struct hash hash; // of the certificate; the other's is known before its certificate is
	char fingerprint[41], key[17];
};

struct handshake {
	enum handshake_role role;
	enum handshake_stage stage;
	const struct random *random;
	int64_t idle_ms, person_ms;

	char own[41], other[41], id[33];
	enum handshake_mode mode;
	struct bytes *charter;
	struct hash charter_hash;
	struct secret *password;        // NULL in mode pinned
	struct secret *presence_secret; // initiator
	struct presence_parts presence; // of the initiator, at both
	uint8_t presence_key[PRESENCE_KEY_LEN]; // responder: what M3 must be signed with

	struct bytes *general, *other_general; // other_general NULL while not at hand
	struct hash general_hash, other_general_hash;
	uint8_t nonce[HELLO_NONCE_LEN], other_nonce[HELLO_NONCE_LEN];
	struct side_key key, other_key;

	struct bytes *m[6];     // M1 … M6 as they travelled
	struct hash hello_hash; // H(lv_cat(M1, M2))
	struct cpace pake;
	uint8_t other_tag[CPACE_TAG_LEN]; // responder: Ta as it came
	struct roster_record roster;
	struct bytes *roster_bytes;
	struct hash roster_hash;
	struct hash transcript; // H(lv_cat(M1 … M6))
	struct bytes *ready;       // own M7, sealed
	struct bytes *other_ready; // the other's, as it came

	uint32_t awaited, issued; // bits of results
	bool ciphered;            // SET_CIPHER was issued
	bool certificate_told;    // the other side's CERT? was answered
	bool certified;           // other_general is checked
	bool proven;              // responder: the presence key is the other's
	bool unreadable;          // responder: M5 did not open, or was none
	bool verified, imported;  // the other's binding and discussion certificate
	bool confirmed;           // responder: Ta holds
	bool committed, ready_sent, ready_held; // ready_held: the other's M7 holds
	bool leaving; // initiator: the link is gone after M6; it still commits what M6 holds
	// What is bad about the other side's part, where nothing may show before a wrong password
	// would; NULL: nothing.
	const char *rot;
	// Ends so once what is on its way to disk is there.
	bool failing;
	enum handshake_reason failing_reason;
	const char *failing_detail;

	struct handshake_actions *out; // during a step
};

// --- handshake.c: actions, stages, outcomes -------------------------------------------------

struct handshake_action *handshake_act(struct handshake *h, enum handshake_action_type type);
// An action whose result is awaited.
struct handshake_action *handshake_ask(struct handshake *h, enum handshake_action_type type,
				       enum handshake_event_type result);
bool handshake_asked(const struct handshake *h, enum handshake_event_type result); // ever
void handshake_enter(struct handshake *h, enum handshake_stage stage, int64_t deadline_ms);
void handshake_send(struct handshake *h, enum frame_kind kind, struct bytes *payload);
// Ends it: as LEFT where the opening is committed. Waits for what is on its way to disk.
void handshake_end(struct handshake *h, enum handshake_reason reason, const char *detail);
void handshake_fail(struct handshake *h, const char *detail); // with REASON_FAILED
// Bad in the other side's part, where nothing may show before a wrong password would (P2.3).
void handshake_rot(struct handshake *h, const char *detail);
void handshake_set_key(struct handshake *h, const struct handshake_key *key);
void handshake_set_imported(struct handshake *h, const struct handshake_event *event);

// --- handshake_messages.c: what travels -----------------------------------------------------

// Each is one message as it goes out, or the plaintext of a sealed one. What config and events may
// hold fits; where it does not after all, the handshake ends and NULL comes back.
struct bytes *handshake_make_hello(struct handshake *h);          // M1
struct bytes *handshake_make_hello_answer(struct handshake *h);   // M2
struct bytes *handshake_make_open(struct handshake *h);           // inside M3
struct bytes *handshake_make_answer(struct handshake *h);         // inside M4
struct bytes *handshake_make_confirm(struct handshake *h);        // M5
struct bytes *handshake_make_confirm_answer(struct handshake *h); // M6
struct bytes *handshake_make_ready(struct handshake *h);          // inside M7
struct bytes *handshake_sign_open(struct handshake *h, struct span sealed); // M3
void handshake_send_refuse(struct handshake *h, enum handshake_reason reason);
void handshake_want_certificate(struct handshake *h, const struct hash *hash);
// Of a clear record: true where it was CERT? or a refusal, and is dealt with.
bool handshake_take_aside(struct handshake *h, struct span payload, bool may_want);

void handshake_hash_hellos(struct handshake *h); // once M1 and M2 are there

// --- handshake_work.c: secrets, and what others do --------------------------------------------

void handshake_start_pake(struct handshake *h);
void handshake_finish_pake(struct handshake *h, const uint8_t share[CPACE_SHARE_LEN]);
void handshake_set_cipher(struct handshake *h); // once M1 to M4 are there
void handshake_check_certificate(struct handshake *h, struct span certificate);
void handshake_prove(struct handshake *h, const struct presence_record *record);
void handshake_seal_general(struct handshake *h, struct bytes *plaintext); // takes it; or NULL
void handshake_open_general(struct handshake *h, struct span message);
void handshake_sign_binding(struct handshake *h);
void handshake_verify_binding(struct handshake *h);
void handshake_import_member(struct handshake *h);

// --- handshake_finish.c: R_0 and M7, the same at both roles -----------------------------------

// The value of R_0 from both keys; false where they cannot be in one roster.
bool handshake_begin_roster(struct handshake *h);
void handshake_commit(struct handshake *h);
void handshake_committed(struct handshake *h); // the result: guesses are restored, R says M6
void handshake_seal_ready(struct handshake *h); // once M1 to M6 are there
void handshake_take_ready(struct handshake *h, struct span payload); // M7 as it came
void handshake_finish_result(struct handshake *h, const struct handshake_event *event);
void handshake_finish_advance(struct handshake *h);

// --- the roles ------------------------------------------------------------------------------

void initiator_start(struct handshake *h);
void initiator_frame(struct handshake *h, uint8_t kind, struct span payload);
void initiator_result(struct handshake *h, const struct handshake_event *event);
void initiator_advance(struct handshake *h); // what results have made possible

void responder_start(struct handshake *h);
void responder_frame(struct handshake *h, uint8_t kind, struct span payload);
void responder_unreadable(struct handshake *h);
void responder_result(struct handshake *h, const struct handshake_event *event);
void responder_accept(struct handshake *h, struct secret *password,
		      const struct handshake_key *key);
void responder_advance(struct handshake *h);

#endif
