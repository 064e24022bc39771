// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of rekeying.h share.
#ifndef SOTTO_SHELL_REKEYING_PARTS_H
#define SOTTO_SHELL_REKEYING_PARTS_H

#include "openpgp/key.h"
#include "openpgp/keygrip.h"
#include "shell/conversation_parts.h"

#define REKEYING_OWN_MAX 8 // own keys with a secret, at a time

// An own encryption key whose secret is in the home, or is to go from there.
struct own_key {
	uint64_t id;
	char grip[KEYGRIP_TEXT];
	int64_t since; // ms since 1970; 0: from the start
	// of the next one, if there is one
	uint64_t replaced; // the own payload of this epoch that told it; 0: it was told in an earlier one
	int64_t dies;      // at the latest, ms since 1970
};

struct making;
struct intake;

struct rekeying {
	struct conversation *conversation;
	struct rekeys *keys;
	char primary_grip[KEYGRIP_TEXT];
	struct own_key own[REKEYING_OWN_MAX]; // the last one is the newest
	size_t own_count;
	struct bytes *certificate; // of the newest
	bool is_roster_key;        // the newest is what the roster names
	struct making *making;     // the next one
	struct intake *intakes;
	size_t said; // intakes from links
	uint64_t used; // payloads that were sealed to the newest, in this run
	int64_t used_from; // 0: in this run only; else ms since 1970
	int64_t tokens_at; // see rekeying.c
	unsigned tokens;
	struct timer due, death;
};

// rekeying_store.c. Appends the own key of that certificate as the newest.
MUST_CHECK enum err rekeying_push_own(struct rekeying *r, struct bytes *certificate, uint64_t sequence, int64_t told,
				      struct err_info *info);
void rekeying_drop_own(struct rekeying *r, size_t i); // its secret is none that the home keeps
// rekeying.c
void rekeying_bury(struct rekeying *r); // old own keys whose time has come; and when the next one's does
// rekeying_others.c
// A key that is known in that epoch: to the discussion's others, too.
void rekeying_spread(struct conversation *from, size_t member, uint64_t key);
void rekeying_cancel_intakes(struct rekeying *r);

#endif
