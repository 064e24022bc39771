// SPDX-License-Identifier: GPL-3.0-or-later
// engine/store for specs: require "support.store". Structs are tables with the same field names;
// bytes are strings. Failure returns nil, the error's name and its text.
#include "spec/support/store_values.h"
#include "store/budgets.h"
#include "store/identity.h"
#include "store/peers.h"
#include "store/settings.h"

int luaopen_support_store(lua_State *L);

// --- the store ----------------------------------------------------------------------------------

static int open_store(lua_State *L)
{
	struct err_info info = {0};
	const char *path = luaL_checkstring(L, 1);
	struct store **box = lua_newuserdatauv(L, sizeof *box, 0);
	*box = NULL;
	luaL_setmetatable(L, STORE);
	enum err e = store_open(box, path, &info);
	return e ? answer(L, e, &info) : 1;
}

static int close_store(lua_State *L)
{
	struct store **box = luaL_checkudata(L, 1, STORE);
	store_close(*box);
	*box = NULL;
	return 0;
}

#define PLAIN(name)                                                                                \
	static int name##_store(lua_State *L)                                                      \
	{                                                                                          \
		struct err_info info = {0};                                                        \
		return answer(L, store_##name(to_store(L), &info), &info);                         \
	}
PLAIN(begin)
PLAIN(commit)
PLAIN(check)

static int rollback_store(lua_State *L)
{
	store_rollback(to_store(L));
	return 0;
}

static int in_transaction(lua_State *L)
{
	lua_pushboolean(L, store_in_transaction(to_store(L)));
	return 1;
}

static int unlock(lua_State *L)
{
	struct err_info info = {0};
	size_t len;
	const char *key = luaL_checklstring(L, 2, &len);
	struct secret *secret = secret_copy(span(key, len));
	enum err e = store_unlock(to_store(L), secret, &info);
	secret_unref(secret);
	return answer(L, e, &info);
}

static int lock(lua_State *L)
{
	store_lock(to_store(L));
	return 0;
}

static int unlocked(lua_State *L)
{
	lua_pushboolean(L, store_unlocked(to_store(L)));
	return 1;
}

static int size(lua_State *L)
{
	struct err_info info = {0};
	int64_t bytes;
	enum err e = store_size(to_store(L), &bytes, &info);
	if (e)
		return answer(L, e, &info);
	lua_pushinteger(L, bytes);
	return 1;
}

static int limit_pages(lua_State *L)
{
	struct err_info info = {0};
	uint32_t pages = (uint32_t)luaL_checkinteger(L, 2);
	return answer(L, store_limit_pages(to_store(L), pages, &info), &info);
}

// --- identity, settings -------------------------------------------------------------------------

static int identity_create(lua_State *L)
{
	struct err_info info = {0};
	struct store_identity i = {0};
	struct secret *secret;
	size_t len;
	get_text(L, 2, "fingerprint", i.fingerprint, sizeof i.fingerprint);
	get_text(L, 2, "name", i.name, sizeof i.name);
	get_text(L, 2, "home", i.home, sizeof i.home);
	i.has_passphrase = get_bool(L, 2, "has_passphrase");
	get_text(L, 2, "signer", i.signer, sizeof i.signer);
	i.card = get_bool(L, 2, "card");
	get_exact(L, 2, "presence_key", i.presence_key, sizeof i.presence_key);
	i.presence_since = get_int(L, 2, "presence_since");
	i.presence_sequence = (uint64_t)get_int(L, 2, "presence_sequence");
	i.certificate = get_bytes(L, 2, "certificate");
	i.store_key = get_bytes(L, 2, "store_key");
	i.certification = get_bytes(L, 2, "certification");
	const char *text = luaL_checklstring(L, 3, &len);
	secret = secret_copy(span(text, len));
	enum err e = store_identity_create(to_store(L), &i, secret, &info);
	secret_unref(secret);
	store_identity_fini(&i);
	return answer(L, e, &info);
}

static int identity_get(lua_State *L)
{
	struct err_info info = {0};
	struct store_identity i;
	enum err e = store_identity_get(to_store(L), &i, &info);
	if (e)
		return answer(L, e, &info);
	lua_newtable(L);
	set_text(L, "fingerprint", i.fingerprint);
	set_text(L, "name", i.name);
	set_text(L, "home", i.home);
	set_bool(L, "has_passphrase", i.has_passphrase);
	set_text(L, "signer", i.signer);
	set_bool(L, "card", i.card);
	set_span(L, "presence_key", span(i.presence_key, sizeof i.presence_key));
	set_int(L, "presence_since", i.presence_since);
	set_int(L, "presence_sequence", (int64_t)i.presence_sequence);
	set_bytes(L, "certificate", i.certificate);
	set_bytes(L, "store_key", i.store_key);
	set_bytes(L, "certification", i.certification);
	store_identity_fini(&i);
	return 1;
}

// identity_set_adopted{fingerprint, certificate, store_key, certification, signer, card}
static int identity_set_adopted(lua_State *L)
{
	struct err_info info = {0};
	struct store_identity i = {0};
	get_text(L, 2, "fingerprint", i.fingerprint, sizeof i.fingerprint);
	get_text(L, 2, "signer", i.signer, sizeof i.signer);
	i.card = get_bool(L, 2, "card");
	i.certificate = get_bytes(L, 2, "certificate");
	i.store_key = get_bytes(L, 2, "store_key");
	i.certification = get_bytes(L, 2, "certification");
	enum err e = store_identity_set_adopted(to_store(L), &i, &info);
	store_identity_fini(&i);
	return answer(L, e, &info);
}

static int identity_set_presence(lua_State *L)
{
	struct err_info info = {0};
	size_t len, key_len, certification_len;
	const char *key = luaL_checklstring(L, 2, &key_len);
	const char *text = luaL_checklstring(L, 3, &len);
	int64_t since = luaL_checkinteger(L, 4);
	const char *certification = luaL_checklstring(L, 5, &certification_len);
	luaL_argcheck(L, key_len == 32, 2, "32 bytes");
	struct secret *secret = secret_copy(span(text, len));
	enum err e = store_identity_set_presence(to_store(L), (const uint8_t *)key, secret, since,
						 span(certification, certification_len), &info);
	secret_unref(secret);
	return answer(L, e, &info);
}

static int identity_presence_secret(lua_State *L)
{
	struct err_info info = {0};
	struct secret *secret;
	enum err e = store_identity_presence_secret(to_store(L), &secret, &info);
	if (e)
		return answer(L, e, &info);
	struct span bytes = secret_span(secret);
	lua_pushlstring(L, (const char *)bytes.data, bytes.len);
	secret_unref(secret);
	return 1;
}

static int identity_set(lua_State *L)
{
	static const char *const fields[] = {"sequence", "has_passphrase", "certificate",
					     "store_key", NULL};
	struct err_info info = {0};
	struct store *s = to_store(L);
	size_t len;
	enum err e;
	int field = luaL_checkoption(L, 2, NULL, fields);
	if (field == 0) {
		e = store_identity_set_sequence(s, (uint64_t)luaL_checkinteger(L, 3), &info);
	} else if (field == 1) {
		e = store_identity_set_passphrase(s, lua_toboolean(L, 3), &info);
	} else {
		const char *text = luaL_checklstring(L, 3, &len);
		e = field == 2 ? store_identity_set_certificate(s, span(text, len), &info)
			       : store_identity_set_store_key(s, span(text, len), &info);
	}
	return answer(L, e, &info);
}

static int setting_get(lua_State *L)
{
	struct err_info info = {0};
	struct buf value;
	buf_init(&value, (size_t)luaL_optinteger(L, 3, STORE_SETTING_MAX));
	enum err e = store_setting_get(to_store(L), luaL_checkstring(L, 2), &value, &info);
	if (!e)
		lua_pushlstring(L, (const char *)value.data, value.len);
	buf_fini(&value);
	return e ? answer(L, e, &info) : 1;
}

static int setting_get_int(lua_State *L)
{
	struct err_info info = {0};
	int64_t value;
	enum err e = store_setting_get_int(to_store(L), luaL_checkstring(L, 2), &value, &info);
	if (e)
		return answer(L, e, &info);
	lua_pushinteger(L, value);
	return 1;
}

static int setting_put(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	const char *key = luaL_checkstring(L, 2);
	size_t len;
	if (lua_isinteger(L, 3))
		return answer(L, store_setting_put_int(s, key, lua_tointeger(L, 3), &info), &info);
	if (lua_isnil(L, 3))
		return answer(L, store_setting_delete(s, key, &info), &info);
	const char *value = luaL_checklstring(L, 3, &len);
	return answer(L, store_setting_put(s, key, span(value, len), &info), &info);
}

// --- peers, budgets -----------------------------------------------------------------------------

static int peer_put(lua_State *L)
{
	struct err_info info = {0};
	struct store_peer p = {0};
	get_text(L, 2, "fingerprint", p.fingerprint, sizeof p.fingerprint);
	get_text(L, 2, "name", p.name, sizeof p.name);
	get_text(L, 2, "source", p.source, sizeof p.source);
	p.has_presence = get_exact(L, 2, "presence_key", p.presence_key, sizeof p.presence_key);
	p.presence_since = get_int(L, 2, "presence_since");
	get_exact(L, 2, "record_signature", p.record_signature, sizeof p.record_signature);
	p.record_sequence = (uint64_t)get_int(L, 2, "record_sequence");
	p.record_expiry = get_int(L, 2, "record_expiry");
	get_addresses(L, 2, "addresses", &p.addresses);
	p.proven = get_bool(L, 2, "proven");
	p.pinned = get_bool(L, 2, "pinned");
	p.known = get_bool(L, 2, "known");
	p.last_seen = get_int(L, 2, "last_seen");
	p.certificate = get_bytes(L, 2, "certificate");
	p.certification = get_bytes(L, 2, "certification");
	p.record = get_bytes(L, 2, "record");
	enum err e = store_peer_put(to_store(L), &p, &info);
	store_peer_fini(&p);
	return answer(L, e, &info);
}

static void push_peer(lua_State *L, const struct store_peer *p)
{
	lua_newtable(L);
	set_text(L, "fingerprint", p->fingerprint);
	set_text(L, "name", p->name);
	set_text(L, "source", p->source);
	if (p->has_presence)
		set_span(L, "presence_key", span(p->presence_key, sizeof p->presence_key));
	set_int(L, "presence_since", p->presence_since);
	set_span(L, "record_signature", span(p->record_signature, sizeof p->record_signature));
	set_int(L, "record_sequence", (int64_t)p->record_sequence);
	set_int(L, "record_expiry", p->record_expiry);
	set_addresses(L, "addresses", &p->addresses);
	set_bool(L, "proven", p->proven);
	set_bool(L, "pinned", p->pinned);
	set_bool(L, "known", p->known);
	set_int(L, "last_seen", p->last_seen);
	set_bytes(L, "certificate", p->certificate);
	set_bytes(L, "certification", p->certification);
	set_bytes(L, "record", p->record);
}

static int peer_get(lua_State *L)
{
	struct err_info info = {0};
	struct store_peer p;
	enum err e = store_peer_get(to_store(L), luaL_checkstring(L, 2), &p, &info);
	if (e)
		return answer(L, e, &info);
	push_peer(L, &p);
	store_peer_fini(&p);
	return 1;
}

static bool visit_peer(void *arg, const struct store_peer *p)
{
	struct visit *v = arg;
	push_peer(v->L, p);
	return visited(v);
}

static int peer_each(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	struct visit v = begin_visit(L, 2);
	return end_visit(&v, store_peer_each(s, visit_peer, &v, &info), &info);
}

static int peer_delete(lua_State *L)
{
	struct err_info info = {0};
	return answer(L, store_peer_delete(to_store(L), luaL_checkstring(L, 2), &info), &info);
}

static int budget_get(lua_State *L)
{
	struct err_info info = {0};
	struct store_budget b;
	enum err e = store_budget_get(to_store(L), luaL_checkstring(L, 2), &b, &info);
	if (e)
		return answer(L, e, &info);
	lua_newtable(L);
	set_int(L, "guesses", b.guesses);
	set_int(L, "refills", b.refills);
	set_int(L, "next_refill", b.next_refill);
	return 1;
}

static int budget_put(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	const char *fingerprint = luaL_checkstring(L, 2);
	if (lua_isnoneornil(L, 3))
		return answer(L, store_budget_reset(s, fingerprint, &info), &info);
	const struct store_budget b = {(uint32_t)get_int(L, 3, "guesses"),
				       (uint32_t)get_int(L, 3, "refills"),
				       get_int(L, 3, "next_refill")};
	return answer(L, store_budget_put(s, fingerprint, &b, &info), &info);
}

// --- the module ---------------------------------------------------------------------------------

static const luaL_Reg methods[] = {
	{"close", close_store},
	{"begin", begin_store},
	{"commit", commit_store},
	{"rollback", rollback_store},
	{"in_transaction", in_transaction},
	{"unlock", unlock},
	{"lock", lock},
	{"unlocked", unlocked},
	{"check", check_store},
	{"size", size},
	{"limit_pages", limit_pages},
	{"identity_create", identity_create},
	{"identity_get", identity_get},
	{"identity_set_presence", identity_set_presence},
	{"identity_set_adopted", identity_set_adopted},
	{"identity_presence_secret", identity_presence_secret},
	{"identity_set", identity_set},
	{"setting_get", setting_get},
	{"setting_get_int", setting_get_int},
	{"setting_put", setting_put},
	{"peer_put", peer_put},
	{"peer_get", peer_get},
	{"peer_each", peer_each},
	{"peer_delete", peer_delete},
	{"budget_get", budget_get},
	{"budget_put", budget_put},
	{NULL, NULL},
};

int luaopen_support_store(lua_State *L)
{
	luaL_newmetatable(L, STORE);
	lua_pushcfunction(L, close_store);
	lua_setfield(L, -2, "__gc");
	luaL_newlib(L, methods);
	luaopen_support_store_discussions(L);
	luaopen_support_store_messages(L);
	lua_setfield(L, -2, "__index");
	lua_newtable(L);
	lua_pushcfunction(L, open_store);
	lua_setfield(L, -2, "open");
	return 1;
}
