// SPDX-License-Identifier: GPL-3.0-or-later
// Payloads on their way: sealed, stored, transmitted to each member in order, and read back from
// the disk when a member's turn comes.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/outbox_machine.h"

// --- what is kept -------------------------------------------------------------------------------

static size_t kept_size(const struct outbox_kept *k)
{
	return (k->payload ? k->payload->len : 0) + (k->frame ? k->frame->len : 0);
}

// Where it is, or belongs.
static size_t place_of(const struct outbox *o, uint64_t sequence)
{
	size_t low = 0, high = o->kept_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (o->kept[middle].sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct outbox_kept *find(const struct outbox *o, uint64_t sequence)
{
	size_t i = place_of(o, sequence);
	return i < o->kept_count && o->kept[i].sequence == sequence ? &o->kept[i] : NULL;
}

// Takes the references.
static void insert(struct outbox *o, struct outbox_kept k)
{
	size_t i = place_of(o, k.sequence);
	if (o->kept_count == o->kept_room) {
		o->kept_room = o->kept_room ? 2 * o->kept_room : 8;
		o->kept = mem_realloc(o->kept, o->kept_room * sizeof *o->kept);
	}
	memmove(&o->kept[i + 1], &o->kept[i], (o->kept_count++ - i) * sizeof *o->kept);
	o->kept[i] = k;
	o->kept_bytes += kept_size(&k);
}

static void drop(struct outbox *o, struct outbox_kept *k)
{
	size_t i = (size_t)(k - o->kept);
	o->kept_bytes -= kept_size(k);
	bytes_unref(k->payload);
	bytes_unref(k->frame);
	memmove(k, k + 1, (--o->kept_count - i) * sizeof *k);
	if (o->kept_count == 0) {
		free(o->kept);
		o->kept = NULL;
		o->kept_room = 0;
	}
}

void outbox_window_add_built(struct outbox *o, const struct outbox_payload *p)
{
	insert(o, (struct outbox_kept){
			  .sequence = p->sequence,
			  .payload = bytes_ref(p->bytes),
			  .fresh = true,
		  });
}

static void let_storing_go(struct outbox *o)
{
	bytes_unref(o->storing_frame);
	o->storing_frame = NULL;
	o->storing = 0;
}

void outbox_window_init(struct outbox *o, const struct outbox_config *config)
{
	for (size_t i = 0; i < o->roster.count; i++)
		if (i != o->self)
			o->members[i].acked = o->members[i].acked_on_disk = config->acknowledged[i];
	o->stored_through = outbox_least_acked(o);
}

void outbox_window_fini(struct outbox *o)
{
	while (o->kept_count)
		drop(o, &o->kept[o->kept_count - 1]);
	let_storing_go(o);
}

// --- members ------------------------------------------------------------------------------------

static bool has_room(const struct outbox_member *m)
{
	return m->up && !m->congested && !m->stuck && m->next <= m->have + OUTBOX_IN_FLIGHT_MAX;
}

void outbox_window_has(struct outbox *o, size_t member, uint64_t sequence)
{
	struct outbox_member *m = &o->members[member];
	m->have = sequence;
	if (m->next <= sequence)
		m->next = sequence + 1;
	if (m->refused <= sequence)
		m->reseal = false;
}

void outbox_window_link_up(struct outbox *o, const struct outbox_event *event)
{
	struct outbox_member *m = &o->members[event->link.member];
	uint64_t known = event->link.epoch == o->roster.epoch ? event->link.sequence : 0;
	m->up = true;
	m->congested = m->stuck = false;
	m->next = 0;
	outbox_window_has(o, event->link.member, event->link.known ? known : m->acked);
}

static bool wants_reseal(const struct outbox *o, uint64_t sequence)
{
	for (size_t i = 0; i < o->roster.count; i++)
		if (o->members[i].reseal && o->members[i].refused == sequence)
			return true;
	return false;
}

static void resealed(struct outbox *o, uint64_t sequence)
{
	for (size_t i = 0; i < o->roster.count; i++)
		if (o->members[i].refused == sequence)
			o->members[i].reseal = false;
}

static void give_up(struct outbox *o, size_t member)
{
	struct outbox_action *a = outbox_act(o, OUTBOX_UNDELIVERABLE);
	a->trouble.member = member;
	a->trouble.sequence = o->members[member].refused;
	o->members[member].stuck = true;
	o->members[member].reseal = false;
}

// Only what follows all that it has can be what it cannot open: so each payload is sealed anew a
// bounded number of times for each member, whatever it says.
void outbox_window_cannot_open(struct outbox *o, const struct outbox_event *event)
{
	struct outbox_member *m = &o->members[event->delivery.member];
	uint64_t sequence = event->delivery.sequence;
	if (!m->up || m->stuck || event->delivery.epoch != o->roster.epoch ||
	    sequence != m->have + 1 || sequence >= m->next) {
		o->counters.bad_records++;
		return;
	}
	if (sequence > m->refused)
		m->refusals = 0;
	m->refused = sequence;
	m->next = sequence;
	if (o->keyless || ++m->refusals > OUTBOX_RESEALS_MAX) {
		give_up(o, event->delivery.member);
		return;
	}
	m->reseal = true;
	struct outbox_kept *k = find(o, sequence);
	if (k && k->frame)
		drop(o, k);
}

void outbox_window_transmit(struct outbox *o)
{
	for (size_t i = 0; i < o->roster.count; i++) {
		struct outbox_member *m = &o->members[i];
		const struct outbox_kept *k;
		while (has_room(m) && (k = find(o, m->next)) && k->frame) {
			struct outbox_action *a = outbox_act(o, OUTBOX_TRANSMIT);
			a->transmit.member = i;
			a->transmit.sequence = m->next++;
			a->transmit.frame = bytes_ref(k->frame);
			o->counters.transmitted++;
		}
	}
}

// --- sealing ------------------------------------------------------------------------------------

static struct outbox_kept *first_unsealed(const struct outbox *o)
{
	for (size_t i = 0; i < o->kept_count; i++)
		if (o->kept[i].payload)
			return &o->kept[i];
	return NULL;
}

bool outbox_window_awaits_seal(const struct outbox *o)
{
	return o->sealing || first_unsealed(o);
}

bool outbox_window_is_sealed(const struct outbox *o)
{
	return o->stored_through >= o->built && !o->sealing;
}

void outbox_window_seal(struct outbox *o)
{
	const struct outbox_kept *k = first_unsealed(o);
	if (!k || o->sealing || o->hold_seals || o->keyless)
		return;
	struct outbox_action *a = outbox_act(o, OUTBOX_SEAL);
	a->seal.sequence = o->sealing = k->sequence;
	a->seal.payload = bytes_ref(k->payload);
}

static enum err make_frame(const struct outbox *o, uint64_t sequence, const struct bytes *message,
			   struct bytes **out)
{
	struct sealed_frame f = {
		.epoch = o->roster.epoch,
		.sequence = sequence,
		.message = bytes_span(message),
	};
	memcpy(f.sender, o->own, sizeof f.sender);
	return sealed_frame_encode(&f, out);
}

void outbox_window_sealed(struct outbox *o, const struct outbox_event *event)
{
	struct outbox_kept *k = find(o, o->sealing);
	struct bytes *frame;
	if (!o->sealing)
		return;
	uint64_t sequence = o->sealing;
	o->sealing = 0;
	if (!k)
		return;
	if (event->sealed.code || make_frame(o, sequence, event->sealed.message, &frame)) {
		o->hold_seals = true;
		outbox_retry_later(o);
		return;
	}
	o->counters.sealed++;
	o->counters.resealed += !k->fresh;
	outbox_went_well(o);
	o->kept_bytes -= kept_size(k);
	bytes_unref(k->payload);
	k->payload = NULL;
	k->frame = frame;
	k->fresh = k->stored = false;
	o->kept_bytes += kept_size(k);
	resealed(o, sequence);
}

// --- storing ------------------------------------------------------------------------------------

void outbox_window_store(struct outbox *o)
{
	for (size_t i = 0; i < o->kept_count && !o->storing && !o->hold_stores; i++) {
		const struct outbox_kept *k = &o->kept[i];
		if (!k->frame || k->stored)
			continue;
		struct outbox_action *a = outbox_act(o, OUTBOX_STORE_SEALED);
		o->storing = a->store.sequence = k->sequence;
		o->storing_frame = bytes_ref(k->frame);
		a->store.frame = bytes_ref(k->frame);
		a->store.message = span(k->frame->data + SEALED_FRAME_HEADER_LEN,
					k->frame->len - SEALED_FRAME_HEADER_LEN);
	}
}

void outbox_window_stored(struct outbox *o, enum err code)
{
	struct outbox_kept *k = find(o, o->storing);
	if (!o->storing)
		return;
	if (code) {
		o->hold_stores = true;
		outbox_retry_later(o);
	} else {
		// sealed anew meanwhile: then that one is still to be stored
		if (k && k->frame == o->storing_frame)
			k->stored = true;
		if (o->storing == o->stored_through + 1)
			o->stored_through++;
		outbox_went_well(o);
	}
	let_storing_go(o);
}

// --- reading back -------------------------------------------------------------------------------

static bool wants_load(const struct outbox *o, size_t member)
{
	const struct outbox_member *m = &o->members[member];
	return has_room(m) && m->next <= o->built && !find(o, m->next);
}

// Before the key dies, or serves another roster, everything is looked through.
static bool end_wants_load(struct outbox *o)
{
	const struct outbox_kept *k;
	while ((k = find(o, o->stored_through + 1)) && k->stored)
		o->stored_through++;
	return outbox_seals_all(o) && o->stored_through < o->built &&
	       !find(o, o->stored_through + 1);
}

// What is sealed and still kept waits for acknowledgements: it can be read again. The lowest is
// needed first, so the highest goes.
static bool evict(struct outbox *o)
{
	for (size_t i = o->kept_count; i-- > 0;) {
		if (o->kept[i].frame && o->kept[i].stored) {
			drop(o, &o->kept[i]);
			return true;
		}
	}
	return false;
}

static void load(struct outbox *o, uint64_t after, size_t count)
{
	while (o->kept_count + count > OUTBOX_KEPT_MAX && evict(o))
		;
	if (o->kept_count + count > OUTBOX_KEPT_MAX)
		return; // all of it waits for a seal
	struct outbox_action *a = outbox_act(o, OUTBOX_LOAD);
	o->loading = true;
	a->load.after = o->load_after = after;
	a->load.count = count;
}

void outbox_window_load(struct outbox *o)
{
	if (o->loading || o->hold_loads)
		return;
	for (size_t k = 0; k < o->roster.count; k++) {
		size_t i = (o->load_turn + k) % o->roster.count;
		const struct outbox_member *m = &o->members[i];
		if (!wants_load(o, i))
			continue;
		o->load_turn = i + 1;
		load(o, m->next - 1, (size_t)(m->have + OUTBOX_IN_FLIGHT_MAX + 1 - m->next));
		return;
	}
	if (end_wants_load(o))
		load(o, o->stored_through, OUTBOX_LOAD_MAX);
}

static void give_up_at(struct outbox *o, uint64_t sequence)
{
	for (size_t i = 0; i < o->roster.count; i++) {
		struct outbox_member *m = &o->members[i];
		if (!m->up || m->stuck || m->next != sequence)
			continue;
		m->refused = sequence;
		give_up(o, i);
	}
}

static void take_row(struct outbox *o, const struct outbox_loaded *row)
{
	struct bytes *frame = NULL;
	if (row->message && row->sequence == o->stored_through + 1)
		o->stored_through++;
	if (row->sequence > o->built || find(o, row->sequence))
		return;
	o->counters.loaded++;
	if (row->message && !wants_reseal(o, row->sequence) &&
	    make_frame(o, row->sequence, row->message, &frame) == OK)
		insert(o, (struct outbox_kept){
				  .sequence = row->sequence,
				  .frame = frame,
				  .stored = true,
			  });
	else if (o->keyless)
		give_up_at(o, row->sequence);
	else
		insert(o, (struct outbox_kept){
				  .sequence = row->sequence,
				  .payload = bytes_ref(row->payload),
			  });
}

void outbox_window_loaded(struct outbox *o, const struct outbox_event *event)
{
	if (!o->loading)
		return;
	o->loading = false;
	if (event->loaded.code || event->loaded.count == 0 ||
	    event->loaded.rows[0].sequence != o->load_after + 1) {
		o->hold_loads = true;
		outbox_retry_later(o);
		return;
	}
	for (size_t i = 0; i < event->loaded.count; i++)
		take_row(o, &event->loaded.rows[i]);
	outbox_went_well(o);
}

// --- letting go ---------------------------------------------------------------------------------

void outbox_window_key_dies(struct outbox *o)
{
	for (size_t i = 0; i < o->roster.count; i++)
		if (o->members[i].reseal)
			give_up(o, i);
	for (size_t i = o->kept_count; i-- > 0;)
		if (o->kept[i].payload)
			drop(o, &o->kept[i]);
}

static bool is_needed(const struct outbox *o, const struct outbox_kept *k)
{
	for (size_t i = 0; i < o->roster.count; i++) {
		const struct outbox_member *m = &o->members[i];
		if (m->up && !m->stuck && m->next <= k->sequence)
			return true;
	}
	if (k->sequence == o->sealing)
		return true;
	if (k->sequence <= outbox_least_acked(o))
		return false;
	return k->payload ? k->fresh || outbox_seals_all(o) : !k->stored;
}

// Where the disk takes nothing: what is lost here is sealed anew from its payload.
static bool evict_unstored(struct outbox *o)
{
	for (size_t i = o->kept_count; i-- > 0;) {
		if (o->kept[i].frame) {
			drop(o, &o->kept[i]);
			return true;
		}
	}
	return false;
}

void outbox_window_trim(struct outbox *o)
{
	for (size_t i = o->kept_count; i-- > 0;)
		if (!is_needed(o, &o->kept[i]))
			drop(o, &o->kept[i]);
	while (o->kept_count > OUTBOX_KEPT_MAX || o->kept_bytes > OUTBOX_KEPT_BYTES_MAX)
		if (!evict(o) && !evict_unstored(o))
			break;
}
