// SPDX-License-Identifier: GPL-3.0-or-later
// P1.2: a certificate that does not fit a datagram (RSA) is fetched over TCP, by its hash, from where the datagram came from. Whoever
// begins a link with CERT? is told the own presence record with its certification, and then the certificate; the link ends with that.
#ifndef SOTTO_SHELL_INTRODUCING_H
#define SOTTO_SHELL_INTRODUCING_H

#include "net/link.h"
#include "shell/neighbours.h"

#define INTRODUCTIONS_MAX 32          // that we ask for at a time,
#define INTRODUCTIONS_STRANGERS_MAX 16 // and how many of them of strangers
#define INTRODUCTION_TIMEOUT_MS 10000

struct introduction;

// Takes the link and its half-open slot, which `known` says the kind of. `wanted`: the link's first frame.
void introduce(struct engine *e, struct link *link, const struct addr *source, bool known, struct span wanted);

// Asks at `at` for what the record, which came from there without its certificate, is short of; what comes is taken into the table
// and checked. Nothing happens where it is being asked for already, or was too often. At the end of a turn, or later.
void introduction_ask(struct neighbours *n, const struct presence_record *r, const struct addr *at, enum peer_source source,
		      bool known);
void introductions_cancel(struct neighbours *n);

#endif
