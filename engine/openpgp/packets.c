// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/packets.h"

#include <string.h>

#include "base/encode.h"
#include "openpgp/packet_reader.h"

// --- detached signatures --------------------------------------------------------------------------------------------------

enum err signature_check(struct span signature, struct err_info *info)
{
	struct octets r = octets_of(signature);
	struct packet p;
	struct signature s;
	if (signature.len > SIGNATURE_MAX)
		return err_set(info, ERR_TOO_LARGE, "a signature of more than %d bytes", SIGNATURE_MAX);
	enum err e = packet_next(&r, &p, info);
	if (e)
		return e;
	if (p.kind != PACKET_SIGNATURE || p.partial)
		return packet_refuse(info, "signature", &p);
	if (octets_left(&r))
		return err_set(info, ERR_BAD_INPUT, "signature: something follows it");
	e = signature_read(p.body, &s, info);
	if (e)
		return e;
	if (s.type != 0)
		return err_set(info, ERR_BAD_INPUT, "signature: its type is 0x%02x, not 0x00 (binary)", s.type);
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
	struct octets r = octets_of(p->body);
	uint32_t version = octets_number(&r, 1);
	struct span found = octets_take(&r, 8);
	uint32_t algorithm = octets_number(&r, 1);
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
		octets_mpis(&r, 1);
		break;
	case KEY_ELGAMAL:
		octets_mpis(&r, 2);
		break;
	case KEY_ECDH:
		octets_mpis(&r, 1);
		octets_take(&r, octets_number(&r, 1));
		break;
	default:
		return err_set(info, ERR_BAD_INPUT, "message: session key %zu has the unknown algorithm %u", number, algorithm);
	}
	if (r.bad || octets_left(&r))
		return err_set(info, ERR_BAD_INPUT, "message: session key %zu has inner lengths that do not fit", number);
	return OK;
}

enum err sealed_recipients(struct span message, uint64_t *ids, size_t max, size_t *count, struct err_info *info)
{
	struct octets r = octets_of(message);
	size_t found = 0;
	while (octets_left(&r)) {
		struct packet p;
		enum err e = packet_next(&r, &p, info);
		if (e)
			return e;
		if (p.kind != PACKET_PKESK)
			break;
		if (found == max)
			return err_set(info, ERR_TOO_LARGE, "message: more than %zu recipients", max);
		struct octets body = octets_of(p.body);
		octets_take(&body, 1);
		struct span id = octets_take(&body, 8);
		if (body.bad)
			return err_set(info, ERR_BAD_INPUT, "message: session key %zu names nobody", found + 1);
		ids[found++] = be64_get(id.data);
	}
	*count = found;
	return OK;
}

enum err sealed_check(struct span message, const uint64_t *ids, size_t count, struct err_info *info)
{
	struct octets r = octets_of(message);
	struct packet p;
	enum err e = recipients_check(ids, count, info);
	if (e)
		return e;
	if (message.len > SEALED_MAX)
		return err_set(info, ERR_TOO_LARGE, "a message of more than %d bytes", SEALED_MAX);
	for (size_t i = 0; i < count; i++) {
		e = packet_next(&r, &p, info);
		if (e)
			return e;
		if (p.kind == PACKET_SEIPD)
			return err_set(info, ERR_BAD_INPUT, "message: %zu recipients and not %zu", i, count);
		if (p.kind != PACKET_PKESK)
			return packet_refuse(info, "message", &p);
		e = check_pkesk(&p, ids[i], i + 1, info);
		if (e)
			return e;
	}
	e = packet_next(&r, &p, info);
	if (e)
		return e;
	if (p.kind == PACKET_PKESK)
		return err_set(info, ERR_BAD_INPUT, "message: more than %zu recipients", count);
	if (p.kind != PACKET_SEIPD)
		return packet_refuse(info, "message", &p);
	if (p.len < SEIPD_MIN || p.body.data[0] != 1)
		return err_set(info, ERR_BAD_INPUT, "message: its encrypted data are not of version 1, or empty");
	if (octets_left(&r))
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
