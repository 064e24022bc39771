// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/imported.h"

#include <stdio.h>
#include <string.h>

bool imported_has(const struct imported *i, const struct home *home, const struct hash *certificate)
{
	if (strcmp(i->home, home_name(home)) != 0)
		return false;
	for (size_t k = 0; k < i->count; k++)
		if (hash_equal(&i->hashes[k], certificate))
			return true;
	return false;
}

void imported_add(struct imported *i, const struct home *home, const struct hash *certificate)
{
	if (imported_has(i, home, certificate))
		return;
	if (strcmp(i->home, home_name(home)) != 0) {
		imported_forget(i);
		snprintf(i->home, sizeof i->home, "%s", home_name(home));
	}
	i->hashes[i->next] = *certificate;
	i->next = (i->next + 1) % IMPORTED_MAX;
	if (i->count < IMPORTED_MAX)
		i->count++;
}

void imported_forget(struct imported *i)
{
	memset(i, 0, sizeof *i);
}
