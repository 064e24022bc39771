// SPDX-License-Identifier: GPL-3.0-or-later
// The ordering alone (protocol §5, 4 to 6), in all of its states: n members, of which one may lie, two values, and a few rounds.
//
// What is sent is there for good and is heard by anyone, or by nobody, at any time after: that covers every loss, delay, order,
// crash and partition. So a state is what honest members have signed, and what one may do depends on that and on what the liar
// could have signed, which is everything. Each state is looked at once; in each it must hold that
//   S1  no two values can have q COMMITs of a round each, and
//   L3  whatever happened, q members that are there decide in the next rounds, the liar being silent.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/sim/model/table.h"

#define MEMBERS 4
#define ROUNDS 4
#define VALUES 2
#define NOBODY 99u

// What an honest member has signed. In a round: a STATUS or not, and VOTE and COMMIT: 0, or a value from 1.
struct member {
	bool left;
	bool status[ROUNDS];
	uint8_t vote[ROUNDS], commit[ROUNDS];
};

struct state {
	struct member members[MEMBERS];
	uint8_t order[ROUNDS]; // by honest leaders; 0: none
};

struct model {
	unsigned n, f, q, rounds, liar; // liar: NOBODY, or its position
	bool leaves;                    // whether members may leave
	enum { RIGHT, QUORUM, LOCK, PROMISE } mutant;
	const char *violation;
};

// --- states as keys ---------------------------------------------------------------------------------------------------------

static struct key pack(const struct model *m, const struct state *s)
{
	struct key k = {{0}};
	unsigned at = 0;
	for (unsigned i = 0; i < m->n; i++) {
		if (i == m->liar)
			continue;
		const struct member *a = &s->members[i];
		key_put(&k, &at, a->left, 1);
		for (unsigned r = 0; r < m->rounds; r++) {
			key_put(&k, &at, a->status[r], 1);
			key_put(&k, &at, a->vote[r], 2);
			key_put(&k, &at, a->commit[r], 2);
		}
	}
	for (unsigned r = 0; r < m->rounds; r++)
		key_put(&k, &at, s->order[r], 2);
	return k;
}

static struct state unpack(const struct model *m, const struct key *k)
{
	struct state s;
	unsigned at = 0;
	memset(&s, 0, sizeof s);
	for (unsigned i = 0; i < m->n; i++) {
		struct member *a = &s.members[i];
		if (i == m->liar)
			continue;
		a->left = key_get(k, &at, 1);
		for (unsigned r = 0; r < m->rounds; r++) {
			a->status[r] = key_get(k, &at, 1);
			a->vote[r] = (uint8_t)key_get(k, &at, 2);
			a->commit[r] = (uint8_t)key_get(k, &at, 2);
		}
	}
	for (unsigned r = 0; r < m->rounds; r++)
		s.order[r] = (uint8_t)key_get(k, &at, 2);
	return s;
}

// The two values are alike: of two states that differ by their names one is looked at.
static struct key canonical(const struct model *m, const struct state *s)
{
	struct state other = *s;
	for (unsigned r = 0; r < m->rounds; r++) {
		other.order[r] = s->order[r] ? (uint8_t)(3 - s->order[r]) : 0;
		for (unsigned i = 0; i < m->n; i++) {
			other.members[i].vote[r] = s->members[i].vote[r] ? (uint8_t)(3 - s->members[i].vote[r]) : 0;
			other.members[i].commit[r] = s->members[i].commit[r] ? (uint8_t)(3 - s->members[i].commit[r]) : 0;
		}
	}
	struct key a = pack(m, s), b = pack(m, &other);
	return memcmp(&a, &b, sizeof a) < 0 ? a : b;
}

// --- what can be shown --------------------------------------------------------------------------------------------------------

static unsigned liars(const struct model *m)
{
	return m->liar != NOBODY;
}

static bool votes_for(const struct model *m, const struct state *s, unsigned round, unsigned value)
{
	unsigned count = liars(m);
	for (unsigned i = 0; i < m->n; i++)
		count += i != m->liar && s->members[i].vote[round] == value;
	return count >= m->q;
}

static bool decided(const struct model *m, const struct state *s, unsigned value)
{
	for (unsigned r = 0; r < m->rounds; r++) {
		unsigned count = liars(m);
		for (unsigned i = 0; i < m->n; i++)
			count += i != m->liar && s->members[i].commit[r] == value;
		if (count >= m->q)
			return true;
	}
	return false;
}

