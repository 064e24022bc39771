// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "peers/lru.h"

const struct limits_config limits_standard = {
	.per_source =
		{
			[LIMIT_HEAR] = {200, 20},
			[LIMIT_LAN_ANSWER] = {5000, 1},
			[LIMIT_PROBE_ANSWER] = {1000, 5},
			[LIMIT_GPG] = {5000, 5},
			[LIMIT_LIST] = {60 * 1000, 1},
			[LIMIT_INTRODUCE] = {1000, 5},
			[LIMIT_FETCH] = {5000, 2},
			[LIMIT_INVITE] = {5000, 5},
		},
	.all =
		{
			[LIMIT_HEAR] = {3, 400},
			[LIMIT_GPG] = {200, 5},
			[LIMIT_LIST] = {200, 5},
			[LIMIT_INTRODUCE] = {50, 20},
			[LIMIT_FETCH] = {200, 5},
			[LIMIT_INVITE] = {200, 5},
			[LIMIT_TELL] = {50, 20},
		},
	.hear_host = {10, 200},
	.hear_known = {3, 400},
	.answers_all = {1000, 20},
	.sources = 4096,
	.half_open = 64,
	.half_open_source = 3,
	.half_open_known = 64,
	.requests = 20,
	.requests_known = 64,
};

// Tokens are counted in the milliseconds that they take to come back, so that nothing is rounded.
struct bucket {
	bool used; // false: as new, that is full
	int64_t level_ms, at_ms;
};

// When the last ones passed; `next` is the oldest's place.
struct window {
	int64_t at_ms[LIMIT_WINDOW_MAX];
	size_t count, next;
};

struct request {
	char fingerprint[PEER_FINGERPRINT_SIZE];
	bool known;
};

struct limits {
	struct limits_config config;
	struct lru *sources[LIMIT_KIND_COUNT]; // endpoint → bucket
	struct lru *hosts; // LIMIT_HEAR's: host → bucket
	struct bucket all[LIMIT_KIND_COUNT], hear_known;
	struct window answers_all;
	struct lru *half_open_sources; // endpoint → size_t
	size_t half_open, half_open_known;
	struct request *requests; // `requests` + `requests_known` places
	size_t request_count, request_count_known;
};

struct limits *limits_new(const struct limits_config *config)
{
	struct limits *l = mem_alloc(sizeof *l);
	l->config = config ? *config : limits_standard;
	assert(l->config.answers_all.most <= LIMIT_WINDOW_MAX);
	for (size_t i = 0; i < LIMIT_KIND_COUNT; i++)
		l->sources[i] = lru_new(ENDPOINT_KEY_LEN, sizeof(struct bucket), l->config.sources);
	l->hosts = lru_new(ENDPOINT_KEY_LEN, sizeof(struct bucket), l->config.sources);
	// a source is in the map as long as it has a slot, so none is ever forgotten
	l->half_open_sources = lru_new(ENDPOINT_KEY_LEN, sizeof(size_t), l->config.half_open + 1);
	l->requests = mem_alloc_array(l->config.requests + l->config.requests_known,
				      sizeof l->requests[0]);
	return l;
}

void limits_free(struct limits *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < LIMIT_KIND_COUNT; i++)
		lru_free(l->sources[i]);
	lru_free(l->hosts);
	lru_free(l->half_open_sources);
	free(l->requests);
	free(l);
}

// --- token buckets -------------------------------------------------------------------------------

// How long until the bucket holds a token.
static int64_t bucket_wait(struct bucket *b, const struct limit_rate *rate, int64_t now_ms)
{
	int64_t full = rate->period_ms * rate->burst;
	if (rate->period_ms == 0)
		return 0;
	int64_t elapsed = now_ms > b->at_ms ? now_ms - b->at_ms : 0;
	if (!b->used || elapsed > full || b->level_ms + elapsed > full)
		b->level_ms = full;
	else
		b->level_ms += elapsed;
	if (!b->used || now_ms > b->at_ms)
		b->at_ms = now_ms;
	b->used = true;
	return b->level_ms >= rate->period_ms ? 0 : rate->period_ms - b->level_ms;
}

