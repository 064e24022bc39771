// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/proposals.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "shell/change.h"
#include "shell/conversation_parts.h"
#include "shell/invitation.h"
#include "shell/shell.h"
#include "wire/op.h"

// --- rows -------------------------------------------------------------------------------------------------------------------

static bool keep(void *arg, const struct store_proposal *p)
{
	struct proposal_list *l = arg;
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : 16;
		l->rows = mem_realloc(l->rows, l->room * sizeof *l->rows);
	}
	struct store_proposal *copy = &l->rows[l->count++];
	*copy = *p;
	bytes_ref(copy->op);
	bytes_ref(copy->answers);
	return true;
}

enum err proposals_read(struct engine *e, const char *discussion, struct proposal_list *out, struct err_info *info)
{
	*out = (struct proposal_list){0};
	return store_proposal_each(e->store, discussion, keep, out, info);
}

void proposal_list_fini(struct proposal_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		store_proposal_fini(&l->rows[i]);
	free(l->rows);
}

static bool is_of(const struct store_proposal *p, uint32_t epoch, const struct hash *name)
{
	return p->epoch == epoch && p->has_name && hash_equal(&p->name, name);
}

// The row of that op in the current epoch; ERR_NOT_FOUND.
static enum err find(struct discussion *d, const struct hash *name, struct store_proposal *out, struct err_info *info)
{
	struct proposal_list all;
	bool found = false;
	enum err code = proposals_read(d->engine, d->row.id, &all, info);
	for (size_t i = 0; code == OK && i < all.count && !found; i++) {
		found = is_of(&all.rows[i], d->row.epoch, name);
		if (found) {
			*out = all.rows[i];
			all.rows[i] = (struct store_proposal){0};
		}
	}
	proposal_list_fini(&all);
	if (code == OK && !found)
		code = err_set(info, ERR_NOT_FOUND, "no such proposal");
	return code;
}

static bool put(struct discussion *d, const struct store_proposal *p)
{
	struct err_info info;
	enum err code = store_proposal_put(d->engine->store, p, &info);
	if (code)
		health_store_failed(d->engine, &info, "a proposal could not be stored");
	return code == OK;
}

// The same at each member for what is proposed by others (first digits of H(op ‖ H_e)).
static void make_id(const struct discussion *d, struct span op, char out[33])
{
	struct buf b;
	char hex[2 * HASH_LEN + 1];
	buf_init(&b, OP_MAX + HASH_LEN);
	buf_put(&b, op.data, op.len);
	buf_put(&b, d->roster_hash.bytes, HASH_LEN);
	struct hash h = hash_of(buf_span(&b));
	buf_fini(&b);
	hex_encode_lower(hash_span(&h), hex);
	memcpy(out, hex, 32);
	out[32] = 0;
}

static enum err new_row(struct discussion *d, struct bytes *bytes, const char *proposer, struct store_proposal *out,
			struct err_info *info)
{
	struct op op;
	enum err code = op_decode(&op, bytes_span(bytes), info);
	if (code)
		return code;
	*out = (struct store_proposal){.epoch = d->row.epoch,
				       .state = "open",
				       .created = clock_now_ms(d->engine->clock),
				       .has_name = true,
				       .name = hash_of(bytes_span(bytes)),
				       .op = bytes_ref(bytes)};
	make_id(d, bytes_span(bytes), out->id);
	memcpy(out->discussion, d->row.id, sizeof out->discussion);
	snprintf(out->kind, sizeof out->kind, "%s", op_kind_name(op.kind));
	snprintf(out->proposer, sizeof out->proposer, "%s", proposer);
	if (op.kind == OP_ADMIT)
		memcpy(out->candidate, op.candidate.fingerprint, sizeof out->candidate);
	op_fini(&op);
	return OK;
}

// --- as people see them -----------------------------------------------------------------------------------------------------

static const struct conversation *conversation_of(struct engine *e, const struct store_proposal *p)
{
	const struct discussion *d = discussions_get(&e->discussions, p->discussion);
	return d && d->row.epoch == p->epoch ? d->conversation : NULL;
}

static json_t *subjects_of(const struct store_proposal *p, const char **charter, char text[RECORD_CHARTER_SIZE])
{
	json_t *list = json_array();
	struct op op;
	*charter = NULL;
	if (p->candidate[0])
		json_array_append_new(list, json_string(p->candidate));
	if (!p->op || op_decode(&op, bytes_span(p->op), NULL))
		return list;
	for (size_t i = 0; i < op.count; i++)
		json_array_append_new(list, json_string(op.subjects[i]));
	if (op.kind == OP_CHARTER) {
		memcpy(text, op.charter, RECORD_CHARTER_SIZE);
		*charter = text;
	}
	op_fini(&op);
	return list;
}

