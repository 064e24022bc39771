// SPDX-License-Identifier: GPL-3.0-or-later
// What was decoded once in a run is not decoded again: nine members read the same bytes, and reading JSON would be most of what a
// schedule costs. The linker puts these in the place of the real ones (--wrap), which they call for whatever is new.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spec/sim/epoch/world.h"
#include "wire/payload.h"
#include "wire/signed.h"

#define SLOTS (1 << 14)
#define TRIES 8

enum reads { READ_ENVELOPE, READ_STATEMENT, READ_OP, READ_PAYLOAD };

struct slot {
	enum reads kind;
	struct bytes *text; // NULL: free
	void *value;        // a struct of that kind
};

static struct slot slots[SLOTS];
static size_t used[SLOTS], used_count;

static size_t place(enum reads kind, struct span text)
{
	uint64_t h = kind + UINT64_C(0x9e3779b97f4a7c15) * text.len, word;
	size_t i = 0;
	for (; i + 8 <= text.len; i += 8) {
		memcpy(&word, text.data + i, 8);
		h = (h ^ word) * UINT64_C(0x9fb21c651e98df25);
		h ^= h >> 32;
	}
	for (; i < text.len; i++)
		h = (h ^ text.data[i]) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 17) % SLOTS;
}

// Its slot: with a text where it is known, else free; NULL: there is no room.
static struct slot *find(enum reads kind, struct span text)
{
	size_t at = place(kind, text);
	for (size_t i = 0; i < TRIES; i++) {
		struct slot *s = &slots[(at + i) % SLOTS];
		if (!s->text || (s->kind == kind && span_equal(bytes_span(s->text), text)))
			return s;
	}
	return NULL;
}

static void take(struct slot *s, enum reads kind, struct span text, void *value)
{
	s->kind = kind;
	s->value = value;
	s->text = bytes_new_span(text);
	used[used_count++] = (size_t)(s - slots);
}

static struct statement_names names_copy(const struct statement_names *n)
{
	return (struct statement_names){n->count, mem_dup(n->list, n->count * sizeof *n->list)};
}

static struct statement_heads heads_copy(const struct statement_heads *h)
{
	return (struct statement_heads){h->count, mem_dup(h->list, h->count * sizeof *h->list)};
}

static struct statement statement_copy(const struct statement *s)
{
	struct statement to = *s;
	if (s->type == STATEMENT_PROPOSE) {
		bytes_ref(to.op);
	} else if (s->type == STATEMENT_STATUS || s->type == STATEMENT_LEAVE) {
		to.state.heads = heads_copy(&s->state.heads);
	} else if (s->type == STATEMENT_ORDER) {
		to.order.consents = names_copy(&s->order.consents);
		to.order.states = names_copy(&s->order.states);
		to.order.votes = names_copy(&s->order.votes);
		to.order.cut = heads_copy(&s->order.cut);
		bytes_ref(to.order.next);
	}
	return to;
}

static struct envelope envelope_copy(const struct envelope *e)
{
	bytes_ref(e->body);
	bytes_ref(e->signature);
	return *e;
}

static struct op op_copy(const struct op *o)
{
	bytes_ref(o->join);
	return *o;
}

static struct payload payload_copy(const struct payload *p)
{
	struct payload to = *p;
	to.items = mem_dup(p->items, p->item_count * sizeof *p->items);
	for (size_t i = 0; i < p->item_count; i++) {
		bytes_ref(to.items[i].text);
		bytes_ref(to.items[i].certificate);
		bytes_ref(to.items[i].unknown);
	}
	return to;
}

// The bytes of what is known are the same, so what was made of them is.
#define READS(name, kind) \
	enum err __real_##name##_decode(struct name *to, struct span text, struct err_info *info); \
	enum err __wrap_##name##_decode(struct name *to, struct span text, struct err_info *info); \
	enum err __wrap_##name##_decode(struct name *to, struct span text, struct err_info *info) \
	{ \
		struct slot *s = find(kind, text); \
		enum err code = s && s->text ? OK : __real_##name##_decode(to, text, info); \
		if (s && s->text) { \
			*to = name##_copy(s->value); \
		} else if (!code && s) { \
			struct name copy = name##_copy(to); \
			take(s, kind, text, mem_dup(&copy, sizeof copy)); \
		} \
		return code; \
	}

READS(envelope, READ_ENVELOPE)
READS(statement, READ_STATEMENT)
READS(op, READ_OP)
READS(payload, READ_PAYLOAD)

// Nothing here is secret, and it is asked a hundred thousand times a run.
bool __wrap_hash_equal(const struct hash *a, const struct hash *b);
bool __wrap_hash_equal(const struct hash *a, const struct hash *b)
{
	return !memcmp(a, b, sizeof *a);
}

void memo_clear(void)
{
	for (size_t i = 0; i < used_count; i++) {
		struct slot *s = &slots[used[i]];
		if (s->kind == READ_ENVELOPE)
			envelope_fini(s->value);
		else if (s->kind == READ_STATEMENT)
			statement_fini(s->value);
		else if (s->kind == READ_OP)
			op_fini(s->value);
		else
			payload_fini(s->value);
		free(s->value);
		bytes_unref(s->text);
		*s = (struct slot){0};
	}
	used_count = 0;
}
