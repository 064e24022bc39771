// SPDX-License-Identifier: GPL-3.0-or-later
// support.openpgp: the OpenPGP layer for specs, on a real loop with real gpg. Operations are started by methods of a rig and
// yield a pending: `local result, code, text, verdict = pending:wait()` turns the loop until it is done.
#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "openpgp/key.h"
#include "spec/support/openpgp_values.h"

#define RIG "sotto.spec.openpgp"
#define HOME "sotto.spec.openpgp.home"
#define PENDING "sotto.spec.openpgp.pending"
#define WAIT_S 30.0

struct rig {
	struct loop *loop;
	struct gpg *gpg;
	struct homes *homes;
};

struct spec_home {
	struct home *home; // NULL once it is gone
};

// Lives until both Lua and the callback are through with it.
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

// --- pendings -------------------------------------------------------------------------------------------------------------

static void pending_free(struct pending *p)
{
	bytes_unref(p->output);
	bytes_unref(p->certificate);
	secret_unref(p->session_key);
	free(p);
}

static struct pending *new_pending(lua_State *L, struct rig *rig)
{
	struct pending **out = lua_newuserdatauv(L, sizeof *out, 1);
	*out = mem_alloc(sizeof **out);
	(*out)->rig = rig;
	luaL_setmetatable(L, PENDING);
	lua_pushvalue(L, 1); // keeps the rig
	lua_setiuservalue(L, -2, 1);
	return *out;
}

// What is done was done at the end of a turn, just before the loop would sleep.
static void stop_waiting(void)
{
	ev_break(ev_default_loop(0), EVBREAK_ALL);
}

static void complete(struct pending *p, enum err code, const struct err_info *info)
{
	p->done = true;
	p->op = NULL;
	p->job = NULL;
	p->code = code;
	p->info = *info;
	stop_waiting();
	if (p->abandoned)
		pending_free(p);
}

static void on_gpg(void *arg, enum err code, const struct err_info *info, const struct gpg_result *r)
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

static void on_key(void *arg, enum err code, const struct err_info *info, const struct key_result *r)
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

static void on_home(void *arg, enum err code, const struct err_info *info)
{
	complete(arg, code, info);
}

