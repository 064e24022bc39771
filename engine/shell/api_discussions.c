// SPDX-License-Identifier: GPL-3.0-or-later
// The noun "discussions".
#include <stdlib.h>
#include <string.h>


#include "base/mem.h"
#include "pake/password.h"
#include "shell/call.h"
#include "shell/change.h"
#include "shell/conversation.h"
#include "shell/export.h"
#include "shell/joining.h"
#include "shell/opening.h"
#include "shell/shell.h"

#define CHARTER_STANDARD "all"

static enum err find(struct call *c, struct discussion **out)
{
	const char *text;
	enum err code = call_need_string(c, "discussion", &text);
	return code ? code : discussions_find(&c->engine->discussions, text, out, c->info);
}

static enum err answer(struct call *c, struct discussion *d, enum err code)
{
	if (code == OK)
		*c->out = discussion_view(d);
	return code;
}

// P2.4, P2.8. *out NULL where none was given. What is weak about it goes to the person, never to the log.
static enum err prepared_password(struct call *c, struct secret **out)
{
	struct secret *given = call_secret(c, "password");
	*out = NULL;
	enum err code = given ? password_prepare(secret_span(given), out, c->info) : OK;
	const char *weakness = given && code == OK ? password_weakness(secret_span(*out)) : NULL;
	if (weakness)
		engine_emit(c->engine, "warning", "warning", json_pack("{s:s+}", "text", "the password is weak: ", weakness));
	return code;
}

static enum err list(struct call *c)
{
	json_t *all = json_array();
	for (struct discussion *d = c->engine->discussions.first; d; d = d->next)
		if (!discussion_is_held_back(d))
			json_array_append_new(all, discussion_view(d));
	*c->out = all;
	return OK;
}

static enum err show(struct call *c)
{
	struct discussion *d = NULL;
	enum err code = find(c, &d);
	return code ? code : answer(c, d, OK);
}

// --- open ------------------------------------------------------------------------------------------------------------------------

// An open that waits for a discussion key: only where several come at once.
struct wish {
	struct engine *engine;
	struct pending *pending;
	struct key_waiter waiter;
	char other[41];
	enum handshake_mode mode;
	struct secret *password;
};

static enum err ask(struct engine *e, const char *other, enum handshake_mode mode, struct secret *password,
		    struct fresh_key *key, json_t **out, struct err_info *info)
{
	const struct opening_request request = {
		.other = other, .mode = mode, .charter = CHARTER_STANDARD, .password = password, .key = key};
	struct discussion *d = NULL;
	enum err code = opening_ask(e, &request, &d, info);
	if (code == OK)
		*out = discussion_view(d);
	return code;
}

static void wish_free(struct wish *w)
{
	secret_unref(w->password);
	free(w);
}

static void wish_forgotten(void *owner)
{
	struct wish *w = owner;
	w->pending = NULL;
}

static enum err check_may_ask(struct engine *e, const char *other, enum handshake_mode mode, struct err_info *info);

static void wish_granted(void *arg, enum err code, const struct err_info *info, struct fresh_key *key)
{
	struct wish *w = arg;
	struct err_info own;
	json_t *view = NULL;
	if (code == OK && w->pending) {
		info = &own;
		code = check_may_ask(w->engine, w->other, w->mode, &own);
		if (code == OK)
			code = ask(w->engine, w->other, w->mode, w->password, key, &view, &own);
	}
	fresh_key_fini(key);
	if (w->pending && code)
		pending_fail(w->pending, code, info);
	else if (w->pending)
		pending_reply(w->pending, view);
	wish_free(w);
}

static enum err wait_for_key(struct call *c, const char *other, enum handshake_mode mode, struct secret *password)
{
	struct wish *w = mem_alloc(sizeof *w);
	w->engine = c->engine;
	w->mode = mode;
	w->password = secret_ref(password);
	memcpy(w->other, other, sizeof w->other);
	w->pending = call_defer(c, wish_forgotten, w);
	spare_wait(&c->engine->spare, &w->waiter, wish_granted, w);
	return OK;
}

static enum err check_may_ask(struct engine *e, const char *other, enum handshake_mode mode, struct err_info *info)
{
	const struct peer *p = neighbours_get(&e->neighbours, other);
	if (!p)
		return err_set(info, ERR_NOT_FOUND, "no peer has the fingerprint %s any more", other);
	if (mode == HANDSHAKE_PINNED && !p->pinned)
		return err_set(info, ERR_BAD_PARAMS,
			       "the parameter 'password' is missing: %s has not been verified by one yet",
			       p->name[0] ? p->name : other);
	if (discussions_own_request(e, other, NULL))
		return err_set(info, ERR_WRONG_STATE, "a request to this peer is under way already");
	int64_t wait_ms = mode == HANDSHAKE_PASSWORD ? discussions_guess_wait_ms(e, other) : 0;
	if (wait_ms > 0)
		return err_set(info, ERR_REFUSED, "no guess of a password is left for this peer; the next one in %lld min",
			       (long long)(wait_ms / 60000 + 1));
	return OK;
}

