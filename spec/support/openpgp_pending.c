// SPDX-License-Identifier: GPL-3.0-or-later
// What operations of support.openpgp yield: `local result, code, text, verdict = pending:wait()` turns the loop until it is done.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spec/support/openpgp_rig.h"

struct pending {
	struct rig *rig;
	bool done, abandoned;
	struct gpg_op *op;
	struct key_job *job;
	enum err code;
	struct err_info info;
	enum verdict verdict;
	struct bytes *output, *certificate;
	struct secret *session_key;
	struct home *home;
	struct certificate_info certificate_info;
	bool has_certificate;
	char fingerprint[FINGERPRINT_TEXT];
	unsigned hash;
	char imported[GPG_IMPORTED_MAX][FINGERPRINT_TEXT];
	size_t imported_count;
};

static void pending_free(struct pending *p)
{
	bytes_unref(p->output);
	bytes_unref(p->certificate);
	secret_unref(p->session_key);
	free(p);
}

struct pending *pending_new(lua_State *L, struct rig *rig)
{
	struct pending **out = lua_newuserdatauv(L, sizeof *out, 1);
	*out = mem_alloc(sizeof **out);
	(*out)->rig = rig;
	luaL_setmetatable(L, OPENPGP_PENDING);
	lua_pushvalue(L, 1); // keeps the rig
	lua_setiuservalue(L, -2, 1);
	return *out;
}

static void complete(struct pending *p, enum err code, const struct err_info *info)
{
	p->done = true;
	p->op = NULL;
	p->job = NULL;
	p->code = code;
	p->info = *info;
	rig_stop_turning();
	if (p->abandoned)
		pending_free(p);
}

void pending_on_gpg(void *arg, enum err code, const struct err_info *info, const struct gpg_result *r)
{
	struct pending *p = arg;
	p->verdict = r->verdict;
	p->output = bytes_ref(r->output);
	p->session_key = secret_ref(r->session_key);
	memcpy(p->fingerprint, r->fingerprint, sizeof p->fingerprint);
	p->hash = r->hash;
	memcpy(p->imported, r->imported, sizeof p->imported);
	p->imported_count = r->imported_count;
	complete(p, code, info);
}

static void on_destroyed(void *arg, enum err code, const struct err_info *info)
{
	(void)arg;
	(void)code;
	(void)info;
}

void pending_on_key(void *arg, enum err code, const struct err_info *info, const struct key_result *r)
{
	struct pending *p = arg;
	p->verdict = r->verdict;
	p->home = r->home;
	p->certificate = bytes_ref(r->certificate);
	p->output = bytes_ref(r->plaintext);
	p->has_certificate = r->home && r->certificate_info;
	if (p->has_certificate)
		p->certificate_info = *r->certificate_info;
	if (p->abandoned && p->home)
		home_destroy_start(p->home, on_destroyed, NULL);
	complete(p, code, info);
}

void pending_on_home(void *arg, enum err code, const struct err_info *info)
{
	complete(arg, code, info);
}

static struct pending *check_pending(lua_State *L)
{
	return *(struct pending **)luaL_checkudata(L, 1, OPENPGP_PENDING);
}

static void set_bytes(lua_State *L, const char *name, struct bytes *b)
{
	if (!b)
		return;
	lua_pushlstring(L, (const char *)b->data, b->len);
	lua_setfield(L, -2, name);
}

static void push_result(lua_State *L, struct pending *p)
{
	lua_newtable(L);
	set_bytes(L, "output", p->output);
	set_bytes(L, "certificate", p->certificate);
	if (p->session_key) {
		struct span key = secret_span(p->session_key);
		lua_pushlstring(L, (const char *)key.data, key.len);
		lua_setfield(L, -2, "session_key");
	}
	if (p->home) {
		push_home(L, p->home);
		lua_setfield(L, -2, "home");
		p->home = NULL;
	}
	if (p->has_certificate) {
		push_certificate(L, &p->certificate_info);
		lua_setfield(L, -2, "info");
	}
	lua_pushstring(L, p->fingerprint);
	lua_setfield(L, -2, "fingerprint");
	lua_pushinteger(L, p->hash);
	lua_setfield(L, -2, "hash");
	lua_pushstring(L, verdict_name(p->verdict));
	lua_setfield(L, -2, "verdict");
	lua_newtable(L);
	for (size_t i = 0; i < p->imported_count; i++) {
		lua_pushstring(L, p->imported[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "imported");
}

static int pending_wait(lua_State *L)
{
	struct pending *p = check_pending(L);
	if (!rig_turn_until(p->rig, &p->done, luaL_optnumber(L, 2, OPENPGP_WAIT_S)))
		return luaL_error(L, "the operation is not done in time");
	if (p->code) {
		bool leaked = p->output || p->session_key || p->home || p->certificate;
		push_failure(L, p->code, &p->info);
		lua_pushstring(L, verdict_name(p->verdict));
		return leaked ? luaL_error(L, "a failed operation has yielded something") : 4;
	}
	push_result(L, p);
	return 1;
}

static int pending_cancel(lua_State *L)
{
	struct pending *p = check_pending(L);
	if (p->op)
		gpg_op_cancel(p->op);
	else if (p->job)
		key_job_cancel(p->job);
	return 0;
}

static int pending_done(lua_State *L)
{
	lua_pushboolean(L, check_pending(L)->done);
	return 1;
}

int openpgp_pending_gc(lua_State *L)
{
	struct pending *p = check_pending(L);
	if (p->done)
		pending_free(p);
	else
		p->abandoned = true;
	return 0;
}

struct gpg_op **pending_op(struct pending *p)
{
	return &p->op;
}

struct key_job **pending_job(struct pending *p)
{
	return &p->job;
}

void pending_never_began(struct pending *p)
{
	p->done = true;
}

const luaL_Reg openpgp_pending_methods[] = {
	{"wait", pending_wait}, {"cancel", pending_cancel}, {"done", pending_done}, {NULL, NULL},
};
