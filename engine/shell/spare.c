// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/spare.h"

#include <string.h>

#include "base/log.h"
#include "shell/shell.h"

#define RETRY_FIRST_MS 5000 // doubles
#define RETRY_LAST_MS 60000
#define REST_MS 1000 // after a take: the opening that it is for has the processors first

static void ignore_destroyed(void *arg, enum err code, const struct err_info *info)
{
	(void)arg;
	if (code)
		log_warn("a key's home is not wholly gone: %s", info->text);
}

void fresh_key_fini(struct fresh_key *k)
{
	if (k->home)
		home_destroy_start(k->home, ignore_destroyed, NULL);
	bytes_unref(k->certificate);
	memset(k, 0, sizeof *k);
}

void spare_init(struct spare *s, struct engine *e)
{
	s->engine = e;
}

static struct key_waiter *next_waiter(struct spare *s)
{
	struct key_waiter *w = s->first;
	if (w)
		spare_cancel(w);
	return w;
}

void spare_cancel(struct key_waiter *w)
{
	if (!w->link)
		return;
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	w->link = NULL;
}

// The list's end is found by walking: it is as long as there are people who open discussions at this moment.
static void append(struct spare *s, struct key_waiter *w)
{
	struct key_waiter **end = &s->first;
	while (*end)
		end = &(*end)->next;
	w->next = NULL;
	w->link = end;
	*end = w;
}

static void fail_waiters(struct spare *s, enum err code, const struct err_info *info)
{
	for (struct key_waiter *w; (w = next_waiter(s));) {
		struct fresh_key none = {0};
		w->callback(w->arg, code, info, &none);
	}
}

static void retry(void *arg)
{
	spare_fill(arg);
}

// Said once, however long it goes on.
static void failed(struct spare *s, const struct err_info *info)
{
	log_write(s->retry_ms ? LOG_DEBUG : LOG_WARN, "no discussion key could be made: %s", info->text);
	s->retry_ms = s->retry_ms ? s->retry_ms * 2 : RETRY_FIRST_MS;
	if (s->retry_ms > RETRY_LAST_MS)
		s->retry_ms = RETRY_LAST_MS;
}

static void made(void *arg, enum err code, const struct err_info *info, const struct key_result *result)
{
	struct spare *s = arg;
	s->job = NULL;
	s->running = false;
	struct fresh_key key = {0};
	if (code == OK) {
		s->retry_ms = 0;
		key.home = result->home;
		key.certificate = bytes_ref(result->certificate);
		key.info = *result->certificate_info;
	} else if (code != ERR_CANCELED) {
		failed(s, info);
	}
	struct key_waiter *w = next_waiter(s);
	if (w) {
		w->callback(w->arg, code, info, &key);
		spare_fill(s);
	} else if (code == OK) {
		s->key = key;
		s->present = true;
	} else if (code != ERR_CANCELED) {
		timer_start(s->engine->loop, &s->retry, s->retry_ms, retry, s);
	}
}

void spare_fill(struct spare *s)
{
	struct err_info info;
	struct engine *e = s->engine;
	if (s->running || (s->present && !s->first) || e->stopping || e->identity.state != IDENTITY_READY)
		return;
	if (s->present) {
		struct key_waiter *w = next_waiter(s);
		struct fresh_key key = s->key;
		s->present = false;
		w->callback(w->arg, OK, NULL, &key);
	}
	const struct key_call call = {.gpg = e->gpg, .homes = e->homes, .done = made, .arg = s};
	enum err code = key_make_discussion_start(&call, &s->job, &info);
	if (code) {
		failed(s, &info);
		fail_waiters(s, code, &info); // on a full disk, say: whoever waits is told rather than kept
		timer_start(e->loop, &s->retry, s->retry_ms, retry, s);
		return;
	}
	s->running = true;
}

bool spare_take(struct spare *s, struct fresh_key *out)
{
	if (!s->present || s->first)
		return false;
	*out = s->key;
	s->present = false;
	memset(&s->key, 0, sizeof s->key);
	timer_start(s->engine->loop, &s->retry, REST_MS, retry, s);
	return true;
}

void spare_wait(struct spare *s, struct key_waiter *w,
		void (*callback)(void *arg, enum err code, const struct err_info *info, struct fresh_key *key),
		void *arg)
{
	w->callback = callback;
	w->arg = arg;
	append(s, w);
	if (!s->running)
		timer_start(s->engine->loop, &s->retry, 0, retry, s);
}

void spare_fini(struct spare *s)
{
	timer_cancel(s->engine->loop, &s->retry);
	if (s->job)
		key_job_cancel(s->job);
	struct err_info info;
	err_set(&info, ERR_CANCELED, "the core is stopping");
	fail_waiters(s, ERR_CANCELED, &info);
	if (s->present)
		fresh_key_fini(&s->key);
	s->present = false;
}
