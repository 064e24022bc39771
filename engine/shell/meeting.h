// SPDX-License-Identifier: GPL-3.0-or-later
// Two members make a link again (P2.12), in a discussion that stands: what the machine asks of its conversation (linking.h).
#ifndef SOTTO_SHELL_MEETING_H
#define SOTTO_SHELL_MEETING_H

#include "net/link.h"
#include "peers/endpoint.h"

struct engine;
struct conversation;
struct meeting;

// Dials. False where not even that could be begun; otherwise the conversation hears of its end.
bool meeting_dial(struct conversation *c, size_t member, const struct addr *to);
// Takes an accepted link whose first frame is a "link" record, handed over here. `source` holds a half-open slot of the limits.
void meeting_answer(struct engine *e, struct link *link, const struct addr *source, bool known, struct span l1);
void meeting_cancel(struct meeting *m); // the conversation does not hear of it

// In a farewell:
struct link *meeting_link(struct meeting *m);
void meeting_ack(struct meeting *m, struct span record); // hearing one: what was delivered is on disk
void meeting_farewell_done(struct meeting *m);           // saying one: the other has everything

#endif
