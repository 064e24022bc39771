// SPDX-License-Identifier: GPL-3.0-or-later
// One API call on its way through the engine: its parameters, and its answer now or later.
#ifndef SOTTO_SHELL_CALL_H
#define SOTTO_SHELL_CALL_H

#include "engine.h"

struct pending;

struct call {
	struct engine *engine;
	const struct engine_params *params;
	engine_done *done;
	void *arg;
	json_t **out;          // a method that answers at once puts its result here (the caller's reference)
	struct err_info *info; // never NULL
};

// A method answers at once (*c->out), fails, or takes the call with call_defer and returns OK.
typedef enum err method_function(struct call *c);
struct method {
	const char *name; // "discussions.open"
	method_function *run;
};
// One table a noun, ended by a NULL name; each in its own api_NOUN.c.
extern const struct method methods_system[], methods_identity[], methods_peers[], methods_discussions[],
	methods_messages[], methods_proposals[], methods_scripts[];

// Parameters: NULL, or the fallback, where the caller left them out. Strings are borrowed from the call.
const char *call_string(const struct call *c, const char *name);
int64_t call_integer(const struct call *c, const char *name, int64_t fallback);
json_t *call_value(const struct call *c, const char *name);
struct secret *call_secret(const struct call *c, const char *name); // borrowed
// ERR_BAD_PARAMS where it is missing: for parameters that a method cannot do without in the state it is in.
MUST_CHECK enum err call_need_string(const struct call *c, const char *name, const char **out);

// Takes the call: exactly one of pending_reply and pending_fail follows, on a later turn. The engine's end answers those that are
// left with ERR_CANCELED; forgotten, where not NULL, then tells the owner to let go of its pointer.
struct pending *call_defer(struct call *c, void (*forgotten)(void *owner), void *owner);
void pending_reply(struct pending *p, json_t *result); // takes the reference
void pending_fail(struct pending *p, enum err code, const struct err_info *info); // info may be NULL
void pending_cancel_all(struct engine *e);

#endif
