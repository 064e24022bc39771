// SPDX-License-Identifier: GPL-3.0-or-later
// Small values by key that must outlive a restart (the port last listened on …). Not sealed: nothing secret.
#ifndef SOTTO_STORE_SETTINGS_H
#define SOTTO_STORE_SETTINGS_H

#include "store/store.h"

#define STORE_SETTINGS_MAX 4096 // rows
#define STORE_SETTING_KEY_MAX 128
#define STORE_SETTING_MAX (64 << 10)

// Appends the value to out.
MUST_CHECK enum err store_setting_get(struct store *s, const char *key, struct buf *out,
				      struct err_info *info);
MUST_CHECK enum err store_setting_put(struct store *s, const char *key, struct span value,
				      struct err_info *info);
// The same for an integer. ERR_BAD_INPUT where the value is none.
MUST_CHECK enum err store_setting_get_int(struct store *s, const char *key, int64_t *out,
					  struct err_info *info);
MUST_CHECK enum err store_setting_put_int(struct store *s, const char *key, int64_t value,
					  struct err_info *info);

#endif
