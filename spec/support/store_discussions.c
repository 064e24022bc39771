// SPDX-License-Identifier: GPL-3.0-or-later
// The part of support.store for discussions, epochs, members and their keys (store.c).
#include "spec/support/store_values.h"
#include "store/discussions.h"
#include "store/epochs.h"
#include "store/joinings.h"
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

typedef enum err each_member_function(struct store *s, const char *discussion, uint32_t epoch, store_member_visit *each,
				      void *arg, struct err_info *info);

static int each_member(lua_State *L, each_member_function *each)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	const char *discussion = luaL_checkstring(L, 2);
	uint32_t epoch = (uint32_t)luaL_checkinteger(L, 3);
	struct visit v = begin_visit(L, 4);
	return end_visit(&v, each(s, discussion, epoch, visit_member, &v, &info), &info);
}

static int member_each(lua_State *L)
{
	return each_member(L, store_member_each);
}

static int member_each_former(lua_State *L)
{
	return each_member(L, store_member_each_former);
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
	{"epoch_create", epoch_create},
	{"epoch_get", epoch_get},
	{"epoch_each", epoch_each},
	{"member_put", member_put},
	{"member_each", member_each},
	{"member_each_former", member_each_former},
	{"rekey_append", rekey_append},
	{"rekey_each", rekey_each},
	{NULL, NULL},
};

int luaopen_support_store_discussions(lua_State *L)
{
	luaL_setfuncs(L, methods, 0);
	return 0;
}
