// SPDX-License-Identifier: GPL-3.0-or-later
// discussion/member_link: two members who make a link again; one or both may have closed. The input is a list of steps, as in
// handshake.c.
#include "discussion/member_link.h"
#include "spec/fuzz/fakes.h"
#include "wire/delivery.h"
#include "wire/frame.h"
#include "wire/sealed.h"

#define PENDING_MAX 16
#define STEPS_MAX 400
#define MEMBERS 3
#define BYTES_MAX 4096
#define FAREWELL 2 // payloads of a side that has closed

struct work {
	struct member_link_event event; // its span points into `bytes`
	struct bytes *bytes;
};

struct party {
	unsigned side; // 0 dials
	char fingerprint[41], key[41];
	struct member_link *machine;
	struct random random;
	struct random_seeded seed;
	bool closed;
	size_t count;
	struct work work[PENDING_MAX];
	bool over, linked;
	enum member_link_end end;
	struct seen_record seen; // of its own
	unsigned delivered, acked, verified;
};

struct world {
	struct wire wire;
	struct party parties[2];
	struct roster_record roster;
	struct hash first, roster_hash;
	bool other_bytes;
};

// --- the discussion -------------------------------------------------------------------------------------------------------

static void make_roster(struct world *w)
{
	static const char *const names[MEMBERS] = {"alice", "bob", "carol"};
	struct roster_record_member members[MEMBERS];
	struct hash charter = hash_of(span_string("all"));
	struct buf b;
	memset(members, 0, sizeof members);
	for (size_t i = 0; i < MEMBERS; i++) {
		char key[64], fingerprint[41];
		snprintf(key, sizeof key, "%s's key", names[i]);
		fake_fingerprint(names[i], members[i].fingerprint);
		fake_fingerprint(key, fingerprint);
		members[i].certificate = hash_of(span_string(fingerprint));
		memcpy(members[i].key, fingerprint + 24, sizeof members[i].key);
		if (i < 2) {
			memcpy(w->parties[i].fingerprint, members[i].fingerprint, 41);
			memcpy(w->parties[i].key, fingerprint, 41);
		}
	}
	CHECK(roster_begin(&w->roster, "0123456789abcdef0123456789abcdef", &charter, members, MEMBERS, NULL) == OK);
	buf_init(&b, ROSTER_RECORD_MAX);
	CHECK(roster_record_encode(&w->roster, &b, NULL) == OK);
	w->first = w->roster_hash = hash_of(buf_span(&b));
	buf_fini(&b);
}

// sequences: two bits for each member
static void make_seen(const struct world *w, struct party *p, unsigned sequences)
{
	p->seen.count = w->roster.count;
	for (size_t i = 0; i < p->seen.count; i++) {
		struct seen_row *row = &p->seen.rows[i];
		memcpy(row->fingerprint, w->roster.members[i].fingerprint, sizeof row->fingerprint);
		row->sequence = sequences >> 2 * i & 3;
		if (row->sequence)
			row->hash = hash_of(span(row, sizeof row->fingerprint));
	}
}

static void party_begin(struct world *w, unsigned side)
{
	struct party *p = &w->parties[side], *other = &w->parties[1 - side];
	struct member_link_config c = {.side = side ? MEMBER_LINK_ANSWERS : MEMBER_LINK_DIALS,
				       .random = &p->random,
				       .first = w->first,
				       .roster = &w->roster,
				       .roster_hash = w->roster_hash,
				       .closed = p->closed};
	p->side = side;
	p->random = random_from_seed(&p->seed, side + 1);
	memcpy(c.own, p->fingerprint, sizeof c.own);
	memcpy(c.other, other->fingerprint, sizeof c.other);
	memcpy(c.other_key, other->key, sizeof c.other_key);
	p->machine = member_link_new(&c);
}

static void party_fini(struct party *p)
{
	while (p->count)
		bytes_unref(p->work[--p->count].bytes);
	member_link_free(p->machine);
}

// --- what the machines ask for --------------------------------------------------------------------------------------------

static void later(struct party *p, struct member_link_event event, struct bytes *bytes)
{
	CHECK(p->count < PENDING_MAX);
	p->work[p->count++] = (struct work){event, bytes};
}

static struct bytes *ack(const struct world *w, const struct party *p)
{
	struct delivery_record r = {.type = DELIVERY_ACK, .sequence = p->delivered};
	struct buf b;
	memcpy(r.discussion, w->roster.discussion, sizeof r.discussion);
	memcpy(r.sender, w->parties[1 - p->side].fingerprint, sizeof r.sender);
	buf_init(&b, 4096);
	CHECK(delivery_encode(&r, &b, NULL) == OK);
	struct bytes *made = buf_take(&b);
	buf_fini(&b);
	return made;
}

