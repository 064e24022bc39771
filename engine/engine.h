// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's facade: everything below it is reached through these calls. It executes what the pure state machines ask for
// (sockets, gpg, disk, timers) and answers the API's methods. Programs that embed sotto include this header alone.
#ifndef SOTTO_ENGINE_H
#define SOTTO_ENGINE_H

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/random.h"
#include "base/secret.h"
#include "loop/loop.h"

struct engine;

struct engine_config {
	const char *home;    // shown by system.info; may be NULL
	const char *data;    // directory of all that is kept (store, gpg homes); made if missing, 0700
	const char *run;     // directory of what lives as long as the process; made if missing, 0700
	// "ADDR:PORT", "[V6]:PORT"; port 0: one that is free for TCP and UDP, remembered. NULL: port 4788 on all addresses, or
	// another one where that is taken (several identities on one machine), remembered as well
	const char *listen;
	const char *discover; // "off", or where to announce on the LAN, see peers/lan_place.h; NULL: everywhere, port 4788
	json_t *options;     // object of integers, see engine_options; NULL: all defaults. Copied
	const struct clock *clock;   // NULL: clock_system
	const struct random *random; // NULL: random_system
};

// Called on the loop's turns, never from inside engine_open. `object` is borrowed for the call.
struct engine_hooks {
	// The store is loaded: calls are answered from now on. On failure the engine is of no use but for engine_free.
	void (*ready)(void *arg, enum err code, const struct err_info *info);
	// type as in interface.md ("message.received"); noun names the field that the object goes under ("message").
	void (*event)(void *arg, const char *type, const char *noun, json_t *object);
	void (*stopped)(void *arg); // after engine_stop, or system.stop: agents ended, store closed
	void *arg;
};

MUST_CHECK enum err engine_open(struct engine **out, struct loop *loop, const struct engine_config *config,
				const struct engine_hooks *hooks, struct err_info *info);

// The parameters of a call, borrowed while it runs. What the API table types as secret comes beside the JSON values.
struct engine_params {
	json_t *values; // object, or NULL
	size_t secret_count;
	struct {
		const char *name;
		struct secret *value;
	} secrets[4];
};

// `result` is borrowed, NULL on failure; `info` names what was wrong.
typedef void engine_done(void *arg, enum err code, const struct err_info *info, json_t *result);

// One API method, such as "discussions.open". It fails; or it answers at once (*out set, the caller's reference); or *out stays
// NULL, and done comes exactly once, on a later turn. Parameters were checked against the API table by the caller; the engine
// checks what the table cannot say (existence, state). ERR_NOT_FOUND for an unknown method.
MUST_CHECK enum err engine_call(struct engine *e, const char *method, const struct engine_params *params,
				engine_done *done, void *arg, json_t **out, struct err_info *info);

// Ends links, agents and the store in good order, within 3 s; then hooks.stopped. Calls that wait are answered ERR_CANCELED.
void engine_stop(struct engine *e);
void engine_free(struct engine *e); // after hooks.stopped or a failed ready; NULL is allowed

// The options that engine_config.options may hold, ended by a NULL name.
struct engine_option {
	const char *name;
	int64_t standard, least, most;
	const char *text; // what it does, with its unit
};
extern const struct engine_option engine_options[];

#endif
