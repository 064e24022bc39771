// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/lan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "peers/lru.h"

// The first questions of many cores that start, or get their network back, at one moment.
#define START_JITTER_MS 200
#define ANSWERED_MAX 256 // questions that are remembered, to tell another copy of them
#define ANSWERED_MS 5000
#define RETRY_MS 500 // after a question that could not be sent, doubling up to the interval

struct slot {
	bool used;
	struct lan_path path;
	int64_t due_ms;
	unsigned round;  // how many went out since the path appeared, or since the last failure
	unsigned failed; // in a row
	bool unsent;     // the last one
};

struct pending {
	struct addr to;
	uint8_t record[LAN_RECORD_LEN];
	bool known;
	int64_t due_ms, late_ms;
};

struct lan {
	struct lan_config config;
	struct interface interfaces[INTERFACES_MAX];
	size_t interface_count;
	struct slot slots[LAN_PATHS_MAX];
	size_t left_out;
	bool asked;
	int64_t asked_ms; // the last question
	struct pending pending[2 * LAN_PENDING_MAX];
	size_t pending_count, pending_known;
	struct lru *answered; // record → int64_t, when
};

struct lan *lan_new(const struct lan_config *config)
{
	struct lan *l = mem_alloc(sizeof *l);
	assert(!config->place.off && config->interval_ms > 0);
	l->config = *config;
	l->answered = lru_new(LAN_RECORD_LEN, sizeof(int64_t), ANSWERED_MAX);
	return l;
}

void lan_free(struct lan *l)
{
	if (!l)
		return;
	lru_free(l->answered);
	free(l);
}

static int64_t random_ms(struct lan *l, int64_t most)
{
	return (int64_t)random_below(l->config.random, (uint32_t)most + 1);
}

static struct lan_action *act(struct lan_actions *out, enum lan_action_type type)
{
	assert(out->count < LAN_ACTIONS_MAX);
	struct lan_action *a = &out->list[out->count++];
	*a = (struct lan_action){.type = type};
	return a;
}

// --- the paths that there are --------------------------------------------------------------------

static bool has_path(const struct lan_path *list, size_t count, const struct lan_path *p)
{
	for (size_t i = 0; i < count; i++)
		if (lan_path_equal(&list[i], p))
			return true;
	return false;
}

static void close_gone(struct lan *l, const struct lan_path *list, size_t count,
		       struct lan_actions *out)
{
	for (size_t i = 0; i < LAN_PATHS_MAX; i++) {
		struct slot *s = &l->slots[i];
		if (!s->used || has_path(list, count, &s->path))
			continue;
		*s = (struct slot){0};
		act(out, LAN_CLOSE)->slot = i;
	}
}

static bool is_open(const struct lan *l, const struct lan_path *p)
{
	for (size_t i = 0; i < LAN_PATHS_MAX; i++)
		if (l->slots[i].used && lan_path_equal(&l->slots[i].path, p))
			return true;
	return false;
}

static void open_new(struct lan *l, const struct lan_path *list, size_t count, int64_t now_ms,
		     struct lan_actions *out)
{
	for (size_t i = 0, at = 0; i < count; i++) {
		if (is_open(l, &list[i]))
			continue;
		while (l->slots[at].used)
			at++; // there are as many slots as paths
		l->slots[at] = (struct slot){.used = true,
					     .path = list[i],
					     .due_ms = now_ms + random_ms(l, START_JITTER_MS)};
		struct lan_action *a = act(out, LAN_OPEN);
		a->slot = at;
		a->path = list[i];
	}
}