static void send_farewell(struct world *w, struct party *p)
{
	for (unsigned i = 1; i <= FAREWELL; i++) {
		struct sealed_frame f = {.sequence = i, .message = span_string("sealed")};
		struct bytes *b = NULL;
		memcpy(f.sender, p->fingerprint, sizeof f.sender);
		CHECK(sealed_frame_encode(&f, &b) == OK);
		wire_send(&w->wire, p->side, FRAME_SEALED, true, b);
		bytes_unref(b);
	}
}

static void carry_out(struct world *w, struct party *p, const struct member_link_action *a)
{
	struct member_link_event e = {0};
	struct bytes *b;
	CHECK(!p->over);
	switch (a->type) {
	case MEMBER_LINK_SEND:
		wire_send(&w->wire, p->side, a->send.kind, a->send.encrypted, a->send.payload);
		break;
	case MEMBER_LINK_SET_CIPHER:
		wire_set_keys(&w->wire, p->side, a->cipher.tx, a->cipher.rx);
		break;
	case MEMBER_LINK_DEADLINE:
		CHECK(a->deadline.ms > 0);
		break;
	case MEMBER_LINK_CLOSE_LINK:
		wire_close(&w->wire, p->side);
		break;
	case MEMBER_LINK_SIGN:
		CHECK(!p->closed); // its key is destroyed
		b = fake_sign(p->key, bytes_span(a->sign.body));
		e.type = MEMBER_LINK_EVENT_SIGNED;
		e.result.bytes = bytes_span(b);
		later(p, e, b);
		break;
	case MEMBER_LINK_VERIFY:
		CHECK(strcmp(a->verify.signer, w->parties[1 - p->side].key) == 0);
		e.type = MEMBER_LINK_EVENT_VERIFIED;
		if (fake_verify(bytes_span(a->verify.signature), a->verify.signer, bytes_span(a->verify.body)))
			p->verified++;
		else
			e.result.code = ERR_CRYPTO;
		later(p, e, NULL);
		break;
	case MEMBER_LINK_WANT_SEEN:
		e.type = MEMBER_LINK_EVENT_SEEN;
		e.seen.record = &p->seen;
		later(p, e, NULL);
		break;
	case MEMBER_LINK_DELIVER:
		p->delivered++;
		b = ack(w, p);
		e.type = MEMBER_LINK_EVENT_ACK;
		e.ack.record = bytes_span(b);
		later(p, e, b);
		break;
	case MEMBER_LINK_SEND_FAREWELL:
		CHECK(p->closed);
		send_farewell(w, p);
		break;
	case MEMBER_LINK_ACKED:
		if (++p->acked == FAREWELL) {
			e.type = MEMBER_LINK_EVENT_FAREWELL_DONE;
			later(p, e, NULL);
		}
		break;
	case MEMBER_LINK_LINKED:
		CHECK(a->linked.seen->count == w->roster.count);
		p->over = p->linked = true;
		break;
	case MEMBER_LINK_ENDED:
		CHECK(a->ended.end == MEMBER_LINK_END_LOST || a->ended.detail);
		p->over = true;
		p->end = a->ended.end;
	}
}

static void step(struct world *w, struct party *p, const struct member_link_event *event)
{
	struct member_link_actions list;
	member_link_actions_init(&list);
	member_link_step(p->machine, event, &list);
	CHECK(list.count <= MEMBER_LINK_ACTIONS_MAX);
	for (size_t i = 0; i < list.count; i++)
		carry_out(w, p, &list.list[i]);
	CHECK(member_link_is_over(p->machine) == p->over);
	member_link_actions_fini(&list);
}

// --- what can happen ------------------------------------------------------------------------------------------------------

static void plain_event(struct world *w, struct party *p, enum member_link_event_type type)
{
	struct member_link_event e = {.type = type};
	step(w, p, &e);
}

static void take_frame(struct world *w, struct party *p, const struct wire_frame *f)
{
	struct member_link_event e = {.type = MEMBER_LINK_EVENT_FRAME};
	bool keyed = w->wire.sides[p->side].keyed;
	size_t who;
	e.frame.kind = f->encrypted && !keyed ? FRAME_CIPHER : f->kind;
	e.frame.payload = bytes_span(f->payload);
	e.frame.encrypted = keyed;
	// nobody makes a machine for an L1 that is not for him
	if (p->side == 1 && !keyed &&
	    !member_link_match(e.frame.payload, &w->first, &w->roster, p->fingerprint, &who)) {
		wire_lose(&w->wire);
		return;
	}
	step(w, p, &e);
}

static bool receive(struct world *w, struct party *p)
{
	struct wire_frame f = {0};
	if (p->over || !wire_waits(&w->wire, p->side))
		return false;
	switch (wire_receive(&w->wire, p->side, &f)) {
	case WIRE_NOTHING:
		break;
	case WIRE_ENDED:
		plain_event(w, p, MEMBER_LINK_EVENT_LINK_ENDED);
		break;
	case WIRE_UNREADABLE:
		plain_event(w, p, MEMBER_LINK_EVENT_UNREADABLE);
		break;
	case WIRE_FRAME:
		take_frame(w, p, &f);
	}
	frame_release(&f);
	return true;
}

