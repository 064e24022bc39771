// SPDX-License-Identifier: GPL-3.0-or-later
// The own key: when it is replaced, and when an old one's secret dies.
#include "shell/rekeying.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/rekeying_parts.h"
#include "shell/shell.h"

#define MINUTE_MS 60000
#define AGAIN_MS MINUTE_MS // after a failure
// In a flood a key would be worn out each second, and each one is a subkey more in everybody's keyring: so many in a row, then one a minute.
#define TOKENS_MAX 5

// The next own key, being made; outlives the conversation by a turn when that is stopped.
struct making {
	struct rekeying *rekeying; // NULL: stopped
	struct key_job *job;
};

// --- the next one ----------------------------------------------------------------------------------------------------------------

static void on_due(void *arg);

static void try_later(struct rekeying *r)
{
	timer_start(r->conversation->engine->loop, &r->due, AGAIN_MS, on_due, r);
}

static void tell(struct rekeying *r, struct bytes *certificate)
{
	struct outbox_event event = {.type = OUTBOX_EVENT_REKEY, .rekey = {.certificate = certificate}};
	sending_feed(r->conversation, &event);
}

static void made(void *arg, enum err code, const struct err_info *info, const struct key_result *result)
{
	struct making *m = arg;
	struct rekeying *r = m->rekeying;
	free(m);
	if (!r)
		return;
	r->making = NULL;
	if (code) {
		log_write(code == ERR_CANCELED ? LOG_DEBUG : LOG_WARN, "no new key for the discussion %.8s: %s",
			  r->conversation->discussion->row.id, info->text);
		try_later(r);
		return;
	}
	tell(r, result->certificate);
}

static bool may_begin(struct rekeying *r)
{
	const struct conversation *c = r->conversation;
	const struct engine *e = c->engine;
	return !c->present && c->discussion->home && !discussion_has_ended(c->discussion) && !e->stopping &&
	       e->identity.state == IDENTITY_READY && !r->making && !outbox_is_rekeying(c->outbox) &&
	       r->own_count < REKEYING_OWN_MAX;
}

static bool take_token(struct rekeying *r)
{
	int64_t now = loop_now_ms(r->conversation->engine->loop);
	int64_t more = (now - r->tokens_at) / MINUTE_MS;
	if (more > 0) {
		r->tokens = more > TOKENS_MAX ? TOKENS_MAX : r->tokens + (unsigned)more;
		r->tokens = r->tokens > TOKENS_MAX ? TOKENS_MAX : r->tokens;
		r->tokens_at = now;
	}
	if (r->tokens == 0)
		return false;
	r->tokens--;
	return true;
}

static bool begin(struct rekeying *r)
{
	struct err_info info;
	struct conversation *c = r->conversation;
	struct engine *e = c->engine;
	if (!may_begin(r) || !take_token(r))
		return false;
	struct making *m = mem_alloc(sizeof *m);
	const struct key_call call = {.gpg = e->gpg, .homes = e->homes, .done = made, .arg = m};
	m->rekeying = r;
	if (key_subkey_start(&call, c->discussion->home, r->certificate, &m->job, &info)) {
		log_warn("no new key for the discussion %.8s: %s", c->discussion->row.id, info.text);
		free(m);
		return false;
	}
	r->making = m;
	return true;
}

static void on_due(void *arg)
{
	struct rekeying *r = arg;
	if (!begin(r) && !discussion_has_ended(r->conversation->discussion))
		try_later(r);
}

static void start_due(struct rekeying *r)
{
	struct engine *e = r->conversation->engine;
	int64_t now = clock_now_ms(e->clock), from = r->used_from ? r->used_from : now;
	int64_t left = from + e->options.rekey_minutes * MINUTE_MS - now;
	if (e->options.rekey_minutes && !timer_running(&r->due))
		timer_start(e->loop, &r->due, left > 0 ? left : 0, on_due, r);
}

void rekeying_accepted(struct conversation *c)
{
	struct rekeying *r = c->rekeying;
	int64_t limit = c->engine->options.rekey_payloads;
	if (c->present)
		return;
	if (r->used++ == 0)
		start_due(r);
	if (limit && r->used >= (uint64_t)limit)
		(void)begin(r); // else with one of the next
	if (r->own_count > 1)
		rekeying_bury(r);
}

// --- old ones ----------------------------------------------------------------------------------------------------------------------

// Everybody has said, in a payload that is on disk here, that it knows the one that came after: whatever it seals from now on is not for the
// old one, and what it had sealed before is here.
static bool is_covered(const struct rekeying *r, const struct own_key *k)
{
	const struct conversation *c = r->conversation;
	for (size_t i = 0; i < c->count; i++)
		if (i != c->own && transcript_covered(c->transcript, i) < k->replaced)
			return false;
	return k->replaced > 0;
}

static void on_death(void *arg)
{
	rekeying_bury(arg);
}

// Whether it is gone.
static bool bury(struct rekeying *r, size_t i)
{
	struct err_info info;
	struct conversation *c = r->conversation;
	if (c->discussion->home && home_erase_key(c->discussion->home, r->own[i].grip, &info)) {
		log_error("an old key of the discussion %.8s is still there: %s", c->discussion->row.id, info.text);
		return false;
	}
	metrics_count(&c->engine->metrics, "discussion_keys_replaced", "destroyed");
	rekeying_drop_own(r, i);
	return true;
}

void rekeying_bury(struct rekeying *r)
{
	struct engine *e = r->conversation->engine;
	int64_t now = clock_now_ms(e->clock), next = INT64_MAX;
	for (size_t i = 0; i + 1 < r->own_count;) {
		const struct own_key *k = &r->own[i];
		bool dead = now >= k->dies || (r->conversation->transcript && is_covered(r, k));
		if (dead && bury(r, i))
			continue;
		int64_t left = dead ? AGAIN_MS : k->dies - now;
		next = left < next ? left : next;
		i++;
	}
	if (next == INT64_MAX)
		timer_cancel(e->loop, &r->death);
	else
		timer_start(e->loop, &r->death, next, on_death, r);
}

void rekeying_told(struct conversation *c, uint64_t sequence, struct bytes *certificate)
{
	struct rekeying *r = c->rekeying;
	struct err_info info;
	if (rekeying_push_own(r, certificate, sequence, clock_now_ms(c->engine->clock), &info)) {
		log_error("an own key of the discussion %.8s is not usable: %s", c->discussion->row.id, info.text);
		return;
	}
	rekeying_spread(c, c->own, r->own[r->own_count - 1].id);
	r->used = 0;
	r->used_from = 0;
	timer_cancel(c->engine->loop, &r->due);
	metrics_count(&c->engine->metrics, "discussion_keys_replaced", "told");
	rekeying_bury(r);
}

struct span rekeying_says(const struct conversation *c)
{
	const struct rekeying *r = c->rekeying;
	return r->is_roster_key ? span(NULL, 0) : bytes_span(r->certificate);
}

// --- its end ---------------------------------------------------------------------------------------------------------------------

void rekeying_fini(struct conversation *c)
{
	struct rekeying *r = c->rekeying;
	if (!r)
		return;
	c->rekeying = NULL;
	timer_cancel(c->engine->loop, &r->due);
	timer_cancel(c->engine->loop, &r->death);
	if (r->making) {
		r->making->rekeying = NULL;
		key_job_cancel(r->making->job);
	}
	rekeying_cancel_intakes(r);
	bytes_unref(r->certificate);
	rekeys_free(r->keys);
	free(r);
}