static struct pending *check_pending(lua_State *L)
{
	return *(struct pending **)luaL_checkudata(L, 1, PENDING);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void wake(void *arg)
{
	(void)arg;
}

static bool turn_until(struct rig *rig, const bool *done, double seconds)
{
	double deadline = now() + seconds;
	struct timer timer = {0};
	while (!*done && now() < deadline) {
		timer_start(rig->loop, &timer, (int64_t)((deadline - now()) * 1000) + 1, wake, NULL);
		ev_run(loop_ev(rig->loop), EVRUN_ONCE);
	}
	timer_cancel(rig->loop, &timer);
	return *done;
}

static void set_bytes(lua_State *L, const char *name, struct bytes *b)
{
	if (!b)
		return;
	lua_pushlstring(L, (const char *)b->data, b->len);
	lua_setfield(L, -2, name);
}

static void push_home(lua_State *L, struct home *home)
{
	struct spec_home *out = lua_newuserdatauv(L, sizeof *out, 0);
	out->home = home;
	luaL_setmetatable(L, HOME);
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
	if (!turn_until(p->rig, &p->done, luaL_optnumber(L, 2, WAIT_S)))
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

static int pending_gc(lua_State *L)
{
	struct pending *p = check_pending(L);
	if (p->done)
		pending_free(p);
	else
		p->abandoned = true;
	return 0;
}

// --- rigs -----------------------------------------------------------------------------------------------------------------

static struct rig *check_rig(lua_State *L)
{
	struct rig *r = luaL_checkudata(L, 1, RIG);
	luaL_argcheck(L, r->loop, 1, "a rig that was stopped");
	return r;
}

static struct home *check_home(lua_State *L, int index)
{
	struct spec_home *h = luaL_checkudata(L, index, HOME);
	luaL_argcheck(L, h->home, index, "a home that is gone");
	return h->home;
}

static struct home *take_home(lua_State *L, int index)
{
	struct spec_home *h = luaL_checkudata(L, index, HOME);
	struct home *home = check_home(L, index);
	h->home = NULL;
	return home;
}

static enum err rig_open(struct rig *r, const char *directory, struct err_info *info)
{
	enum err e = gpg_new(&r->gpg, r->loop, info);
	return e ? e : homes_open(&r->homes, r->loop, directory, &random_system, info);
}

static int rig_new(lua_State *L)
{
	const char *directory = luaL_checkstring(L, 1);
	struct rig *r = lua_newuserdatauv(L, sizeof *r, 0);
	struct err_info info;
	*r = (struct rig){.loop = loop_new()};
	luaL_setmetatable(L, RIG);
	log_set_level(LOG_ERROR); // what the specs provoke is warned of
	enum err e = rig_open(r, directory, &info);
	return e ? push_failure(L, e, &info) : 1;
}

static void set_true(void *arg, enum err code, const struct err_info *info)
{
	(void)code;
	(void)info;
	*(bool *)arg = true;
	stop_waiting();
}

static void rig_close(struct rig *r)
{
	bool done = false, never = false;
	if (!r->loop)
		return;
	if (r->homes)
		homes_close_start(r->homes, set_true, &done);
	else
		done = true;
	turn_until(r, &done, WAIT_S);
	turn_until(r, &never, 0.002); // the callbacks of what was cancelled
	gpg_free(r->gpg);
	loop_free(r->loop);
	*r = (struct rig){0};
}

static int rig_stop(lua_State *L)
{
	rig_close(luaL_checkudata(L, 1, RIG));
	return 0;
}

// What a kill -9 leaves: nothing is told to end. The memory is lost, as it would be then.
static int rig_abandon(lua_State *L)
{
	struct rig *r = check_rig(L);
	*r = (struct rig){0};
	return 0;
}

static int rig_turn(lua_State *L)
{
	struct rig *r = check_rig(L);
	bool never = false;
	turn_until(r, &never, luaL_optnumber(L, 2, 0.001));
	return 0;
}

static int rig_create_home(lua_State *L)
{
	struct rig *r = check_rig(L);
	struct err_info info;
	struct home *home;
	enum err e = home_create(r->homes, &home, &info);
	if (e)
		return push_failure(L, e, &info);
	push_home(L, home);
	return 1;
}

static int rig_open_home(lua_State *L)
{
	struct rig *r = check_rig(L);
	struct err_info info;
	struct home *home;
	enum err e = home_open(r->homes, luaL_checkstring(L, 2), &home, &info);
	if (e)
		return push_failure(L, e, &info);
	push_home(L, home);
	return 1;
}

static int rig_destroy(lua_State *L)
{
	struct rig *r = check_rig(L);
	struct home *home = take_home(L, 2);
	home_destroy_start(home, on_home, new_pending(L, r));
	return 1;
}

static int rig_close_home(lua_State *L)
{
	struct rig *r = check_rig(L);
	struct home *home = take_home(L, 2);
	home_close_start(home, on_home, new_pending(L, r));
	return 1;
}

static int rig_lock(lua_State *L)
{
	struct rig *r = check_rig(L);
	struct home *home = check_home(L, 2);
	home_lock_start(home, on_home, new_pending(L, r));
	return 1;
}

static int rig_sweep(lua_State *L)
{
	struct rig *r = check_rig(L);
	const char *names[64];
	luaL_checktype(L, 2, LUA_TTABLE);
	size_t count = (size_t)luaL_len(L, 2);
	luaL_argcheck(L, count <= 64, 2, "too many names");
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, 2, (lua_Integer)i + 1);
		names[i] = luaL_checkstring(L, -1); // the table keeps it
		lua_pop(L, 1);
	}
	homes_sweep_start(r->homes, names, count, on_home, new_pending(L, r));
	return 1;
}

