// SPDX-License-Identifier: GPL-3.0-or-later
// The joining machine for specs: joining.new{…} → machine; machine:step{type = "invite", …} → list of actions as tables.
#include "discussion/joining.h"
#include "discussion/admission.h"
#include "spec/support/fields.h"
#include "spec/support/object.h"

#define MACHINE "support.joining"

static const char *const events[] = {
	"restore", "invite", "withdrawn", "accept", "sponsor_up", "result", "chain", "link_down", "deadline", NULL,
};
static const char *const actions[] = {
	"ask", "keep", "import", "sign_binding", "sign_join", "send", "vet", "verify", "want_chain", "deadline", "drop", "founded",
	"refused",
};
static const char *const phases[] = {"waits", "invited", "accepted", "over"};

struct machine {
	struct joining *joining;
};

static struct machine *check(lua_State *L)
{
	return luaL_checkudata(L, 1, MACHINE);
}

static int machine_new(lua_State *L)
{
	struct joining_config c = {0};
	luaL_checktype(L, 1, LUA_TTABLE);
	struct machine *m = lua_newuserdatauv(L, sizeof *m, 0);
	memset(m, 0, sizeof *m);
	luaL_setmetatable(L, MACHINE);
	field_text(L, 1, "own", c.own, sizeof c.own);
	field_text(L, 1, "sponsor", c.sponsor, sizeof c.sponsor);
	field_text(L, 1, "discussion", c.discussion, sizeof c.discussion);
	m->joining = joining_new(&c);
	return 1;
}

static int machine_free(lua_State *L)
{
	struct machine *m = check(L);
	joining_free(m->joining);
	m->joining = NULL;
	return 0;
}

static struct bytes *bytes_get(lua_State *L, const char *name)
{
	struct span s = field_span(L, 2, name);
	return s.data ? bytes_new_span(s) : NULL;
}

static void event_get(lua_State *L, struct joining_event *e, struct presence_parts *presence)
{
	e->type = (enum joining_event_type)field_choice(L, 2, "type", events);
	e->invite = field_span(L, 2, "invite");
	e->key.certificate = bytes_get(L, "certificate");
	e->key.general = bytes_get(L, "general");
	e->withdrawn.time_ms = field_integer(L, 2, "time_ms", 0);
	e->result.ticket = (uint64_t)field_integer(L, 2, "ticket", 0);
	if (e->type == JOINING_EVENT_RESULT)
		e->result.code = field_code(L, 2, "code");
	e->result.bytes = bytes_get(L, "bytes");
	e->result.fingerprint = (const char *)field_span(L, 2, "fingerprint").data;
	e->result.id = (const char *)field_span(L, 2, "id").data;
	e->chain.member = e->member = (const char *)field_span(L, 2, "member").data;
	e->chain.record = bytes_get(L, "record");
	presence->record = bytes_get(L, "presence");
	presence->certification = bytes_new("certified", 9);
	e->presence = presence->record ? presence : NULL;
}

static void event_fini(struct joining_event *e, struct presence_parts *presence)
{
	bytes_unref(e->key.certificate);
	bytes_unref(e->key.general);
	bytes_unref(e->result.bytes);
	bytes_unref(e->chain.record);
	presence_parts_fini(presence);
}

static void action_put(lua_State *L, const struct joining_action *a)
{
	lua_newtable(L);
	put_text(L, "type", actions[a->type]);
	put_integer(L, "ticket", (lua_Integer)a->ticket);
	put_integer(L, "ms", a->ms);
	put_text(L, "member", a->member);
	put_text(L, "why", a->why.text);
	put_bytes(L, "certificate", a->type == JOINING_IMPORT ? a->import.certificate : a->check.certificate);
	put_bytes(L, "body", a->sign.body ? a->sign.body : a->check.body);
	put_bytes(L, "record", a->record);
	put_text(L, "signer", a->check.signer);
	put_text(L, "id", a->check.id);
	put_bytes(L, "signature", a->check.signature);
}

static int machine_step(lua_State *L)
{
	struct machine *m = check(L);
	struct joining_event e = {0};
	struct presence_parts presence = {0};
	struct joining_actions out;
	luaL_checktype(L, 2, LUA_TTABLE);
	event_get(L, &e, &presence);
	joining_actions_init(&out);
	joining_step(m->joining, &e, &out);
	event_fini(&e, &presence);
	lua_newtable(L);
	for (size_t i = 0; i < out.count; i++) {
		action_put(L, &out.list[i]);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	joining_actions_fini(&out);
	return 1;
}

static int machine_phase(lua_State *L)
{
	lua_pushstring(L, phases[joining_phase(check(L)->joining)]);
	return 1;
}

static int machine_full(lua_State *L)
{
	lua_pushboolean(L, joining_is_full(check(L)->joining));
	return 1;
}

// → the chain so far: {roster, charter, proof}
static int machine_epochs(lua_State *L)
{
	const struct joining_epoch *list;
	size_t count = joining_epochs(check(L)->joining, &list);
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_newtable(L);
		put_bytes(L, "roster", list[i].roster);
		put_hash(L, "hash", &list[i].hash);
		put_text(L, "charter", list[i].charter);
		put_bytes_list(L, "proof", list[i].proof, list[i].count);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

// (certificate's hash) → who has it
static int machine_person(lua_State *L)
{
	struct hash hash;
	size_t len;
	const char *bytes = luaL_checklstring(L, 2, &len);
	luaL_argcheck(L, len == HASH_LEN, 2, "a hash");
	memcpy(&hash, bytes, HASH_LEN);
	const struct joining_person *p = joining_person(check(L)->joining, &hash);
	if (!p)
		return 0;
	lua_newtable(L);
	put_text(L, "fingerprint", p->fingerprint);
	put_bytes(L, "certificate", p->certificate);
	put_bytes(L, "binding", p->binding);
	put_bytes(L, "general", p->general);
	put_text(L, "key_fingerprint", p->key_fingerprint);
	put_text(L, "key", p->key);
	return 1;
}

// (JOIN's envelope, key id) → the op's bytes; or nil, name, text
static int support_op(lua_State *L)
{
	size_t len;
	struct buf b;
	struct err_info info = {0};
	const char *text = luaL_checklstring(L, 1, &len);
	struct bytes *envelope = bytes_new(text, len);
	buf_init(&b, OP_MAX);
	enum err e = admission_op(envelope, luaL_checkstring(L, 2), &b, &info);
	bytes_unref(envelope);
	if (e) {
		buf_fini(&b);
		lua_pushnil(L);
		lua_pushstring(L, err_name(e));
		lua_pushstring(L, info.text);
		return 3;
	}
	lua_pushlstring(L, (const char *)b.data, b.len);
	buf_fini(&b);
	return 1;
}

int luaopen_support_joining(lua_State *L);
int luaopen_support_joining(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"step", machine_step}, {"phase", machine_phase}, {"epochs", machine_epochs}, {"is_full", machine_full},
		{"person", machine_person}, {NULL, NULL},
	};
	static const luaL_Reg functions[] = {{"new", machine_new}, {"op", support_op}, {NULL, NULL}};
	object_type(L, MACHINE, methods, machine_free);
	luaL_newlib(L, functions);
	return 1;
}
