// SPDX-License-Identifier: GPL-3.0-or-later
// Epochs of a discussion: the roster's exact bytes, and what is known of each member in it.
#ifndef SOTTO_STORE_EPOCHS_H
#define SOTTO_STORE_EPOCHS_H

#include "store/store.h"

#define STORE_MEMBERS_MAX 64

struct store_epoch {
	uint32_t epoch;
	struct bytes *roster;    // R_e, exact bytes
	struct hash roster_hash; // H_e
	struct hash head;        // of the chain
	// Once it has ended: sequence (8 bytes, big-endian) ‖ hash for each member in roster order (§5, 5); NULL before
	struct bytes *cut;
};
void store_epoch_fini(struct store_epoch *e);
typedef bool store_epoch_visit(void *arg, const struct store_epoch *epoch);

// Inserts it; ERR_WRONG_STATE where that epoch is there already: a roster is never replaced.
MUST_CHECK enum err store_epoch_create(struct store *s, const char *discussion,
				       const struct store_epoch *epoch, struct err_info *info);
// It has ended: payloads beyond the cut are void. ERR_NOT_FOUND; ERR_WRONG_STATE where it has one already.
MUST_CHECK enum err store_epoch_end(struct store *s, const char *discussion, uint32_t epoch,
				    struct span cut, struct err_info *info);
MUST_CHECK enum err store_epoch_get(struct store *s, const char *discussion, uint32_t epoch,
				    struct store_epoch *out, struct err_info *info);
MUST_CHECK enum err store_epoch_each(struct store *s, const char *discussion,
				     store_epoch_visit *each, void *arg,
				     struct err_info *info); // rising

struct store_member {
	char fingerprint[41];
	uint32_t position;         // in the roster, from 0
	struct bytes *certificate; // discussion certificate
	char certificate_fingerprint[41];
	char key_id[17];       // of the encryption subkey, 16 upper-case hex digits
	struct bytes *binding; // P2.10
	struct bytes *general; // general certificate
	struct store_addresses addresses;
	bool verified; // by an own password handshake
};
void store_member_copy(struct store_member *out, const struct store_member *m); // with references of its own
void store_member_fini(struct store_member *m);
typedef bool store_member_visit(void *arg, const struct store_member *member);

// Inserts or replaces the member of that fingerprint in that epoch, which need not have been
// created yet.
MUST_CHECK enum err store_member_put(struct store *s, const char *discussion, uint32_t epoch,
				     const struct store_member *member, struct err_info *info);
MUST_CHECK enum err store_member_each(struct store *s, const char *discussion, uint32_t epoch,
				      store_member_visit *each, void *arg,
				      struct err_info *info); // in roster order
// Who was a member before that epoch and is none in it: each as last known, those that went first first.
MUST_CHECK enum err store_member_each_former(struct store *s, const char *discussion,
					     uint32_t epoch, store_member_visit *each, void *arg,
					     struct err_info *info);

#endif
