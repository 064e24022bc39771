// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of the member link machine, shared by member_link*.c; nobody else includes it. A is the
// side that dials, B the one that answers.
#ifndef SOTTO_DISCUSSION_MEMBER_LINK_MACHINE_H
#define SOTTO_DISCUSSION_MEMBER_LINK_MACHINE_H

#include "discussion/member_link.h"
#include "wire/frame.h"

enum member_link_stage {
	LINK_NEW,
	LINK_ASKED,     // A: L1 sent; the clear part of L2
	LINK_PROVING,   // keys are there: the other's proof, or its farewell in that place
	LINK_VERIFYING, // own work: the other's proof
	LINK_SEEING,    // both are proved: SEEN both ways
	LINK_TELLING,   // own farewell goes out
	LINK_HEARING,   // the other's comes in
	LINK_OVER,
};

struct member_link {
	enum member_link_side side;
	enum member_link_stage stage;
	const struct random *random;
	int64_t idle_ms;
	struct hash first, roster_hash;
	struct roster_record roster;
	char own[41], other[41], other_key[41];
	bool closed, ended;
	uint64_t held;

	uint8_t secret[32], shared[32]; // X25519
	struct link_record l1;
	struct bytes *l1_bytes;
	struct link_answer_record l2;
	struct link_proof_record proof; // the other's
	struct bytes *signature;        // own
	struct bytes *rekeys;           // own, empty for none
	bool ciphered, signing, verifying, verified, proof_sent, seen_sent;
	struct seen_record *own_seen, *other_seen;
	size_t heard; // payloads of the other's farewell
	struct member_link_actions *out; // during a step
};

struct member_link_action *member_link_act(struct member_link *m,
					   enum member_link_action_type type);
void member_link_enter(struct member_link *m, enum member_link_stage stage);
void member_link_send(struct member_link *m, enum frame_kind kind, struct span payload);
void member_link_end(struct member_link *m, enum member_link_end end, const char *detail);
void member_link_fail(struct member_link *m, const char *detail);

// --- member_link_keys.c -----------------------------------------------------------------------

// The proof in L1 that its sender knows the discussion, and means these two members.
struct hash member_link_tag(const struct hash *first, const char *discussion,
			    const struct link_record *l1, const char *dialling,
			    const char *answering);
void member_link_make_share(struct member_link *m, uint8_t share[LINK_KEY_LEN]);
// Both keys from the other's share; once L1 and L2's clear part are there.
void member_link_set_cipher(struct member_link *m, const uint8_t share[LINK_KEY_LEN]);
// What `whose` signs at that epoch and roster; NULL where it cannot be.
struct bytes *member_link_signed(const struct member_link *m, enum member_link_side side,
				 uint32_t epoch, const struct hash *roster_hash,
				 struct span rekeys);

// --- member_link_steps.c ----------------------------------------------------------------------

void member_link_start(struct member_link *m);
void member_link_frame(struct member_link *m, uint8_t kind, struct span payload);
void member_link_signed_result(struct member_link *m, enum err code, struct span signature);
void member_link_verified_result(struct member_link *m, enum err code);
void member_link_seen_result(struct member_link *m, const struct seen_record *record);
void member_link_acknowledge(struct member_link *m, struct span record);
void member_link_farewell_done(struct member_link *m);

#endif
