// SPDX-License-Identifier: GPL-3.0-or-later
// What belongs to a peer and is too long for the neighbours' table: its general certificate, the certification of its presence key,
// and its newest presence record. By fingerprint; entries live as long as the peer's in the table.
#ifndef SOTTO_SHELL_CERTIFICATES_H
#define SOTTO_SHELL_CERTIFICATES_H

#include "base/hash.h"

struct certificate_entry {
	char fingerprint[41];
	struct bytes *certificate, *certification, *record; // NULL: none
	uint8_t signature[64];                              // of the record
	bool untold; // front ends have not been told that the peer is there: there were too many strangers
};

struct certificates {
	size_t count, room;
	struct certificate_entry *entries; // by fingerprint
};

void certificates_fini(struct certificates *k);
struct certificate_entry *certificates_get(struct certificates *k, const char *fingerprint); // NULL: none; borrowed until the next change
struct certificate_entry *certificates_make(struct certificates *k, const char *fingerprint);
void certificates_drop(struct certificates *k, const char *fingerprint);
// Drops every entry for which keep answers false.
void certificates_sweep(struct certificates *k, bool (*keep)(void *arg, const char *fingerprint), void *arg);
// Replaces *place by a copy of the bytes; nothing happens where they are the same, or empty.
void certificates_set(struct bytes **place, struct span bytes);

#endif
