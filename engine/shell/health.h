// SPDX-License-Identifier: GPL-3.0-or-later
// What goes wrong for a while: a full disk, a GnuPG that fails, descriptors that run out. A person is told once when it begins and
// once when it is over, however often it happens between; and what waits goes on as soon as the cause is gone.
#ifndef SOTTO_SHELL_HEALTH_H
#define SOTTO_SHELL_HEALTH_H

#include <jansson.h>

#include "base/err.h"
#include "loop/loop.h"

struct engine;

enum health_matter {
	HEALTH_STORE,       // writes fail
	HEALTH_GPG,         // messages cannot be sealed or opened
	HEALTH_DESCRIPTORS, // who calls has to wait
	HEALTH_ROOM,        // the disk is nearly full
	HEALTH_MATTERS
};

struct health {
	struct engine *engine;
	struct trouble {
		bool on, told;
		unsigned count; // failures since it began
		int64_t told_ms;
		char text[256];
	} troubles[HEALTH_MATTERS];
	struct timer look;
	uint64_t rested; // of the listener, at the last look
};

void health_start(struct health *h, struct engine *e); // looks every few seconds from now on
void health_stop(struct health *h);

// A failure; the text says what does not work, and why: "messages could not be stored: the disk is full".
void health_trouble(struct engine *e, enum health_matter matter, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void health_fine(struct engine *e, enum health_matter matter); // cheap where there was no trouble
// Of the store: `what` could not be done, because of info. ERR_IO is trouble, anything else a warning of its own.
void health_store_failed(struct engine *e, const struct err_info *info, const char *what);
const char *health_reason(const struct engine *e, enum health_matter matter); // NULL: no trouble
json_t *health_view(const struct engine *e); // {store: {text, count}, …} of what is wrong now

#endif
