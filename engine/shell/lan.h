// SPDX-License-Identifier: GPL-3.0-or-later
// Carries out peers/lan.h: one ear a path, the own record sent by each, and the watch on the machine's interfaces.
#ifndef SOTTO_SHELL_LAN_H
#define SOTTO_SHELL_LAN_H

#include <jansson.h>

#include "loop/loop.h"
#include "net/udp.h"
#include "peers/lan.h"
#include "wire/presence.h"

struct engine;
struct metrics;

struct lan_shell {
	struct engine *engine;
	struct lan_place place;
	struct lan *lan; // NULL: off, or asleep
	struct interfaces_watch *watch;
	struct timer timer;
	struct lan_ear {
		struct lan_shell *shell;
		struct udp *udp; // NULL: it could not be opened; tried again with each question
		uint32_t interface;
		bool complained;
	} ears[LAN_PATHS_MAX];
	bool complained_left_out;
	uint64_t asked, announced, answered, unsent;
	uint64_t refused[LAN_REFUSAL_COUNT];
	struct udp_counters closed; // of ears that are closed
};

// `discover` as in engine_config. ERR_BAD_PARAMS.
MUST_CHECK enum err lan_shell_init(struct lan_shell *s, struct engine *e, const char *discover, struct err_info *info);
void lan_shell_wake(struct lan_shell *s);
void lan_shell_sleep(struct lan_shell *s); // closes everything; a second time does nothing

// A question came by the LAN: it is answered in due time.
void lan_shell_asked(struct lan_shell *s, const struct addr *from, const uint8_t signature[PRESENCE_SIGNATURE_LEN], bool known);
bool lan_shell_awaits(const struct lan_shell *s, const struct addr *from);

// {port, paths: [{interface, to, listening}]}; null where it is off.
json_t *lan_shell_view(const struct lan_shell *s);
void lan_shell_gather(const struct lan_shell *s, struct metrics *m);

#endif
