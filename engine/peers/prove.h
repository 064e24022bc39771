// SPDX-License-Identifier: GPL-3.0-or-later
// Which certification to check next (P1.7): a bounded queue, known peers first, each check made
// once and its verdict remembered. The shell runs the gpg operation; limits.h paces those for
// strangers. Pure.
//
// A check is named by everything its verdict depends on: fingerprint, presence key, since,
// certification and certificate. Without the last, anybody could spoil a peer's good
// certification by sending it on with a wrong certificate.
#ifndef SOTTO_PEERS_PROVE_H
#define SOTTO_PEERS_PROVE_H

#include "base/buf.h"
#include "peers/limits.h"
#include "peers/table.h"

struct prove_check {
	char fingerprint[PEER_FINGERPRINT_SIZE];
	uint8_t key[PEER_KEY_LEN];
	int64_t since_ms;
	struct bytes *certification, *certificate; // the raw OpenPGP bytes
	struct addr source;                        // who sent them
	// First in the queue, and no cap per source: it answers a question of ours. That a record
	// names a known peer is not enough, for anybody can name one.
	bool known;
};

enum prove_verdict { PROVE_GOOD, PROVE_BAD, PROVE_UNDECIDED };

enum prove_answer {
	PROVE_IS_GOOD, // checked before: tell the table at once
	PROVE_IS_BAD,
	PROVE_QUEUED,
	PROVE_WAITING, // the same check is queued or under way
	PROVE_FULL, // no room for this source, or in all: the next record of that peer tries again
};

struct prove_config {
	size_t queue;       // strangers' checks waiting (256)
	size_t queue_known; // known peers' checks waiting (256)
	size_t per_source;  // of one stranger source: address and port (8)
	size_t per_host;    // of one strange address (64)
	size_t parallel;    // checks under way at one time (2)
	size_t remembered;  // verdicts of each kind; the longest unused is forgotten (4096)
	size_t size_max;    // certification and certificate of one check (12 KiB); over it:
			    // PROVE_IS_BAD
};
extern const struct prove_config prove_standard;

struct prove;
// config: copied, NULL: prove_standard. limits: borrowed.
struct prove *prove_new(const struct prove_config *config, struct limits *limits);
void prove_free(struct prove *p); // NULL is allowed

// References to the bytes are taken where PROVE_QUEUED. A repeat by a known peer moves a waiting
// stranger's check to the front.
MUST_CHECK enum prove_answer prove_submit(struct prove *p, const struct prove_check *check);

// The next check to start, or NULL: then *wait_ms says when to ask again (-1: only after the next
// submit or done). Borrowed until its prove_done, which must come exactly once.
const struct prove_check *prove_next(struct prove *p, int64_t now_ms, int64_t *wait_ms);
// UNDECIDED (a time-out, a lost gpg) is not remembered. The check is freed.
void prove_done(struct prove *p, const struct prove_check *check, enum prove_verdict verdict);

size_t prove_queued(const struct prove *p);
size_t prove_running(const struct prove *p);

#endif
