// SPDX-License-Identifier: GPL-3.0-or-later
// Who is there: the neighbours' table with its certificates and its rows in the store, presence records in and out, and the checking
// of strangers' certifications (P1.1, P1.2, P1.7, P1.8).
#ifndef SOTTO_SHELL_NEIGHBOURS_H
#define SOTTO_SHELL_NEIGHBOURS_H

#include <jansson.h>

#include "loop/loop.h"
#include "net/addr.h"
#include "peers/limits.h"
#include "peers/prove.h"
#include "peers/skew.h"
#include "peers/table.h"
#include "shell/certificates.h"
#include "wire/presence.h"

struct engine;
struct lru;
struct probe;
struct proof;
struct vetting;
struct introduction;

struct neighbours {
	struct engine *engine;
	struct peer_table *table;
	struct limits *limits;
	struct prove *prove;
	struct certificates certificates;
	struct lru *known_hosts; // confirmed addresses of known peers; NULL: to be gathered anew
	struct probe *probes;     // probe.c
	struct proof *proofs;     // who waits for a peer's certification to be checked
	struct vetting *vettings; // checks under way
	struct introduction *introductions; // certificates that are being fetched
	struct timer sweep, prove_later;
	unsigned sweeps;
	struct skew skew; // what proven peers' records say of the own clock
	bool rows_wait;   // a known peer could not be stored
	// own_presence.c
	struct presence_parts own; // signed; empty until first wanted
	int64_t own_made_ms;   // by the loop's time
	int64_t own_issued_ms; // by the clock
	uint64_t own_sequence, own_reserved; // the last one's; what the disk has a bound for (0: not known yet)
};

void neighbours_init(struct neighbours *n, struct engine *e);
void neighbours_wake(struct neighbours *n);  // loads what is stored
void neighbours_sleep(struct neighbours *n); // ends probes and checks; nothing is heard any more
void neighbours_recover(struct neighbours *n); // the store works again
void neighbours_fini(struct neighbours *n);

// Takes a record whose own signature holds; wants_proof says whether its certification is still to be checked. `from` and `direct`
// as in peer_table_feed.
struct peer_outcome neighbours_take(struct neighbours *n, const struct presence_record *r, const struct presence_parts *parts,
				    struct span certificate, enum peer_source source, const struct addr *from, bool direct);

// A record has come from its issuer: a proven one's clock is one to compare with.
void neighbours_compare_clocks(struct neighbours *n, const struct presence_record *r);

// A presence record that came over a link (M1, SEEN) from `from`, whose port means nothing: taken into the table. `done` comes once,
// on a later turn: OK and the presence key, where the fingerprint's general key certified it.
typedef void proof_done(void *arg, enum err code, const uint8_t key[PRESENCE_KEY_LEN]);
struct proof *neighbours_prove(struct neighbours *n, const char *fingerprint, const struct presence_parts *parts,
			       struct bytes *certificate, const struct addr *from, proof_done *done, void *arg);
void neighbours_prove_cancel(struct proof *p); // no callback
// The same without waiting for what comes of it.
void neighbours_learn(struct neighbours *n, const char *fingerprint, const struct presence_parts *parts,
		      const struct addr *from);
// The same of somebody whose general certificate has come with it.
void neighbours_introduce(struct neighbours *n, const char *fingerprint, const struct presence_parts *parts,
			  struct span certificate, const struct addr *from);

MUST_CHECK enum err neighbours_find(struct neighbours *n, const char *text, const struct peer **out, struct err_info *info);
const struct peer *neighbours_get(struct neighbours *n, const char *fingerprint); // NULL: not there
const char *neighbours_name(struct neighbours *n, const char *fingerprint);       // "" where unknown; borrowed
bool neighbours_is_pinned(struct neighbours *n, const char *fingerprint);
bool neighbours_knows_host(struct neighbours *n, const struct addr *from);        // an address of a known peer
// Marks and stores.
void neighbours_know(struct neighbours *n, const char *fingerprint);
void neighbours_pin(struct neighbours *n, const char *fingerprint);
void neighbours_linked(struct neighbours *n, const char *fingerprint, bool linked);
void neighbours_confirm(struct neighbours *n, const char *fingerprint, const struct addr *at);
void neighbours_failed(struct neighbours *n, const char *fingerprint, const struct addr *at);
MUST_CHECK enum err neighbours_forget(struct neighbours *n, const struct peer *p, struct err_info *info);
json_t *neighbours_view(const struct peer *p);

#endif