static int rig_load(lua_State *L)
{
	struct gpg_load load = gpg_load(check_rig(L)->gpg);
	lua_newtable(L);
	lua_pushinteger(L, load.running);
	lua_setfield(L, -2, "running");
	lua_pushinteger(L, load.queued);
	lua_setfield(L, -2, "queued");
	lua_pushinteger(L, load.queued_strangers);
	lua_setfield(L, -2, "queued_strangers");
	lua_pushinteger(L, (lua_Integer)load.timeouts);
	lua_setfield(L, -2, "timeouts");
	lua_pushinteger(L, load.warm);
	lua_setfield(L, -2, "warm");
	lua_pushinteger(L, (lua_Integer)load.ahead);
	lua_setfield(L, -2, "ahead");
	lua_pushinteger(L, (lua_Integer)load.ahead_in_vain);
	lua_setfield(L, -2, "ahead_in_vain");
	lua_newtable(L);
	for (size_t i = 0; i < VERDICT_COUNT; i++) {
		lua_pushinteger(L, (lua_Integer)load.verdicts[i]);
		lua_setfield(L, -2, verdict_name((enum verdict)i));
	}
	lua_setfield(L, -2, "verdicts");
	return 1;
}

// --- operations: rig:NAME{home =, …} --------------------------------------------------------------------------------------

// The argument table's values; what is made here is given back by `inputs_fini`.
struct inputs {
	struct gpg_call call;
	struct bytes *text, *message, *signature, *certificate;
	struct secret *fresh;
	uint64_t to[SEALED_RECIPIENTS_MAX + 2];
	size_t to_count;
	const char *signer, *fingerprint, *user_id, *name; // the table keeps them
	bool known, maybe;
};

static struct bytes *field_bytes(lua_State *L, const char *name)
{
	lua_getfield(L, 2, name);
	struct bytes *b = lua_isnil(L, -1) ? NULL : bytes_new_span(check_span(L, -1));
	lua_pop(L, 1);
	return b;
}

static struct secret *field_secret(lua_State *L, const char *name)
{
	lua_getfield(L, 2, name);
	struct secret *s = lua_isnil(L, -1) ? NULL : secret_copy(check_span(L, -1));
	lua_pop(L, 1);
	return s;
}

static const char *field_string(lua_State *L, const char *name)
{
	lua_getfield(L, 2, name);
	const char *s = luaL_optstring(L, -1, "");
	lua_pop(L, 1);
	return s;
}

static void inputs_init(lua_State *L, struct inputs *in, struct rig *r)
{
	*in = (struct inputs){.call = {.gpg = r->gpg, .done = on_gpg}};
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_getfield(L, 2, "home");
	if (!lua_isnil(L, -1))
		in->call.home = check_home(L, -1);
	lua_pop(L, 1);
	lua_getfield(L, 2, "to");
	if (!lua_isnil(L, -1))
		in->to_count = check_ids(L, lua_gettop(L), in->to);
	lua_pop(L, 1);
	lua_getfield(L, 2, "stranger");
	in->call.stranger = lua_toboolean(L, -1);
	lua_getfield(L, 2, "known");
	in->known = lua_toboolean(L, -1);
	lua_getfield(L, 2, "soon_again");
	in->call.soon_again = lua_toboolean(L, -1);
	lua_getfield(L, 2, "maybe");
	in->maybe = lua_toboolean(L, -1);
	lua_pop(L, 4);
	in->call.timeout_ms = number(L, 2, "timeout", 0);
	in->text = field_bytes(L, "text");
	in->message = field_bytes(L, "message");
	in->signature = field_bytes(L, "signature");
	in->certificate = field_bytes(L, "certificate");
	in->call.passphrase = field_secret(L, "passphrase");
	in->fresh = field_secret(L, "fresh");
	in->signer = field_string(L, "signer");
	in->fingerprint = field_string(L, "fingerprint");
	in->user_id = field_string(L, "user_id");
	in->name = field_string(L, "name");
}

static void inputs_fini(struct inputs *in)
{
	bytes_unref(in->text);
	bytes_unref(in->message);
	bytes_unref(in->signature);
	bytes_unref(in->certificate);
	secret_unref(in->call.passphrase);
	secret_unref(in->fresh);
}

