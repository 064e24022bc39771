// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's parts, seen from inside the shell. Each part has a header of its own; this one ties them together.
#ifndef SOTTO_SHELL_SHELL_H
#define SOTTO_SHELL_SHELL_H

#include "engine.h"
#include "openpgp/gpg.h"
#include "openpgp/home.h"
#include "shell/call.h"
#include "shell/candidates.h"
#include "shell/certifiers.h"
#include "shell/checkup.h"
#include "shell/discussions.h"
#include "shell/health.h"
#include "shell/hearing.h"
#include "shell/identity.h"
#include "shell/imported.h"
#include "shell/invitation.h"
#include "shell/lan.h"
#include "shell/metrics.h"
#include "shell/neighbours.h"
#include "shell/network.h"
#include "shell/options.h"
#include "shell/spare.h"
#include "store/store.h"

struct engine {
	struct loop *loop;
	const struct clock *clock;
	const struct random *random;
	struct engine_hooks hooks;
	struct options options;
	char *home, *data, *run;
	int64_t started_ms; // the loop's clock

	struct store *store;
	struct gpg *gpg;
	struct homes *homes;
	struct metrics metrics;
	struct pending *pending;

	struct identity identity;
	struct imported imported; // general certificates of others, in the identity's home
	struct deferred identity_turn;
	struct candidates *candidates; // listings under way
	struct certifying *certifying; // likewise
	struct spare spare;
	struct network network;
	struct neighbours neighbours;
	struct hearing hearing;
	struct lan_shell lan;
	struct discussions discussions;
	struct invitations invitations; // into them, by this person
	struct health health;
	struct checkup *checkup; // under way, or NULL

	bool awake;    // the identity is ready, and the network answers
	bool ready;    // hooks.ready was called
	bool stopping; // no new work
	struct deferred stop_turn;
	struct timer stop_timer;
	unsigned stop_steps;
};

// The keys are at hand: the network answers, discussions reconnect. And the reverse, for a locked identity and the end.
void engine_wake(struct engine *e);
void engine_sleep(struct engine *e);
// The store can be written again: what waited for that goes on.
void engine_recover(struct engine *e);
// Takes the object's reference.
void engine_emit(struct engine *e, const char *type, const char *noun, json_t *object);
// A warning to whoever listens, and to the log: {text}.
void engine_warn(struct engine *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
void engine_gather_metrics(struct engine *e);
// For homes that are destroyed in the background: logs what is left.
void engine_ignore_result(void *arg, enum err code, const struct err_info *info);

#endif