// Of an open one: who is asked and has not answered; the candidate, before it has joined.
static json_t *waiting_for(struct engine *e, const struct store_proposal *p)
{
	const struct conversation *c = conversation_of(e, p);
	const struct epoch *machine = c ? change_machine(c) : NULL;
	json_t *list = json_array();
	struct epoch_answer a;
	if (strcmp(p->state, "open") != 0)
		return list;
	if (!p->has_name && p->candidate[0])
		json_array_append_new(list, json_string(p->candidate));
	bool waits = p->has_name && machine && epoch_op_state(machine, &p->name) == EPOCH_OP_OPEN;
	for (size_t i = 0; waits && i < c->count; i++)
		if (epoch_op_answer(machine, &p->name, i, &a) && a.asked && !a.answered)
			json_array_append_new(list, json_string(c->discussion->members[i].fingerprint));
	return list;
}

json_t *proposal_view(struct engine *e, const struct store_proposal *p)
{
	const char *charter;
	char text[RECORD_CHARTER_SIZE];
	json_t *subjects = subjects_of(p, &charter, text);
	json_t *answers = p->answers ? json_loadb((const char *)p->answers->data, p->answers->len, 0, NULL) : NULL;
	json_t *v = json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:i, s:I}", "id", p->id, "discussion", p->discussion,
			      "op", p->kind, "subjects", subjects, "proposer", p->proposer, "state", p->state, "answers",
			      answers ? answers : json_array(), "waiting_for", waiting_for(e, p), "epoch", (int)p->epoch,
			      "created", (json_int_t)p->created);
	if (charter)
		json_object_set_new(v, "charter", json_string(charter));
	if (p->candidate[0])
		json_object_set_new(v, "candidate", json_pack("{s:s, s:s}", "fingerprint", p->candidate, "name",
							      neighbours_name(&e->neighbours, p->candidate)));
	if (p->ended)
		json_object_set_new(v, "ended", json_integer(p->ended));
	return v;
}

static void emit(struct discussion *d, const char *type, const struct store_proposal *p)
{
	metrics_count(&d->engine->metrics, "proposals", strchr(type, '.') + 1);
	engine_emit(d->engine, type, "proposal", proposal_view(d->engine, p));
}

// --- in step with the machine -----------------------------------------------------------------------------------------------

static struct bytes *answers_of(const struct conversation *c, const struct hash *name)
{
	json_t *list = json_array();
	struct epoch_answer a;
	for (size_t i = 0; i < c->count; i++)
		if (epoch_op_answer(change_machine(c), name, i, &a) && a.answered)
			json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "member",
							      c->discussion->members[i].fingerprint, "answer",
							      a.consents ? "consent" : "refuse", "reason", a.reason, "by",
							      a.by_policy ? "policy" : "person"));
	char *text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	struct bytes *made = bytes_new_span(span_string(text));
	free(text);
	return made;
}

// *made: there was none.
static enum err ensure(struct conversation *c, const struct hash *name, struct store_proposal *out, bool *made,
		       struct err_info *info)
{
	struct discussion *d = c->discussion;
	const struct epoch *machine = change_machine(c);
	enum err code = find(d, name, out, info);
	*made = code == ERR_NOT_FOUND;
	if (!*made)
		return code;
	size_t proposer = epoch_op_proposer(machine, name);
	struct bytes *op = bytes_new_span(epoch_op_bytes(machine, name));
	code = proposer == ROSTER_NOBODY ? ERR_NOT_FOUND : new_row(d, op, d->members[proposer].fingerprint, out, info);
	bytes_unref(op);
	return code;
}

