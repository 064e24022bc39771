// SPDX-License-Identifier: GPL-3.0-or-later
// A discussion key in a home of its own, made ahead, so that opening a discussion does not wait for key generation.
#ifndef SOTTO_SHELL_SPARE_H
#define SOTTO_SHELL_SPARE_H

#include "openpgp/key.h"

struct engine;

// A fresh discussion key. The owner destroys or keeps the home.
struct fresh_key {
	struct home *home;
	struct bytes *certificate; // one reference
	struct certificate_info info;
};

// Waits for a key; embedded in its owner and zero-initialised.
struct key_waiter {
	// code is OK and *key the owner's; or the key could not be made.
	void (*callback)(void *arg, enum err code, const struct err_info *info, struct fresh_key *key);
	void *arg;
	struct key_waiter *next, **link;
};

struct spare {
	struct engine *engine;
	bool present, running;
	struct fresh_key key;
	struct key_job *job;
	struct key_waiter *first;
	struct timer retry;
	int64_t retry_ms; // after the next failure; 0: there was none
};

void spare_init(struct spare *s, struct engine *e);
// Begins to make one, unless there is one. Called when the identity is ready, and after each take.
void spare_fill(struct spare *s);
// The key at hand, or false. Another is begun a moment later.
bool spare_take(struct spare *s, struct fresh_key *out);
// The callback comes once, on a later turn, unless cancelled.
void spare_wait(struct spare *s, struct key_waiter *w,
		void (*callback)(void *arg, enum err code, const struct err_info *info, struct fresh_key *key),
		void *arg);
void spare_cancel(struct key_waiter *w); // fine when not waiting
void spare_fini(struct spare *s);	 // cancels, destroys; waiters are told ERR_CANCELED
void fresh_key_fini(struct fresh_key *k); // destroys the home

#endif
