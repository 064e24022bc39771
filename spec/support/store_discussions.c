// SPDX-License-Identifier: GPL-3.0-or-later
// The part of support.store for discussions, epochs, members, payloads, heads and acknowledgements
// (store.c).
#include "spec/support/store_values.h"
#include "store/discussions.h"
#include "store/epochs.h"
#include "store/joinings.h"
#include "store/proofs.h"
#include "store/payloads.h"
#include "store/rekeys.h"

// --- discussions, epochs, members ---------------------------------------------------------------

static void get_discussion(lua_State *L, struct store_discussion *d)
{
	memset(d, 0, sizeof *d);
	get_text(L, 2, "id", d->id, sizeof d->id);
	get_text(L, 2, "state", d->state, sizeof d->state);
	get_text(L, 2, "reason", d->reason, sizeof d->reason);
	get_text(L, 2, "mode", d->mode, sizeof d->mode);
	get_text(L, 2, "role", d->role, sizeof d->role);
	get_text(L, 2, "charter", d->charter, sizeof d->charter);
	get_text(L, 2, "home", d->home, sizeof d->home);
	d->created = get_int(L, 2, "created");
	d->opened = get_int(L, 2, "opened");
	d->ended = get_int(L, 2, "ended");
	d->suspended_at = get_int(L, 2, "suspended_at");
	d->epoch = (uint32_t)get_int(L, 2, "epoch");
	d->has_h0 = get_exact(L, 2, "h0", d->h0.bytes, sizeof d->h0.bytes);
	get_addresses(L, 2, "hints", &d->hints);
	d->certificate = get_bytes(L, 2, "certificate");
}

static void push_discussion(lua_State *L, const struct store_discussion *d)
{
	lua_newtable(L);
	set_text(L, "id", d->id);
	set_text(L, "state", d->state);
	set_text(L, "reason", d->reason);
	set_text(L, "mode", d->mode);
	set_text(L, "role", d->role);
	set_text(L, "charter", d->charter);
	set_text(L, "home", d->home);
	set_int(L, "created", d->created);
	set_int(L, "opened", d->opened);
	set_int(L, "ended", d->ended);
	set_int(L, "suspended_at", d->suspended_at);
	set_int(L, "epoch", d->epoch);
	if (d->has_h0)
		set_span(L, "h0", hash_span(&d->h0));
	set_text(L, "read_marker", d->read_marker);
	set_addresses(L, "hints", &d->hints);
	set_bytes(L, "certificate", d->certificate);
}

static int discussion_create(lua_State *L)
{
	struct err_info info = {0};
	struct store_discussion d;
	get_discussion(L, &d);
	enum err e = store_discussion_create(to_store(L), &d, &info);
	store_discussion_fini(&d);
	return answer(L, e, &info);
}

static int discussion_update(lua_State *L)
{
	struct err_info info = {0};
	struct store_discussion d;
	get_discussion(L, &d);
	enum err e = store_discussion_update(to_store(L), &d, &info);
	store_discussion_fini(&d);
	return answer(L, e, &info);
}

static int discussion_get(lua_State *L)
{
	struct err_info info = {0};
	struct store_discussion d;
	enum err e = store_discussion_get(to_store(L), luaL_checkstring(L, 2), &d, &info);
	if (e)
		return answer(L, e, &info);
	push_discussion(L, &d);
	store_discussion_fini(&d);
	return 1;
}

static bool visit_discussion(void *arg, const struct store_discussion *d)
{
	struct visit *v = arg;
	push_discussion(v->L, d);
	return visited(v);
}

static int discussion_each(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	struct visit v = begin_visit(L, 2);
	return end_visit(&v, store_discussion_each(s, visit_discussion, &v, &info), &info);
}

static int discussion_forget(lua_State *L)
{
	struct err_info info = {0};
	return answer(L, store_discussion_forget(to_store(L), luaL_checkstring(L, 2), &info),
		      &info);
}

static int discussion_prune(lua_State *L)
{
	struct err_info info = {0};
	size_t keep = (size_t)luaL_checkinteger(L, 2);
	return answer(L, store_discussion_prune(to_store(L), keep, &info), &info);
}

static void get_proof_key(lua_State *L, struct store_payload_key *key)
{
	snprintf(key->discussion, sizeof key->discussion, "%s", luaL_checkstring(L, 2));
	key->epoch = (uint32_t)luaL_checkinteger(L, 3);
	snprintf(key->sender, sizeof key->sender, "%s", luaL_checkstring(L, 4));
}

