// SPDX-License-Identifier: GPL-3.0-or-later
// Two peers who ask each other at once (P2.9): whose request survives.
#ifndef SOTTO_DISCUSSION_ARBITRATION_H
#define SOTTO_DISCUSSION_ARBITRATION_H

#include "discussion/handshake.h"

enum arbitration {
	ARBITRATION_ASK, // it waits for the person
	// Accept it at once with the password typed for the own request, which ends as superseded
	// at this one's COMMIT_OPENING (that is when its Ta has held)
	ARBITRATION_ANSWER,
	ARBITRATION_HOLD,   // it waits unseen; decide anew when the own request has ended
	ARBITRATION_YIELD,  // it waits for the person, and the own request ends now, as superseded
	ARBITRATION_REFUSE, // it is refused as superseded
};

// For a request that a handshake shows (REQUEST): its presence signature on M3 holds, and before
// that nobody may end an own request in another's name. `asking`: there is an own unfinished
// request to the same peer, in own_mode.
enum arbitration arbitrate(bool asking, const char *own_fingerprint, enum handshake_mode own_mode,
			   const char *other_fingerprint, enum handshake_mode other_mode);

#endif
