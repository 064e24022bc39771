// SPDX-License-Identifier: GPL-3.0-or-later
// Reading packets: what packets.c and certificate.c have in common. Internal.
#ifndef SOTTO_OPENPGP_PACKET_READER_H
#define SOTTO_OPENPGP_PACKET_READER_H

#include "openpgp/packets.h"

enum packet_kind {
	PACKET_PKESK = 1,
	PACKET_SIGNATURE = 2,
	PACKET_ONE_PASS = 4,
	PACKET_PRIMARY = 6,
	PACKET_LITERAL = 11,
	PACKET_USER_ID = 13,
	PACKET_SUBKEY = 14,
	PACKET_SEIPD = 18,
	PACKET_MDC = 19,
};

// A cursor over borrowed bytes. A read past the end sets `bad` and yields zeroes, so that a run of reads is checked once.
struct octets {
	const uint8_t *at, *end;
	bool bad;
};

struct packet {
	unsigned kind;
	struct span body; // of a partial packet only the first part
	struct span rest; // of a partial packet the other parts, each with its length before it
	size_t len;       // of the whole body
	bool partial;
};

struct signature {
	unsigned type;
	bool encrypts; // the hashed key flags say so
};

struct octets octets_of(struct span s);
size_t octets_left(const struct octets *r);
struct span octets_take(struct octets *r, size_t len);
uint32_t octets_number(struct octets *r, size_t bytes); // big-endian, at most 4
void octets_mpis(struct octets *r, size_t count);

MUST_CHECK enum err packet_next(struct octets *r, struct packet *p, struct err_info *info);
// The whole body of a packet that packet_next has read, its parts joined.
MUST_CHECK enum err packet_append_body(const struct packet *p, struct buf *out);
// ERR_BAD_INPUT with a text that names the kind.
enum err packet_refuse(struct err_info *info, const char *where, const struct packet *p);
// The body of a v4 signature packet.
MUST_CHECK enum err signature_read(struct span body, struct signature *out, struct err_info *info);

// Before any use of libgcrypt: it complains to syslog where nobody has said that it is ready.
void gcrypt_ready(void);

#endif
