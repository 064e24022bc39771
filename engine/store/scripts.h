// SPDX-License-Identifier: GPL-3.0-or-later
// Scripts that are loaded, a row each, and what each of them keeps: leaves, found by their path. A row is JSON of the core's own and
// lies open; paths and values are sealed under the store key (P4.4), and found by a keyed hash.
#ifndef SOTTO_STORE_SCRIPTS_H
#define SOTTO_STORE_SCRIPTS_H

#include "store/store.h"

#define STORE_SCRIPTS_MAX 1000
#define STORE_SCRIPT_NAME_MAX 32
#define STORE_SCRIPT_ROW_MAX (64 << 10)
// of one script
#define STORE_SCRIPT_LEAVES_MAX 10000
#define STORE_SCRIPT_BYTES_MAX (1 << 20) // paths and values together
#define STORE_SCRIPT_PATH_MAX 1024

// Called with each row, or each leaf, borrowed for the call. It must not write to the store.
typedef void store_script_row(void *arg, const char *name, struct span row);
typedef void store_script_leaf(void *arg, struct span path, struct span value);

MUST_CHECK enum err store_scripts_each(struct store *s, store_script_row *each, void *arg, struct err_info *info); // by name
MUST_CHECK enum err store_script_put(struct store *s, const char *name, struct span row, struct err_info *info);
MUST_CHECK enum err store_script_drop(struct store *s, const char *name, struct err_info *info); // its values stay

struct store_script_change {
	struct span path, value; // value NULL: the leaf is taken away
};

// ERR_LOCKED; ERR_CRYPTO where a seal does not hold.
MUST_CHECK enum err store_script_values(struct store *s, const char *name, store_script_leaf *each, void *arg,
					struct err_info *info);
// All changes in order, or none. ERR_TOO_LARGE over a limit, ERR_LOCKED.
MUST_CHECK enum err store_script_change(struct store *s, const char *name, const struct store_script_change *changes,
					size_t count, struct err_info *info);

#endif
