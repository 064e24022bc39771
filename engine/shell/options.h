// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's numbers that a user may change (config.lua), with their standard values and ranges.
#ifndef SOTTO_SHELL_OPTIONS_H
#define SOTTO_SHELL_OPTIONS_H

#include <jansson.h>

#include "base/err.h"

struct options {
	int64_t resume_window_s;   // P3.8; 0: a lost link closes a discussion of two
	int64_t request_timeout_s; // P2.6: how long a request waits for a person
	int64_t handshake_timeout_s; // P2.6: how long an idle handshake lives
	int64_t opening_timeout_s; // P2.11
	int64_t rekey_payloads, rekey_minutes; // P4.2; 0: never for that reason
	int64_t presence_lifetime_s; // P1.1
	int64_t lan_interval_s;	     // P1.3
	int64_t peers_max, peers_per_source, peers_per_host; // P1.8
	int64_t datagrams_per_second, datagrams_per_host, datagrams_per_source;
	int64_t answers_per_second, answer_pause_s; // P1.3
	int64_t checks_per_second, check_pause_s; // P1.7
	int64_t probe_timeout_ms;
	int64_t ended_kept; // refused requests that stay in the list
	int64_t gpg_parallel; // gpg operations at one time
	int64_t gpg_ahead;    // gpg processes that wait for a message
	int64_t gpg_ahead_idle_s;
};

// ERR_BAD_PARAMS names the key that is unknown, mistyped or out of range. values: object or NULL.
MUST_CHECK enum err options_load(struct options *out, const json_t *values, struct err_info *info);

#endif
