// SPDX-License-Identifier: GPL-3.0-or-later
// The part of support.store for payloads, heads, acknowledgements and proofs (store.c).
#include "spec/support/store_values.h"
#include "store/payloads.h"
#include "store/proofs.h"

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

// --- proofs -------------------------------------------------------------------------------------

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

static bool visit_proof(void *arg, const struct store_payload_key *key)
{
	struct visit *v = arg;
	lua_newtable(v->L);
	set_int(v->L, "epoch", key->epoch);
	set_text(v->L, "sender", key->sender);
	set_int(v->L, "sequence", (int64_t)key->sequence);
	return visited(v);
}

// proof_each(discussion, function)
static int proof_each(lua_State *L)
{
	struct err_info info = {0};
	struct store *s = to_store(L);
	const char *discussion = luaL_checkstring(L, 2);
	struct visit v = begin_visit(L, 3);
	return end_visit(&v, store_proof_each(s, discussion, visit_proof, &v, &info), &info);
}

// --- the module ---------------------------------------------------------------------------------

static const luaL_Reg methods[] = {
	{"payload_append", payload_append},
	{"payload_set_message", payload_set_message},
	{"payload_get", payload_get},
	{"payload_each_after", payload_each_after},
	{"head_get", head_get},
	{"ack_put", ack_put},
	{"ack_get", ack_get},
	{"proof_put", proof_put},
	{"proof_get", proof_get},
	{"proof_each", proof_each},
	{NULL, NULL},
};

int luaopen_support_store_payloads(lua_State *L)
{
	luaL_setfuncs(L, methods, 0);
	return 0;
}
