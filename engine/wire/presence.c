// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/presence.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/encode.h"
#include "wire/signed.h"

static const char magic[4] = "SOT1";
#define LENGTHS_LEN 6 // u16 each of record, certification, certificate
#define HEAD_LEN (sizeof magic + 1 + PRESENCE_SIGNATURE_LEN + LENGTHS_LEN)

// --- the record ----------------------------------------------------------------------------------

static const char *lifetime_problem(const struct presence_record *p)
{
	if (p->expires_ms <= p->issued_ms)
		return "must be after issued";
	if (p->expires_ms - p->issued_ms > PRESENCE_LIFETIME_MAX_MS)
		return "must be at most two hours after issued";
	return NULL;
}

static void put_endpoints(struct record_writer *w, const struct presence_record *p)
{
	if (p->endpoint_count > PRESENCE_ENDPOINTS_MAX) {
		record_refuse(w, "endpoints", "must be 0 to 4 elements");
		return;
	}
	record_open_array(w, "endpoints");
	for (size_t i = 0; i < p->endpoint_count; i++)
		record_put_string(w, NULL, span_string(p->endpoints[i]), 1, PRESENCE_ENDPOINT_SIZE - 1);
	record_close_array(w);
}

enum err presence_record_encode(const struct presence_record *p, struct buf *out,
				struct err_info *info)
{
	struct record_writer w;
	size_t start = out->len;
	const char *lifetime = lifetime_problem(p);
	record_begin(&w, out, "presence");
	if (lifetime)
		record_refuse(&w, "expires", lifetime);
	record_put_fingerprint(&w, "fingerprint", p->fingerprint);
	record_put_binary(&w, "key", span(p->key, PRESENCE_KEY_LEN), PRESENCE_KEY_LEN,
			  PRESENCE_KEY_LEN);
	record_put_integer(&w, "sequence", (int64_t)p->sequence, 1, RECORD_SEQUENCE_MAX);
	record_put_integer(&w, "issued", p->issued_ms, 0, JSON_INTEGER_MAX);
	record_put_integer(&w, "expires", p->expires_ms, 0, JSON_INTEGER_MAX);
	record_put_integer(&w, "since", p->since_ms, 0, JSON_INTEGER_MAX);
	record_put_string(&w, "name", span_string(p->name), 0, PRESENCE_NAME_SIZE - 1);
	put_endpoints(&w, p);
	record_put_boolean(&w, "listed", p->listed);
	record_put_hash(&w, "general", &p->general);
	enum err e = record_end(&w, info);
	if (e == OK && out->len - start > PRESENCE_RECORD_MAX) {
		out->len = start;
		e = err_set(info, ERR_TOO_LARGE, "the record is larger than %d bytes",
			    PRESENCE_RECORD_MAX);
	}
	return e;
}

enum err presence_record_decode(struct presence_record *p, struct span text, struct err_info *info)
{
	struct record r;
	*p = (struct presence_record){0};
	if (text.len > PRESENCE_RECORD_MAX)
		return err_set(info, ERR_TOO_LARGE, "a record of %zu bytes", text.len);
	record_open(&r, text, "presence");
	struct record_value root = record_root(&r);
	record_get_fingerprint(record_field(root, "fingerprint"), p->fingerprint);
	record_get_binary_exact(record_field(root, "key"), p->key, PRESENCE_KEY_LEN);
	record_get_unsigned(record_field(root, "sequence"), 1, RECORD_SEQUENCE_MAX, &p->sequence);
	record_get_time(record_field(root, "issued"), &p->issued_ms);
	record_get_time(record_field(root, "expires"), &p->expires_ms);
	record_get_time(record_field(root, "since"), &p->since_ms);
	record_get_string(record_field(root, "name"), 0, PRESENCE_NAME_SIZE - 1, p->name);
	struct record_value endpoints = record_field(root, "endpoints");
	p->endpoint_count = record_array(endpoints, 0, PRESENCE_ENDPOINTS_MAX);
	for (size_t i = 0; i < p->endpoint_count; i++)
		record_get_string(record_item(endpoints, i), 1, PRESENCE_ENDPOINT_SIZE - 1,
				  p->endpoints[i]);
	record_get_boolean(record_field(root, "listed"), &p->listed);
	record_get_hash(record_field(root, "general"), &p->general);
	if (!record_failed(&r) && lifetime_problem(p))
		record_fail(&r, "expires", lifetime_problem(p));
	enum err e = record_close(&r, info);
	if (e)
		*p = (struct presence_record){0};
	return e;
}

