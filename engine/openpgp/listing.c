// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "openpgp/colons.h"

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
	struct colons last; // of a primary key or subkey whose fingerprint is still to come
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
			if (colons_is(curve, curves[i]))
				return true;
		return false;
	default:
		return false;
	}
}

static unsigned algorithm_of(const struct colons *l)
{
	return (unsigned)colons_number(l->fields[COLONS_ALGORITHM]);
}

static bool too_weak(const struct colons *l)
{
	unsigned algorithm = algorithm_of(l);
	bool curve = algorithm != KEY_RSA && algorithm != KEY_ELGAMAL && algorithm != KEY_DSA;
	return !curve && colons_number(l->fields[COLONS_BITS]) < LISTED_BITS_LEAST;
}

static void name_algorithm(const struct colons *l, char out[24])
{
	struct span curve = l->fields[COLONS_CURVE];
	unsigned algorithm = algorithm_of(l);
	const char *name = algorithm == KEY_RSA ? "rsa" : algorithm == KEY_DSA ? "dsa" : "elg";
	if (curve.len)
		snprintf(out, 24, "%.*s", (int)curve.len, (const char *)curve.data);
	else
		snprintf(out, 24, "%s%lld", name, (long long)colons_number(l->fields[COLONS_BITS]));
}

static void take_role(struct role *r, const struct colons *l, const char *fingerprint, bool primary)
{
	struct span validity = l->fields[COLONS_VALIDITY], token = l->fields[COLONS_TOKEN];
	int64_t created = colons_number(l->fields[COLONS_CREATED]);
	if (colons_has(validity, 'e'))
		r->expired = true;
	if (colons_has(validity, 'e') || colons_has(validity, 'r') || colons_has(validity, 'i'))
		return;
	r->valid = true;
	if (token.len == 0 || colons_is(token, "#"))
		return;
	// a subkey rather than the primary key, the newest of them: as gpg itself would
	if (r->found && (primary || created < r->created))
		return;
	r->found = true;
	memcpy(r->fingerprint, fingerprint, sizeof r->fingerprint);
	r->created = created;
	r->expires = colons_number(l->fields[COLONS_EXPIRES]);
	r->card = !colons_is(token, "+");
	r->weak = too_weak(l);
	r->unsupported = !supported(algorithm_of(l), l->fields[COLONS_CURVE]);
}

static void take_fingerprint(struct reading *r, struct span text)
{
	const struct colons *l = &r->last;
	struct span can = l->fields[COLONS_CAPABILITIES];
	char fingerprint[FINGERPRINT_TEXT] = "";
	if (l->fields[COLONS_TYPE].len == 0)
		return; // of a key that is no key of ours
	if (text.len == FINGERPRINT_TEXT - 1)
		memcpy(fingerprint, text.data, text.len);
	if (!fingerprint_valid(fingerprint)) {
		// of another version of OpenPGP's keys
		r->unsupported = r->unsupported || r->primary;
		if (r->primary)
			snprintf(r->key.fingerprint, sizeof r->key.fingerprint, "%.*s", (int)text.len, (const char *)text.data);
		r->last = (struct colons){0};
		return;
	}
	if (r->primary)
		memcpy(r->key.fingerprint, fingerprint, sizeof fingerprint);
	if (colons_has(can, 's'))
		take_role(&r->signing, l, fingerprint, r->primary);
	if (colons_has(can, 'e') && !r->primary)
		take_role(&r->decrypting, l, fingerprint, false);
	r->last = (struct colons){0};
}

static void take_primary(struct reading *r, const struct colons *l)
{
	struct span validity = l->fields[COLONS_VALIDITY];
	*r = (struct reading){.last = *l, .primary = true};
	r->validity = validity.len ? (char)validity.data[0] : '-';
	r->disabled = colons_has(l->fields[COLONS_CAPABILITIES], 'D');
	r->weak = too_weak(l);
	r->unsupported = !supported(algorithm_of(l), l->fields[COLONS_CURVE]);
	r->key.created = colons_number(l->fields[COLONS_CREATED]);
	r->key.expires = colons_number(l->fields[COLONS_EXPIRES]);
	name_algorithm(l, r->key.algorithm);
}

static void take_user_id(struct reading *r, const struct colons *l)
{
	struct span validity = l->fields[COLONS_VALIDITY];
	bool valid = !colons_has(validity, 'r') && !colons_has(validity, 'i') && !colons_has(validity, 'e');
	if (r->valid_user_id || (!valid && r->key.user_id[0]))
		return;
	r->valid_user_id = valid;
	unescape(l->fields[COLONS_TEXT], r->key.user_id, sizeof r->key.user_id);
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
		struct colons l;
		colons_read(&text, &l);
		struct span type = l.fields[COLONS_TYPE];
		if (colons_is(type, "sec") || colons_is(type, "pub")) {
			count += finish(&r, &out[count]);
			take_primary(&r, &l);
		} else if (colons_is(type, "ssb") || colons_is(type, "sub")) {
			r.last = l;
			r.primary = false;
		} else if (colons_is(type, "fpr")) {
			take_fingerprint(&r, l.fields[COLONS_TEXT]);
		} else if (colons_is(type, "uid")) {
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
