// SPDX-License-Identifier: GPL-3.0-or-later
// Other members' new keys: from their payloads, and from what they say on links.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/past.h"
#include "shell/rekeying.h"
#include "shell/rekeying_parts.h"
#include "shell/shell.h"

// One certificate on its way into the home; outlives the conversation by a turn when that is stopped.
struct intake {
	struct rekeying *rekeying; // NULL: stopped
	struct intake *next, **link;
	size_t member;
	uint64_t ticket; // of a REKEY; 0: said on a link
	uint64_t key;
	struct gpg_op *op;
};

static void tell(struct conversation *c, uint64_t ticket, enum err code, uint64_t key)
{
	const struct transcript_event event = {.type = TRANSCRIPT_EVENT_REKEYED,
					       .rekeyed = {.ticket = ticket, .code = code, .key = key}};
	receiving_feed(c, &event);
}

static void key_learned(struct conversation *c, size_t member)
{
	struct outbox_event event = {.type = OUTBOX_EVENT_KEY_LEARNED, .member = member};
	if (c->outbox)
		sending_feed(c, &event);
}

// What one epoch brings counts in all that are looked after, as if these were opened now (rekeying_store.c): in a later one from its
// start; of an earlier one only what is missing is opened, and sealed anew.
void rekeying_spread(struct conversation *from, size_t member, uint64_t key)
{
	const struct store_member *m = &from->members[member];
	for (struct conversation *c = from->present ? from->present : from; c; c = past_after(c)) {
		size_t at = roster_position(c->roster, m->fingerprint);
		if (c == from || at == ROSTER_NOBODY ||
		    strcmp(c->members[at].certificate_fingerprint, m->certificate_fingerprint) != 0)
			continue; // of another membership
		if (!rekeys_add(c->rekeying->keys, at, c->epoch > from->epoch ? 0 : REKEY_SAID, key))
			log_warn("a key of %.8s is one too many", m->fingerprint);
		else if (at != c->own)
			key_learned(c, at);
	}
}

static struct intake *intake_new(struct rekeying *r, size_t member, uint64_t ticket, uint64_t key)
{
	struct intake *in = mem_alloc(sizeof *in);
	*in = (struct intake){.rekeying = r, .member = member, .ticket = ticket, .key = key, .next = r->intakes, .link = &r->intakes};
	if (in->next)
		in->next->link = &in->next;
	r->intakes = in;
	r->said += ticket == 0;
	return in;
}

static void unlink_intake(struct intake *in)
{
	*in->link = in->next;
	if (in->next)
		in->next->link = in->link;
	in->rekeying->said -= in->ticket == 0;
}

static void finish(struct intake *in, enum err code, const struct err_info *info)
{
	struct rekeying *r = in->rekeying;
	const struct intake taken = *in;
	if (r)
		unlink_intake(in);
	free(in);
	if (!r)
		return;
	struct conversation *c = r->conversation;
	if (code)
		log_info("a new key of %.8s could not be taken: %s", c->members[taken.member].fingerprint, info->text);
	if (taken.ticket) {
		tell(c, taken.ticket, code, taken.key);
		return;
	}
	if (code == OK && !rekeys_add(r->keys, taken.member, REKEY_SAID, taken.key))
		log_info("a new key of %.8s is another's", c->members[taken.member].fingerprint);
	else if (code == OK)
		rekeying_spread(c, taken.member, taken.key);
	key_learned(c, taken.member);
	if (r->said == 0)
		sending_seal_delayed(c);
}

static void on_tried(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	(void)result;
	finish(arg, code, info);
}

