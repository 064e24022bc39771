// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define FIELDS_MAX 21

// GnuPG's doc/DETAILS, where they are numbered from 1
enum field {
	FIELD_TYPE = 0,
	FIELD_VALIDITY = 1,
	FIELD_BITS = 2,
	FIELD_ALGORITHM = 3,
	FIELD_CREATED = 5,
	FIELD_EXPIRES = 6,
	FIELD_TEXT = 9, // the user id, the fingerprint
	FIELD_CAPABILITIES = 11,
	FIELD_TOKEN = 14, // "+": its secret is there; "#": it is not; else the number of its smart card
	FIELD_CURVE = 16,
};

// --- lines ----------------------------------------------------------------------------------------------------------------

struct line {
	struct span fields[FIELDS_MAX];
};

static struct span next_part(struct span *rest, char end)
{
	const uint8_t *stop = rest->len ? memchr(rest->data, end, rest->len) : NULL;
	size_t len = stop ? (size_t)(stop - rest->data) : rest->len;
	struct span part = span(rest->data, len);
	size_t used = stop ? len + 1 : len;
	*rest = span(rest->data + used, rest->len - used);
	return part;
}

static void split(struct span text, struct line *out)
{
	for (size_t i = 0; i < FIELDS_MAX; i++)
		out->fields[i] = next_part(&text, ':');
}

static bool is(struct span field, const char *text)
{
	return span_equal(field, span_string(text));
}

static bool has_letter(struct span field, char letter)
{
	return field.len && memchr(field.data, letter, field.len);
}

static int64_t number(struct span field)
{
	char text[24];
	if (field.len == 0 || field.len >= sizeof text)
		return 0;
	memcpy(text, field.data, field.len);
	text[field.len] = 0;
	return strtoll(text, NULL, 10);
}

// gpg writes what would not fit a line as "\x3a"
static void unescape(struct span field, char *out, size_t size)
{
	size_t len = 0;
	for (size_t i = 0; i < field.len && len < size - 1; i++) {
		char byte = (char)field.data[i];
		if (byte == '\\' && field.len - i >= 4 && field.data[i + 1] == 'x') {
			const char digits[] = {(char)field.data[i + 2], (char)field.data[i + 3], 0};
			byte = (char)strtol(digits, NULL, 16);
			i += 3;
		}
		if (byte)
			out[len++] = byte;
	}
	out[len] = 0;
}

// --- one key --------------------------------------------------------------------------------------------------------------

// What can be had of a role, of signing or decrypting.
struct role {
	bool valid, expired; // there is such a key
	bool found;          // valid, and its secret is there
	char fingerprint[FINGERPRINT_TEXT];
	int64_t created, expires;
	bool card, weak, unsupported;
};

// The key whose lines are being read.
struct reading {
	struct listed_key key;
	char validity;
	bool disabled, weak, unsupported, valid_user_id;
	struct line last; // of a primary key or subkey whose fingerprint is still to come
	bool primary;     // it is one
	struct role signing, decrypting;
};

static bool supported(unsigned algorithm, struct span curve)
{
	static const char *const curves[] = {"ed25519",		"cv25519",	   "nistp256",	      "nistp384", "nistp521",
					     "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1", "secp256k1"};
	switch (algorithm) {
	case KEY_RSA:
	case KEY_ELGAMAL:
	case KEY_DSA:
		return true;
	case KEY_ECDH:
	case KEY_ECDSA:
	case KEY_EDDSA:
		for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
			if (is(curve, curves[i]))
				return true;
		return false;
	default:
		return false;
	}
}

static unsigned algorithm_of(const struct line *l)
{
	return (unsigned)number(l->fields[FIELD_ALGORITHM]);
}

static bool too_weak(const struct line *l)
{
	unsigned algorithm = algorithm_of(l);
	bool curve = algorithm != KEY_RSA && algorithm != KEY_ELGAMAL && algorithm != KEY_DSA;
	return !curve && number(l->fields[FIELD_BITS]) < LISTED_BITS_LEAST;
}

static void name_algorithm(const struct line *l, char out[24])
{
	struct span curve = l->fields[FIELD_CURVE];
	unsigned algorithm = algorithm_of(l);
	const char *name = algorithm == KEY_RSA ? "rsa" : algorithm == KEY_DSA ? "dsa" : "elg";
	if (curve.len)
		snprintf(out, 24, "%.*s", (int)curve.len, (const char *)curve.data);
	else
		snprintf(out, 24, "%s%lld", name, (long long)number(l->fields[FIELD_BITS]));
}

