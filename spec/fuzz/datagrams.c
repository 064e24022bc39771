// SPDX-License-Identifier: GPL-3.0-or-later
// wire/presence: datagrams. No mutation hits upon a signature or a hash, so those are put right here: what lies behind them
// is reached too.
#include <sodium.h>

#include "spec/fuzz/fuzz.h"
#include "wire/presence.h"

static void check_again(const struct presence_datagram *d, struct span datagram)
{
	struct buf out;
	// it proves nothing, and is left out
	if (d->certificate.len && !d->certification.len)
		return;
	buf_init(&out, 4 * PRESENCE_DATAGRAM_MAX);
	// an answer's padding is not kept
	CHECK(presence_datagram_encode(d, &out) == OK);
	CHECK(out.len <= PRESENCE_DATAGRAM_MAX && out.len <= datagram.len);
	CHECK(memcmp(out.data, datagram.data, out.len) == 0);
	for (size_t i = out.len; i < datagram.len; i++)
		CHECK(datagram.data[i] == 0);
	buf_fini(&out);
}

// The record's key and hash become ours.
static struct bytes *put_right(struct presence_record *p, const struct presence_datagram *d,
			       const uint8_t secret[PRESENCE_SECRET_KEY_LEN])
{
	struct presence_datagram signed_one = *d;
	struct buf record, out;
	struct bytes *made = NULL;
	buf_init(&record, PRESENCE_RECORD_MAX);
	buf_init(&out, PRESENCE_DATAGRAM_MAX);
	if (d->certificate.len)
		p->general = hash_of(d->certificate);
	if (presence_record_encode(p, &record, NULL) == OK) {
		signed_one.record = buf_span(&record);
		presence_sign(signed_one.record, secret, signed_one.signature);
		if (presence_datagram_encode(&signed_one, &out) == OK)
			made = buf_take(&out);
	}
	buf_fini(&record);
	buf_fini(&out);
	return made;
}

static void check_open(const struct presence_datagram *d)
{
	static uint8_t public[PRESENCE_KEY_LEN], secret[PRESENCE_SECRET_KEY_LEN];
	static const uint8_t seed[crypto_sign_SEEDBYTES] = "the fuzzer's presence key";
	struct presence_record p, opened;
	struct presence_datagram whole;
	if (presence_record_decode(&p, d->record, NULL) != OK)
		return;
	crypto_sign_seed_keypair(public, secret, seed);
	memcpy(p.key, public, sizeof p.key);
	struct bytes *datagram = put_right(&p, d, secret);
	if (!datagram)
		return;
	CHECK(presence_datagram_open(bytes_span(datagram), &whole, &opened, NULL) == OK);
	CHECK(strcmp(opened.fingerprint, p.fingerprint) == 0 && opened.sequence == p.sequence &&
	      opened.endpoint_count == p.endpoint_count);
	// one bit of the record, and it is nobody's
	struct bytes *forged = bytes_new_span(bytes_span(datagram));
	size_t at = (size_t)(whole.record.data - datagram->data) + opened.sequence % whole.record.len;
	forged->data[at] ^= 1;
	CHECK(presence_datagram_open(bytes_span(forged), &whole, &opened, NULL) != OK);
	bytes_unref(forged);
	bytes_unref(datagram);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct presence_datagram d;
	struct presence_record p;
	struct span datagram = span(data, size);
	enum err opened = presence_datagram_open(datagram, &d, &p, NULL);
	if (presence_datagram_decode(&d, datagram, NULL) != OK) {
		CHECK(opened != OK);
		return 0;
	}
	check_again(&d, datagram);
	check_open(&d);
	return 0;
}
