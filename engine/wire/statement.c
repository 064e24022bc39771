// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/statement.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/mem.h"
#include "wire/record_writer.h"

static const char *const types[STATEMENT_TYPE_COUNT] = {
	[STATEMENT_PROPOSE] = "propose", [STATEMENT_ANSWER] = "consent", [STATEMENT_LEAVE] = "leave",
	[STATEMENT_STATUS] = "status",	 [STATEMENT_ORDER] = "order",	[STATEMENT_VOTE] = "vote",
	[STATEMENT_COMMIT] = "commit",
};

static const char *const answers[] = {"refuse", "consent"};
static const char *const deciders[] = {"person", "policy"};

const char *statement_type_name(enum statement_type type)
{
	return types[type];
}

bool statement_type_parse(const char *name, enum statement_type *out)
{
	for (unsigned i = 0; i < STATEMENT_TYPE_COUNT; i++)
		if (!strcmp(name, types[i])) {
			*out = (enum statement_type)i;
			return true;
		}
	return false;
}

// --- encode ---------------------------------------------------------------------------------------------------------------

static void put_names(struct record_writer *w, const char *name, const struct statement_names *names)
{
	if (names->count > RECORD_MEMBERS_MAX)
		record_refuse(w, name, "must be at most 64 elements");
	record_open_array(w, name);
	for (size_t i = 0; i < names->count && i < RECORD_MEMBERS_MAX; i++)
		record_put_hash(w, NULL, &names->list[i]);
	record_close_array(w);
}

static void put_heads(struct record_writer *w, const char *name, const struct statement_heads *heads)
{
	if (heads->count < ROSTER_RECORD_MEMBERS_MIN || heads->count > RECORD_MEMBERS_MAX)
		record_refuse(w, name, "must be 2 to 64 elements");
	record_open_array(w, name);
	for (size_t i = 0; i < heads->count && i < RECORD_MEMBERS_MAX; i++) {
		const struct statement_head *h = &heads->list[i];
		int64_t sequence = h->sequence > RECORD_SEQUENCE_MAX ? -1 : (int64_t)h->sequence;
		record_open_object(w, NULL);
		record_put_integer(w, "sequence", sequence, 0, RECORD_SEQUENCE_MAX);
		if (sequence)
			record_put_hash(w, "hash", &h->hash);
		record_close_object(w);
	}
	record_close_array(w);
}

static void put_round(struct record_writer *w, const char *name, uint32_t round)
{
	record_put_integer(w, name, round, 0, STATEMENT_ROUND_MAX);
}

static void put_lock(struct record_writer *w, const struct statement_lock *lock)
{
	if (!lock->is)
		return;
	record_open_object(w, "lock");
	put_round(w, "round", lock->round);
	record_put_hash(w, "value", &lock->value);
	record_close_object(w);
}

static void put_answer(struct record_writer *w, const struct statement *s)
{
	record_put_hash(w, "op", &s->answer.op);
	record_put_choice(w, "answer", answers, 2, s->answer.consents);
	record_put_choice(w, "by", deciders, 2, s->answer.by_policy);
	record_put_string(w, "reason", span_string(s->answer.reason), 0, STATEMENT_REASON_MAX);
}

static void put_order(struct record_writer *w, const struct statement *s)
{
	put_round(w, "round", s->order.round);
	record_put_hash(w, "op", &s->order.op);
	put_names(w, "consents", &s->order.consents);
	put_names(w, "states", &s->order.states);
	put_lock(w, &s->order.lock);
	if (s->order.lock.is)
		put_names(w, "votes", &s->order.votes);
	put_heads(w, "cut", &s->order.cut);
	record_put_binary(w, "next", bytes_span(s->order.next), 1, ROSTER_RECORD_MAX);
}

enum err statement_encode(const struct statement *s, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	if ((unsigned)s->type >= STATEMENT_TYPE_COUNT)
		return err_set(info, ERR_BAD_PARAMS, "type: is none of the known values");
	record_begin(&w, out, types[s->type]);
	record_put_hash(&w, "roster", &s->roster);
	record_put_fingerprint(&w, "author", s->author);
	switch (s->type) {
	case STATEMENT_PROPOSE:
		record_put_binary(&w, "op", bytes_span(s->op), 1, OP_MAX);
		break;
	case STATEMENT_ANSWER:
		put_answer(&w, s);
		break;
	case STATEMENT_STATUS:
		put_round(&w, "round", s->state.round);
		// fall through
	case STATEMENT_LEAVE:
		put_heads(&w, "heads", &s->state.heads);
		put_lock(&w, &s->state.lock);
		break;
	case STATEMENT_ORDER:
		put_order(&w, s);
		break;
	case STATEMENT_VOTE:
	case STATEMENT_COMMIT:
		put_round(&w, "round", s->ballot.round);
		record_put_hash(&w, "value", &s->ballot.value);
		break;
	case STATEMENT_TYPE_COUNT:
		break;
	}
	return record_end(&w, info);
}

// --- decode ---------------------------------------------------------------------------------------------------------------

static void get_names(struct record_value v, size_t min, struct statement_names *out)
{
	size_t count = record_array(v, min, RECORD_MEMBERS_MAX);
	if (!count)
		return;
	out->list = mem_alloc_array(count, sizeof *out->list);
	out->count = count;
	for (size_t i = 0; i < count; i++)
		record_get_hash(record_item(v, i), &out->list[i]);
}

