// SPDX-License-Identifier: GPL-3.0-or-later
// What may change in a roster (§5, 2), type "op". An op is named by H of its bytes; who proposes it is not in it, so the
// same op proposed by two members is one.
#ifndef SOTTO_WIRE_OP_H
#define SOTTO_WIRE_OP_H

#include "wire/roster.h"

#define OP_MAX (64 * 1024) // bytes
#define OP_JOIN_MAX (40 * 1024) // an adopted RSA certificate fits

enum op_kind { OP_ADMIT, OP_REMOVE, OP_DEPART, OP_CHARTER, OP_KIND_COUNT };
const char *op_kind_name(enum op_kind kind); // as on the wire and in the API

// A decoded one owns its join (op_fini).
struct op {
	enum op_kind kind;
	// ADMIT: what R_{e+1} says of the candidate, and the envelope of its JOIN, 1 to OP_JOIN_MAX bytes, in
	// which the same stands.
	struct roster_record_member candidate;
	struct bytes *join;
	// REMOVE, DEPART: 1 to RECORD_MEMBERS_MAX fingerprints, rising; DEPART: H of each one's LEAVE
	size_t count;
	char subjects[RECORD_MEMBERS_MAX][FINGERPRINT_SIZE];
	struct hash leaves[RECORD_MEMBERS_MAX];
	char charter[RECORD_CHARTER_SIZE]; // CHARTER
};

// Appends to out.
MUST_CHECK enum err op_encode(const struct op *o, struct buf *out, struct err_info *info);
MUST_CHECK enum err op_decode(struct op *o, struct span text, struct err_info *info);
void op_fini(struct op *o);

#endif
