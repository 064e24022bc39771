// SPDX-License-Identifier: GPL-3.0-or-later
#include "discussion/arbitration.h"

#include <string.h>

enum arbitration arbitrate(bool asking, const char *own_fingerprint, enum handshake_mode own_mode,
			   const char *other_fingerprint, enum handshake_mode other_mode)
{
	if (!asking)
		return ARBITRATION_ASK;
	bool own_survives = strcmp(own_fingerprint, other_fingerprint) < 0;
	if (own_mode == other_mode)
		return own_survives ? ARBITRATION_HOLD : ARBITRATION_ANSWER;
	return own_survives ? ARBITRATION_REFUSE : ARBITRATION_YIELD;
}
