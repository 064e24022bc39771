// SPDX-License-Identifier: GPL-3.0-or-later
// The joining machine's actions, what it waits for, and whom it has met.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/joining_machine.h"

// --- actions ----------------------------------------------------------------------------------------------------------------

void joining_actions_init(struct joining_actions *a)
{
	memset(a, 0, sizeof *a);
}

void joining_actions_fini(struct joining_actions *a)
{
	for (size_t i = 0; i < a->count; i++) {
		struct joining_action *x = &a->list[i];
		bytes_unref(x->import.certificate);
		bytes_unref(x->sign.body);
		bytes_unref(x->record);
		bytes_unref(x->check.certificate);
		bytes_unref(x->check.body);
		bytes_unref(x->check.signature);
	}
	free(a->list);
	joining_actions_init(a);
}

struct joining_action *joining_act(struct joining *j, enum joining_action_type type)
{
	struct joining_actions *a = j->out;
	if (a->count == a->room) {
		a->room = a->room ? 2 * a->room : 8;
		a->list = mem_realloc(a->list, a->room * sizeof *a->list);
	}
	struct joining_action *x = &a->list[a->count++];
	memset(x, 0, sizeof *x);
	x->type = type;
	return x;
}

uint64_t joining_work(struct joining *j, enum work_kind kind, uint64_t index)
{
	if (j->work_count == j->work_room) {
		j->work_room = j->work_room ? 2 * j->work_room : 8;
		j->works = mem_realloc(j->works, j->work_room * sizeof *j->works);
	}
	j->works[j->work_count++] = (struct work){.ticket = ++j->last_ticket, .index = index, .kind = kind};
	return j->last_ticket;
}

void joining_fail(struct joining *j, const char *format, ...)
{
	va_list args;
	if (j->phase == JOINING_OVER)
		return;
	j->phase = JOINING_OVER;
	struct joining_action *x = joining_act(j, JOINING_REFUSED);
	x->why.code = ERR_BAD_INPUT;
	va_start(args, format);
	vsnprintf(x->why.text, sizeof x->why.text, format, args);
	va_end(args);
}

// --- people -----------------------------------------------------------------------------------------------------------------

struct person *joining_find(const struct joining *j, const struct hash *certificate)
{
	for (size_t i = 0; i < j->people_count; i++)
		if (!memcmp(&j->people[i].is.hash, certificate, sizeof *certificate))
			return &j->people[i];
	return NULL;
}

struct person *joining_meet(struct joining *j, const char *fingerprint, struct bytes *certificate)
{
	struct hash hash = hash_of(bytes_span(certificate));
	struct person *found = joining_find(j, &hash);
	if (found || j->people_count == JOINING_PEOPLE_MAX)
		return found;
	if (j->people_count == j->people_room) {
		j->people_room = j->people_room ? 2 * j->people_room : 8;
		j->people = mem_realloc(j->people, j->people_room * sizeof *j->people);
	}
	struct person *p = &j->people[j->people_count++];
	*p = (struct person){.is = {.hash = hash, .certificate = bytes_ref(certificate)}};
	memcpy(p->is.fingerprint, fingerprint, sizeof p->is.fingerprint);
	return p;
}

void joining_import(struct joining *j, struct person *p)
{
	if (p->import != JOINING_NOT_IMPORTED)
		return;
	p->import = JOINING_IMPORTING;
	struct joining_action *x = joining_act(j, JOINING_IMPORT);
	x->import.certificate = bytes_ref(p->is.certificate);
	x->ticket = joining_work(j, WORK_IMPORT, (uint64_t)(p - j->people));
}
