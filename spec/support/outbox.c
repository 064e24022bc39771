// SPDX-License-Identifier: GPL-3.0-or-later
// The outbox machine for specs: outbox.new{transcript = …, …} → machine; machine:step{type =
// "submit", …} → list of actions as tables.
#include "discussion/outbox.h"
#include "base/mem.h"
#include "spec/support/messages.h"
#include "spec/support/object.h"

#define OUTBOX_TYPE "support.outbox"

static const char *const events[] = {
	"start",	 "submit",  "release",	 "committed", "sealed",	     "stored",	  "ack_stored", "loaded",
	"failed_stored", "link_up", "link_down", "ack",	      "cannot_open", "congested", "writable",	"retry",
	"heard",	 "ack_due", "complain",	 "rekey",	 "key_learned", "freeze",    "close",   "abandon",	 NULL,
};
static const char *const actions[] = {
	"commit",	"accepted",    "rejected",    "drained", "seal",
	"store_sealed", "load",	       "transmit",    "store_ack",
	"ack_in",	"retry_in",    "closed",      "failed",      "key_may_die",
	"closed_delivered", "rolled_back", "undeliverable",
};

struct machine {
	struct outbox *outbox;
};

static struct outbox *check(lua_State *L)
{
	struct machine *m = luaL_checkudata(L, 1, OUTBOX_TYPE);
	if (!m->outbox)
		luaL_error(L, "the machine is freed");
	return m->outbox;
}

// A list of {id, nonce, time, text} at the top of the stack; freed by messages_free.
static struct outbox_message *messages_get(lua_State *L, size_t *count)
{
	int list = lua_gettop(L);
	*count = (size_t)luaL_len(L, list);
	struct outbox_message *out = mem_alloc_array(*count + 1, sizeof *out);
	for (size_t i = 0; i < *count; i++) {
		lua_geti(L, list, (lua_Integer)i + 1);
		int t = lua_gettop(L);
		struct span nonce = field_need(L, t, "nonce");
		field_text(L, t, "id", out[i].id, sizeof out[i].id);
		memcpy(out[i].nonce, nonce.data, PAYLOAD_NONCE_LEN);
		out[i].time_ms = field_integer(L, t, "time", 0);
		out[i].text = bytes_new_span(field_need(L, t, "text"));
		lua_pop(L, 1);
	}
	return out;
}

static void messages_free(struct outbox_message *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bytes_unref(list[i].text);
	free(list);
}

static void acknowledged_get(lua_State *L, struct outbox_config *c)
{
	if (lua_getfield(L, 1, "acknowledged") == LUA_TTABLE) {
		for (int i = 0; i < ROSTER_MAX; i++) {
			lua_geti(L, -1, i + 1);
			c->acknowledged[i] = (uint64_t)luaL_optinteger(L, -1, 0);
			lua_pop(L, 1);
		}
	}
	lua_pop(L, 1);
}

static int machine_new(lua_State *L)
{
	struct roster_record roster;
	struct outbox_config c = {.roster = &roster};
	struct outbox_message *queued = NULL;
	luaL_checktype(L, 1, LUA_TTABLE);
	struct machine *m = lua_newuserdatauv(L, sizeof *m, 1);
	m->outbox = NULL;
	luaL_setmetatable(L, OUTBOX_TYPE);
	field_text(L, 1, "own", c.own, sizeof c.own);
	field_hash(L, 1, "roster_hash", &c.roster_hash);
	roster_get(L, 1, &roster);
	lua_getfield(L, 1, "transcript");
	c.transcript = transcript_check(L, -1);
	lua_setiuservalue(L, -2, 1); // it must outlive this machine
	c.built = (uint64_t)field_integer(L, 1, "built", 0);
	if (c.built)
		field_hash(L, 1, "head", &c.head);
	acknowledged_get(L, &c);
	c.closing = field_bool(L, 1, "closing");
	c.keyless = field_bool(L, 1, "keyless");
	c.frozen = field_bool(L, 1, "frozen");
	c.heard = field_bool(L, 1, "heard");
	if (lua_getfield(L, 1, "queued") == LUA_TTABLE)
		queued = messages_get(L, &c.queued_count);
	lua_pop(L, 1);
	c.queued = queued;
	m->outbox = outbox_new(&c);
	messages_free(queued, c.queued_count);
	return 1;
}