// An answer that refuses an op is told with its state as that makes it: people would read that it goes on.
void proposals_told(struct conversation *c, const struct hash *op)
{
	struct discussion *d = c->discussion;
	struct store_proposal p = {0};
	struct err_info info;
	bool made;
	if (ensure(c, op, &p, &made, &info))
		return;
	struct bytes *answers = answers_of(c, op);
	bool answered = !made && (!p.answers || !span_equal(bytes_span(answers), bytes_span(p.answers)));
	bool refused = epoch_op_state(change_machine(c), op) == EPOCH_OP_REFUSED && strcmp(p.state, "open") == 0;
	bytes_unref(p.answers);
	p.answers = answers;
	if (made && put(d, &p))
		emit(d, "proposal.opened", &p);
	if (refused) {
		snprintf(p.state, sizeof p.state, "refused");
		p.ended = clock_now_ms(d->engine->clock);
	}
	if ((answered || refused) && put(d, &p)) {
		if (answered)
			emit(d, "proposal.answered", &p);
		if (refused)
			emit(d, "proposal.refused", &p);
	}
	if (refused)
		invitation_ended(d->engine, p.id);
	store_proposal_fini(&p);
}

// --- this person's ------------------------------------------------------------------------------------------------------------

// The row first: what the machine tells of it comes to one that is there.
static enum err propose(struct discussion *d, struct store_proposal *p, struct err_info *info)
{
	enum err code = store_proposal_put(d->engine->store, p, info);
	if (code == OK)
		code = change_propose(d->conversation, p->op, info);
	if (code == OK) {
		emit(d, "proposal.opened", p);
		return OK;
	}
	snprintf(p->state, sizeof p->state, "void");
	p->ended = clock_now_ms(d->engine->clock);
	struct err_info ignored;
	if (store_proposal_drop(d->engine->store, p->id, &ignored))
		log_warn("a proposal that was none could not be dropped: %s", ignored.text);
	return code;
}

enum err proposals_make(struct discussion *d, const struct op *op, struct store_proposal *out, struct err_info *info)
{
	struct buf b;
	struct store_proposal before;
	buf_init(&b, OP_MAX);
	enum err code = op_encode(op, &b, info);
	struct bytes *bytes = code ? NULL : buf_take(&b);
	buf_fini(&b);
	if (code)
		return code;
	struct hash name = hash_of(bytes_span(bytes));
	const struct epoch *machine = change_machine(d->conversation);
	if (find(d, &name, &before, info) == OK) {
		store_proposal_fini(&before);
		code = err_set(info, ERR_WRONG_STATE, "that is proposed already");
	} else if (machine) {
		code = epoch_may_propose(machine, info); // who is refused writes nothing
	}
	if (code == OK)
		code = new_row(d, bytes, discussion_own(d), out, info);
	bytes_unref(bytes);
	if (code)
		return code;
	code = propose(d, out, info);
	if (code)
		store_proposal_fini(out);
	return code;
}

enum err proposals_invite(struct discussion *d, const char *candidate, char id[33], struct err_info *info)
{
	uint8_t random[16];
	struct store_proposal p = {.epoch = d->row.epoch,
				   .kind = "admit",
				   .state = "open",
				   .created = clock_now_ms(d->engine->clock)};
	random_fill(d->engine->random, random, sizeof random);
	hex_encode_lower(span(random, sizeof random), p.id);
	memcpy(p.discussion, d->row.id, sizeof p.discussion);
	snprintf(p.candidate, sizeof p.candidate, "%s", candidate);
	snprintf(p.proposer, sizeof p.proposer, "%s", discussion_own(d));
	enum err code = store_proposal_put(d->engine->store, &p, info);
	if (code)
		return code;
	memcpy(id, p.id, sizeof p.id);
	emit(d, "proposal.opened", &p);
	return OK;
}

enum err proposals_admit(struct discussion *d, const char *id, struct bytes *op, struct err_info *info)
{
	struct store_proposal p, before;
	enum err code = store_proposal_get(d->engine->store, id, &p, info);
	if (code)
		return code;
	if (!d->conversation || strcmp(p.state, "open") != 0) {
		store_proposal_fini(&p);
		return err_set(info, ERR_WRONG_STATE, "the invitation does not stand any more");
	}
	before = p;
	p.epoch = d->row.epoch;
	p.has_name = true;
	p.name = hash_of(bytes_span(op));
	p.op = bytes_ref(op);
	p.answers = NULL;
	code = store_proposal_put(d->engine->store, &p, info);
	if (code == OK) {
		code = change_propose(d->conversation, op, info);
		if (code)
			(void)put(d, &before); // waits for the candidate again
	}
	bytes_unref(p.op);
	store_proposal_fini(&before);
	return code;
}