// The lock in a member's STATUS of that round, or in its LEAVE: its COMMIT of the highest round before. Its round + 1; 0: none.
static unsigned lock_of(const struct model *m, const struct member *a, unsigned before, unsigned *value)
{
	for (unsigned r = before; r-- > 0;)
		if (a->commit[r]) {
			*value = a->commit[r];
			return m->mutant == LOCK ? 0 : r + 1;
		}
	return 0;
}

// Whether q STATUSes of that round, or LEAVEs, can be shown for an ORDER of that value. Each set of members is tried. What a liar
// says of its lock is free, as far as q VOTEs are there for it.
static bool may_order(const struct model *m, const struct state *s, unsigned round, unsigned value)
{
	for (unsigned set = 1; set < 1u << m->n; set++) {
		unsigned count = 0, highest = 0, locked = 0;
		bool there = true, lies = false;
		for (unsigned i = 0; i < m->n && there; i++) {
			const struct member *a = &s->members[i];
			unsigned lock, of = 0;
			if (!(set & 1u << i))
				continue;
			count++;
			lies = lies || i == m->liar;
			if (i == m->liar)
				continue;
			there = a->left || a->status[round];
			lock = lock_of(m, a, a->left ? m->rounds : round, &of);
			if (lock > highest) {
				highest = lock;
				locked = of;
			}
		}
		if (!there || count < m->q)
			continue;
		if (!highest || locked == value)
			return true;
		for (unsigned r = highest; lies && r < round; r++)
			if (votes_for(m, s, r, value))
				return true;
	}
	return false;
}

static unsigned leader(const struct model *m, unsigned round)
{
	return round % m->n;
}

static bool is_promised(const struct model *m, const struct member *a, unsigned round)
{
	if (a->left || !a->status[round])
		return true;
	for (unsigned r = round + 1; r < m->rounds; r++)
		if (a->status[r] && m->mutant != PROMISE)
			return true;
	return false;
}

// --- steps --------------------------------------------------------------------------------------------------------------------

typedef void visit(void *user, const struct state *s);

static void step_status(const struct model *m, const struct state *s, unsigned i, visit *to, void *user)
{
	const struct member *a = &s->members[i];
	unsigned next = 0;
	for (unsigned r = 0; r < m->rounds; r++)
		next = a->status[r] ? r + 1 : next;
	for (unsigned r = next; r < m->rounds; r++) {
		struct state n = *s;
		n.members[i].status[r] = true;
		to(user, &n);
	}
	if (m->leaves) {
		struct state n = *s;
		n.members[i].left = true;
		to(user, &n);
	}
}

static void step_ballots(const struct model *m, const struct state *s, unsigned i, unsigned r, visit *to, void *user)
{
	const struct member *a = &s->members[i];
	for (unsigned v = 1; v <= VALUES; v++) {
		struct state n = *s;
		bool ordered = leader(m, r) == m->liar ? may_order(m, s, r, v) : s->order[r] == v;
		if (leader(m, r) == i && !s->order[r] && may_order(m, s, r, v)) {
			n.order[r] = (uint8_t)v;
			to(user, &n);
			n = *s;
		}
		if (ordered && !a->vote[r]) {
			n.members[i].vote[r] = (uint8_t)v;
			to(user, &n);
			n = *s;
		}
		if (ordered && !a->commit[r] && votes_for(m, s, r, v)) {
			n.members[i].commit[r] = (uint8_t)v;
			to(user, &n);
		}
	}
}

static void steps(const struct model *m, const struct state *s, visit *to, void *user)
{
	for (unsigned i = 0; i < m->n; i++) {
		if (i == m->liar || s->members[i].left)
			continue;
		step_status(m, s, i, to, user);
		for (unsigned r = 0; r < m->rounds; r++)
			if (!is_promised(m, &s->members[i], r))
				step_ballots(m, s, i, r, to, user);
	}
}

// --- what must hold -------------------------------------------------------------------------------------------------------------

// L3: all that are there go into a round that nobody has been in yet; the liar is silent. Then an honest leader can show what is
// needed for some ORDER; all of them vote for that, and as they are q, all commit. False: there is no such ORDER.
static bool next_round_decides(const struct model *m, const struct state *s)
{
	struct model later = *m;
	struct state n = *s;
	unsigned able = 0;
	later.liar = NOBODY;
	later.rounds = m->rounds + 1;
	for (unsigned i = 0; i < m->n; i++) {
		n.members[i].status[m->rounds] = i != m->liar && !s->members[i].left;
		able += n.members[i].status[m->rounds];
	}
	if (able < (m->n + m->f) / 2 + 1) // nothing is promised
		return true;
	return able >= m->q && (may_order(&later, &n, m->rounds, 1) || may_order(&later, &n, m->rounds, 2));
}

