// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/lru.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/mem.h"

#define BUCKETS 1024

struct node {
	TAILQ_ENTRY(node) order;
	struct node *chain;
	max_align_t value[]; // and behind it the key
};

TAILQ_HEAD(node_list, node);

struct lru {
	size_t key_len, value_len, cap, count;
	struct node_list order; // the longest unused first
	struct node *buckets[BUCKETS];
};

static size_t round_up(size_t len)
{
	size_t unit = sizeof(max_align_t);
	return (len + unit - 1) / unit * unit;
}

static uint8_t *key_of(const struct lru *l, struct node *n)
{
	return (uint8_t *)n->value + round_up(l->value_len);
}

static struct node **bucket_of(struct lru *l, const void *key)
{
	const uint8_t *bytes = key;
	uint64_t hash = 0xcbf29ce484222325; // FNV-1a
	for (size_t i = 0; i < l->key_len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return &l->buckets[(hash ^ hash >> 32) % BUCKETS];
}

// The link that points to the node, or to the NULL at the chain's end.
static struct node **link_of(struct lru *l, const void *key)
{
	struct node **link = bucket_of(l, key);
	while (*link && memcmp(key_of(l, *link), key, l->key_len) != 0)
		link = &(*link)->chain;
	return link;
}

struct lru *lru_new(size_t key_len, size_t value_len, size_t cap)
{
	assert(cap > 0);
	struct lru *l = mem_alloc(sizeof *l);
	l->key_len = key_len;
	l->value_len = value_len;
	l->cap = cap;
	TAILQ_INIT(&l->order);
	return l;
}

void lru_free(struct lru *l)
{
	struct node *n;
	if (!l)
		return;
	while ((n = TAILQ_FIRST(&l->order))) {
		TAILQ_REMOVE(&l->order, n, order);
		free(n);
	}
	free(l);
}

static void *use(struct lru *l, struct node *n)
{
	TAILQ_REMOVE(&l->order, n, order);
	TAILQ_INSERT_TAIL(&l->order, n, order);
	return n->value;
}

void *lru_get(struct lru *l, const void *key)
{
	struct node *n = *link_of(l, key);
	return n ? use(l, n) : NULL;
}

void *lru_put(struct lru *l, const void *key)
{
	struct node *n = *link_of(l, key);
	if (n)
		return use(l, n);
	if (l->count == l->cap)
		lru_remove(l, key_of(l, TAILQ_FIRST(&l->order)));
	n = mem_alloc(sizeof *n + round_up(l->value_len) + l->key_len);
	memcpy(key_of(l, n), key, l->key_len);
	struct node **bucket = bucket_of(l, key);
	n->chain = *bucket;
	*bucket = n;
	TAILQ_INSERT_TAIL(&l->order, n, order);
	l->count++;
	return n->value;
}

void lru_remove(struct lru *l, const void *key)
{
	struct node **link = link_of(l, key);
	struct node *n = *link;
	if (!n)
		return;
	*link = n->chain;
	TAILQ_REMOVE(&l->order, n, order);
	l->count--;
	free(n);
}

size_t lru_count(const struct lru *l)
{
	return l->count;
}
