// SPDX-License-Identifier: GPL-3.0-or-later
// The noun "proposals".
#include <stdlib.h>
#include <string.h>

#include "peers/find.h"
#include "shell/call.h"
#include "shell/change.h"
#include "shell/invitation.h"
#include "shell/proposals.h"
#include "shell/shell.h"
#include "wire/op.h"

static enum err find_discussion(struct call *c, struct discussion **out)
{
	const char *text;
	enum err code = call_need_string(c, "discussion", &text);
	return code ? code : discussions_find(&c->engine->discussions, text, out, c->info);
}

// A member by what a person calls it; else whoever is known as that.
static void member_at(void *arg, size_t i, struct find_item *item)
{
	const struct discussion *d = arg;
	item->identity = d->members[i].fingerprint;
	item->name = neighbours_name(&d->engine->neighbours, d->members[i].fingerprint);
}

static enum err find_member(struct call *c, struct discussion *d, const char *text, char out[FINGERPRINT_SIZE])
{
	size_t found;
	enum err code =
		find_by_text("member", FINGERPRINT_SIZE - 1, text, member_at, d, d->member_count, &found, c->info);
	if (code == ERR_NOT_FOUND)
		return err_set(c->info, ERR_BAD_PARAMS, "nobody of that name or fingerprint is a member: %.64s", text);
	if (code == OK)
		memcpy(out, d->members[found].fingerprint, FINGERPRINT_SIZE);
	return code;
}

// --- create -----------------------------------------------------------------------------------------------------------------

static enum err make(struct call *c, struct discussion *d, const struct op *op)
{
	struct store_proposal p;
	enum err code = proposals_make(d, op, &p, c->info);
	if (code)
		return code;
	*c->out = proposal_view(c->engine, &p);
	store_proposal_fini(&p);
	return OK;
}

