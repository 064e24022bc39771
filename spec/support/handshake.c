// SPDX-License-Identifier: GPL-3.0-or-later
// The handshake machine for specs: handshake.new{…} → machine; machine:step{type = "frame", …} →
// list of actions as tables.
#include "discussion/arbitration.h"
#include "discussion/handshake.h"
#include "spec/support/fields.h"
#include "wire/handshake.h"

#define MACHINE "support.handshake"

static const char *const roles[] = {"initiator", "responder", NULL};
static const char *const modes[] = {"password", "pinned", NULL};
static const char *const reasons[] = {"refused", "busy", "expired", "superseded", NULL};
static const char *const events[] = {
	"start", "frame", "unreadable", "link_ended", "deadline", "accept", "end", "looked_up",
	"certificate_checked", "proved", "general_sealed", "general_opened", "binding_signed",
	"binding_verified", "imported", "guess_spent", "committed", "discussion_sealed",
	"discussion_opened", NULL,
};
static const char *const actions[] = {
	"send", "set_cipher", "deadline", "close_link", "hold_link", "look_up", "check_certificate", "prove",
	"request", "seal_general", "open_general", "sign_binding", "verify_binding",
	"import_member", "spend_guess", "restore_guesses", "commit_opening", "seal_discussion",
	"open_discussion", "opened", "left", "refused",
};

struct machine {
	struct handshake *handshake;
	struct random random;
	struct random_seeded seed;
};

static struct machine *machine_check(lua_State *L)
{
	struct machine *m = luaL_checkudata(L, 1, MACHINE);
	if (!m->handshake)
		luaL_error(L, "the machine is freed");
	return m;
}

static struct handshake_key key_get(lua_State *L, int table)
{
	struct handshake_key k;
	if (lua_getfield(L, table, "key") != LUA_TTABLE)
		luaL_error(L, "field 'key' is missing");
	int t = lua_gettop(L);
	k.certificate = field_need(L, t, "certificate");
	field_text(L, t, "fingerprint", k.fingerprint, sizeof k.fingerprint);
	field_text(L, t, "key", k.key, sizeof k.key);
	lua_pop(L, 1);
	return k;
}

static struct secret *secret_get(lua_State *L, int table, const char *name)
{
	struct span s = field_span(L, table, name);
	return s.data ? secret_copy(s) : NULL;
}

static void presence_get(lua_State *L, int t, struct presence_parts *p)
{
	struct span signature = field_need(L, t, "presence_signature");
	luaL_argcheck(L, signature.len == sizeof p->signature, 1, "presence_signature");
	memcpy(p->signature, signature.data, signature.len);
	p->record = bytes_new_span(field_need(L, t, "presence_record"));
	p->certification = bytes_new_span(field_need(L, t, "presence_certification"));
}

static void initiator_get(lua_State *L, int t, struct handshake_config *c)
{
	field_text(L, t, "other", c->other, sizeof c->other);
	c->other_general = field_span(L, t, "other_general");
	c->mode = (enum handshake_mode)field_choice(L, t, "mode", modes);
	c->charter = (const char *)field_need(L, t, "charter").data;
	c->key = key_get(L, t);
	presence_get(L, t, &c->presence);
	c->password = secret_get(L, t, "password");
	c->presence_key = secret_get(L, t, "presence_key");
}

static int machine_new(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	struct machine *m = lua_newuserdatauv(L, sizeof *m, 0);
	memset(m, 0, sizeof *m);
	luaL_setmetatable(L, MACHINE);
	m->random = random_from_seed(&m->seed, (uint64_t)field_integer(L, 1, "seed", 1));
	struct handshake_config c = {.random = &m->random};
	c.role = (enum handshake_role)field_choice(L, 1, "role", roles);
	field_text(L, 1, "own", c.own, sizeof c.own);
	c.general = field_need(L, 1, "general");
	c.idle_ms = field_integer(L, 1, "idle_ms", 0);
	c.person_ms = field_integer(L, 1, "person_ms", 0);
	if (c.role == HANDSHAKE_INITIATOR)
		initiator_get(L, 1, &c);
	m->handshake = handshake_new(&c);
	secret_unref(c.password);
	secret_unref(c.presence_key);
	presence_parts_fini(&c.presence);
	return 1;
}

// own certificate and presence record, as `new` takes them
static int machine_renew(lua_State *L)
{
	struct machine *m = machine_check(L);
	struct presence_parts presence;
	luaL_checktype(L, 2, LUA_TTABLE);
	presence_get(L, 2, &presence);
	handshake_renew(m->handshake, field_need(L, 2, "general"), &presence);
	presence_parts_fini(&presence);
	return 0;
}

static int machine_free(lua_State *L)
{
	struct machine *m = luaL_checkudata(L, 1, MACHINE);
	handshake_free(m->handshake);
	m->handshake = NULL;
	return 0;
}

// --- events ---------------------------------------------------------------------------------

