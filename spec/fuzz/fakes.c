// SPDX-License-Identifier: GPL-3.0-or-later
#include "spec/fuzz/fakes.h"

#include "base/encode.h"
#include "wire/frame.h"

// --- gpg ------------------------------------------------------------------------------------------------------------------

#define FINGERPRINT_LEN 40

static const uint8_t seal_key[32] = "nobody else has this";

static struct hash bind(const char *what, const char *signer, struct span to, struct span text)
{
	struct buf b;
	buf_init(&b, SIZE_MAX);
	buf_put(&b, what, strlen(what) + 1);
	buf_put(&b, signer, strlen(signer) + 1);
	buf_put(&b, &to.len, sizeof to.len);
	if (to.len)
		buf_put(&b, to.data, to.len);
	if (text.len)
		buf_put(&b, text.data, text.len);
	struct hash h = hash_keyed(span(seal_key, sizeof seal_key), buf_span(&b));
	buf_fini(&b);
	return h;
}

struct bytes *fake_sign(const char *signer, struct span body)
{
	struct hash h = bind("signature", signer, span(NULL, 0), body);
	return bytes_new(h.bytes, sizeof h.bytes);
}

bool fake_verify(struct span signature, const char *signer, struct span body)
{
	struct hash h = bind("signature", signer, span(NULL, 0), body);
	return span_equal(signature, span(h.bytes, sizeof h.bytes));
}

struct bytes *fake_seal(const char *signer, struct span recipients, struct span plaintext)
{
	struct hash h = bind("message", signer, recipients, plaintext);
	struct bytes *b = bytes_new(NULL, sizeof h.bytes + plaintext.len);
	memcpy(b->data, h.bytes, sizeof h.bytes);
	if (plaintext.len)
		memcpy(b->data + sizeof h.bytes, plaintext.data, plaintext.len);
	return b;
}

bool fake_open(struct span message, const char *signer, struct span recipients, struct span *plaintext)
{
	if (message.len < HASH_LEN)
		return false;
	*plaintext = span(message.data + HASH_LEN, message.len - HASH_LEN);
	struct hash h = bind("message", signer, recipients, *plaintext);
	return memcmp(h.bytes, message.data, HASH_LEN) == 0;
}

void fake_fingerprint(const char *name, char out[41])
{
	struct hash h = hash_of(span_string(name));
	for (size_t i = 0; i < FINGERPRINT_LEN / 2; i++)
		snprintf(out + 2 * i, 3, "%02X", h.bytes[i]);
}

// --- the wire -------------------------------------------------------------------------------------------------------------

void frame_release(struct wire_frame *f)
{
	bytes_unref(f->sent);
	bytes_unref(f->payload);
	f->sent = f->payload = NULL;
}

// Changed on its way, or added there. One that was changed and changed back is as good as ever.
static bool is_foul(const struct wire_frame *f)
{
	return !f->sent || !span_equal(bytes_span(f->sent), bytes_span(f->payload));
}

static void clear(struct wire_queue *q)
{
	while (q->count)
		frame_release(&q->frames[--q->count]);
}

void wire_fini(struct wire *w)
{
	clear(&w->to[0]);
	clear(&w->to[1]);
}

static void append(struct wire_queue *q, struct wire_frame f)
{
	CHECK(q->count < WIRE_FRAMES_MAX);
	q->frames[q->count++] = f;
}

void wire_send(struct wire *w, unsigned side, uint8_t kind, bool encrypted, struct bytes *payload)
{
	struct wire_side *s = &w->sides[side];
	struct wire_frame f = {.kind = kind, .encrypted = encrypted};
	CHECK(encrypted == s->keyed); // all of it is under the keys, once there are any
	CHECK(kind > 0 && kind < FRAME_KIND_END && kind != FRAME_CIPHER);
	if (s->closed)
		return;
	if (encrypted) {
		memcpy(f.key, s->tx, sizeof f.key);
		f.number = s->sent++;
	}
	f.payload = payload ? bytes_ref(payload) : bytes_new(NULL, 0);
	f.sent = bytes_ref(f.payload);
	append(&w->to[1 - side], f);
}

