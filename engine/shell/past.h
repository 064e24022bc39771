// SPDX-License-Identifier: GPL-3.0-or-later
// Messages of epochs that have ended (P5.6): own ones that a member lacks are still delivered, and what is missing of others' up to the
// cut is asked of whoever has it. Each such epoch is a conversation of its own on the present one's lines (conversation_parts.h),
// until it is complete; a restart goes on with those that are not.
//
// A member gets own messages in the order of the epochs, and is asked in that order: nothing of the present is sent to it, or asked
// for, while something earlier is on its way. What nobody can supply holds up nothing.
#ifndef SOTTO_SHELL_PAST_H
#define SOTTO_SHELL_PAST_H

#include <jansson.h>

#include "discussion/transcript.h"
#include "shell/conversation.h"
#include "wire/roster.h"

struct seen_row;

// An epoch as the store has it.
struct past_epoch {
	struct roster_record roster;
	struct hash roster_hash;
	bool ended; // then:
	struct transcript_head cut[ROSTER_MAX];
};
MUST_CHECK enum err past_epoch_read(struct discussion *d, uint32_t epoch, struct past_epoch *out, struct err_info *info);

// The conversation begins: after a restart, or in a new epoch.
MUST_CHECK enum err past_open(struct conversation *c, struct err_info *info);
void past_start(struct conversation *c);
void past_fini(struct conversation *c);
void past_recover(struct conversation *c);

// A line is up in the present epoch, on both sides. Whether it is to wait with own messages of the present: then past_passed follows.
bool past_line_up(struct conversation *c, size_t member);
void past_line_down(struct conversation *c, size_t member);
void past_congested(struct conversation *c, size_t member, bool congested);
void past_pause(struct conversation *of, size_t member, bool pause); // of: the earlier epoch's, as is member
// The conversation of that epoch, be it the present one, and that member's position there; NULL: it is complete, or this person or
// that member was none of its members.
struct conversation *past_of(struct conversation *c, uint32_t epoch, size_t *member);
// Goes through all that is looked after: of the present one the oldest earlier one, of that the next; NULL: that was the last.
struct conversation *past_after(const struct conversation *c);
// A frame SEALED of that member's line. False: it is of the present epoch, or of a later one.
bool past_frame(struct conversation *c, size_t member, struct span frame);
// Something came or went in an earlier epoch: on the next turn it is looked at what may follow.
void past_moved(struct conversation *c);
// Of what earlier epochs is missing here: [{fingerprint, epoch, payloads}]; NULL: nothing.
json_t *past_missing(const struct conversation *c);

#endif