static int machine_free(lua_State *L)
{
	struct machine *m = luaL_checkudata(L, 1, OUTBOX_TYPE);
	outbox_free(m->outbox);
	m->outbox = NULL;
	return 0;
}

// --- events -------------------------------------------------------------------------------------

// What an event points to.
struct room {
	struct outbox_message *messages;
	size_t message_count;
	struct outbox_loaded *rows;
	size_t row_count;
	struct bytes *message, *certificate;
};

static void room_free(struct room *r)
{
	messages_free(r->messages, r->message_count);
	for (size_t i = 0; i < r->row_count; i++) {
		bytes_unref(r->rows[i].payload);
		bytes_unref(r->rows[i].message);
	}
	free(r->rows);
	bytes_unref(r->message);
	bytes_unref(r->certificate);
}

static void submit_get(lua_State *L, int t, struct outbox_event *e, struct room *r)
{
	e->submit.ticket = (uint64_t)field_integer(L, t, "ticket", 0);
	lua_getfield(L, t, "messages");
	luaL_checktype(L, -1, LUA_TTABLE);
	r->messages = messages_get(L, &r->message_count);
	lua_pop(L, 1);
	e->submit.messages = r->messages;
	e->submit.count = r->message_count;
}

// rows = {{sequence =, payload =, message =}, …}
static void loaded_get(lua_State *L, int t, struct outbox_event *e, struct room *r)
{
	e->loaded.code = field_code(L, t, "code");
	if (lua_getfield(L, t, "rows") == LUA_TTABLE) {
		r->row_count = (size_t)luaL_len(L, -1);
		r->rows = mem_alloc_array(r->row_count + 1, sizeof *r->rows);
		for (size_t i = 0; i < r->row_count; i++) {
			lua_geti(L, -1, (lua_Integer)i + 1);
			int row = lua_gettop(L);
			struct span message = field_span(L, row, "message");
			r->rows[i].sequence = (uint64_t)field_integer(L, row, "sequence", 0);
			r->rows[i].payload = bytes_new_span(field_need(L, row, "payload"));
			r->rows[i].message = message.data ? bytes_new_span(message) : NULL;
			lua_pop(L, 1);
		}
	}
	lua_pop(L, 1);
	e->loaded.rows = r->rows;
	e->loaded.count = r->row_count;
}

static void link_get(lua_State *L, int t, struct outbox_event *e)
{
	e->link.member = member_get(L, t);
	lua_getfield(L, t, "sequence");
	e->link.known = !lua_isnil(L, -1);
	lua_pop(L, 1);
	e->link.epoch = (uint32_t)field_integer(L, t, "epoch", 0);
	e->link.sequence = (uint64_t)field_integer(L, t, "sequence", 0);
	if (e->link.sequence)
		field_hash(L, t, "hash", &e->link.hash);
}

static void event_get(lua_State *L, int t, struct outbox_event *e, struct room *r)
{
	struct span message;
	e->type = (enum outbox_event_type)field_choice(L, t, "type", events);
	e->now_ms = field_integer(L, t, "now", 1700000000000);
	switch (e->type) {
	case OUTBOX_EVENT_SUBMIT:
	case OUTBOX_EVENT_RELEASE:
		submit_get(L, t, e, r);
		break;
	case OUTBOX_EVENT_COMMITTED:
	case OUTBOX_EVENT_STORED:
	case OUTBOX_EVENT_ACK_STORED:
	case OUTBOX_EVENT_FAILED_STORED:
		e->result.code = field_code(L, t, "code");
		break;
	case OUTBOX_EVENT_SEALED:
		message = field_span(L, t, "message");
		e->sealed.code = field_code(L, t, "code");
		r->message = e->sealed.message = message.data ? bytes_new_span(message) : NULL;
		break;
	case OUTBOX_EVENT_LOADED:
		loaded_get(L, t, e, r);
		break;
	case OUTBOX_EVENT_LINK_UP:
		link_get(L, t, e);
		break;
	case OUTBOX_EVENT_ACK:
	case OUTBOX_EVENT_CANNOT_OPEN:
		e->delivery.member = member_get(L, t);
		e->delivery.epoch = (uint32_t)field_integer(L, t, "epoch", 0);
		e->delivery.sequence = (uint64_t)field_integer(L, t, "sequence", 0);
		break;
	case OUTBOX_EVENT_COMPLAIN:
		e->complaint.sender = member_get(L, t);
		e->complaint.sequence = (uint64_t)field_integer(L, t, "sequence", 0);
		field_hash(L, t, "hash", &e->complaint.hash);
		break;
	case OUTBOX_EVENT_LINK_DOWN:
	case OUTBOX_EVENT_CONGESTED:
	case OUTBOX_EVENT_WRITABLE:
	case OUTBOX_EVENT_KEY_LEARNED:
		e->member = member_get(L, t);
		break;
	case OUTBOX_EVENT_REKEY:
		r->certificate = e->rekey.certificate = bytes_new_span(field_need(L, t, "certificate"));
		break;
	case OUTBOX_EVENT_START:
	case OUTBOX_EVENT_RETRY:
	case OUTBOX_EVENT_HEARD:
	case OUTBOX_EVENT_ACK_DUE:
	case OUTBOX_EVENT_FREEZE:
	case OUTBOX_EVENT_CLOSE:
	case OUTBOX_EVENT_ABANDON:
		break;
	}
}

