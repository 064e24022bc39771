// SPDX-License-Identifier: GPL-3.0-or-later
// support.openpgp: the OpenPGP layer for specs, on a real loop with real gpg. Operations are started by methods of a rig and yield a
// pending: `local result, code, text, verdict = pending:wait()` turns the loop until it is done.
#include <fcntl.h>
#include <gpgme.h>
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/mem.h"
#include "openpgp/key.h"
#include "openpgp/process.h"

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

static int push_failure(lua_State *L, enum err code, const struct err_info *info)
{
	lua_pushnil(L);
	lua_pushstring(L, err_name(code));
	lua_pushstring(L, info->text);
	return 3;
}

static struct span check_span(lua_State *L, int index)
{
	size_t len;
	const char *data = luaL_checklstring(L, index, &len);
	return span(data, len);
}

// --- pure -----------------------------------------------------------------------------------------------------------------

static void push_id(lua_State *L, uint64_t id)
{
	char text[KEY_ID_TEXT];
	key_id_format(id, text);
	lua_pushstring(L, text);
}

static void push_key(lua_State *L, const struct key_info *key)
{
	lua_createtable(L, 0, 5);
	lua_pushstring(L, key->fingerprint);
	lua_setfield(L, -2, "fingerprint");
	push_id(L, key->id);
	lua_setfield(L, -2, "id");
	lua_pushinteger(L, key->algorithm);
	lua_setfield(L, -2, "algorithm");
	lua_pushinteger(L, key->created);
	lua_setfield(L, -2, "created");
	lua_pushboolean(L, key->encrypts);
	lua_setfield(L, -2, "encrypts");
}

