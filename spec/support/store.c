// SPDX-License-Identifier: GPL-3.0-or-later
// engine/store for specs: require "support.store". Structs are tables with the same field names;
// bytes are strings. Failure returns nil, the error's name and its text.
#include <sys/stat.h>

#include "spec/support/store_values.h"
#include "store/budgets.h"
#include "store/identity.h"
#include "store/internal.h"
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

// --- care: what the engine has no use for --------------------------------------------------------

// SQLite's quick_check, of what is in the WAL, too
static int check_store(lua_State *L)
{
	sqlite3_stmt *statement;
	struct store *s = to_store(L);
	if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &statement, NULL) != SQLITE_OK ||
	    sqlite3_step(statement) != SQLITE_ROW)
		return luaL_error(L, "quick_check: %s", sqlite3_errmsg(s->db));
	const char *verdict = (const char *)sqlite3_column_text(statement, 0);
	bool good = strcmp(verdict, "ok") == 0;
	lua_pushboolean(L, good);
	lua_pushstring(L, verdict);
	sqlite3_finalize(statement);
	return 2;
}

// The database and its WAL, in bytes
static int size(lua_State *L)
{
	struct stat file, wal = {0};
	const char *path = to_store(L)->path;
	if (stat(path, &file) != 0)
		return luaL_error(L, "no store at %s", path);
	lua_pushfstring(L, "%s-wal", path);
	if (stat(lua_tostring(L, -1), &wal) != 0)
		wal.st_size = 0;
	lua_pushinteger(L, (lua_Integer)(file.st_size + wal.st_size));
	return 1;
}

// The file may not grow beyond so many pages of 4096 bytes; 0: no limit. A write that needs more
// fails as on a full disk.
static int limit_pages(lua_State *L)
{
	char sql[64];
	lua_Integer pages = luaL_checkinteger(L, 2);
	sqlite3_snprintf(sizeof sql, sql, "PRAGMA max_page_count = %lld",
			 pages ? (long long)pages : 1073741823LL);
	if (sqlite3_exec(to_store(L)->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return luaL_error(L, "max_page_count: %s", sqlite3_errmsg(to_store(L)->db));
	lua_pushboolean(L, 1);
	return 1;
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
	static const char *const fields[] = {"sequence", "has_passphrase", NULL};
	struct err_info info = {0};
	struct store *s = to_store(L);
	enum err e = luaL_checkoption(L, 2, NULL, fields) == 0
			     ? store_identity_set_sequence(s, (uint64_t)luaL_checkinteger(L, 3), &info)
			     : store_identity_set_passphrase(s, lua_toboolean(L, 3), &info);
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

struct search {
	lua_State *L;
	const char *fingerprint;
	bool found;
};

static bool compare_peer(void *arg, const struct store_peer *p)
{
	struct search *search = arg;
	search->found = strcmp(p->fingerprint, search->fingerprint) == 0;
	if (search->found)
		push_peer(search->L, p);
	return !search->found;
}

// of one fingerprint; nil where there is none
static int peer_get(lua_State *L)
{
	struct err_info info = {0};
	struct search search = {.L = L, .fingerprint = luaL_checkstring(L, 2)};
	enum err e = store_peer_each(to_store(L), compare_peer, &search, &info);
	if (e)
		return answer(L, e, &info);
	return search.found ? 1 : 0;
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
	luaopen_support_store_payloads(L);
	luaopen_support_store_messages(L);
	luaopen_support_store_changes(L);
	lua_setfield(L, -2, "__index");
	lua_newtable(L);
	lua_pushcfunction(L, open_store);
	lua_setfield(L, -2, "open");
	return 1;
}
