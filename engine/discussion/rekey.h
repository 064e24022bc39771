// SPDX-License-Identifier: GPL-3.0-or-later
// Which encryption keys each member has had in an epoch (P3.1, P4.2), and which of them a message may be sealed to. Pure; one for a
// discussion and epoch. Members are positions in the roster.
//
// A key comes with its owner's payload of some sequence; those of the roster, and what earlier epochs have brought, count as sequence 0.
// What the owner says on a link comes before its payload (P2.12): such a key is the newest, and gets its sequence later.
//
// Of the ids that a message names, in roster order, the own one must be an own one. At another member's place a key that is known must be
// that member's. One that nobody here knows is let pass: its owner's payload may not have come yet, a third member's absence must not hold
// up others, and an id proves nothing: whether a session key is in there, and the right one, only the owner can tell (P5.8).
#ifndef SOTTO_DISCUSSION_REKEY_H
#define SOTTO_DISCUSSION_REKEY_H

#include "discussion/roster.h"
#include "wire/payload.h"

#define REKEYS_MAX 4096 // of a member in an epoch
#define REKEY_SAID UINT64_MAX // the sequence of what was said on a link

struct rekeys;

struct rekeys *rekeys_new(size_t members);
void rekeys_free(struct rekeys *r); // NULL is allowed

// False: it is another member's, zero, or one too many. One that is here already only gets its sequence.
MUST_CHECK bool rekeys_add(struct rekeys *r, size_t member, uint64_t sequence, uint64_t id);
uint64_t rekeys_newest(const struct rekeys *r, size_t member); // what is sealed to; 0: none
bool rekeys_knows(const struct rekeys *r, size_t member, uint64_t id);
// Everyone's newest but that member's, in roster order; how many.
size_t rekeys_without(const struct rekeys *r, size_t member, uint64_t out[ROSTER_MAX]);

// Whether what a message of `sender` names is right for a roster of which `own` is a member: one each but for the sender, in order.
// ERR_BAD_INPUT; the text names what is wrong.
MUST_CHECK enum err rekeys_fit(const struct rekeys *r, size_t sender, size_t own, const uint64_t *ids, size_t count,
			       struct err_info *info);
// After opening: whether none is older than what its sender had seen of that member by then (P3.1). A newer one is fine.
bool rekeys_fresh(const struct rekeys *r, const struct roster_record *roster, size_t sender, const uint64_t *ids,
		  const struct payload *p);

#endif
