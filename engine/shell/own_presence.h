// SPDX-License-Identifier: GPL-3.0-or-later
// The own presence record: made, signed, renewed when half of its life is over or the own addresses change, and sent.
//
// What goes out as a datagram is at most OWN_PRESENCE_FRESH_MS old: only a record with a higher sequence than the last one shows
// that its owner is still there (anybody can send an old one on). Sequences are reserved ahead on disk, so that this writes nothing.
#ifndef SOTTO_SHELL_OWN_PRESENCE_H
#define SOTTO_SHELL_OWN_PRESENCE_H

#include "shell/neighbours.h"

#define OWN_PRESENCE_FRESH_MS 5000

// Borrowed until the next turn. ERR_WRONG_STATE, ERR_LOCKED: there is no key to sign it with.
MUST_CHECK enum err own_presence_get(struct neighbours *n, const struct presence_parts **out, struct err_info *info);
// Forgets it: the next one is made anew.
void own_presence_renew(struct neighbours *n);
// As a datagram, appended to `out`.
MUST_CHECK enum err own_presence_encode(struct neighbours *n, enum presence_kind kind, struct buf *out, struct err_info *info);
// Sends it there, to one address.
MUST_CHECK enum err own_presence_send(struct neighbours *n, enum presence_kind kind, const struct addr *to,
				      struct err_info *info);
// A datagram of this core itself, come back by a broadcast.
bool own_presence_is(const struct neighbours *n, const struct presence_datagram *d);

#endif
