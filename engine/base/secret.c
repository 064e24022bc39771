// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/secret.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/mem.h"

#define TRIAL_LEN 65536 // as much as a handful of secrets, each with a page of its own, takes

struct secret {
	uint8_t *data;
	size_t len;
	unsigned refs;
};

// sodium_malloc aborts before this; whoever links the engine, a program or a module for specs, cannot forget it so
__attribute__((constructor)) static void prepare_sodium(void)
{
	if (sodium_init() < 0) {
		fputs("sotto: libsodium does not start\n", stderr);
		abort();
	}
}

struct secret *secret_new(size_t len)
{
	struct secret *s = mem_alloc(sizeof *s);
	s->data = sodium_malloc(len ? len : 1);
	if (!s->data) {
		fputs("sotto: no locked memory left\n", stderr);
		abort();
	}
	sodium_memzero(s->data, len ? len : 1);
	s->len = len;
	s->refs = 1;
	return s;
}

struct secret *secret_copy(struct span from)
{
	struct secret *s = secret_new(from.len);
	if (from.len)
		memcpy(s->data, from.data, from.len);
	return s;
}

struct secret *secret_ref(struct secret *s)
{
	if (s)
		s->refs++;
	return s;
}

void secret_unref(struct secret *s)
{
	if (!s)
		return;
	assert(s->refs > 0);
	if (--s->refs)
		return;
	sodium_free(s->data); // wipes
	free(s);
}

uint8_t *secret_data(struct secret *s)
{
	return s->data;
}

struct span secret_span(const struct secret *s)
{
	return s ? span(s->data, s->len) : span(NULL, 0);
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && sodium_memcmp(a->data, b->data, a->len) == 0;
}

bool secret_memory_locks(void)
{
	// sodium_malloc goes on where mlock fails, and tells nobody
	uint8_t *page = mmap(NULL, TRIAL_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return false;
	bool locks = mlock(page, TRIAL_LEN) == 0;
	munmap(page, TRIAL_LEN);
	return locks;
}

void secret_harden_process(void)
{
	const struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}
