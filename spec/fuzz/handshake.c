// SPDX-License-Identifier: GPL-3.0-or-later
// discussion/handshake: two machines that open a discussion with one another. The input is a list of steps: let it run on,
// meddle with a frame, let a piece of work fail or yield other bytes, end it from outside. When it is used up, all goes its
// way until both have ended.
#include <sodium.h>

#include "discussion/handshake.h"
#include "spec/fuzz/fakes.h"
#include "wire/frame.h"

#define PENDING_MAX 16
#define STEPS_MAX 400
#define INITIATOR 0u
#define RESPONDER 1u
#define CERTIFICATE "general certificate of "
#define KEY_CERTIFICATE "discussion certificate "
#define BYTES_MAX 4096

// Work that a machine has asked for, done when the input says so.
struct work {
	struct handshake_event event; // what comes back if all is well; its span points into `bytes`
	struct bytes *bytes;
};

struct party {
	unsigned side;
	char fingerprint[41], key_fingerprint[41];
	struct bytes *general, *certificate;
	struct handshake *machine;
	struct random random;
	struct random_seeded seed;
	struct secret *password;
	struct presence_parts presence;
	struct secret *presence_key;
	size_t count; // of work
	struct work work[PENDING_MAX];
	bool knows, pinned;
	bool holds; // reads no more from the link
	enum handshake_action_type outcome; // of the last three; 0 until then
	unsigned spent, restored, committed;
	struct hash roster;
};

struct world {
	struct wire wire;
	struct party parties[2];
	bool other_bytes; // a result was made up
	bool same_password;
};

static void step(struct world *w, struct party *p, const struct handshake_event *event);

// --- people ---------------------------------------------------------------------------------------------------------------

static struct bytes *certificate_of(const char *prefix, const char *fingerprint)
{
	struct bytes *b = bytes_new(NULL, strlen(prefix) + 40);
	memcpy(b->data, prefix, strlen(prefix));
	memcpy(b->data + strlen(prefix), fingerprint, 40);
	return b;
}

static void make_presence(struct party *p)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = "the fuzzer's presence key";
	struct presence_record r = {.sequence = 1, .issued_ms = 1, .expires_ms = 2, .since_ms = 1};
	struct buf record, body;
	p->presence_key = secret_new(PRESENCE_SECRET_KEY_LEN);
	crypto_sign_seed_keypair(r.key, secret_data(p->presence_key), seed);
	memcpy(r.fingerprint, p->fingerprint, sizeof r.fingerprint);
	r.general = hash_of(bytes_span(p->general));
	buf_init(&record, PRESENCE_RECORD_MAX);
	buf_init(&body, SIZE_MAX);
	CHECK(presence_record_encode(&r, &record, NULL) == OK);
	CHECK(presence_certification_input(&body, r.fingerprint, r.key, r.since_ms) == OK);
	presence_sign(buf_span(&record), secret_data(p->presence_key), p->presence.signature);
	p->presence.record = buf_take(&record);
	p->presence.certification = fake_sign(p->fingerprint, buf_span(&body));
	buf_fini(&record);
	buf_fini(&body);
}

static void party_init(struct party *p, unsigned side, const char *name, const char *key)
{
	p->side = side;
	fake_fingerprint(name, p->fingerprint);
	fake_fingerprint(key, p->key_fingerprint);
	p->general = certificate_of(CERTIFICATE, p->fingerprint);
	p->certificate = certificate_of(KEY_CERTIFICATE, p->key_fingerprint);
	p->random = random_from_seed(&p->seed, side + 1);
	make_presence(p);
}

static struct handshake_key key_of(const struct party *p)
{
	struct handshake_key k = {.certificate = bytes_span(p->certificate)};
	memcpy(k.fingerprint, p->key_fingerprint, sizeof k.fingerprint);
	memcpy(k.key, p->key_fingerprint + 24, sizeof k.key);
	return k;
}

static void party_begin(struct party *p, const struct party *other, enum handshake_mode mode)
{
	struct handshake_config c = {.role = p->side == INITIATOR ? HANDSHAKE_INITIATOR : HANDSHAKE_RESPONDER,
				     .random = &p->random,
				     .general = bytes_span(p->general)};
	memcpy(c.own, p->fingerprint, sizeof c.own);
	if (p->side == INITIATOR) {
		memcpy(c.other, other->fingerprint, sizeof c.other);
		if (p->knows)
			c.other_general = bytes_span(other->general);
		c.mode = mode;
		c.charter = "all";
		c.password = p->password;
		c.key = key_of(p);
		c.presence = p->presence;
		c.presence_key = p->presence_key;
	}
	p->machine = handshake_new(&c);
}

