// SPDX-License-Identifier: GPL-3.0-or-later
// CPace, suite CPACE-RISTR255-SHA512 of draft-irtf-cfrg-cpace-21, initiator-responder order, with
// the draft's key confirmation (protocol §2) and the link keys made from it (P2.5).
//
// Both sides: cpace_init; cpace_start, and send own_share; cpace_finish on the other's share; then
// own_tag is what to send, cpace_check judges what came, and cpace_link_keys gives the link's keys.
#ifndef SOTTO_PAKE_CPACE_H
#define SOTTO_PAKE_CPACE_H

#include "base/hash.h"
#include "base/random.h"
#include "base/secret.h"

#define CPACE_SHARE_LEN 32
#define CPACE_TAG_LEN 64
#define CPACE_ISK_LEN 64
#define CPACE_LINK_KEY_LEN 32
#define CPACE_INPUT_MAX 8192 // bytes of each of PRS, CI, sid, AD

enum cpace_role { CPACE_INITIATOR, CPACE_RESPONDER };

// Embedded in its owner. Only own_share is for reading from outside, and own_tag after cpace_finish.
struct cpace {
	enum cpace_role role;
	bool finished;
	uint8_t own_share[CPACE_SHARE_LEN];
	uint8_t own_tag[CPACE_TAG_LEN];
	struct bytes *sid;
	struct secret *scalar;    // y
	struct secret *isk;       // after cpace_finish
	struct secret *other_tag; // after cpace_finish: the one to expect
};

void cpace_init(struct cpace *c, enum cpace_role role);
void cpace_fini(struct cpace *c); // wipes; twice is fine

// Samples y and computes own_share. `password` (PRS) is the prepared password, or empty (mode
// pinned). ERR_TOO_LARGE: an input over CPACE_INPUT_MAX. ERR_INTERNAL: a random source that gives
// nothing usable.
MUST_CHECK enum err cpace_start(struct cpace *c, const struct random *random, struct span password,
				struct span ci, struct span sid);
// After cpace_start, once. ERR_CRYPTO: the other's share is no point, gives the neutral element, or
// is our own (P2.3). Then too the state is complete, made from a random point, so that an owner who
// must not let this show (P2.3) goes on and fails where a wrong password fails: no tag will match.
MUST_CHECK enum err cpace_finish(struct cpace *c, const struct random *random,
				 const uint8_t other_share[CPACE_SHARE_LEN], struct span own_ad,
				 struct span other_ad);
// After cpace_finish: whether the other's tag is right, in constant time.
MUST_CHECK bool cpace_check(const struct cpace *c, const uint8_t tag[CPACE_TAG_LEN]);
// After cpace_finish. `transcript` is H(lv_cat(M1, M2, M3, M4)). The caller wipes tx (own frames)
// and rx (the other's).
void cpace_link_keys(const struct cpace *c, const struct hash *transcript,
		     uint8_t tx[CPACE_LINK_KEY_LEN], uint8_t rx[CPACE_LINK_KEY_LEN]);

// --- the steps, for the published vectors ---------------------------------------------------------

// Appends the generator string; `out` wipes (it holds the password).
MUST_CHECK enum err cpace_generator_string(struct buf *out, struct span password, struct span ci,
					   struct span sid);
// g of that string.
MUST_CHECK enum err cpace_generator(uint8_t g[32], struct span password, struct span ci,
				    struct span sid);
// K = scalar · share. ERR_CRYPTO: no point, or the neutral element.
MUST_CHECK enum err cpace_multiply(uint8_t out[32], const uint8_t scalar[32],
				   const uint8_t share[CPACE_SHARE_LEN]);
// Order is initiator, responder. ERR_TOO_LARGE as above.
struct cpace_public {
	struct span share, ad;
};
MUST_CHECK enum err cpace_isk(uint8_t out[CPACE_ISK_LEN], struct span sid, const uint8_t k[32],
			      struct cpace_public initiator, struct cpace_public responder);
void cpace_mac_key(uint8_t out[64], struct span sid, const uint8_t isk[CPACE_ISK_LEN]);
MUST_CHECK enum err cpace_tag(uint8_t out[CPACE_TAG_LEN], const uint8_t mac_key[64],
			      struct cpace_public whose);

#endif
