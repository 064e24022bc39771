// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/packet_reader.h"

#include <gcrypt.h>

#define FIRST_PART_MIN 512 // RFC 4880, 4.2.2.4

struct octets octets_of(struct span s)
{
	static const uint8_t nothing[1]; // for no arithmetic is defined on NULL, not even + 0
	const uint8_t *at = s.data ? s.data : nothing;
	return (struct octets){.at = at, .end = at + s.len};
}

size_t octets_left(const struct octets *r)
{
	return (size_t)(r->end - r->at);
}

struct span octets_take(struct octets *r, size_t len)
{
	if (r->bad || len > octets_left(r)) {
		r->bad = true;
		return span(r->at, 0);
	}
	struct span s = span(r->at, len);
	r->at += len;
	return s;
}

uint32_t octets_number(struct octets *r, size_t bytes)
{
	struct span s = octets_take(r, bytes);
	uint32_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n = n << 8 | s.data[i];
	return n;
}

// RFC 4880, 4.2.2 and 5.2.3.1. Only a packet's length can be partial: where `partial` is NULL, 224 to 254 begin two octets.
static size_t take_new_length(struct octets *r, bool *partial)
{
	uint32_t first = octets_number(r, 1);
	if (partial)
		*partial = false;
	if (first < 192)
		return first;
	if (first == 255)
		return octets_number(r, 4);
	if (first < 224 || !partial)
		return ((first - 192) << 8) + octets_number(r, 1) + 192;
	*partial = true;
	return (size_t)1 << (first & 31);
}

static size_t take_old_length(struct octets *r, unsigned type)
{
	static const size_t width[] = {1, 2, 4};
	if (type > 2) {
		r->bad = true; // runs to the end of whatever it is in: nothing would bound it
		return 0;
	}
	return octets_number(r, width[type]);
}

enum err packet_next(struct octets *r, struct packet *p, struct err_info *info)
{
	uint32_t tag = octets_number(r, 1);
	size_t len;
	*p = (struct packet){0};
	if (!(tag & 0x80))
		return err_set(info, ERR_BAD_INPUT, "not a binary OpenPGP packet");
	if (tag & 0x40) {
		p->kind = tag & 0x3f;
		len = take_new_length(r, &p->partial);
	} else {
		p->kind = (tag >> 2) & 0x0f;
		len = take_old_length(r, tag & 3);
	}
	p->body = octets_take(r, len);
	p->len = len;
	if (p->partial && len < FIRST_PART_MIN)
		r->bad = true;
	const uint8_t *rest = r->at;
	for (bool more = p->partial; more && !r->bad;) {
		size_t part = take_new_length(r, &more);
		p->len += octets_take(r, part).len;
	}
	p->rest = span(rest, (size_t)(r->at - rest));
	if (r->bad)
		return err_set(info, ERR_BAD_INPUT, "a packet of kind %u is cut short or has no definite length", p->kind);
	return OK;
}

enum err packet_append_body(const struct packet *p, struct buf *out)
{
	struct octets r = octets_of(p->rest);
	enum err e = buf_append_span(out, p->body);
	for (bool more = p->partial; more && e == OK;) {
		size_t len = take_new_length(&r, &more);
		e = buf_append_span(out, octets_take(&r, len));
	}
	return e;
}

static const char *kind_name(unsigned kind)
{
	static const char *const names[] = {
		[1] = "public-key encrypted session key", [2] = "signature", [3] = "symmetric-key encrypted session key",
		[4] = "one-pass signature", [5] = "secret key", [6] = "public key", [7] = "secret subkey",
		[8] = "compressed data", [9] = "encrypted data without MDC", [10] = "marker", [11] = "literal data",
		[12] = "trust", [13] = "user id", [14] = "public subkey", [17] = "user attribute",
		[18] = "encrypted data with MDC", [19] = "MDC", [20] = "AEAD encrypted data",
	};
	const char *name = kind < sizeof names / sizeof *names ? names[kind] : NULL;
	return name ? name : "unknown";
}

enum err packet_refuse(struct err_info *info, const char *where, const struct packet *p)
{
	return err_set(info, ERR_BAD_INPUT, "%s: an unexpected packet of kind %u (%s)", where, p->kind, kind_name(p->kind));
}

void octets_mpis(struct octets *r, size_t count)
{
	while (count--)
		octets_take(r, (octets_number(r, 2) + 7) / 8);
}

// --- signatures -----------------------------------------------------------------------------------------------------------

#define SUBPACKET_KEY_FLAGS 27
#define FLAGS_ENCRYPT 0x0c

static void read_subpackets(struct octets *r, struct signature *s)
{
	while (octets_left(r) && !r->bad) {
		struct span body = octets_take(r, take_new_length(r, NULL));
		if (r->bad || body.len == 0) {
			r->bad = true;
			return;
		}
		if (s && (body.data[0] & 0x7f) == SUBPACKET_KEY_FLAGS && body.len > 1)
			s->encrypts = (body.data[1] & FLAGS_ENCRYPT) != 0;
	}
}

enum err signature_read(struct span body, struct signature *out, struct err_info *info)
{
	struct octets r = octets_of(body);
	*out = (struct signature){0};
	if (octets_number(&r, 1) != 4)
		return err_set(info, ERR_BAD_INPUT, "a signature is not of version 4");
	out->type = octets_number(&r, 1);
	uint32_t algorithm = octets_number(&r, 1);
	octets_take(&r, 1);
	struct octets hashed = octets_of(octets_take(&r, octets_number(&r, 2)));
	struct octets unhashed = octets_of(octets_take(&r, octets_number(&r, 2)));
	read_subpackets(&hashed, out);
	read_subpackets(&unhashed, NULL);
	octets_take(&r, 2);
	if (algorithm != KEY_RSA && algorithm != KEY_DSA && algorithm != KEY_ECDSA && algorithm != KEY_EDDSA)
		return err_set(info, ERR_BAD_INPUT, "a signature of the unknown algorithm %u", algorithm);
	octets_mpis(&r, algorithm == KEY_RSA ? 1 : 2);
	if (r.bad || hashed.bad || unhashed.bad || octets_left(&r))
		return err_set(info, ERR_BAD_INPUT, "a signature's inner lengths do not fit");
	return OK;
}

void gcrypt_ready(void)
{
	if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
		return;
	gcry_check_version(NULL);
	gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}