void wire_set_keys(struct wire *w, unsigned side, const uint8_t tx[32], const uint8_t rx[32])
{
	struct wire_side *s = &w->sides[side];
	CHECK(!s->keyed);
	s->keyed = true;
	memcpy(s->tx, tx, sizeof s->tx);
	memcpy(s->rx, rx, sizeof s->rx);
}

void wire_close(struct wire *w, unsigned side)
{
	if (w->sides[side].closed)
		return;
	w->sides[side].closed = true;
	append(&w->to[1 - side], (struct wire_frame){.end = true});
}

void wire_lose(struct wire *w)
{
	for (unsigned side = 0; side < 2; side++) {
		clear(&w->to[side]);
		wire_close(w, side);
	}
}

bool wire_waits(const struct wire *w, unsigned side)
{
	return w->to[side].count > 0;
}

static struct wire_frame take_first(struct wire_queue *q)
{
	struct wire_frame f = q->frames[0];
	memmove(q->frames, q->frames + 1, --q->count * sizeof f);
	return f;
}

enum wire_event wire_receive(struct wire *w, unsigned side, struct wire_frame *out)
{
	struct wire_side *s = &w->sides[side];
	if (!w->to[side].count)
		return WIRE_NOTHING;
	*out = take_first(&w->to[side]);
	if (out->end)
		return WIRE_ENDED;
	if (s->deaf)
		return WIRE_NOTHING;
	if (!s->keyed && is_foul(out))
		w->meddled = true;
	if (!s->keyed)
		return WIRE_FRAME; // a link without keys ends where it gets a sealed frame: see wire_send
	if (out->encrypted && !is_foul(out) && memcmp(out->key, s->rx, sizeof s->rx) == 0 && out->number == s->received) {
		s->received++;
		return WIRE_FRAME;
	}
	s->deaf = true;
	return WIRE_UNREADABLE;
}

static struct wire_frame *first_frame(struct wire *w, unsigned side)
{
	return w->to[side].count && !w->to[side].frames[0].end ? &w->to[side].frames[0] : NULL;
}

void wire_change(struct wire *w, unsigned side, size_t at, uint8_t bits)
{
	struct wire_frame *f = first_frame(w, side);
	if (!f || !f->payload->len || !bits)
		return;
	struct bytes *changed = bytes_new_span(bytes_span(f->payload));
	changed->data[at % changed->len] ^= bits;
	bytes_unref(f->payload);
	f->payload = changed;
}

void wire_drop(struct wire *w, unsigned side)
{
	if (!first_frame(w, side))
		return;
	struct wire_frame f = take_first(&w->to[side]);
	if (!f.encrypted && f.sent)
		w->meddled = true;
	frame_release(&f);
}

static void insert(struct wire *w, unsigned side, struct wire_frame f)
{
	struct wire_queue *q = &w->to[side];
	if (q->count == WIRE_FRAMES_MAX) {
		frame_release(&f);
		return;
	}
	memmove(q->frames + 1, q->frames, q->count++ * sizeof f);
	q->frames[0] = f;
}

static uint8_t kind_of(uint8_t number)
{
	uint8_t kind = (uint8_t)(1 + number % (FRAME_KIND_END - 1));
	return kind == FRAME_CIPHER ? FRAME_RECORD : kind;
}

void wire_add(struct wire *w, unsigned side, uint8_t kind, struct span payload)
{
	insert(w, side, (struct wire_frame){.kind = kind_of(kind), .payload = bytes_new_span(payload)});
}

void wire_forge(struct wire *w, unsigned side, uint8_t kind, struct span payload)
{
	struct wire_side *s = &w->sides[side];
	struct wire_frame f = {.kind = kind_of(kind), .encrypted = s->keyed, .payload = bytes_new_span(payload)};
	f.sent = bytes_ref(f.payload);
	memcpy(f.key, s->rx, sizeof f.key);
	f.number = s->received;
	// what the other really sent comes after it
	for (size_t i = 0; i < w->to[side].count; i++)
		w->to[side].frames[i].number++;
	w->sides[1 - side].sent++;
	insert(w, side, f);
	w->forged = true;
}
