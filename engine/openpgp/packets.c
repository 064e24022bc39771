// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/packets.h"

#include <gcrypt.h>
#include <stdio.h>
#include <string.h>

#include "base/encode.h"

enum kind {
	KIND_PKESK = 1,
	KIND_SIGNATURE = 2,
	KIND_PRIMARY = 6,
	KIND_USER_ID = 13,
	KIND_SUBKEY = 14,
	KIND_SEIPD = 18,
};

// A cursor over borrowed bytes. A read past the end sets `bad` and yields zeroes, so that a run of reads is checked once.
struct reader {
	const uint8_t *at, *end;
	bool bad;
};

#define FIRST_PART_MIN 512 // RFC 4880, 4.2.2.4

struct packet {
	unsigned kind;
	struct span body; // of a partial packet only the first part
	size_t len;       // of the whole body
	bool partial;
};

static struct reader reader(struct span s)
{
	return (struct reader){.at = s.data, .end = s.data + s.len};
}

static size_t left(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

static struct span take(struct reader *r, size_t len)
{
	if (r->bad || len > left(r)) {
		r->bad = true;
		return span(NULL, 0);
	}
	struct span s = span(r->at, len);
	r->at += len;
	return s;
}

static uint32_t take_number(struct reader *r, size_t bytes)
{
	struct span s = take(r, bytes);
	uint32_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n = n << 8 | s.data[i];
	return n;
}

// RFC 4880, 4.2.2 and 5.2.3.1. Only a packet's length can be partial: where `partial` is NULL, 224 to 254 begin two octets.
static size_t take_new_length(struct reader *r, bool *partial)
{
	uint32_t first = take_number(r, 1);
	if (partial)
		*partial = false;
	if (first < 192)
		return first;
	if (first == 255)
		return take_number(r, 4);
	if (first < 224 || !partial)
		return ((first - 192) << 8) + take_number(r, 1) + 192;
	*partial = true;
	return (size_t)1 << (first & 31);
}

static size_t take_old_length(struct reader *r, unsigned type)
{
	static const size_t width[] = {1, 2, 4};
	if (type > 2) {
		r->bad = true; // runs to the end of whatever it is in: nothing would bound it
		return 0;
	}
	return take_number(r, width[type]);
}

static enum err next_packet(struct reader *r, struct packet *p, struct err_info *info)
{
	uint32_t tag = take_number(r, 1);
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
	p->body = take(r, len);
	p->len = len;
	if (p->partial && len < FIRST_PART_MIN)
		r->bad = true;
	for (bool more = p->partial; more && !r->bad;) {
		size_t part = take_new_length(r, &more);
		p->len += take(r, part).len;
	}
	if (r->bad)
		return err_set(info, ERR_BAD_INPUT, "a packet of kind %u is cut short or has no definite length", p->kind);
	return OK;
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

static enum err refuse_kind(struct err_info *info, const char *where, const struct packet *p)
{
	return err_set(info, ERR_BAD_INPUT, "%s: an unexpected packet of kind %u (%s)", where, p->kind, kind_name(p->kind));
}

// --- signatures -----------------------------------------------------------------------------------------------------------

struct signature {
	unsigned type;
	bool encrypts; // the hashed key flags say so
};

#define SUBPACKET_KEY_FLAGS 27
#define FLAGS_ENCRYPT 0x0c

static void read_subpackets(struct reader *r, struct signature *s)
{
	while (left(r) && !r->bad) {
		struct span body = take(r, take_new_length(r, NULL));
		if (r->bad || body.len == 0) {
			r->bad = true;
			return;
		}
		if (s && (body.data[0] & 0x7f) == SUBPACKET_KEY_FLAGS && body.len > 1)
			s->encrypts = (body.data[1] & FLAGS_ENCRYPT) != 0;
	}
}

static void take_mpis(struct reader *r, size_t count)
{
	while (count--)
		take(r, (take_number(r, 2) + 7) / 8);
}

static enum err read_signature(struct span body, struct signature *out, struct err_info *info)
{
	struct reader r = reader(body);
	*out = (struct signature){0};
	if (take_number(&r, 1) != 4)
		return err_set(info, ERR_BAD_INPUT, "a signature is not of version 4");
	out->type = take_number(&r, 1);
	uint32_t algorithm = take_number(&r, 1);
	take(&r, 1);
	struct reader hashed = reader(take(&r, take_number(&r, 2)));
	struct reader unhashed = reader(take(&r, take_number(&r, 2)));
	read_subpackets(&hashed, out);
	read_subpackets(&unhashed, NULL);
	take(&r, 2);
	if (algorithm != KEY_RSA && algorithm != KEY_DSA && algorithm != KEY_ECDSA && algorithm != KEY_EDDSA)
		return err_set(info, ERR_BAD_INPUT, "a signature of the unknown algorithm %u", algorithm);
	take_mpis(&r, algorithm == KEY_RSA ? 1 : 2);
	if (r.bad || hashed.bad || unhashed.bad || left(&r))
		return err_set(info, ERR_BAD_INPUT, "a signature's inner lengths do not fit");
	return OK;
}

enum err signature_check(struct span signature, struct err_info *info)
{
	struct reader r = reader(signature);
	struct packet p;
	struct signature s;
	if (signature.len > SIGNATURE_MAX)
		return err_set(info, ERR_TOO_LARGE, "a signature of more than %d bytes", SIGNATURE_MAX);
	enum err e = next_packet(&r, &p, info);
	if (e)
		return e;
	if (p.kind != KIND_SIGNATURE || p.partial)
		return refuse_kind(info, "signature", &p);
	if (left(&r))
		return err_set(info, ERR_BAD_INPUT, "signature: something follows it");
	e = read_signature(p.body, &s, info);
	if (e)
		return e;
	if (s.type != 0)
		return err_set(info, ERR_BAD_INPUT, "signature: its type is 0x%02x, not 0x00 (binary)", s.type);
	return OK;
}

// --- keys -----------------------------------------------------------------------------------------------------------------

static const uint8_t oid_ed25519[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01};
static const uint8_t oid_cv25519[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x97, 0x55, 0x01, 0x05, 0x01};

static void fingerprint_of(struct span body, struct key_info *out)
{
	uint8_t input[3 + CERTIFICATE_MAX], digest[20];
	// libgcrypt complains to syslog where nobody has said that it is ready
	if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
		gcry_check_version(NULL);
		gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
		gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	}
	input[0] = 0x99;
	input[1] = (uint8_t)(body.len >> 8);
	input[2] = (uint8_t)body.len;
	memcpy(input + 3, body.data, body.len);
	gcry_md_hash_buffer(GCRY_MD_SHA1, digest, input, 3 + body.len);
	hex_encode_upper(span(digest, sizeof digest), out->fingerprint);
	out->id = be64_get(digest + 12);
}

// The public parameters of one key; `oid` is empty where the algorithm has no curve.
static bool take_key_material(struct reader *r, unsigned algorithm, struct span *oid)
{
	*oid = span(NULL, 0);
	switch (algorithm) {
	case KEY_RSA:
		take_mpis(r, 2);
		return true;
	case KEY_ELGAMAL:
		take_mpis(r, 3);
		return true;
	case KEY_DSA:
		take_mpis(r, 4);
		return true;
	case KEY_ECDH:
	case KEY_ECDSA:
	case KEY_EDDSA:
		*oid = take(r, take_number(r, 1));
		take_mpis(r, 1);
		if (algorithm == KEY_ECDH && take(r, take_number(r, 1)).len != 3)
			r->bad = true;
		return true;
	default:
		return false;
	}
}

static enum err read_key(struct span body, struct key_info *out, struct span *oid, struct err_info *info)
{
	struct reader r = reader(body);
	*out = (struct key_info){0};
	if (take_number(&r, 1) != 4)
		return err_set(info, ERR_BAD_INPUT, "certificate: a key is not of version 4");
	out->created = take_number(&r, 4);
	out->algorithm = (uint8_t)take_number(&r, 1);
	if (!r.bad && !take_key_material(&r, out->algorithm, oid))
		return err_set(info, ERR_BAD_INPUT, "certificate: a key of the unknown algorithm %u", out->algorithm);
	if (r.bad || left(&r))
		return err_set(info, ERR_BAD_INPUT, "certificate: a key's inner lengths do not fit");
	fingerprint_of(body, out);
	out->encrypts = out->algorithm == KEY_ECDH || out->algorithm == KEY_ELGAMAL;
	return OK;
}

// --- certificates ---------------------------------------------------------------------------------------------------------

// What the walk has seen; the last key or user id owns the signatures that follow it.
struct walk {
	struct certificate_info *out;
	unsigned owner; // enum kind of the last key or user id; 0 before the first
	size_t packets, user_ids, signatures, unsigned_owner;
	bool revoked;   // the last subkey
	struct span oid_primary, oid_subkey;
};

static enum err end_of_owner(struct walk *w, struct err_info *info)
{
	if (w->unsigned_owner)
		return err_set(info, ERR_BAD_INPUT, "certificate: a user id or subkey without a signature");
	return OK;
}

static enum err walk_key(struct walk *w, const struct packet *p, struct err_info *info)
{
	struct certificate_info *out = w->out;
	if ((p->kind == KIND_PRIMARY) != (w->owner == 0))
		return err_set(info, ERR_BAD_INPUT, w->owner ? "certificate: a second primary key"
							     : "certificate: it does not begin with a primary key");
	if (p->kind == KIND_PRIMARY)
		return read_key(p->body, &out->primary, &w->oid_primary, info);
	w->unsigned_owner = 1;
	w->revoked = false;
	return read_key(p->body, &out->subkeys[out->subkey_count++], &w->oid_subkey, info);
}

static enum err walk_user_id(struct walk *w, const struct packet *p, struct err_info *info)
{
	struct certificate_info *out = w->out;
	if (w->owner == 0 || w->owner == KIND_SUBKEY)
		return err_set(info, ERR_BAD_INPUT, "certificate: a user id in the wrong place");
	if (w->user_ids++ == 0) {
		out->user_id_len = p->body.len < USER_ID_MAX ? p->body.len : USER_ID_MAX;
		if (out->user_id_len)
			memcpy(out->user_id, p->body.data, out->user_id_len);
	}
	w->unsigned_owner = 1;
	return OK;
}

static bool type_fits(unsigned type, unsigned owner)
{
	switch (owner) {
	case KIND_PRIMARY:
		return type == 0x1f || type == 0x20;
	case KIND_USER_ID:
		return (type >= 0x10 && type <= 0x13) || type == 0x30;
	case KIND_SUBKEY:
		return type == 0x18 || type == 0x28;
	default:
		return false;
	}
}

static enum err walk_signature(struct walk *w, const struct packet *p, struct err_info *info)
{
	struct signature s;
	enum err e = read_signature(p->body, &s, info);
	if (e)
		return e;
	if (!type_fits(s.type, w->owner))
		return err_set(info, ERR_BAD_INPUT, "certificate: a signature of type 0x%02x in the wrong place", s.type);
	w->signatures++;
	w->unsigned_owner = 0;
	if (w->owner == KIND_SUBKEY) {
		struct key_info *key = &w->out->subkeys[w->out->subkey_count - 1];
		if (s.type == 0x28)
			w->revoked = true;
		else if (key->algorithm == KEY_RSA)
			key->encrypts = s.encrypts;
		if (w->revoked)
			key->encrypts = false;
	}
	return OK;
}

static enum err walk_packet(struct walk *w, const struct packet *p, struct err_info *info)
{
	enum err e = OK;
	if (p->partial)
		return err_set(info, ERR_BAD_INPUT, "certificate: a packet in parts");
	if (++w->packets > CERTIFICATE_PACKETS_MAX)
		return err_set(info, ERR_BAD_INPUT, "certificate: more than %d packets", CERTIFICATE_PACKETS_MAX);
	if (p->kind == KIND_SIGNATURE)
		return walk_signature(w, p, info);
	if (p->kind != KIND_PRIMARY && p->kind != KIND_SUBKEY && p->kind != KIND_USER_ID)
		return refuse_kind(info, "certificate", p);
	e = end_of_owner(w, info);
	if (e == OK)
		e = p->kind == KIND_USER_ID ? walk_user_id(w, p, info) : walk_key(w, p, info);
	w->owner = p->kind;
	return e;
}

static enum err choose_encryption(struct certificate_info *out, struct err_info *info)
{
	bool found = false;
	for (size_t i = 0; i < out->subkey_count; i++) {
		const struct key_info *key = &out->subkeys[i];
		if (key->encrypts && (!found || key->created > out->subkeys[out->encryption].created)) {
			out->encryption = i;
			found = true;
		}
	}
	return found ? OK : err_set(info, ERR_BAD_INPUT, "certificate: no subkey that encrypts");
}

static enum err walk_certificate(struct span certificate, struct walk *w, struct err_info *info)
{
	struct reader r = reader(certificate);
	*w->out = (struct certificate_info){0};
	if (certificate.len > CERTIFICATE_MAX)
		return err_set(info, ERR_TOO_LARGE, "a certificate of more than %d bytes", CERTIFICATE_MAX);
	do {
		struct packet p;
		enum err e = next_packet(&r, &p, info);
		if (e == OK)
			e = walk_packet(w, &p, info);
		if (e)
			return e;
	} while (left(&r));
	enum err e = end_of_owner(w, info);
	if (e == OK && w->user_ids == 0)
		e = err_set(info, ERR_BAD_INPUT, "certificate: no user id");
	return e ? e : choose_encryption(w->out, info);
}

enum err certificate_check(struct span certificate, struct certificate_info *out, struct err_info *info)
{
	struct certificate_info found;
	struct walk w = {.out = &found};
	enum err e = walk_certificate(certificate, &w, info);
	if (e == OK)
		*out = found;
	return e;
}

enum err discussion_certificate_check(struct span certificate, struct certificate_info *out, struct err_info *info)
{
	struct certificate_info found;
	struct walk w = {.out = &found};
	if (certificate.len > DISCUSSION_CERTIFICATE_MAX)
		return err_set(info, ERR_TOO_LARGE, "a discussion certificate of more than %d bytes",
			       DISCUSSION_CERTIFICATE_MAX);
	enum err e = walk_certificate(certificate, &w, info);
	if (e)
		return e;
	// a revocation would have to be one signature too many, or leave user id or subkey without its own
	if (w.packets != 5 || w.user_ids != 1 || found.subkey_count != 1 || w.signatures != 2 || w.revoked)
		return err_set(info, ERR_BAD_INPUT, "discussion certificate: more than one user id and one subkey");
	if (found.primary.algorithm != KEY_EDDSA ||
	    !span_equal(w.oid_primary, span(oid_ed25519, sizeof oid_ed25519)))
		return err_set(info, ERR_BAD_INPUT, "discussion certificate: its primary key is not ed25519");
	if (found.subkeys[0].algorithm != KEY_ECDH || !span_equal(w.oid_subkey, span(oid_cv25519, sizeof oid_cv25519)))
		return err_set(info, ERR_BAD_INPUT, "discussion certificate: its subkey is not cv25519");
	*out = found;
	return OK;
}

// --- sealed messages ------------------------------------------------------------------------------------------------------

// version, an AES block and its two repeated bytes, the MDC packet: less cannot hold a message
#define SEIPD_MIN (1 + 18 + 22)

enum err recipients_check(const uint64_t *ids, size_t count, struct err_info *info)
{
	if (count == 0 || count > SEALED_RECIPIENTS_MAX)
		return err_set(info, ERR_BAD_PARAMS, "a message for %zu recipients", count);
	for (size_t i = 0; i < count; i++) {
		if (ids[i] == 0)
			return err_set(info, ERR_BAD_PARAMS, "recipient %zu has no key id", i + 1);
		for (size_t k = 0; k < i; k++)
			if (ids[k] == ids[i])
				return err_set(info, ERR_BAD_PARAMS, "recipients %zu and %zu have the same key id", k + 1, i + 1);
	}
	return OK;
}

static enum err check_pkesk(const struct packet *p, uint64_t id, size_t number, struct err_info *info)
{
	struct reader r = reader(p->body);
	uint32_t version = take_number(&r, 1);
	struct span found = take(&r, 8);
	uint32_t algorithm = take_number(&r, 1);
	if (p->partial || r.bad || version != 3)
		return err_set(info, ERR_BAD_INPUT, "message: session key %zu is not of version 3", number);
	uint64_t found_id = be64_get(found.data);
	if (found_id == 0)
		return err_set(info, ERR_BAD_INPUT, "message: recipient %zu is hidden", number);
	if (found_id != id)
		return err_set(info, ERR_BAD_INPUT, "message: recipient %zu is %016llX and not %016llX", number,
			       (unsigned long long)found_id, (unsigned long long)id);
	switch (algorithm) {
	case KEY_RSA:
		take_mpis(&r, 1);
		break;
	case KEY_ELGAMAL:
		take_mpis(&r, 2);
		break;
	case KEY_ECDH:
		take_mpis(&r, 1);
		take(&r, take_number(&r, 1));
		break;
	default:
		return err_set(info, ERR_BAD_INPUT, "message: session key %zu has the unknown algorithm %u", number, algorithm);
	}
	if (r.bad || left(&r))
		return err_set(info, ERR_BAD_INPUT, "message: session key %zu has inner lengths that do not fit", number);
	return OK;
}

enum err sealed_check(struct span message, const uint64_t *ids, size_t count, struct err_info *info)
{
	struct reader r = reader(message);
	struct packet p;
	enum err e = recipients_check(ids, count, info);
	if (e)
		return e;
	if (message.len > SEALED_MAX)
		return err_set(info, ERR_TOO_LARGE, "a message of more than %d bytes", SEALED_MAX);
	for (size_t i = 0; i < count; i++) {
		e = next_packet(&r, &p, info);
		if (e)
			return e;
		if (p.kind == KIND_SEIPD)
			return err_set(info, ERR_BAD_INPUT, "message: %zu recipients and not %zu", i, count);
		if (p.kind != KIND_PKESK)
			return refuse_kind(info, "message", &p);
		e = check_pkesk(&p, ids[i], i + 1, info);
		if (e)
			return e;
	}
	e = next_packet(&r, &p, info);
	if (e)
		return e;
	if (p.kind == KIND_PKESK)
		return err_set(info, ERR_BAD_INPUT, "message: more than %zu recipients", count);
	if (p.kind != KIND_SEIPD)
		return refuse_kind(info, "message", &p);
	if (p.len < SEIPD_MIN || p.body.data[0] != 1)
		return err_set(info, ERR_BAD_INPUT, "message: its encrypted data are not of version 1, or empty");
	if (left(&r))
		return err_set(info, ERR_BAD_INPUT, "message: something follows the encrypted data");
	return OK;
}

// --- text -----------------------------------------------------------------------------------------------------------------

void key_id_format(uint64_t id, char out[KEY_ID_TEXT])
{
	uint8_t raw[8];
	be64_put(raw, id);
	hex_encode_upper(span(raw, sizeof raw), out);
}

static bool upper_hex(const char *text, size_t len)
{
	return strlen(text) == len && strspn(text, "0123456789ABCDEF") == len;
}

enum err key_id_parse(const char *text, uint64_t *out)
{
	uint8_t raw[8];
	if (!upper_hex(text, KEY_ID_TEXT - 1))
		return ERR_BAD_INPUT;
	enum err e = hex_decode(text, raw, sizeof raw);
	if (e == OK)
		*out = be64_get(raw);
	return e;
}

bool fingerprint_valid(const char *text)
{
	return upper_hex(text, FINGERPRINT_TEXT - 1);
}