static void get_heads(struct record_value v, struct statement_heads *out)
{
	size_t count = record_array(v, ROSTER_RECORD_MEMBERS_MIN, RECORD_MEMBERS_MAX);
	if (!count)
		return;
	out->list = mem_alloc_array(count, sizeof *out->list);
	out->count = count;
	for (size_t i = 0; i < count; i++) {
		struct record_value head = record_item(v, i), unwanted;
		struct statement_head *h = &out->list[i];
		record_get_unsigned(record_field(head, "sequence"), 0, RECORD_SEQUENCE_MAX, &h->sequence);
		if (h->sequence)
			record_get_hash(record_field(head, "hash"), &h->hash);
		else if (record_optional(head, "hash", &unwanted))
			record_fail(v.record, "hash", "does not belong to nothing");
	}
}

static void get_round(struct record_value v, uint32_t *out)
{
	uint64_t round = 0;
	record_get_unsigned(v, 0, STATEMENT_ROUND_MAX, &round);
	*out = (uint32_t)round;
}

static void get_lock(struct record_value root, struct statement_lock *out)
{
	struct record_value lock;
	if (!record_optional(root, "lock", &lock))
		return;
	out->is = true;
	get_round(record_field(lock, "round"), &out->round);
	record_get_hash(record_field(lock, "value"), &out->value);
}

static void get_answer(struct record_value root, struct statement *s)
{
	unsigned answer = 0, by = 0;
	record_get_hash(record_field(root, "op"), &s->answer.op);
	record_get_choice(record_field(root, "answer"), answers, 2, &answer);
	record_get_choice(record_field(root, "by"), deciders, 2, &by);
	record_get_string(record_field(root, "reason"), 0, STATEMENT_REASON_MAX, s->answer.reason);
	s->answer.consents = answer;
	s->answer.by_policy = by;
}

static void get_order(struct record_value root, struct statement *s)
{
	get_round(record_field(root, "round"), &s->order.round);
	record_get_hash(record_field(root, "op"), &s->order.op);
	get_names(record_field(root, "consents"), 0, &s->order.consents);
	get_names(record_field(root, "states"), 1, &s->order.states);
	get_lock(root, &s->order.lock);
	if (s->order.lock.is)
		get_names(record_field(root, "votes"), 1, &s->order.votes);
	get_heads(record_field(root, "cut"), &s->order.cut);
	record_get_binary(record_field(root, "next"), 1, ROSTER_RECORD_MAX, &s->order.next);
}

static void get_rest(struct record_value root, struct statement *s)
{
	switch (s->type) {
	case STATEMENT_PROPOSE:
		record_get_binary(record_field(root, "op"), 1, OP_MAX, &s->op);
		break;
	case STATEMENT_ANSWER:
		get_answer(root, s);
		break;
	case STATEMENT_STATUS:
		get_round(record_field(root, "round"), &s->state.round);
		// fall through
	case STATEMENT_LEAVE:
		get_heads(record_field(root, "heads"), &s->state.heads);
		get_lock(root, &s->state.lock);
		break;
	case STATEMENT_ORDER:
		get_order(root, s);
		break;
	case STATEMENT_VOTE:
	case STATEMENT_COMMIT:
		get_round(record_field(root, "round"), &s->ballot.round);
		record_get_hash(record_field(root, "value"), &s->ballot.value);
		break;
	case STATEMENT_TYPE_COUNT:
		break;
	}
}

enum err statement_decode(struct statement *s, struct span text, struct err_info *info)
{
	struct record r;
	char type[RECORD_TYPE_SIZE];
	*s = (struct statement){0};
	if (text.len > STATEMENT_MAX)
		return err_set(info, ERR_TOO_LARGE, "a statement of %zu bytes", text.len);
	record_open_any(&r, text, type);
	struct record_value root = record_root(&r);
	if (!record_failed(&r) && !statement_type_parse(type, &s->type))
		record_fail(&r, "type", "is none of the known values");
	record_get_hash(record_field(root, "roster"), &s->roster);
	record_get_fingerprint(record_field(root, "author"), s->author);
	if (!record_failed(&r))
		get_rest(root, s);
	enum err e = record_close(&r, info);
	if (e)
		statement_fini(s);
	return e;
}

void statement_fini(struct statement *s)
{
	switch (s->type) {
	case STATEMENT_PROPOSE:
		bytes_unref(s->op);
		break;
	case STATEMENT_STATUS:
	case STATEMENT_LEAVE:
		free(s->state.heads.list);
		break;
	case STATEMENT_ORDER:
		free(s->order.consents.list);
		free(s->order.states.list);
		free(s->order.votes.list);
		free(s->order.cut.list);
		bytes_unref(s->order.next);
		break;
	case STATEMENT_ANSWER:
	case STATEMENT_VOTE:
	case STATEMENT_COMMIT:
	case STATEMENT_TYPE_COUNT:
		break;
	}
	*s = (struct statement){0};
}

struct hash statement_value(const struct hash *op, const struct statement_heads *cut, struct span next)
{
	struct buf b, heads;
	buf_init(&heads, RECORD_MEMBERS_MAX * (8 + HASH_LEN));
	buf_init(&b, ROSTER_RECORD_MAX + RECORD_MEMBERS_MAX * (8 + HASH_LEN) + 256);
	for (size_t i = 0; i < cut->count; i++) {
		uint8_t sequence[8];
		be64_put(sequence, cut->list[i].sequence);
		buf_put(&heads, sequence, sizeof sequence);
		buf_put(&heads, cut->list[i].hash.bytes, HASH_LEN);
	}
	// both have room for the most that a decoder takes
	enum err e = LV_CAT(&b, span_string("sotto/1 value"), hash_span(op), buf_span(&heads), next);
	struct hash value = hash_of(buf_span(&b));
	buf_fini(&heads);
	buf_fini(&b);
	if (e)
		abort();
	return value;
}
