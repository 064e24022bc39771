// SPDX-License-Identifier: GPL-3.0-or-later
// Frames of a TCP link (P0.4): 4-byte big-endian length of (kind + payload), 1-byte kind, payload.
// Pure: bytes in, frames out; the link layer ciphers, the callers read records.
#ifndef SOTTO_WIRE_FRAME_H
#define SOTTO_WIRE_FRAME_H

#include "base/buf.h"

enum frame_kind {
	FRAME_RECORD = 1,  // a JSON record; in clear only before the link has keys
	FRAME_CERTIFICATE, // a raw OpenPGP certificate
	FRAME_OPEN,        // M3, see open_frame_split
	FRAME_ANSWER,      // M4: an OpenPGP message
	FRAME_READY,       // M7: an OpenPGP message
	FRAME_CIPHER,      // what every frame is once the link has keys: ciphertext of an inner frame
	FRAME_SEALED,      // a sealed payload, see sealed.h
	FRAME_CHANGE,      // a record about who is a member (§5), on links between members only
	FRAME_KIND_END
};

#define FRAME_LENGTH_LEN 4
#define FRAME_HEADER_LEN 5 // length and kind

// Caps on kind + payload, and on inner kind + inner payload under the cipher.
#define FRAME_CAP_STRANGER (16 * 1024)  // before authentication
#define FRAME_CAP_MEMBER (1024 * 1024)  // after it
#define FRAME_CHANGE_MAX (256 * 1024)   // payload of a CHANGE, which is looked at before it is parsed
// What a CIPHER frame may be longer by: its own kind, the header that the first one in a direction
// carries, and the tag.
#define FRAME_CIPHER_START_LEN 24
#define FRAME_CIPHER_TAG_LEN 17
#define FRAME_CIPHER_OVERHEAD (1 + FRAME_CIPHER_START_LEN + FRAME_CIPHER_TAG_LEN)

struct frame {
	enum frame_kind kind;
	struct span payload; // borrowed; may be empty
};

// A whole frame as it goes out. ERR_TOO_LARGE over `cap` (one of FRAME_CAP_*; CIPHER gets its
// overhead on top).
MUST_CHECK enum err frame_encode(enum frame_kind kind, struct span payload, size_t cap,
				 struct bytes **out);
// Only the five bytes before a payload of that length, for who builds the payload in place.
// Caller has kept to the caps.
void frame_header_put(uint8_t out[FRAME_HEADER_LEN], enum frame_kind kind, size_t payload_len);

// Incremental decoder. It buffers at most one frame, and nothing of one that is over-long.
struct frame_decoder {
	size_t cap;
	enum err failed;
	bool done; // pending holds a frame that was handed out
	struct buf pending;
};
void frame_decoder_init(struct frame_decoder *d, size_t cap);
void frame_decoder_fini(struct frame_decoder *d);
// Applies from the next header on.
void frame_decoder_set_cap(struct frame_decoder *d, size_t cap);
// Takes bytes from the front of *input (moving it) up to the end of one frame. *got: a frame is
// complete; its payload is borrowed from the decoder or the input until the next call or until the
// input's memory goes. Not *got: the input is used up, more is needed. Call it until not *got; the
// cap may be changed between two frames. ERR_TOO_LARGE (over-long) and ERR_BAD_INPUT (empty, or an
// unknown kind) are final: every later call fails in the same way, and the link is to be closed.
MUST_CHECK enum err frame_decoder_take(struct frame_decoder *d, struct span *input,
				       struct frame *out, bool *got, struct err_info *info);
// Bytes held of a frame that is not complete.
size_t frame_decoder_pending(const struct frame_decoder *d);

// What a CIPHER frame opens to: [inner kind ‖ inner payload], borrowed from `plain`. ERR_BAD_INPUT:
// empty, an unknown kind, or CIPHER inside CIPHER; ERR_TOO_LARGE over the cap.
MUST_CHECK enum err frame_inner_decode(struct span plain, size_t cap, struct frame *out,
				       struct err_info *info);

#endif
