// SPDX-License-Identifier: GPL-3.0-or-later
// The statements of the chain that a newcomer takes: their signatures are checked, then the epoch's observer gets them in their order.
#include <stdlib.h>
#include <string.h>

#include "discussion/admission.h"
#include "discussion/joining_machine.h"

#define STATEMENTS_MORE 16 // of an epoch, beside four of each member

static void push(struct joining *j, struct bytes *envelope)
{
	struct err_info info;
	struct envelope parts;
	struct statement s;
	if (j->queue_count == JOINING_QUEUE_MAX || j->queue_bytes + envelope->len > JOINING_QUEUE_BYTES) {
		joining_lies(j, "more of the chain at once than is proper");
		return;
	}
	if (envelope_decode(&parts, bytes_span(envelope), &info)) {
		joining_lies(j, info.text);
		return;
	}
	enum err code = statement_decode(&s, bytes_span(parts.body), &info);
	bool another = code == OK && strcmp(parts.type, statement_type_name(s.type)) != 0;
	struct piece p = {.serial = ++j->last_serial, .name = hash_of(bytes_span(parts.body))};
	envelope_fini(&parts);
	if (code || another) {
		joining_lies(j, another ? "a statement that is signed as another" : info.text);
	} else {
		p.envelope = bytes_ref(envelope);
		p.roster = s.roster;
		j->queue[j->queue_count++] = p;
		j->queue_bytes += envelope->len;
	}
	if (code == OK)
		statement_fini(&s);
}

static void pop(struct joining *j, size_t i)
{
	j->queue_bytes -= j->queue[i].envelope->len;
	bytes_unref(j->queue[i].envelope);
	memmove(&j->queue[i], &j->queue[i + 1], (--j->queue_count - i) * sizeof *j->queue);
}

static struct joining_action *check(struct joining *j, struct piece *p, enum joining_action_type type, struct bytes *body,
				    struct bytes *signature)
{
	struct joining_action *x = joining_act(j, type);
	x->check.body = bytes_ref(body);
	x->check.signature = bytes_ref(signature);
	x->ticket = joining_work(j, WORK_STATEMENT, p->serial);
	p->left++;
	return x;
}

// The JOIN inside: by the certificate in it, which is bound to the general key in it.
static bool check_join(struct joining *j, struct piece *p, struct bytes *op_bytes, struct err_info *info)
{
	struct op op;
	struct admission a;
	if (op_decode(&op, bytes_span(op_bytes), info))
		return false;
	enum err code = OK;
	if (op.kind == OP_ADMIT && !(code = admission_read(&op, &j->now, &p->roster, &a, info))) {
		struct joining_action *x = check(j, p, JOINING_VET, a.input, a.signature);
		x->check.certificate = bytes_ref(a.join.certificate);
		memcpy(x->check.id, op.candidate.key, sizeof x->check.id);
		x = check(j, p, JOINING_VET, a.binding_input, a.join.binding);
		x->check.certificate = bytes_ref(a.join.general);
		memcpy(x->check.signer, op.candidate.fingerprint, sizeof x->check.signer);
		admission_fini(&a);
	}
	op_fini(&op);
	return code == OK;
}

static bool check_author(struct joining *j, struct piece *p, const struct person *author, struct err_info *info)
{
	struct envelope parts;
	struct buf input;
	if (envelope_decode(&parts, bytes_span(p->envelope), info))
		return false;
	buf_init(&input, ENVELOPE_BODY_MAX + RECORD_TYPE_SIZE);
	enum err code = signed_input(&input, parts.type, bytes_span(parts.body));
	if (code == OK) {
		struct bytes *body = buf_take(&input);
		struct joining_action *x = check(j, p, JOINING_VERIFY, body, parts.signature);
		memcpy(x->check.signer, author->is.key_fingerprint, sizeof x->check.signer);
		bytes_unref(body);
	}
	buf_fini(&input);
	envelope_fini(&parts);
	return code == OK;
}