// gpg says nothing of a subkey that it has not taken, for its binding does not hold, say: whether messages can be sealed to it shows in one.
static void on_imported(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct intake *in = arg;
	struct err_info why = *info;
	(void)result;
	in->op = NULL;
	if (code == OK && !in->rekeying)
		code = err_set(&why, ERR_CANCELED, "canceled");
	if (code == OK && !in->rekeying->conversation->discussion->home)
		code = err_set(&why, ERR_CANCELED, "its home is gone");
	if (code == OK) {
		const struct conversation *c = in->rekeying->conversation;
		const struct gpg_call call = {.gpg = c->engine->gpg, .home = c->discussion->home, .done = on_tried, .arg = in};
		struct bytes *probe = bytes_new_span(span_string("sotto"));
		code = gpg_seal_start(&call, probe, &in->key, 1, &in->op, &why);
		bytes_unref(probe);
	}
	if (code)
		finish(in, code, &why);
}

static enum err check(const struct conversation *c, size_t member, struct bytes *certificate, uint64_t *key,
		      struct err_info *info)
{
	struct certificate_info found;
	enum err e = discussion_certificate_check(bytes_span(certificate), &found, info);
	if (e)
		return e;
	if (strcmp(found.primary.fingerprint, c->members[member].certificate_fingerprint) != 0)
		return err_set(info, ERR_BAD_INPUT, "it is bound to another key");
	*key = found.subkeys[0].id;
	for (size_t i = 0; i < c->count; i++)
		if (i != member && rekeys_knows(c->rekeying->keys, i, *key))
			return err_set(info, ERR_BAD_INPUT, "it is another member's");
	return OK;
}

static enum err begin(struct conversation *c, size_t member, uint64_t ticket, struct bytes *certificate, uint64_t key,
		      struct err_info *info)
{
	if (!c->discussion->home)
		return err_set(info, ERR_CANCELED, "its home is gone");
	struct intake *in = intake_new(c->rekeying, member, ticket, key);
	const struct gpg_call call = {.gpg = c->engine->gpg, .home = c->discussion->home, .done = on_imported, .arg = in};
	enum err e = gpg_import_start(&call, certificate, &in->op, info);
	if (e) {
		unlink_intake(in);
		free(in);
	}
	return e;
}

void rekeying_take(struct conversation *c, size_t member, uint64_t ticket, struct bytes *certificate)
{
	struct err_info info;
	uint64_t key = 0;
	enum err e = check(c, member, certificate, &key, &info);
	if (e == OK && !rekeys_knows(c->rekeying->keys, member, key)) {
		e = begin(c, member, ticket, certificate, key, &info);
		if (e == OK)
			return;
	}
	if (e)
		log_info("a new key of %.8s could not be taken: %s", c->members[member].fingerprint, info.text);
	tell(c, ticket, e, key);
}

void rekeying_heard(struct conversation *c, size_t member, struct bytes *certificate)
{
	struct err_info info;
	uint64_t key;
	if (!certificate || member >= c->count) // a former member's matters to nobody
		return;
	enum err e = check(c, member, certificate, &key, &info);
	if (e == OK && !rekeys_knows(c->rekeying->keys, member, key))
		e = begin(c, member, 0, certificate, key, &info);
	if (e)
		log_info("a new key of %.8s could not be taken: %s", c->members[member].fingerprint, info.text);
}

bool rekeying_delays(const struct conversation *c)
{
	return c->rekeying && c->rekeying->said > 0;
}

void rekeying_learned(struct conversation *c, size_t member, uint64_t sequence, uint64_t key)
{
	if (!rekeys_add(c->rekeying->keys, member, sequence, key))
		log_warn("a key of %.8s is one too many", c->members[member].fingerprint);
	rekeying_spread(c, member, key);
	metrics_count(&c->engine->metrics, "discussion_keys_replaced", "learned");
	key_learned(c, member);
}

void rekeying_cancel_intakes(struct rekeying *r)
{
	for (struct intake *in = r->intakes, *next; in; in = next) {
		next = in->next;
		unlink_intake(in);
		in->rekeying = NULL;
		if (in->op)
			gpg_op_cancel(in->op);
	}
}