// proof_put(discussion, epoch, sender, {sequence, time, message, session_key})
static int proof_put(lua_State *L)
{
	struct err_info info = {0};
	struct store_proof p = {.time = get_int(L, 5, "time")};
	get_proof_key(L, &p.key);
	p.key.sequence = (uint64_t)get_int(L, 5, "sequence");
	p.message = get_bytes(L, 5, "message");
	p.session_key = get_bytes(L, 5, "session_key");
	enum err e = store_proof_put(to_store(L), &p, &info);
	store_proof_fini(&p);
	return answer(L, e, &info);
}

static int proof_get(lua_State *L)
{
	struct err_info info = {0};
	struct store_payload_key key = {0};
	struct store_proof p;
	get_proof_key(L, &key);
	enum err e = store_proof_get(to_store(L), &key, &p, &info);
	if (e)
		return answer(L, e, &info);
	lua_newtable(L);
	set_int(L, "sequence", (int64_t)p.key.sequence);
	set_int(L, "time", p.time);
	set_bytes(L, "message", p.message);
	set_bytes(L, "session_key", p.session_key);
	store_proof_fini(&p);
	return 1;
}

static int joining_put(lua_State *L)
{
	struct err_info info = {0};
	struct store_joining j = {.accepted = get_int(L, 3, "accepted") != 0};
	j.invite = get_bytes(L, 3, "invite");
	enum err e = store_joining_put(to_store(L), luaL_checkstring(L, 2), &j, &info);
	store_joining_fini(&j);
	return answer(L, e, &info);
}

static int joining_get(lua_State *L)
{
	struct err_info info = {0};
	struct store_joining j;
	enum err e = store_joining_get(to_store(L), luaL_checkstring(L, 2), &j, &info);
	if (e)
		return answer(L, e, &info);
	lua_newtable(L);
	set_int(L, "accepted", j.accepted);
	set_bytes(L, "invite", j.invite);
	store_joining_fini(&j);
	return 1;
}

static int joining_drop(lua_State *L)
{
	struct err_info info = {0};
	return answer(L, store_joining_drop(to_store(L), luaL_checkstring(L, 2), &info), &info);
}

static int epoch_create(lua_State *L)
{
	struct err_info info = {0};
	struct store_epoch epoch = {.epoch = (uint32_t)get_int(L, 3, "epoch")};
	get_exact(L, 3, "roster_hash", epoch.roster_hash.bytes, sizeof epoch.roster_hash.bytes);
	get_exact(L, 3, "head", epoch.head.bytes, sizeof epoch.head.bytes);
	epoch.roster = get_bytes(L, 3, "roster");
	enum err e = store_epoch_create(to_store(L), luaL_checkstring(L, 2), &epoch, &info);
	store_epoch_fini(&epoch);
	return answer(L, e, &info);
}

static void push_epoch(lua_State *L, const struct store_epoch *epoch)
{
	lua_newtable(L);
	set_int(L, "epoch", epoch->epoch);
	set_bytes(L, "roster", epoch->roster);
	set_span(L, "roster_hash", hash_span(&epoch->roster_hash));
	set_span(L, "head", hash_span(&epoch->head));
}

static int epoch_get(lua_State *L)
{
	struct err_info info = {0};
	struct store_epoch epoch;
	enum err e = store_epoch_get(to_store(L), luaL_checkstring(L, 2),
				     (uint32_t)luaL_checkinteger(L, 3), &epoch, &info);
	if (e)
		return answer(L, e, &info);
	push_epoch(L, &epoch);
	store_epoch_fini(&epoch);
	return 1;
}

static bool visit_epoch(void *arg, const struct store_epoch *epoch)
{
	struct visit *v = arg;
	push_epoch(v->L, epoch);
	return visited(v);
}

static int epoch_each(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	const char *discussion = luaL_checkstring(L, 2);
	struct visit v = begin_visit(L, 3);
	return end_visit(&v, store_epoch_each(s, discussion, visit_epoch, &v, &info), &info);
}

