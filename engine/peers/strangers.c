// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/strangers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "peers/lru.h"

TAILQ_HEAD(stranger_list, stranger);

struct stranger_group {
	uint8_t key[ENDPOINT_KEY_LEN];
	struct stranger_list members; // the longest unseen first
	size_t count;
};

struct strangers {
	size_t per_source, per_host;
	struct lru *sources, *hosts; // endpoint → group; a group lives as long as it has members
	struct stranger_list unproven, proven;
};

struct strangers *strangers_new(size_t per_source, size_t per_host, size_t entries)
{
	struct strangers *s = mem_alloc(sizeof *s);
	s->per_source = per_source;
	s->per_host = per_host;
	// each group has a member, so none is ever forgotten for want of room
	s->sources = lru_new(ENDPOINT_KEY_LEN, sizeof(struct stranger_group), entries + 1);
	s->hosts = lru_new(ENDPOINT_KEY_LEN, sizeof(struct stranger_group), entries + 1);
	TAILQ_INIT(&s->unproven);
	TAILQ_INIT(&s->proven);
	return s;
}

void strangers_free(struct strangers *s)
{
	assert(TAILQ_EMPTY(&s->unproven) && TAILQ_EMPTY(&s->proven));
	lru_free(s->sources);
	lru_free(s->hosts);
	free(s);
}

static struct stranger_group *group_join(struct lru *groups, struct addr of)
{
	uint8_t key[ENDPOINT_KEY_LEN];
	endpoint_key(&of, key);
	struct stranger_group *g = lru_put(groups, key);
	if (g->count++ == 0) {
		memcpy(g->key, key, sizeof key);
		TAILQ_INIT(&g->members);
	}
	return g;
}

static void group_leave(struct lru *groups, struct stranger_group *g)
{
	uint8_t key[ENDPOINT_KEY_LEN];
	if (--g->count > 0)
		return;
	memcpy(key, g->key, sizeof key); // g goes with its node
	lru_remove(groups, key);
}

static void leave_groups(struct strangers *s, struct stranger *x)
{
	if (!x->source)
		return;
	TAILQ_REMOVE(&x->source->members, x, in_source);
	TAILQ_REMOVE(&x->host->members, x, in_host);
	group_leave(s->sources, x->source);
	group_leave(s->hosts, x->host);
	x->source = x->host = NULL;
}

static struct stranger_list *list_of(struct strangers *s, const struct stranger *x)
{
	return x->proven ? &s->proven : &s->unproven;
}

void strangers_add(struct strangers *s, struct stranger *x, const struct addr *source)
{
	assert(!x->present);
	*x = (struct stranger){.present = true};
	TAILQ_INSERT_TAIL(&s->unproven, x, order);
	if (!source)
		return;
	x->source = group_join(s->sources, *source);
	x->host = group_join(s->hosts, endpoint_host(source));
	TAILQ_INSERT_TAIL(&x->source->members, x, in_source);
	TAILQ_INSERT_TAIL(&x->host->members, x, in_host);
}

void strangers_touch(struct strangers *s, struct stranger *x)
{
	if (!x->present)
		return;
	TAILQ_REMOVE(list_of(s, x), x, order);
	TAILQ_INSERT_TAIL(list_of(s, x), x, order);
	if (!x->source)
		return;
	TAILQ_REMOVE(&x->source->members, x, in_source);
	TAILQ_INSERT_TAIL(&x->source->members, x, in_source);
	TAILQ_REMOVE(&x->host->members, x, in_host);
	TAILQ_INSERT_TAIL(&x->host->members, x, in_host);
}

void strangers_prove(struct strangers *s, struct stranger *x)
{
	if (!x->present || x->proven)
		return;
	leave_groups(s, x);
	TAILQ_REMOVE(&s->unproven, x, order);
	x->proven = true;
	TAILQ_INSERT_TAIL(&s->proven, x, order);
}

void strangers_remove(struct strangers *s, struct stranger *x)
{
	if (!x->present)
		return;
	leave_groups(s, x);
	TAILQ_REMOVE(list_of(s, x), x, order);
	x->present = false;
}

static struct stranger *first_over(struct lru *groups, struct addr of, size_t cap)
{
	uint8_t key[ENDPOINT_KEY_LEN];
	endpoint_key(&of, key);
	struct stranger_group *g = lru_get(groups, key);
	return g && g->count >= cap ? TAILQ_FIRST(&g->members) : NULL;
}

struct stranger *strangers_over_cap(struct strangers *s, const struct addr *source)
{
	if (!source)
		return NULL;
	struct stranger *x = first_over(s->sources, *source, s->per_source);
	return x ? x : first_over(s->hosts, endpoint_host(source), s->per_host);
}

struct stranger *strangers_first(struct strangers *s)
{
	struct stranger *x = TAILQ_FIRST(&s->unproven);
	return x ? x : TAILQ_FIRST(&s->proven);
}
