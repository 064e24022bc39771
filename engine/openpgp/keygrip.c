// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/keygrip.h"

#include <gcrypt.h>

#include "base/encode.h"
#include "openpgp/packet_reader.h"

#define GRIP_LEN ((KEYGRIP_TEXT - 1) / 2)
#define HEADER_LEN (1 + 4 + 1) // version, time, algorithm

// The point of an elliptic key. The walk has been here before, so nothing is missing.
static struct span point_of(struct span body)
{
	struct octets r = octets_of(body);
	octets_take(&r, HEADER_LEN);
	octets_take(&r, octets_number(&r, 1)); // the curve
	uint32_t bits = octets_number(&r, 2);
	return octets_take(&r, (bits + 7) / 8);
}

// `form` is how gpg describes such a key to libgcrypt, or the grip would be another.
static enum err grip_of(const char *form, struct span point, char out[KEYGRIP_TEXT], struct err_info *info)
{
	unsigned char grip[GRIP_LEN];
	gcry_sexp_t key = NULL;
	gcrypt_ready();
	if (gcry_sexp_build(&key, NULL, form, (int)point.len, point.data))
		return err_set(info, ERR_INTERNAL, "libgcrypt does not take a key");
	bool known = gcry_pk_get_keygrip(key, grip) != NULL;
	gcry_sexp_release(key);
	if (!known)
		return err_set(info, ERR_BAD_INPUT, "certificate: not a key of its kind");
	hex_encode_upper(span(grip, sizeof grip), out);
	return OK;
}

enum err discussion_certificate_grips(struct span certificate, struct keygrips *out, struct err_info *info)
{
	struct certificate_info found;
	struct octets r = octets_of(certificate);
	struct keygrips grips = {0};
	enum err e = discussion_certificate_check(certificate, &found, info);
	while (e == OK && octets_left(&r)) {
		struct packet p;
		e = packet_next(&r, &p, info);
		if (e == OK && p.kind == PACKET_PRIMARY)
			e = grip_of("(public-key(ecc(curve Ed25519)(flags eddsa)(q %b)))", point_of(p.body), grips.primary, info);
		else if (e == OK && p.kind == PACKET_SUBKEY)
			e = grip_of("(public-key(ecc(curve Curve25519)(flags djb-tweak)(q %b)))", point_of(p.body), grips.subkey,
				    info);
	}
	if (e == OK)
		*out = grips;
	return e;
}
