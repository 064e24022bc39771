// SPDX-License-Identifier: GPL-3.0-or-later
// The inside of the simulator: nodes, disks, the network, and what is to happen when.
#ifndef SOTTO_SPEC_SIM_EPOCH_WORLD_H
#define SOTTO_SPEC_SIM_EPOCH_WORLD_H

#include "discussion/confirmation.h"
#include "discussion/outbox.h"
#include "spec/sim/epoch/sim.h"
#include "wire/sealed.h"

#define NAMES_BITS 16
#define COPIES 2          // a liar is up to two members with one key, who know nothing of each other
#define WRITE_MS 3        // of a disk
#define CALM_MS 500       // of a message where nothing is left to chance
#define LOST_MS 3000      // until a broken link is back
#define HEAL_MS 120000    // from here on the network is good, and everybody is back
#define SETTLE_MS 600000  // so long after that, and after each crash, all must have ended well
#define END_MS (HEAL_MS + SETTLE_MS)

// --- the world ------------------------------------------------------------------------------------------------------------

enum kind {
	ARRIVES,
	WRITTEN,
	DEADLINE,
	RETRY,
	LINKS,
	PROPOSES,
	ANSWERS,
	CRASHES,
	STARTS,
	VANISHES,
	PARTS,
	JOINS,
	JUMPS, // a clock
	FALLS, // a disk, back
	SAYS,
	SEALED,
	OPENED,
	FRAME,    // a sealed payload, on a line
	DELIVERY, // an ack, or "cannot open", on a line
	OUT_RETRY,
	OUT_ACK,
	IN_RETRY,
};

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
	uint32_t generation; // of the line that it travels on
	uint64_t number;     // a ticket, or a sequence
	size_t sender;       // DELIVERY: whose payload; SIZE_MAX: it could not be opened
	enum err code;
};

// Something on its way to the disk: lost by a crash before it is there.
struct write {
	enum { WRITE_KEPT, WRITE_OWN, WRITE_OUT, WRITE_IN } kind;
	uint32_t epoch;
	struct bytes *envelope;       // KEPT, OWN
	struct outbox_action out;     // OUT
	struct transcript_actions in; // IN: one
	struct write *next;
};

// What is on the disk of a node, of one epoch.
struct disk {
	size_t count, room;
	struct bytes **envelopes;
};

// A member's own message, on its disk.
struct said_text {
	struct outbox_message message;
	bool placed; // in a payload:
	uint32_t epoch;
	uint64_t sequence;
};

struct own_payload {
	struct bytes *payload, *message; // message: NULL before it is sealed
	struct hash hash;
};

struct heard {
	struct hash hash;
	struct bytes *frame;
};

// What is on the disk of a node of what was said in one epoch. Members are positions in its roster.
struct talk {
	size_t own_count, own_room;
	struct own_payload *own;
	uint64_t acked[SIM_NODES];
	size_t heard_count[SIM_NODES], heard_room[SIM_NODES];
	struct heard *heard[SIM_NODES];
	struct statement_head seen[SIM_NODES][SIM_NODES]; // [by whom][whose]: as accepted payloads say
	uint64_t confirmed[SIM_NODES];
	struct confirmation confirmation; // of own payloads, as a core has it
	bool ended; // then:
	struct statement_head cut[SIM_NODES];
	size_t self;                   // own position
	struct transcript *transcript; // in memory
};

// A member's only link to another.
struct line {
	bool up;
	unsigned copy;
	uint32_t generation;
	int64_t last_at; // it keeps its order
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
	int64_t deadline, asked_chain, ack_at;

	struct write *writes;               // in their order
	struct talk *talks[SIM_EPOCHS];     // NULL: nothing, or no member
	struct outbox *outbox;              // of this epoch; NULL: no member, or it has left
	bool wants_heads, is_drained, told; // told: its heads, in this run
	size_t text_count, text_room;
	struct said_text *texts;
	struct line lines[SIM_NODES + 1];
	struct bytes *wish; // proposed by it, and not decided
};

