// SPDX-License-Identifier: GPL-3.0-or-later
// What strangers may cost us: token buckets and counted slots per source and in all (P1.3, P1.5,
// P1.7, P1.8, P2.6). Pure: time is an argument, in ms of any clock that does not run backwards.
//
// Caps per source bind strangers only. A source is address and port for UDP, the address for TCP,
// the listener's own endpoint for Tor; the caller passes the endpoint, and the port is ignored
// where TCP is meant.
#ifndef SOTTO_PEERS_LIMITS_H
#define SOTTO_PEERS_LIMITS_H

#include "peers/endpoint.h"
#include "peers/table.h"

// One token returns every period_ms, up to `burst` of them. A period of 0 means no limit.
struct limit_rate {
	int64_t period_ms;
	int64_t burst;
};

enum limit_kind {
	LIMIT_LAN_ANSWER,   // UDP: answering a broadcast
	LIMIT_PROBE_ANSWER, // UDP: answering a question sent to us alone
	LIMIT_GPG,          // UDP: checking a stranger's certification
	LIMIT_LIST,         // TCP: a LIST request
	LIMIT_KIND_COUNT
};

struct limits_config {
	struct limit_rate
		per_source[LIMIT_KIND_COUNT]; // 1 in 5 s; 1/s burst 5; 1/5 s burst 5; 1/min
	struct limit_rate answers_all;        // LAN and probe answers together: 20 a second
	struct limit_rate gpg_all;            // 5 a second
	struct limit_rate list_all;           // 5 a second
	size_t sources;   // remembered sources per kind; the longest unused is forgotten (4096)
	size_t half_open; // links without a finished handshake, of strange addresses (64)
	size_t half_open_source; // per strange address (3)
	size_t half_open_known;  // of known addresses, slots of their own (64)
	size_t requests;         // pending requests of strangers (20); always one per fingerprint
	size_t requests_known;   // of known peers, slots of their own (64)
};
extern const struct limits_config limits_standard;

enum limit_answer {
	LIMIT_PASS,
	LIMIT_SOURCE, // this source has had its share
	LIMIT_ALL,    // all together have had theirs
};

struct limits;
struct limits *limits_new(const struct limits_config *config); // copied; NULL: limits_standard
void limits_free(struct limits *l);                            // NULL is allowed

// `known` in all of these: the source itself is known (an address that we asked,
// peer_outcome.known), not merely a fingerprint that it names.
//
// Takes one token of the source's and of the common bucket, or none. A known peer's call skips its
// source's bucket; answers to it skip the common one as well, so that a flood of strangers does not
// hide us from friends.
MUST_CHECK enum limit_answer limits_take(struct limits *l, enum limit_kind kind,
					 const struct addr *source, bool known, int64_t now_ms);
// How long until limits_take would pass: 0 if now.
int64_t limits_wait_ms(struct limits *l, enum limit_kind kind, const struct addr *source,
		       bool known, int64_t now_ms);

// A slot for an incoming link that has not finished a handshake. Each PASS is given back once, with
// the same `source` and `known`.
MUST_CHECK enum limit_answer limits_half_open_take(struct limits *l, const struct addr *source,
						   bool known);
void limits_half_open_give(struct limits *l, const struct addr *source, bool known);

// A slot for a request that waits for a person (P2.6). LIMIT_SOURCE: this fingerprint has one. Each
// PASS is given back once.
MUST_CHECK enum limit_answer limits_request_take(struct limits *l, const char *fingerprint,
						 bool known);
void limits_request_give(struct limits *l, const char *fingerprint);

// For metrics and specs: buckets remembered, slots in use.
size_t limits_sources(const struct limits *l, enum limit_kind kind);
size_t limits_half_open(const struct limits *l);
size_t limits_requests(const struct limits *l);

#endif
