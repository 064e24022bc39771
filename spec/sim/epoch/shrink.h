// SPDX-License-Identifier: GPL-3.0-or-later
// A run that breaks a rule → a short one that breaks the same rule, printed as a trace.
#ifndef SOTTO_SPEC_SIM_EPOCH_SHRINK_H
#define SOTTO_SPEC_SIM_EPOCH_SHRINK_H

#include "spec/sim/epoch/sim.h"

void shrink(const struct sim_options *options, const char *violation);

#endif
