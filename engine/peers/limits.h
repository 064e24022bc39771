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

// At most so many in any span of that length: nothing is saved up beyond it.
#define LIMIT_WINDOW_MAX 256
struct limit_window {
	int64_t span_ms;
	size_t most; // up to LIMIT_WINDOW_MAX; 0 means no limit
};

enum limit_kind {
	LIMIT_HEAR,         // UDP: looking into a datagram, which costs checking a signature
	LIMIT_LAN_ANSWER,   // UDP: answering a broadcast
	LIMIT_PROBE_ANSWER, // UDP: answering a question sent to us alone
	LIMIT_GPG,          // UDP: checking a stranger's certification
	LIMIT_LIST,         // TCP: a LIST request
	LIMIT_INTRODUCE,    // TCP: telling the own certificate to who asks for it
	LIMIT_FETCH,        // UDP: asking a stranger for the certificate that its datagram has no room for
	LIMIT_INVITE,       // TCP: asking a person who is invited
	LIMIT_TELL,         // telling front ends that a stranger is there, who has proven nothing
	LIMIT_KIND_COUNT
};

struct limits_config {
	// 5/s burst 20; 1 in 5 s; 1/s burst 5; 1/5 s burst 5; 1/min; 1/s burst 5; 1/5 s burst 2; 1/5 s burst 5; no limit
	struct limit_rate per_source[LIMIT_KIND_COUNT];
	// 333/s burst 400; both answers: see below; 5/s; 5/s; 20/s; 5/s; 5/s; 20/s
	struct limit_rate all[LIMIT_KIND_COUNT];
	struct limit_rate hear_host;     // LIMIT_HEAR per address: 100/s burst 200
	struct limit_rate hear_known;    // 333/s burst 400 for known sources, apart from the rest
	struct limit_window answers_all; // LAN and probe answers together: 20 in any second
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
	LIMIT_HOST,   // its address has, over all ports
	LIMIT_ALL,    // all together have had theirs
	LIMIT_ANSWER_COUNT
};

struct limits;
struct limits *limits_new(const struct limits_config *config); // copied; NULL: limits_standard
void limits_free(struct limits *l);                            // NULL is allowed

// `known` in all of these: the source itself is known (an address that we asked,
// peer_outcome.known), not merely a fingerprint that it names.
//
// Takes one token of the source's and of the common bucket, or none. A known peer's call skips its
// source's bucket; answers to it skip the common one as well, and what it says is heard from a
// bucket apart, so that a flood of strangers hides neither us from friends nor friends from us.
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
