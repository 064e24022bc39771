// SPDX-License-Identifier: GPL-3.0-or-later
// gpg processes that were started ahead. Most of an operation's time is the start of its process; a seal whose recipients are known, and
// an open, can have that behind them before there is anything to seal or open: gpg has read its configuration and, for a seal, the
// keyring, has found the agent and made the session key, and waits for its input. Internal to gpg.c and gpg_message.c.
//
// What is expected to come (again) is an expectation: one process at most waits for each. The least recently used give way to new ones,
// and after a while without use each is given up. Expectations end with their home, and before a home's agent is ended; those of seals
// also when its keyring is written, for gpg has read it already.
//
// A process that waits is nobody's operation: it holds no place among the running ones, no lock, no file, and knows no text. When it is
// taken, it becomes an operation like any other. Where it then fails, gpg.c does the work once more in the common way; where it ends
// while it waits, there is none.
#ifndef SOTTO_OPENPGP_WARM_H
#define SOTTO_OPENPGP_WARM_H

#include "openpgp/gpg_internal.h"

// After an operation the next process is started this much later: what just came out of gpg has other processors' time to win.
#define WARM_DELAY_MS 10
#define WARM_LATER_MS 200 // for what may or may not come

struct warm;

// Starts an operation's process without its input. `on_lost` comes instead of its done, once, if it ends while it waits.
typedef enum err warm_start(struct gpg *g, struct home *home, const struct warm_kind *kind, gpg_done *on_lost, void *arg,
			    struct gpg_op **out);

struct warm *warm_new(struct gpg *g, warm_start *start);
void warm_free(struct warm *w); // ends all; NULL is allowed
void warm_limit(struct warm *w, unsigned max, int64_t idle_ms);

// A process for it is started after delay_ms, unless there is one. Nothing where that is switched off; without `surely` also where
// another would have to give way.
void warm_expect(struct warm *w, struct home *home, const struct warm_kind *kind, bool surely, int64_t delay_ms);
// Taken, or NULL where none waits. It stays expected: warm_expect says when the next is started.
struct gpg_op *warm_take(struct warm *w, struct home *home, const struct warm_kind *kind);

void warm_forget_seals(struct warm *w, struct home *home);
void warm_forget_all(struct warm *w);
unsigned warm_count(const struct warm *w); // processes that wait

#endif
