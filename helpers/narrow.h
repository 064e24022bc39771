// SPDX-License-Identifier: GPL-3.0-or-later
// What a helper gives up before it speaks to strangers.
#ifndef SOTTO_HELPERS_NARROW_H
#define SOTTO_HELPERS_NARROW_H

#include <stdbool.h>

// From now on this process starts no program, writes, makes, moves and removes no file, signals and traces nobody, and has so much
// memory and processor time. False where the kernel refuses.
bool narrow(unsigned seconds);

#endif
