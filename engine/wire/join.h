// SPDX-License-Identifier: GPL-3.0-or-later
// How somebody comes into a discussion (§5, 1; P5.4): what travels between sponsor and candidate, and what a newcomer is told of the
// beginning. Ownership as in wire/handshake.h.
#ifndef SOTTO_WIRE_JOIN_H
#define SOTTO_WIRE_JOIN_H

#include "wire/presence.h"
#include "wire/roster.h"
#include "wire/signed.h"

#define JOIN_TYPE "join"          // of the envelope
#define JOIN_MAX (25 * 1024)      // bytes of a body; its envelope is at most OP_JOIN_MAX
#define INVITE_MAX (224 * 1024)   // bytes of a record
#define FOUNDING_MAX (224 * 1024) // likewise
#define DECLINE_REASON_MAX 256    // bytes of UTF-8
#define DECLINE_ANY 0             // time: whichever it was

// INVITE, plain: the link that it comes on, of the two-person discussion of sponsor and candidate, says whose word it is. What stands
// in it of the members proves itself against the roster, and the roster against the chain that is taken later.
struct invite_member {
	struct bytes *certificate;      // of the discussion, 1 to RECORD_DISCUSSION_CERTIFICATE_MAX
	struct presence_parts presence; // .record NULL: none; for a name, and where to dial
};
struct invite_record {
	char discussion[DISCUSSION_ID_SIZE];
	int64_t time_ms;      // when the sponsor invited: the same each time that this invitation is sent
	struct hash first;    // H_0: without it the candidate could answer no member's L1
	struct bytes *roster; // R_e, exact bytes, 1 to ROSTER_RECORD_MAX
	char charter[RECORD_CHARTER_SIZE];
	size_t count; // ROSTER_RECORD_MEMBERS_MIN to RECORD_MEMBERS_MAX
	struct invite_member *members; // in the order of the roster
};
// Appends to out. ERR_TOO_LARGE: the presence records are what can be left out.
MUST_CHECK enum err invite_encode(const struct invite_record *r, struct buf *out, struct err_info *info);
MUST_CHECK enum err invite_decode(struct invite_record *r, struct span text, struct err_info *info);
void invite_fini(struct invite_record *r);

// JOIN: the body of an envelope of type JOIN_TYPE, signed by the discussion key whose certificate is in it.
struct join_record {
	char discussion[DISCUSSION_ID_SIZE];
	char author[FINGERPRINT_SIZE]; // the candidate's general key
	struct hash roster;            // H_e: in which epoch it may be admitted
	struct hash charter;           // H(charter)
	struct bytes *certificate;     // of the discussion, 1 to RECORD_DISCUSSION_CERTIFICATE_MAX
	struct bytes *binding;         // P2.10, 1 to RECORD_SIGNATURE_MAX
	struct bytes *general;         // certificate, 1 to RECORD_CERTIFICATE_MAX
	struct presence_parts presence; // always there: where the members dial
};
MUST_CHECK enum err join_encode(const struct join_record *r, struct buf *out, struct err_info *info);
MUST_CHECK enum err join_decode(struct join_record *r, struct span text, struct err_info *info);
void join_fini(struct join_record *r);

// DECLINE, plain, on the link of the INVITE. The candidate declines; from the sponsor it says that the invitation stands no more.
struct decline_record {
	char discussion[DISCUSSION_ID_SIZE];
	int64_t time_ms; // of the INVITE; from the sponsor DECLINE_ANY, too: there is none
	char reason[DECLINE_REASON_MAX + 1];
};
MUST_CHECK enum err decline_encode(const struct decline_record *r, struct buf *out, struct err_info *info);
MUST_CHECK enum err decline_decode(struct decline_record *r, struct span text, struct err_info *info);

// What the chain begins with: R_0 and its members, of whom there is no JOIN. Whoever knows H_0 can check it.
struct founding_member {
	struct bytes *certificate; // of the discussion, 1 to RECORD_DISCUSSION_CERTIFICATE_MAX
	struct bytes *binding;     // 1 to RECORD_SIGNATURE_MAX
	struct bytes *general;     // certificate, 1 to RECORD_CERTIFICATE_MAX
};
struct founding_record {
	struct bytes *roster; // R_0, exact bytes, 1 to ROSTER_RECORD_MAX
	char charter[RECORD_CHARTER_SIZE];
	size_t count; // ROSTER_RECORD_MEMBERS_MIN to RECORD_MEMBERS_MAX
	struct founding_member *members; // in the order of the roster
};
MUST_CHECK enum err founding_encode(const struct founding_record *r, struct buf *out, struct err_info *info);
MUST_CHECK enum err founding_decode(struct founding_record *r, struct span text, struct err_info *info);
void founding_fini(struct founding_record *r);

#endif
