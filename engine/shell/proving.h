// SPDX-License-Identifier: GPL-3.0-or-later
// Checks strangers' certifications one after the other, paced by peers/prove.h, each in a throw-away home (P1.7), and tells the
// neighbours' table and whoever waits.
#ifndef SOTTO_SHELL_PROVING_H
#define SOTTO_SHELL_PROVING_H

#include "shell/neighbours.h"

// False where there is nothing to check: no certification or certificate, one of another key, the queue is full, or it is known to
// be bad. Otherwise proof_decided's callers hear of the outcome.
bool proving_submit(struct neighbours *n, const struct presence_record *r, const struct presence_parts *parts,
		    struct span certificate, const struct addr *from, bool known);

// A proof that waits for a check of (fingerprint, key, since) which was submitted.
struct proof *proof_wait(struct neighbours *n, const struct presence_record *r, proof_done *done, void *arg);
// A proof whose outcome is known: done comes on the next turn. key NULL: none.
struct proof *proof_decided(struct neighbours *n, enum err code, const uint8_t *key, proof_done *done, void *arg);

void proving_cancel(struct neighbours *n); // checks under way and proofs that wait: no callback

// neighbours.c: what the table and whoever listens is told of a check.
void neighbours_disproven(struct neighbours *n, const struct prove_check *check);
void neighbours_proven(struct neighbours *n, const char *fingerprint, const struct peer_outcome *o);

#endif