struct node {
	char fingerprint[FINGERPRINT_SIZE];
	bool lies, gone; // gone: for good
	unsigned how;    // it lies: bits of enum sim_lie
	int64_t clock_ms; // how far its clock is off
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

// What honest members have built: S8.
struct built {
	unsigned node;
	uint32_t epoch;
	uint64_t sequence;
	struct hash hash;
};

struct world {
	const struct sim_options *options;
	struct sim_random random;
	int64_t now, end; // end: END_MS, or SETTLE_MS after the last crash
	uint64_t order;
	struct happening *heap;
	size_t heap_count, heap_room;
	struct node nodes[SIM_NODES + 1]; // the last: whoever a liar has made up
	unsigned node_count;
	uint8_t part[SIM_NODES + 1]; // who hears whom
	bool down[SIM_NODES + 1][COPIES][SIM_NODES + 1][COPIES]; // links that are lost, until LINKS
	struct said *said;
	size_t said_count, said_room;
	struct built *built;
	size_t built_count, built_room;
	uint32_t generations;
	uint64_t texts; // said so far
	uint64_t honest_writes;
	struct hash values[16]; // that were ordered
	size_t value_count;
	int64_t proposed_at; // L1
	unsigned proposed;
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

// --- trace.c: a run for readers -------------------------------------------------------------------------------------------------

void note_statement(struct world *w, unsigned node, const struct statement *s);
void note_decision(struct world *w, unsigned node, unsigned copy, const struct epoch_decision *d, const struct roster_record *next);

// --- memo.c: what was read once is known ------------------------------------------------------------------------------------

void memo_clear(void);

// --- checks.c: what must hold -------------------------------------------------------------------------------------------------

bool read_statement(struct bytes *envelope, struct statement *s, struct hash *name);
void remember(struct world *w, unsigned node, struct bytes *envelope); // signed, and about to be sent
void check_decision(struct world *w, struct copy *c, const struct epoch_decision *d);
void check_end(struct world *w);

// --- network.c ----------------------------------------------------------------------------------------------------------------

bool hears(const struct world *w, unsigned a, unsigned b);
void send_to(struct world *w, unsigned node, unsigned copy, size_t member, struct bytes *envelope); // ROSTER_NOBODY: all
void send_chain(struct world *w, unsigned node, unsigned copy, unsigned to, unsigned to_copy, uint32_t epoch);
void links_up(struct world *w, unsigned node, unsigned copy);
void link_up(struct world *w, const struct happening *h);
void arrives(struct world *w, const struct happening *h);
void take_statement(struct world *w, unsigned node, unsigned copy, struct bytes *envelope);
void line_send(struct world *w, unsigned node, unsigned copy, unsigned to, struct happening h); // h.bytes is taken
void line_down(struct world *w, unsigned node, unsigned copy, unsigned other);
void keep_name(struct world *w, struct bytes *envelope, const struct hash *name);

// --- node.c: a member -----------------------------------------------------------------------------------------------------------

struct copy *copy_of(struct world *w, unsigned node, unsigned copy);
unsigned node_of(const struct world *w, const char *fingerprint); // SIM_NODES: nobody
const char *name_of_node(const struct world *w, unsigned node); // a letter
bool is_member(const struct world *w, const struct copy *c, unsigned node);
struct bytes *sign_statement(struct world *w, const char *type, struct span body);
struct bytes *admission(const char *fingerprint, bool swapped); // an op
bool admission_holds(const struct op *op);                      // its JOIN says the same
void step(struct world *w, unsigned node, unsigned copy, struct epoch_event event);
void copy_free(struct copy *c);
void begin_epoch(struct world *w, unsigned node, unsigned copy);
void join(struct world *w, unsigned node, unsigned from, unsigned from_copy);

// --- disk.c: of a member --------------------------------------------------------------------------------------------------------

void disk_add(struct disk *d, struct bytes *envelope);
void disk_write(struct world *w, unsigned node, unsigned copy, const struct write *write); // is taken
void write_fini(struct write *write);
void disk_lose(struct copy *c); // what is not there yet
void disk_flush(struct world *w, unsigned node, unsigned copy); // what is on its way is there
void written(struct world *w, const struct happening *h);

// --- talk.c: what members say ---------------------------------------------------------------------------------------------------

void talk_begin(struct world *w, unsigned node, unsigned copy); // of its epoch, from its disk
void talk_stop(struct copy *c);                                 // its machines go
void talk_end(struct world *w, unsigned node, unsigned copy, const struct epoch_decision *d);
void talk_free(struct copy *c);
void talk_says(struct world *w, unsigned node, unsigned copy);
void talk_freeze(struct world *w, unsigned node, unsigned copy);
void talk_heads(struct world *w, unsigned node, unsigned copy); // as soon as they are known
void talk_line_up(struct world *w, unsigned node, unsigned copy, unsigned other);
void talk_line_down(struct world *w, unsigned node, unsigned copy, unsigned other);
void talk_happens(struct world *w, const struct happening *h);
void out_step(struct world *w, unsigned node, unsigned copy, struct outbox_event event);
void in_step(struct world *w, unsigned node, unsigned copy, uint32_t epoch, struct transcript_event event);
bool talk_lacks(const struct copy *c, uint32_t epoch); // something of an epoch that is over
// To another, of an epoch that is over: what comes next of that sender.
void talk_supply(struct world *w, unsigned node, unsigned copy, unsigned other, uint32_t epoch, size_t sender, uint64_t after);

// --- sim.c ----------------------------------------------------------------------------------------------------------------------

void crash(struct world *w, unsigned node);

// --- lies.c: what liars do ------------------------------------------------------------------------------------------------------

bool lies_so(const struct world *w, unsigned node, enum sim_lie lie); // whether that liar does
void lies_play(struct world *w, enum sim_lie lie, unsigned node);     // is done: counted
void lies_said(struct world *w, unsigned node, enum statement_type type); // two of a kind
struct bytes *lies_alter(struct world *w, unsigned node, struct bytes *envelope); // what is sent in its place; NULL: nothing
void lies_epoch(struct world *w, unsigned node, unsigned copy);                   // it begins
void lies_line_up(struct world *w, unsigned node, unsigned copy);
void lies_asked(struct world *w, unsigned node, unsigned copy, const struct hash *op);
void lies_seal(struct world *w, unsigned node, unsigned copy, struct bytes *message);
bool lies_receive(struct world *w, unsigned node, unsigned copy, unsigned other, const struct sealed_frame *f); // swallowed
void lies_roll_back(struct world *w, unsigned node);
size_t lies_chain(struct world *w, unsigned node, size_t count);

// --- seal.c: OpenPGP, as far as it matters here --------------------------------------------------------------------------------

struct bytes *seal(const struct roster_record *r, const char *fingerprint, struct span payload);
size_t seal_keys(struct span message, const char *keys[ROSTER_MAX]); // borrowed, without a NUL; KEY_ID_SIZE - 1 bytes each
// What P3.2 and P3.4 ask for before a payload is believed. NULL: *code.
struct bytes *unseal(const struct roster_record *r, const char *own, size_t sender, struct span message, enum err *code);
// Its session key for that member is spoiled.
void seal_spoil(struct bytes *message, const char *key);

// --- checks_talk.c: S4 to S9 of messages ---------------------------------------------------------------------------------------

void check_seal(struct world *w, unsigned node, unsigned copy, uint32_t epoch, const struct bytes *payload,
		const struct bytes *message);
void remember_built(struct world *w, unsigned node, uint32_t epoch, uint64_t sequence, const struct hash *hash);
void check_accepted(struct world *w, unsigned node, unsigned copy, uint32_t epoch, const struct transcript_payload *p);
void check_confirmed(struct world *w, unsigned node, unsigned copy, uint32_t epoch, const struct transcript_payload *p);
void check_cut(struct world *w, unsigned node, unsigned copy, uint32_t epoch);
void check_talk_end(struct world *w);

#endif
