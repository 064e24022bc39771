// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/certified.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "openpgp/colons.h"

// One signer and one user id.
struct word {
	char fingerprint[FINGERPRINT_TEXT];
	int64_t said, taken_back; // the newest of each; 0: never
};

struct reading {
	const char *key;
	int64_t now;
	bool valid;  // the key that is being read
	bool is_key; // it is the one
	bool on_user_id;
	size_t count;
	struct word *words; // CERTIFIERS_MAX, of the user id that is being read
	struct certifiers *out;
};

static bool is_bad(struct span validity)
{
	return colons_has(validity, 'r') || colons_has(validity, 'e') || colons_has(validity, 'i') ||
	       colons_has(validity, 'n') || colons_has(validity, 'd');
}

static bool fingerprint_of(struct span field, char out[FINGERPRINT_TEXT])
{
	if (field.len != FINGERPRINT_TEXT - 1)
		return false;
	memcpy(out, field.data, field.len);
	out[field.len] = 0;
	return fingerprint_valid(out);
}

static void add(struct certifiers *c, const char *fingerprint)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->list[i], fingerprint) == 0)
			return;
	if (c->count < CERTIFIERS_MAX)
		memcpy(c->list[c->count++], fingerprint, FINGERPRINT_TEXT);
}

// What was taken back at the same second as it was said counts as taken back.
static void end_user_id(struct reading *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->words[i].said > r->words[i].taken_back)
			add(r->out, r->words[i].fingerprint);
	r->count = 0;
	r->on_user_id = false;
}

static struct word *word_of(struct reading *r, const char *fingerprint)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->words[i].fingerprint, fingerprint) == 0)
			return &r->words[i];
	if (r->count == CERTIFIERS_MAX)
		return NULL;
	struct word *w = &r->words[r->count++];
	*w = (struct word){0};
	memcpy(w->fingerprint, fingerprint, FINGERPRINT_TEXT);
	return w;
}

// "10" to "13": what certifies a user id; "30" takes it back.
static bool has_class(struct span field, bool revokes)
{
	if (field.len < 2)
		return false;
	if (revokes)
		return field.data[0] == '3' && field.data[1] == '0';
	return field.data[0] == '1' && field.data[1] >= '0' && field.data[1] <= '3';
}

static void take_signature(struct reading *r, const struct colons *l, bool revokes)
{
	char fingerprint[FINGERPRINT_TEXT];
	int64_t expires = colons_number(l->fields[COLONS_EXPIRES]), time = colons_number(l->fields[COLONS_CREATED]);
	bool checked = colons_is(l->fields[COLONS_VALIDITY], "!");
	if (!r->on_user_id || !checked || !has_class(l->fields[COLONS_CLASS], revokes) ||
	    !fingerprint_of(l->fields[COLONS_ISSUER], fingerprint) || strcmp(fingerprint, r->key) == 0)
		return;
	if (!revokes && expires && expires <= r->now)
		return;
	struct word *w = word_of(r, fingerprint);
	if (!w)
		return;
	int64_t *newest = revokes ? &w->taken_back : &w->said;
	if (time > *newest)
		*newest = time;
}

void certified_read(struct span text, const char *key, int64_t now, struct certifiers *out)
{
	struct reading r = {.key = key, .now = now, .out = out};
	bool fingerprint_comes = false;
	out->count = 0;
	r.words = mem_alloc_array(CERTIFIERS_MAX, sizeof *r.words);
	while (text.len) {
		struct colons l;
		char fingerprint[FINGERPRINT_TEXT];
		colons_read(&text, &l);
		struct span type = l.fields[COLONS_TYPE];
		if (colons_is(type, "pub")) {
			end_user_id(&r);
			r.valid = !is_bad(l.fields[COLONS_VALIDITY]);
			r.is_key = false;
			fingerprint_comes = true;
		} else if (colons_is(type, "fpr") && fingerprint_comes) {
			fingerprint_comes = false;
			r.is_key = fingerprint_of(l.fields[COLONS_TEXT], fingerprint) && strcmp(fingerprint, key) == 0;
		} else if (colons_is(type, "uid")) {
			end_user_id(&r);
			r.on_user_id = r.valid && r.is_key && !is_bad(l.fields[COLONS_VALIDITY]);
		} else if (colons_is(type, "sub") || colons_is(type, "uat")) {
			end_user_id(&r);
		} else if (colons_is(type, "sig") || colons_is(type, "rev")) {
			take_signature(&r, &l, colons_is(type, "rev"));
		}
	}
	end_user_id(&r);
	free(r.words);
}

// --- the signers' own keys ------------------------------------------------------------------------------------------------

static void mark(const struct certifiers *c, size_t from, size_t to, const char *key, bool valid[CERTIFIERS_MAX])
{
	for (size_t i = from; i < to; i++)
		if (strcmp(c->list[i], key) == 0)
			valid[i] = true;
}

size_t certified_keep_valid(struct span text, struct certifiers *c, size_t from, size_t to)
{
	bool valid[CERTIFIERS_MAX] = {false}, good = false, fingerprint_comes = false;
	while (text.len) {
		struct colons l;
		char fingerprint[FINGERPRINT_TEXT];
		colons_read(&text, &l);
		if (colons_is(l.fields[COLONS_TYPE], "pub")) {
			good = !is_bad(l.fields[COLONS_VALIDITY]) && !colons_has(l.fields[COLONS_CAPABILITIES], 'D');
			fingerprint_comes = true;
		} else if (colons_is(l.fields[COLONS_TYPE], "fpr") && fingerprint_comes) {
			fingerprint_comes = false;
			if (good && fingerprint_of(l.fields[COLONS_TEXT], fingerprint))
				mark(c, from, to, fingerprint, valid);
		}
	}
	size_t kept = from;
	for (size_t i = from; i < to; i++)
		if (valid[i])
			memmove(c->list[kept++], c->list[i], FINGERPRINT_TEXT);
	memmove(c->list[kept], c->list[to], (c->count - to) * FINGERPRINT_TEXT);
	c->count -= to - kept;
	return kept - from;
}