typedef enum err starter(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info);

static int start(lua_State *L, starter *f)
{
	struct rig *r = check_rig(L);
	struct inputs in;
	struct err_info info = {.text = ""};
	inputs_init(L, &in, r);
	struct pending *p = new_pending(L, r);
	in.call.arg = p;
	enum err e = f(&in, r, p, &info);
	inputs_fini(&in);
	if (e) {
		p->done = true;
		return push_failure(L, e, &info);
	}
	return 1;
}

static enum err do_seal(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_seal_start(&in->call, in->text, in->to, in->to_count, &p->op, info);
}

static enum err do_open_message(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_open_start(&in->call, in->message, in->to, in->to_count, in->signer, &p->op, info);
}

static enum err do_sign(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_sign_start(&in->call, in->text, &p->op, info);
}

static enum err do_verify(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_verify_start(&in->call, in->text, in->signature, in->signer, &p->op, info);
}

static enum err do_import(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_import_start(&in->call, in->certificate, &p->op, info);
}

static enum err do_export(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_export_start(&in->call, in->fingerprint, &p->op, info);
}

static enum err do_delete(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_delete_start(&in->call, in->fingerprint, &p->op, info);
}

static enum err do_generate(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_generate_start(&in->call, in->user_id, &p->op, info);
}

static struct key_call key_call(struct rig *r, struct pending *p)
{
	return (struct key_call){.gpg = r->gpg, .homes = r->homes, .done = on_key, .arg = p};
}

static enum err do_make_discussion(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	struct key_call call = key_call(r, p);
	(void)in;
	return key_make_discussion_start(&call, &p->job, info);
}

static enum err do_make_general(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	struct key_call call = key_call(r, p);
	return key_make_general_start(&call, in->name, in->call.passphrase, &p->job, info);
}

static enum err do_unlock(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	struct key_call call = key_call(r, p);
	struct certificate_info own;
	const struct key_unlock unlock = {
		.home = in->call.home, .own = &own, .message = in->message, .passphrase = in->call.passphrase};
	enum err e = certificate_check(bytes_span(in->certificate), &own, info);
	return e ? e : key_unlock_start(&call, &unlock, &p->job, info);
}

static enum err do_passphrase(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	struct key_call call = key_call(r, p);
	return key_passphrase_start(&call, in->call.home, in->fingerprint, in->call.passphrase, in->fresh, &p->job, info);
}

static enum err do_vet(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	struct key_call call = key_call(r, p);
	return key_vet_start(&call, in->certificate, in->text, in->signature, in->known, &p->job, info);
}

