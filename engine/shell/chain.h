// SPDX-License-Identifier: GPL-3.0-or-later
// Who is in which epoch (P2.12): SEEN says it, at a link's beginning and whenever it changes. Whoever is behind gets what proves the end
// of each epoch from its own on; who joins, first how the discussion was founded.
#ifndef SOTTO_SHELL_CHAIN_H
#define SOTTO_SHELL_CHAIN_H

#include "shell/conversation.h"

struct line;

// The other side of a line has said where it is; seen NULL: in this epoch, as a handshake has just proved.
void chain_seen(struct line *l, const struct seen_record *seen);
void chain_heard(struct line *l, struct span record); // a RECORD "seen" on a link that stands
void chain_say_seen(struct line *l);
void chain_moved(struct line *l); // this side is in another epoch now: the other may be there already
// Of somebody who is no member any more: gets all that was decided from that epoch on, then the link ends.
void chain_part(struct line *l, uint32_t from);

#endif
