// SPDX-License-Identifier: GPL-3.0-or-later
#include "discussion/catchup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NOBODY ROSTER_NOBODY

struct chain {
	uint64_t head;  // here
	uint64_t end;   // of an ended epoch
	size_t asked;   // who is expected to send it: NOBODY, its author, or whom a WANT went to
	uint64_t until; // what that one was asked for; of an author no limit
	bool fresh;     // asked since the timer began
	bool moved;     // something came since then
	uint64_t has[ROSTER_MAX]; // per member, as far as is known; useless at or below head
};

struct catchup {
	size_t count, own;
	bool ended, waits, timer;
	bool up[ROSTER_MAX];
	struct chain *chains;
	struct catchup_actions *out;
};

// --- life -----------------------------------------------------------------------------------------------------------------------

struct catchup *catchup_new(const struct catchup_config *config)
{
	struct catchup *c = mem_alloc(sizeof *c);
	assert(config->count <= ROSTER_MAX);
	c->count = config->count;
	c->own = config->own;
	c->ended = config->cut != NULL;
	c->waits = config->waits;
	c->chains = mem_alloc_array(c->count, sizeof *c->chains);
	for (size_t i = 0; i < c->count; i++) {
		c->chains[i].head = config->heads[i];
		c->chains[i].end = c->ended ? config->cut[i] : 0;
		c->chains[i].asked = NOBODY;
	}
	return c;
}

void catchup_free(struct catchup *c)
{
	if (!c)
		return;
	free(c->chains);
	free(c);
}

uint64_t catchup_missing(const struct catchup *c, size_t sender)
{
	const struct chain *chain = &c->chains[sender];
	uint64_t end = chain->end;
	for (size_t i = 0; !c->ended && i < c->count; i++)
		if (i != sender && c->up[i] && chain->has[i] > end)
			end = chain->has[i];
	return sender != c->own && end > chain->head ? end - chain->head : 0;
}

// --- whom to ask ----------------------------------------------------------------------------------------------------------------

static struct catchup_action *act(struct catchup *c, enum catchup_action_type type)
{
	assert(c->out->count < CATCHUP_ACTIONS_MAX);
	struct catchup_action *a = &c->out->list[c->out->count++];
	*a = (struct catchup_action){.type = type};
	return a;
}

static bool can_send(const struct catchup *c, size_t member, size_t sender)
{
	return c->up[member] && member != c->own && c->chains[sender].has[member] > c->chains[sender].head;
}

// Its author first; else not always the same one.
static size_t choose(const struct catchup *c, size_t sender)
{
	if (can_send(c, sender, sender))
		return sender;
	for (size_t k = 1; k <= c->count; k++) {
		size_t i = (sender + c->own + k) % c->count;
		if (can_send(c, i, sender))
			return i;
	}
	return NOBODY;
}

static bool is_under_way(const struct catchup *c, size_t sender)
{
	const struct chain *chain = &c->chains[sender];
	return chain->asked != NOBODY && can_send(c, chain->asked, sender) && chain->head < chain->until;
}

static void ask(struct catchup *c, size_t sender)
{
	struct chain *chain = &c->chains[sender];
	if (c->waits || !catchup_missing(c, sender) || is_under_way(c, sender))
		return;
	chain->asked = choose(c, sender);
	chain->fresh = true;
	if (chain->asked == NOBODY)
		return;
	if (chain->asked == sender) {
		chain->until = UINT64_MAX; // it sends by itself
	} else {
		struct catchup_action *a = act(c, CATCHUP_WANT);
		a->want.member = chain->asked;
		a->want.sender = sender;
		a->want.after = chain->head;
		chain->until = chain->head + CATCHUP_BATCH;
	}
}

bool catchup_is_busy(const struct catchup *c)
{
	for (size_t s = 0; s < c->count; s++)
		if (catchup_missing(c, s) && is_under_way(c, s))
			return true;
	return false;
}

static void set_timer(struct catchup *c)
{
	if (c->timer || !catchup_is_busy(c))
		return;
	act(c, CATCHUP_TIMER);
	c->timer = true;
}

// --- events ---------------------------------------------------------------------------------------------------------------------

static void link_up(struct catchup *c, size_t member)
{
	c->up[member] = true;
	for (size_t s = 0; s < c->count; s++) {
		struct chain *chain = &c->chains[s];
		chain->has[member] = c->ended ? chain->end : 0;
		if (s == member)
			chain->has[member] = UINT64_MAX; // its own
		if (chain->asked == member)
			chain->asked = NOBODY; // what was asked on the last link is lost
	}
}

// That was all: what was sent before it may still be on its way through gpg.
static void lacks(struct chain *chain, size_t member, uint64_t sequence)
{
	chain->has[member] = sequence;
	if (chain->asked == member && chain->until > sequence)
		chain->until = sequence;
}

// Who was expected to send something since the timer began, and sent nothing, is passed over; who sent a part is asked for the rest.
static void time_out(struct catchup *c)
{
	c->timer = false;
	for (size_t s = 0; s < c->count; s++) {
		struct chain *chain = &c->chains[s];
		if (!catchup_missing(c, s) || !is_under_way(c, s))
			continue;
		if (!chain->fresh && !chain->moved)
			chain->has[chain->asked] = chain->head;
		else if (!chain->fresh && chain->asked != s)
			chain->until = chain->head;
		chain->fresh = chain->moved = false;
	}
}

void catchup_step(struct catchup *c, const struct catchup_event *event, struct catchup_actions *out)
{
	size_t member = event->chain.member, sender = event->chain.sender;
	assert(member < c->count && sender < c->count);
	c->out = out;
	switch (event->type) {
	case CATCHUP_EVENT_LINK_UP:
		link_up(c, member);
		break;
	case CATCHUP_EVENT_LINK_DOWN:
		c->up[member] = false;
		break;
	case CATCHUP_EVENT_HAS:
		if (member != sender && !c->ended && event->chain.sequence > c->chains[sender].has[member])
			c->chains[sender].has[member] = event->chain.sequence;
		break;
	case CATCHUP_EVENT_LACKS:
		lacks(&c->chains[sender], member, event->chain.sequence);
		break;
	case CATCHUP_EVENT_HEAD:
		c->chains[sender].moved |= event->chain.sequence > c->chains[sender].head;
		if (event->chain.sequence > c->chains[sender].head)
			c->chains[sender].head = event->chain.sequence;
		break;
	case CATCHUP_EVENT_TIMEOUT:
		time_out(c);
		break;
	case CATCHUP_EVENT_GO:
		c->waits = false;
		break;
	}
	for (size_t s = 0; s < c->count; s++)
		if (s != c->own)
			ask(c, s);
	set_timer(c);
	c->out = NULL;
}