static void looked_up_get(lua_State *L, int t, struct handshake_event *e)
{
	e->looked_up.refuse = field_span(L, t, "refuse").data != NULL;
	if (e->looked_up.refuse)
		e->looked_up.reason =
			(enum handshake_reason)field_choice(L, t, "refuse", reasons);
	e->looked_up.held = field_bool(L, t, "held");
	e->looked_up.pinned = field_bool(L, t, "pinned");
	e->looked_up.general = field_span(L, t, "general");
}

static void event_get(lua_State *L, int t, struct handshake_event *e)
{
	memset(e, 0, sizeof *e);
	e->type = (enum handshake_event_type)field_choice(L, t, "type", events);
	switch (e->type) {
	case HANDSHAKE_EVENT_START:
	case HANDSHAKE_EVENT_UNREADABLE:
	case HANDSHAKE_EVENT_LINK_ENDED:
	case HANDSHAKE_EVENT_DEADLINE:
		break;
	case HANDSHAKE_EVENT_FRAME:
		e->frame.kind = (uint8_t)field_integer(L, t, "kind", 0);
		e->frame.payload = field_need(L, t, "payload");
		e->frame.encrypted = field_bool(L, t, "encrypted");
		break;
	case HANDSHAKE_EVENT_ACCEPT:
		e->accept.key = key_get(L, t);
		e->accept.password = secret_get(L, t, "password");
		break;
	case HANDSHAKE_EVENT_END:
		e->end.reason = (enum handshake_reason)field_choice(L, t, "reason", reasons);
		break;
	case HANDSHAKE_EVENT_LOOKED_UP:
		looked_up_get(L, t, e);
		break;
	case HANDSHAKE_EVENT_IMPORTED:
		e->imported.code = field_code(L, t, "code");
		if (e->imported.code)
			break;
		field_text(L, t, "fingerprint", e->imported.fingerprint,
			   sizeof e->imported.fingerprint);
		field_text(L, t, "key", e->imported.key, sizeof e->imported.key);
		break;
	default:
		e->result.code = field_code(L, t, "code");
		e->result.bytes = field_span(L, t, "bytes");
		break;
	}
}

// --- actions --------------------------------------------------------------------------------

