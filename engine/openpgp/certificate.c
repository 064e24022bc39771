// SPDX-License-Identifier: GPL-3.0-or-later
// The two checks of certificates in packets.h.
#include <gcrypt.h>
#include <string.h>

#include "base/encode.h"
#include "openpgp/packet_reader.h"

// --- keys -----------------------------------------------------------------------------------------------------------------

static const uint8_t oid_ed25519[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01};
static const uint8_t oid_cv25519[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x97, 0x55, 0x01, 0x05, 0x01};

static void fingerprint_of(struct span body, struct key_info *out)
{
	uint8_t input[3 + CERTIFICATE_MAX], digest[20];
	gcrypt_ready();
	input[0] = 0x99;
	input[1] = (uint8_t)(body.len >> 8);
	input[2] = (uint8_t)body.len;
	memcpy(input + 3, body.data, body.len);
	gcry_md_hash_buffer(GCRY_MD_SHA1, digest, input, 3 + body.len);
	hex_encode_upper(span(digest, sizeof digest), out->fingerprint);
	out->id = be64_get(digest + 12);
}

// The public parameters of one key; `oid` is empty where the algorithm has no curve.
static bool take_key_material(struct octets *r, unsigned algorithm, struct span *oid)
{
	*oid = span(NULL, 0);
	switch (algorithm) {
	case KEY_RSA:
		octets_mpis(r, 2);
		return true;
	case KEY_ELGAMAL:
		octets_mpis(r, 3);
		return true;
	case KEY_DSA:
		octets_mpis(r, 4);
		return true;
	case KEY_ECDH:
	case KEY_ECDSA:
	case KEY_EDDSA:
		*oid = octets_take(r, octets_number(r, 1));
		octets_mpis(r, 1);
		if (algorithm == KEY_ECDH && octets_take(r, octets_number(r, 1)).len != 3)
			r->bad = true;
		return true;
	default:
		return false;
	}
}

static enum err read_key(struct span body, struct key_info *out, struct span *oid, struct err_info *info)
{
	struct octets r = octets_of(body);
	*out = (struct key_info){0};
	if (octets_number(&r, 1) != 4)
		return err_set(info, ERR_BAD_INPUT, "certificate: a key is not of version 4");
	out->created = octets_number(&r, 4);
	out->algorithm = (uint8_t)octets_number(&r, 1);
	if (!r.bad && !take_key_material(&r, out->algorithm, oid))
		return err_set(info, ERR_BAD_INPUT, "certificate: a key of the unknown algorithm %u", out->algorithm);
	if (r.bad || octets_left(&r))
		return err_set(info, ERR_BAD_INPUT, "certificate: a key's inner lengths do not fit");
	fingerprint_of(body, out);
	out->encrypts = out->algorithm == KEY_ECDH || out->algorithm == KEY_ELGAMAL;
	return OK;
}

// --- certificates ---------------------------------------------------------------------------------------------------------

// What the walk has seen; the last key or user id owns the signatures that follow it.
struct walk {
	struct certificate_info *out;
	unsigned owner; // enum packet_kind of the last key or user id
	size_t packets, user_ids, signatures;
	bool unsigned_owner; // it has no signature yet
	bool revoked;        // the last subkey
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
	if (p->kind == PACKET_PRIMARY)
		return read_key(p->body, &out->primary, &w->oid_primary, info);
	w->unsigned_owner = true;
	w->revoked = false;
	return read_key(p->body, &out->subkeys[out->subkey_count++], &w->oid_subkey, info);
}

static enum err walk_user_id(struct walk *w, const struct packet *p, struct err_info *info)
{
	struct certificate_info *out = w->out;
	if (w->owner == PACKET_SUBKEY)
		return err_set(info, ERR_BAD_INPUT, "certificate: a user id in the wrong place");
	if (w->user_ids++ == 0) {
		out->user_id_len = p->body.len < USER_ID_MAX ? p->body.len : USER_ID_MAX;
		if (out->user_id_len)
			memcpy(out->user_id, p->body.data, out->user_id_len);
	}
	w->unsigned_owner = true;
	return OK;
}

static bool type_fits(unsigned type, unsigned owner)
{
	switch (owner) {
	case PACKET_PRIMARY:
		return type == 0x1f || type == 0x20;
	case PACKET_USER_ID:
		return (type >= 0x10 && type <= 0x13) || type == 0x30;
	case PACKET_SUBKEY:
		return type == 0x18 || type == 0x28;
	default:
		return false;
	}
}

static enum err walk_signature(struct walk *w, const struct packet *p, struct err_info *info)
{
	struct signature s;
	enum err e = signature_read(p->body, &s, info);
	if (e)
		return e;
	if (!type_fits(s.type, w->owner))
		return err_set(info, ERR_BAD_INPUT, "certificate: a signature of type 0x%02x in the wrong place", s.type);
	w->signatures++;
	w->unsigned_owner = false;
	if (w->owner == PACKET_SUBKEY) {
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
	if (p->kind != PACKET_PRIMARY && p->kind != PACKET_SUBKEY && p->kind != PACKET_USER_ID &&
	    p->kind != PACKET_SIGNATURE)
		return packet_refuse(info, "certificate", p);
	if ((w->packets == 1) != (p->kind == PACKET_PRIMARY))
		return err_set(info, ERR_BAD_INPUT, w->packets == 1 ? "certificate: it does not begin with a primary key"
								    : "certificate: a second primary key");
	if (p->kind == PACKET_SIGNATURE)
		return walk_signature(w, p, info);
	e = end_of_owner(w, info);
	if (e == OK)
		e = p->kind == PACKET_USER_ID ? walk_user_id(w, p, info) : walk_key(w, p, info);
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
	struct octets r = octets_of(certificate);
	*w->out = (struct certificate_info){0};
	if (certificate.len > CERTIFICATE_MAX)
		return err_set(info, ERR_TOO_LARGE, "a certificate of more than %d bytes", CERTIFICATE_MAX);
	do {
		struct packet p;
		enum err e = packet_next(&r, &p, info);
		if (e == OK)
			e = walk_packet(w, &p, info);
		if (e)
			return e;
	} while (octets_left(&r));
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

// --- what travels ---------------------------------------------------------------------------------------------------------

enum err certificate_cut(struct span certificate, const char *subkey, struct buf *out, struct err_info *info)
{
	struct certificate_info found;
	struct octets r = octets_of(certificate);
	size_t at = 0, user_ids = 0, subkeys = 0;
	bool wanted = true;
	enum err e = certificate_check(certificate, &found, info);
	while (e == OK && at < found.subkey_count && strcmp(found.subkeys[at].fingerprint, subkey) != 0)
		at++;
	if (e == OK && at == found.subkey_count)
		e = err_set(info, ERR_NOT_FOUND, "certificate: no subkey %s", subkey);
	while (e == OK && octets_left(&r)) {
		struct packet p;
		const uint8_t *begin = r.at;
		e = packet_next(&r, &p, info);
		// signatures go where what they belong to goes
		if (p.kind == PACKET_USER_ID)
			wanted = user_ids++ == 0;
		else if (p.kind == PACKET_SUBKEY)
			wanted = subkeys++ == at;
		if (e == OK && wanted)
			e = buf_append(out, begin, (size_t)(r.at - begin));
	}
	return e;
}
