// SPDX-License-Identifier: GPL-3.0-or-later
// A discussion from its opening on: links to its members, the outbox and the transcript, and what these ask of gpg, disk and links.
// Ended ones keep it until their farewell is delivered (P3.8).
#ifndef SOTTO_SHELL_CONVERSATION_H
#define SOTTO_SHELL_CONVERSATION_H

#include "net/link.h"
#include "shell/call.h"
#include "shell/discussion.h"
#include "wire/link.h"

struct conversation;
struct meeting;

// Begins it, from what the store holds; links are dialled when the lifecycle says so. What has ended and was told to everybody has
// none: then nothing happens.
void conversation_start(struct discussion *d);
// Links and machines go, the key's home stays. Nothing where there is none.
void conversation_stop(struct discussion *d);

// What the lifecycle asks for; c NULL is fine.
void conversation_dial(struct conversation *c);
void conversation_close(struct conversation *c);
void conversation_abandon(struct conversation *c);
void conversation_end_transcript(struct conversation *c);
// What waits for disk or gpg is tried now; c NULL is fine.
void conversation_recover(struct conversation *c);

bool conversation_is_linked(const struct conversation *c, const char *fingerprint); // c NULL: no
// Why dialing that member has not led to a link: a link_end's name, or "no_address"; "" where there is a link, or dialing has not told
// yet. *tried: where, "" for nowhere.
const char *conversation_problem(const struct conversation *c, const char *fingerprint, char tried[ADDR_TEXT_MAX]);
// A link to that member stands: from a handshake (seen NULL), or from a meeting. It is taken.
void conversation_take_link(struct conversation *c, struct link *link, const char *other, bool dialled,
			    const struct seen_record *seen);

// messages.send: answers with the messages once they are on disk. texts: 1 to 1000, checked.
MUST_CHECK enum err conversation_submit(struct conversation *c, struct call *call, json_t *texts, bool single);

// For meeting.c ------------------------------------------------------------------------------------------------------------

struct discussion *conversation_discussion(struct conversation *c);
bool conversation_has_closed(const struct conversation *c); // this side says farewell on new links
void conversation_fill_seen(struct conversation *c, struct seen_record *out); // presence borrowed
// A meeting of either kind ended without a link.
void conversation_meeting_ended(struct conversation *c, size_t member, struct meeting *m);
void conversation_dial_failed(struct conversation *c, size_t member, const struct addr *at, enum link_end why);
// Farewells: whose frames go through the meeting instead of a link.
void conversation_farewell_begins(struct conversation *c, size_t member, struct meeting *m); // own: outbox delivers
void conversation_farewell_frame(struct conversation *c, size_t member, struct meeting *m, uint8_t kind, struct span frame);
void conversation_farewell_acked(struct conversation *c, size_t member, struct span record);
void conversation_farewell_told(struct conversation *c, size_t member); // all of it, or it has closed too
void conversation_drained(struct conversation *c, size_t member);
// The outbox: that member has everything of an own farewell.
void conversation_farewell_delivered(struct conversation *c, size_t member);
void conversation_rolled_back(struct conversation *c);

#endif