static void take_role(struct role *r, const struct line *l, const char *fingerprint, bool primary)
{
	struct span validity = l->fields[FIELD_VALIDITY], token = l->fields[FIELD_TOKEN];
	int64_t created = number(l->fields[FIELD_CREATED]);
	if (has_letter(validity, 'e'))
		r->expired = true;
	if (has_letter(validity, 'e') || has_letter(validity, 'r') || has_letter(validity, 'i'))
		return;
	r->valid = true;
	if (token.len == 0 || is(token, "#"))
		return;
	// a subkey rather than the primary key, the newest of them: as gpg itself would
	if (r->found && (primary || created < r->created))
		return;
	r->found = true;
	memcpy(r->fingerprint, fingerprint, sizeof r->fingerprint);
	r->created = created;
	r->expires = number(l->fields[FIELD_EXPIRES]);
	r->card = !is(token, "+");
	r->weak = too_weak(l);
	r->unsupported = !supported(algorithm_of(l), l->fields[FIELD_CURVE]);
}

static void take_fingerprint(struct reading *r, struct span text)
{
	const struct line *l = &r->last;
	struct span can = l->fields[FIELD_CAPABILITIES];
	char fingerprint[FINGERPRINT_TEXT] = "";
	if (l->fields[FIELD_TYPE].len == 0)
		return; // of a key that is no key of ours
	if (text.len == FINGERPRINT_TEXT - 1)
		memcpy(fingerprint, text.data, text.len);
	if (!fingerprint_valid(fingerprint)) {
		// of another version of OpenPGP's keys
		r->unsupported = r->unsupported || r->primary;
		if (r->primary)
			snprintf(r->key.fingerprint, sizeof r->key.fingerprint, "%.*s", (int)text.len, (const char *)text.data);
		r->last = (struct line){0};
		return;
	}
	if (r->primary)
		memcpy(r->key.fingerprint, fingerprint, sizeof fingerprint);
	if (has_letter(can, 's'))
		take_role(&r->signing, l, fingerprint, r->primary);
	if (has_letter(can, 'e') && !r->primary)
		take_role(&r->decrypting, l, fingerprint, false);
	r->last = (struct line){0};
}

static void take_primary(struct reading *r, const struct line *l)
{
	struct span validity = l->fields[FIELD_VALIDITY];
	*r = (struct reading){.last = *l, .primary = true};
	r->validity = validity.len ? (char)validity.data[0] : '-';
	r->disabled = has_letter(l->fields[FIELD_CAPABILITIES], 'D');
	r->weak = too_weak(l);
	r->unsupported = !supported(algorithm_of(l), l->fields[FIELD_CURVE]);
	r->key.created = number(l->fields[FIELD_CREATED]);
	r->key.expires = number(l->fields[FIELD_EXPIRES]);
	name_algorithm(l, r->key.algorithm);
}

static void take_user_id(struct reading *r, const struct line *l)
{
	struct span validity = l->fields[FIELD_VALIDITY];
	bool valid = !has_letter(validity, 'r') && !has_letter(validity, 'i') && !has_letter(validity, 'e');
	if (r->valid_user_id || (!valid && r->key.user_id[0]))
		return;
	r->valid_user_id = valid;
	unescape(l->fields[FIELD_TEXT], r->key.user_id, sizeof r->key.user_id);
}

// --- the judgement --------------------------------------------------------------------------------------------------------

static enum key_obstacle obstacle_of_role(const struct role *r, enum key_obstacle none, enum key_obstacle expired,
					  enum key_obstacle missing)
{
	if (r->found)
		return KEY_FITS;
	if (r->valid)
		return missing;
	return r->expired ? expired : none;
}

static enum key_obstacle judge(const struct reading *r)
{
	if (r->validity == 'r')
		return KEY_REVOKED;
	if (r->validity == 'e')
		return KEY_EXPIRED;
	if (r->disabled || r->validity == 'd')
		return KEY_DISABLED;
	if (r->unsupported)
		return KEY_UNSUPPORTED;
	if (r->validity == 'i' || !r->valid_user_id)
		return KEY_INVALID;
	enum key_obstacle o = obstacle_of_role(&r->signing, KEY_SIGNS_NOT, KEY_SIGNING_EXPIRED, KEY_SIGNING_SECRET_MISSING);
	if (o == KEY_FITS)
		o = obstacle_of_role(&r->decrypting, KEY_DECRYPTS_NOT, KEY_DECRYPTION_EXPIRED,
				     KEY_DECRYPTION_SECRET_MISSING);
	if (o == KEY_FITS && (r->weak || r->signing.weak || r->decrypting.weak))
		o = KEY_WEAK;
	if (o == KEY_FITS && (r->signing.unsupported || r->decrypting.unsupported))
		o = KEY_UNSUPPORTED;
	return o;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a && (!b || a < b) ? a : b;
}

