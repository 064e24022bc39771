// SPDX-License-Identifier: GPL-3.0-or-later
// Messages as people and scripts see them, in this core's order: that of their insertion. Bodies
// are sealed with the discussion's data key; no index of any text exists.
#ifndef SOTTO_STORE_MESSAGES_H
#define SOTTO_STORE_MESSAGES_H

#include "store/store.h"

#define STORE_TEXT_MAX 65536
#define STORE_LIST_MAX 1000
#define STORE_WAITING_MAX 10000 // in one call of store_message_each_waiting
#define STORE_NONCE_LEN 16
#define STORE_UNREAD_MAX 10000
// Any other state is ERR_BAD_PARAMS.
#define STORE_STATES "queued held sent delivered confirmed received void failed"

// Which item of which payload. It has none before its payload is built.
struct store_place {
	uint32_t epoch;
	uint64_t sequence;
	uint32_t index; // in the payload
};

struct store_message {
	char id[33];
	char discussion[33];
	char sender[41];
	char state[12]; // one of STORE_STATES
	bool placed;    // place holds: never in held, maybe in queued (its payload is built, and no
			// member has it yet) and failed, always in all other states
	struct store_place place;
	int64_t time;
	// What the id was made of: an own message needs it until its payload is built.
	// STORE_NONCE_LEN bytes, or empty for none; borrowed.
	struct span nonce;
	struct span text; // 1 to STORE_TEXT_MAX bytes; borrowed, wiped after the callback
};
typedef bool store_message_visit(void *arg, const struct store_message *message);

// ERR_WRONG_STATE where the id, or its place, is taken. ERR_LOCKED.
MUST_CHECK enum err store_message_insert(struct store *s, const struct store_message *message,
					 struct err_info *info);
// Its place in a payload, or NULL for none (held again, P5.3), and the state that goes with it.
MUST_CHECK enum err store_message_place(struct store *s, const char *id,
					const struct store_place *place, const char *state,
					struct err_info *info);
// ERR_WRONG_STATE where the state does not go with having a place, or having none.
MUST_CHECK enum err store_message_set_state(struct store *s, const char *id, const char *state,
					    struct err_info *info);
// All messages of one sender's payloads of an epoch, from sequence `first` to `last` inclusive.
// None there is OK.
MUST_CHECK enum err store_message_set_states(struct store *s, const char *discussion,
					     uint32_t epoch, const char *sender, uint64_t first,
					     uint64_t last, const char *state,
					     struct err_info *info);
MUST_CHECK enum err store_message_delete(struct store *s, const char *id, struct err_info *info);

// Calls each once. ERR_LOCKED.
MUST_CHECK enum err store_message_get(struct store *s, const char *id, store_message_visit *each,
				      void *arg, struct err_info *info);
struct store_range {
	const char *after, *before; // message ids of that discussion; NULL: no bound
	bool oldest; // without `after`: from the first message on, not the newest
	size_t limit;               // 1 to STORE_LIST_MAX
};
// Oldest first. With `after` those that follow it, else the newest (before `before`).
// ERR_NOT_FOUND: a bound that is no message of that discussion, or no such discussion. ERR_LOCKED.
MUST_CHECK enum err store_message_list(struct store *s, const char *discussion,
				       const struct store_range *range, store_message_visit *each,
				       void *arg, struct err_info *info);
// Those without a place in state "queued" or "held" (else ERR_BAD_PARAMS), oldest first, at most
// limit (1 to STORE_WAITING_MAX). ERR_LOCKED.
MUST_CHECK enum err store_message_each_waiting(struct store *s, const char *discussion,
					       const char *state, size_t limit,
					       store_message_visit *each, void *arg,
					       struct err_info *info);
// Those of one sender's payloads `first` to `last`, in their order there, at most limit.
// ERR_LOCKED.
MUST_CHECK enum err store_message_each_placed(struct store *s, const char *discussion,
					      uint32_t epoch, const char *sender, uint64_t first,
					      uint64_t last, size_t limit,
					      store_message_visit *each, void *arg,
					      struct err_info *info);

// Up to and including that message all is read. Only moves forward: an older message changes
// nothing, and is OK.
MUST_CHECK enum err store_message_set_read(struct store *s, const char *discussion, const char *id,
					   struct err_info *info);
// Messages of others after the read marker; counts up to STORE_UNREAD_MAX.
MUST_CHECK enum err store_message_unread(struct store *s, const char *discussion, uint32_t *out,
					 struct err_info *info);

#endif
