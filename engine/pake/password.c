// SPDX-License-Identifier: GPL-3.0-or-later
#include "pake/password.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "pake/precis.h"

#define NORMAL (UTF8PROC_STABLE | UTF8PROC_COMPOSE) // NFC

// --- preparation ---------------------------------------------------------------------------------

static utf8proc_int32_t map_space(utf8proc_int32_t c, void *arg)
{
	(void)arg;
	return utf8proc_get_property(c)->category == UTF8PROC_CATEGORY_ZS ? ' ' : c;
}

// Code points with spaces mapped, in NFC, as a secret of *count int32_t.
static enum err normalize(struct span text, struct secret **out, size_t *count)
{
	utf8proc_ssize_t room =
		utf8proc_decompose_custom(text.data, (utf8proc_ssize_t)text.len, NULL, 0, NORMAL,
					  map_space, NULL);
	if (room < 0)
		return ERR_BAD_PARAMS;
	struct secret *s = secret_new((size_t)room * sizeof(utf8proc_int32_t));
	utf8proc_int32_t *points = (utf8proc_int32_t *)(void *)secret_data(s);
	utf8proc_ssize_t n =
		utf8proc_decompose_custom(text.data, (utf8proc_ssize_t)text.len, points, room,
					  NORMAL, map_space, NULL);
	if (n >= 0)
		n = utf8proc_normalize_utf32(points, n, NORMAL);
	if (n < 0) {
		secret_unref(s);
		return ERR_BAD_PARAMS;
	}
	*out = s;
	*count = (size_t)n;
	return OK;
}

static size_t encoded_len(const int32_t *points, size_t count)
{
	uint8_t character[4];
	size_t len = 0;
	for (size_t i = 0; i < count; i++)
		len += (size_t)utf8proc_encode_char(points[i], character);
	sodium_memzero(character, sizeof character);
	return len;
}

static struct secret *encode(const int32_t *points, size_t count, size_t len)
{
	struct secret *s = secret_new(len);
	uint8_t *at = secret_data(s);
	for (size_t i = 0; i < count; i++)
		at += utf8proc_encode_char(points[i], at);
	return s;
}

enum err password_prepare(struct span text, struct secret **out, struct err_info *info)
{
	struct secret *points = NULL;
	size_t count;
	enum err e = OK;
	if (text.len == 0)
		return err_set(info, ERR_BAD_PARAMS, "the password is empty");
	if (text.len > PASSWORD_RAW_MAX)
		return err_set(info, ERR_TOO_LARGE, "the password is longer than %d bytes",
			       PASSWORD_MAX);
	if (normalize(text, &points, &count))
		return err_set(info, ERR_BAD_PARAMS, "the password is not UTF-8");
	const int32_t *data = (const int32_t *)(const void *)secret_span(points).data;
	size_t len = encoded_len(data, count);
	if (!precis_freeform(data, count))
		e = err_set(info, ERR_BAD_PARAMS,
			    "the password holds a character that is not allowed");
	else if (len > PASSWORD_MAX)
		e = err_set(info, ERR_TOO_LARGE, "the password is longer than %d bytes",
			    PASSWORD_MAX);
	else
		*out = encode(data, count, len);
	secret_unref(points);
	return e;
}

// --- weakness ------------------------------------------------------------------------------------

#define SHORT 8      // characters
#define DIGITS 12    // characters, where all are digits
#define DIFFERENT 5  // different bytes

static const char *const rows[] = {"1234567890", "qwertyuiop", "qwertzuiop", "azertyuiop",
				   "asdfghjkl",  "zxcvbnm",    "abcdefghijklmnopqrstuvwxyz"};
// What the published lists of leaked passwords have in front, in lower case and without what is put
// behind them.
static const char *const common[] = {
	"password", "passwort", "passw0rd", "p@ssword", "p@ssw0rd", "letmein",  "welcome",
	"iloveyou", "trustno",  "sunshine", "princess", "football", "baseball", "superman",
	"starwars", "whatever", "michael",  "charlie",  "changeme", "computer", "internet",
	"dragon",   "monkey",   "master",   "shadow",   "secret",   "admin",    "administrator",
	"login",    "hello",    "freedom",  "qwerty",   "qwertz",   "azerty",   "abc",
};

static size_t characters(struct span text)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++)
		n += (text.data[i] & 0xc0) != 0x80;
	return n;
}

static size_t different(struct span text)
{
	bool seen[256] = {false};
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		n += !seen[text.data[i]];
		seen[text.data[i]] = true;
	}
	sodium_memzero(seen, sizeof seen);
	return n;
}

static bool all_digits(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!isdigit(text.data[i]))
			return false;
	return true;
}

// The same, or neighbours in one row of a keyboard or in the alphabet.
static bool neighbours(uint8_t a, uint8_t b)
{
	if (a == b)
		return true;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *x = strchr(rows[i], tolower(a)), *y = strchr(rows[i], tolower(b));
		if (a && b && x && y && (x - y == 1 || y - x == 1))
			return true;
	}
	return false;
}

// At least three of four steps lead to a neighbour.
static bool mostly_steps(struct span text)
{
	size_t steps = 0;
	for (size_t i = 1; i < text.len; i++)
		steps += neighbours(text.data[i - 1], text.data[i]);
	return text.len > 1 && steps * 4 >= (text.len - 1) * 3;
}

static bool is_common(struct span text)
{
	size_t len = text.len;
	while (len > 0 && !isalpha(text.data[len - 1]))
		len--;
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		if (strlen(common[i]) == len &&
		    strncasecmp(common[i], (const char *)text.data, len) == 0)
			return true;
	return false;
}

const char *password_weakness(struct span prepared)
{
	if (characters(prepared) < SHORT)
		return "it is shorter than 8 characters";
	if (different(prepared) < DIFFERENT)
		return "it is made of very few different characters";
	if (all_digits(prepared) && prepared.len < DIGITS)
		return "it is a short number";
	if (mostly_steps(prepared))
		return "it follows the alphabet or the keyboard";
	if (is_common(prepared))
		return "it is one that everybody tries first";
	return NULL;
}