// Asks for what is to be checked of it. False: the guide is lost.
static bool begin_checks(struct joining *j, struct piece *p)
{
	struct err_info info = {0};
	struct envelope parts;
	struct statement s;
	bool fine = true;
	if (envelope_decode(&parts, bytes_span(p->envelope), &info))
		return false;
	enum err code = statement_decode(&s, bytes_span(parts.body), &info);
	envelope_fini(&parts);
	if (code)
		return false;
	size_t at = roster_position(&j->now, s.author);
	const struct person *author = at == ROSTER_NOBODY ? NULL : joining_find(j, &j->now.members[at].certificate);
	if (!author) {
		(void)err_set(&info, ERR_BAD_INPUT, "a statement by nobody of the roster");
		fine = false;
	} else if (author->import == JOINING_IMPORTED) {
		p->checking = true;
		if (++j->said > 4 * j->now.count + STATEMENTS_MORE) {
			(void)err_set(&info, ERR_TOO_LARGE, "more statements of an epoch than prove its end");
			fine = false;
		}
		fine = fine && check_author(j, p, author, &info);
		if (fine && s.type == STATEMENT_PROPOSE)
			fine = check_join(j, p, s.op, &info);
	}
	statement_fini(&s);
	if (!fine)
		joining_lies(j, info.text);
	return fine;
}

static bool is_past(const struct joining *j, const struct hash *roster)
{
	for (size_t i = 0; i + 1 < j->epoch_count; i++)
		if (hash_equal(&j->epochs[i].hash, roster))
			return true;
	return false;
}

static void feed(struct joining *j, struct bytes *envelope, const struct hash *name)
{
	struct epoch_actions actions;
	struct epoch_event event = {.type = EPOCH_EVENT_STATEMENT, .statement = {.envelope = envelope}};
	if (epoch_knows(j->observer, name))
		return;
	epoch_actions_init(&actions);
	epoch_step(j->observer, &event, &actions);
	for (size_t i = 0; i < actions.count && j->phase == JOINING_ACCEPTED; i++) {
		const struct epoch_action *a = &actions.list[i];
		if (a->type == EPOCH_DECIDED)
			joining_decided(j, &a->decided);
		else if (a->type == EPOCH_DROP)
			joining_lies(j, a->drop.why.text);
	}
	epoch_actions_fini(&actions);
}

// Checks are begun for all that belongs to the epoch; what is checked is fed in the order in which it came.
void joining_go_on(struct joining *j)
{
	if (j->phase != JOINING_ACCEPTED)
		return;
	joining_begin_chain(j);
	while (j->phase == JOINING_ACCEPTED && j->guide[0] && j->epoch_count && j->queue_count) {
		const struct hash now = j->epochs[j->epoch_count - 1].hash;
		for (size_t i = 0; i < j->queue_count; i++) {
			struct piece *p = &j->queue[i];
			if (!p->checking && hash_equal(&p->roster, &now) && !begin_checks(j, p))
				return;
		}
		struct piece first = j->queue[0];
		if (is_past(j, &first.roster)) {
			pop(j, 0);
		} else if (!hash_equal(&first.roster, &now)) {
			joining_lies(j, "a chain that lacks the end of an epoch, or is another discussion's");
		} else if (!first.checking || first.left) {
			return;
		} else {
			bytes_ref(first.envelope);
			pop(j, 0);
			feed(j, first.envelope, &first.name);
			bytes_unref(first.envelope);
		}
	}
	joining_finish(j);
}

static void checked(struct joining *j)
{
	joining_patience(j);
	joining_go_on(j);
}

void joining_statement_checked(struct joining *j, uint64_t serial, enum err code)
{
	for (size_t i = 0; i < j->queue_count; i++) {
		if (j->queue[i].serial != serial)
			continue;
		j->queue[i].left--;
		if (code == ERR_CANCELED || code == ERR_BUSY)
			joining_lose_guide(j, "the chain could not be checked", false);
		else if (code)
			joining_lies(j, "a signature in the chain does not hold");
		else
			checked(j);
		return;
	}
}

void joining_chain(struct joining *j, const char *member, struct bytes *record)
{
	char type[RECORD_TYPE_SIZE];
	struct err_info info;
	if (j->phase != JOINING_ACCEPTED || !j->head_count || joining_is_liar(j, member))
		return;
	if (!j->guide[0]) {
		memcpy(j->guide, member, sizeof j->guide);
		joining_patience(j);
	}
	if (strcmp(j->guide, member))
		return; // who leads already is enough
	if (record_peek_type(bytes_span(record), type, &info))
		joining_lies(j, info.text);
	else if (!strcmp(type, "founding"))
		joining_take_founding(j, record);
	else if (!j->epoch_count && !j->founding_is)
		joining_lies(j, "a chain without its beginning");
	else
		push(j, record);
	joining_go_on(j);
}