static void party_fini(struct party *p)
{
	while (p->count)
		bytes_unref(p->work[--p->count].bytes);
	handshake_free(p->machine);
	bytes_unref(p->general);
	bytes_unref(p->certificate);
	secret_unref(p->password);
	secret_unref(p->presence_key);
	presence_parts_fini(&p->presence);
}

// --- what the machines ask for --------------------------------------------------------------------------------------------

// bytes: taken
static void later(struct party *p, struct handshake_event event, struct bytes *bytes)
{
	CHECK(p->count < PENDING_MAX);
	for (size_t i = 0; i < p->count; i++)
		CHECK(p->work[i].event.type != event.type); // each at most once
	p->work[p->count++] = (struct work){event, bytes};
}

static void later_result(struct party *p, enum handshake_event_type type, bool good, struct bytes *bytes)
{
	struct handshake_event e = {.type = type};
	e.result.code = good ? OK : ERR_CRYPTO;
	e.result.bytes = bytes_span(bytes);
	later(p, e, bytes);
}

static bool is_certificate(struct bytes *b, const char *prefix, const char *fingerprint)
{
	struct bytes *real = certificate_of(prefix, fingerprint);
	bool same = span_equal(bytes_span(b), bytes_span(real));
	bytes_unref(real);
	return same;
}

static void later_opened(struct party *p, enum handshake_event_type type, struct bytes *message, const char *signer,
			 struct span recipients)
{
	struct span plaintext = {0};
	bool good = fake_open(bytes_span(message), signer, recipients, &plaintext);
	// as gpg does, it delivers what it has read also where it does not hold
	later_result(p, type, good, bytes_new_span(plaintext));
}

static void later_imported(struct party *p, struct bytes *certificate)
{
	struct handshake_event e = {.type = HANDSHAKE_EVENT_IMPORTED};
	size_t prefix = strlen(KEY_CERTIFICATE);
	e.imported.code = ERR_BAD_INPUT;
	if (certificate->len == prefix + 40 && memcmp(certificate->data, KEY_CERTIFICATE, prefix) == 0) {
		memcpy(e.imported.fingerprint, certificate->data + prefix, 40);
		memcpy(e.imported.key, certificate->data + prefix + 24, 16);
		if (strspn(e.imported.fingerprint, "0123456789ABCDEF") == 40)
			e.imported.code = OK;
	}
	later(p, e, NULL);
}

static void ask_gpg(struct world *w, struct party *p, const struct handshake_action *a)
{
	const struct party *other = &w->parties[1 - p->side];
	switch (a->type) {
	case HANDSHAKE_CHECK_CERTIFICATE:
		later_result(p, HANDSHAKE_EVENT_CERTIFICATE_CHECKED,
			     is_certificate(a->certificate.certificate, CERTIFICATE, a->certificate.other), NULL);
		break;
	case HANDSHAKE_PROVE:
		later_result(p, HANDSHAKE_EVENT_PROVED,
			     fake_verify(bytes_span(a->prove.certification), a->prove.other, bytes_span(a->prove.body)), NULL);
		break;
	case HANDSHAKE_SEAL_GENERAL:
		later_result(p, HANDSHAKE_EVENT_GENERAL_SEALED, true,
			     fake_seal(p->fingerprint, span_string(a->seal_general.other), bytes_span(a->seal_general.plaintext)));
		break;
	case HANDSHAKE_OPEN_GENERAL:
		later_opened(p, HANDSHAKE_EVENT_GENERAL_OPENED, a->open_general.message, a->open_general.other,
			     span_string(p->fingerprint));
		break;
	case HANDSHAKE_SIGN_BINDING:
		later_result(p, HANDSHAKE_EVENT_BINDING_SIGNED, true, fake_sign(p->fingerprint, bytes_span(a->sign.body)));
		break;
	case HANDSHAKE_VERIFY_BINDING:
		later_result(p, HANDSHAKE_EVENT_BINDING_VERIFIED,
			     fake_verify(bytes_span(a->verify.signature), a->verify.other, bytes_span(a->verify.body)), NULL);
		break;
	case HANDSHAKE_SEAL_DISCUSSION:
		later_result(p, HANDSHAKE_EVENT_DISCUSSION_SEALED, true,
			     fake_seal(p->key_fingerprint, span(a->seal_discussion.keys, a->seal_discussion.count * 17),
				       bytes_span(a->seal_discussion.plaintext)));
		break;
	case HANDSHAKE_OPEN_DISCUSSION:
		later_opened(p, HANDSHAKE_EVENT_DISCUSSION_OPENED, a->open_discussion.message, a->open_discussion.signer,
			     span(a->open_discussion.keys, a->open_discussion.count * 17));
		break;
	default:
		CHECK(other->side != p->side && !"an action that nobody carries out");
	}
}

