// SPDX-License-Identifier: GPL-3.0-or-later
// The words themselves, in alphabetical order: data, read through words.h.
#ifndef SOTTO_DISCUSSION_WORDS_LIST_H
#define SOTTO_DISCUSSION_WORDS_LIST_H

#include "discussion/words.h"

extern const char words_list[WORDS_COUNT][WORDS_LEN_MAX + 1];

#endif