static enum err open_with(struct call *c, const struct peer *p, struct secret *password)
{
	struct fresh_key key;
	char other[41];
	enum handshake_mode mode = password ? HANDSHAKE_PASSWORD : HANDSHAKE_PINNED;
	memcpy(other, p->fingerprint, sizeof other);
	enum err code = check_may_ask(c->engine, other, mode, c->info);
	if (code)
		return code;
	if (!spare_take(&c->engine->spare, &key))
		return wait_for_key(c, other, mode, password);
	code = ask(c->engine, other, mode, password, &key, c->out, c->info);
	fresh_key_fini(&key);
	return code;
}

static enum err open_(struct call *c)
{
	const struct peer *p;
	const char *text;
	struct secret *password = NULL;
	enum err code = identity_need(&c->engine->identity, c->info);
	if (code == OK)
		code = call_need_string(c, "peer", &text);
	if (code == OK)
		code = neighbours_find(&c->engine->neighbours, text, &p, c->info);
	if (code == OK)
		code = prepared_password(c, &password);
	if (code == OK)
		code = open_with(c, p, password);
	secret_unref(password);
	return code;
}

// --- the rest --------------------------------------------------------------------------------------------------------------------

static enum err accept_invitation(struct call *c, struct discussion *d)
{
	if (call_secret(c, "password"))
		return err_set(c->info, ERR_BAD_PARAMS, "an invitation is accepted without a password");
	return joining_accept(d, c->info);
}

static enum err accept(struct call *c)
{
	struct discussion *d = NULL;
	struct secret *password = NULL;
	enum err code = identity_need(&c->engine->identity, c->info);
	if (code == OK)
		code = find(c, &d);
	if (code == OK)
		code = lifecycle_allows(&d->life, LIFECYCLE_CALL_ACCEPT, c->info);
	if (code == OK && joining_is(d))
		return answer(c, d, accept_invitation(c, d));
	if (code == OK)
		code = prepared_password(c, &password);
	if (code == OK)
		code = opening_accept(d->opening, password, c->info);
	secret_unref(password);
	return answer(c, d, code);
}

static enum err refuse(struct call *c)
{
	struct discussion *d = NULL;
	enum err code = find(c, &d);
	if (code == OK)
		code = lifecycle_allows(&d->life, LIFECYCLE_CALL_REFUSE, c->info);
	if (code == OK && joining_is(d)) {
		const char *reason = call_string(c, "reason");
		return answer(c, d, joining_refuse(d, reason ? reason : "", c->info));
	}
	if (code == OK)
		opening_end(d->opening, HANDSHAKE_REASON_REFUSED);
	return answer(c, d, code);
}

static enum err close_(struct call *c)
{
	struct discussion *d = NULL;
	enum err code = identity_need(&c->engine->identity, c->info);
	if (code == OK)
		code = find(c, &d);
	if (code == OK)
		code = lifecycle_allows(&d->life, LIFECYCLE_CALL_CLOSE, c->info);
	if (code == OK && joining_is(d))
		return answer(c, d, joining_refuse(d, "", c->info));
	if (code == OK)
		code = discussion_step(d, LIFECYCLE_CLOSE, LIFECYCLE_NO_REASON, c->info);
	return answer(c, d, code);
}

// With two members leaving is closing.
static enum err leave(struct call *c)
{
	struct discussion *d = NULL;
	enum err code = identity_need(&c->engine->identity, c->info);
	if (code == OK)
		code = find(c, &d);
	if (code || d->life.members < 3)
		return code ? code : close_(c);
	code = lifecycle_allows(&d->life, LIFECYCLE_CALL_LEAVE, c->info);
	if (code == OK && !d->conversation)
		code = err_set(c->info, ERR_WRONG_STATE, "the discussion cannot go on");
	return code ? code : change_leave(d->conversation, c);
}

static enum err forget(struct call *c)
{
	struct discussion *d = NULL;
	enum err code = find(c, &d);
	if (code == OK)
		code = lifecycle_allows(&d->life, LIFECYCLE_CALL_FORGET, c->info);
	// the farewell, and what was sent before it, is still to be delivered (P3.8)
	if (code == OK && d->conversation)
		code = err_set(c->info, ERR_WRONG_STATE,
			       "the other side has not been told of the end yet; try again when it has, or after a day");
	if (code == OK)
		code = store_discussion_forget(c->engine->store, d->row.id, c->info);
	if (code)
		return code;
	discussions_remove(&c->engine->discussions, d);
	*c->out = json_object();
	return OK;
}

static enum err export(struct call *c)
{
	struct discussion *d = NULL;
	const char *path;
	enum err code = identity_need(&c->engine->identity, c->info);
	if (code == OK)
		code = find(c, &d);
	if (code == OK)
		code = call_need_string(c, "path", &path);
	return code ? code : export_start(d, c, path);
}

const struct method methods_discussions[] = {
	{"discussions.open", open_},   {"discussions.accept", accept}, {"discussions.refuse", refuse},
	{"discussions.list", list},    {"discussions.show", show},     {"discussions.close", close_},
	{"discussions.leave", leave},  {"discussions.forget", forget}, {"discussions.export", export},
	{NULL, NULL},
};
