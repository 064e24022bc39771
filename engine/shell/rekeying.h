// SPDX-License-Identifier: GPL-3.0-or-later
// Encryption keys of a conversation's members (P4.2): the own one is replaced now and then, others' new ones are taken in, and the secrets
// of old own ones die. rekeying.c is about the own key, rekeying_others.c about theirs, rekeying_store.c about what the store holds.
#ifndef SOTTO_SHELL_REKEYING_H
#define SOTTO_SHELL_REKEYING_H

#include "base/buf.h"
#include "discussion/rekey.h"

struct conversation;
struct rekeying;

// From the store; the home is open, the machines are not there yet. What a killed core has made and told nobody of is erased from the home.
MUST_CHECK enum err rekeying_open(struct conversation *c, struct err_info *info);
void rekeying_fini(struct conversation *c); // after the machines; nothing where there is none
const struct rekeys *rekeying_keys(const struct conversation *c);

// A payload that brings a member's new key is written, in the same transaction; and it stands: of another member, or the own one.
MUST_CHECK enum err rekeying_write(struct conversation *c, size_t member, uint64_t sequence, struct bytes *certificate,
				   struct err_info *info);
void rekeying_learned(struct conversation *c, size_t member, uint64_t sequence, uint64_t key);
void rekeying_told(struct conversation *c, uint64_t sequence, struct bytes *certificate);

// Another member's payload was accepted: the own key was used, and an old one may have had its day.
void rekeying_accepted(struct conversation *c);

// The transcript's REKEY: checked, imported, tried; REKEYED follows, maybe at once.
void rekeying_take(struct conversation *c, size_t member, uint64_t ticket, struct bytes *certificate);
// What is said on new links of the own newest key; empty where the roster names it. Borrowed.
struct span rekeying_says(const struct conversation *c);
// What that member has said there; NULL is fine. Nothing is sealed until it is imported.
void rekeying_heard(struct conversation *c, size_t member, struct bytes *certificate);
bool rekeying_delays(const struct conversation *c);

#endif