void proposals_close(struct discussion *d, const char *id, const char *state, const char *reason)
{
	struct store_proposal p;
	struct err_info info;
	bool refused = strcmp(state, "refused") == 0;
	if (store_proposal_get(d->engine->store, id, &p, &info))
		return;
	if (strcmp(p.state, "open") == 0) {
		snprintf(p.state, sizeof p.state, "%s", state);
		p.ended = clock_now_ms(d->engine->clock);
		if (refused) {
			json_t *said = json_pack("[{s:s, s:s, s:s, s:s}]", "member", p.candidate, "answer", "refuse", "reason",
						 reason, "by", "person");
			char *text = json_dumps(said, JSON_COMPACT);
			bytes_unref(p.answers);
			p.answers = bytes_new_span(span_string(text));
			free(text);
			json_decref(said);
		}
		// the counter keeps the name
		if (put(d, &p))
			emit(d, refused ? "proposal.refused" : "proposal.void", &p);
	}
	store_proposal_fini(&p);
}

// --- the end of an epoch ------------------------------------------------------------------------------------------------------

static enum err end_one(struct discussion *d, struct store_proposal *p, uint32_t epoch, const struct hash *decided,
			struct err_info *info)
{
	bool own = strcmp(p->proposer, discussion_own(d)) == 0;
	bool invites = own && p->candidate[0];
	bool is_it = is_of(p, epoch, decided);
	if (p->epoch != epoch || strcmp(p->state, "open") != 0)
		return OK;
	if (invites && !is_it) {
		// the candidate joins anew
		p->has_name = false;
		bytes_unref(p->op);
		bytes_unref(p->answers);
		p->op = p->answers = NULL;
	} else {
		snprintf(p->state, sizeof p->state, "%s", is_it ? "committed" : "void");
		p->ended = d->epoch_ended;
	}
	return store_proposal_put(d->engine->store, p, info);
}

// A DEPART by this core, as the leader: nobody has told of it.
static enum err end_unknown(struct discussion *d, const struct proposal_list *all, struct bytes *op, struct err_info *info)
{
	struct hash name = hash_of(bytes_span(op));
	struct store_proposal p;
	for (size_t i = 0; i < all->count; i++)
		if (is_of(&all->rows[i], d->row.epoch, &name))
			return OK;
	enum err code = new_row(d, op, discussion_own(d), &p, info);
	if (code)
		return code;
	snprintf(p.state, sizeof p.state, "committed");
	p.ended = d->epoch_ended;
	code = store_proposal_put(d->engine->store, &p, info);
	store_proposal_fini(&p);
	return code;
}

enum err proposals_end(struct discussion *d, struct bytes *op, struct err_info *info)
{
	struct proposal_list all;
	struct hash decided = hash_of(bytes_span(op));
	uint32_t epoch = d->row.epoch;
	d->epoch_ended = clock_now_ms(d->engine->clock);
	enum err code = proposals_read(d->engine, d->row.id, &all, info);
	if (code == OK)
		code = end_unknown(d, &all, op, info);
	for (size_t i = 0; code == OK && i < all.count; i++)
		code = end_one(d, &all.rows[i], epoch, &decided, info);
	proposal_list_fini(&all);
	return code;
}

// Voided only because another was first: asked again.
static void renew(struct discussion *d, const struct store_proposal *p)
{
	struct store_proposal again;
	struct err_info info;
	if (!d->conversation || !p->op || p->candidate[0] || strcmp(p->kind, op_kind_name(OP_DEPART)) == 0 ||
	    strcmp(p->proposer, discussion_own(d)) != 0)
		return;
	enum err code = new_row(d, p->op, discussion_own(d), &again, &info);
	if (code == OK) {
		code = propose(d, &again, &info);
		store_proposal_fini(&again);
	}
	if (code)
		log_info("a proposal of %.8s is not made again: %s", d->row.id, info.text);
}

void proposals_tell_ended(struct discussion *d, uint32_t epoch)
{
	struct proposal_list all;
	struct err_info info;
	if (proposals_read(d->engine, d->row.id, &all, &info))
		log_warn("the proposals of %.8s could not be read: %s", d->row.id, info.text);
	for (size_t i = 0; i < all.count; i++) {
		const struct store_proposal *p = &all.rows[i];
		if (p->epoch != epoch || p->ended != d->epoch_ended)
			continue;
		if (strcmp(p->state, "committed") == 0) {
			emit(d, "proposal.committed", p);
		} else if (strcmp(p->state, "void") == 0) {
			emit(d, "proposal.void", p);
			renew(d, p);
		}
	}
	proposal_list_fini(&all);
}