static void bucket_take(struct bucket *b, const struct limit_rate *rate)
{
	b->level_ms -= rate->period_ms;
}

static int64_t window_wait(const struct window *w, const struct limit_window *limit, int64_t now_ms)
{
	if (limit->most == 0 || w->count < limit->most)
		return 0;
	int64_t oldest = w->at_ms[w->next];
	// a clock that runs back waits, one that leaps does not overflow
	if (now_ms <= oldest)
		return limit->span_ms;
	return now_ms - oldest >= limit->span_ms ? 0 : limit->span_ms - (now_ms - oldest);
}

static void window_take(struct window *w, const struct limit_window *limit, int64_t now_ms)
{
	if (limit->most == 0)
		return;
	w->at_ms[w->next] = now_ms;
	w->next = (w->next + 1) % limit->most;
	if (w->count < limit->most)
		w->count++;
}

// --- claims --------------------------------------------------------------------------------------

// What has to hold a token for one call, with the waits. NULL: does not apply.
struct claim {
	struct bucket *all, *host, *own;
	const struct limit_rate *rate_all, *rate_host, *rate_own;
	struct window *window;
	int64_t wait_all, wait_host, wait_own;
};

static bool is_answer(enum limit_kind kind)
{
	return kind == LIMIT_LAN_ANSWER || kind == LIMIT_PROBE_ANSWER;
}

static void claim_common(struct limits *l, struct claim *c, enum limit_kind kind, bool known,
			 int64_t now_ms)
{
	if (is_answer(kind)) {
		if (known)
			return;
		c->window = &l->answers_all;
		c->wait_all = window_wait(c->window, &l->config.answers_all, now_ms);
		return;
	}
	bool apart = kind == LIMIT_HEAR && known;
	c->all = apart ? &l->hear_known : &l->all[kind];
	c->rate_all = apart ? &l->config.hear_known : &l->config.all[kind];
	c->wait_all = bucket_wait(c->all, c->rate_all, now_ms);
}

static void source_key(enum limit_kind kind, const struct addr *source,
		       uint8_t key[ENDPOINT_KEY_LEN])
{
	struct addr e = *source;
	if (kind == LIMIT_LIST || kind == LIMIT_INTRODUCE || kind == LIMIT_INVITE) // TCP: the port is the caller's choice
		e.port = 0;
	endpoint_key(&e, key);
}

static void claim_own(struct limits *l, struct claim *c, enum limit_kind kind,
		      const struct addr *source, int64_t now_ms)
{
	uint8_t key[ENDPOINT_KEY_LEN];
	if (kind == LIMIT_HEAR) {
		struct addr host = endpoint_host(source);
		endpoint_key(&host, key);
		c->host = lru_put(l->hosts, key);
		c->rate_host = &l->config.hear_host;
		c->wait_host = bucket_wait(c->host, c->rate_host, now_ms);
		if (c->wait_host > 0)
			return;
	}
	source_key(kind, source, key);
	c->own = lru_put(l->sources[kind], key);
	c->rate_own = &l->config.per_source[kind];
	c->wait_own = bucket_wait(c->own, c->rate_own, now_ms);
}

static struct claim claim_make(struct limits *l, enum limit_kind kind, const struct addr *source,
			       bool known, int64_t now_ms)
{
	struct claim c = {0};
	claim_common(l, &c, kind, known, now_ms);
	// where the common cap says no, a source is not worth remembering
	if (!known && c.wait_all == 0)
		claim_own(l, &c, kind, source, now_ms);
	return c;
}

