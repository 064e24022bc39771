// SPDX-License-Identifier: GPL-3.0-or-later
// The insides of homes, for home.c, home_adopted.c, home_tasks.c and home_users.c.
#ifndef SOTTO_OPENPGP_HOME_INTERNAL_H
#define SOTTO_OPENPGP_HOME_INTERNAL_H

#include "openpgp/alias.h"
#include "openpgp/home.h"
#include "openpgp/packets.h"

struct launch;

struct homes {
	struct loop *loop;
	char *directory;
	struct random random;
	struct aliases aliases;
	struct home *first;
	size_t ending; // what is under way and has to be waited for
	struct grave *graves; // homes that could not be removed; home_tasks.c
	struct timer burial;
	bool closing;
	home_done *done;
	void *arg;
	struct deferred deferred;
};

struct home {
	struct homes *homes;
	char name[HOME_NAME_LEN + 1];
	char *path, *alias;
	struct home_user *users;
	struct home_pause *pauses;
	size_t reading;  // users that have begun, and are not exclusive
	size_t wanted;   // exclusive users that had to wait
	bool written;    // by an exclusive user
	bool warm;       // its agent runs
	bool starting;   // a user is about to start it
	struct home *next, **link;

	// of an adopted key's
	char signer[FINGERPRINT_TEXT]; // "" of any other
	struct session *session;
	struct launch *launch;         // the user's agent is being started
	bool lost;                     // it was not found
	struct news {
		void (*told)(void *arg);
		void *arg;
		struct deferred turn;
	} wanted_news, expired_news;
};

// home_adopted.c. Makes what leads to the user's agent, where it is missing or with `anew`.
MUST_CHECK enum err home_redirect(struct home *h, bool anew, struct err_info *info);
// May an operation begin that needs the agent? False: the agent is being started, and home_resume follows.
bool home_reach_agent(struct home *h);
void home_adopted_fini(struct home *h);

// home_users.c. All who work in it, or wait to, are taken off and told.
void home_cancel_users(struct home *h);
// It goes: whoever has paused it need not resume it.
void home_forget_pauses(struct home *h);

// After `ending` was counted down.
void homes_free_when_idle(struct homes *h);
// Ends the agent of a home, and with `remove` removes the home after it. `alias` is taken; the path is copied.
void homes_end_agent(struct homes *h, const char *path, char *alias, bool orphan, bool remove, home_done *done, void *arg);
// One that is to go and is still there: tried again every few seconds, keys first.
void homes_bury_later(struct homes *h, const char *path);
void homes_bury(struct homes *h); // now
void homes_forget_graves(struct homes *h);

#endif