static int member_put(lua_State *L)
{
	struct err_info info = {0};
	struct store_member m = {0};
	get_text(L, 4, "fingerprint", m.fingerprint, sizeof m.fingerprint);
	get_text(L, 4, "certificate_fingerprint", m.certificate_fingerprint,
		 sizeof m.certificate_fingerprint);
	get_text(L, 4, "key_id", m.key_id, sizeof m.key_id);
	m.position = (uint32_t)get_int(L, 4, "position");
	m.verified = get_bool(L, 4, "verified");
	get_addresses(L, 4, "addresses", &m.addresses);
	m.certificate = get_bytes(L, 4, "certificate");
	m.binding = get_bytes(L, 4, "binding");
	m.general = get_bytes(L, 4, "general");
	enum err e = store_member_put(to_store(L), luaL_checkstring(L, 2),
				      (uint32_t)luaL_checkinteger(L, 3), &m, &info);
	store_member_fini(&m);
	return answer(L, e, &info);
}

static int rekey_append(lua_State *L)
{
	struct err_info info = {0};
	struct store_rekey r = {.epoch = (uint32_t)get_int(L, 3, "epoch"),
				.sequence = (uint64_t)get_int(L, 3, "sequence"),
				.time = get_int(L, 3, "time")};
	get_text(L, 3, "member", r.member, sizeof r.member);
	get_text(L, 3, "key_id", r.key_id, sizeof r.key_id);
	r.certificate = get_bytes(L, 3, "certificate");
	enum err e = store_rekey_append(to_store(L), luaL_checkstring(L, 2), &r, &info);
	bytes_unref(r.certificate);
	return answer(L, e, &info);
}

static bool visit_rekey(void *arg, const struct store_rekey *r)
{
	struct visit *v = arg;
	lua_State *L = v->L;
	lua_newtable(L);
	set_int(L, "epoch", r->epoch);
	set_text(L, "member", r->member);
	set_int(L, "sequence", (int64_t)r->sequence);
	set_text(L, "key_id", r->key_id);
	set_int(L, "time", r->time);
	set_bytes(L, "certificate", r->certificate);
	return visited(v);
}

static int rekey_each(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	const char *discussion = luaL_checkstring(L, 2);
	struct visit v = begin_visit(L, 3);
	return end_visit(&v, store_rekey_each(s, discussion, visit_rekey, &v, &info), &info);
}

static bool visit_member(void *arg, const struct store_member *m)
{
	struct visit *v = arg;
	lua_State *L = v->L;
	lua_newtable(L);
	set_text(L, "fingerprint", m->fingerprint);
	set_text(L, "certificate_fingerprint", m->certificate_fingerprint);
	set_text(L, "key_id", m->key_id);
	set_int(L, "position", m->position);
	set_bool(L, "verified", m->verified);
	set_addresses(L, "addresses", &m->addresses);
	set_bytes(L, "certificate", m->certificate);
	set_bytes(L, "binding", m->binding);
	set_bytes(L, "general", m->general);
	return visited(v);
}

static int member_each(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	const char *discussion = luaL_checkstring(L, 2);
	uint32_t epoch = (uint32_t)luaL_checkinteger(L, 3);
	struct visit v = begin_visit(L, 4);
	return end_visit(&v, store_member_each(s, discussion, epoch, visit_member, &v, &info),
			 &info);
}

// --- payloads, heads, acknowledgements ----------------------------------------------------------

static void get_payload_key(lua_State *L, int index, struct store_payload_key *key)
{
	get_text(L, index, "discussion", key->discussion, sizeof key->discussion);
	get_text(L, index, "sender", key->sender, sizeof key->sender);
	key->epoch = (uint32_t)get_int(L, index, "epoch");
	key->sequence = (uint64_t)get_int(L, index, "sequence");
}

// its hash is that of the payload, unless one is given
static int payload_append(lua_State *L)
{
	struct err_info info = {0};
	struct store_payload p = {.time = get_int(L, 2, "time")};
	get_payload_key(L, 2, &p.key);
	p.payload = get_bytes(L, 2, "payload");
	p.hash = hash_of(bytes_span(p.payload));
	get_exact(L, 2, "hash", p.hash.bytes, sizeof p.hash.bytes);
	p.message = get_bytes(L, 2, "message");
	p.session_key = get_bytes(L, 2, "session_key");
	enum err e = store_payload_append(to_store(L), &p, &info);
	store_payload_fini(&p);
	return answer(L, e, &info);
}

static int payload_set_message(lua_State *L)
{
	struct err_info info = {0};
	struct store_payload_key key;
	size_t message_len, session_len;
	get_payload_key(L, 2, &key);
	const char *message = luaL_checklstring(L, 3, &message_len);
	const char *session = luaL_optlstring(L, 4, "", &session_len);
	return answer(L,
		      store_payload_set_message(to_store(L), &key, span(message, message_len),
						span(session, session_len), &info),
		      &info);
}