// --- signatures ----------------------------------------------------------------------------------

static void signature_input(struct buf *input, struct span record)
{
	buf_init(input, record.len + 64);
	enum err e = signed_input(input, "presence", record);
	assert(e == OK);
	(void)e;
}

void presence_sign(struct span record, const uint8_t secret_key[PRESENCE_SECRET_KEY_LEN],
		   uint8_t signature[PRESENCE_SIGNATURE_LEN])
{
	struct buf input;
	signature_input(&input, record);
	crypto_sign_detached(signature, NULL, input.data, input.len, secret_key);
	buf_fini(&input);
}

enum err presence_verify(struct span record, const uint8_t signature[PRESENCE_SIGNATURE_LEN],
			 const uint8_t key[PRESENCE_KEY_LEN])
{
	struct buf input;
	signature_input(&input, record);
	int bad = crypto_sign_verify_detached(signature, input.data, input.len, key);
	buf_fini(&input);
	return bad ? ERR_CRYPTO : OK;
}

enum err presence_certification_input(struct buf *out, const char *fingerprint,
				      const uint8_t key[PRESENCE_KEY_LEN], int64_t since_ms)
{
	uint8_t since[8];
	struct buf body;
	be64_put(since, (uint64_t)since_ms);
	buf_init(&body, 256);
	enum err e = LV_CAT(&body, span_string(fingerprint), span(key, PRESENCE_KEY_LEN),
			    span(since, sizeof since));
	if (!e)
		e = signed_input(out, "presence-key", buf_span(&body));
	buf_fini(&body);
	return e;
}

// --- datagrams -----------------------------------------------------------------------------------

static void put_length(struct buf *out, struct span part)
{
	buf_put(out, (const uint8_t[]){(uint8_t)(part.len >> 8), (uint8_t)part.len}, 2);
}

enum err presence_datagram_encode(const struct presence_datagram *d, struct buf *out)
{
	static const uint8_t zeros[PRESENCE_DATAGRAM_MAX];
	size_t room = PRESENCE_DATAGRAM_MAX - HEAD_LEN, start = out->len;
	struct span parts[] = {d->record, d->certification, d->certificate};
	if (d->record.len > room || out->max - out->len < PRESENCE_DATAGRAM_MAX)
		return ERR_TOO_LARGE;
	room -= d->record.len;
	if (parts[1].len > room)
		parts[1] = span(NULL, 0);
	room -= parts[1].len;
	// without the certification a certificate proves nothing
	if (parts[2].len > room || parts[1].len == 0)
		parts[2] = span(NULL, 0);
	buf_put(out, magic, sizeof magic);
	buf_put(out, (const uint8_t[]){(uint8_t)d->kind}, 1);
	buf_put(out, d->signature, sizeof d->signature);
	for (size_t i = 0; i < 3; i++)
		put_length(out, parts[i]);
	for (size_t i = 0; i < 3; i++)
		buf_put(out, parts[i].data, parts[i].len);
	if (d->kind == PRESENCE_QUERY)
		buf_put(out, zeros, PRESENCE_DATAGRAM_MAX - (out->len - start));
	return OK;
}

static struct span take_part(struct span *rest, const uint8_t length[2], bool *fits)
{
	size_t len = (size_t)length[0] << 8 | length[1];
	if (len > rest->len) {
		*fits = false;
		return span(NULL, 0);
	}
	struct span part = span(rest->data, len);
	*rest = span(rest->data + len, rest->len - len);
	return part;
}