static void look_up(struct world *w, struct party *p, const struct handshake_action *a)
{
	const struct party *other = &w->parties[1 - p->side];
	struct handshake_event e = {.type = HANDSHAKE_EVENT_LOOKED_UP};
	e.looked_up.pinned = p->pinned;
	if (p->knows && strcmp(a->look_up.other, other->fingerprint) == 0)
		e.looked_up.general = bytes_span(other->general);
	later(p, e, NULL);
}

static void ask_person(struct party *p)
{
	struct handshake_event e = {.type = HANDSHAKE_EVENT_ACCEPT};
	e.accept.password = p->password;
	e.accept.key = key_of(p);
	later(p, e, NULL);
}

static void carry_out(struct world *w, struct party *p, const struct handshake_action *a)
{
	CHECK(!p->outcome); // nothing follows the end
	switch (a->type) {
	case HANDSHAKE_SEND:
		wire_send(&w->wire, p->side, a->send.kind, a->send.encrypted, a->send.payload);
		break;
	case HANDSHAKE_SET_CIPHER:
		wire_set_keys(&w->wire, p->side, a->cipher.tx, a->cipher.rx);
		break;
	case HANDSHAKE_DEADLINE:
		CHECK(a->deadline.ms > 0);
		break;
	case HANDSHAKE_CLOSE_LINK:
		wire_close(&w->wire, p->side);
		break;
	case HANDSHAKE_HOLD_LINK:
		p->holds = true;
		break;
	case HANDSHAKE_LOOK_UP:
		look_up(w, p, a);
		break;
	case HANDSHAKE_REQUEST:
		CHECK(p->side == RESPONDER && strlen(a->request.id) == 32);
		ask_person(p);
		break;
	case HANDSHAKE_IMPORT_MEMBER:
		later_imported(p, a->import.certificate);
		break;
	case HANDSHAKE_SPEND_GUESS:
		p->spent++;
		later_result(p, HANDSHAKE_EVENT_GUESS_SPENT, true, NULL);
		break;
	case HANDSHAKE_RESTORE_GUESSES:
		p->restored++;
		break;
	case HANDSHAKE_COMMIT_OPENING:
		CHECK(a->opening.count == HANDSHAKE_MEMBERS);
		p->committed++;
		p->roster = hash_of(bytes_span(a->opening.roster));
		CHECK(hash_equal(&p->roster, &a->opening.hash));
		later_result(p, HANDSHAKE_EVENT_COMMITTED, true, NULL);
		break;
	case HANDSHAKE_OPENED:
	case HANDSHAKE_LEFT:
	case HANDSHAKE_REFUSED:
		p->outcome = a->type;
		break;
	default:
		ask_gpg(w, p, a);
	}
}

static void step(struct world *w, struct party *p, const struct handshake_event *event)
{
	struct handshake_actions list;
	handshake_actions_init(&list);
	handshake_step(p->machine, event, &list);
	CHECK(list.count <= HANDSHAKE_ACTIONS_MAX);
	for (size_t i = 0; i < list.count; i++)
		carry_out(w, p, &list.list[i]);
	CHECK(handshake_is_over(p->machine) == (p->outcome != 0));
	handshake_actions_fini(&list);
}

// --- what can happen ------------------------------------------------------------------------------------------------------

static void plain_event(struct world *w, struct party *p, enum handshake_event_type type)
{
	struct handshake_event e = {.type = type};
	step(w, p, &e);
}

