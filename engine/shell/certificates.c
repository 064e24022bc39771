// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/certificates.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void entry_fini(struct certificate_entry *e)
{
	bytes_unref(e->certificate);
	bytes_unref(e->certification);
	bytes_unref(e->record);
}

void certificates_fini(struct certificates *k)
{
	for (size_t i = 0; i < k->count; i++)
		entry_fini(&k->entries[i]);
	free(k->entries);
	*k = (struct certificates){0};
}

// Where it stands, or would stand.
static size_t place_of(const struct certificates *k, const char *fingerprint, bool *found)
{
	size_t low = 0, high = k->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(k->entries[middle].fingerprint, fingerprint);
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = false;
	return low;
}

struct certificate_entry *certificates_get(struct certificates *k, const char *fingerprint)
{
	bool found;
	size_t i = place_of(k, fingerprint, &found);
	return found ? &k->entries[i] : NULL;
}

struct certificate_entry *certificates_make(struct certificates *k, const char *fingerprint)
{
	bool found;
	size_t i = place_of(k, fingerprint, &found);
	if (found)
		return &k->entries[i];
	if (k->count == k->room) {
		k->room = k->room ? k->room * 2 : 16;
		k->entries = mem_realloc(k->entries, k->room * sizeof *k->entries);
	}
	memmove(&k->entries[i + 1], &k->entries[i], (k->count - i) * sizeof *k->entries);
	k->count++;
	k->entries[i] = (struct certificate_entry){0};
	strncpy(k->entries[i].fingerprint, fingerprint, sizeof k->entries[i].fingerprint - 1);
	return &k->entries[i];
}

void certificates_drop(struct certificates *k, const char *fingerprint)
{
	bool found;
	size_t i = place_of(k, fingerprint, &found);
	if (!found)
		return;
	entry_fini(&k->entries[i]);
	k->count--;
	memmove(&k->entries[i], &k->entries[i + 1], (k->count - i) * sizeof *k->entries);
}

void certificates_sweep(struct certificates *k, bool (*keep)(void *arg, const char *fingerprint), void *arg)
{
	size_t kept = 0;
	for (size_t i = 0; i < k->count; i++) {
		if (keep(arg, k->entries[i].fingerprint))
			k->entries[kept++] = k->entries[i];
		else
			entry_fini(&k->entries[i]);
	}
	k->count = kept;
}

void certificates_set(struct bytes **place, struct span bytes)
{
	if (bytes.len == 0 || (*place && span_equal(bytes_span(*place), bytes)))
		return;
	bytes_unref(*place);
	*place = bytes_new_span(bytes);
}
