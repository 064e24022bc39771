// SPDX-License-Identifier: GPL-3.0-or-later
// A member's disk: what is written is there a while later, in order, and a crash loses what is on its way.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spec/sim/epoch/world.h"

void write_fini(struct write *write)
{
	bytes_unref(write->envelope);
	if (write->kind == WRITE_OUT)
		outbox_action_fini(&write->out);
	else if (write->kind == WRITE_IN)
		transcript_actions_fini(&write->in);
	free(write);
}

void disk_write(struct world *w, unsigned node, unsigned copy, const struct write *write)
{
	struct copy *c = copy_of(w, node, copy);
	struct write *own = mem_dup(write, sizeof *write), **end = &c->writes;
	while (*end)
		end = &(*end)->next;
	*end = own;
	own->next = NULL;
	later(w, WRITE_MS, (struct happening){.kind = WRITTEN, .node = node, .copy = copy, .life = c->life});
}

static struct write *take_first(struct copy *c)
{
	struct write *first = c->writes;
	if (first)
		c->writes = first->next;
	return first;
}

void disk_lose(struct copy *c)
{
	struct write *write;
	while ((write = take_first(c)))
		write_fini(write);
}

// --- what is there ------------------------------------------------------------------------------------------------------------

void disk_add(struct disk *d, struct bytes *envelope)
{
	if (d->count == d->room) {
		d->room = d->room ? 2 * d->room : 8;
		d->envelopes = mem_realloc(d->envelopes, d->room * sizeof(struct bytes *));
	}
	d->envelopes[d->count++] = bytes_ref(envelope);
}

static struct said_text *find_text(struct copy *c, const char *id)
{
	for (size_t i = 0; i < c->text_count; i++)
		if (!strcmp(c->texts[i].message.id, id))
			return &c->texts[i];
	return NULL;
}

static void add_text(struct copy *c, const struct outbox_message *m)
{
	if (c->text_count == c->text_room) {
		c->text_room = c->text_room ? 2 * c->text_room : 8;
		c->texts = mem_realloc(c->texts, c->text_room * sizeof *c->texts);
	}
	c->texts[c->text_count++] = (struct said_text){.message = *m};
	bytes_ref(m->text);
}

static void apply_commit(struct world *w, unsigned node, unsigned copy, uint32_t epoch, const struct outbox_action *a)
{
	struct copy *c = copy_of(w, node, copy);
	struct talk *t = c->talks[epoch];
	for (size_t i = 0; i < a->commit.row_count; i++) {
		const struct outbox_row *row = &a->commit.rows[i];
		if (row->fresh)
			add_text(c, &row->message);
		struct said_text *text = find_text(c, row->message.id);
		if (!row->placed || !text)
			continue;
		text->placed = true;
		text->epoch = epoch;
		text->sequence = row->sequence;
	}
	for (size_t i = 0; i < a->commit.payload_count; i++) {
		const struct outbox_payload *p = &a->commit.payloads[i];
		if (t->own_count == t->own_room) {
			t->own_room = t->own_room ? 2 * t->own_room : 4;
			t->own = mem_realloc(t->own, t->own_room * sizeof *t->own);
		}
		t->own[t->own_count++] = (struct own_payload){.payload = bytes_ref(p->bytes), .hash = p->hash};
		remember_built(w, node, epoch, p->sequence, &p->hash);
		if (c->told && !w->nodes[node].lies)
			violated(w, "S5: an honest member says more than its STATUS tells of");
		w->result.payloads++;
	}
}

static void apply_out(struct world *w, unsigned node, unsigned copy, uint32_t epoch, const struct outbox_action *a)
{
	struct talk *t = copy_of(w, node, copy)->talks[epoch];
	if (a->type == OUTBOX_COMMIT) {
		apply_commit(w, node, copy, epoch, a);
	} else if (a->type == OUTBOX_STORE_SEALED && a->store.sequence <= t->own_count) {
		struct own_payload *own = &t->own[a->store.sequence - 1];
		bytes_unref(own->message);
		own->message = bytes_new_span(a->store.message);
	} else if (a->type == OUTBOX_STORE_ACK) {
		t->acked[a->ack.member] = a->ack.sequence;
	}
}

static void apply_in(struct world *w, unsigned node, unsigned copy, uint32_t epoch, const struct transcript_action *a)
{
	struct talk *t = copy_of(w, node, copy)->talks[epoch];
	const struct transcript_payload *p = &a->commit.payload;
	size_t s = p->sender;
	check_accepted(w, node, copy, epoch, p);
	if (t->heard_count[s] == t->heard_room[s]) {
		t->heard_room[s] = t->heard_room[s] ? 2 * t->heard_room[s] : 4;
		t->heard[s] = mem_realloc(t->heard[s], t->heard_room[s] * sizeof *t->heard[s]);
	}
	t->heard[s][t->heard_count[s]++] = (struct heard){p->hash, bytes_ref(p->frame)};
	check_confirmed(w, node, copy, epoch, p);
}