static bool receive(struct world *w, struct party *p)
{
	struct wire_frame f = {0};
	struct handshake_event e = {.type = HANDSHAKE_EVENT_FRAME};
	if (p->holds || !wire_waits(&w->wire, p->side))
		return false;
	switch (wire_receive(&w->wire, p->side, &f)) {
	case WIRE_NOTHING:
		break;
	case WIRE_ENDED:
		plain_event(w, p, HANDSHAKE_EVENT_LINK_ENDED);
		break;
	case WIRE_UNREADABLE:
		plain_event(w, p, HANDSHAKE_EVENT_UNREADABLE);
		break;
	case WIRE_FRAME:
		e.frame.kind = f.encrypted && !w->wire.sides[p->side].keyed ? FRAME_CIPHER : f.kind;
		e.frame.payload = bytes_span(f.payload);
		e.frame.encrypted = w->wire.sides[p->side].keyed;
		step(w, p, &e);
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
	struct handshake_event *e = &done.event;
	if (fails && e->type == HANDSHAKE_EVENT_ACCEPT) {
		*e = (struct handshake_event){.type = HANDSHAKE_EVENT_END};
		e->end.reason = (enum handshake_reason)(fails % (HANDSHAKE_REASON_SUPERSEDED + 1));
	} else if (fails && e->type == HANDSHAKE_EVENT_LOOKED_UP) {
		e->looked_up.refuse = fails & 1;
		e->looked_up.held = !e->looked_up.refuse;
		e->looked_up.reason = HANDSHAKE_REASON_BUSY;
	} else if (fails && e->type == HANDSHAKE_EVENT_IMPORTED) {
		e->imported.code = fails;
	} else if (fails) {
		e->result.code = fails;
	} else if (bytes && bytes->len && done.bytes) {
		e->result.code = OK;
		e->result.bytes = bytes_span(bytes);
		w->other_bytes = true;
	}
	step(w, p, e);
	bytes_unref(done.bytes);
	return true;
}

// The next thing of all that goes its way; false where nothing can happen.
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
	struct handshake_event e = {.type = HANDSHAKE_EVENT_END};
	struct bytes *b = NULL;
	how >>= 1;
	switch (what % 12) {
	case 0:
	case 1:
	case 2:
		for (unsigned i = 0; i <= how % 16; i++)
			go_on(w);
		break;
	case 3:
		receive(w, p);
		break;
	case 4:
		wire_change(&w->wire, p->side, input_short(in), input_byte(in));
		break;
	case 5:
		wire_drop(&w->wire, p->side);
		break;
	case 6:
	case 7:
		b = input_take(in, input_short(in) % BYTES_MAX);
		if (what % 12 == 6)
			wire_add(&w->wire, p->side, (uint8_t)how, bytes_span(b));
		else
			wire_forge(&w->wire, p->side, (uint8_t)how, bytes_span(b));
		break;
	case 8:
		hand_back(w, p, how, OK, NULL);
		break;
	case 9:
		hand_back(w, p, how, (enum err)(1 + input_byte(in) % (ERR_COUNT - 1)), NULL);
		break;
	case 10:
		b = input_take(in, input_short(in) % BYTES_MAX);
		hand_back(w, p, how, OK, b);
		break;
	default:
		if (how % 4 == 0) {
			plain_event(w, p, HANDSHAKE_EVENT_DEADLINE);
		} else if (how % 4 == 1) {
			wire_lose(&w->wire);
		} else {
			e.end.reason = (enum handshake_reason)(how % (HANDSHAKE_REASON_SUPERSEDED + 1));
			step(w, p, &e);
		}
	}
	bytes_unref(b);
}

static void finish(struct world *w)
{
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		if (go_on(w))
			continue;
		struct party *late = !w->parties[0].outcome ? &w->parties[0] : &w->parties[1];
		if (late->outcome)
			return;
		plain_event(w, late, HANDSHAKE_EVENT_DEADLINE);
	}
	CHECK(!"both have ended");
}

static void check_outcome(const struct world *w, bool untouched)
{
	const struct party *i = &w->parties[INITIATOR], *r = &w->parties[RESPONDER];
	bool both = i->outcome == HANDSHAKE_OPENED && r->outcome == HANDSHAKE_OPENED;
	for (unsigned n = 0; n < 2; n++) {
		const struct party *p = &w->parties[n];
		CHECK(p->spent <= 1 && p->restored <= p->spent && p->committed <= 1);
		if (p->outcome == HANDSHAKE_OPENED)
			CHECK(p->committed && p->restored == p->spent);
		if (p->outcome == HANDSHAKE_LEFT)
			CHECK(p->committed);
	}
	if (untouched)
		CHECK(both == w->same_password);
	if (w->wire.forged || w->other_bytes)
		return; // one of them is a liar who has all keys
	if (!w->same_password || w->wire.meddled)
		CHECK(!both);
	if (i->committed && r->committed)
		CHECK(hash_equal(&i->roster, &r->roster) && strcmp(handshake_id(i->machine), handshake_id(r->machine)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct input in = input_of(data, size);
	unsigned choice = input_byte(&in);
	enum handshake_mode mode = choice & 1 ? HANDSHAKE_PINNED : HANDSHAKE_PASSWORD;
	memset(&w, 0, sizeof w);
	party_init(&w.parties[INITIATOR], INITIATOR, "alice", "alice's key");
	party_init(&w.parties[RESPONDER], RESPONDER, "bob", "bob's key");
	w.same_password = mode == HANDSHAKE_PINNED || !(choice & 2);
	for (unsigned i = 0; i < 2; i++) {
		struct party *p = &w.parties[i];
		p->knows = !(choice & 4 << i);
		p->pinned = mode == HANDSHAKE_PINNED;
		if (mode == HANDSHAKE_PASSWORD)
			p->password = secret_copy(span_string(i && !w.same_password ? "another one" : "four words to say"));
		party_begin(p, &w.parties[1 - i], mode);
		plain_event(&w, p, HANDSHAKE_EVENT_START);
	}
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