struct search {
	struct model *m;
	struct table *table;
};

static void found(void *user, const struct state *s)
{
	struct search *x = user;
	table_add(x->table, canonical(x->m, s));
}

// All of them. Returns how many; m->violation tells of the first that is bad, and *bad is it.
static size_t explore(struct model *m, struct state *bad)
{
	struct table *t = table_new();
	struct search x = {m, t};
	struct state first;
	struct key k;
	memset(&first, 0, sizeof first);
	found(&x, &first);
	for (size_t i = 0; !m->violation && table_at(t, i, &k); i++) {
		struct state s = unpack(m, &k);
		if (decided(m, &s, 1) && decided(m, &s, 2))
			m->violation = "S1: two values are decided";
		else if (!next_round_decides(m, &s))
			m->violation = "L3: the next round does not decide";
		else
			steps(m, &s, found, &x);
		if (m->violation)
			*bad = s;
	}
	size_t count = table_count(t);
	table_free(t);
	return count;
}

static void print_state(const struct model *m, const struct state *s)
{
	for (unsigned i = 0; i < m->n; i++) {
		printf("  %c:", 'A' + (int)i);
		if (i == m->liar)
			printf(" lies");
		if (s->members[i].left)
			printf(" leaves;");
		for (unsigned r = 0; r < m->rounds && i != m->liar; r++) {
			const struct member *a = &s->members[i];
			if (leader(m, r) == i && s->order[r])
				printf(" orders %u in round %u;", s->order[r], r);
			if (a->vote[r])
				printf(" votes for %u in round %u;", a->vote[r], r);
			if (a->commit[r])
				printf(" commits to %u in round %u;", a->commit[r], r);
		}
		printf("\n");
	}
}

// --- runs -----------------------------------------------------------------------------------------------------------------------

static struct model model_of(unsigned n, unsigned liar, unsigned rounds, bool leaves)
{
	struct model m = {.n = n, .f = (n - 1) / 3, .rounds = rounds, .liar = liar, .leaves = leaves};
	m.q = (n + m.f) / 2 + 1;
	return m;
}

// Returns whether it came out as it has to.
static bool run(struct model m, const char *what, bool breaks)
{
	struct state bad;
	char who[32] = "nobody lies";
	if (m.liar != NOBODY)
		snprintf(who, sizeof who, "%c lies", 'A' + (int)m.liar);
	size_t count = explore(&m, &bad);
	printf("n = %u, %u rounds, %-11s %s%-24s %10zu states: %s\n", m.n, m.rounds, who, m.leaves ? "leaving, " : "", what, count,
	       m.violation ? m.violation : "no violation");
	if (m.violation)
		print_state(&m, &bad);
	return breaks == (m.violation != NULL);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 3;
	if (rounds < 2 || rounds > ROUNDS - 1) {
		fprintf(stderr, "usage: model [rounds: 2 or 3]\n");
		return 2;
	}
	bool good = true;
	for (unsigned n = 2; n <= 3; n++)
		good = run(model_of(n, NOBODY, rounds, true), "", false) && good;
	good = run(model_of(4, NOBODY, rounds, false), "", false) && good;
	for (unsigned liar = 0; liar < 4; liar++)
		good = run(model_of(4, liar, rounds, true), "", false) && good;
	// it can fail: what the documents say of three with a liar (P5.1), and mutants
	good = run(model_of(3, 0, rounds, false), "f is 0 here (P5.1):", true) && good;
	struct model m = model_of(4, 0, rounds, false);
	m.mutant = QUORUM;
	m.q--;
	good = run(m, "mutant, q - 1 decide:", true) && good;
	m = model_of(4, 0, rounds, false);
	m.mutant = LOCK;
	good = run(m, "mutant, no lock:", true) && good;
	m = model_of(4, 0, rounds, false);
	m.mutant = PROMISE;
	good = run(m, "mutant, no promise:", true) && good;
	m = model_of(4, 0, rounds, false);
	m.mutant = QUORUM;
	m.q++;
	good = run(m, "mutant, q + 1 decide:", true) && good;
	return !good;
}
