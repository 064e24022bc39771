// SPDX-License-Identifier: GPL-3.0-or-later
// The inside of the simulator: nodes, disks, the network, and what is to happen when.
#ifndef SOTTO_SPEC_SIM_EPOCH_WORLD_H
#define SOTTO_SPEC_SIM_EPOCH_WORLD_H

#include "spec/sim/epoch/sim.h"

#define NAMES_BITS 16
#define COPIES 2          // a liar is up to two members with one key, who know nothing of each other
#define WRITE_MS 3        // of a disk
#define LOST_MS 3000      // until a broken link is back
#define HEAL_MS 120000    // from here on the network is good, and everybody is back
#define END_MS (HEAL_MS + 600000)

// --- the world ------------------------------------------------------------------------------------------------------------

enum kind { ARRIVES, WRITTEN, DEADLINE, RETRY, LINKS, PROPOSES, ANSWERS, CRASHES, STARTS, VANISHES, PARTS, JOINS };

struct happening {
	int64_t at;
	uint64_t order; // of equal times
	enum kind kind;
	unsigned node, copy, other, other_copy;
	uint32_t epoch, life;
	struct bytes *bytes;
	struct hash op;
	bool consents;
	bool chain; // part of an answer to who is behind
};

// What is on the disk of a node, of one epoch.
struct disk {
	size_t count, room;
	struct bytes **envelopes;
};

struct copy {
	bool exists, up, left;
	uint32_t life; // of restarts: what was under way in an earlier one is void
	uint32_t epoch;
	struct epoch *machine;
	struct disk disks[SIM_EPOCHS];
	struct roster_record rosters[SIM_EPOCHS + 1]; // R_e as this node has them
	struct hash hashes[SIM_EPOCHS + 1];
	char charters[SIM_EPOCHS + 1][RECORD_CHARTER_SIZE];
	size_t proof_counts[SIM_EPOCHS]; // of the end of each epoch
	struct bytes **proofs[SIM_EPOCHS];
	int64_t deadline, asked_chain;
};

struct node {
	char fingerprint[FINGERPRINT_SIZE];
	bool lies, gone; // gone: for good
	struct copy copies[COPIES];
};

// What honest members have signed and sent: S8.
struct said {
	unsigned node;
	struct hash roster, name, op;
	enum statement_type type;
	uint32_t round;
	bool consents;
};

struct world {
	const struct sim_options *options;
	struct sim_random random;
	int64_t now;
	uint64_t order;
	struct happening *heap;
	size_t heap_count, heap_room;
	struct node nodes[SIM_NODES];
	unsigned node_count;
	uint8_t part[SIM_NODES]; // who hears whom
	bool down[SIM_NODES][COPIES][SIM_NODES][COPIES]; // links that are lost, until LINKS
	struct said *said;
	size_t said_count, said_room;
	// The names of envelopes, by address: what a member knows is not read again.
	struct {
		struct bytes *envelope;
		struct hash name;
	} names[1 << NAMES_BITS];
	size_t decided_count; // S1
	struct {
		struct hash from, to, cut;
	} decided[4 * SIM_EPOCHS];
	struct sim_result result;
};

// --- time.c: chance, and what happens when ------------------------------------------------------------------------------------

void later(struct world *w, int64_t in, struct happening h); // its bytes are taken
struct happening next_happening(struct world *w);
__attribute__((format(printf, 2, 3))) void note(struct world *w, const char *format, ...);
void violated(struct world *w, const char *what);

// --- checks.c: what must hold -------------------------------------------------------------------------------------------------

void remember(struct world *w, unsigned node, struct bytes *envelope); // signed by an honest member, and about to be sent
void check_decision(struct world *w, struct copy *c, const struct epoch_decision *d);
void check_end(struct world *w);

// --- network.c ----------------------------------------------------------------------------------------------------------------

bool hears(const struct world *w, unsigned a, unsigned b);
void send_to(struct world *w, unsigned node, unsigned copy, size_t member, struct bytes *envelope); // ROSTER_NOBODY: all
void send_chain(struct world *w, unsigned node, unsigned copy, unsigned to, unsigned to_copy, uint32_t epoch);
void links_up(struct world *w, unsigned node, unsigned copy);
void link_up(struct world *w, const struct happening *h);
void arrives(struct world *w, const struct happening *h);
void keep_name(struct world *w, struct bytes *envelope, const struct hash *name);

// --- node.c: a member -----------------------------------------------------------------------------------------------------------

struct copy *copy_of(struct world *w, unsigned node, unsigned copy);
unsigned node_of(const struct world *w, const char *fingerprint); // SIM_NODES: nobody
bool is_member(const struct world *w, const struct copy *c, unsigned node);
void step(struct world *w, unsigned node, unsigned copy, struct epoch_event event);
void begin_epoch(struct world *w, unsigned node, unsigned copy);
void join(struct world *w, unsigned node, unsigned from, unsigned from_copy);
void written(struct world *w, const struct happening *h);

#endif