enum err presence_datagram_decode(struct presence_datagram *d, struct span datagram,
				  struct err_info *info)
{
	*d = (struct presence_datagram){0};
	if (datagram.len < HEAD_LEN || memcmp(datagram.data, magic, sizeof magic) != 0)
		return err_set(info, ERR_BAD_INPUT, "not a presence datagram");
	if (datagram.len > PRESENCE_DATAGRAM_MAX)
		return err_set(info, ERR_TOO_LARGE, "a datagram of %zu bytes", datagram.len);
	unsigned kind = datagram.data[sizeof magic];
	if (kind < PRESENCE_QUERY || kind > PRESENCE_ANNOUNCEMENT)
		return err_set(info, ERR_BAD_INPUT, "a datagram of the unknown kind %u", kind);
	if (kind == PRESENCE_QUERY && datagram.len != PRESENCE_DATAGRAM_MAX)
		return err_set(info, ERR_BAD_INPUT, "a query that is not padded");
	const uint8_t *signature = datagram.data + sizeof magic + 1;
	const uint8_t *lengths = signature + PRESENCE_SIGNATURE_LEN;
	struct span rest = span(datagram.data + HEAD_LEN, datagram.len - HEAD_LEN);
	bool fits = true;
	struct presence_datagram found = {.kind = kind};
	memcpy(found.signature, signature, sizeof found.signature);
	found.record = take_part(&rest, lengths, &fits);
	found.certification = take_part(&rest, lengths + 2, &fits);
	found.certificate = take_part(&rest, lengths + 4, &fits);
	if (!fits || found.record.len == 0)
		return err_set(info, ERR_BAD_INPUT, "parts that do not fit the datagram");
	if (!sodium_is_zero(rest.data, rest.len))
		return err_set(info, ERR_BAD_INPUT, "padding that is not zero");
	*d = found;
	return OK;
}

// The record, if its signature by the key it names holds.
static enum err open_record_bytes(struct span record,
				  const uint8_t signature[PRESENCE_SIGNATURE_LEN],
				  struct presence_record *p, struct err_info *info)
{
	enum err e = presence_record_decode(p, record, info);
	if (e)
		return e;
	if (presence_verify(record, signature, p->key) == OK)
		return OK;
	*p = (struct presence_record){0};
	return err_set(info, ERR_CRYPTO, "the presence signature does not hold");
}

enum err presence_datagram_open(struct span datagram, struct presence_datagram *d,
				struct presence_record *p, struct err_info *info)
{
	enum err e = presence_datagram_decode(d, datagram, info);
	if (!e)
		e = open_record_bytes(d->record, d->signature, p, info);
	if (!e && d->certificate.len) {
		struct hash h = hash_of(d->certificate);
		if (!hash_equal(&h, &p->general))
			e = err_set(info, ERR_BAD_INPUT, "a certificate that is not the one named");
	}
	if (e) {
		*d = (struct presence_datagram){0};
		*p = (struct presence_record){0};
	}
	return e;
}

// --- inside other records ------------------------------------------------------------------------

void presence_parts_fini(struct presence_parts *p)
{
	bytes_unref(p->record);
	bytes_unref(p->certification);
	*p = (struct presence_parts){0};
}

void presence_parts_get(struct record_value v, struct presence_parts *out)
{
	record_get_binary(record_field(v, "record"), 1, PRESENCE_RECORD_MAX, &out->record);
	record_get_binary(record_field(v, "certification"), 1, RECORD_SIGNATURE_MAX,
			  &out->certification);
	record_get_binary_exact(record_field(v, "signature"), out->signature,
				PRESENCE_SIGNATURE_LEN);
}

void presence_parts_put(struct record_writer *w, const char *name, const struct presence_parts *p)
{
	record_open_object(w, name);
	record_put_binary(w, "record", bytes_span(p->record), 1, PRESENCE_RECORD_MAX);
	record_put_binary(w, "certification", bytes_span(p->certification), 1,
			  RECORD_SIGNATURE_MAX);
	record_put_binary(w, "signature", span(p->signature, sizeof p->signature),
			  PRESENCE_SIGNATURE_LEN, PRESENCE_SIGNATURE_LEN);
	record_close_object(w);
}

enum err introduction_encode(const struct presence_parts *p, struct buf *out, struct err_info *info)
{
	struct record_writer w;
	record_begin(&w, out, "introduction");
	presence_parts_put(&w, "presence", p);
	return record_end(&w, info);
}

enum err introduction_decode(struct presence_parts *p, struct span text, struct err_info *info)
{
	struct record r;
	*p = (struct presence_parts){0};
	record_open(&r, text, "introduction");
	presence_parts_get(record_field(record_root(&r), "presence"), p);
	enum err e = record_close(&r, info);
	if (e)
		presence_parts_fini(p);
	return e;
}

enum err presence_parts_open(const struct presence_parts *parts, struct presence_record *p,
			     struct err_info *info)
{
	return open_record_bytes(bytes_span(parts->record), parts->signature, p, info);
}