// --- actions ------------------------------------------------------------------------------------

static void rows_push(lua_State *L, const struct outbox_action *a)
{
	lua_newtable(L);
	for (size_t i = 0; i < a->commit.row_count; i++) {
		const struct outbox_row *row = &a->commit.rows[i];
		lua_newtable(L);
		put_text(L, "id", row->message.id);
		put_span(L, "nonce", span(row->message.nonce, PAYLOAD_NONCE_LEN));
		put_integer(L, "time", row->message.time_ms);
		put_bytes(L, "text", row->message.text);
		put_bool(L, "fresh", row->fresh);
		put_bool(L, "released", row->released);
		if (row->placed) {
			put_integer(L, "sequence", (lua_Integer)row->sequence);
			put_integer(L, "index", row->index);
		}
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "rows");
}

static void payloads_push(lua_State *L, const struct outbox_action *a)
{
	lua_newtable(L);
	for (size_t i = 0; i < a->commit.payload_count; i++) {
		lua_newtable(L);
		put_integer(L, "sequence", (lua_Integer)a->commit.payloads[i].sequence);
		put_hash(L, "hash", &a->commit.payloads[i].hash);
		put_bytes(L, "bytes", a->commit.payloads[i].bytes);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "payloads");
}

static void ack_push(lua_State *L, const struct outbox_action *a)
{
	put_member(L, "member", a->ack.member);
	put_integer(L, "sequence", (lua_Integer)a->ack.sequence);
	put_integer(L, "first_sent", (lua_Integer)a->ack.first_sent);
	put_integer(L, "last_sent", (lua_Integer)a->ack.last_sent);
	put_integer(L, "first_delivered", (lua_Integer)a->ack.first_delivered);
	put_integer(L, "last_delivered", (lua_Integer)a->ack.last_delivered);
}

