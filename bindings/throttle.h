// SPDX-License-Identifier: GPL-3.0-or-later
// What keeps a process that computes on and on out of everybody's way, beside its low priority. Whoever computes a little now and
// then never feels it.
#ifndef SOTTO_BINDINGS_THROTTLE_H
#define SOTTO_BINDINGS_THROTTLE_H

#include "base/err.h"

// the least share that keeps a wait within the core's patience (WALL_FACTOR in lua/sotto/core/scripts/host.lua)
#define THROTTLE_LEAST 20

// For the start of main, before the process can no longer be looked at (secret_harden_process), where it is alone in its session.
// Linux may share the processors out among sessions first (autogroup, sched(7)). A priority then counts within a session only, and
// one process at nice 19 weighs as much as all of another session. So the session steps back, too, while the process computes.
void throttle_open(void);

// From now on `percent` of one processor in the long run, THROTTLE_LEAST to 100, however idle the machine is: two processors are
// often two threads of one core, and whoever computes on one slows the other. It takes the profiling timer and its signal, and the
// sleep happens in the signal's handler, so that nothing that the process computes can put it off. A filter of system calls that
// comes afterwards lets through write, clock_nanosleep and rt_sigreturn, and no setitimer.
MUST_CHECK enum err throttle_start(unsigned percent, struct err_info *info);

#endif
