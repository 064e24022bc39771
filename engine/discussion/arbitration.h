// SPDX-License-Identifier: GPL-3.0-or-later
// Two peers who ask each other at once (P2.9): whose request survives.
#ifndef SOTTO_DISCUSSION_ARBITRATION_H
#define SOTTO_DISCUSSION_ARBITRATION_H

#include "discussion/handshake.h"

enum arbitration {
	ARBITRATION_ASK,    // the request waits for the person; an own request, if any, is not touched
	ARBITRATION_ANSWER, // accept it at once with the password typed for the own request, which ends as superseded at the
	                    // COMMIT_OPENING of this one (its Ta held)
	ARBITRATION_HOLD,   // it waits unseen: the own request survives. Decide anew when that one has ended
	ARBITRATION_YIELD,  // it waits for the person, and the own request ends now, as superseded
	ARBITRATION_REFUSE, // it is refused as superseded
};

// Called when a handshake issues REQUEST, that is, with the presence signature on M3 verified: before that nobody may end an own
// request in another's name. `asking`: there is an own unfinished request to the same peer, in own_mode. Pure.
enum arbitration arbitrate(bool asking, const char *own_fingerprint, enum handshake_mode own_mode,
			   const char *other_fingerprint, enum handshake_mode other_mode);

#endif