static void push_certificate(lua_State *L, const struct certificate_info *info)
{
	lua_newtable(L);
	push_key(L, &info->primary);
	lua_setfield(L, -2, "primary");
	lua_newtable(L);
	for (size_t i = 0; i < info->subkey_count; i++) {
		push_key(L, &info->subkeys[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "subkeys");
	push_id(L, info->subkeys[info->encryption].id);
	lua_setfield(L, -2, "encryption");
	lua_pushlstring(L, (const char *)info->user_id, info->user_id_len);
	lua_setfield(L, -2, "user_id");
}

static int certificate(lua_State *L)
{
	struct certificate_info out;
	struct err_info info;
	bool discussion = lua_toboolean(L, 2);
	enum err e = discussion ? discussion_certificate_check(check_span(L, 1), &out, &info)
				: certificate_check(check_span(L, 1), &out, &info);
	if (e)
		return push_failure(L, e, &info);
	push_certificate(L, &out);
	return 1;
}

static size_t check_ids(lua_State *L, int index, uint64_t ids[SEALED_RECIPIENTS_MAX + 2])
{
	luaL_checktype(L, index, LUA_TTABLE);
	size_t count = (size_t)luaL_len(L, index);
	luaL_argcheck(L, count <= SEALED_RECIPIENTS_MAX + 1, index, "too many ids");
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, index, (lua_Integer)i + 1);
		if (key_id_parse(luaL_checkstring(L, -1), &ids[i]) != OK)
			luaL_error(L, "not a key id: %s", lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	return count;
}

static int sealed(lua_State *L)
{
	uint64_t ids[SEALED_RECIPIENTS_MAX + 2];
	struct err_info info;
	size_t count = check_ids(L, 2, ids);
	enum err e = sealed_check(check_span(L, 1), ids, count, &info);
	if (e)
		return push_failure(L, e, &info);
	lua_pushboolean(L, 1);
	return 1;
}

static int signature(lua_State *L)
{
	struct err_info info;
	enum err e = signature_check(check_span(L, 1), &info);
	if (e)
		return push_failure(L, e, &info);
	lua_pushboolean(L, 1);
	return 1;
}

static int key_id(lua_State *L)
{
	uint64_t id;
	if (key_id_parse(luaL_checkstring(L, 1), &id) != OK)
		return 0;
	push_id(L, id);
	return 1;
}

static int fingerprint(lua_State *L)
{
	lua_pushboolean(L, fingerprint_valid(luaL_checkstring(L, 1)));
	return 1;
}

static bool flag(lua_State *L, const char *name)
{
	lua_getfield(L, 1, name);
	bool value = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return value;
}

static lua_Integer number(lua_State *L, int table, const char *name, lua_Integer otherwise)
{
	lua_getfield(L, table, name);
	lua_Integer value = luaL_optinteger(L, -1, otherwise);
	lua_pop(L, 1);
	return value;
}

static int verdict(lua_State *L)
{
	struct verdict_facts facts = {
		.failed = flag(L, "failed"),
		.encrypted = flag(L, "encrypted"),
		.mdc = flag(L, "mdc"),
		.wrong_key_usage = flag(L, "wrong_key_usage"),
		.file_name = flag(L, "file_name"),
		.signatures = (size_t)number(L, 1, "signatures", 0),
		.status = (unsigned)number(L, 1, "status", 0),
		.hash = (unsigned)number(L, 1, "hash", 0),
	};
	lua_getfield(L, 1, "signer");
	snprintf(facts.signer, sizeof facts.signer, "%s", luaL_checkstring(L, -1));
	lua_pushstring(L, verdict_name(verdict_of(&facts, luaL_checkstring(L, 2))));
	return 1;
}

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

static void complete(struct pending *p, enum err code, const struct err_info *info)
{
	p->done = true;
	p->op = NULL;
	p->job = NULL;
	p->code = code;
	p->info = *info;
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
	enum err e = rig_open(r, directory, &info);
	return e ? push_failure(L, e, &info) : 1;
}

static void set_true(void *arg, enum err code, const struct err_info *info)
{
	(void)code;
	(void)info;
	*(bool *)arg = true;
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
	bool known;
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
	lua_pop(L, 2);
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
	enum err e = certificate_check(bytes_span(in->certificate), &own, info);
	return e ? e : key_unlock_start(&call, in->call.home, &own, in->call.passphrase, in->message, &p->job, info);
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

// --- what the system holds ------------------------------------------------------------------------------------------------

// agents(path): the process numbers of the agents whose home that is, of the whole system.
static int agents(lua_State *L)
{
	pid_t found[64];
	size_t count = process_agents(luaL_checkstring(L, 1), NULL, true, found, 64);
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_pushinteger(L, found[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int children(lua_State *L)
{
	static pid_t found[PROCESS_MAX];
	size_t count = process_children(found);
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_pushinteger(L, found[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int send_signal(lua_State *L)
{
	lua_pushboolean(L, kill((pid_t)luaL_checkinteger(L, 1), (int)luaL_checkinteger(L, 2)) == 0);
	return 1;
}

static int set_environment(lua_State *L)
{
	if (lua_isnil(L, 2))
		unsetenv(luaL_checkstring(L, 1));
	else
		setenv(luaL_checkstring(L, 1), luaL_checkstring(L, 2), 1);
	return 0;
}

static size_t count_in(const uint8_t *block, size_t len, const uint8_t *needle, size_t needle_len)
{
	size_t count = 0;
	for (const uint8_t *at = block; (at = memmem(at, (size_t)(block + len - at), needle, needle_len)); at++)
		count++;
	return count;
}

// memory_holds(path): how often the content of that small file stands in this process's writable memory, apart from this search. The
// content is never a Lua string, so that only the engine can have left it there. It is kept inverted meanwhile.
static int memory_holds(lua_State *L)
{
	static uint8_t block[1 << 20], inverted[256], needle[256];
	size_t count = 0, len;
	int fd = open(luaL_checkstring(L, 1), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, needle, sizeof needle);
	if (fd >= 0)
		close(fd);
	luaL_argcheck(L, n >= 16, 1, "no marker");
	len = (size_t)n;
	for (size_t i = 0; i < len; i++)
		inverted[i] = (uint8_t)~needle[i];
	FILE *maps = fopen("/proc/self/maps", "re");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	char line[512];
	while (maps && mem >= 0 && fgets(line, sizeof line, maps)) {
		unsigned long from, to;
		char mode[8];
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[0] != 'r' || mode[1] != 'w')
			continue;
		for (unsigned long at = from; at < to; at += sizeof block - len) {
			size_t want = to - at < sizeof block ? to - at : sizeof block;
			// the needle itself must not be found, nor the last block read
			memset(needle, 0, sizeof needle);
			memset(block, 0, sizeof block);
			ssize_t got = pread(mem, block, want, (off_t)at);
			bool own = (at < (unsigned long)(block + sizeof block) && at + want > (unsigned long)block);
			for (size_t i = 0; i < len; i++)
				needle[i] = (uint8_t)~inverted[i];
			if (got > 0 && !own)
				count += count_in(block, (size_t)got, needle, len);
		}
	}
	memset(needle, 0, sizeof needle);
	memset(block, 0, sizeof block);
	if (maps)
		fclose(maps);
	if (mem >= 0)
		close(mem);
	lua_pushinteger(L, (lua_Integer)count);
	return 1;
}

// --- raw gpgme, to compare with -------------------------------------------------------------------------------------------

struct person {
	struct home *home;
	struct bytes *certificate;
	struct certificate_info info;
	bool done;
	enum err code;
	struct bytes *output;
};

static void on_person(void *arg, enum err code, const struct err_info *info, const struct key_result *r)
{
	struct person *p = arg;
	(void)info;
	p->code = code;
	p->done = true;
	if (code)
		return;
	p->home = r->home;
	p->certificate = bytes_ref(r->certificate);
	p->info = *r->certificate_info;
}

static void on_person_gpg(void *arg, enum err code, const struct err_info *info, const struct gpg_result *r)
{
	struct person *p = arg;
	(void)info;
	p->code = code;
	p->done = true;
	bytes_unref(p->output);
	p->output = bytes_ref(r->output);
}

static bool person_wait(struct rig *r, struct person *p, enum err started)
{
	bool ok = started == OK && turn_until(r, &p->done, WAIT_S) && p->code == OK;
	p->done = false;
	return ok;
}

static bool people_make(struct rig *r, struct person people[2])
{
	for (int i = 0; i < 2; i++) {
		struct key_call call = {.gpg = r->gpg, .homes = r->homes, .done = on_person, .arg = &people[i]};
		if (!person_wait(r, &people[i], key_make_discussion_start(&call, NULL, NULL)))
			return false;
	}
	for (int i = 0; i < 2; i++) {
		struct gpg_call call = {.gpg = r->gpg, .home = people[i].home, .done = on_person_gpg, .arg = &people[i]};
		if (!person_wait(r, &people[i], gpg_import_start(&call, people[1 - i].certificate, NULL, NULL)))
			return false;
	}
	return true;
}

static gpgme_ctx_t raw_context(struct home *home)
{
	gpgme_ctx_t context = NULL;
	gpgme_engine_info_t engine;
	gpgme_get_engine_info(&engine);
	while (engine && engine->protocol != GPGME_PROTOCOL_OpenPGP)
		engine = engine->next;
	if (!engine || gpgme_new(&context))
		return NULL;
	gpgme_ctx_set_engine_info(context, GPGME_PROTOCOL_OpenPGP, engine->file_name, home_path(home));
	gpgme_set_offline(context, 1);
	gpgme_set_pinentry_mode(context, GPGME_PINENTRY_MODE_ERROR);
	return context;
}

static double raw_seal(gpgme_ctx_t context, const char *recipient, struct span text, gpgme_data_t *cipher)
{
	gpgme_data_t plain;
	double begin = now();
	gpgme_data_new_from_mem(&plain, (const char *)text.data, text.len, 0);
	gpgme_data_new(cipher);
	gpgme_error_t e = gpgme_op_encrypt_sign_ext(context, NULL, recipient,
						    GPGME_ENCRYPT_ALWAYS_TRUST | GPGME_ENCRYPT_NO_COMPRESS, plain, *cipher);
	gpgme_data_release(plain);
	return e ? -1 : (now() - begin) * 1000;
}

static double raw_open(gpgme_ctx_t context, gpgme_data_t cipher)
{
	gpgme_data_t plain;
	double begin = now();
	gpgme_data_new(&plain);
	gpgme_data_seek(cipher, 0, SEEK_SET);
	gpgme_error_t e = gpgme_op_decrypt_verify(context, cipher, plain);
	gpgme_data_release(plain);
	return e ? -1 : (now() - begin) * 1000;
}

static bool raw_rounds(struct person people[2], int rounds, struct span text, double *seals, double *opens)
{
	gpgme_ctx_t from = raw_context(people[0].home), to = raw_context(people[1].home);
	char recipient[KEY_ID_TEXT + 1];
	bool ok = from && to;
	key_id_format(people[1].info.subkeys[0].id, recipient);
	strcat(recipient, "!");
	for (int i = 0; ok && i < rounds; i++) {
		gpgme_data_t cipher;
		seals[i] = raw_seal(from, recipient, text, &cipher);
		opens[i] = raw_open(to, cipher);
		ok = seals[i] >= 0 && opens[i] >= 0;
		gpgme_data_release(cipher);
	}
	gpgme_release(from);
	gpgme_release(to);
	return ok;
}

static bool layer_rounds(struct rig *r, struct person people[2], int rounds, struct span text, double *seals, double *opens)
{
	struct bytes *plain = bytes_new_span(text);
	struct person *from = &people[0], *to = &people[1];
	struct gpg_call seal = {.gpg = r->gpg, .home = from->home, .done = on_person_gpg, .arg = from};
	struct gpg_call open = {.gpg = r->gpg, .home = to->home, .done = on_person_gpg, .arg = to};
	uint64_t id = to->info.subkeys[0].id;
	bool ok = true;
	for (int i = 0; ok && i < rounds; i++) {
		double begin = now();
		ok = person_wait(r, from, gpg_seal_start(&seal, plain, &id, 1, NULL, NULL));
		double middle = now();
		ok = ok && person_wait(r, to, gpg_open_start(&open, from->output, &id, 1, from->info.primary.fingerprint,
							       NULL, NULL));
		seals[i] = (middle - begin) * 1000;
		opens[i] = (now() - middle) * 1000;
	}
	bytes_unref(plain);
	return ok;
}

static void push_times(lua_State *L, const char *name, const double *times, int count)
{
	lua_createtable(L, count, 0);
	for (int i = 0; i < count; i++) {
		lua_pushnumber(L, times[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, name);
}

static bool run_rounds(const char *directory, bool raw, int rounds, struct span text, double *seals, double *opens)
{
	struct rig r = {.loop = loop_new()};
	struct person people[2] = {{0}};
	bool ok = rig_open(&r, directory, NULL) == OK && people_make(&r, people);
	if (ok)
		ok = raw ? raw_rounds(people, rounds, text, seals, opens)
			 : layer_rounds(&r, people, rounds, text, seals, opens);
	for (int i = 0; i < 2; i++) {
		if (people[i].home)
			home_destroy_start(people[i].home, on_destroyed, NULL);
		bytes_unref(people[i].certificate);
		bytes_unref(people[i].output);
	}
	rig_close(&r);
	return ok;
}

static int seal_open(lua_State *L, bool raw)
{
	int rounds = (int)luaL_checkinteger(L, 1);
	int size = (int)luaL_optinteger(L, 2, 200);
	luaL_argcheck(L, rounds > 0 && rounds <= 100000, 1, "1 to 100000 rounds");
	luaL_argcheck(L, size > 0 && size <= GPG_PLAINTEXT_MAX, 2, "1 byte to 1 MiB");
	char directory[] = "/tmp/sotto-bench-XXXXXX";
	if (!mkdtemp(directory))
		return luaL_error(L, "no directory");
	double *seals = lua_newuserdatauv(L, (size_t)rounds * sizeof *seals, 0);
	double *opens = lua_newuserdatauv(L, (size_t)rounds * sizeof *opens, 0);
	uint8_t *text = mem_alloc((size_t)size);
	memset(text, 'x', (size_t)size);
	bool ok = run_rounds(directory, raw, rounds, span(text, (size_t)size), seals, opens);
	free(text);
	(void)!tree_remove(directory, NULL);
	if (!ok)
		return luaL_error(L, "gpg failed");
	lua_newtable(L);
	push_times(L, "seal", seals, rounds);
	push_times(L, "open", opens, rounds);
	return 1;
}

// raw_seal_open(n [, bytes]) → {seal = {ms, …}, open = {ms, …}}: gpgme called synchronously, in homes like ours.
static int raw_seal_open(lua_State *L)
{
	return seal_open(L, true);
}

// layer_seal_open(n [, bytes]): the same through the layer, one after the other.
static int layer_seal_open(lua_State *L)
{
	return seal_open(L, false);
}

// --- module ---------------------------------------------------------------------------------------------------------------

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
	{"passphrase", rig_passphrase}, {"vet", rig_vet}, {NULL, NULL},
};

static const luaL_Reg home_methods[] = {
	{"name", spec_home_name}, {"path", spec_home_path}, {"gnupg_path", spec_home_gnupg_path},
	{"unprotected", spec_home_unprotected}, {NULL, NULL},
};

static const luaL_Reg pending_methods[] = {
	{"wait", pending_wait}, {"cancel", pending_cancel}, {"done", pending_done}, {NULL, NULL},
};

static const luaL_Reg functions[] = {
	{"new", rig_new}, {"certificate", certificate}, {"sealed", sealed}, {"signature", signature}, {"verdict", verdict},
	{"key_id", key_id}, {"fingerprint", fingerprint}, {"agents", agents}, {"children", children},
	{"send_signal", send_signal}, {"set_environment", set_environment}, {"memory_holds", memory_holds},
	{"raw_seal_open", raw_seal_open}, {"layer_seal_open", layer_seal_open}, {NULL, NULL},
};

int luaopen_support_openpgp(lua_State *L);
int luaopen_support_openpgp(lua_State *L)
{
	register_type(L, RIG, rig_methods, rig_stop);
	register_type(L, HOME, home_methods, NULL);
	register_type(L, PENDING, pending_methods, pending_gc);
	luaL_newlib(L, functions);
	return 1;
}