static void action_push(lua_State *L, const struct outbox_action *a)
{
	lua_newtable(L);
	put_text(L, "type", actions[a->type]);
	switch (a->type) {
	case OUTBOX_COMMIT:
		rows_push(L, a);
		payloads_push(L, a);
		put_integer(L, "time", a->commit.time_ms);
		put_bool(L, "closes", a->commit.closes);
		put_bytes(L, "rekey", a->commit.rekey);
		break;
	case OUTBOX_ACCEPTED:
		put_integer(L, "ticket", (lua_Integer)a->ticket);
		break;
	case OUTBOX_REJECTED:
		put_integer(L, "ticket", (lua_Integer)a->rejected.ticket);
		put_text(L, "code", err_name(a->rejected.code));
		break;
	case OUTBOX_SEAL:
		put_integer(L, "sequence", (lua_Integer)a->seal.sequence);
		put_bytes(L, "payload", a->seal.payload);
		break;
	case OUTBOX_STORE_SEALED:
		put_integer(L, "sequence", (lua_Integer)a->store.sequence);
		put_span(L, "message", a->store.message);
		break;
	case OUTBOX_LOAD:
		put_integer(L, "after", (lua_Integer)a->load.after);
		put_integer(L, "count", (lua_Integer)a->load.count);
		break;
	case OUTBOX_TRANSMIT:
		put_member(L, "member", a->transmit.member);
		put_integer(L, "sequence", (lua_Integer)a->transmit.sequence);
		put_bytes(L, "frame", a->transmit.frame);
		break;
	case OUTBOX_STORE_ACK:
		ack_push(L, a);
		break;
	case OUTBOX_ACK_IN:
	case OUTBOX_RETRY_IN:
		put_integer(L, "ms", a->ms);
		break;
	case OUTBOX_FAILED:
		put_integer(L, "first", (lua_Integer)a->failed.first);
		put_integer(L, "last", (lua_Integer)a->failed.last);
		break;
	case OUTBOX_CLOSED_DELIVERED:
		put_member(L, "member", a->member);
		break;
	case OUTBOX_ROLLED_BACK:
	case OUTBOX_UNDELIVERABLE:
		put_member(L, "member", a->trouble.member);
		put_integer(L, "sequence", (lua_Integer)a->trouble.sequence);
		break;
	case OUTBOX_DRAINED:
	case OUTBOX_CLOSED:
	case OUTBOX_KEY_MAY_DIE:
		break;
	}
}

static int machine_step(lua_State *L)
{
	struct outbox *o = check(L);
	struct outbox_event e = {0};
	struct outbox_actions list;
	struct room room = {0};
	luaL_checktype(L, 2, LUA_TTABLE);
	event_get(L, 2, &e, &room);
	outbox_actions_init(&list);
	outbox_step(o, &e, &list);
	room_free(&room);
	lua_newtable(L);
	for (size_t i = 0; i < list.count; i++) {
		action_push(L, &list.list[i]);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	outbox_actions_fini(&list);
	return 1;
}

// --- what it knows ------------------------------------------------------------------------------

static int machine_head(lua_State *L)
{
	struct hash hash;
	lua_pushinteger(L, (lua_Integer)outbox_head(check(L), &hash));
	lua_pushlstring(L, (const char *)hash.bytes, HASH_LEN);
	return 2;
}

static int machine_is_settled(lua_State *L)
{
	lua_pushboolean(L, outbox_is_settled(check(L)));
	return 1;
}

static int machine_owes(lua_State *L)
{
	lua_pushboolean(L, outbox_owes(check(L), (size_t)luaL_checkinteger(L, 2) - 1));
	return 1;
}

static int machine_is_rekeying(lua_State *L)
{
	lua_pushboolean(L, outbox_is_rekeying(check(L)));
	return 1;
}

static int machine_counters(lua_State *L)
{
	struct outbox_counters c = outbox_counters(check(L));
	lua_newtable(L);
	put_integer(L, "accepted", (lua_Integer)c.accepted);
	put_integer(L, "rejected", (lua_Integer)c.rejected);
	put_integer(L, "built", (lua_Integer)c.built);
	put_integer(L, "sealed", (lua_Integer)c.sealed);
	put_integer(L, "resealed", (lua_Integer)c.resealed);
	put_integer(L, "transmitted", (lua_Integer)c.transmitted);
	put_integer(L, "loaded", (lua_Integer)c.loaded);
	put_integer(L, "failures", (lua_Integer)c.failures);
	put_integer(L, "bad_records", (lua_Integer)c.bad_records);
	put_integer(L, "queued", (lua_Integer)c.queued);
	put_integer(L, "kept", (lua_Integer)c.kept);
	put_integer(L, "kept_bytes", (lua_Integer)c.kept_bytes);
	return 1;
}

int luaopen_support_outbox(lua_State *L);
int luaopen_support_outbox(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"step", machine_step}, {"head", machine_head},
		{"owes", machine_owes}, {"is_settled", machine_is_settled}, {"is_rekeying", machine_is_rekeying}, {"counters", machine_counters},
		{"free", machine_free}, {NULL, NULL},
	};
	static const luaL_Reg functions[] = {{"new", machine_new}, {NULL, NULL}};
	object_type(L, OUTBOX_TYPE, methods, machine_free);
	luaL_newlib(L, functions);
	return 1;
}
