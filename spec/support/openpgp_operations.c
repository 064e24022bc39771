// SPDX-License-Identifier: GPL-3.0-or-later
// The operations of a rig of support.openpgp: rig:NAME{home =, …} starts one and yields a pending.
#include "spec/support/openpgp_rig.h"

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
	*in = (struct inputs){.call = {.gpg = r->gpg, .done = pending_on_gpg}};
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
	struct pending *p = pending_new(L, r);
	in.call.arg = p;
	enum err e = f(&in, r, p, &info);
	inputs_fini(&in);
	if (e) {
		pending_never_began(p);
		return push_failure(L, e, &info);
	}
	return 1;
}

static enum err do_seal(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_seal_start(&in->call, in->text, in->to, in->to_count, pending_op(p), info);
}

static enum err do_open_message(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_open_start(&in->call, in->message, in->to, in->to_count, in->signer, pending_op(p), info);
}

static enum err do_sign(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_sign_start(&in->call, in->text, pending_op(p), info);
}

static enum err do_verify(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_verify_start(&in->call, in->text, in->signature, in->signer, pending_op(p), info);
}

static enum err do_import(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_import_start(&in->call, in->certificate, pending_op(p), info);
}

static enum err do_export(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_export_start(&in->call, in->fingerprint, pending_op(p), info);
}

static enum err do_delete(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_delete_start(&in->call, in->fingerprint, pending_op(p), info);
}

static enum err do_generate(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	(void)r;
	return gpg_generate_start(&in->call, in->user_id, pending_op(p), info);
}

static struct key_call key_call(struct rig *r, struct pending *p)
{
	return (struct key_call){.gpg = r->gpg, .homes = r->homes, .done = pending_on_key, .arg = p};
}

static enum err do_make_discussion(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	struct key_call call = key_call(r, p);
	(void)in;
	return key_make_discussion_start(&call, pending_job(p), info);
}

static enum err do_make_general(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	struct key_call call = key_call(r, p);
	return key_make_general_start(&call, in->name, in->call.passphrase, pending_job(p), info);
}

static enum err do_subkey(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	struct key_call call = key_call(r, p);
	return key_subkey_start(&call, in->call.home, in->certificate, pending_job(p), info);
}

static enum err do_unlock(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	struct key_call call = key_call(r, p);
	struct certificate_info own;
	const struct key_unlock unlock = {
		.home = in->call.home, .own = &own, .message = in->message, .passphrase = in->call.passphrase};
	enum err e = certificate_check(bytes_span(in->certificate), &own, info);
	return e ? e : key_unlock_start(&call, &unlock, pending_job(p), info);
}

static enum err do_passphrase(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	struct key_call call = key_call(r, p);
	return key_passphrase_start(&call, in->call.home, in->fingerprint, in->call.passphrase, in->fresh, pending_job(p), info);
}

static enum err do_vet(struct inputs *in, struct rig *r, struct pending *p, struct err_info *info)
{
	struct key_call call = key_call(r, p);
	return key_vet_start(&call, in->certificate, in->text, in->signature, in->known, pending_job(p), info);
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
OPERATION(subkey)
OPERATION(unlock)
OPERATION(passphrase)
OPERATION(vet)

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

const luaL_Reg openpgp_operations[] = {
	{"seal", rig_seal}, {"open", rig_open_message}, {"sign", rig_sign}, {"verify", rig_verify}, {"import", rig_import},
	{"export", rig_export}, {"delete", rig_delete}, {"generate", rig_generate},
	{"make_discussion", rig_make_discussion}, {"make_general", rig_make_general}, {"subkey", rig_subkey}, {"unlock", rig_unlock},
	{"passphrase", rig_passphrase}, {"vet", rig_vet},
	{"limit", rig_limit}, {"keep_warm", rig_keep_warm}, {"expect_seal", rig_expect_seal}, {"expect_open", rig_expect_open},
	{"cool", rig_cool}, {NULL, NULL},
};