static bool finish(struct reading *r, struct listed_key *out)
{
	if (!r->key.fingerprint[0])
		return false;
	*out = r->key;
	out->obstacle = judge(r);
	if (out->obstacle == KEY_FITS) {
		memcpy(out->signer, r->signing.fingerprint, sizeof out->signer);
		memcpy(out->decrypter, r->decrypting.fingerprint, sizeof out->decrypter);
		out->expires = earlier(out->expires, earlier(r->signing.expires, r->decrypting.expires));
	}
	out->card = r->signing.card || r->decrypting.card;
	return true;
}

size_t listing_read(struct span text, struct listed_key *out, size_t max)
{
	struct reading r = {0};
	size_t count = 0;
	while (text.len && count < max) {
		struct line l;
		split(next_part(&text, '\n'), &l);
		struct span type = l.fields[FIELD_TYPE];
		if (is(type, "sec") || is(type, "pub")) {
			count += finish(&r, &out[count]);
			take_primary(&r, &l);
		} else if (is(type, "ssb") || is(type, "sub")) {
			r.last = l;
			r.primary = false;
		} else if (is(type, "fpr")) {
			take_fingerprint(&r, l.fields[FIELD_TEXT]);
		} else if (is(type, "uid")) {
			take_user_id(&r, &l);
		}
	}
	if (count < max)
		count += finish(&r, &out[count]);
	return count;
}

// --- names ----------------------------------------------------------------------------------------------------------------

static bool is_harmless(utf8proc_int32_t point)
{
	utf8proc_category_t category = utf8proc_category(point);
	return category != UTF8PROC_CATEGORY_CC && category != UTF8PROC_CATEGORY_CF && category != UTF8PROC_CATEGORY_CO &&
	       category != UTF8PROC_CATEGORY_CN && category != UTF8PROC_CATEGORY_CS && category != UTF8PROC_CATEGORY_ZL &&
	       category != UTF8PROC_CATEGORY_ZP;
}

// What is harmless of `len` bytes, without blanks around it.
static void copy_name(const char *text, size_t len, char *out, size_t size)
{
	size_t used = 0;
	while (len) {
		utf8proc_int32_t point;
		utf8proc_ssize_t n = utf8proc_iterate((const uint8_t *)text, (utf8proc_ssize_t)len, &point);
		size_t step = n > 0 ? (size_t)n : 1;
		if (n > 0 && is_harmless(point) && (used > 0 || point != ' ')) {
			if (used + step > size - 1)
				break;
			memcpy(out + used, text, step);
			used += step;
		}
		text += step;
		len -= step;
	}
	while (used > 0 && out[used - 1] == ' ')
		used--;
	out[used] = 0;
}

void listing_harmless(const char *text, char *out, size_t size)
{
	copy_name(text, strlen(text), out, size);
}

void listing_name(const char *user_id, char *out, size_t size)
{
	const char *address = strchr(user_id, '<');
	size_t len = strcspn(user_id, "<");
	const char *comment = memchr(user_id, '(', len);
	copy_name(user_id, comment && comment > user_id ? (size_t)(comment - user_id) : len, out, size);
	if (!out[0] && address)
		copy_name(address + 1, strcspn(address + 1, "@>"), out, size);
}

const char *key_obstacle_text(enum key_obstacle obstacle)
{
	static const char *const texts[KEY_OBSTACLE_COUNT] = {
		[KEY_FITS] = "it can be adopted",
		[KEY_REVOKED] = "it is revoked",
		[KEY_EXPIRED] = "it has expired",
		[KEY_DISABLED] = "it is disabled in your GnuPG",
		[KEY_INVALID] = "no user id of it is valid",
		[KEY_SIGNS_NOT] = "it has no valid key that signs",
		[KEY_SIGNING_EXPIRED] = "its signing key has expired",
		[KEY_SIGNING_SECRET_MISSING] = "your agent does not have the secret of its signing key",
		[KEY_DECRYPTS_NOT] = "it has no valid encryption subkey",
		[KEY_DECRYPTION_EXPIRED] = "its encryption subkey has expired",
		[KEY_DECRYPTION_SECRET_MISSING] = "your agent does not have the secret of its encryption subkey",
		[KEY_WEAK] = "it has fewer than 2048 bits",
		[KEY_UNSUPPORTED] = "it is of a kind that sotto does not know",
	};
	return obstacle < KEY_OBSTACLE_COUNT ? texts[obstacle] : "?";
}