static void apply(struct world *w, unsigned node, unsigned copy, const struct write *write)
{
	struct copy *c = copy_of(w, node, copy);
	if (!w->nodes[node].lies)
		w->result.writes++;
	switch (write->kind) {
	case WRITE_OWN:
		remember(w, node, write->envelope);
		disk_add(&c->disks[write->epoch], write->envelope);
		break;
	case WRITE_KEPT:
		disk_add(&c->disks[write->epoch], write->envelope);
		break;
	case WRITE_OUT:
		apply_out(w, node, copy, write->epoch, &write->out);
		break;
	case WRITE_IN:
		apply_in(w, node, copy, write->epoch, write->in.list);
		break;
	}
}

void disk_flush(struct world *w, unsigned node, unsigned copy)
{
	struct copy *c = copy_of(w, node, copy);
	struct write *write;
	while ((write = take_first(c))) {
		apply(w, node, copy, write);
		write_fini(write);
	}
}

// --- the disk has answered ------------------------------------------------------------------------------------------------------

static enum outbox_event_type done_of(enum outbox_action_type type)
{
	return type == OUTBOX_COMMIT	     ? OUTBOX_EVENT_COMMITTED
	       : type == OUTBOX_STORE_SEALED ? OUTBOX_EVENT_STORED
	       : type == OUTBOX_STORE_ACK    ? OUTBOX_EVENT_ACK_STORED
					     : OUTBOX_EVENT_FAILED_STORED;
}

static void answer(struct world *w, unsigned node, unsigned copy, const struct write *write)
{
	struct copy *c = copy_of(w, node, copy);
	if (write->kind == WRITE_OUT && write->epoch == c->epoch) {
		out_step(w, node, copy, (struct outbox_event){.type = done_of(write->out.type), .result = {OK}});
	} else if (write->kind == WRITE_IN) {
		struct talk *t = c->talks[write->epoch];
		const struct transcript_payload *p = &write->in.list[0].commit.payload;
		in_step(w, node, copy, write->epoch, (struct transcript_event){.type = TRANSCRIPT_EVENT_COMMITTED, .committed = {OK, NULL}});
		if (write->in.list[0].commit.speaks && write->epoch == c->epoch)
			out_step(w, node, copy, (struct outbox_event){.type = OUTBOX_EVENT_HEARD});
		if (write->epoch == c->epoch || !t->transcript)
			return;
		for (unsigned i = 0; i < w->node_count; i++)
			if (c->lines[i].up)
				talk_supply(w, i, c->lines[i].copy, node, write->epoch, p->sender, t->heard_count[p->sender]);
		if (!talk_lacks(c, write->epoch)) {
			transcript_free(t->transcript);
			t->transcript = NULL;
		}
	}
}

// Whether it is an own statement of one of these kinds.
static bool is_own(const struct write *write, enum statement_type first, enum statement_type last)
{
	struct statement s;
	struct hash name;
	if (write->kind != WRITE_OWN || !read_statement(write->envelope, &s, &name))
		return false;
	bool is = s.type >= first && s.type <= last;
	statement_fini(&s);
	return is;
}

void written(struct world *w, const struct happening *h)
{
	struct copy *c = copy_of(w, h->node, h->copy);
	struct write *write = c->up && c->life == h->life ? take_first(c) : NULL;
	if (!write)
		return;
	// a crash at this very write: before it, or after it and before anybody knows
	bool counts = w->options->crash_at && !w->nodes[h->node].lies && (!w->options->crash_ballots || is_own(write, STATEMENT_STATUS, STATEMENT_COMMIT));
	bool falls = counts && ++w->honest_writes == w->options->crash_at;
	if (!falls || w->options->crash_after)
		apply(w, h->node, h->copy, write);
	if (falls) {
		crash(w, h->node);
	} else if (write->kind == WRITE_OWN) {
		if (c->epoch == write->epoch)
			step(w, h->node, h->copy, (struct epoch_event){.type = EPOCH_EVENT_SIGNED, .result = {OK, write->envelope}});
		if (w->options->restarts && w->now < HEAL_MS && is_own(write, STATEMENT_COMMIT, STATEMENT_COMMIT))
			crash(w, h->node);
	} else {
		answer(w, h->node, h->copy, write);
	}
	write_fini(write);
}

// --- its end ------------------------------------------------------------------------------------------------------------------

void talk_free(struct copy *c)
{
	for (uint32_t e = 0; e < SIM_EPOCHS; e++) {
		struct talk *t = c->talks[e];
		for (size_t i = 0; t && i < t->own_count; i++) {
			bytes_unref(t->own[i].payload);
			bytes_unref(t->own[i].message);
		}
		for (size_t s = 0; t && s < SIM_NODES; s++) {
			for (size_t i = 0; i < t->heard_count[s]; i++)
				bytes_unref(t->heard[s][i].frame);
			free(t->heard[s]);
		}
		if (t)
			free(t->own);
		free(t);
	}
	for (size_t i = 0; i < c->text_count; i++)
		bytes_unref(c->texts[i].message.text);
	free(c->texts);
}