static bool hand_back(struct world *w, struct party *p, size_t which, enum err fails, struct bytes *bytes)
{
	if (!p->count)
		return false;
	which %= p->count;
	struct work done = p->work[which];
	memmove(&p->work[which], &p->work[which + 1], (--p->count - which) * sizeof done);
	if (done.event.type == MEMBER_LINK_EVENT_SIGNED || done.event.type == MEMBER_LINK_EVENT_VERIFIED) {
		if (fails)
			done.event.result.code = fails;
		if (bytes && bytes->len && done.bytes) {
			done.event.result.bytes = bytes_span(bytes);
			w->other_bytes = true;
		}
	}
	step(w, p, &done.event);
	bytes_unref(done.bytes);
	return true;
}

static bool go_on(struct world *w)
{
	for (unsigned i = 0; i < 2; i++)
		if (hand_back(w, &w->parties[i], 0, OK, NULL))
			return true;
	for (unsigned i = 0; i < 2; i++)
		if (receive(w, &w->parties[i]))
			return true;
	return false;
}

static void happen(struct world *w, struct input *in)
{
	unsigned what = input_byte(in), how = input_byte(in);
	struct party *p = &w->parties[how & 1];
	struct bytes *b = NULL;
	how >>= 1;
	switch (what % 11) {
	case 0:
	case 1:
		for (unsigned i = 0; i <= how % 8; i++)
			go_on(w);
		break;
	case 2:
		receive(w, p);
		break;
	case 3:
		wire_change(&w->wire, p->side, input_short(in), input_byte(in));
		break;
	case 4:
		wire_drop(&w->wire, p->side);
		break;
	case 5:
	case 6:
		b = input_take(in, input_short(in) % BYTES_MAX);
		if (what % 11 == 5)
			wire_add(&w->wire, p->side, (uint8_t)how, bytes_span(b));
		else
			wire_forge(&w->wire, p->side, (uint8_t)how, bytes_span(b));
		break;
	case 7:
		hand_back(w, p, how, OK, NULL);
		break;
	case 8:
		hand_back(w, p, how, (enum err)(1 + input_byte(in) % (ERR_COUNT - 1)), NULL);
		break;
	case 9:
		b = input_take(in, input_short(in) % BYTES_MAX);
		hand_back(w, p, how, OK, b);
		break;
	default:
		if (how & 1)
			plain_event(w, p, MEMBER_LINK_EVENT_DEADLINE);
		else
			wire_lose(&w->wire);
	}
	bytes_unref(b);
}

static void finish(struct world *w)
{
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		if (go_on(w))
			continue;
		struct party *late = !w->parties[0].over ? &w->parties[0] : &w->parties[1];
		if (late->over)
			return;
		plain_event(w, late, MEMBER_LINK_EVENT_DEADLINE);
	}
	CHECK(!"both have ended");
}

// Whether one has less of its own chain than the other has of it: its disk was set back.
static bool rolled_back(const struct world *w)
{
	for (unsigned n = 0; n < 2; n++) {
		size_t own = roster_position(&w->roster, w->parties[n].fingerprint);
		if (w->parties[n].seen.rows[own].sequence < w->parties[1 - n].seen.rows[own].sequence)
			return true;
	}
	return false;
}

static void check_outcome(const struct world *w, bool untouched)
{
	const struct party *a = &w->parties[0], *b = &w->parties[1];
	bool both = a->linked && b->linked;
	if (untouched && !a->closed && !b->closed)
		CHECK(both == !rolled_back(w));
	if (untouched && a->closed != b->closed)
		CHECK((a->closed ? a : b)->end == MEMBER_LINK_END_TOLD);
	for (unsigned n = 0; n < 2; n++) {
		const struct party *p = &w->parties[n];
		CHECK(!p->linked || (p->verified && !p->closed)); // never without a signature that holds
		CHECK(p->delivered <= MEMBER_LINK_FAREWELL_MAX);
	}
	// whoever changed a frame in clear is noticed
	if (w->wire.meddled && !w->wire.forged && !w->other_bytes)
		CHECK(!both);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct input in = input_of(data, size);
	unsigned choice = input_byte(&in);
	memset(&w, 0, sizeof w);
	make_roster(&w);
	for (unsigned i = 0; i < 2; i++) {
		w.parties[i].closed = choice & 1u << i;
		make_seen(&w, &w.parties[i], input_byte(&in));
	}
	party_begin(&w, 0);
	party_begin(&w, 1);
	plain_event(&w, &w.parties[0], MEMBER_LINK_EVENT_START);
	bool untouched = input_left(&in) == 0;
	for (unsigned i = 0; i < STEPS_MAX && input_left(&in); i++)
		happen(&w, &in);
	finish(&w);
	check_outcome(&w, untouched);
	party_fini(&w.parties[0]);
	party_fini(&w.parties[1]);
	wire_fini(&w.wire);
	return 0;
}
