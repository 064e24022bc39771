// SPDX-License-Identifier: GPL-3.0-or-later
// New encryption keys that members' payloads have brought (P4.2), own ones among them. Certificates are public: not sealed.
#ifndef SOTTO_STORE_REKEYS_H
#define SOTTO_STORE_REKEYS_H

#include "store/store.h"

#define STORE_REKEY_CERTIFICATE_MAX 1024

struct store_rekey {
	uint32_t epoch;
	char member[41];
	uint64_t sequence; // of the payload
	char key_id[17];
	int64_t time; // when it was stored here
	struct bytes *certificate;
};
typedef bool store_rekey_visit(void *arg, const struct store_rekey *rekey);

// ERR_WRONG_STATE where that payload has brought one already.
MUST_CHECK enum err store_rekey_append(struct store *s, const char *discussion, const struct store_rekey *rekey,
				       struct err_info *info);
// All of the discussion, in the order in which they came.
MUST_CHECK enum err store_rekey_each(struct store *s, const char *discussion, store_rekey_visit *each, void *arg,
				     struct err_info *info);

#endif
