// SPDX-License-Identifier: GPL-3.0-or-later
// Finding each other on the LAN (P1.3), as a pure machine: by which paths (lan_place.h) to ask or
// announce, when, and when to answer others. The shell sends and hears.
//
// Whoever asks wants to know who is there: by each path when it appears, twice more soon after
// (where the question is lost, and where the answers are, which come once in five seconds), and then
// in every third round, for networks where only one way works. In the rounds between a core only
// announces itself, which nobody answers: so n cores cost n datagrams a round, not n². Either carries
// the own presence record: who hears it has seen us.
//
// An answer goes to the asker alone, after a random moment, so that those of many do not collide. A
// question that came by several paths is answered once, by the first.
#ifndef SOTTO_PEERS_LAN_H
#define SOTTO_PEERS_LAN_H

#include "base/random.h"
#include "peers/lan_place.h"
#include "peers/limits.h"

#define LAN_PENDING_MAX 64 // answers that wait, for strangers; as many for known peers
#define LAN_JITTER_MS 500  // P1.3: an answer waits so long at most, while its rate allows it
#define LAN_PATIENCE_MS 3000 // an answer that is not out by then helps nobody any more
#define LAN_AGAIN_MS 3000    // from a path's first question to its second; twice that to its third
#define LAN_ROUNDS 3         // every so many rounds one asks
#define LAN_RECORD_LEN 16

struct lan_config {
	struct lan_place place;
	struct addr listen;  // the core's own address: paths are those by which it can be reached
	int64_t interval_ms; // from one round to the next; a tenth more or less, at random (30 s)
	const struct random *random; // borrowed
	struct limits *limits;       // borrowed
};

enum lan_event_type {
	LAN_EVENT_INTERFACES, // .interfaces: at the start, and after any change
	LAN_EVENT_ASKED,      // .asked: a question came, and its record holds
	LAN_EVENT_UNSENT,     // .slot: the last question or announcement there could not be sent
	LAN_EVENT_DEADLINE,
};

struct lan_event {
	enum lan_event_type type;
	int64_t now_ms; // any clock that does not run backwards
	union {
		struct {
			const struct interface *list; // at most INTERFACES_MAX; copied
			size_t count;
		} interfaces;
		struct {
			struct addr from;
			uint8_t record[LAN_RECORD_LEN]; // of the record's signature: which it is
			bool known; // peer_outcome.known: no limit binds the answer
		} asked;
		size_t slot;
	};
};

// Slots are 0 to LAN_PATHS_MAX - 1; a path keeps its slot as long as it is there.
enum lan_action_type {
	LAN_OPEN,     // .slot, .path: listen there
	LAN_CLOSE,    // .slot: no more
	LAN_RENEW,    // the own addresses have changed: a new presence record is due
	LAN_ASK,      // .slot, .path: send the own record there, as a query
	LAN_ANNOUNCE, // .slot, .path: the same as an announcement
	LAN_ANSWER,   // .to: the same there, as an answer
	LAN_REFUSED,  // .refused: a question gets no answer
};

enum lan_refusal {
	LAN_REFUSAL_SOURCE, // P1.3: this source has had its answer
	LAN_REFUSAL_SAME,   // the question has, by another path
	LAN_REFUSAL_ALL,    // P1.3: there are too many
	LAN_REFUSAL_COUNT
};

struct lan_action {
	enum lan_action_type type;
	size_t slot;
	union {
		struct lan_path path;
		struct addr to;
		enum lan_refusal refused;
	};
};

#define LAN_ACTIONS_MAX (3 * LAN_PATHS_MAX + 2 * LAN_PENDING_MAX + 2)
struct lan_actions {
	size_t count;
	struct lan_action list[LAN_ACTIONS_MAX];
	int64_t wait_ms; // when DEADLINE is due, from now; -1: never. Replaces the last one
};

struct lan;
struct lan *lan_new(const struct lan_config *config); // copied
void lan_free(struct lan *l);                         // NULL is allowed
// Overwrites *out; the actions are carried out in order.
void lan_step(struct lan *l, const struct lan_event *event, struct lan_actions *out);

// Whether an answer from there is one to a question of ours: asked lately, and from one of our
// networks.
bool lan_awaits(const struct lan *l, const struct addr *from, int64_t now_ms);
// Paths that there are; NULL where the slot is empty. `left_out`: how many found no slot.
const struct lan_path *lan_path_at(const struct lan *l, size_t slot);
size_t lan_left_out(const struct lan *l);

#endif
