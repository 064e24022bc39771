// SPDX-License-Identifier: GPL-3.0-or-later
// Messages of epochs that have ended (P5.6): what is missing up to the cut is asked of any member (record `want` {discussion, epoch,
// sender, after}) and comes as frames SEALED of that epoch; what others ask for is answered from the store.
//
// Which epochs are not complete the store knows: epochs.cut (store/epochs.h) against the heads (store/heads.h).
#ifndef SOTTO_SHELL_PAST_H
#define SOTTO_SHELL_PAST_H

#include "shell/conversation.h"
#include "wire/statement.h"

// The conversation begins: after a restart, or in a new epoch. Not complete epochs get a transcript each.
MUST_CHECK enum err past_open(struct conversation *c, struct err_info *info);
void past_fini(struct conversation *c);
// A line is up in the current epoch: ask there for what is missing.
void past_line_up(struct conversation *c, size_t member);
void past_line_down(struct conversation *c, size_t member);
// A RECORD "want" from that member; false from past_frame: a SEALED frame of the current epoch, or of none that is missing here.
void past_wanted(struct conversation *c, size_t member, struct span record);
bool past_frame(struct conversation *c, size_t member, struct span frame);

#endif
