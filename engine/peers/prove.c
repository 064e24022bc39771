// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/prove.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/encode.h"
#include "base/mem.h"
#include "peers/lru.h"

#define CHECK_FIXED_MAX 256 // what an identity hashes beside certification and certificate

const struct prove_config prove_standard = {
	.queue = 256,
	.queue_known = 256,
	.per_source = 8,
	.per_host = 64,
	.parallel = 2,
	.remembered = 4096,
	.size_max = 12 * 1024,
};

struct job {
	struct prove_check check; // first: prove_done gets its address back
	struct hash id;
	TAILQ_ENTRY(job) order;
};

TAILQ_HEAD(job_list, job);

struct prove {
	struct prove_config config;
	struct limits *limits;
	struct job_list known, strangers, running;
	size_t known_count, stranger_count, running_count;
	// Apart, so that a flood of bad ones does not push out what cost us something to find good.
	struct lru *good, *bad;
};

struct prove *prove_new(const struct prove_config *config, struct limits *limits)
{
	struct prove *p = mem_alloc(sizeof *p);
	p->config = config ? *config : prove_standard;
	p->limits = limits;
	TAILQ_INIT(&p->known);
	TAILQ_INIT(&p->strangers);
	TAILQ_INIT(&p->running);
	p->good = lru_new(HASH_LEN, 1, p->config.remembered);
	p->bad = lru_new(HASH_LEN, 1, p->config.remembered);
	return p;
}

static void job_free(struct job *job)
{
	bytes_unref(job->check.certification);
	bytes_unref(job->check.certificate);
	free(job);
}

static void list_free(struct job_list *list)
{
	struct job *job;
	while ((job = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, job, order);
		job_free(job);
	}
}

void prove_free(struct prove *p)
{
	if (!p)
		return;
	list_free(&p->known);
	list_free(&p->strangers);
	list_free(&p->running);
	lru_free(p->good);
	lru_free(p->bad);
	free(p);
}

static size_t size_of(const struct prove_check *c)
{
	return bytes_span(c->certification).len + bytes_span(c->certificate).len;
}

// Everything that the verdict depends on.
static struct hash identity(const struct prove *p, const struct prove_check *c)
{
	struct buf b;
	uint8_t since[8];
	be64_put(since, (uint64_t)c->since_ms);
	buf_init(&b, p->config.size_max + CHECK_FIXED_MAX);
	enum err code = LV_CAT(&b, span_string(c->fingerprint), span(c->key, sizeof c->key),
			       span(since, sizeof since), bytes_span(c->certification),
			       bytes_span(c->certificate));
	assert(code == OK);
	(void)code;
	struct hash id = hash_of(buf_span(&b));
	buf_fini(&b);
	return id;
}

static struct job *list_find(const struct job_list *list, const struct hash *id)
{
	struct job *job;
	TAILQ_FOREACH (job, list, order)
		if (hash_equal(&job->id, id))
			return job;
	return NULL;
}

static bool has_room(const struct prove *p, const struct prove_check *c)
{
	struct addr host = endpoint_host(&c->source);
	size_t of_source = 0, of_host = 0;
	const struct job *job;
	if (c->known)
		return p->known_count < p->config.queue_known;
	TAILQ_FOREACH (job, &p->strangers, order) {
		struct addr other = endpoint_host(&job->check.source);
		of_source += addr_equal(&job->check.source, &c->source);
		of_host += addr_equal(&other, &host);
	}
	return p->stranger_count < p->config.queue && of_source < p->config.per_source &&
	       of_host < p->config.per_host;
}

static void enqueue(struct prove *p, struct job *job)
{
	if (job->check.known) {
		TAILQ_INSERT_TAIL(&p->known, job, order);
		p->known_count++;
	} else {
		TAILQ_INSERT_TAIL(&p->strangers, job, order);
		p->stranger_count++;
	}
}

static void dequeue(struct prove *p, struct job *job)
{
	if (job->check.known) {
		TAILQ_REMOVE(&p->known, job, order);
		p->known_count--;
	} else {
		TAILQ_REMOVE(&p->strangers, job, order);
		p->stranger_count--;
	}
}

enum prove_answer prove_submit(struct prove *p, const struct prove_check *check)
{
	if (size_of(check) > p->config.size_max)
		return PROVE_IS_BAD;
	struct hash id = identity(p, check);
	if (lru_get(p->good, &id))
		return PROVE_IS_GOOD;
	if (lru_get(p->bad, &id))
		return PROVE_IS_BAD;
	if (list_find(&p->known, &id) || list_find(&p->running, &id))
		return PROVE_WAITING;
	struct job *job = list_find(&p->strangers, &id);
	bool room = (job && !check->known) || has_room(p, check);
	if (job && check->known && room) {
		dequeue(p, job);
		job->check.known = true;
		enqueue(p, job);
	}
	if (job)
		return PROVE_WAITING;
	if (!room)
		return PROVE_FULL;
	job = mem_alloc(sizeof *job);
	job->check = *check;
	job->id = id;
	bytes_ref(check->certification);
	bytes_ref(check->certificate);
	enqueue(p, job);
	return PROVE_QUEUED;
}

// The first that its source's and the common pace allow. *wait_ms is lowered to when one will be.
static struct job *first_ready(struct prove *p, const struct job_list *list, int64_t now_ms,
			       int64_t *wait_ms)
{
	struct job *job;
	TAILQ_FOREACH (job, list, order) {
		const struct prove_check *c = &job->check;
		enum limit_answer answer =
			limits_take(p->limits, LIMIT_GPG, &c->source, c->known, now_ms);
		if (answer == LIMIT_PASS)
			return job;
		int64_t wait = limits_wait_ms(p->limits, LIMIT_GPG, &c->source, c->known, now_ms);
		if (*wait_ms < 0 || wait < *wait_ms)
			*wait_ms = wait;
		if (answer == LIMIT_ALL)
			return NULL;
	}
	return NULL;
}

const struct prove_check *prove_next(struct prove *p, int64_t now_ms, int64_t *wait_ms)
{
	*wait_ms = -1;
	if (p->running_count == p->config.parallel)
		return NULL;
	struct job *job = first_ready(p, &p->known, now_ms, wait_ms);
	if (!job)
		job = first_ready(p, &p->strangers, now_ms, wait_ms);
	if (!job)
		return NULL;
	dequeue(p, job);
	TAILQ_INSERT_TAIL(&p->running, job, order);
	p->running_count++;
	return &job->check;
}

void prove_done(struct prove *p, const struct prove_check *check, enum prove_verdict verdict)
{
	struct job *job = (struct job *)(void *)check;
	TAILQ_REMOVE(&p->running, job, order);
	p->running_count--;
	if (verdict != PROVE_UNDECIDED)
		lru_put(verdict == PROVE_GOOD ? p->good : p->bad, &job->id);
	job_free(job);
}

size_t prove_queued(const struct prove *p)
{
	return p->known_count + p->stranger_count;
}

size_t prove_running(const struct prove *p)
{
	return p->running_count;
}