static void put_keys(lua_State *L, size_t count, const char keys[][17])
{
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_pushstring(L, keys[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "keys");
}

static void put_opening(lua_State *L, const struct handshake_action *x)
{
	put_text(L, "id", x->opening.id);
	put_text(L, "other", x->opening.other);
	put_text(L, "mode", modes[x->opening.mode]);
	put_bytes(L, "charter", x->opening.charter);
	put_bytes(L, "roster", x->opening.roster);
	put_hash(L, "hash", &x->opening.hash);
	lua_newtable(L);
	for (size_t i = 0; i < x->opening.count; i++) {
		const struct handshake_member *m = &x->opening.members[i];
		lua_newtable(L);
		put_text(L, "fingerprint", m->fingerprint);
		put_bytes(L, "general", m->general);
		put_bytes(L, "certificate", m->certificate);
		put_bytes(L, "binding", m->binding);
		put_text(L, "key_fingerprint", m->key_fingerprint);
		put_text(L, "key", m->key);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "members");
}

static void put_gpg(lua_State *L, const struct handshake_action *x)
{
	switch (x->type) {
	case HANDSHAKE_CHECK_CERTIFICATE:
		put_text(L, "other", x->certificate.other);
		put_bytes(L, "certificate", x->certificate.certificate);
		break;
	case HANDSHAKE_PROVE:
		put_text(L, "other", x->prove.other);
		put_bytes(L, "certificate", x->prove.certificate);
		put_bytes(L, "record", x->prove.record);
		put_span(L, "signature", span(x->prove.signature, sizeof x->prove.signature));
		put_bytes(L, "certification", x->prove.certification);
		put_bytes(L, "body", x->prove.body);
		break;
	case HANDSHAKE_SEAL_GENERAL:
		put_text(L, "other", x->seal_general.other);
		put_bytes(L, "certificate", x->seal_general.certificate);
		put_bytes(L, "plaintext", x->seal_general.plaintext);
		break;
	case HANDSHAKE_OPEN_GENERAL:
		put_text(L, "other", x->open_general.other);
		put_bytes(L, "certificate", x->open_general.certificate);
		put_bytes(L, "message", x->open_general.message);
		break;
	case HANDSHAKE_SIGN_BINDING:
		put_bytes(L, "body", x->sign.body);
		break;
	case HANDSHAKE_VERIFY_BINDING:
		put_text(L, "other", x->verify.other);
		put_bytes(L, "certificate", x->verify.certificate);
		put_bytes(L, "body", x->verify.body);
		put_bytes(L, "signature", x->verify.signature);
		break;
	case HANDSHAKE_IMPORT_MEMBER:
		put_text(L, "id", x->import.id);
		put_text(L, "other", x->import.other);
		put_bytes(L, "certificate", x->import.certificate);
		break;
	case HANDSHAKE_SEAL_DISCUSSION:
		put_text(L, "id", x->seal_discussion.id);
		put_bytes(L, "plaintext", x->seal_discussion.plaintext);
		put_keys(L, x->seal_discussion.count, x->seal_discussion.keys);
		break;
	case HANDSHAKE_OPEN_DISCUSSION:
		put_text(L, "id", x->open_discussion.id);
		put_bytes(L, "message", x->open_discussion.message);
		put_text(L, "signer", x->open_discussion.signer);
		put_keys(L, x->open_discussion.count, x->open_discussion.keys);
		break;
	default:
		break;
	}
}

static void put_action(lua_State *L, const struct handshake_action *x)
{
	lua_newtable(L);
	put_text(L, "type", actions[x->type]);
	switch (x->type) {
	case HANDSHAKE_SEND:
		put_integer(L, "kind", x->send.kind);
		put_bool(L, "encrypted", x->send.encrypted);
		put_bytes(L, "payload", x->send.payload);
		break;
	case HANDSHAKE_SET_CIPHER:
		put_span(L, "tx", span(x->cipher.tx, sizeof x->cipher.tx));
		put_span(L, "rx", span(x->cipher.rx, sizeof x->cipher.rx));
		break;
	case HANDSHAKE_DEADLINE:
		put_integer(L, "ms", x->deadline.ms);
		break;
	case HANDSHAKE_LOOK_UP:
		put_text(L, "other", x->look_up.other);
		put_text(L, "id", x->look_up.id);
		put_text(L, "mode", modes[x->look_up.mode]);
		put_hash(L, "general", &x->look_up.general);
		break;
	case HANDSHAKE_REQUEST:
		put_text(L, "other", x->request.other);
		put_text(L, "id", x->request.id);
		put_text(L, "mode", modes[x->request.mode]);
		put_bytes(L, "charter", x->request.charter);
		break;
	case HANDSHAKE_SPEND_GUESS:
	case HANDSHAKE_RESTORE_GUESSES:
		put_text(L, "other", x->budget.other);
		break;
	case HANDSHAKE_COMMIT_OPENING:
		put_opening(L, x);
		break;
	case HANDSHAKE_REFUSED:
		put_text(L, "reason", handshake_reason_name(x->refused.reason));
		put_text(L, "detail", x->refused.detail);
		break;
	default:
		put_gpg(L, x);
		break;
	}
}

static int machine_step(lua_State *L)
{
	struct machine *m = machine_check(L);
	struct handshake_event e;
	struct handshake_actions out;
	luaL_checktype(L, 2, LUA_TTABLE);
	event_get(L, 2, &e);
	handshake_actions_init(&out);
	handshake_step(m->handshake, &e, &out);
	if (e.type == HANDSHAKE_EVENT_ACCEPT)
		secret_unref(e.accept.password);
	lua_newtable(L);
	for (size_t i = 0; i < out.count; i++) {
		put_action(L, &out.list[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	handshake_actions_fini(&out);
	return 1;
}

static int machine_id(lua_State *L)
{
	lua_pushstring(L, handshake_id(machine_check(L)->handshake));
	return 1;
}

static int machine_other(lua_State *L)
{
	lua_pushstring(L, handshake_other(machine_check(L)->handshake));
	return 1;
}

static int machine_mode(lua_State *L)
{
	lua_pushstring(L, modes[handshake_mode(machine_check(L)->handshake)]);
	return 1;
}

static int machine_over(lua_State *L)
{
	lua_pushboolean(L, handshake_is_over(machine_check(L)->handshake));
	return 1;
}

// arbitrate(asking, own, own_mode, other, other_mode)
static int support_arbitrate(lua_State *L)
{
	static const char *const names[] = {"ask", "answer", "hold", "yield", "refuse"};
	enum handshake_mode own = (enum handshake_mode)luaL_checkoption(L, 3, NULL, modes);
	enum handshake_mode other = (enum handshake_mode)luaL_checkoption(L, 5, NULL, modes);
	lua_pushstring(L, names[arbitrate(lua_toboolean(L, 1), luaL_checkstring(L, 2), own,
					  luaL_checkstring(L, 4), other)]);
	return 1;
}

int luaopen_support_handshake(lua_State *L);
int luaopen_support_handshake_fakes(lua_State *L);
int luaopen_support_handshake(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"step", machine_step},   {"id", machine_id},	  {"other", machine_other},
		{"mode", machine_mode},	  {"over", machine_over}, {"free", machine_free},
		{"renew", machine_renew}, {"__gc", machine_free}, {NULL, NULL},
	};
	static const luaL_Reg functions[] = {
		{"new", machine_new},
		{"arbitrate", support_arbitrate},
		{NULL, NULL},
	};
	if (luaL_newmetatable(L, MACHINE)) {
		luaL_setfuncs(L, methods, 0);
		lua_pushvalue(L, -1);
		lua_setfield(L, -2, "__index");
	}
	luaL_newlib(L, functions);
	return luaopen_support_handshake_fakes(L);
}
