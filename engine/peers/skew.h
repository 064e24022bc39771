// SPDX-License-Identifier: GPL-3.0-or-later
// How far the own clock is off, as far as other people's presence records tell. Pure: both times are arguments.
//
// A record that came from its issuer was issued at most half its life ago, for then it is made anew (P1.1). So each says that the
// own clock is ahead by at least (arrival - issue - half its life), and at most (arrival - issue). Nothing is ever decided by this
// (P0.6): it is for the doctor.
#ifndef SOTTO_PEERS_SKEW_H
#define SOTTO_PEERS_SKEW_H

#include <stddef.h>
#include <stdint.h>

#define SKEW_PEERS_MAX 16 // the last so many who were heard
#define SKEW_FINGERPRINT_SIZE 41

struct skew {
	size_t count;
	struct skew_row {
		char fingerprint[SKEW_FINGERPRINT_SIZE];
		int64_t least, most;  // own clock minus theirs, in ms
		int64_t wall_ms, at_ms; // at the arrival: own clock, and one that nobody sets
	} rows[SKEW_PEERS_MAX]; // the last heard first
};

// A record of a proven peer has come from that peer itself. Zero-initialised before the first.
void skew_note(struct skew *s, const char *fingerprint, int64_t issued_ms, int64_t expires_ms, int64_t wall_ms, int64_t at_ms);

struct skew_verdict {
	size_t peers;               // who were heard
	int64_t ahead_ms, behind_ms; // at least, by the word of most of them; one of the two, or none, is above 0
};
// A clock that was set since is taken into account.
struct skew_verdict skew_judge(const struct skew *s, int64_t wall_ms, int64_t at_ms);

#endif