static void push_payload(lua_State *L, const struct store_payload *p)
{
	lua_newtable(L);
	set_text(L, "discussion", p->key.discussion);
	set_text(L, "sender", p->key.sender);
	set_int(L, "epoch", p->key.epoch);
	set_int(L, "sequence", (int64_t)p->key.sequence);
	set_span(L, "hash", hash_span(&p->hash));
	set_int(L, "time", p->time);
	set_bytes(L, "payload", p->payload);
	set_bytes(L, "message", p->message);
	set_bytes(L, "session_key", p->session_key);
}

static bool push_first(void *arg, const struct store_payload *p)
{
	push_payload(arg, p);
	return false;
}

// Exactly that one; nil where there is none
static int payload_get(lua_State *L)
{
	struct err_info info = {0};
	struct store_payload_key key;
	get_payload_key(L, 2, &key);
	int64_t sequence = (int64_t)key.sequence--;
	int top = lua_gettop(L);
	enum err e = store_payload_each_after(to_store(L), &key, 1, push_first, L, &info);
	if (e)
		return answer(L, e, &info);
	return lua_gettop(L) > top && get_int(L, lua_gettop(L), "sequence") == sequence ? 1 : 0;
}

static bool visit_payload(void *arg, const struct store_payload *p)
{
	struct visit *v = arg;
	push_payload(v->L, p);
	return visited(v);
}

static int payload_each_after(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	struct store_payload_key key;
	get_payload_key(L, 2, &key);
	size_t limit = (size_t)luaL_checkinteger(L, 3);
	struct visit v = begin_visit(L, 4);
	return end_visit(&v, store_payload_each_after(s, &key, limit, visit_payload, &v, &info),
			 &info);
}

static void push_head(lua_State *L, const struct store_head *head)
{
	lua_newtable(L);
	set_text(L, "sender", head->sender);
	set_int(L, "sequence", (int64_t)head->sequence);
	set_span(L, "hash", hash_span(&head->hash));
}

static int head_get(lua_State *L)
{
	struct err_info info = {0};
	struct store_head head;
	enum err e = store_head_get(to_store(L), luaL_checkstring(L, 2),
				    (uint32_t)luaL_checkinteger(L, 3), luaL_checkstring(L, 4),
				    &head, &info);
	if (e)
		return answer(L, e, &info);
	push_head(L, &head);
	return 1;
}

static int ack_put(lua_State *L)
{
	struct err_info info = {0};
	return answer(L,
		      store_ack_put(to_store(L), luaL_checkstring(L, 2),
				    (uint32_t)luaL_checkinteger(L, 3), luaL_checkstring(L, 4),
				    (uint64_t)luaL_checkinteger(L, 5), &info),
		      &info);
}

static int ack_get(lua_State *L)
{
	struct err_info info = {0};
	uint64_t sequence;
	enum err e = store_ack_get(to_store(L), luaL_checkstring(L, 2),
				   (uint32_t)luaL_checkinteger(L, 3), luaL_checkstring(L, 4),
				   &sequence, &info);
	if (e)
		return answer(L, e, &info);
	lua_pushinteger(L, (lua_Integer)sequence);
	return 1;
}

// --- the module ---------------------------------------------------------------------------------

static const luaL_Reg methods[] = {
	{"discussion_create", discussion_create},
	{"discussion_update", discussion_update},
	{"discussion_get", discussion_get},
	{"discussion_each", discussion_each},
	{"discussion_forget", discussion_forget},
	{"discussion_prune", discussion_prune},
	{"joining_put", joining_put},
	{"joining_get", joining_get},
	{"joining_drop", joining_drop},
	{"proof_put", proof_put},
	{"proof_get", proof_get},
	{"epoch_create", epoch_create},
	{"epoch_get", epoch_get},
	{"epoch_each", epoch_each},
	{"member_put", member_put},
	{"member_each", member_each},	{"rekey_append", rekey_append}, {"rekey_each", rekey_each},
	{"payload_append", payload_append},
	{"payload_set_message", payload_set_message},
	{"payload_get", payload_get},
	{"payload_each_after", payload_each_after},
	{"head_get", head_get},
	{"ack_put", ack_put},
	{"ack_get", ack_get},
	{NULL, NULL},
};

int luaopen_support_store_discussions(lua_State *L)
{
	luaL_setfuncs(L, methods, 0);
	return 0;
}
