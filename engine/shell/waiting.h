// SPDX-License-Identifier: GPL-3.0-or-later
// Own messages without a place in a payload, from the store, as the outbox takes them.
#ifndef SOTTO_SHELL_WAITING_H
#define SOTTO_SHELL_WAITING_H

#include <jansson.h>

#include "discussion/outbox.h"
#include "shell/discussion.h"

struct waiting {
	size_t count, room;
	struct outbox_message *list;
	size_t bytes_max, bytes; // of their texts; 0: no limit
	json_t *views;           // the messages as the API shows them; NULL: none are made
};

// Oldest first, at most OUTBOX_QUEUED_MAX, and no more once bytes_max is passed. State: "queued" or "held". `w` is all zero, but for
// bytes_max and views; waiting_fini also after a failure.
MUST_CHECK enum err waiting_read(struct waiting *w, const struct discussion *d, const char *state, struct err_info *info);
void waiting_fini(struct waiting *w); // views as well

#endif
