// SPDX-License-Identifier: GPL-3.0-or-later
// Probes: a question to one address, repeated a few times because datagrams get lost, and answered to whoever called peers.probe.
// The contact file is a list of them (P1.4).
#ifndef SOTTO_SHELL_PROBE_H
#define SOTTO_SHELL_PROBE_H

#include "shell/call.h"
#include "shell/neighbours.h"

#define PROBES_MAX 256 // under way at one time; a contact file's further lines wait

// peers.probe {address}: answers with the peer that is there, or ERR_TIMEOUT.
MUST_CHECK enum err probe_call(struct neighbours *n, struct call *c, const char *address);
// peers.import and peers.export {path}: {contacts, errors[]}, {contacts}.
MUST_CHECK enum err probe_import(struct neighbours *n, struct call *c, const char *path);
MUST_CHECK enum err probe_export(struct neighbours *n, struct call *c, const char *path);

bool probe_awaits(const struct neighbours *n, const struct addr *from);
// Who answered from an address that was asked.
void probe_answered(struct neighbours *n, const struct addr *from, const char *fingerprint, enum peer_verdict verdict);
void probes_cancel(struct neighbours *n);

#endif