static bool same_interfaces(const struct lan *l, const struct interface *list, size_t count)
{
	if (l->interface_count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (list[i].index != l->interfaces[i].index ||
		    !addr_same_host(&list[i].address, &l->interfaces[i].address) ||
		    !addr_same_host(&list[i].broadcast, &l->interfaces[i].broadcast) ||
		    list[i].prefix != l->interfaces[i].prefix ||
		    list[i].multicast != l->interfaces[i].multicast)
			return false;
	return true;
}

static void take_interfaces(struct lan *l, const struct lan_event *e, struct lan_actions *out)
{
	struct lan_path paths[LAN_PATHS_MAX];
	size_t count = e->interfaces.count;
	if (count > INTERFACES_MAX)
		count = INTERFACES_MAX;
	if (same_interfaces(l, e->interfaces.list, count))
		return;
	memcpy(l->interfaces, e->interfaces.list, count * sizeof l->interfaces[0]);
	l->interface_count = count;
	count = lan_paths(&l->config.place, &l->config.listen, l->interfaces, count, paths,
			  &l->left_out);
	act(out, LAN_RENEW);
	close_gone(l, paths, count, out);
	open_new(l, paths, count, e->now_ms, out);
}

// --- rounds --------------------------------------------------------------------------------------

static int64_t next_interval(struct lan *l)
{
	int64_t tenth = l->config.interval_ms / 10;
	return l->config.interval_ms - tenth + random_ms(l, 2 * tenth);
}

// Whether this round asks: the first three do, and then each third.
static bool round_asks(unsigned round)
{
	return round < LAN_ROUNDS || round % LAN_ROUNDS == LAN_ROUNDS - 1;
}

static void go_round(struct lan *l, size_t i, int64_t now_ms, struct lan_actions *out)
{
	struct slot *s = &l->slots[i];
	int64_t wait = next_interval(l), again = s->round == 0 ? LAN_AGAIN_MS : 2 * LAN_AGAIN_MS;
	bool asks = round_asks(s->round), soon = s->round < LAN_ROUNDS - 1 && again < wait;
	s->due_ms = now_ms + (soon ? again : wait);
	s->round++;
	if (!s->unsent)
		s->failed = 0;
	s->unsent = false;
	if (asks) {
		l->asked = true;
		l->asked_ms = now_ms;
	}
	struct lan_action *a = act(out, asks ? LAN_ASK : LAN_ANNOUNCE);
	a->slot = i;
	a->path = s->path;
}

static void try_again(struct lan *l, const struct lan_event *e)
{
	struct slot *s = &l->slots[e->slot];
	int64_t wait = (int64_t)RETRY_MS << (s->failed < 16 ? s->failed : 16);
	if (!s->used)
		return;
	s->failed++;
	s->unsent = true;
	s->round = 0; // what gets through will be the first that they hear there
	s->due_ms = e->now_ms + (wait < l->config.interval_ms ? wait : next_interval(l));
}

// --- answers -------------------------------------------------------------------------------------

static void refuse(struct lan_actions *out, enum lan_refusal why)
{
	act(out, LAN_REFUSED)->refused = why;
}

static const struct pending *find_pending(const struct lan *l, const struct lan_event *e)
{
	for (size_t i = 0; i < l->pending_count; i++)
		if (addr_equal(&l->pending[i].to, &e->asked.from) ||
		    memcmp(l->pending[i].record, e->asked.record, LAN_RECORD_LEN) == 0)
			return &l->pending[i];
	return NULL;
}

static bool was_answered(struct lan *l, const struct lan_event *e)
{
	const int64_t *at_ms = lru_get(l->answered, e->asked.record);
	return at_ms && e->now_ms - *at_ms < ANSWERED_MS;
}

static void take_question(struct lan *l, const struct lan_event *e, struct lan_actions *out)
{
	const struct addr *from = &e->asked.from;
	bool known = e->asked.known;
	size_t waiting = known ? l->pending_known : l->pending_count - l->pending_known;
	const struct pending *other = find_pending(l, e);
	if (other && addr_equal(&other->to, from)) {
		refuse(out, LAN_REFUSAL_SOURCE);
	} else if (other || was_answered(l, e)) {
		refuse(out, LAN_REFUSAL_SAME);
	} else if (waiting == LAN_PENDING_MAX) {
		refuse(out, LAN_REFUSAL_ALL);
	} else {
		struct pending *p = &l->pending[l->pending_count++];
		*p = (struct pending){.to = *from,
				      .known = known,
				      .due_ms = e->now_ms + random_ms(l, LAN_JITTER_MS),
				      .late_ms = e->now_ms + LAN_PATIENCE_MS};
		memcpy(p->record, e->asked.record, LAN_RECORD_LEN);
		l->pending_known += known;
	}
}

static void remove_pending(struct lan *l, size_t i)
{
	l->pending_known -= l->pending[i].known;
	l->pending_count--;
	memmove(&l->pending[i], &l->pending[i + 1], (l->pending_count - i) * sizeof l->pending[0]);
}

// The limits are asked in the moment of sending, so that they hold for what is on the wire.
static void answer_due(struct lan *l, int64_t now_ms, struct lan_actions *out)
{
	for (size_t i = 0; i < l->pending_count;) {
		struct pending *p = &l->pending[i];
		if (p->due_ms > now_ms) {
			i++;
			continue;
		}
		enum limit_answer limit =
			limits_take(l->config.limits, LIMIT_LAN_ANSWER, &p->to, p->known, now_ms);
		if (limit == LIMIT_PASS) {
			*(int64_t *)lru_put(l->answered, p->record) = now_ms;
			act(out, LAN_ANSWER)->to = p->to;
		} else if (limit == LIMIT_ALL && now_ms < p->late_ms) {
			p->due_ms = now_ms + limits_wait_ms(l->config.limits, LIMIT_LAN_ANSWER,
							    &p->to, p->known, now_ms);
			i++;
			continue;
		} else {
			refuse(out, limit == LIMIT_ALL ? LAN_REFUSAL_ALL : LAN_REFUSAL_SOURCE);
		}
		remove_pending(l, i);
	}
}

// --- the step ------------------------------------------------------------------------------------

static int64_t next_wait(const struct lan *l, int64_t now_ms)
{
	int64_t due_ms = INT64_MAX;
	for (size_t i = 0; i < LAN_PATHS_MAX; i++)
		if (l->slots[i].used && l->slots[i].due_ms < due_ms)
			due_ms = l->slots[i].due_ms;
	for (size_t i = 0; i < l->pending_count; i++)
		if (l->pending[i].due_ms < due_ms)
			due_ms = l->pending[i].due_ms;
	if (due_ms == INT64_MAX)
		return -1;
	return due_ms > now_ms ? due_ms - now_ms : 0;
}

void lan_step(struct lan *l, const struct lan_event *e, struct lan_actions *out)
{
	out->count = 0;
	switch (e->type) {
	case LAN_EVENT_INTERFACES:
		take_interfaces(l, e, out);
		break;
	case LAN_EVENT_ASKED:
		take_question(l, e, out);
		break;
	case LAN_EVENT_UNSENT:
		try_again(l, e);
		break;
	case LAN_EVENT_DEADLINE:
		for (size_t i = 0; i < LAN_PATHS_MAX; i++)
			if (l->slots[i].used && l->slots[i].due_ms <= e->now_ms)
				go_round(l, i, e->now_ms, out);
		answer_due(l, e->now_ms, out);
		break;
	}
	out->wait_ms = next_wait(l, e->now_ms);
}

// --- reading -------------------------------------------------------------------------------------

bool lan_awaits(const struct lan *l, const struct addr *from, int64_t now_ms)
{
	// the answerer's patience, and as much for the way there and back
	if (!l->asked || now_ms - l->asked_ms > 2 * LAN_PATIENCE_MS)
		return false;
	for (size_t i = 0; i < l->interface_count; i++)
		if (interface_reaches(&l->interfaces[i], from))
			return true;
	return false;
}

const struct lan_path *lan_path_at(const struct lan *l, size_t slot)
{
	return l->slots[slot].used ? &l->slots[slot].path : NULL;
}

size_t lan_left_out(const struct lan *l)
{
	return l->left_out;
}
