// SPDX-License-Identifier: GPL-3.0-or-later
// Two machines and what lies between them, for the targets of engine/discussion: a gpg that binds what the real one binds,
// and a wire on which an input may change, drop, add and forge frames.
#ifndef SOTTO_SPEC_FUZZ_FAKES_H
#define SOTTO_SPEC_FUZZ_FAKES_H

#include "base/hash.h"
#include "spec/fuzz/fuzz.h"

// --- gpg: what it makes carries all that it is for, and a keyed hash over it ----------------------------------------------------

struct bytes *fake_sign(const char *signer, struct span body);
bool fake_verify(struct span signature, const char *signer, struct span body);
struct bytes *fake_seal(const char *signer, struct span recipients, struct span plaintext);
// Of one that was sealed by `signer` to exactly those. *plaintext points into the message.
bool fake_open(struct span message, const char *signer, struct span recipients, struct span *plaintext);
// 40 upper-case hex digits of a name
void fake_fingerprint(const char *name, char out[41]);

// --- the wire -------------------------------------------------------------------------------------------------------------

#define WIRE_FRAMES_MAX 64

struct wire_frame {
	bool end; // the link's, no frame
	uint8_t kind;
	bool encrypted;
	uint8_t key[32]; // it is under, where encrypted
	unsigned number; // its place under that key
	struct bytes *sent; // as it went out; NULL where it was added on the way
	struct bytes *payload;
};

struct wire_queue {
	size_t count;
	struct wire_frame frames[WIRE_FRAMES_MAX];
};

// What one side's link knows.
struct wire_side {
	bool keyed, deaf, closed;
	uint8_t tx[32], rx[32];
	unsigned sent, received;
};

struct wire {
	struct wire_queue to[2]; // waits for side 0, for side 1
	struct wire_side sides[2];
	bool meddled; // in clear: a frame that was changed or added has come, or one was dropped
	bool forged;  // under keys, as only the other side itself could
};

enum wire_event { WIRE_NOTHING, WIRE_FRAME, WIRE_UNREADABLE, WIRE_ENDED };

void wire_fini(struct wire *w);
void wire_send(struct wire *w, unsigned side, uint8_t kind, bool encrypted, struct bytes *payload);
void wire_set_keys(struct wire *w, unsigned side, const uint8_t tx[32], const uint8_t rx[32]);
void wire_close(struct wire *w, unsigned side); // what was sent still arrives
void wire_lose(struct wire *w);                 // it does not
bool wire_waits(const struct wire *w, unsigned side);
// Takes what waits for that side; *out is the caller's (frame_release).
enum wire_event wire_receive(struct wire *w, unsigned side, struct wire_frame *out);
void frame_release(struct wire_frame *f);

// What an input does to the first frame that waits for the side, or puts before it.
void wire_change(struct wire *w, unsigned side, size_t at, uint8_t bits);
void wire_drop(struct wire *w, unsigned side);
void wire_add(struct wire *w, unsigned side, uint8_t kind, struct span payload);
// A frame that the side takes for the other's next one, in clear or under the keys.
void wire_forge(struct wire *w, unsigned side, uint8_t kind, struct span payload);

#endif
