// SPDX-License-Identifier: GPL-3.0-or-later
// What the engine says of itself to the doctor (lua/sotto/doctor), which makes findings of it. The method "system.checkup" is for
// the core's own Lua and not in the API table:
//   identity "none" | "locked" | "ready" · listen "ADDR:PORT" · lan (lan_shell_view) · troubles (health_view)
//   homes [{path, socket, own}] those that are open · known_homes [name] those that may be on disk · homes_ending bool
//   clock {peers, ahead, behind} skew.h's verdict, in ms
//   peers [{fingerprint, name, addresses, reached, reason?}] who is proven, online and not linked: each was dialled just now
#ifndef SOTTO_SHELL_CHECKUP_H
#define SOTTO_SHELL_CHECKUP_H

#include "shell/call.h"

#define CHECKUP_PEERS_MAX 8 // who are dialled, the known ones first
#define CHECKUP_DIAL_MS 3000

struct checkup;

// Answers once every dial has come to an end. ERR_BUSY: one is under way.
MUST_CHECK enum err checkup_call(struct engine *e, struct call *c);

#endif