enum limit_answer limits_take(struct limits *l, enum limit_kind kind, const struct addr *source,
			      bool known, int64_t now_ms)
{
	struct claim c = claim_make(l, kind, source, known, now_ms);
	if (c.wait_all > 0)
		return LIMIT_ALL;
	if (c.wait_host > 0)
		return LIMIT_HOST;
	if (c.wait_own > 0)
		return LIMIT_SOURCE;
	if (c.window)
		window_take(c.window, &l->config.answers_all, now_ms);
	if (c.all)
		bucket_take(c.all, c.rate_all);
	if (c.host)
		bucket_take(c.host, c.rate_host);
	if (c.own)
		bucket_take(c.own, c.rate_own);
	return LIMIT_PASS;
}

int64_t limits_wait_ms(struct limits *l, enum limit_kind kind, const struct addr *source,
		       bool known, int64_t now_ms)
{
	struct claim c = claim_make(l, kind, source, known, now_ms);
	int64_t wait = c.wait_all > c.wait_host ? c.wait_all : c.wait_host;
	return wait > c.wait_own ? wait : c.wait_own;
}

// --- slots ---------------------------------------------------------------------------------------

static void address_key(const struct addr *source, uint8_t key[ENDPOINT_KEY_LEN])
{
	struct addr e = *source;
	e.port = 0;
	endpoint_key(&e, key);
}

enum limit_answer limits_half_open_take(struct limits *l, const struct addr *source, bool known)
{
	uint8_t key[ENDPOINT_KEY_LEN];
	if (known) {
		if (l->half_open_known == l->config.half_open_known)
			return LIMIT_ALL;
		l->half_open_known++;
		return LIMIT_PASS;
	}
	address_key(source, key);
	size_t *count = lru_get(l->half_open_sources, key);
	if (count && *count >= l->config.half_open_source)
		return LIMIT_SOURCE;
	if (l->half_open == l->config.half_open)
		return LIMIT_ALL;
	if (!count)
		count = lru_put(l->half_open_sources, key);
	(*count)++;
	l->half_open++;
	return LIMIT_PASS;
}

void limits_half_open_give(struct limits *l, const struct addr *source, bool known)
{
	uint8_t key[ENDPOINT_KEY_LEN];
	if (known) {
		assert(l->half_open_known > 0);
		l->half_open_known--;
		return;
	}
	address_key(source, key);
	size_t *count = lru_get(l->half_open_sources, key);
	assert(count && *count > 0 && l->half_open > 0);
	if (--*count == 0)
		lru_remove(l->half_open_sources, key);
	l->half_open--;
}

static size_t request_position(const struct limits *l, const char *fingerprint)
{
	size_t i = 0;
	while (i < l->request_count && strcmp(l->requests[i].fingerprint, fingerprint) != 0)
		i++;
	return i;
}

enum limit_answer limits_request_take(struct limits *l, const char *fingerprint, bool known)
{
	size_t strange = l->request_count - l->request_count_known;
	assert(strlen(fingerprint) == PEER_FINGERPRINT_SIZE - 1);
	if (request_position(l, fingerprint) < l->request_count)
		return LIMIT_SOURCE;
	if (known ? l->request_count_known == l->config.requests_known
		  : strange == l->config.requests)
		return LIMIT_ALL;
	struct request *r = &l->requests[l->request_count++];
	memcpy(r->fingerprint, fingerprint, sizeof r->fingerprint);
	r->known = known;
	l->request_count_known += known;
	return LIMIT_PASS;
}

void limits_request_give(struct limits *l, const char *fingerprint)
{
	size_t i = request_position(l, fingerprint);
	assert(i < l->request_count);
	l->request_count_known -= l->requests[i].known;
	l->requests[i] = l->requests[--l->request_count];
}

size_t limits_sources(const struct limits *l, enum limit_kind kind)
{
	return lru_count(l->sources[kind]);
}

size_t limits_half_open(const struct limits *l)
{
	return l->half_open + l->half_open_known;
}

size_t limits_requests(const struct limits *l)
{
	return l->request_count;
}
