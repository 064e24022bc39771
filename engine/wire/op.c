// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/op.h"

#include <string.h>

#include "wire/record_writer.h"

static const char *const kinds[OP_KIND_COUNT] = {
	[OP_ADMIT] = "admit",
	[OP_REMOVE] = "remove",
	[OP_DEPART] = "depart",
	[OP_CHARTER] = "charter",
};

const char *op_kind_name(enum op_kind kind)
{
	return kinds[kind];
}

// One set is one op: its bytes must not depend on how it was written down.
static const char *subjects_problem(const struct op *o)
{
	for (size_t i = 1; i < o->count; i++)
		if (strcmp(o->subjects[i - 1], o->subjects[i]) >= 0)
			return "is not in rising order";
	return NULL;
}

static void put_subjects(struct record_writer *w, const struct op *o)
{
	bool fits = o->count >= 1 && o->count <= RECORD_MEMBERS_MAX;
	if (!fits)
		record_refuse(w, "subjects", "must be 1 to 64 elements");
	else if (subjects_problem(o))
		record_refuse(w, "subjects", subjects_problem(o));
	record_open_array(w, "subjects");
	for (size_t i = 0; fits && i < o->count; i++)
		record_put_fingerprint(w, NULL, o->subjects[i]);
	record_close_array(w);
	if (o->kind != OP_DEPART)
		return;
	record_open_array(w, "leaves");
	for (size_t i = 0; fits && i < o->count; i++)
		record_put_hash(w, NULL, &o->leaves[i]);
	record_close_array(w);
}

enum err op_encode(const struct op *o, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "op");
	record_put_choice(&w, "op", kinds, OP_KIND_COUNT, o->kind);
	switch (o->kind) {
	case OP_ADMIT:
		record_put_fingerprint(&w, "fingerprint", o->candidate.fingerprint);
		record_put_hash(&w, "certificate", &o->candidate.certificate);
		record_put_key_id(&w, "key", o->candidate.key);
		record_put_binary(&w, "join", bytes_span(o->join), 1, OP_JOIN_MAX);
		break;
	case OP_REMOVE:
	case OP_DEPART:
		put_subjects(&w, o);
		break;
	case OP_CHARTER:
		record_put_charter(&w, "charter", o->charter);
		break;
	case OP_KIND_COUNT:
		break;
	}
	return record_end(&w, info);
}

static void get_subjects(struct record *r, struct op *o)
{
	struct record_value root = record_root(r), subjects = record_field(root, "subjects");
	o->count = record_array(subjects, 1, RECORD_MEMBERS_MAX);
	for (size_t i = 0; i < o->count; i++)
		record_get_fingerprint(record_item(subjects, i), o->subjects[i]);
	if (!record_failed(r) && subjects_problem(o))
		record_fail(r, "subjects", subjects_problem(o));
	if (o->kind != OP_DEPART)
		return;
	struct record_value leaves = record_field(root, "leaves");
	size_t count = record_array(leaves, o->count, o->count);
	for (size_t i = 0; i < count; i++)
		record_get_hash(record_item(leaves, i), &o->leaves[i]);
}

enum err op_decode(struct op *o, struct span text, struct err_info *info)
{
	struct record r;
	unsigned kind = 0;
	*o = (struct op){0};
	if (text.len > OP_MAX)
		return err_set(info, ERR_TOO_LARGE, "an op of %zu bytes", text.len);
	record_open(&r, text, "op");
	struct record_value root = record_root(&r);
	record_get_choice(record_field(root, "op"), kinds, OP_KIND_COUNT, &kind);
	o->kind = (enum op_kind)kind;
	switch (o->kind) {
	case OP_ADMIT:
		record_get_fingerprint(record_field(root, "fingerprint"), o->candidate.fingerprint);
		record_get_hash(record_field(root, "certificate"), &o->candidate.certificate);
		record_get_key_id(record_field(root, "key"), o->candidate.key);
		record_get_binary(record_field(root, "join"), 1, OP_JOIN_MAX, &o->join);
		break;
	case OP_REMOVE:
	case OP_DEPART:
		get_subjects(&r, o);
		break;
	case OP_CHARTER:
		record_get_charter(record_field(root, "charter"), o->charter);
		break;
	case OP_KIND_COUNT:
		break;
	}
	enum err e = record_close(&r, info);
	if (e)
		op_fini(o);
	return e;
}

void op_fini(struct op *o)
{
	bytes_unref(o->join);
	*o = (struct op){0};
}