// The sponsor's proposal is one from the invitation on: the op follows with the candidate's JOIN.
static enum err create_admit(struct call *c, struct discussion *d)
{
	const char *text;
	const struct peer *peer;
	char candidate[FINGERPRINT_SIZE], id[33];
	struct store_proposal p;
	enum err code = call_need_string(c, "peer", &text);
	if (code == OK && strcmp(text, discussion_own(d)) == 0)
		return err_set(c->info, ERR_BAD_PARAMS, "you are a member already");
	if (code == OK)
		code = neighbours_find(&c->engine->neighbours, text, &peer, c->info);
	if (code)
		return code;
	memcpy(candidate, peer->fingerprint, sizeof candidate);
	code = invitation_begin(d, candidate, id, c->info);
	if (code == OK)
		code = store_proposal_get(c->engine->store, id, &p, c->info);
	if (code)
		return code;
	*c->out = proposal_view(c->engine, &p);
	store_proposal_fini(&p);
	return OK;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

// Several are removed together, in the order that an op wants; whoever is named twice is meant once.
static enum err create_remove(struct call *c, struct discussion *d)
{
	struct op op = {.kind = OP_REMOVE};
	json_t *several = call_value(c, "peers");
	size_t count = several ? json_array_size(several) : 1;
	for (size_t i = 0; i < count; i++) {
		const char *text = several ? json_string_value(json_array_get(several, i)) : call_string(c, "peer");
		char found[FINGERPRINT_SIZE];
		if (!text)
			return err_set(c->info, ERR_BAD_PARAMS, "the parameter 'peer' is missing");
		enum err code = find_member(c, d, text, found);
		if (code)
			return code;
		if (!op.count || !bsearch(found, op.subjects, op.count, FINGERPRINT_SIZE, by_text)) {
			if (op.count == RECORD_MEMBERS_MAX)
				return err_set(c->info, ERR_BAD_PARAMS, "so many members there are not");
			memcpy(op.subjects[op.count++], found, FINGERPRINT_SIZE);
			qsort(op.subjects, op.count, FINGERPRINT_SIZE, by_text);
		}
	}
	return make(c, d, &op);
}

static enum err create_charter(struct call *c, struct discussion *d)
{
	struct op op = {.kind = OP_CHARTER};
	const char *charter;
	enum err code = call_need_string(c, "charter", &charter);
	if (code)
		return code;
	if (!charter_form(charter))
		return err_set(c->info, ERR_BAD_PARAMS, "a charter is 'all', or the number of members who must consent");
	memcpy(op.charter, charter, strlen(charter));
	return make(c, d, &op);
}

static enum err create(struct call *c)
{
	struct discussion *d = NULL;
	const char *op;
	enum err code = identity_need(&c->engine->identity, c->info);
	if (code == OK)
		code = find_discussion(c, &d);
	if (code == OK)
		code = call_need_string(c, "op", &op);
	if (code == OK)
		code = lifecycle_allows(&d->life, LIFECYCLE_CALL_PROPOSE, c->info);
	if (code == OK && !d->conversation)
		code = err_set(c->info, ERR_WRONG_STATE, "the discussion cannot go on");
	if (code)
		return code;
	if (strcmp(op, "admit") == 0)
		return create_admit(c, d);
	if (strcmp(op, "remove") == 0)
		return create_remove(c, d);
	if (strcmp(op, "charter") == 0)
		return create_charter(c, d);
	return err_set(c->info, ERR_BAD_PARAMS, "the parameter 'op' is admit, remove or charter");
}

// --- list, show, answer -------------------------------------------------------------------------------------------------------

static enum err list(struct call *c)
{
	struct discussion *d = NULL;
	struct proposal_list all = {0};
	enum err code = identity_need(&c->engine->identity, c->info);
	if (code == OK && call_string(c, "discussion"))
		code = find_discussion(c, &d);
	if (code == OK)
		code = proposals_read(c->engine, d ? d->row.id : NULL, &all, c->info);
	if (code == OK) {
		*c->out = json_array();
		for (size_t i = 0; i < all.count; i++)
			json_array_append_new(*c->out, proposal_view(c->engine, &all.rows[i]));
	}
	proposal_list_fini(&all);
	return code;
}

static void proposal_at(void *arg, size_t i, struct find_item *item)
{
	struct proposal_list *l = arg;
	item->identity = l->rows[i].id;
	item->name = "";
}

static enum err find_proposal(struct call *c, struct store_proposal *out)
{
	struct proposal_list all = {0};
	const char *text;
	size_t found;
	enum err code = identity_need(&c->engine->identity, c->info);
	if (code == OK)
		code = call_need_string(c, "proposal", &text);
	if (code == OK)
		code = proposals_read(c->engine, NULL, &all, c->info);
	if (code == OK)
		code = find_by_text("proposal", sizeof all.rows->id - 1, text, proposal_at, &all, all.count, &found, c->info);
	if (code == OK) {
		*out = all.rows[found];
		all.rows[found] = (struct store_proposal){0};
	}
	proposal_list_fini(&all);
	return code;
}

static enum err show(struct call *c)
{
	struct store_proposal p;
	enum err code = find_proposal(c, &p);
	if (code)
		return code;
	*c->out = proposal_view(c->engine, &p);
	store_proposal_fini(&p);
	return OK;
}

// As the row has it, with the own word, which is on its way to the disk.
static json_t *view_with(struct engine *e, const struct store_proposal *p, const char *answer, const char *reason, bool policy)
{
	json_t *v = proposal_view(e, p);
	json_t *answers = json_object_get(v, "answers"), *waiting = json_object_get(v, "waiting_for");
	const char *own = e->identity.row.fingerprint;
	for (size_t i = 0; i < json_array_size(answers); i++)
		if (strcmp(json_string_value(json_object_get(json_array_get(answers, i), "member")), own) == 0)
			return v;
	json_array_append_new(answers, json_pack("{s:s, s:s, s:s, s:s}", "member", own, "answer", answer, "reason", reason,
						 "by", policy ? "policy" : "person"));
	for (size_t i = json_array_size(waiting); i > 0; i--)
		if (strcmp(json_string_value(json_array_get(waiting, i - 1)), own) == 0)
			json_array_remove(waiting, i - 1);
	return v;
}

static enum err answer_to(struct call *c, const struct store_proposal *p)
{
	const char *answer, *by = call_string(c, "by"), *reason = call_string(c, "reason");
	struct discussion *d = discussions_get(&c->engine->discussions, p->discussion);
	enum err code = call_need_string(c, "answer", &answer);
	if (code)
		return code;
	bool consents = strcmp(answer, "consent") == 0, policy = by && strcmp(by, "policy") == 0;
	if (!consents && strcmp(answer, "refuse") != 0)
		return err_set(c->info, ERR_BAD_PARAMS, "the parameter 'answer' is consent or refuse");
	if (strcmp(p->state, "open") != 0)
		return err_set(c->info, ERR_WRONG_STATE, "the proposal is %s", p->state);
	if (!p->has_name)
		return err_set(c->info, ERR_WRONG_STATE, "the candidate has not answered the invitation yet");
	if (!d || !d->conversation || d->row.epoch != p->epoch)
		return err_set(c->info, ERR_WRONG_STATE, "the discussion is in another epoch");
	code = change_answer(d->conversation, &p->name, consents, policy, reason, c->info);
	if (code == OK)
		*c->out = view_with(c->engine, p, answer, reason ? reason : "", policy);
	return code;
}

static enum err answer(struct call *c)
{
	struct store_proposal p;
	enum err code = find_proposal(c, &p);
	if (code)
		return code;
	code = answer_to(c, &p);
	store_proposal_fini(&p);
	return code;
}

const struct method methods_proposals[] = {
	{"proposals.create", create}, {"proposals.list", list}, {"proposals.show", show}, {"proposals.answer", answer},
	{NULL, NULL},
};