#define OPERATION(name)                                                                            \
	static int rig_##name(lua_State *L)                                                        \
	{                                                                                          \
		return start(L, do_##name);                                                        \
	}
OPERATION(seal)
OPERATION(open_message)
OPERATION(sign)
OPERATION(verify)
OPERATION(import)
OPERATION(export)
OPERATION(delete)
OPERATION(generate)
OPERATION(make_discussion)
OPERATION(make_general)
OPERATION(unlock)
OPERATION(passphrase)
OPERATION(vet)

// --- homes ----------------------------------------------------------------------------------------------------------------

static int spec_home_name(lua_State *L)
{
	lua_pushstring(L, home_name(check_home(L, 1)));
	return 1;
}

static int spec_home_path(lua_State *L)
{
	lua_pushstring(L, home_path(check_home(L, 1)));
	return 1;
}

static int spec_home_gnupg_path(lua_State *L)
{
	struct err_info info;
	const char *path;
	enum err e = home_gnupg_path(check_home(L, 1), &path, &info);
	if (e)
		return push_failure(L, e, &info);
	lua_pushstring(L, path);
	return 1;
}

static int spec_home_unprotected(lua_State *L)
{
	lua_pushboolean(L, home_has_unprotected_key(check_home(L, 1)));
	return 1;
}

// --- module ---------------------------------------------------------------------------------------------------------------

// --- started ahead --------------------------------------------------------------------------------------------------------------

static int rig_limit(lua_State *L)
{
	gpg_limit(check_rig(L)->gpg, (unsigned)luaL_checkinteger(L, 2));
	return 0;
}

// keep_warm(max [, idle_ms])
static int rig_keep_warm(lua_State *L)
{
	gpg_keep_warm(check_rig(L)->gpg, (unsigned)luaL_checkinteger(L, 2), luaL_optinteger(L, 3, 60000));
	return 0;
}

// expect_seal{home =, to =}, expect_open{home =}; with maybe = true nothing else gives way
static int rig_expect_seal(lua_State *L)
{
	struct rig *r = check_rig(L);
	struct inputs in;
	inputs_init(L, &in, r);
	gpg_expect_seal(r->gpg, in.call.home, in.to, in.to_count, !in.maybe);
	inputs_fini(&in);
	return 0;
}

static int rig_expect_open(lua_State *L)
{
	struct rig *r = check_rig(L);
	struct inputs in;
	inputs_init(L, &in, r);
	gpg_expect_open(r->gpg, in.call.home, !in.maybe);
	inputs_fini(&in);
	return 0;
}

static int rig_cool(lua_State *L)
{
	gpg_cool(check_rig(L)->gpg);
	return 0;
}

static void register_type(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction gc)
{
	luaL_newmetatable(L, name);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	lua_setfield(L, -2, "__index");
	if (gc) {
		lua_pushcfunction(L, gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_pop(L, 1);
}

static const luaL_Reg rig_methods[] = {
	{"stop", rig_stop}, {"abandon", rig_abandon}, {"turn", rig_turn}, {"load", rig_load},
	{"create_home", rig_create_home}, {"open_home", rig_open_home}, {"destroy", rig_destroy},
	{"close_home", rig_close_home}, {"lock", rig_lock}, {"sweep", rig_sweep},
	{"seal", rig_seal}, {"open", rig_open_message}, {"sign", rig_sign}, {"verify", rig_verify}, {"import", rig_import},
	{"export", rig_export}, {"delete", rig_delete}, {"generate", rig_generate},
	{"make_discussion", rig_make_discussion}, {"make_general", rig_make_general}, {"unlock", rig_unlock},
	{"passphrase", rig_passphrase}, {"vet", rig_vet},
	{"limit", rig_limit}, {"keep_warm", rig_keep_warm}, {"expect_seal", rig_expect_seal}, {"expect_open", rig_expect_open},
	{"cool", rig_cool}, {NULL, NULL},
};

static const luaL_Reg home_methods[] = {
	{"name", spec_home_name}, {"path", spec_home_path}, {"gnupg_path", spec_home_gnupg_path},
	{"unprotected", spec_home_unprotected}, {NULL, NULL},
};

static const luaL_Reg pending_methods[] = {
	{"wait", pending_wait}, {"cancel", pending_cancel}, {"done", pending_done}, {NULL, NULL},
};

static const luaL_Reg functions[] = {
	{"new", rig_new}, {NULL, NULL},
};

int luaopen_support_openpgp_pure(lua_State *L);
int luaopen_support_openpgp_system(lua_State *L);
int luaopen_support_openpgp_bench(lua_State *L);

// The other parts' functions stand in this module's table too.
static void merge(lua_State *L, lua_CFunction open)
{
	lua_pushcfunction(L, open);
	lua_call(L, 0, 1);
	lua_pushnil(L);
	while (lua_next(L, -2)) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_settable(L, -5);
	}
	lua_pop(L, 1);
}

int luaopen_support_openpgp(lua_State *L);
int luaopen_support_openpgp(lua_State *L)
{
	register_type(L, RIG, rig_methods, rig_stop);
	register_type(L, HOME, home_methods, NULL);
	register_type(L, PENDING, pending_methods, pending_gc);
	luaL_newlib(L, functions);
	merge(L, luaopen_support_openpgp_pure);
	merge(L, luaopen_support_openpgp_system);
	merge(L, luaopen_support_openpgp_bench);
	return 1;
}
